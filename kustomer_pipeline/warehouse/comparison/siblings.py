"""Rows that are as accepted, and yet must be delivered: they share a key or an identifier with a delivered row.

Whoever maps rows refuses those that share an identifier, and can refuse only what is delivered.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from . import statements
from .prepare import Begun
from .tables import Tables, hash_column, values_of
from .upload import uploaded


def deliver_siblings(
    connection: sa.Connection,
    tables: Tables,
    begun: Begun,
    known: statements.Known,
    identifiers: Sequence[set[str]],
) -> tuple[int, int]:
    """Append to the rows those of lines with one of these hashes: the last row_id before, and how many they are."""
    rows, changed = tables.rows(begun.number, len(begun.layout)), tables.changed(begun.number)
    lines, of_lines = known.lines, tables.hashes
    last = int(connection.execute(sa.select(sa.func.max(rows.c.row_id))).scalar_one())
    hashes = ((hashed,) for hashed in set().union(*identifiers))
    with uploaded(connection, tables, f"asked_{begun.number}", (hash_column(),), hashes) as asked:
        sharing = sa.select(of_lines.c.line_id).join(asked, asked.c.hash == of_lines.c.hash)
        names = ["row_id", "copies", "lines", "first_line", *(column.name for column in values_of(rows))]
        place = sa.literal(last, sa.BigInteger) + statements.place(connection.dialect.name)
        siblings = known.counting(
            place.label("row_id"), sa.literal(1), sa.literal(0), lines.c.line_id, *values_of(lines)
        ).where(lines.c.line_id.in_(sharing), ~sa.exists().where(changed.c.line_id == lines.c.line_id))
        connection.execute(sa.insert(rows).from_select(names, siblings))
    added = sa.select(rows.c.first_line).where(rows.c.row_id > last)
    count = connection.execute(sa.select(sa.func.count()).select_from(added.subquery())).scalar_one()
    named = sa.select(lines.c.line_id, lines.c.row_key, sa.literal(0)).where(lines.c.line_id.in_(added))
    connection.execute(sa.insert(changed).from_select(["line_id", "row_key", "gone"], named))
    return last, int(count)
