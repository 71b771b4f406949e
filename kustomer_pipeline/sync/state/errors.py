"""What can go wrong with the state database, in words that hold nothing of a row.

An error of the driver quotes the statement's parameters: e-mail addresses, names. So it ends here: what leaves the
package is a StateError made of the kind of error and of advice, never of the driver's words.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

DRIVER_ERRORS = (sa.exc.SQLAlchemyError, sqlite3.Error)
_CANNOT_BE_WRITTEN = (UnicodeError, OverflowError)  # what drivers raise for a value that the database cannot hold

_FULL = "Its disk is full: free some space"
_READ_ONLY = "It may not be written to: give this process's user the right to write (to its folder as well)"
_BUSY = "Somebody else holds it for longer than a minute: end whatever has it open"
_GONE = "The database is not there, or not any more: see that it is up and can be reached"
_DAMAGED = "The file is damaged or is no SQLite database: put a copy of it back, or start with an empty one"
_OTHER_TABLES = "A table or column is missing: somebody changed the tables; put a copy back, or start with an empty one"
_UNKNOWN = "See that it is up, may be written to and has room"
# By SQLite's name of the error, or by the first characters of an SQLSTATE; the first that fits.
_ADVICE = {
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_PERM": _READ_ONLY,
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_CANTOPEN": _GONE,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_ERROR": _OTHER_TABLES,
    "53100": _FULL,
    "53": "The server has no more connections or memory to give: end what else uses it, or give it more",
    "25006": _READ_ONLY,
    "42501": "Its user may not do that: grant it the rights to create, read and write tables",
    "42P01": _OTHER_TABLES,
    "42703": _OTHER_TABLES,
    "55P03": _BUSY,
    "08": _GONE,
    "57P": _GONE,
}


class StateError(Exception):
    """The state database cannot be used; the message says why and what to do."""


class LockLostError(StateError):
    """The connection that held the org's lock is gone: another run may be writing by now."""


@contextmanager
def readable_errors(database: str, doing: str) -> Iterator[None]:
    """Turn an error of the driver into a StateError. `database`: its URL as it may be shown."""
    try:
        yield
    except (*DRIVER_ERRORS, *_CANNOT_BE_WRITTEN) as error:
        raise StateError(
            f"{doing} the state database {database} failed ({cause_of(error)}). {_advice(error)}; then run again. "
            "What was written before stands, and the next run goes on from there."
        ) from None


def cause_of(error: BaseException) -> str:
    """The driver's error by its kind: class, SQLSTATE or SQLite's name of it; never a value."""
    original = getattr(error, "orig", None) or error
    return ", ".join([type(original).__name__, *_codes(original)])


def _codes(error: BaseException) -> list[str]:
    codes = (getattr(error, "sqlite_errorname", None), getattr(error, "sqlstate", None), getattr(error, "pgcode", None))
    return list(dict.fromkeys(str(code) for code in codes if code))


def _advice(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    for code in _codes(original):
        for known, advice in _ADVICE.items():
            if code.startswith(known):
                return advice
    # A connection that was cut has no SQLSTATE: nobody was there to send one.
    return _GONE if getattr(error, "connection_invalidated", False) else _UNKNOWN
