"""How far a table has come: what a sensor compares from tick to tick.

The newest `updated_at` alone misses rows that are deleted, rows that are written with an older date, and a second
change within one tick of the table's clock. So a watermark holds besides it the number of rows, the number of those
without a date, and a checksum of the newest thousand rows. Compare two watermarks for being different, never for
being larger.

What still cannot be noticed, and is why a sensor also looks from time to time whatever the watermark says:
- a row outside the newest thousand that changes and keeps its `updated_at`, or gets another old one;
- the same among more than a thousand rows of one moment (a table that is loaded anew with one date for all);
- a row without a date that changes;
- in a database that stores columns (BigQuery, Snowflake, Redshift, …), where reading whole rows costs a read of the
  whole table, only the dates are in the checksum: a row that changes and keeps its `updated_at`;
- an insert and a delete of rows with the same date outside the newest thousand.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from .engine import connect
from .errors import QueryError

NEWEST = 1_000

# Databases that keep a row in one place, so that a thousand whole rows cost little.
_ROW_STORES = ("postgresql", "sqlite", "mysql", "mariadb", "mssql", "oracle")
# crm.customers, or with the quotes of SQL around parts that need them: "Odd.Schema".customers
_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^".\s]+))\s*(\.|$)')
_ALIAS = "watched"


@dataclass(frozen=True)
class Watermark:
    """A table as a sensor remembers it.

    `max_updated_at`: the newest `updated_at` as text, None where there is none. `count`: its rows. `undated`: those
    without `updated_at`. `newest`: a checksum of the newest rows, None where there are none with a date.
    """

    max_updated_at: str | None
    count: int
    undated: int = 0
    newest: str | None = None

    def as_json(self) -> str:
        """As a sensor's cursor keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Watermark:
        """The opposite of `as_json`.

        Raises:
            ValueError: the text is not from `as_json`.
        """
        try:
            values = json.loads(text)
            at, newest = (None if values[name] is None else str(values[name]) for name in ("max_updated_at", "newest"))
            return cls(at, int(values["count"]), int(values["undated"]), newest)
        except (ValueError, TypeError, KeyError):
            raise ValueError("not a watermark; reset the sensor's cursor") from None


def watermark(engine: sa.Engine, table: str, updated_at: str) -> Watermark:
    """The watermark of a table now: two queries. `table` may be qualified (crm.customers).

    Names go to the database quoted where they need it, so they are only ever names; one with a capital letter
    must be spelled as the database keeps it.

    Raises:
        QueryError: no such table or column, or not a name.
        WarehouseUnavailableError: no connection, or it broke.
    """
    *schema, name = parts_of(table)
    quote = engine.dialect.identifier_preparer.quote
    # Quoted part by part: SQLAlchemy would take a database and a schema together for one name.
    qualifier = sa.quoted_name(".".join(map(quote, schema)), quote=False) if schema else None
    # Through an alias: without a table before it, SQLite takes a quoted name that is no column for a text.
    source = sa.table(name, sa.column(updated_at), schema=qualifier).alias(_ALIAS)
    moment: sa.ColumnElement[object] = source.c[updated_at]
    query = sa.select(sa.func.max(moment), sa.func.count(), sa.func.count(moment)).select_from(source)
    with connect(engine, f"read max({updated_at}) and the number of rows of {table}") as connection:
        newest, count, dated = connection.execute(query).one()
    newest_rows = _newest_rows(engine, source, moment) if dated else None
    return Watermark(plain_text(newest), count, count - dated, newest_rows)


def _newest_rows(engine: sa.Engine, source: sa.FromClause, moment: sa.ColumnElement[object]) -> str:
    """A checksum of the newest rows: whole, where that is cheap and allowed, else their dates."""
    if engine.dialect.name in _ROW_STORES:
        try:
            return checksum(_read(engine, source, moment, sa.text(f"{_ALIAS}.*")))
        except QueryError:
            pass  # a right on some of the columns only, or one that cannot be read: the dates are there, as seen above
    return checksum(_read(engine, source, moment))


def _read(
    engine: sa.Engine, source: sa.FromClause, moment: sa.ColumnElement[object], *columns: sa.TextClause
) -> Sequence[Sequence[Any]]:
    """The newest rows, each with its date in front; without those of a moment that is not whole in the limit."""
    query = sa.select(moment, *columns).select_from(source).where(moment.is_not(None)).order_by(moment.desc())
    with connect(engine, "read the newest rows") as connection:
        rows = connection.execute(query.limit(NEWEST + 1)).fetchall()
    if len(rows) <= NEWEST:
        return rows
    # Which rows of the last moment came is up to the database: with them the checksum would change by itself.
    return [row for row in rows if row[0] != rows[-1][0]]


def checksum(rows: Sequence[Sequence[Any]]) -> str:
    """One for the same rows in any order; 32 signs."""
    texts = sorted(json.dumps([plain_text(value) for value in row]) for row in rows)
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()


def parts_of(table: str) -> list[str]:
    """`crm.customers` → `["crm", "customers"]`, without the quotes. Raises QueryError: it is no name."""
    parts, position = [], 0
    while match := _PART.match(table, position):
        quoted, plain, end = match.groups()
        parts.append(quoted.replace('""', '"') if quoted else plain)
        position = match.end()
        if not end:
            return parts
    raise QueryError(f"{table!r} is not the name of a table; expected for example crm.customers")


def plain_text(value: object) -> str | None:
    """A value as text that is the same whenever the value is."""
    if value is None:
        return None
    if isinstance(value, datetime) and value.utcoffset() is not None:
        with suppress(OverflowError):  # the last hours of 9999 in a zone where they are in 10000 already in UTC
            value = value.astimezone(UTC)  # the same moment reads the same in every session's time zone
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    # A driver's own object may be shown by where it is in memory, which would be another place every time.
    text = value.isoformat() if isinstance(value, date) else str(value)
    return type(value).__name__ if " at 0x" in text and not isinstance(value, str) else text
