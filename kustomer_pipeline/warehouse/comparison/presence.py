"""Which rows stayed in the warehouse that have one of these hashes: by the lines, no row of the source is read."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from .tables import Tables, hash_column
from .upload import uploaded


def holders_of(connection: sa.Connection, tables: Tables, number: int, hashes: Collection[str]) -> dict[str, str]:
    """Hash → key of a line that the source had as it was accepted, when it was read."""
    lines, of_lines, changed = tables.lines(), tables.hashes, tables.changed(number)
    with uploaded(connection, tables, "requested", (hash_column(),), ((hashed,) for hashed in set(hashes))) as asked:
        having = asked.join(of_lines, of_lines.c.hash == asked.c.hash).join(
            lines, lines.c.line_id == of_lines.c.line_id
        )
        stayed = ~sa.exists().where(changed.c.line_id == lines.c.line_id)
        found = sa.select(asked.c.hash, lines.c.row_key).select_from(having).where(stayed)
        return {row.hash: row.row_key for row in connection.execute(found)}
