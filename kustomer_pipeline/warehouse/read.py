"""Query → DataFrame, in chunks: the rows are never all there as Python objects, and the frame never twice.

    PostgreSQL by psycopg   COPY, parsed by Arrow: no Python object per cell   (postgres_copy.py)
    DuckDB                  the Arrow batches of its driver                    (arrow.py)
    SQLite                  the tuples of Python's driver, without SQLAlchemy's rows around them
    any other               SQLAlchemy's rows

Whichever way, the same values and dtypes: pandas' own nullable ones (string, Int64, Float64, boolean; pd.NA for null)
and datetime64 in microseconds; `columns.py` says which values become what. A database is never read by another library
than the one that the connection is of: SQLite's locks, in one process, bear only one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from .arrow import taker
from .columns import Column
from .engine import connect
from .errors import QueryError
from .out_of_range import decode
from .postgres_copy import can_be_copied, copy_rows
from .statement import require_one_statement

CHUNK = 20_000  # rows at a time: some megabytes
_TUPLES = 2_000  # where fetching costs no round trip: so few that the garbage collector is not called for them

_DTYPES = {
    pa.large_string(): pd.StringDtype("pyarrow"),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def read_frame(engine: sa.Engine, sql: str) -> pd.DataFrame:
    """Run one query and return its rows; an empty result keeps its columns.

    The query goes to the driver as it is: a colon or a percent sign means what it means in the database.

    Raises:
        QueryError: the database refuses it, it is not one statement, it is no select, two of its columns have
            one name, or a column holds bytes or a value that the driver cannot convert. SQLite and psycopg
            convert every value: see out_of_range.py.
        WarehouseUnavailableError: no connection, or it broke.
    """
    require_one_statement(sql)
    with connect(engine, "run the query") as connection:
        # stream_results: a cursor on the server, where there is such a thing. no_parameters: a % is a %.
        # sqlite_raw_colnames: SQLAlchemy would cut a name at its dot.
        connection = connection.execution_options(
            stream_results=True, max_row_buffer=CHUNK, no_parameters=True, sqlite_raw_colnames=True
        )
        columns = read_columns(connection, sql)
    return to_frame(pa.table({name: column.array() for name, column in columns.items()}))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The table with the dtypes of a query's rows; it is used up."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_DTYPES.get, split_blocks=True, self_destruct=True)
    _give_back_memory()
    return frame


def _give_back_memory() -> None:
    """Arrow keeps what was freed for its next arrays: to everybody else it would be as if it were still there."""
    pa.default_memory_pool().release_unused()


def read_columns(connection: sa.Connection, sql: str) -> dict[str, Column]:
    """The columns, by the fastest way that this query can go."""
    way = (connection.dialect.name, connection.dialect.driver)
    columns = None
    if way == ("postgresql", "psycopg") and can_be_copied(connection.connection.driver_connection):
        columns = _copied(connection, sql)
    elif way == ("sqlite", "pysqlite"):
        columns = _of_sqlite(connection, sql)
    elif way[0] == "duckdb":
        columns = _by_arrow(connection, sql)
    return _by_rows(connection, sql) if columns is None else columns


def _by_rows(connection: sa.Connection, sql: str) -> dict[str, Column]:
    with closing(connection.exec_driver_sql(sql)) as result:
        columns = _columns(result)
        _add_rows(columns, result.partitions(CHUNK))
    return columns


def _copied(connection: sa.Connection, sql: str) -> dict[str, Column] | None:
    """By COPY; None where the query cannot be part of one. The query's own cursor says what is wrong with it."""
    from psycopg import errors  # here: an extra, which only those have who read PostgreSQL

    with closing(connection.exec_driver_sql(sql)) as result:
        columns = _columns(result)
        described: Any = result.cursor.description
    types = [column.type_code for column in described]
    try:
        with _errors_of_the_driver(connection, sql), closing(connection.connection.cursor()) as cursor:
            copy_rows(cursor, sql, types, list(columns.values()), CHUNK)
    except sa.exc.DBAPIError as error:
        if not isinstance(error.orig, errors.SyntaxError | errors.FeatureNotSupported):
            raise
        connection.rollback()  # the transaction has failed
        return None
    return columns


def _by_arrow(connection: sa.Connection, sql: str) -> dict[str, Column] | None:
    """By the Arrow batches of DuckDB's driver; None where rows have to be read, or have to say what is wrong."""
    with closing(connection.exec_driver_sql(sql)) as result:
        columns = _columns(result)
        cursor: Any = result.cursor
        try:
            batches = cursor.to_arrow_reader(CHUNK)
            takers = [taker(field.type) for field in batches.schema]
            for batch in batches if None not in takers else ():
                for column, values, take in zip(columns.values(), batch.columns, takers, strict=True):
                    if take is None or not take(column, values):
                        return None
        except (pa.ArrowException, OSError):
            return None
    return columns if None not in takers else None


def _of_sqlite(connection: sa.Connection, sql: str) -> dict[str, Column] | None:
    """By the driver's own tuples, whose text it decodes itself; None where there is text that is no UTF-8."""
    driver: Any = connection.connection.driver_connection
    driver.text_factory = str
    try:
        with closing(connection.exec_driver_sql(sql)) as result:
            columns = _columns(result)
            with _errors_of_the_driver(connection, sql):
                _add_rows(columns, iter(lambda: result.cursor.fetchmany(_TUPLES), []))
    except sa.exc.OperationalError as error:
        if "decode" not in str(error.orig):
            raise
        return None
    finally:
        driver.text_factory = decode
    return columns


@contextmanager
def _errors_of_the_driver(connection: sa.Connection, sql: str) -> Iterator[None]:
    """What the driver raises, as SQLAlchemy raises it; whether the connection is lost is known by it."""
    dialect = connection.dialect
    base = dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        raise sa.exc.DBAPIError.instance(
            sql, None, error, base, hide_parameters=True, connection_invalidated=lost, dialect=dialect
        ) from error


def _columns(result: sa.CursorResult[Any]) -> dict[str, Column]:
    if not result.returns_rows:
        raise QueryError("The query must be a select, not a statement that changes something")
    names = list(result.keys())
    _require_distinct(names)
    return {name: Column(name) for name in names}


def _add_rows(columns: dict[str, Column], chunks: Iterable[Sequence[Sequence[Any]]]) -> None:
    for rows in chunks:
        for column, values in zip(columns.values(), zip(*rows, strict=True), strict=True):
            column.add(values)


def _require_distinct(names: Sequence[str]) -> None:
    if "" in names:
        raise QueryError(f"Column {names.index('') + 1} of the query has no name; give it one with `as`")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise QueryError(f"The query returns several columns named {', '.join(map(repr, twice))}; rename all but one")
