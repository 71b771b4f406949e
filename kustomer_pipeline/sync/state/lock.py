"""One writer per org: two runs started side by side take turns.

The lock belongs to the process, not to a line in a table: a killed process holds nothing. It may be lost all the same (a
connection that is cut, a file that is deleted), so it is checked before each write.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from .database import Database
from .errors import LockLostError, cause_of, readable_errors

try:
    import fcntl
except ImportError:  # Windows has no flock: there the pool alone serializes
    fcntl = None  # type: ignore[assignment]  # the module is absent on that platform, which is what None says

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_CHECK_SECONDS = 1.0
_LOST = (
    "The lock of the org was lost: its connection to the state database is gone, and another run may be writing by now. "
    "This run has stopped; what it had sent is in the journal, and the next run goes on from there."
)
_in_memory: dict[str, threading.Lock] = {}


class Lock(Protocol):
    """The right to write to an org."""

    def check(self) -> None:
        """Raise LockLostError if it is no longer held."""


@contextlib.contextmanager
def org_lock(database: Database, org_id: str) -> Iterator[Lock]:
    """Wait for the org's turn, hold it for the body."""
    engine = database.engine
    if engine.dialect.name == "postgresql":
        with _postgres_lock(database, org_id) as held:
            yield held
    elif engine.url.database and engine.url.database != ":memory:" and fcntl is not None:
        with _file_lock(Path(f"{engine.url.database}.{_digest(org_id):016x}.lock"), database.name) as held:
            yield held
    else:
        with _in_memory.setdefault(f"{id(engine)}/{org_id}", threading.Lock()):
            yield _Certain()


@contextlib.contextmanager
def creation_lock(database: Database) -> Iterator[None]:
    """Held while the tables are made: of two processes that find an empty database, one makes them."""
    with org_lock(database, ""):
        yield


class _Certain:
    """A lock that cannot be lost while the process lives."""

    def check(self) -> None:
        """It is held."""


class _File:
    """A lock on a file: lost when the file is no longer the one that is there."""

    def __init__(self, path: Path, inode: int) -> None:
        self._path = path
        self._inode = inode

    def check(self) -> None:
        """Raise LockLostError if the file was deleted or replaced."""
        try:
            there = self._path.stat().st_ino
        except OSError:
            there = None
        if there != self._inode:
            raise LockLostError(_LOST)


class _Session:
    """A session-level advisory lock: the server drops it with the connection."""

    def __init__(self, database: Database, connection: sa.Connection, key: int) -> None:
        self._database = database
        self._connection = connection
        self._key = key
        self._checked = database.clock.monotonic()

    def check(self) -> None:
        """Raise LockLostError if the connection is gone; asks the server once a second at most."""
        now = self._database.clock.monotonic()
        if self._connection.closed or self._connection.invalidated:
            raise LockLostError(_LOST)
        if now - self._checked < _CHECK_SECONDS:
            return
        held = sa.text(
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() "
            "and ((classid::bigint << 32) | objid::bigint) = :key and granted"
        )
        try:
            count = self._connection.execute(held, {"key": self._key}).scalar()
        except sa.exc.SQLAlchemyError:
            raise LockLostError(_LOST) from None
        if not count:
            raise LockLostError(_LOST)
        self._checked = now


def _digest(org_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(org_id.encode(), digest_size=8).digest(), "big") >> 1


@contextlib.contextmanager
def _file_lock(path: Path, name: str) -> Iterator[_File]:
    with contextlib.ExitStack() as stack:
        with readable_errors(name, "Locking"):
            handle = stack.enter_context(path.open("w"))
        waited = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waited = _wait(waited)
        yield _File(path, os.fstat(handle.fileno()).st_ino)


@contextlib.contextmanager
def _postgres_lock(database: Database, org_id: str) -> Iterator[_Session]:
    key = _digest(org_id)
    with readable_errors(database.name, "Locking"):
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        waited = False
        while True:
            with readable_errors(database.name, "Locking"):
                if connection.execute(sa.text("select pg_try_advisory_lock(:key)"), {"key": key}).scalar():
                    break
            waited = _wait(waited)
        yield _Session(database, connection, key)
    finally:
        try:
            if not connection.invalidated:
                connection.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": key})
            connection.close()
        except sa.exc.SQLAlchemyError as error:  # it is gone, and the lock with it
            _log.warning("The connection that held the org's lock was lost (%s)", cause_of(error))
            connection.invalidate()
            connection.close()


def _wait(said: bool) -> bool:
    if not said:
        _log.info("Another run is writing to this Kustomer org; waiting for it to finish")
    threading.Event().wait(_POLL_SECONDS)
    return True


__all__ = ["Lock", "creation_lock", "org_lock"]
