"""`python -m kustomer_pipeline.demo` as somebody sees it who starts it for the first time, in a folder of their own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.demo.graph import plan_all, sync_all
from kustomer_pipeline.demo.seed import CUSTOMERS, VIPS, Edit, edit, seed
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.readme import shown_output, without_measured

COMPANIES = 40
# What whoever starts the demo may have set for their own org: none of it may get in.
FOREIGN = {
    "WAREHOUSE_URL": "sqlite:////nowhere/real.db",
    "KUSTOMER_ORG": "real",
    "KUSTOMER_API_KEY": "real-key",
    "KUSTOMER_STATE_URL": "sqlite:////nowhere/state.db",
    "DAGSTER_HOME": "/nowhere/dagster_home",
}


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in FOREIGN.items()))
    return subprocess.Popen(
        [sys.executable, "-m", "kustomer_pipeline.demo", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **FOREIGN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A demo that is stopped whatever the test finds out."""
    process = start(folder, *arguments)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What it prints, up to the line that holds `text`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"{text!r} was never printed:\n{''.join(lines)}\n{process.communicate()[1]}")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def sandbox_port(folder: Path) -> int:
    url = json.loads((folder / ".demo" / "sandbox.json").read_text())["url"]
    return int(url.rpartition(":")[2])


@dataclass(frozen=True)
class Story:
    """What a whole demo printed, and the folder that it left."""

    folder: Path
    status: int
    told: str
    complaints: str

    def table(self, heading: str) -> dict[str, dict[str, int]]:
        """The table of counters below a heading: sync → counter → number."""
        lines = iter(self.told[self.told.index(heading) :].splitlines())
        names = next(line.split() for line in lines if line.split()[:1] == ["sync"])
        rows = []
        for line in lines:
            if not line.strip():
                break
            # An object sync has no number of removals: that cell is empty.
            sync, *numbers, requests = line.replace(",", "").split()
            values = dict(zip(names[1:], map(int, numbers), strict=False))
            rows.append((sync, values | {"requests": int(requests)}))
        return dict(rows)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """One whole demo, in a folder where another one has been before."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / ".demo" / "dagster_home").mkdir(parents=True)
    (folder / ".demo" / "dagster_home" / "left_over").touch()
    (folder / ".demo" / "warehouse.sqlite").write_text("not a database")
    process = start(folder)
    told, complaints = process.communicate()
    return Story(folder, process.returncode, told, complaints)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Edit:
    """What the demo changes in the warehouse."""
    return edit(seed(tmp_path_factory.mktemp("warehouse") / "w.sqlite"))


def test_the_demo_ends_well_and_says_nothing_but_its_story(story: Story) -> None:
    assert (story.complaints, story.status) == ("", 0)
    assert re.findall(r"(?im)^.*(?:warning|traceback|debug|dagster - ).*$", story.told) == []


def test_the_first_run_creates_everybody_who_is_sound(story: Story) -> None:
    table = story.table("First run")
    customers, companies, vips = table["customers"], table["companies"], table["vip_audience"]
    assert customers["created"] + customers["invalid"] == CUSTOMERS
    assert customers["invalid"] == 36
    assert companies["created"] == COMPANIES
    assert vips["updated"] + vips["skipped"] == VIPS
    for sync in table.values():
        assert sync["unchanged"] == sync["rejected"] == sync.get("removed", 0) == 0
    assert sum(sync["requests"] for sync in table.values()) < 0.05 * (CUSTOMERS + COMPANIES + VIPS)


def test_every_row_that_was_not_sent_has_its_reason(story: Story) -> None:
    reasons = re.findall(r"(?m)^  (\w+) +(\d+)  (invalid|skipped|rejected)  (\S.*)$", story.told)
    counted = {
        (sync, outcome): sum(int(count) for other, count, kind, _ in reasons if (other, kind) == (sync, outcome))
        for sync, _, outcome, _ in reasons
    }
    table = story.table("First run")
    assert counted == {
        ("customers", "invalid"): table["customers"]["invalid"],
        ("vip_audience", "skipped"): table["vip_audience"]["skipped"],
    }


def test_the_second_run_does_what_was_changed_and_nothing_else(story: Story, day: Edit) -> None:
    first, second = story.table("First run"), story.table("Second run")
    changes = {
        sync: {name: counters[name] for name in ("created", "updated", "removed", "rejected") if counters.get(name)}
        for sync, counters in second.items()
    }
    assert changes == {
        "companies": {},
        "customers": {"created": 1, "updated": len(day.upgraded)},
        "vip_audience": {"updated": 1, "removed": 1},
    }
    assert second["companies"]["unchanged"] == COMPANIES
    assert second["customers"]["unchanged"] == first["customers"]["created"] - len(day.upgraded)
    assert second["vip_audience"]["unchanged"] == first["vip_audience"]["updated"] - 1
    assert sum(sync["requests"] for sync in second.values()) <= 35


def test_the_plan_names_each_record_before_it_is_sent(story: Story, day: Edit) -> None:
    planned = story.told[story.told.index("The plan") : story.told.index("Second run")]
    lines = {tuple(line.split()[:3]) for line in planned.splitlines()[1:] if line.strip()}
    assert lines == {
        ("customers", "create", day.new_customer),
        *(("customers", "update", customer) for customer in day.upgraded),
        ("vip_audience", "tag", day.joined_vips),
        ("vip_audience", "untag", day.left_vips.strip().lower()),
    }
    assert planned.count("custom.planStr: free → pro") == len(day.upgraded)


def test_it_says_where_to_look_next_and_that_is_there(story: Story) -> None:
    ending = story.told[story.told.index("Where to look next") :]
    assert "make dev" in ending
    for path in ("kustomer_pipeline/defs/", "README.md"):
        assert path in ending
        assert (REPOSITORY / path).exists()


def test_the_readme_shows_what_it_prints(story: Story) -> None:
    """If not: `python -m kustomer_pipeline_tests.readme` writes it anew."""
    told = without_measured(story.told.strip())
    assert told.count("rows for # requests") == 2
    assert without_measured(shown_output()) == told


def test_the_folder_is_made_anew(story: Story) -> None:
    assert (story.folder / ".demo" / "warehouse.sqlite").read_bytes().startswith(b"SQLite format 3")
    assert not (story.folder / ".demo" / "dagster_home" / "left_over").exists()
    assert {path.name for path in story.folder.iterdir()} == {".demo", ".env"}
    assert not listens(sandbox_port(story.folder))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_ctrl_c_stops_it_with_everything_it_started(tmp_path: Path, name: str) -> None:
    with running(tmp_path) as process:
        read_until(process, "First run")
        port = sandbox_port(tmp_path)
        assert listens(port)
        process.send_signal(getattr(signal, name))
        _, complaints = process.communicate()
    assert (complaints, process.returncode) == ("\nStopped.\n", 130)
    assert not listens(port)


@pytest.mark.parametrize("option", ["--port", "--kustomer-port"])
def test_a_port_in_use_is_said_before_anything_is_started(tmp_path: Path, option: str) -> None:
    [free] = free_ports(1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = "--kustomer-port" if option == "--port" else "--port"
        with running(tmp_path, "dev", option, str(port), other, str(free)) as process:
            told, complaints = process.communicate()
    assert (told, process.returncode) == ("", 1)
    assert complaints.startswith(f"Port {port}, for the ")
    assert f"cannot be used: address already in use. Stop what uses it, or take another: {sys.executable}" in complaints
    assert complaints.endswith(f" -m kustomer_pipeline.demo dev {option} {port + 1}\n")
    assert not (tmp_path / ".demo").exists()


def test_a_number_that_is_no_port_is_said(tmp_path: Path) -> None:
    with running(tmp_path, "dev", "--port", "70000") as process:
        complaints = process.communicate()[1]
    assert complaints == "70000 is not a port: --port takes a number from 1 to 65535.\n"


def test_make_dev_opens_the_graph_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Nor does it read the `.env` of the folder: that holds the settings of a real org."""
    port, kustomer_port = free_ports(2)
    with running(tmp_path, "dev", "--port", str(port), "--kustomer-port", str(kustomer_port)) as process:
        told = read_until(process, "Ctrl+C stops everything")
        assert f"http://localhost:{port}\n" in told
        assert f"http://127.0.0.1:{kustomer_port} " in told

        query = b'{"query": "{ assetsOrError { ... on AssetConnection { nodes { key { path } } } } }"}'
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql", query, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            assets = json.load(answer)["data"]["assetsOrError"]["nodes"]
        assert {"key": {"path": ["kustomer", "customers"]}} in assets

        with running(tmp_path) as second:
            complaints = second.communicate()[1]
        assert complaints == f"Another demo runs in {tmp_path / '.demo'}: stop it (Ctrl+C) and try again.\n"

        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate()
    assert (complaints, process.returncode) == ("", 0)
    assert not listens(port)
    assert not listens(kustomer_port)
    log = (tmp_path / ".demo" / "dagster.log").read_text()
    assert "Serving dagster-webserver" in log
    assert ".env" not in log


def test_a_sync_that_does_not_suit_the_warehouse_says_which_and_why(
    dagster_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has written a sync of their own, and runs the demo again."""
    monkeypatch.setenv("WAREHOUSE_URL", f"sqlite:///{seed(tmp_path / 'w.sqlite')}")
    mine = ObjectSync(
        name="mine", object="customers", query="select * from people", match_on=["email"], fields={"email": "email"}
    )
    with dg.DagsterInstance.get() as instance:
        for run in (sync_all, plan_all):
            [failure] = run(build_definitions([mine]), instance).failures
            assert failure.startswith("kustomer/mine_rows: ")
            assert "no such table: people" in failure
