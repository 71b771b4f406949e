"""A reading: the statement that compares, then the rows that share an identifier with what it found.

All of it is one transaction, on PostgreSQL and SQLite over the data of one moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from ..errors import QueryError
from ..read import CHUNK, read_columns, to_frame
from . import statements
from .changed import name_changed
from .ddl import CreateTableAs
from .prepare import Begun
from .siblings import deliver_siblings
from .steps import Step
from .tables import Tables, key_column, values_of
from .upload import analyze, drop, uploaded
from .values import ROW, IdentifiersOf, Kept, Reading, Source


@dataclass(frozen=True)
class Task:
    """What is to be read, and where its tables are. whole: all rows, for no line counts."""

    tables: Tables
    begun: Begun
    source: Source
    again: Collection[str]
    whole: bool


def read(connection: sa.Connection, step: Step, task: Task, label: str, identifiers_of: IdentifiersOf) -> Reading:
    """Fill the tables of the reading that was begun, and return its rows."""
    tables, number, names = task.tables, task.begun.number, task.source.columns
    if task.whole:
        stayed = 0
        _take_everything(connection, step, task)
        frame = delivered(connection, tables, number, names)
    else:
        stayed, frame = _differences(connection, step, task, identifiers_of)
    kept = tables.readings
    done = sa.update(kept).where(kept.c.digest == tables.digest, kept.c.number == number)
    connection.execute(done.values(is_whole=int(task.whole), delivered=len(frame), stayed=stayed))
    return Reading(Kept(number, task.whole, len(frame), stayed, label), frame)


def _differences(
    connection: sa.Connection, step: Step, task: Task, identifiers_of: IdentifiersOf
) -> tuple[int, pd.DataFrame]:
    """How many rows are as accepted and stay, and the others, with those that share an identifier with one of them."""
    tables, number, names = task.tables, task.begun.number, task.source.columns
    with _again(connection, task) as again:
        known = statements.Known.of(tables.lines(len(task.begun.layout)), again)
        stayed = _compare(connection, step, task, known)
        frame = new = delivered(connection, tables, number, names)
        while stayed and len(new):
            last, found = deliver_siblings(connection, tables, task.begun, known, identifiers_of(new))
            if not found:
                break
            stayed -= found
            # All of it once more: the type of a column is that of all its values.
            frame = delivered(connection, tables, number, names)
            new = frame[frame[ROW] > last]
    return stayed, frame


def delivered(connection: sa.Connection, tables: Tables, number: int, names: tuple[str, ...]) -> pd.DataFrame:
    """The rows of a reading, with the dtypes of a query's rows."""
    rows = tables.rows(number, len(names))
    label = {name: f"c{place}" for place, name in enumerate(sorted(names), 1)} | {ROW: "row_id"}
    wanted = sa.select(*(rows.c[label[name]] for name in (*names, ROW))).where(rows.c.copies > 0)
    sql = str(
        wanted.order_by(rows.c.row_id).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    )
    with _convertible(connection), _read_as_a_query(connection):
        columns = read_columns(connection, sql)
    frame = to_frame(pa.table({name: columns[label[name]].array() for name in (*names, ROW)}))
    return frame.astype({ROW: "int64"})


@contextmanager
def _read_as_a_query(connection: sa.Connection) -> Iterator[None]:
    """The options of a connection that reads a query, for the body only: they belong to the whole connection."""
    connection.execution_options(stream_results=True, max_row_buffer=CHUNK, no_parameters=True)
    try:
        yield
    finally:
        connection.execution_options(stream_results=False, no_parameters=False)


@contextmanager
def _convertible(connection: sa.Connection) -> Iterator[None]:
    """Some drivers raise these as they are, with the value in their text."""
    try:
        yield
    except (ValueError, ArithmeticError, NotImplementedError) as error:
        raise QueryError(
            f"The driver {connection.dialect.driver} of the warehouse cannot convert a value of the query "
            f"({type(error).__name__}); leave its column out of the query, or cast it to text there"
        ) from None


@contextmanager
def _again(connection: sa.Connection, task: Task) -> Iterator[sa.Table | None]:
    keys = set(task.again)
    if not keys:
        yield None
        return
    name = f"again_{task.begun.number}"
    with uploaded(connection, task.tables, name, (key_column(),), ((key,) for key in keys)) as table:
        yield table


def _take_everything(connection: sa.Connection, step: Step, task: Task) -> None:
    """Fill the table of rows with all rows of the source."""
    base, source = task.begun.number << 32, statements.source_table(task.source)
    _fill(connection, step, task, statements.everything(task.begun.layout, source, connection.dialect.name, base))


def _compare(connection: sa.Connection, step: Step, task: Task, known: statements.Known) -> int:
    """Fill the tables of rows and of changed lines; how many rows of the source are as accepted."""
    dialect, layout, number = connection.dialect.name, task.begun.layout, task.begun.number
    wanted = sa.select(*statements.source_table(task.source).c)
    both = statements.union(dialect, layout, wanted, known.contents())
    rows = _fill(connection, step, task, statements.differences(dialect, layout, task.source.pair, both, number << 32))
    _write_copies(connection, task, rows)
    name_changed(connection, task.tables, number)
    differing = connection.execute(sa.select(sa.func.sum(rows.c.counted))).scalar_one()
    return int(connection.execute(known.counting(sa.func.count())).scalar_one()) - int(differing or 0)


def _fill(connection: sa.Connection, step: Step, task: Task, found: sa.Select[Any]) -> sa.Table:
    """The table of rows, made of what a select of the source finds."""
    number = task.begun.number
    rows = task.tables.rows(number, len(task.begun.layout))
    step.read_source()
    if connection.dialect.name == "postgresql":  # several processes work for a new table, and for an insert only one
        connection.execute(statements.enough_memory())
        drop(connection, rows)
        connection.execute(CreateTableAs(rows, found, passing=True))
    else:
        connection.execute(sa.insert(rows).from_select([column.name for column in found.selected_columns], found))
    step.write_tables(task.tables.schema)
    for index in task.tables.indexes_of_rows(number):
        connection.execute(sa.schema.CreateIndex(index))
    analyze(connection, rows)
    return rows


def _write_copies(connection: sa.Connection, task: Task, rows: sa.Table) -> None:
    """A content that the source has several times is several rows."""
    several = sa.select(rows.c.copies).where(rows.c.copies > 1).distinct()
    numbers: list[int] = list(connection.execute(several).scalars())
    if not numbers:
        return
    name, columns = (
        f"copies_{task.begun.number}",
        (sa.Column("copies", sa.BigInteger), sa.Column("ordinal", sa.BigInteger)),
    )
    ordinals = ((number, ordinal) for number in numbers for ordinal in range(2, number + 1))
    with uploaded(connection, task.tables, name, columns, ordinals) as further:
        last = connection.execute(sa.select(sa.func.max(rows.c.row_id))).scalar_one()
        place = sa.literal(last, sa.BigInteger) + statements.place(connection.dialect.name)
        values = values_of(rows)
        copies = sa.select(place.label("row_id"), sa.literal(1).label("copies"), sa.literal(0).label("lines"), *values)
        copies = copies.select_from(rows.join(further, further.c.copies == rows.c.copies))
        names = ["row_id", "copies", "lines", *(column.name for column in values)]
        connection.execute(sa.insert(rows).from_select(names, copies))
