"""How far a table has come: what a sensor compares from tick to tick.

The newest `updated_at` alone misses deleted rows and rows written late with an old date; with the number of
rows beside it most of those show. Compare two watermarks for being different, never for being larger.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa

from .engine import connect
from .errors import QueryError

# crm.customers, or with the quotes of SQL around parts that need them: "Odd.Schema".customers
_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^".\s]+))\s*(\.|$)')


@dataclass(frozen=True)
class Watermark:
    """The newest `updated_at` of a table as text (None: there is none), and the number of its rows."""

    max_updated_at: str | None
    count: int

    def to_json(self) -> str:
        """As a sensor's cursor keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Watermark:
        """The opposite of `to_json`.

        Raises:
            ValueError: the text is not from `to_json`.
        """
        try:
            values = json.loads(text)
            newest, count = values["max_updated_at"], values["count"]
        except (ValueError, TypeError, KeyError):
            raise ValueError("not a watermark; reset the sensor's cursor") from None
        return cls(max_updated_at=None if newest is None else str(newest), count=int(count))


def watermark(engine: sa.Engine, table: str, updated_at: str) -> Watermark:
    """The watermark of a table now: one query. `table` may be qualified (crm.customers).

    Names go to the database quoted where they need it, so they are only ever names; one with a capital letter
    must be spelled as the database keeps it.

    Raises:
        QueryError: no such table or column, or not a name.
        WarehouseUnavailableError: no connection, or it broke.
    """
    *schema, name = _parts(table)
    quote = engine.dialect.identifier_preparer.quote
    # Quoted part by part: SQLAlchemy would take a database and a schema together for one name.
    qualifier = sa.quoted_name(".".join(map(quote, schema)), quote=False) if schema else None
    # Through an alias: without a table before it, SQLite takes a quoted name that is no column for a text.
    source = sa.table(name, sa.column(updated_at), schema=qualifier).alias("watched")
    newest: sa.ColumnElement[object] = sa.func.max(source.c[updated_at])
    query = sa.select(newest, sa.func.count()).select_from(source)
    with connect(engine, f"read max({updated_at}) and the number of rows of {table}") as connection:
        row = connection.execute(query).one()
    return Watermark(max_updated_at=_text(row[0]), count=row[1])


def _parts(table: str) -> list[str]:
    parts, position = [], 0
    while match := _PART.match(table, position):
        quoted, plain, end = match.groups()
        parts.append(quoted.replace('""', '"') if quoted else plain)
        position = match.end()
        if not end:
            return parts
    raise QueryError(f"{table!r} is not the name of a table; expected for example crm.customers")


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime) and value.utcoffset() is not None:
        value = value.astimezone(UTC)  # the same moment reads the same in every session's time zone
    return value.isoformat() if isinstance(value, date) else str(value)
