"""A new state database that many open at once: SQLite refuses some of them on the spot, and nobody may notice."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from kustomer_pipeline.kustomer import SystemClock
from kustomer_pipeline.sync.state.database import connect, in_wal_mode


def test_a_new_file_is_opened_by_many_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def open_it(url: str, together: threading.Barrier) -> None:
        together.wait()
        try:
            connect(url, SystemClock()).engine.dispose()
        except Exception as error:  # whatever it is, it is told below
            failures.append(error)

    for n in range(20):
        together = threading.Barrier(8)
        url = f"sqlite:///{tmp_path / f'{n}.db'}"
        threads = [threading.Thread(target=open_it, args=(url, together)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


class Busy:
    """A cursor of a database that is busy for the first few times, as seen once in hundreds of tries."""

    def __init__(self, times: int, code: int = sqlite3.SQLITE_BUSY) -> None:
        self.times = times
        self.code = code

    def execute(self, statement: str) -> None:
        assert statement == "PRAGMA journal_mode=WAL"
        self.times -= 1
        if self.times >= 0:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.code
            raise error


def test_who_is_refused_at_once_waits() -> None:
    cursor = Busy(3)
    in_wal_mode(cursor)
    assert cursor.times == -1


def test_nothing_else_is_waited_for() -> None:
    with pytest.raises(sqlite3.OperationalError):
        in_wal_mode(Busy(3, code=sqlite3.SQLITE_READONLY))
