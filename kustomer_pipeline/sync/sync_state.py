"""What is remembered of one sync of one org.

Every method is one transaction; what must become true together (a job's results, the rows they settle, the log) is
one method.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import sqlalchemy as sa

from . import tables
from .remembered import ChangeLine, Job, JobItem, LogLine, RowState, Snapshot, Status, value_hash
from .report import SyncReport

if TYPE_CHECKING:
    from .state import StateStore

_CHUNK = 5_000  # values a statement: SQLite allows 32,766 of them, PostgreSQL 65,535
_READ_CHUNK = 50_000


class SyncState:
    """What is remembered of one sync of one org."""

    def __init__(self, store: StateStore, org_id: str, sync: str) -> None:
        self.store = store
        self.org_id = org_id
        self.sync = sync

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.org_id == self.org_id, table.c.sync == self.sync)

    # --- rows -----------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Every remembered row of the sync, as columns."""
        table = tables.sync_rows
        query = sa.select(table.c.key, table.c.fingerprint, table.c.status, table.c.kustomer_id, table.c.owned).where(
            self._mine(table)
        )
        types = (pa.string(), pa.int64(), pa.string(), pa.string(), pa.bool_())
        chunks: list[list[pa.Array]] = [[pa.array([], type_)] for type_ in types]
        with self.store.engine.connect() as connection:
            result = connection.execution_options(yield_per=_READ_CHUNK).execute(query)
            for partition in result.partitions():
                for column, type_, values in zip(chunks, types, zip(*partition, strict=True), strict=True):
                    column.append(pa.array(values, type_))
        return Snapshot(*(pa.concat_arrays(column) for column in chunks))

    def sent_lists(self, keys: Sequence[str]) -> dict[str, dict[str, list[str]]]:
        """Of the rows named: hashes of the list items this sync sent, by attribute."""
        table = tables.sync_rows
        found: dict[str, dict[str, list[str]]] = {}
        with self.store.engine.connect() as connection:
            for chunk in _chunks(keys):
                query = sa.select(table.c.key, table.c.sent_lists).where(
                    self._mine(table), table.c.key.in_(chunk), table.c.sent_lists.is_not(None)
                )
                found.update({key: json.loads(text) for key, text in connection.execute(query)})
        return found

    def keys_older_than(self, status: Status, before: datetime) -> set[str]:
        """Keys of the rows without a Kustomer id that have had this status since before a moment."""
        table = tables.sync_rows
        query = sa.select(table.c.key).where(
            self._mine(table),
            table.c.status == status,
            table.c.kustomer_id.is_(None),
            table.c.updated_at < before,
        )
        with self.store.engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def remember(
        self,
        run_id: str,
        rows: Iterable[RowState],
        *,
        log: Iterable[LogLine] = (),
        forget: Sequence[str] = (),
        identities: Iterable[tuple[str, str, str, str]] = (),
    ) -> None:
        """Rows as they are now, rows to forget (by key), what was learned, and the log lines that go with them."""
        with self.store.engine.begin() as connection:
            self._write_rows(connection, run_id, rows)
            self._forget_rows(connection, forget)
            self._write_identities(connection, identities)
            self._write_log(connection, run_id, log)

    def hand_over(self, run_id: str, forget: Sequence[str], owned_ids: Sequence[str]) -> None:
        """Members under another key now: the rows to forget go, the others of these records become ours."""
        table = tables.sync_rows
        with self.store.engine.begin() as connection:
            self._forget_rows(connection, forget)
            for chunk in _chunks(owned_ids):
                mine = sa.and_(self._mine(table), table.c.kustomer_id.in_(chunk))
                connection.execute(sa.update(table).where(mine).values(owned=True, run_id=run_id))

    def forget_all_rows(self) -> None:
        """Drop every remembered row of the sync (its tag was made anew: nothing of it is true any more)."""
        with self.store.engine.begin() as connection:
            connection.execute(sa.delete(tables.sync_rows).where(self._mine(tables.sync_rows)))

    def _write_rows(self, connection: sa.Connection, run_id: str, rows: Iterable[RowState]) -> None:
        now = datetime.now(UTC)
        values = {
            row.key: {
                "org_id": self.org_id,
                "sync": self.sync,
                "key": row.key,
                "fingerprint": row.fingerprint,
                "status": row.status,
                "kustomer_id": row.kustomer_id,
                "owned": row.owned,
                "sent_lists": json.dumps(dict(row.sent_lists)) if row.sent_lists else None,
                "reason": row.reason,
                "run_id": run_id,
                "updated_at": now,
            }
            for row in rows
        }
        self.store.upsert(connection, tables.sync_rows, list(values.values()))

    def _forget_rows(self, connection: sa.Connection, keys: Sequence[str]) -> None:
        table = tables.sync_rows
        for chunk in _chunks(keys):
            connection.execute(sa.delete(table).where(self._mine(table), table.c.key.in_(chunk)))

    # --- jobs in flight -------------------------------------------------------------------------------------

    def intend(self, run_id: str, operation: Literal["create", "update"], items: Sequence[JobItem]) -> Job:
        """Write down a job before it is sent.

        From now on nobody knows what Kustomer holds of its rows, until the job is settled: they count as changed. A
        member who is about to be tagged is ours from now on, so that the tag can be taken back whatever happens.
        """
        job = Job(job_id=items[0].ref.rpartition("-")[0], operation=operation, items=tuple(items))
        table = tables.sync_rows
        with self.store.engine.begin() as connection:
            for chunk in _chunks([item.key for item in items]):
                mine = sa.and_(self._mine(table), table.c.key.in_(chunk))
                connection.execute(sa.update(table).where(mine).values(fingerprint=None))
            tagging = [item for item in items if item.owned and item.effect == "accept"]
            self._write_rows(
                connection, run_id, [RowState(item.key, "sent", None, item.kustomer_id, owned=True) for item in tagging]
            )
            connection.execute(
                sa.insert(tables.bulk_jobs).values(
                    job_id=job.job_id,
                    org_id=self.org_id,
                    sync=self.sync,
                    run_id=run_id,
                    operation=operation,
                    bulk_id=None,
                    items=json.dumps([asdict(item) for item in items]),
                    created_at=datetime.now(UTC),
                )
            )
        return job

    def submitted(self, job: Job, bulk_id: str) -> None:
        """Write down the id under which Kustomer took the job, before it is polled."""
        table = tables.bulk_jobs
        with self.store.engine.begin() as connection:
            connection.execute(sa.update(table).where(table.c.job_id == job.job_id).values(bulk_id=bulk_id))

    def settle_job(
        self,
        run_id: str,
        job: Job,
        rows: Iterable[RowState] = (),
        *,
        log: Iterable[LogLine] = (),
        forget: Sequence[str] = (),
        identities: Iterable[tuple[str, str, str, str]] = (),
        changed: Iterable[ChangeLine] = (),
    ) -> None:
        """A job is over: the rows it settled, what was learned, the log, and the job's own end, all or nothing."""
        with self.store.engine.begin() as connection:
            self._write_changes(connection, run_id, changed)
            self._write_rows(connection, run_id, rows)
            self._forget_rows(connection, forget)
            self._write_identities(connection, identities)
            self._write_log(connection, run_id, log)
            connection.execute(sa.delete(tables.bulk_jobs).where(tables.bulk_jobs.c.job_id == job.job_id))

    def jobs_in_flight(self) -> list[Job]:
        """Jobs that an earlier run left behind, oldest first."""
        table = tables.bulk_jobs
        query = sa.select(table).where(self._mine(table)).order_by(table.c.created_at, table.c.job_id)
        with self.store.engine.connect() as connection:
            return [
                Job(
                    job_id=row.job_id,
                    operation=row.operation,
                    bulk_id=row.bulk_id,
                    created_at=_utc(row.created_at),
                    items=tuple(JobItem(**item) for item in json.loads(row.items)),
                )
                for row in connection.execute(query)
            ]

    # --- what runs overwrote --------------------------------------------------------------------------------

    def _write_changes(self, connection: sa.Connection, run_id: str, changed: Iterable[ChangeLine]) -> None:
        now = datetime.now(UTC)
        lines = [
            {
                "org_id": self.org_id,
                "sync": self.sync,
                "run_id": run_id,
                "key": line.key,
                "object": line.object,
                "kustomer_id": line.kustomer_id,
                "changes": json.dumps(line.changes),
                "at": now,
            }
            for line in changed
        ]
        if lines:
            connection.execute(sa.insert(tables.sync_changes), lines)

    def forget_changes(self, before: datetime) -> None:
        """Drop what the org's runs overwrote before a moment."""
        table = tables.sync_changes
        with self.store.engine.begin() as connection:
            connection.execute(sa.delete(table).where(table.c.org_id == self.org_id, table.c.at < before))

    # --- identities -----------------------------------------------------------------------------------------

    def identities(self, object: str, field: str, values: Sequence[str]) -> dict[str, str]:
        """Where identifiers were last seen: value → Kustomer id. Only hints."""
        table = tables.identities
        by_hash = {value_hash(value): value for value in values}
        found: dict[str, str] = {}
        with self.store.engine.connect() as connection:
            for chunk in _chunks(list(by_hash)):
                query = sa.select(table.c.value_hash, table.c.kustomer_id).where(
                    table.c.org_id == self.org_id,
                    table.c.object == object,
                    table.c.field == field,
                    table.c.value_hash.in_(chunk),
                )
                found.update({by_hash[hashed]: id_ for hashed, id_ in connection.execute(query)})
        return found

    def learn(self, identities: Iterable[tuple[str, str, str, str]]) -> None:
        """Keep where identifiers were seen: (object, field, value, Kustomer id)."""
        with self.store.engine.begin() as connection:
            self._write_identities(connection, identities)

    def unlearn(self, object: str, field: str, values: Sequence[str]) -> None:
        """Drop hints that turned out to be wrong."""
        table = tables.identities
        with self.store.engine.begin() as connection:
            for chunk in _chunks([value_hash(value) for value in values]):
                connection.execute(
                    sa.delete(table).where(
                        table.c.org_id == self.org_id,
                        table.c.object == object,
                        table.c.field == field,
                        table.c.value_hash.in_(chunk),
                    )
                )

    def _write_identities(self, connection: sa.Connection, identities: Iterable[tuple[str, str, str, str]]) -> None:
        values = {
            (object_, field_, hashed): {
                "org_id": self.org_id,
                "object": object_,
                "field": field_,
                "value_hash": hashed,
                "kustomer_id": kustomer_id,
            }
            for object_, field_, value, kustomer_id in identities
            for hashed in (value_hash(value),)
        }
        self.store.upsert(connection, tables.identities, list(values.values()))

    # --- facts, log, runs -----------------------------------------------------------------------------------

    def fact(self, name: str) -> str | None:
        """A small fact of the sync, None if unknown."""
        table = tables.sync_facts
        query = sa.select(table.c.value).where(self._mine(table), table.c.name == name)
        with self.store.engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def set_fact(self, name: str, value: str) -> None:
        """Keep a small fact of the sync."""
        row = {"org_id": self.org_id, "sync": self.sync, "name": name, "value": value}
        with self.store.engine.begin() as connection:
            self.store.upsert(connection, tables.sync_facts, [row])

    def _write_log(self, connection: sa.Connection, run_id: str, log: Iterable[LogLine]) -> None:
        now = datetime.now(UTC)
        lines = [
            {"org_id": self.org_id, "sync": self.sync, "run_id": run_id, "at": now, **asdict(line)} for line in log
        ]
        if lines:
            connection.execute(sa.insert(tables.sync_log), lines)

    def end_run(self, report: SyncReport, started_at: datetime) -> None:
        """One line in `sync_runs`."""
        with self.store.engine.begin() as connection:
            connection.execute(
                sa.insert(tables.sync_runs).values(
                    org_id=self.org_id,
                    sync=self.sync,
                    run_id=report.run_id,
                    started_at=started_at,
                    finished_at=datetime.now(UTC),
                    removed=report.removed,
                    removals_held=report.removals_held,
                    requests=report.requests,
                    interrupted=type(report.interrupted).__name__ if report.interrupted else None,
                    **asdict(report.counts),
                )
            )


def _utc(moment: datetime) -> datetime:
    """SQLite gives times back without their zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
