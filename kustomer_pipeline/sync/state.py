"""The state database: what the engine remembers between runs.

`StateStore` opens it, and gives out the part of it that belongs to one sync of one org (`SyncState`).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from . import tables
from .lock import creation_lock, org_lock
from .remembered import ChangeLine
from .sync_state import SyncState


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
