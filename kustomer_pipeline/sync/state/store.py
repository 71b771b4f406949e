"""The state database: opened, brought to today's layout, given out by org and sync."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kustomer_pipeline.kustomer import Clock, SystemClock

from . import tables
from .database import Database
from .errors import StateError, cause_of, readable_errors
from .facade import SyncState
from .lock import Lock, creation_lock, org_lock
from .migrate import FIRST_RELEASE, from_first_release
from .org import OrgState
from .rows import Place


class StateStore:
    """The state database. Use as a context manager, or call `close`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str, clock: Clock | None = None) -> StateStore:
        """Connect, create what is missing, migrate what is older. Raises StateError with what to do."""
        try:
            parsed = sa.make_url(url)
        except sa.exc.ArgumentError:
            raise StateError("The state's URL is not a database URL such as sqlite:///state.db") from None
        backend = parsed.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise StateError(f"State is kept in SQLite or PostgreSQL, not in {backend}")
        shown = parsed.render_as_string(hide_password=True)
        try:
            if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            options: dict[str, Any] = {"timeout": 60} if backend == "sqlite" else {}
            engine = sa.create_engine(parsed, connect_args=options, hide_parameters=True)
            if backend == "sqlite":
                sa.event.listen(engine, "connect", _prepare_sqlite)
            database = Database(engine, clock or SystemClock())
            _prepare_tables(database)
        except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
            raise StateError(f"The state database {shown} cannot be opened: {_said(error)}") from None
        return cls(database)

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


def _said(error: Exception) -> str:
    """Why a database cannot be opened. Nothing of a row is involved yet, so the driver's own words may be shown."""
    original = getattr(error, "orig", None) or error
    return f"{original}" if not isinstance(error, sa.exc.StatementError) or error.orig else cause_of(error)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """WAL: readers (an analyst, the plan) never block the writer. FULL: an acknowledged commit survives a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _prepare_tables(database: Database) -> None:
    with creation_lock(database), readable_errors(database.name, "Preparing"), database.engine.begin() as connection:
        there = sa.inspect(connection).has_table("schema_version")
        version = connection.execute(sa.select(tables.schema_version.c.version)).scalar() if there else None
        if version is not None and version > tables.SCHEMA_VERSION:
            raise StateError(
                f"The state database has layout {version}, this version of kustomer_pipeline knows "
                f"{tables.SCHEMA_VERSION} at most: use the version that wrote it, or a newer one."
            )
        if version == FIRST_RELEASE:
            from_first_release(connection)
        tables.metadata.create_all(connection)
        if version is None:
            connection.execute(sa.insert(tables.schema_version).values(version=tables.SCHEMA_VERSION))
        elif version < tables.SCHEMA_VERSION:
            connection.execute(sa.update(tables.schema_version).values(version=tables.SCHEMA_VERSION))
