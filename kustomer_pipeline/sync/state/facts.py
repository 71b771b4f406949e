"""Small facts of a sync, and the approvals that it has used up."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from .database import Database, upsert
from .rows import Place
from .tables import approvals, sync_facts


class Facts:
    """Small facts of a sync."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    def get(self, name: str) -> str | None:
        """A fact, None if it is not known."""
        query = sa.select(sync_facts.c.value).where(
            sync_facts.c.org_id == self._place.org_id,
            sync_facts.c.sync == self._place.sync,
            sync_facts.c.name == name,
        )
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()


class FactsWriter:
    """The same, in a transaction."""

    def __init__(self, connection: sa.Connection, place: Place) -> None:
        self._connection = connection
        self._place = place

    def set(self, name: str, value: str) -> None:
        """Keep a fact."""
        row = {"org_id": self._place.org_id, "sync": self._place.sync, "name": name, "value": value}
        upsert(self._connection, sync_facts, [row])


class Approvals:
    """Approvals that were used up: an id passes once."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    def used(self) -> int:
        """How many, so far."""
        mine = sa.and_(approvals.c.org_id == self._place.org_id, approvals.c.sync == self._place.sync)
        query = sa.select(sa.func.count()).select_from(approvals).where(mine)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())


class ApprovalsWriter:
    """The same, in a transaction."""

    def __init__(self, connection: sa.Connection, place: Place, now: datetime) -> None:
        self._connection = connection
        self._place = place
        self._now = now

    def use(self, plan_id: str, run_id: str) -> None:
        """This plan is let through now, and never again."""
        row = {
            "org_id": self._place.org_id,
            "sync": self._place.sync,
            "plan_id": plan_id,
            "run_id": run_id,
            "used_at": self._now,
        }
        upsert(self._connection, approvals, [row])
