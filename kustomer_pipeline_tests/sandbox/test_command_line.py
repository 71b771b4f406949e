"""`python -m kustomer_pipeline.sandbox`."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from kustomer_pipeline.sandbox import FAULTS, Sandbox
from kustomer_pipeline.sandbox.__main__ import main, make_parser


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "kustomer_pipeline.sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_stops_quietly(tmp_path: Path, sent: signal.Signals) -> None:
    ready = tmp_path / "ready.json"
    process = _start("--port", "0", "--api-key", "my-key", "--org", "acme", "--ready-file", str(ready))
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Stop it"):
            break
    told = json.loads(ready.read_text())
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600
    assert f"KUSTOMER_BASE_URL={told['url']}\n" in lines
    assert "KUSTOMER_API_KEY=my-key\n" in lines
    assert any(told["org_id"] in line and "New, empty org 'acme'" in line for line in lines)
    request = urllib.request.Request(f"{told['url']}/v1/tags", headers={"Authorization": "Bearer my-key"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    process.send_signal(sent)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.com"])
def test_it_runs_on_this_machine_only(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", host, "--port", "0"]) == 2
    assert f"{host} is not a loopback address" in capsys.readouterr().err


def test_a_port_in_use_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    assert re.fullmatch(rf"sandbox: Port {port} of 127.0.0.1 is in use\. .*--port.*\n", capsys.readouterr().err)


def test_an_unknown_fault_is_said_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fault", "nix"]) == 2
    told = capsys.readouterr().err
    assert [name for name in FAULTS if name not in told] == []


def test_importing_the_sandbox_brings_neither_dagster_nor_pandas_nor_the_client() -> None:
    code = (
        "import sys, kustomer_pipeline.sandbox.__main__\n"
        "heavy = {'dagster', 'pandas', 'httpx', 'sqlalchemy', 'kustomer_pipeline.kustomer'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


# ---- documentation ----


@pytest.fixture
def manual(repository: Path) -> str:
    return (repository / "docs" / "sandbox.md").read_text(encoding="utf-8")


def _rows(section: str) -> dict[str, str]:
    """The tables of a section: what the first cell begins with → the row."""
    return {match[1]: match[0] for match in re.finditer(r"^\| `([\w-]+).*$", section, re.MULTILINE)}


def _section(manual: str, title: str) -> str:
    return manual.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_fault_is_documented_with_its_description_and_default(manual: str) -> None:
    rows = _rows(_section(manual, "Faults"))
    assert set(rows) == set(FAULTS)
    for name, kind in FAULTS.items():
        written = name if kind.value is None else f"{name}={kind.default}"
        assert rows[name] == f"| `{written}` | {kind.description} |"


def test_every_option_of_the_command_line_is_documented(manual: str) -> None:
    assert set(_rows(_section(manual, "Run it"))) == set(re.findall(r"--[\w-]+", make_parser().format_usage()))


def test_every_public_name_of_a_sandbox_is_documented(manual: str) -> None:
    section = _section(manual, "In a test")
    names = [name for name in dir(Sandbox(serve=False)) if not name.startswith("_")]
    assert [name for name in names if f"`{name}" not in section and name not in ("state", "close")] == []


def test_the_example_runs(manual: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", _section(manual, "In a test"), re.DOTALL)
    exec(example, {})
