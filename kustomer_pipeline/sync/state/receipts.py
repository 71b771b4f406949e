"""What was done for whom was forgotten, without saying who: kept as proof, and so that it can be gone on with.

A receipt is begun before anything is removed and finished at the end; one that is not finished says that the same has
to be asked for once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from .database import Database, upsert
from .moments import with_zone
from .tables import receipts


@dataclass(frozen=True)
class Receipt:
    """One person who was forgotten.

    subject: the hash of what they were named by, as on the list. removed: how many lines of what.
    """

    receipt_id: str
    org_id: str
    subject: str
    begun_at: datetime
    finished_at: datetime | None = None
    removed: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> str:
        """As it is given to people."""
        told: dict[str, Any] = {
            "receipt": self.receipt_id,
            "org": self.org_id,
            "subject": self.subject,
            "begun_at": self.begun_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at is not None else None,
            "removed": dict(self.removed),
        }
        return json.dumps(told, indent=2)


class Receipts:
    """Those of one org. Every method raises StateError."""

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self._org_id = org_id

    def all(self) -> list[Receipt]:
        """The oldest first."""
        query = sa.select(receipts).where(self._mine).order_by(receipts.c.begun_at, receipts.c.receipt_id)
        with self._database.reading() as connection:
            return [_receipt(row) for row in connection.execute(query)]

    def unfinished(self, subject: str) -> Receipt | None:
        """The one that was begun for this person and is not finished."""
        return next((one for one in self.all() if one.subject == subject and one.finished_at is None), None)

    def keep(self, receipt: Receipt) -> None:
        """As it is now."""
        line = {**vars(receipt), "removed": json.dumps(dict(receipt.removed))}
        with self._database.writing() as connection:
            upsert(connection, receipts, [line])

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        return receipts.c.org_id == self._org_id


def _receipt(row: sa.Row[Any]) -> Receipt:
    begun_at, finished_at = with_zone(row.begun_at), with_zone(row.finished_at)
    assert begun_at is not None  # the column takes no null
    return Receipt(row.receipt_id, row.org_id, row.subject, begun_at, finished_at, json.loads(row.removed))
