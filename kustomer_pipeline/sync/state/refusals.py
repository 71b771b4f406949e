"""Why rows were refused, skipped or put off when they were last looked at: what was said once is not logged again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from .database import in_parts, storable
from .rows import Place
from .tables import sync_rows

Said = tuple[str, str | None, str | None]
"""The status of a row, and the code and the text of its reason."""


class Refusals:
    """Those of one scope, in a transaction."""

    def __init__(self, connection: sa.Connection, place: Place) -> None:
        self._connection = connection
        self._place = place

    def of(self, keys: Sequence[str]) -> dict[str, Said]:
        """What is remembered of these rows, as far as something is."""
        table, found = sync_rows, {}
        for part in in_parts(keys):
            query = sa.select(table.c.key, table.c.status, table.c.reason_code, table.c.reason)
            for row in self._connection.execute(query.where(self._place.of(table), table.c.key.in_(part))):
                found[row.key] = (row.status, row.reason_code, row.reason)
        return found

    def note(self, reasons: Mapping[str, tuple[str, str]]) -> None:
        """Why these rows are put off (code, text); nothing else that is remembered of them changes."""
        for key, (code, text) in reasons.items():
            mine = sa.and_(self._place.of(sync_rows), sync_rows.c.key == key)
            values = {"reason_code": code, "reason": storable(text)}
            self._connection.execute(sa.update(sync_rows).where(mine).values(values))


def was_said(said: Said | None, status: str | None, code: str, text: str) -> bool:
    """Whether this reason is the one that is remembered; with the same status, where the row gets one."""
    return said is not None and (status or said[0], code, storable(text)) == said
