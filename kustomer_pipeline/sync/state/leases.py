"""Shares of the org's request budget, for runs that write to it at the same time from several processes.

Each run holds a lease: a share of the requests a minute, and until when. It renews it every few seconds. All shares
together are never more than the whole: who comes gets what the others leave, which at their next renewal is their fair
part; what a run had that ended or was killed is given out again once its lease has run out.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from .database import Database, upsert
from .tables import budget_leases

LEASE_SECONDS = 60.0
"""For so long a lease holds: as long as Kustomer counts what was sent under it."""


class BudgetLease:
    """The lease of one run. Every method raises StateError."""

    def __init__(self, database: Database, org_id: str, holder: str) -> None:
        self._database = database
        self._org_id = org_id
        self.holder = holder

    def renew(self) -> tuple[float, float]:
        """(share of the budget from now on for LEASE_SECONDS, share that would be fair): 0 to 1."""
        table, now = budget_leases, self._database.now()
        mine = sa.and_(table.c.org_id == self._org_id, table.c.holder == self.holder)
        others = sa.and_(table.c.org_id == self._org_id, table.c.holder != self.holder)
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":  # one after the other, as SQLite's writers are
                connection.execute(sa.text(f"lock table {table.name} in exclusive mode"))
            connection.execute(sa.delete(table).where(others, table.c.expires_at <= now))
            taken = list(connection.execute(sa.select(table.c.share).where(others)).scalars())
            fair = 1 / (len(taken) + 1)
            share = max(0.0, min(fair, 1 - sum(taken)))
            values = {"share": share, "expires_at": now + timedelta(seconds=LEASE_SECONDS)}
            if not connection.execute(sa.update(table).where(mine).values(values)).rowcount:
                upsert(connection, table, [{"org_id": self._org_id, "holder": self.holder, **values}])
        return share, fair

    def give_back(self) -> None:
        """The run is over."""
        mine = sa.and_(budget_leases.c.org_id == self._org_id, budget_leases.c.holder == self.holder)
        with self._database.writing() as connection:
            connection.execute(sa.delete(budget_leases).where(mine))
