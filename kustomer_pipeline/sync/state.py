"""What the engine remembers between runs.

`StateStore` is the database, `SyncState` the part of it that belongs to one sync of one org. Every method is one
transaction; what must become true together (a job's results, the rows they settle, the log) is one method.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from . import tables
from .lock import creation_lock, org_lock
from .remembered import ChangeLine, Job, JobItem, LogLine, RowState, Snapshot, Status, value_hash
from .report import SyncReport

_CHUNK = 5_000  # values a statement: SQLite allows 32,766 of them, PostgreSQL 65,535
_READ_CHUNK = 50_000


class StateError(Exception):
    """The state database cannot be used; the message says why and what to do."""


class StateStore:
    """The state database. Use as a context manager, or call `close`."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> StateStore:
        """Connect and create what is missing. Raises StateError with what to do."""
        try:
            parsed = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise StateError("KUSTOMER_STATE_URL is not a database URL such as sqlite:///state.db") from error
        backend = parsed.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise StateError(f"KUSTOMER_STATE_URL: state is kept in SQLite or PostgreSQL, not in {backend}")
        try:
            if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            engine = sa.create_engine(parsed, connect_args={"timeout": 60} if backend == "sqlite" else {})
            if backend == "sqlite":
                sa.event.listen(engine, "connect", _prepare_sqlite)
            _create_tables(engine)
        except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
            shown = parsed.render_as_string(hide_password=True)
            cause = getattr(error, "orig", None) or error
            raise StateError(f"The state database {shown} cannot be opened: {cause}") from error
        return cls(engine)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def __enter__(self) -> StateStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def of(self, org_id: str, sync: str) -> SyncState:
        """The part that belongs to one sync of one org."""
        return SyncState(self, org_id, sync)

    def changes_of(self, org_id: str, run_id: str) -> list[ChangeLine]:
        """What a run of any sync overwrote, oldest first."""
        table = tables.sync_changes
        query = sa.select(table).where(table.c.org_id == org_id, table.c.run_id == run_id).order_by(table.c.id)
        with self.engine.connect() as connection:
            return [
                ChangeLine(row.key, row.object, row.kustomer_id, json.loads(row.changes), row.sync)
                for row in connection.execute(query)
            ]

    def created_by(self, org_id: str, run_id: str) -> list[tuple[str, str, str | None]]:
        """(sync, key, Kustomer id) of the records that a run of any sync created."""
        table = tables.sync_log
        query = sa.select(table.c.sync, table.c.key, table.c.kustomer_id).where(
            table.c.org_id == org_id, table.c.run_id == run_id, table.c.outcome == "created"
        )
        with self.engine.connect() as connection:
            return [(row.sync, row.key, row.kustomer_id) for row in connection.execute(query)]

    def knows_run(self, org_id: str, run_id: str) -> bool:
        """Whether a run of that id wrote to the org."""
        query = sa.select(sa.literal(1)).where(tables.sync_runs.c.org_id == org_id, tables.sync_runs.c.run_id == run_id)
        with self.engine.connect() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def lock(self, org_id: str) -> contextlib.AbstractContextManager[None]:
        """Held by whoever writes to an org; released when the process ends, however it ends."""
        return org_lock(self.engine, org_id)

    def upsert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, replacing those with the same primary key."""
        if not rows:
            return
        keys = [column.name for column in table.primary_key.columns]
        insert: Any = (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(table)
        replaced = {name: insert.excluded[name] for name in rows[0] if name not in keys}
        connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=replaced), rows)


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


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """WAL: readers (an analyst, the plan) never block the writer. FULL: an acknowledged commit survives a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _create_tables(engine: sa.Engine) -> None:
    with creation_lock(engine), engine.begin() as connection:
        tables.metadata.create_all(connection)
        version = connection.execute(sa.select(tables.schema_version.c.version)).scalar()
        if version is None:
            connection.execute(sa.insert(tables.schema_version).values(version=tables.SCHEMA_VERSION))
        elif version != tables.SCHEMA_VERSION:
            raise StateError(
                f"The state database has layout {version}, this version of kustomer_pipeline needs "
                f"{tables.SCHEMA_VERSION}: use the version that wrote it, or an empty database "
                "(the next run then reads every record once and writes only what differs)."
            )
