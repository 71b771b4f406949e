"""A person is taken out of the request log; nothing else of it is lost, whoever writes to it at that moment."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from kustomer_pipeline.telemetry import RequestLine, RequestLog, forget_in, requests_of
from kustomer_pipeline_tests.telemetry.samples import DAY, NOON, WORK, attempt
from kustomer_pipeline_tests.telemetry.test_request_log import lines_of

JANE = "jane@example.com"
ID = "5f1a2b3c4d5e6f7a8b9c0d1e"
UNDO = type(WORK)("undo_run", "run-2", "undo", lambda key: True)
ROWS = {("customers", "C-1"), ("vip", JANE)}


def forget(folder: Path, rows: Collection[tuple[str, str]] = frozenset(ROWS), ids: Collection[str] = (ID,)) -> int:
    return forget_in(folder, lambda sync, key: (sync, key) in rows, {key for _, key in rows}, ids)


def written(folder: Path, *attempts: object, **of_each: object) -> Path:
    log = RequestLog(folder)
    for one in attempts or (attempt(),):
        log.attempted(one)  # type: ignore[arg-type]
    log.close()
    return max(folder.glob("*.jsonl"))


def at_path(path: str) -> object:
    return replace(attempt(keys=()), method="GET", path=path)


def test_a_key_goes_out_of_a_line_about_several_rows_and_a_line_about_nobody_else_goes(folder: Path) -> None:
    written(folder, attempt(keys=("C-1", "C-17")), attempt(keys=("C-1",)), attempt(keys=("C-17",)), attempt(keys=()))
    assert forget(folder) == 2
    assert [line.keys for line in lines_of(folder)] == [("C-17",), ("C-17",), ()]
    assert forget(folder) == 0


def test_keys_that_are_hashed_are_found_also_those_of_an_undo(folder: Path) -> None:
    vip = type(WORK)("vip", "run-1", "run", lambda key: "@" in key)
    other = "p1@example.com"
    keys = ("customers/C-1", "customers/C-2")
    written(folder, attempt(keys=(JANE, other), work=vip), attempt(keys=keys, work=UNDO), attempt(keys=(JANE,)))
    assert forget(folder) == 2  # the same address in another sync is another row
    assert [(line.sync, len(line.hashed_keys)) for line in lines_of(folder)] == [
        ("vip", 1),
        ("undo_run", 1),
        ("customers", 1),
    ]
    assert requests_of(folder, "vip", JANE) == []
    assert len(requests_of(folder, "vip", other)) == 1
    assert [line.kind for line in requests_of(folder, "customers", "C-2")] == ["undo"]
    assert requests_of(folder, "customers", "C-1") == []


def test_lines_with_the_records_id_go(folder: Path) -> None:
    written(folder, at_path(f"/v1/customers/{ID}"), at_path(f"/v1/customers/{ID[::-1]}"), attempt(keys=(f"id={ID}",)))
    assert forget(folder, rows=()) == 2
    assert [line.path for line in lines_of(folder)] == [f"/v1/customers/{ID[::-1]}"]
    assert ID.encode() not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_every_day_is_looked_at_and_a_file_without_the_person_stays_the_one_it_is(folder: Path) -> None:
    written(folder, attempt(at=NOON - DAY), attempt(at=NOON, keys=("C-2",)))
    before = {path.name: path.stat().st_ino for path in folder.glob("*.jsonl")}
    assert forget(folder) == 1
    after = {path.name: path.stat().st_ino for path in folder.glob("*.jsonl")}
    assert [before[name] == inode for name, inode in sorted(after.items())] == [False, True]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == [*sorted(before), "secret"]


def test_what_another_version_wrote_is_kept_and_what_was_cut_off_with_the_person_in_it_goes(folder: Path) -> None:
    path = written(folder)
    line = {"at": "2030-03-18T12:00:00.000Z", "sync": "customers", "keys": ["C-1", "C-2"], "more": {"of": 1}}
    cut_off = b'{"at":"2030-03-18T12:00:00.000Z","sync":"customers","keys":["C-1","C-'
    stranger = b'{"at":"2030-03-18T12:00:00.000Z","sync":"customers","keys":["C-3","C-'
    whole = json.dumps(line, separators=(",", ":")).encode()
    path.write_bytes(cut_off + whole + b"\n" + stranger + whole + b"\n" + cut_off)
    assert forget(folder) == 3
    text = json.dumps({**line, "keys": ["C-2"], "hashed_keys": []}, separators=(",", ":")).encode()
    assert path.read_bytes() == text + b"\n" + stranger + text + b"\n"


def test_a_log_that_is_open_goes_on_in_the_new_file(folder: Path) -> None:
    log = RequestLog(folder)
    log.attempted(attempt())
    assert forget(folder) == 1
    log.attempted(attempt(keys=("C-2",)))
    log.close()
    assert [line.keys for line in lines_of(folder)] == [("C-2",)]


def test_a_process_that_is_killed_before_the_end_leaves_the_old_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(folder, attempt(), attempt(keys=("C-2",)))
    before = path.read_bytes()

    def killed(*_: object) -> None:
        os.link(folder / f"{path.name}.forgetting", folder / "left.forgetting")  # as it would be left
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            forget(folder)
    assert path.read_bytes() == before
    assert forget(folder) == 1
    assert sorted(one.name for one in folder.iterdir()) == [path.name, "secret"]


_WRITES = """
import select, sys
from pathlib import Path
from kustomer_pipeline.telemetry import RequestLog
from kustomer_pipeline_tests.telemetry.samples import attempt

log = RequestLog(Path(sys.argv[1]))
number = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    log.attempted(attempt(keys=(f"{sys.argv[2]}-{number}", "C-1")))
    number += 1
    if number == 1:
        print("ready", flush=True)
print(number)
"""


def test_no_line_is_lost_that_other_processes_write_at_that_moment(folder: Path) -> None:
    written(folder, *(attempt(keys=("C-1", f"before-{number}")) for number in range(500)))
    command = [sys.executable, "-c", _WRITES, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = {name: subprocess.Popen([*command, name], **pipes) for name in ("A", "B")}  # type: ignore[call-overload]
    for process in started.values():
        process.stdout.readline()
    assert all(forget(folder) for _ in range(5))
    wrote = {name: int(process.communicate("enough", timeout=60)[0]) for name, process in started.items()}
    forget(folder)
    expected = {f"before-{n}" for n in range(500)}
    expected |= {f"{name}-{n}" for name, count in wrote.items() for n in range(count)}
    found: list[RequestLine] = lines_of(folder)
    assert {line.keys for line in found} == {(key,) for key in expected}
    assert len(found) == len(expected)


def test_there_is_nothing_to_do_without_a_log(tmp_path: Path) -> None:
    assert forget(tmp_path / "nowhere") == 0
