"""Deleting for good, and in small statements: what was deleted is not to be read from the file, and nobody waits long.

SQLite leaves deleted content in free pages and in the -wal file until both are used again: it is overwritten as it is
deleted, and `rebuild` leaves nothing of what went before. In PostgreSQL VACUUM does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from .database import WRITES, Database
from .errors import StateError, readable_errors

AT_ONCE = 5_000  # lines in one statement


@contextmanager
def erasing(database: Database) -> Iterator[sa.Connection]:
    """A transaction whose deleted content is overwritten, where the database can do so. Raises StateError."""
    with readable_errors(database.name, "Writing to"), database.engine.connect() as connection:
        before = _secure_delete(connection, "ON")
        try:
            with connection.execution_options(**{WRITES: True}).begin():
                yield connection
        finally:
            if before is not None and not connection.invalidated:
                _secure_delete(connection, before)


def rebuild(database: Database) -> None:
    """Write a SQLite file anew, without whatever was deleted in it, and empty its -wal. Waits for who writes or reads.

    Raises StateError where somebody reads for longer than a minute; the next attempt does all of it.
    """
    if database.engine.dialect.name != "sqlite":
        return
    with readable_errors(database.name, "Cleaning"), database.engine.connect() as connection:
        driver = _driver(connection)
        driver.execute("VACUUM")
        busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StateError(
            f"The state database {database.name} is being read by somebody else, so what was deleted could not be "
            "taken out of its -wal file: end what has it open, then run this again"
        )


def _secure_delete(connection: sa.Connection, value: Any) -> Any:
    """Set it for this connection; what it was. None where there is no such thing."""
    if connection.dialect.name != "sqlite":
        return None
    driver = _driver(connection)
    before = driver.execute("PRAGMA secure_delete").fetchone()[0]
    driver.execute(f"PRAGMA secure_delete={value}").fetchone()
    return {0: "OFF", 1: "ON", 2: "FAST"}[before]


def _driver(connection: sa.Connection) -> Any:
    """The driver's own connection: outside of any transaction of SQLAlchemy's, which would begin by itself."""
    return connection.connection.driver_connection
