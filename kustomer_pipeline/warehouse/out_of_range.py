"""Values that a database knows and Python does not: they must not fail a query, whose other rows are fine.

`infinity`, years before 1 and after 9999 have no Python date; 24:00 has no Python time. psycopg raises where it meets
one, whether or not anybody needs the column. With these loaders a date that cannot be becomes an OutOfRange, which
stays apart in its column (columns.py) and is refused where, and only where, it is mapped; any other value that cannot
be converted is the database's own text. Moments come in UTC, where they may be in another year than in the session's
time zone.

SQLite keeps text that is no UTF-8, and Python's driver raises there too. What cannot be decoded becomes a NUL
character, which mapping refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal

DateKind = Literal["date", "datetime", "datetime_utc"]

_DATES: dict[str, DateKind] = {"date": "date", "timestamp": "datetime", "timestamptz": "datetime_utc"}
_OTHERS = ("time", "timetz", "interval", "json", "jsonb")


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """A date or moment that Python has not, and how the database writes it."""

    kind: DateKind
    text: str

    def __str__(self) -> str:
        return self.text


def decode(text: bytes) -> str:
    """SQLite's text; of one that is no UTF-8, whatever cannot be decoded is a NUL character."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode(errors="replace").replace("\N{REPLACEMENT CHARACTER}", "\x00")


def tolerate(connection: Any, record: object) -> None:
    """Make a new psycopg connection give an OutOfRange, or the text, instead of an error."""
    _write_as_psycopg_reads(connection)
    import psycopg  # here: an extra, which only those have who read PostgreSQL
    from psycopg.pq import Format

    for name in (*_DATES, *_OTHERS):
        oid = psycopg.adapters.types[name].oid
        original = connection.adapters.get_loader(oid, Format.TEXT)
        if original is not None:
            connection.adapters.register_loader(oid, _tolerant(psycopg, original, _DATES.get(name)))


def _write_as_psycopg_reads(connection: Any) -> None:
    """A user or database may be set to German dates; psycopg reads moments and intervals in the usual style only."""
    for name, style in (("DateStyle", "ISO"), ("IntervalStyle", "postgres")):
        if not (connection.info.parameter_status(name) or style).startswith(style):
            connection.execute(f"set {name} = '{style}'")
            connection.commit()  # or the rollback at the end of a read would take it back


def _tolerant(psycopg: Any, original: Any, kind: DateKind | None) -> type:
    errors = (psycopg.DataError, ValueError, OverflowError)

    class TolerantLoader(psycopg.adapt.Loader):  # type: ignore[misc]  # psycopg is an extra: its classes are Any here
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._load = original(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                value = self._load(data)
                return value.astimezone(UTC) if kind == "datetime_utc" else value
            except errors:
                text = bytes(data).decode(errors="replace")
                return text if kind is None else OutOfRange(kind, text)

    return TolerantLoader
