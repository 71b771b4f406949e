"""The request log: a line for each attempt, found again by the row it was about, and no harm to a run."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kustomer_pipeline.sync import StateStore, undo_run
from kustomer_pipeline.telemetry import RequestLine, RequestLog, requests_of
from kustomer_pipeline_tests.telemetry.samples import DAY, NOON, WORK, attempt
from kustomer_pipeline_tests.telemetry.watched import WatchedWorld
from kustomer_pipeline_tests.world import World, audience, customers, members, people


def lines_of(folder: Path) -> list[RequestLine]:
    texts = [text for path in sorted(folder.glob("*.jsonl")) for text in path.read_bytes().splitlines()]
    return [line for text in texts if (line := RequestLine.from_bytes(text)) is not None]


# --- a line -----------------------------------------------------------------------------------------------------


def test_a_line_is_json_with_everything_that_is_known_of_the_attempt(folder: Path) -> None:
    log = RequestLog(folder)
    log.attempted(attempt(at=NOON + 0.1234))
    log.close()
    [path] = folder.glob("requests-*.jsonl")
    assert path.name == "requests-2030-03-18.jsonl"
    assert json.loads(path.read_bytes()) == {
        "at": "2030-03-18T12:00:00.123Z",
        "sync": "customers",
        "run": "run-1",
        "kind": "run",
        "org": "org-1",
        "method": "POST",
        "template": "/v1/customers/bulk",
        "path": "/v1/customers/bulk",
        "status": 201,
        "error": None,
        "seconds": 0.104,
        "units": 1,
        "searches": 0,
        "attempt": 2,
        "retry": "Kustomer answered 429",
        "units_left": 812,
        "request_id": "req-7",
        "keys": ["C-1"],
        "hashed_keys": [],
    }


def test_nobody_else_may_read_the_files(folder: Path) -> None:
    before = os.umask(0)
    try:
        log = RequestLog(folder)
        log.attempted(attempt())
        log.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "requests-2030-03-18.jsonl": 0o600,
        "secret": 0o600,
    }


def test_a_new_day_is_a_new_file(folder: Path) -> None:
    log = RequestLog(folder)
    for hours in (0, 11.99, 12, 13):
        log.attempted(attempt(at=NOON + hours * 3600))
    log.close()
    assert {path.name: len(path.read_bytes().splitlines()) for path in folder.glob("*.jsonl")} == {
        "requests-2030-03-18.jsonl": 2,
        "requests-2030-03-19.jsonl": 2,
    }


_OF_A_PROCESS = """
import sys
from pathlib import Path
from kustomer_pipeline.telemetry import RequestLog
from kustomer_pipeline_tests.telemetry.samples import attempt

