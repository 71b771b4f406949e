"""Before a reading: the schema and tables are there, the lines have the source's columns, the reading has a number.

A transaction of its own, short, which holds the comparison's row: two readings that begin at once get two numbers.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from ..rights import create_schema
from . import layout as layouts
from . import statements
from .ddl import CreateTableAs
from .errors import ComparisonError
from .layout import Column
from .steps import Step, writing
from .tables import OWN_OF_ROWS, Tables
from .upload import drop
from .values import Source

_KEPT = 2  # readings of a comparison


@dataclass(frozen=True)
class Names:
    """What a comparison is of."""

    org_id: str
    sync: str


@dataclass(frozen=True)
class Begun:
    """A reading that has a number, an empty table of rows, and lines to be compared with, whose token is `token`."""

    number: int
    layout: tuple[Column, ...]
    token: str | None


def begin(engine: sa.Engine, tables: Tables, names: Names, source: Source, label: str) -> Begun:
    """Raises:
    ComparisonError: the database refuses to create or change our tables.
    QueryError: it refuses the query.
    """
    try:
        return _begin(engine, tables, names, source, label)
    except ComparisonError:
        # Somebody else made the very tables at the same moment: now they are there.
        return _begin(engine, tables, names, source, label)


def lock(connection: sa.Connection, tables: Tables) -> bool:
    """Hold the comparison until the end of the transaction; False when there is none."""
    table = tables.comparisons
    held = sa.update(table).where(table.c.digest == tables.digest).values(changed_at=datetime.now(UTC))
    return connection.execute(held).rowcount != 0


def token_of(connection: sa.Connection, tables: Tables) -> str | None:
    """The token of the lines; None where there are none."""
    table = tables.comparisons
    return connection.execute(sa.select(table.c.token).where(table.c.digest == tables.digest)).scalar()


def start_lines(connection: sa.Connection, tables: Tables, number: int, width: int) -> None:
    """No line any more, and room for new ones with the columns of a reading."""
    lines, hashes = tables.lines(), tables.hashes
    for table in (lines, hashes):  # and with them the indexes, which both get anew
        drop(connection, table)
    connection.execute(sa.schema.CreateTable(hashes))
    connection.execute(CreateTableAs(lines, statements.empty_lines(tables.types, tables.rows(number, width))))


def forget_readings(connection: sa.Connection, tables: Tables, numbers: Iterable[int]) -> None:
    """Remove these readings and their tables."""
    table = tables.readings
    for number in numbers:
        of_work = (tables.work(f"{name}_{number}") for name in ("again", "copies", "asked"))
        for made in (tables.rows(number), tables.changed(number), *of_work):
            drop(connection, made)
        connection.execute(sa.delete(table).where(table.c.digest == tables.digest, table.c.number == number))


def numbers_of(connection: sa.Connection, tables: Tables) -> list[tuple[int, bool]]:
    """The readings there are, the newest first: number, and whether it was completed."""
    table = tables.readings
    found = sa.select(table.c.number, table.c.delivered).where(table.c.digest == tables.digest)
    return [(row[0], row[1] is not None) for row in connection.execute(found.order_by(table.c.number.desc()))]


def _begin(engine: sa.Engine, tables: Tables, names: Names, source: Source, label: str) -> Begun:
    with writing(engine, tables.schema) as (connection, step):
        _create_missing(connection, tables, step)
        number = _next_number(connection, tables, names)
        _forget_old(connection, tables)
        ordered = tuple(sorted(source.columns))
        _require_readable(connection, step, source)
        step.write_tables(tables.schema)
        rows = tables.rows(number)
        drop(connection, rows)
        table = statements.source_table(source)
        connection.execute(
            CreateTableAs(rows, statements.empty_rows(tables.types, table, ordered, OWN_OF_ROWS), passing=True)
        )
        connection.execute(sa.schema.CreateTable(tables.changed(number)))
        layout = layouts.layout_of(connection, rows, ordered)
        _fit_lines(connection, tables, layout, number)
        started = {"digest": tables.digest, "number": number, "label": label}
        started |= {"columns": json.dumps(source.columns), "started_at": datetime.now(UTC)}
        connection.execute(sa.insert(tables.readings), [started])
        return Begun(number, layout, token_of(connection, tables))


def _create_missing(connection: sa.Connection, tables: Tables, step: Step) -> None:
    inspector, schema = sa.inspect(connection), tables.schema
    if tables.comparisons.schema is not None:
        create_schema(connection, inspector, schema, step)
    step.write_tables(schema)
    there = set(inspector.get_table_names(tables.comparisons.schema))
    for table in (tables.comparisons, tables.readings, tables.types, tables.hashes):
        if table.name not in there:
            connection.execute(sa.schema.CreateTable(table))


def _next_number(connection: sa.Connection, tables: Tables, names: Names) -> int:
    table = tables.comparisons
    if not lock(connection, tables):
        new = {"digest": tables.digest, "org_id": names.org_id, "sync": names.sync}
        # Not from 1: what was read before the tables were dropped must never be taken for what is read after it.
        before_first = secrets.randbelow(1 << 30)
        connection.execute(sa.insert(table), [{**new, "last_number": before_first, "changed_at": datetime.now(UTC)}])
    connection.execute(
        sa.update(table).where(table.c.digest == tables.digest).values(last_number=table.c.last_number + 1)
    )
    return int(connection.execute(sa.select(table.c.last_number).where(table.c.digest == tables.digest)).scalar_one())


def _forget_old(connection: sa.Connection, tables: Tables) -> None:
    """With the one that begins, `_KEPT` remain; one that another process has just begun, too."""
    there = numbers_of(connection, tables)
    complete = [number for number, completed in there if completed][: _KEPT - 1]
    newest = complete[0] if complete else 0
    old = [number for number, _ in there if number not in complete and number < newest]
    forget_readings(connection, tables, old)


def _require_readable(connection: sa.Connection, step: Step, source: Source) -> None:
    """The query's own errors, before any of ours can be mistaken for them."""
    step.read_source()
    table = statements.source_table(source)
    connection.execute(sa.select(*table.c).where(statements.never())).close()


def _fit_lines(connection: sa.Connection, tables: Tables, layout: tuple[Column, ...], number: int) -> None:
    """Lines whose columns are not the source's give way: no line counts then."""
    table, spelled = tables.comparisons, layouts.to_json(layout)
    before = connection.execute(sa.select(table.c.layout).where(table.c.digest == tables.digest)).scalar_one()
    there = sa.inspect(connection).has_table(tables.lines().name, tables.lines().schema)
    if there and before == spelled:
        return
    forget_readings(connection, tables, [old for old, _ in numbers_of(connection, tables)])
    start_lines(connection, tables, number, len(layout))
    connection.execute(sa.update(table).where(table.c.digest == tables.digest).values(layout=spelled, token=None))
