"""What is kept for some days only: log, runs, what was overwritten, jobs that nobody collects.

In small statements, each a transaction of its own, so that whoever writes at the same time never waits long. Lines are
numbered in the order of time: the oldest are looked at first, and the first that are young end it.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from .database import Database
from .erasing import AT_ONCE, erasing
from .tables import bulk_jobs, sync_changes, sync_log, sync_runs


def purge(database: Database, org_id: str, before: datetime, changes_before: datetime) -> int:
    """Remove what is older; how many lines. Raises StateError.

    before: of the log and of the runs of every org (the newest run of each sync stays), and of this org's jobs that no
    run has collected. changes_before: of what runs of this org overwrote.
    """
    jobs = sa.and_(bulk_jobs.c.org_id == org_id, bulk_jobs.c.created_at < before)
    changes = sa.and_(sync_changes.c.org_id == org_id, sync_changes.c.at < changes_before)
    newest = sa.select(sa.func.max(sync_runs.c.id)).group_by(sync_runs.c.org_id, sync_runs.c.sync)
    old_runs = sa.and_(sync_runs.c.finished_at < before, sync_runs.c.id.not_in(newest))
    return (
        _in_windows(database, sync_log, sync_log.c.at < before)
        + _in_windows(database, sync_runs, old_runs)
        + _page_by_page(database, sync_changes, sync_changes.c.id, changes)
        + _page_by_page(database, bulk_jobs, bulk_jobs.c.job_id, jobs)
    )


def _in_windows(database: Database, table: sa.Table, old: sa.ColumnElement[bool]) -> int:
    """By windows of ids, from the lowest on, until one has nothing old in it: no index on the moment is needed."""
    removed, start = 0, 0
    while True:
        with database.reading() as connection:
            first = connection.execute(sa.select(sa.func.min(table.c.id)).where(table.c.id >= start)).scalar()
            if first is None:
                return removed
            start = first + AT_ONCE
            window = sa.and_(table.c.id >= first, table.c.id < start, old)
            if connection.execute(sa.select(sa.literal(1)).where(window).limit(1)).first() is None:
                return removed
        with erasing(database) as connection:
            removed += connection.execute(sa.delete(table).where(window)).rowcount


def _page_by_page(database: Database, table: sa.Table, key: sa.Column[str], old: sa.ColumnElement[bool]) -> int:
    """The column that says when has an index, or there are few lines."""
    removed = 0
    while True:
        with database.reading() as connection:
            page = list(connection.execute(sa.select(key).where(old).limit(AT_ONCE)).scalars())
        if not page:
            return removed
        with erasing(database) as connection:
            removed += connection.execute(sa.delete(table).where(key.in_(page))).rowcount
