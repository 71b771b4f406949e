"""What can go wrong with the state database, in words that hold nothing of a row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


class StateError(Exception):
    """The state database cannot be used; the message says why and what to do."""


class LockLostError(StateError):
    """The connection that held the org's lock is gone: another run may be writing by now."""


@contextmanager
def readable_errors(database: str, doing: str) -> Iterator[None]:
    """Turn an error of the driver into a StateError. Neither the statement nor its parameters, nor the chain of exceptions
    that quotes them, leave the package: they hold e-mail addresses and names."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise StateError(
            f"{doing} the state database {database} failed ({cause_of(error)}). Nothing of the rows is lost: what was "
            "written before stands, and the next run goes on from there. Check that the database is there, may be "
            "written to, and has room; then run again."
        ) from None


def cause_of(error: BaseException) -> str:
    """The driver's error by its kind: class, SQLSTATE, and SQLite's own fixed words, never a value."""
    original = getattr(error, "orig", None) or error
    words = [type(original).__name__]
    if state := getattr(original, "sqlstate", None):
        words.append(f"SQLSTATE {state}")
    if isinstance(original, sqlite3.Error) and (name := getattr(original, "sqlite_errorname", None)):
        words.append(str(name))
    if isinstance(original, OSError) and original.strerror:
        words.append(original.strerror)
    return ", ".join(words)
