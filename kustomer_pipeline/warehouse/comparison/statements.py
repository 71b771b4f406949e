"""The statements that compare, as SQLAlchemy Core: nothing here is executed, everything compiles for every dialect.

Source and lines are put under one another and grouped by all columns. Grouping is what every database does fast, on any
number of rows, with a null equal to a null, and it counts: a content that the source has twice and the lines once is a
difference. The source is read once, so a query that gives other rows each time it is asked cannot fool it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..statement import without_end
from .layout import Column, Expression
from .tables import values_of
from .values import Source

_UNORDERED = ("postgresql", "sqlite", "mysql", "mariadb", "duckdb", "bigquery", "redshift")
"""Dialects that number rows in no order; the others want one to be named."""


def source_table(source: Source) -> sa.Subquery:
    """The user's select as a subselect, as it stands: a colon and a percent sign mean what they mean there."""
    sql = without_end(source.sql)
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in source.columns]
    # On a line of its own, for the select may end in a comment.
    return sa.text(sql.replace(":", r"\:") + "\n").columns(*columns).subquery("source")


def empty_rows(types: sa.Table, source: sa.Subquery, names: Sequence[str], own: Sequence[str]) -> sa.Select[Any]:
    """No row, but the columns of a table of readings: `own` like line_id, then those of the source as c1, c2 …"""
    labels = [source.c[name].label(f"c{place}") for place, name in enumerate(names, 1)]
    ids = [types.c.line_id.label(name) for name in own]
    return sa.select(*ids, *labels).select_from(types.join(source, never())).where(never())


def empty_lines(types: sa.Table, rows: sa.Table) -> sa.Select[Any]:
    """No row, but the columns of the table of lines."""
    own = [types.c.line_id, types.c.row_key]
    return sa.select(*own, *values_of(rows)).select_from(types.join(rows, never())).where(never())


@dataclass(frozen=True)
class Known:
    """The lines that a comparison knows, in terms of one table of lines.

    `found`: the lines, beside each its key in the table of those to be delivered again. `counts`: which of them are
    equal to a row that is equal to them.
    """

    lines: sa.Table
    found: sa.FromClause
    counts: Expression

    @classmethod
    def of(cls, lines: sa.Table, again: sa.Table | None) -> Known:
        """again: keys of lines that do not count."""
        if again is None:
            return cls(lines, lines, sa.not_(never()))
        return cls(lines, lines.outerjoin(again, again.c.row_key == lines.c.row_key), again.c.row_key.is_(None))

    def counting(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """These columns of the lines that count."""
        return sa.select(*columns).select_from(self.found).where(self.counts)

    def contents(self) -> sa.Select[Any]:
        """line_id, counted (1 for a line that counts, else null) and the values of all lines."""
        counted = sa.case((self.counts, 1)).label("counted")
        return sa.select(self.lines.c.line_id, counted, *values_of(self.lines)).select_from(self.found)


def everything(layout: Sequence[Column], source: sa.Subquery, dialect: str, base: int) -> sa.Select[Any]:
    """All rows of the source, as `differences` gives them where there are no lines."""
    numbers = {"copies": 1, "lines": 0, "first_line": None, "counted": 0}
    columns: list[sa.Label[Any]] = [(sa.literal(base, sa.BigInteger) + place(dialect)).label("row_id")]
    columns += [sa.cast(sa.literal(value), sa.BigInteger).label(name) for name, value in numbers.items()]
    columns += [source.c[column.name].label(column.label) for column in layout]
    return sa.select(*columns)


def union(
    dialect: str,
    layout: Sequence[Column],
    source: sa.Select[Any],
    lines: sa.Select[Any],
) -> sa.Subquery:
    """Rows of the source (line_id null) and lines under one another; `counted` is 1 for a line that counts.

    source: selects the columns by their names; lines: selects line_id, counted and c1, c2 …
    """
    rows, old = source.subquery("wanted"), lines.subquery("accepted")
    nothing = [sa.cast(sa.null(), sa.BigInteger).label("line_id"), sa.cast(sa.null(), sa.Integer).label("counted")]
    of_source = [label for column in layout for label in column.inner(dialect, rows.c[column.name])]
    of_lines = [label for column in layout for label in column.inner(dialect, old.c[column.label])]
    return sa.union_all(sa.select(*nothing, *of_source), sa.select(old.c.line_id, old.c.counted, *of_lines)).subquery(
        "both"
    )


def differences(
    dialect: str, layout: Sequence[Column], pair: str | None, both: sa.Subquery, base: int
) -> sa.Select[Any]:
    """What is not as accepted: one row for each content whose counts differ, or that only lines have.

    Columns: row_id (`base` and a place), copies, lines, first_line, counted, then the values.
    """
    keys_and_values = {column.label: column.outer(dialect, both) for column in layout}
    # What tells rows apart first: then few of the other columns are ever looked at.
    ordered = sorted(layout, key=lambda column: column.name != pair)
    keys = [keys_and_values[column.label][0] for column in ordered]
    lines, counted = sa.func.count(both.c.line_id), sa.func.count(both.c.counted)
    copies = sa.func.count() - lines
    groups = (
        sa.select(
            copies.label("copies"),
            lines.label("lines"),
            sa.func.min(both.c.line_id).label("first_line"),
            counted.label("counted"),
            # Of few rows, as a rule: so that the same differences come in the same order each time.
            sa.func.row_number().over(order_by=keys).label("place"),
            *(value.label(label) for label, (_, value) in keys_and_values.items()),
        )
        .group_by(*keys)
        .having((copies != counted) | (copies == 0))
        .subquery("differing")
    )
    others = (column for column in groups.c if column.name != "place")
    return sa.select((sa.literal(base, sa.BigInteger) + groups.c.place).label("row_id"), *others)


def enough_memory() -> sa.Select[Any]:
    """For this transaction PostgreSQL sorts in 64 MB, if it would in less: its usual 4 MB cost a third more time."""
    set_here = sa.func.set_config("work_mem", "64MB", sa.true())
    return sa.select(set_here).where(sa.func.pg_size_bytes(sa.func.current_setting("work_mem")) < 64 << 20)


def place(dialect: str) -> Expression:
    """1, 2, 3 … in whatever order the rows come."""
    order = None if dialect in _UNORDERED else sa.select(sa.null()).scalar_subquery()
    return sa.func.row_number().over(order_by=order)


def never() -> Expression:
    """A condition that no row meets, in words that every database has."""
    return sa.literal_column("1") == sa.literal_column("0")
