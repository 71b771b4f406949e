"""The commands as a person meets them in a shell."""

import subprocess
import sys
from pathlib import Path

import pytest

from kustomer_pipeline.__main__ import main


def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "doctor" in capsys.readouterr().out


def test_a_reader_who_has_read_enough_gets_no_stack_trace() -> None:
    """As `doctor | head -1` is."""
    command = [sys.executable, "-m", "kustomer_pipeline", "doctor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": ""}) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said


def test_the_settings_of_the_projects_env_file_count(tmp_path: Path) -> None:
    """As in `dagster dev`; what the environment says itself comes first."""
    (tmp_path / ".env").write_text("KUSTOMER_RATE_RESERVE=much\nWAREHOUSE_URL=sqlite:////nowhere\n", encoding="utf-8")
    command = [sys.executable, "-m", "kustomer_pipeline", "doctor", "--project", str(tmp_path)]
    environment = {"PATH": "", "WAREHOUSE_URL": "sqlite:////elsewhere", "KUSTOMER_API_KEY": "k", "KUSTOMER_ORG": "acme"}
    said = subprocess.run(command, capture_output=True, text=True, env=environment, check=False).stdout
    assert "KUSTOMER_RATE_RESERVE is 'much'" in said
    assert "/elsewhere" in said
    assert "/nowhere" not in said
