"""The state, looked at without touching it: not made, not migrated, not locked, not a byte of it changed.

URL → a connection that can only read → layout, what is remembered of org and syncs, jobs left behind, who writes now
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import sqlalchemy as sa

from kustomer_pipeline.kustomer import Clock
from kustomer_pipeline.sync.opening import WIRE_FACT
from kustomer_pipeline.sync.state import Overview, Plans, StateError, tables
from kustomer_pipeline.sync.state.database import Database
from kustomer_pipeline.sync.state.errors import DRIVER_ERRORS
from kustomer_pipeline.sync.state.org import OrgState
from kustomer_pipeline.sync.state.overview import orgs_in

Layout = Literal["none", "older", "todays", "newer"]


@dataclass(frozen=True)
class LeftBehind:
    """Bulk jobs of a sync that an earlier run did not collect."""

    sync: str
    count: int
    oldest: datetime
    bulk_id: str | None  # of the newest


@dataclass(frozen=True)
class LastRun:
    """What the last run of a sync held back."""

    run_id: str
    finished_at: datetime
    removals_held: int
    changes_held: int
    interrupted: str | None


class StateView:
    """A state database to read. `shown`: its URL without a password. Every method may raise StateError."""

    def __init__(self, engine: sa.Engine | None, shown: str, file: Path | None, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.shown = shown
        self.file = file

    @classmethod
    def of(cls, url: str, clock: Clock) -> StateView:
        """Look at a state. Connects to nothing yet. Raises StateError for a URL that cannot be used."""
        try:
            parsed = sa.make_url(url)
        except (sa.exc.ArgumentError, ValueError):
            raise StateError("The state's URL is not a database URL such as sqlite:///state.db") from None
        shown = parsed.set(query={}).render_as_string(hide_password=True)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise StateError(f"State is kept in SQLite or PostgreSQL, not in {parsed.get_backend_name()}")
        if parsed.get_backend_name() == "sqlite":
            if parsed.database in (None, "", ":memory:") or str(parsed.database).startswith("file:"):
                return cls(None, shown, None, clock)
            file = Path(str(parsed.database)).absolute()
            return cls(_reading_only(file) if file.exists() else None, shown, file, clock)
        try:
            engine = sa.create_engine(parsed, poolclass=sa.NullPool, hide_parameters=True)
        except (ImportError, sa.exc.NoSuchModuleError) as error:
            raise StateError(f"The state database {shown} cannot be opened: {error}") from None
        return cls(engine, shown, None, clock)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        if self._engine is None:
            raise StateError(f"The state database {self.shown} is not there yet")
        try:
            with self._engine.connect() as connection:
                if connection.dialect.name == "postgresql":
                    connection = connection.execution_options(postgresql_readonly=True)
                yield connection
        except DRIVER_ERRORS as error:
            said = str(getattr(error, "orig", None) or error).strip()
            raise StateError(
                f"The state database {self.shown} cannot be read: {_without_password(said, self)}"
            ) from None

    @property
    def layout(self) -> Layout:
        """Which tables there are."""
        if self._engine is None:
            return "none"
        with self._reading() as connection:
            if not sa.inspect(connection).has_table(tables.schema_version.name):
                return "none"
            version = connection.execute(sa.select(tables.schema_version.c.version)).scalar() or 0
        if version == tables.SCHEMA_VERSION:
            return "todays"
        return "older" if version < tables.SCHEMA_VERSION else "newer"

    def org(self, org_id: str) -> OrgState:
        """What is remembered of an org; for reading only."""
        return OrgState(self._database, org_id)

    def overview(self, org_id: str) -> Overview:
        """What people ask of an org."""
        return Overview(self._database, org_id)

    def plans(self, org_id: str) -> Plans:
        """The plans of an org; for reading only."""
        return Plans(self._database, org_id)

    def orgs(self) -> list[str]:
        """The ids of all orgs that something is remembered of."""
        return orgs_in(self._database)

    @property
    def _database(self) -> Database:
        if self._engine is None:
            raise StateError(f"The state database {self.shown} is not there yet")
        return Database(self._engine, self._clock, self.shown, self.file)

    def learned(self, org_id: str) -> Mapping[str, Any]:
        """What runs found out about the org (Wire.learned); empty where nothing is remembered."""
        found = json.loads(self.org(org_id).fact(WIRE_FACT) or "{}")
        return found if isinstance(found, dict) else {}

    def left_behind(self, org_id: str) -> list[LeftBehind]:
        """Jobs that a run sent and nobody collected, by sync."""
        jobs = tables.bulk_jobs
        query = sa.select(jobs.c.sync, jobs.c.created_at, jobs.c.bulk_id).where(jobs.c.org_id == org_id)
        found: dict[str, list[tuple[datetime, str | None]]] = {}
        with self._reading() as connection:
            for sync, created_at, bulk_id in connection.execute(query.order_by(jobs.c.created_at)):
                found.setdefault(sync, []).append((_utc(created_at), bulk_id))
        return [
            LeftBehind(sync, len(each), each[0][0], next((one for _, one in reversed(each) if one), None))
            for sync, each in found.items()
        ]

    def last_run(self, org_id: str, sync: str) -> LastRun | None:
        """The last run of a sync, None where there was none."""
        runs = tables.sync_runs
        query = sa.select(runs).where(runs.c.org_id == org_id, runs.c.sync == sync).order_by(runs.c.id.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return LastRun(row.run_id, _utc(row.finished_at), row.removals_held, row.changes_held, row.interrupted)

    def writers(self) -> list[str]:
        """Who holds a lock of this state right now, as far as can be told: `process 4711`."""
        if self.file is not None:
            return _file_lock_holders(self.file)
        if self._engine is None:
            return []
        query = sa.text(
            "select distinct pid from pg_locks where locktype = 'advisory' and granted and objsubid = 1 "
            "and database = (select oid from pg_database where datname = current_database())"
        )
        with self._reading() as connection:
            return [f"process {pid} of the server" for pid in connection.execute(query).scalars()]


def _reading_only(file: Path) -> sa.Engine:
    address = f"file:{quote(str(file))}?mode=ro"
    return sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=sa.NullPool, hide_parameters=True
    )


def _without_password(said: str, view: StateView) -> str:
    password = view._engine.url.password if view._engine is not None else None
    return said.replace(str(password), "***") if password else said


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _file_lock_holders(database: Path) -> list[str]:
    """From the kernel's own list, so that nothing is locked in order to look. Elsewhere than on Linux: nobody."""
    listed = Path("/proc/locks")
    if not listed.exists():
        return []
    nodes = {path.stat().st_ino for path in database.parent.glob(f"{database.name}.*.lock")}
    holders = []
    for line in listed.read_text(encoding="ascii", errors="replace").splitlines():
        words = line.split()  # 1: FLOCK ADVISORY WRITE 4711 08:01:123456 0 EOF
        if len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] in map(str, nodes):
            holders.append(f"process {words[4]}")
    return holders
