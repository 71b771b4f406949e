"""Values that the caller has → a table of the warehouse, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from .tables import Tables

_CHUNK = 10_000  # rows at a time


def upload(connection: sa.Connection, table: sa.Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows, whose values stand in the order of the table's columns."""
    if connection.dialect.driver == "psycopg":
        _copy(connection, table, rows)
        return
    names = [column.name for column in table.columns]
    left = iter(rows)
    while chunk := list(islice(left, _CHUNK)):
        if connection.dialect.paramstyle == "qmark":
            places = ", ".join("?" * len(names))
            name = connection.dialect.identifier_preparer.format_table(table)
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({places})", chunk)
        else:
            connection.execute(sa.insert(table), [dict(zip(names, row, strict=True)) for row in chunk])


@contextmanager
def uploaded(
    connection: sa.Connection,
    tables: Tables,
    name: str,
    columns: tuple[sa.Column[Any], ...],
    rows: Iterable[tuple[Any, ...]],
) -> Iterator[sa.Table]:
    """The rows in a table that is there for the body only."""
    table = tables.work(name, *columns)
    drop(connection, table)  # of a call that was killed, where making a table is part of no transaction
    connection.execute(sa.schema.CreateTable(table))
    upload(connection, table, rows)
    analyze(connection, table)
    yield table
    drop(connection, table)


def drop(connection: sa.Connection, table: sa.Table) -> None:
    """Drop the table if it is there."""
    connection.execute(sa.schema.DropTable(table, if_exists=True))


def analyze(connection: sa.Connection, *tables: sa.Table) -> None:
    """Tell PostgreSQL's planner how many rows there are now; other databases find out by themselves."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            name = connection.dialect.identifier_preparer.format_table(table)
            connection.exec_driver_sql(f"ANALYZE {name}")


def _copy(connection: sa.Connection, table: sa.Table, rows: Iterable[tuple[Any, ...]]) -> None:
    preparer = connection.dialect.identifier_preparer
    columns = ", ".join(preparer.quote(column.name) for column in table.columns)
    statement = f"COPY {preparer.format_table(table)} ({columns}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        raise exc.DBAPIError(statement, None, error, connection_invalidated=bool(driver.broken)) from None
