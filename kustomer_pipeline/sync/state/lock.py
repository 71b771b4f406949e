"""One writer per org: two runs started side by side take turns.

The lock belongs to the process, not to a line in a table: a killed process holds nothing. It may be lost all the same
(a connection that is cut, a file that is deleted), so it is checked before each write.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol

import sqlalchemy as sa

from .database import Database
from .errors import DRIVER_ERRORS, LockLostError, StateError, cause_of, readable_errors

try:
    import fcntl
except ImportError:  # Windows has no flock: there the lock holds within the process
    fcntl = None  # type: ignore[assignment]  # the module is absent on that platform, which is what None says

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_CHECK_SECONDS = 1.0
_LOST = (
    "The lock of the org was lost: its connection to the state database is gone, and another run may be writing by "
    "now. This run has stopped; what it had sent is in the journal, and the next run goes on from there."
)
_RUN = "Another run is writing to this Kustomer org"
_of_process: dict[str, threading.Lock] = {}

# A connection that does nothing for minutes is meant to: no time-out of the server's ends it (where it has one).
_NO_TIME_OUT = sa.text(
    "select set_config(name, '0', false) from pg_settings where name in "
    "('idle_session_timeout', 'idle_in_transaction_session_timeout')"
)
_TRY = sa.text("select pg_try_advisory_lock(:key)")
_RELEASE = sa.text("select pg_advisory_unlock(:key)")
_HELD = sa.text(
    "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted "
    "and objsubid = 1 and ((classid::bigint << 32) | objid::bigint) = :key"
)


class Lock(Protocol):
    """The right to write to an org."""

    def check(self) -> None:
        """Raise LockLostError if it is no longer held."""


@contextlib.contextmanager
def org_lock(database: Database, org_id: str, who: str = _RUN) -> Iterator[Lock]:
    """Wait for the org's turn, hold it for the body. `who` is waited for, as it is said once. Raises StateError."""
    if database.engine.dialect.name == "postgresql":
        held: contextlib.AbstractContextManager[Lock] = _session(database, _digest(org_id), who)
    elif database.file is not None and fcntl is not None:
        held = _file(database, Path(f"{database.file}.{_digest(org_id):016x}.lock"), who)
    else:
        held = _process(f"{database.name}/{org_id}", who)
    with held as lock:
        yield lock


def _digest(org_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(org_id.encode(), digest_size=8).digest(), "big") >> 1


def _wait_until(taken: Callable[[], bool], who: str) -> None:
    """Costs nothing while it waits, and a signal ends it."""
    if taken():
        return
    _log.info("%s; waiting for it to finish", who)
    while not taken():
        threading.Event().wait(_POLL_SECONDS)


# --- PostgreSQL -----------------------------------------------------------------------------------------------


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
        if self._connection.invalidated:  # it would connect anew by itself, without the lock
            raise LockLostError(_LOST)
        if now - self._checked < _CHECK_SECONDS:
            return
        try:
            held = self._connection.execute(_HELD, {"key": self._key}).scalar()
        except DRIVER_ERRORS:
            raise LockLostError(_LOST) from None
        if not held:
            raise LockLostError(_LOST)
        self._checked = now


@contextlib.contextmanager
def _session(database: Database, key: int, who: str) -> Iterator[_Session]:
    with readable_errors(database.name, "Locking"):
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with readable_errors(database.name, "Locking"):
            connection.execute(_NO_TIME_OUT)
            _wait_until(lambda: bool(connection.execute(_TRY, {"key": key}).scalar()), who)
        yield _Session(database, connection, key)
    finally:
        _release(connection, key)


def _release(connection: sa.Connection, key: int) -> None:
    """Give the lock back. Whatever the run came to stands, also when the connection is gone: that is only said."""
    try:
        if not connection.invalidated:
            connection.execute(_RELEASE, {"key": key})
    except DRIVER_ERRORS as error:
        _log.warning("The connection that held the org's lock was gone at the end (%s)", cause_of(error))
    finally:
        # Never back to the pool: whoever took it from there could hold what is left of the lock.
        connection.invalidate()
        connection.close()


# --- SQLite ---------------------------------------------------------------------------------------------------


class _File:
    """A lock on a file: lost when the file is no longer the one that is there."""

    def __init__(self, path: Path, handle: IO[str]) -> None:
        self._path = path
        self._handle = handle

    def check(self) -> None:
        """Raise LockLostError if the file was deleted or replaced."""
        if not _is_there(self._path, self._handle):
            raise LockLostError(_LOST)


def _is_there(path: Path, handle: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle.fileno()))
    except OSError:
        return False


@contextlib.contextmanager
def _file(database: Database, path: Path, who: str) -> Iterator[_File]:
    with contextlib.ExitStack() as stack:
        handles: list[IO[str]] = []

        def taken() -> bool:
            handle = stack.enter_context(path.open("w"))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                return False
            handles.append(handle)
            return _is_there(path, handle)  # its last holder may have deleted it in between

        try:
            _wait_until(taken, who)
        except OSError as error:
            raise StateError(
                f"The state database {database.name} cannot be locked ({error.strerror}): {path} must be writable, "
                "on a disk that knows locks"
            ) from None
        yield _File(path, handles[-1])


# --- in memory, and where files cannot be locked --------------------------------------------------------------


class _Certain:
    """A lock that cannot be lost while the process lives."""

    def check(self) -> None:
        """It is held."""


@contextlib.contextmanager
def _process(name: str, who: str) -> Iterator[_Certain]:
    lock = _of_process.setdefault(name, threading.Lock())
    _wait_until(lambda: lock.acquire(blocking=False), who)
    try:
        yield _Certain()
    finally:
        lock.release()


__all__ = ["Lock", "org_lock"]
