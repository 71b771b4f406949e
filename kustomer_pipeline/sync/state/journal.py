"""The journal: jobs before they are sent, until they are acknowledged."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from .database import Database
from .moments import with_zone
from .rows import Place
from .tables import bulk_jobs
from .values import Job, JobItem, OwnershipChange


class Journal:
    """Jobs that an earlier run left behind."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    def jobs(self) -> list[Job]:
        """Those of the sync, in all its scopes, the oldest first."""
        table = bulk_jobs
        mine = sa.and_(table.c.org_id == self._place.org_id, table.c.sync == self._place.sync)
        query = sa.select(table).where(mine).order_by(table.c.created_at, table.c.job_id)
        with self._database.reading() as connection:
            return [
                Job(
                    job_id=row.job_id,
                    operation=row.operation,
                    object_name=row.object,
                    items=tuple(_item(item) for item in json.loads(row.items)),
                    bulk_id=row.bulk_id,
                    created_at=with_zone(row.created_at),
                    scope=row.scope,
                    run_id=row.run_id,
                )
                for row in connection.execute(query)
            ]


class JournalWriter:
    """The same, in a transaction."""

    def __init__(self, connection: sa.Connection, place: Place, now: datetime) -> None:
        self._connection = connection
        self._place = place
        self._now = now

    def intend(self, job: Job, run_id: str) -> None:
        """A job that is about to be sent."""
        self._connection.execute(
            sa.insert(bulk_jobs).values(
                job_id=job.job_id,
                org_id=self._place.org_id,
                sync=self._place.sync,
                scope=self._place.scope,
                run_id=run_id,
                operation=job.operation,
                object=job.object_name,
                bulk_id=job.bulk_id,
                items=json.dumps([_written(item) for item in job.items], default=_moment),
                created_at=job.created_at or self._now,
            )
        )

    def submitted(self, job_id: str, bulk_id: str) -> None:
        """The id under which Kustomer took it, before it is asked for."""
        self._connection.execute(sa.update(bulk_jobs).where(bulk_jobs.c.job_id == job_id).values(bulk_id=bulk_id))

    def end(self, job_id: str) -> None:
        """It is acknowledged, or was never taken."""
        self._connection.execute(sa.delete(bulk_jobs).where(bulk_jobs.c.job_id == job_id))


def _written(item: JobItem) -> dict[str, Any]:
    """An item as JSON takes it. By hand: dataclasses.asdict copies every value, and this is done for every record."""
    return {**vars(item), "ownership": [vars(change) for change in item.ownership]}


def _item(written: dict[str, Any]) -> JobItem:
    lists = {
        "displaced": tuple(written.get("displaced") or ()),
        "identities": tuple((field, hashed) for field, hashed in written.get("identities") or ()),
        "changes": tuple((name, before, after) for name, before, after in written.get("changes") or ()),
        "ownership": tuple(OwnershipChange(**change) for change in written.get("ownership") or ()),
        "undoes": tuple((line, tuple(names)) for line, names in written.get("undoes") or ()),
    }
    lost_at = written.get("lost_at")
    return JobItem(**{**written, **lists, "lost_at": datetime.fromisoformat(lost_at) if lost_at else None})


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")
