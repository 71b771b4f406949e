"""One door to what is remembered of a sync: repositories to read with, and transactions to write in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from .database import Database
from .facts import Approvals, ApprovalsWriter, Facts, FactsWriter
from .history import ChangesWriter, LogWriter, RunsWriter
from .identities import Identities, IdentitiesWriter
from .journal import Journal, JournalWriter
from .lines import Lines, LinesWriter
from .refusals import Refusals
from .rows import Place, Rows, RowsWriter
from .theirs import Theirs, TheirsWriter


class Transaction:
    """The writing side of every repository, on one connection: all of it becomes true together, or none."""

    def __init__(self, connection: sa.Connection, place: Place, now: datetime) -> None:
        self._connection = connection
        self._place = place
        self._now = now
        self.rows = RowsWriter(connection, place, now)
        self.lines = LinesWriter(connection, place)
        self.theirs = TheirsWriter(connection, place)
        self.refusals = Refusals(connection, place)
        self.journal = JournalWriter(connection, place, now)
        self.identities = IdentitiesWriter(connection, place.org_id)
        self.log = LogWriter(connection, place, now)
        self.changes = ChangesWriter(connection, place, now)
        self.runs = RunsWriter(connection, place)
        self.facts = FactsWriter(connection, place)
        self.approvals = ApprovalsWriter(connection, place, now)

    def of(self, sync: str, scope: str) -> Transaction:
        """The same transaction for another sync of the org."""
        return Transaction(self._connection, Place(self._place.org_id, sync, scope), self._now)


class SyncState:
    """What is remembered of one scope of one sync of one org. Every method raises StateError."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place
        self.rows = Rows(database, place)
        self.lines = Lines(database, place)
        self.theirs = Theirs(database, place)
        self.journal = Journal(database, place)
        self.identities = Identities(database, place.org_id)
        self.facts = Facts(database, place)
        self.approvals = Approvals(database, place)

    @property
    def org_id(self) -> str:
        """The org, as Kustomer reports it."""
        return self._place.org_id

    @property
    def sync(self) -> str:
        """The sync's name."""
        return self._place.sync

    @property
    def scope(self) -> str:
        """'' for records, the tag's id for audiences."""
        return self._place.scope

    def of_scope(self, scope: str) -> SyncState:
        """The same sync, another scope."""
        return SyncState(self._database, Place(self._place.org_id, self._place.sync, scope))

    def now(self) -> datetime:
        """The clock's time."""
        return self._database.now()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write: everything or nothing."""
        with self._database.writing() as connection:
            yield Transaction(connection, self._place, self.now())
