"""One writer per org: two runs started side by side take turns.

Dagster's pool already serializes runs under one instance; this lock holds where there are two. It belongs to the
process, not to a line in a table: a killed process holds nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

try:
    import fcntl
except ImportError:  # Windows has no flock: there the pool alone serializes
    fcntl = None  # type: ignore[assignment]  # the module is absent on that platform, which is what None says

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5


@contextlib.contextmanager
def org_lock(engine: sa.Engine, org_id: str) -> Iterator[None]:
    """Wait for the org's turn, hold it for the body."""
    if engine.dialect.name == "postgresql":
        with _postgres_lock(engine, org_id):
            yield
    elif engine.url.database and engine.url.database != ":memory:" and fcntl is not None:
        with _file_lock(Path(f"{engine.url.database}.{_digest(org_id):016x}.lock")):
            yield
    else:
        yield


@contextlib.contextmanager
def creation_lock(engine: sa.Engine) -> Iterator[None]:
    """Held while the tables are made: of two processes that find an empty database, one makes them."""
    with org_lock(engine, ""):
        yield


def _digest(org_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(org_id.encode(), digest_size=8).digest(), "big") >> 1


@contextlib.contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        waited = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waited = _say_once(waited)
                _pause()
        yield


@contextlib.contextmanager
def _postgres_lock(engine: sa.Engine, org_id: str) -> Iterator[None]:
    """A session-level advisory lock: the server drops it with the connection."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        waited = False
        key = {"key": _digest(org_id)}
        while not connection.execute(sa.text("select pg_try_advisory_lock(:key)"), key).scalar():
            waited = _say_once(waited)
            _pause()
        try:
            yield
        finally:
            connection.execute(sa.text("select pg_advisory_unlock(:key)"), key)


def _say_once(said: bool) -> bool:
    if not said:
        _log.info("Another run is writing to this Kustomer org; waiting for it to finish")
    return True


def _pause() -> None:
    threading.Event().wait(_POLL_SECONDS)


__all__ = ["creation_lock", "org_lock"]