log = RequestLog(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    keys = (*(f"{sys.argv[2]}-{number}-{place}" for place in range(100)), "jane@example.com")
    log.attempted(attempt(keys=keys))
"""


def test_lines_of_several_processes_do_not_mix(folder: Path) -> None:
    """They begin at once, in an empty folder: they also agree on its secret."""
    command = [sys.executable, "-c", _OF_A_PROCESS, str(folder)]
    names = ("A", "B")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([*command, name], **pipes) for name in names]  # type: ignore[call-overload]
    for process in started:
        process.stdout.readline()
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [(process.communicate(timeout=60), process.returncode)[1] for process in started] == [0, 0]
    [path] = folder.glob("*.jsonl")
    assert len(path.read_bytes().splitlines()) == len(lines_of(folder)) == 400
    for name in names:
        assert len(requests_of(folder, "customers", f"{name}-7-99")) == 1
    assert len(requests_of(folder, "customers", "jane@example.com")) == 400


# --- days -------------------------------------------------------------------------------------------------------


def test_files_of_days_long_past_are_removed_when_a_run_begins(tmp_path: Path, folder: Path) -> None:
    log = RequestLog(folder, days=7)
    for age in (0, 1, 7, 8, 30):
        log.attempted(attempt(at=NOON - age * DAY))
    (folder / "requests-old.jsonl").touch()
    log.began(WORK, NOON)
    log.close()
    assert sorted(path.name for path in folder.iterdir()) == [
        "requests-2030-03-11.jsonl",
        "requests-2030-03-17.jsonl",
        "requests-2030-03-18.jsonl",
        "requests-old.jsonl",
        "secret",
    ]


def test_a_run_of_a_world_removes_what_is_older_than_its_days(logged: WatchedWorld, folder: Path) -> None:
    logged.run(customers(), people(1))
    first = datetime.fromtimestamp(logged.clock.time(), UTC).date()
    logged.hours_pass(24 * 7)
    logged.run(customers(), people(1))
    assert f"requests-{first}.jsonl" in {path.name for path in folder.iterdir()}
    logged.hours_pass(24)
    logged.run(customers(), people(1))
    days = [first + timedelta(days=past) for past in (7, 8)]
    assert {path.name for path in folder.glob("*.jsonl")} == {f"requests-{day}.jsonl" for day in days}


# --- the requests behind a row ----------------------------------------------------------------------------------


def test_the_requests_behind_a_row_are_found_by_its_key(logged: WatchedWorld, folder: Path) -> None:
    logged.sandbox.seed_customer(externalId="C-1", emails=[{"email": "p1@example.com"}])
    report = logged.run(customers(), people(150))
    found = requests_of(folder, "customers", "C-1")
    assert [(line.method, line.template, line.status) for line in found] == [
        ("POST", "/v1/customers/search", 200),
        ("GET", "/v1/customers/{id}", 200),
        ("PUT", "/v1/customers/bulk", 201),
        ("GET", "/v1/bulk/{bulk_id}/batches", 200),
    ]
    assert {(line.sync, line.run, line.org) for line in found} == {("customers", report.run_id, report.org_id)}
    assert requests_of(folder, "customers", "C-15") != found
    assert requests_of(folder, "customers", "C-1000") == []
    assert requests_of(folder, "companies", "C-1") == []


def test_a_person_is_found_by_the_address_that_is_not_in_the_log(logged: WatchedWorld, folder: Path) -> None:
    logged.run(customers(), people(3))
    logged.run(audience(), members(3))
    found = requests_of(folder, "vip", "p1@example.com")
    assert [line.template for line in found][:2] == ["/v1/customers/{ids}", "/v1/customers/bulk"]
    assert {len(line.hashed_keys) for line in found if line.template == "/v1/customers/bulk"} == {3}
    assert all(line.keys == () for line in found)
    assert requests_of(folder, "vip", "P1@Example.com ") == found
    assert requests_of(folder, "vip", "p4@example.com") == []
    assert requests_of(folder, "other", "p1@example.com") == []
    assert b"example.com" not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_without_the_secret_nobody_is_found_by_an_address(logged: WatchedWorld, folder: Path, tmp_path: Path) -> None:
    logged.run(customers(), people(3))
    logged.run(audience(), members(3))
    copied = tmp_path / "copied"
    copied.mkdir()
    for path in folder.glob("*.jsonl"):
        (copied / path.name).write_bytes(path.read_bytes())
    assert requests_of(copied, "vip", "p1@example.com") == []
    assert requests_of(copied, "customers", "C-1") == requests_of(folder, "customers", "C-1") != []


def test_an_undo_is_found_by_the_rows_that_it_took_back(logged: WatchedWorld, folder: Path) -> None:
    logged.run(customers(), people(3))
    logged.run(customers(), people(3, plan="pro"), run_id="run-2")
    with logged.client() as client, StateStore.open(logged.state_url, clock=logged.clock) as state:
        undo_run("run-2", client=client, state=state, as_run="run-3")
    found = [line for line in requests_of(folder, "customers", "C-1") if line.kind == "undo"]
    assert [(line.sync, line.run, line.template) for line in found][:2] == [
        ("undo_run", "run-3", "/v1/customers/{ids}"),
        ("undo_run", "run-3", "/v1/customers/bulk"),
    ]


def test_they_come_from_all_files_the_newest_last(folder: Path) -> None:
    log = RequestLog(folder)
    for at in (NOON + DAY, NOON, NOON + 5, NOON - DAY, NOON + 3):
        log.attempted(attempt(at=at))
    log.close()
    assert [line.at for line in requests_of(folder, "customers", "C-1")] == [
        "2030-03-17T12:00:00.000Z",
        "2030-03-18T12:00:00.000Z",
        "2030-03-18T12:00:03.000Z",
        "2030-03-18T12:00:05.000Z",
        "2030-03-19T12:00:00.000Z",
    ]


def test_there_are_none_where_there_is_no_log(tmp_path: Path) -> None:
    assert requests_of(tmp_path / "nowhere", "customers", "C-1") == []


@pytest.mark.parametrize("cut", [1, 10, 60, 200])
def test_a_line_that_was_cut_off_is_passed_over_and_none_is_lost_by_it(folder: Path, cut: int) -> None:
    log = RequestLog(folder)
    for number in range(3):
        log.attempted(attempt(at=NOON + number))
    log.close()
    [path] = folder.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-cut])
    log.attempted(attempt(at=NOON + 3))  # is appended to what is left of the third
    log.close()
    found = [line.at[17:19] for line in requests_of(folder, "customers", "C-1")]
    assert found == ["00", "01", "03"]


def test_a_line_of_another_version_is_read_as_far_as_it_is_known(folder: Path) -> None:
    folder.mkdir(parents=True)
    text = '{"at":"2030-03-18T12:00:00.000Z","sync":"customers","keys":["C-1"],"more":{"of":1}}\n[1]\n"C-1"\n{"at":1}\n'
    (folder / "requests-2030-03-18.jsonl").write_text(text)
    [line] = requests_of(folder, "customers", "C-1")
    assert line == RequestLine("2030-03-18T12:00:00.000Z", sync="customers", keys=("C-1",))


# --- no harm ----------------------------------------------------------------------------------------------------


def broken_folder(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file, where a folder should be")


def full_disk(folder: Path) -> None:
    """The file can be opened, and nothing more can be written to it."""
    folder.mkdir(parents=True)
    (folder / "secret").write_bytes(b"s" * 32)
    for day in ("2030-03-17", "2030-03-18"):
        (folder / f"requests-{day}.jsonl").symlink_to("/dev/full")


def no_secret(folder: Path) -> None:
    (folder / "secret").mkdir(parents=True)


@pytest.mark.parametrize("fault", [broken_folder, full_disk, no_secret])
def test_a_log_that_cannot_be_written_is_said_once_and_takes_nothing_from_the_run(
    fault: Callable[[Path], None], logged: WatchedWorld, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fault(folder)
    with World(f"sqlite:///{tmp_path / 'other.db'}", job_seconds=2.0) as unlogged:
        expected = unlogged.run(customers(), people(120))
    with caplog.at_level(logging.WARNING, logger="kustomer_pipeline"):
        report = logged.run(customers(), people(120))
    assert report.counts == expected.counts
    assert (report.requests, report.interrupted) == (expected.requests, None)
    said = [record.getMessage() for record in caplog.records if "request log" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("The request log misses requests, because it cannot be written (")


def test_after_a_line_that_went_out_in_part_the_next_begins_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log, whole = RequestLog(folder), os.write
    log.attempted(attempt(at=NOON))
    monkeypatch.setattr("os.write", lambda file, text: whole(file, text[:40]))
    log.attempted(attempt(at=NOON + 1))
    monkeypatch.undo()
    log.attempted(attempt(at=NOON + 2))
    log.close()
    assert [line.at[17:19] for line in lines_of(folder)] == ["00", "02"]
    assert "in part" in caplog.text
