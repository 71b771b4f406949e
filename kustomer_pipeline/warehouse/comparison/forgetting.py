"""One person's lines are removed, and every reading: its rows are there as the query gave them.

A reading that is made later has rows of the person again, as long as the query does: they are emptied at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from .accepting import delete_lines, recorded
from .prepare import forget_readings, lock, numbers_of
from .tables import Tables, hash_column, key_column, values_of
from .upload import uploaded


def forget(connection: sa.Connection, tables: Tables, keys: Collection[str], hashes: Collection[str]) -> int:
    """See Comparison.forget."""
    if not lock(connection, tables):
        return 0
    forget_readings(connection, tables, [number for number, _ in numbers_of(connection, tables)])
    lines = tables.lines()
    if not sa.inspect(connection).has_table(lines.name, lines.schema):
        return 0
    named = keys_with(connection, tables, hashes) | set(keys)
    with uploaded(connection, tables, "forgotten", (key_column(),), ((key,) for key in named)) as table:
        theirs = sa.select(table.c.row_key)
        count = sa.select(sa.func.count()).select_from(lines).where(lines.c.row_key.in_(theirs))
        found = int(connection.execute(count).scalar_one())
        delete_lines(connection, tables, theirs)
    return found


def keys_with(connection: sa.Connection, tables: Tables, hashes: Collection[str]) -> set[str]:
    """The keys of the lines that have one of these hashes."""
    lines, of_lines = tables.lines(), tables.hashes
    inspector = sa.inspect(connection)
    if not hashes or not all(inspector.has_table(table.name, table.schema) for table in (lines, of_lines)):
        return set()
    with uploaded(connection, tables, "listed", (hash_column(),), ((hashed,) for hashed in set(hashes))) as asked:
        having = asked.join(of_lines, of_lines.c.hash == asked.c.hash).join(
            lines, lines.c.line_id == of_lines.c.line_id
        )
        return set(connection.execute(sa.select(lines.c.row_key).select_from(having)).scalars())


def withhold(connection: sa.Connection, tables: Tables, rows: Sequence[int]) -> None:
    """See Comparison.withhold."""
    for number in {row >> 32 for row in rows}:
        kept = recorded(connection, tables, number)
        if kept is None:
            continue
        staged = tables.rows(number, len(kept.columns))
        empty = {column.name: sa.null() for column in values_of(staged)}
        row_id = sa.Column("row_id", sa.BigInteger, nullable=False)
        with uploaded(connection, tables, "withheld", (row_id,), ((row,) for row in rows)) as named:
            mine = staged.c.row_id.in_(sa.select(named.c.row_id))
            connection.execute(sa.update(staged).where(mine).values(empty))
