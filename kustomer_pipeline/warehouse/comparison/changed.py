"""Which lines are not in the source as they were accepted: those of the contents that a reading found to differ.

A content has one line at most: lines have keys of their own, and the key of a row is made of its content.
"""

from __future__ import annotations

import sqlalchemy as sa

from .tables import Tables
from .upload import analyze


def name_changed(connection: sa.Connection, tables: Tables, number: int) -> None:
    """Fill the table of changed lines from that of rows."""
    rows, lines, changed = tables.rows(number), tables.lines(), tables.changed(number)
    gone = sa.case((rows.c.copies == 0, 1), else_=0)
    found = sa.select(lines.c.line_id, lines.c.row_key, gone).join(rows, rows.c.first_line == lines.c.line_id)
    connection.execute(sa.insert(changed).from_select(["line_id", "row_key", "gone"], found.where(rows.c.lines > 0)))
    analyze(connection, changed)
