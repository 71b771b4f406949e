"""A lock of PostgreSQL's: it is the session's, so the server drops it with the connection."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import sqlalchemy as sa

from .database import Database
from .errors import DRIVER_ERRORS, LockLostError, cause_of, readable_errors
from .waiting import LOST, wait_until

_log = logging.getLogger(__name__)
_CHECK_SECONDS = 1.0

# A connection that does nothing for minutes is meant to: no time-out of the server's ends it (where it has one).
_NO_TIME_OUT = sa.text(
    "select set_config(name, '0', false) from pg_settings where name in "
    "('idle_session_timeout', 'idle_in_transaction_session_timeout')"
)
_TRY = sa.text("select pg_try_advisory_lock(:key)")
_TRY_TOGETHER = sa.text("select pg_try_advisory_lock_shared(:key)")
_RELEASE = sa.text("select pg_advisory_unlock(:key)")
_RELEASE_TOGETHER = sa.text("select pg_advisory_unlock_shared(:key)")
_HELD = sa.text(
    "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted "
    "and objsubid = 1 and ((classid::bigint << 32) | objid::bigint) = :key"
)


class SessionLock:
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
            raise LockLostError(LOST)
        if now - self._checked < _CHECK_SECONDS:
            return
        try:
            held = self._connection.execute(_HELD, {"key": self._key}).scalar()
        except DRIVER_ERRORS:
            raise LockLostError(LOST) from None
        if not held:
            raise LockLostError(LOST)
        self._checked = now


@contextlib.contextmanager
def session_lock(database: Database, key: int, who: str, together: bool) -> Iterator[SessionLock]:
    """Wait for it, hold it for the body. Raises StateError."""
    attempt, release = (_TRY_TOGETHER, _RELEASE_TOGETHER) if together else (_TRY, _RELEASE)
    with readable_errors(database.name, "Locking"):
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with readable_errors(database.name, "Locking"):
            connection.execute(_NO_TIME_OUT)
            wait_until(lambda: bool(connection.execute(attempt, {"key": key}).scalar()), who)
        yield SessionLock(database, connection, key)
    finally:
        _release(connection, key, release)


def _release(connection: sa.Connection, key: int, release: sa.TextClause) -> None:
    """Give the lock back. Whatever the run came to stands, also when the connection is gone: that is only said."""
    try:
        if not connection.invalidated:
            connection.execute(release, {"key": key})
    except DRIVER_ERRORS as error:
        _log.warning("The connection that held the org's lock was gone at the end (%s)", cause_of(error))
    finally:
        # Never back to the pool: whoever took it from there could hold what is left of the lock.
        connection.invalidate()
        connection.close()
