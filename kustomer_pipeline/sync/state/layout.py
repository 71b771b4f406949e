"""Which tables a state database has: none yet, the first release's, today's, or those of a newer version.

Looked at without a lock; whatever has to be done is done in one transaction, by one process, while no run writes.
"""

from __future__ import annotations

import contextlib

import sqlalchemy as sa

from . import tables
from .database import Database
from .errors import StateError
from .lock import org_lock
from .migrate import BEFORE_LINES, FIRST_RELEASE, add_columns, from_first_release

_CREATION = ""  # the lock of whoever makes the tables; no org has an empty id


def bring_up_to_date(database: Database) -> None:
    """Create the tables, or migrate them. Raises StateError."""
    with database.reading() as connection:
        if _is_todays(connection):
            return
    with contextlib.ExitStack() as locks:
        locks.enter_context(org_lock(database, _CREATION, "Another process prepares the state database"))
        for org_id in _orgs(database):
            locks.enter_context(org_lock(database, org_id))
        with database.writing() as connection:
            if not _is_todays(connection):
                _prepare(connection)


def _is_todays(connection: sa.Connection) -> bool:
    version = _version(connection)
    if version is not None and version > tables.SCHEMA_VERSION:
        raise StateError(
            f"The state database has layout {version}, this version of kustomer_pipeline knows "
            f"{tables.SCHEMA_VERSION} at most: use the version that wrote it, or a newer one."
        )
    return version == tables.SCHEMA_VERSION


def _version(connection: sa.Connection) -> int | None:
    if not sa.inspect(connection).has_table(tables.schema_version.name):
        return None
    return connection.execute(sa.select(tables.schema_version.c.version)).scalar()


def _orgs(database: Database) -> list[str]:
    """Orgs that a run of the older version may be writing to right now."""
    with database.reading() as connection:
        if _version(connection) is None:
            return []
        known = sa.union(*(sa.select(table.c.org_id) for table in (tables.sync_rows, tables.bulk_jobs)))
        return sorted(connection.execute(known).scalars())


def _prepare(connection: sa.Connection) -> None:
    version = _version(connection)
    if version == FIRST_RELEASE:
        from_first_release(connection)
    elif version is not None and BEFORE_LINES <= version < tables.SCHEMA_VERSION:
        add_columns(connection, version)
    else:
        _make_room(connection)
    tables.metadata.create_all(connection)
    connection.execute(sa.delete(tables.schema_version))
    connection.execute(sa.insert(tables.schema_version).values(version=tables.SCHEMA_VERSION))


def _make_room(connection: sa.Connection) -> None:
    """Tables without a version: a process was killed while it made them, and they are empty; or they are not ours."""
    there = [table for table in tables.metadata.sorted_tables if sa.inspect(connection).has_table(table.name)]
    for table in there:
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise StateError(
                f"The database has a table {table.name} that is not the state's: give the state a database of its own"
            )
    tables.metadata.drop_all(connection, tables=there)
