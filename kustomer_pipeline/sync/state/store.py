"""The state database: opened, brought to today's layout, given out by org and sync."""

from __future__ import annotations

import contextlib

import sqlalchemy as sa

from kustomer_pipeline.kustomer import Clock, SystemClock

from .database import Database, connect
from .facade import SyncState
from .layout import bring_up_to_date
from .lock import Lock, org_lock
from .org import OrgState
from .rows import Place


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
