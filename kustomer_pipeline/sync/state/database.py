"""The database behind the repositories: an engine, a clock, and what both dialects share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kustomer_pipeline.kustomer import Clock

from .errors import readable_errors

_VALUES_A_STATEMENT = 5_000  # SQLite allows 32,766 of them, PostgreSQL 65,535


@dataclass(frozen=True)
class Database:
    """An open state database. Errors of the driver come out as StateError."""

    engine: sa.Engine
    clock: Clock

    @property
    def name(self) -> str:
        """Its URL as it may be shown."""
        return self.engine.url.render_as_string(hide_password=True)

    def now(self) -> datetime:
        """The clock's time."""
        return datetime.fromtimestamp(self.clock.time(), UTC)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read with."""
        with readable_errors(self.name, "Reading"), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: everything in it becomes true together, or nothing does."""
        with readable_errors(self.name, "Writing to"), self.engine.begin() as connection:
            yield connection


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, replacing those with the same primary key."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key.columns]
    insert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    replaced = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=replaced), rows)


def in_parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values in parts that fit a statement."""
    for start in range(0, len(values), _VALUES_A_STATEMENT):
        yield values[start : start + _VALUES_A_STATEMENT]


def with_zone(moment: datetime | None) -> datetime | None:
    """SQLite gives times back without their zone."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
