"""The state database: opened, brought to today's layout, given out by org and sync."""

from __future__ import annotations

import contextlib
from datetime import datetime

import sqlalchemy as sa

from kustomer_pipeline.kustomer import Clock, SystemClock

from .database import Database, connect
from .facade import SyncState
from .layout import bring_up_to_date
from .leases import BudgetLease
from .lock import Lock, org_lock, part_lock
from .org import OrgState
from .overview import Overview, written_by
from .plans import Plans
from .receipts import Receipts
from .retention import purge
from .rows import Place
from .splits import Splits
from .suppressed import Suppressed, anybody_suppressed
from .traces import Traces


class StateStore:
    """The state database. Use as a context manager, or call `close`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str, clock: Clock | None = None) -> StateStore:
        """Connect, create what is missing, migrate what is older. Raises StateError with what to do."""
        store = cls(connect(url, clock or SystemClock()))
        try:
            bring_up_to_date(store._database)
        except BaseException:
            store.close()
            raise
        return store

    @property
    def engine(self) -> sa.Engine:
        """The database's engine, for whoever looks at the tables."""
        return self._database.engine

    def close(self) -> None:
        """Give the connections back."""
        self._database.engine.dispose()

    def __enter__(self) -> StateStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def of(self, org_id: str, sync: str, scope: str = "") -> SyncState:
        """What belongs to one scope of one sync of one org."""
        return SyncState(self._database, Place(org_id, sync, scope))

    def org(self, org_id: str) -> OrgState:
        """What belongs to the whole org."""
        return OrgState(self._database, org_id)

    def lock(self, org_id: str) -> contextlib.AbstractContextManager[Lock]:
        """Held by whoever writes to an org; released when the process ends, however it ends."""
        return org_lock(self._database, org_id)

    def lock_part(self, org_id: str, part: str) -> contextlib.AbstractContextManager[Lock]:
        """Held by whoever writes one part of a sync in shards, beside runs of other parts."""
        return part_lock(self._database, org_id, part)

    def budget_lease(self, org_id: str, holder: str) -> BudgetLease:
        """The share of the org's requests of one of several runs that write at the same time."""
        return BudgetLease(self._database, org_id, holder)

    def splits(self, org_id: str, sync: str) -> Splits:
        """The parts in which the rows of a sync are remembered."""
        return Splits(self._database, org_id, sync)

    # --- how long, and who was forgotten --------------------------------------------------------------------

    def now(self) -> datetime:
        """The clock's time."""
        return self._database.now()

    def purge(self, org_id: str, before: datetime, changes_before: datetime) -> int:
        """Remove what is older, in small statements; how many lines. See retention.py; plans of before go, too."""
        self.plans(org_id).forget_before(before)
        return purge(self._database, org_id, before, changes_before)

    def suppressed(self, org_id: str) -> Suppressed:
        """Whose rows are skipped because they were forgotten."""
        return Suppressed(self._database, org_id)

    def anybody_suppressed(self) -> bool:
        """Whether somebody was forgotten, of whatever org."""
        return anybody_suppressed(self._database)

    def receipts(self, org_id: str) -> Receipts:
        """What was done for whom was forgotten."""
        return Receipts(self._database, org_id)

    def traces(self, org_id: str) -> Traces:
        """What is kept of single people."""
        return Traces(self._database, org_id)

    def plans(self, org_id: str) -> Plans:
        """The plans of an org that may be approved."""
        return Plans(self._database, org_id)

    # --- for people -----------------------------------------------------------------------------------------

    def overview(self, org_id: str) -> Overview:
        """What people ask of an org."""
        return Overview(self._database, org_id)

    def written_by(self, run_id: str) -> tuple[dict[str, int], int]:
        """(outcome → how many records, bulk jobs under way) of a run, also of one that was interrupted."""
        return written_by(self._database, run_id)
