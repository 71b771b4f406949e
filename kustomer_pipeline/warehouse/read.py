"""Query → DataFrame, in chunks: the rows are never all there as Python objects.

The frame's dtypes are pandas' own nullable ones (string, Int64, Float64, boolean; pd.NA for null) and
datetime64 in microseconds; `columns.py` says which values become what.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from .columns import Column
from .engine import connect
from .errors import QueryError

_CHUNK = 20_000  # rows at a time: some megabytes of Python objects

_DTYPES = {
    pa.large_string(): pd.StringDtype("pyarrow"),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}

# Whatever may hold a semicolon that ends no statement: text, quoted names, PostgreSQL's $$text$$, comments.
_QUOTED = re.compile(
    r"""
    \b[eE]'(?:[^'\\]|''|\\.)*' | '[^']*' | "[^"]*" | `[^`]*` | \$(\w*)\$.*?\$\1\$ | --[^\n]* | /\*.*?\*/
    """,
    re.DOTALL | re.VERBOSE,
)


def read_frame(engine: sa.Engine, sql: str) -> pd.DataFrame:
    """Run one query and return its rows; an empty result keeps its columns.

    The query goes to the driver as it is: a colon or a percent sign means what it means in the database.

    Raises:
        QueryError: the database refuses it, it is not one statement, it is no select, two of its columns have
            one name, or a column holds bytes or a value that the driver cannot convert. SQLite and psycopg
            convert every value: see out_of_range.py.
        WarehouseUnavailableError: no connection, or it broke.
    """
    _require_one_statement(sql)
    with connect(engine, "run the query") as connection:
        # stream_results: a cursor on the server, where there is such a thing. no_parameters: a % is a %.
        # sqlite_raw_colnames: SQLAlchemy would cut a name at its dot.
        options = connection.execution_options(
            stream_results=True, max_row_buffer=_CHUNK, no_parameters=True, sqlite_raw_colnames=True
        )
        with closing(options.exec_driver_sql(sql)) as result:
            columns = _collect(result)
    return to_frame(pa.table({name: column.array() for name, column in columns.items()}))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The table with the dtypes of a query's rows; it is used up."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_DTYPES.get, split_blocks=True, self_destruct=True)
    return frame


def _collect(result: sa.CursorResult[Any]) -> dict[str, Column]:
    if not result.returns_rows:
        raise QueryError("The query must be a select, not a statement that changes something")
    names = list(result.keys())
    _require_distinct(names)
    columns = {name: Column(name) for name in names}
    for rows in result.partitions(_CHUNK):
        for column, values in zip(columns.values(), zip(*rows, strict=True), strict=True):
            column.add(values)
    return columns


def _require_one_statement(sql: str) -> None:
    bare = _QUOTED.sub(" ", sql)
    if not bare.strip(" \t\r\n;"):
        raise QueryError("The query is empty")
    if ";" in bare.rstrip(" \t\r\n;"):
        raise QueryError("The query is several statements; write one select (a semicolon at its end is fine)")


def _require_distinct(names: Sequence[str]) -> None:
    if "" in names:
        raise QueryError(f"Column {names.index('') + 1} of the query has no name; give it one with `as`")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise QueryError(f"The query returns several columns named {', '.join(map(repr, twice))}; rename all but one")
