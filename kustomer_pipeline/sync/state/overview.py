"""What people ask of an org: the last runs, what is under way, what is known of one row. For reading only.

    sync_runs                        → the last runs of each sync
    bulk_jobs, budget_leases         → what is under way
    sync_rows, sync_log, sync_changes → one row: as it is remembered, what became of it, what was overwritten

Runs, jobs and rows of a sync in shards stand under the names of its parts (parts.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from .database import Database
from .moments import with_zone
from .parts import is_of
from .tables import RUN_COUNTS, budget_leases, bulk_jobs, sync_changes, sync_log, sync_rows, sync_runs
from .values import ChangeLine, RememberedRow, RunLine


@dataclass(frozen=True)
class JobUnderWay:
    """A bulk job that nobody has collected yet. bulk_id: None where nobody knows whether Kustomer took it."""

    sync: str
    run_id: str
    operation: str
    items: int
    bulk_id: str | None
    created_at: datetime


@dataclass(frozen=True)
class Lease:
    """The share (0 to 1) of the org's requests that a run has which writes beside others."""

    holder: str
    share: float


@dataclass(frozen=True)
class KnownRow:
    """A row as it is remembered: since when, by which run. scope: '' or the id of an audience's tag."""

    sync: str
    scope: str
    row: RememberedRow
    run_id: str
    updated_at: datetime


@dataclass(frozen=True)
class Logged:
    """What became of a row, or of a member who left, in one run."""

    run_id: str
    at: datetime
    outcome: str
    kustomer_id: str | None
    reason: str | None


@dataclass(frozen=True)
class Overwritten:
    """What a run overwrote in a row's record."""

    run_id: str
    at: datetime
    line: ChangeLine


class Overview:
    """That of one org. Every method raises StateError."""

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self._org_id = org_id

    def last_runs(self, each: int) -> list[tuple[str, RunLine]]:
        """(sync, run) of so many last runs of each sync, the newest first."""
        table = sync_runs
        place = sa.func.row_number().over(partition_by=table.c.sync, order_by=table.c.id.desc()).label("place")
        ranked = sa.select(table, place).where(self._mine(table)).subquery()
        query = sa.select(ranked).where(ranked.c.place <= each).order_by(ranked.c.id.desc())
        with self._database.reading() as connection:
            return [(row.sync, _run(row)) for row in connection.execute(query)]

    def jobs(self) -> list[JobUnderWay]:
        """The bulk jobs that no run has collected yet, the oldest first."""
        table = bulk_jobs
        query = sa.select(table).where(self._mine(table)).order_by(table.c.created_at, table.c.job_id)
        with self._database.reading() as connection:
            return [
                JobUnderWay(
                    row["sync"],
                    row["run_id"],
                    row["operation"],
                    len(json.loads(row["items"])),
                    row["bulk_id"],
                    with_zone(row["created_at"]),
                )
                for row in connection.execute(query).mappings()
            ]

    def leases(self) -> list[Lease]:
        """The shares of the runs that write beside others at this moment."""
        table = budget_leases
        query = sa.select(table.c.holder, table.c.share).where(
            self._mine(table), table.c.expires_at > self._database.now()
        )
        with self._database.reading() as connection:
            return [Lease(holder, share) for holder, share in connection.execute(query.order_by(table.c.holder))]

    def rows(self, sync: str, key: str) -> list[KnownRow]:
        """A row of a sync: one for each tag that it was a member of."""
        table = sync_rows
        query = sa.select(table).where(self._mine(table), is_of(table.c.sync, sync), table.c.key == key)
        with self._database.reading() as connection:
            return [
                KnownRow(row.sync, row.scope, _remembered(row), row.run_id, with_zone(row.updated_at))
                for row in connection.execute(query.order_by(table.c.updated_at.desc()))
            ]

    def log_of_row(self, sync: str, key: str, most: int) -> list[Logged]:
        """What became of it, the newest first."""
        table = sync_log
        query = sa.select(table).where(self._mine(table), is_of(table.c.sync, sync), table.c.key == key)
        with self._database.reading() as connection:
            return [
                Logged(row.run_id, with_zone(row.at), row.outcome, row.kustomer_id, row.reason)
                for row in connection.execute(query.order_by(table.c.id.desc()).limit(most))
            ]

    def changes_of_row(self, sync: str, key: str, most: int) -> list[Overwritten]:
        """What was overwritten in its record, the newest first."""
        table = sync_changes
        query = sa.select(table).where(self._mine(table), is_of(table.c.sync, sync), table.c.key == key)
        with self._database.reading() as connection:
            return [
                Overwritten(row.run_id, with_zone(row.at), _change(row))
                for row in connection.execute(query.order_by(table.c.id.desc()).limit(most))
            ]

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.org_id == self._org_id


def orgs_in(database: Database) -> list[str]:
    """The ids of all orgs that something is remembered of. Raises StateError."""
    ids = sa.union(sa.select(sync_runs.c.org_id), sa.select(sync_rows.c.org_id))
    with database.reading() as connection:
        return sorted(connection.execute(ids).scalars())


def written_by(database: Database, run_id: str) -> tuple[dict[str, int], int]:
    """(outcome → how many records, bulk jobs under way) of a run, whether it has ended or not. Raises StateError."""
    count = sa.func.count()
    outcomes = sa.select(sync_log.c.outcome, count).where(sync_log.c.run_id == run_id).group_by(sync_log.c.outcome)
    jobs = sa.select(count).select_from(bulk_jobs).where(bulk_jobs.c.run_id == run_id)
    with database.reading() as connection:
        found: Sequence[tuple[str, int]] = [(outcome, number) for outcome, number in connection.execute(outcomes)]
        return dict(found), int(connection.execute(jobs).scalar_one())


def _run(row: sa.Row[tuple[object, ...]]) -> RunLine:
    counts = {name: int(getattr(row, name)) for name in RUN_COUNTS}
    return RunLine(
        row.run_id, with_zone(row.started_at), with_zone(row.finished_at), counts, row.seconds or 0.0, row.interrupted
    )


def _remembered(row: sa.Row[tuple[object, ...]]) -> RememberedRow:
    return RememberedRow(
        key=row.key,
        status=row.status,
        fingerprint=row.fingerprint,
        kustomer_id=row.kustomer_id,
        owned=bool(row.owned),
        reason=row.reason,
        reason_code=row.reason_code,
        lost_at=with_zone(row.lost_at),
        theirs=json.loads(row.theirs) if row.theirs else {},
    )


def _change(row: sa.Row[tuple[object, ...]]) -> ChangeLine:
    changes = tuple((name, before, after) for name, before, after in json.loads(row.changes))
    return ChangeLine(row.key, row.object, row.kustomer_id, changes, row.sync, row.scope, row.effect)
