"""Moves what the syncs remember from a SQLite file into an empty PostgreSQL database.

    KUSTOMER_STATE_URL=postgresql+psycopg://… python deploy/copy_state.py /var/lib/kustomer/kustomer_state.db

Everything goes over in one transaction: it is all there afterwards, or nothing is. The file is read, and left as it was
but for being brought to today's layout. No run may write meanwhile: the script holds the lock of each org of the file,
and waits for a run that has it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kustomer_pipeline.sync import StateError, StateStore
from kustomer_pipeline.sync.state.tables import metadata, schema_version

_AT_A_TIME = 1_000
TABLES = [table for table in metadata.sorted_tables if table is not schema_version]


def copy_state(source: StateStore, target: StateStore) -> dict[str, int]:
    """Copy every row; how many of each table. Raises StateError when the target holds something already."""
    with ExitStack() as locks, source.engine.connect() as reading:
        for org_id in _orgs(reading):
            locks.enter_context(source.lock(org_id))
        with target.engine.begin() as writing:
            for table in TABLES:
                if writing.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
                    raise StateError(f"The target has rows in {table.name} already: give it an empty database")
            return {table.name: _copy(table, reading, writing) for table in TABLES}


def _orgs(reading: sa.Connection) -> list[str]:
    known = sa.union(*(sa.select(table.c.org_id) for table in TABLES))
    return sorted(reading.execute(known).scalars())


def _copy(table: sa.Table, reading: sa.Connection, writing: sa.Connection) -> int:
    count = 0
    for rows in _rows(table, reading):
        writing.execute(sa.insert(table), rows)
        count += len(rows)
    if count and table.autoincrement_column is not None and writing.dialect.name == "postgresql":
        # The numbers came along: the next one is given after them.
        column = table.autoincrement_column
        counter = sa.func.pg_get_serial_sequence(table.name, column.name)
        writing.execute(sa.select(sa.func.setval(counter, sa.select(sa.func.max(column)).scalar_subquery())))
    return count


def _rows(table: sa.Table, reading: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    result = reading.execution_options(yield_per=_AT_A_TIME).execute(sa.select(table)).mappings()
    for part in result.partitions():
        yield [{name: _in_utc(value) for name, value in row.items()} for row in part]


def _in_utc(value: Any) -> Any:
    """SQLite gives moments back without their time zone, which is UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def main(arguments: list[str]) -> int:
    """The command; its exit status."""
    url = os.environ.get("KUSTOMER_STATE_URL", "")
    if len(arguments) != 1 or not Path(arguments[0]).is_file() or not url.startswith("postgresql"):
        print("Say the SQLite file as the only argument, and the PostgreSQL database in KUSTOMER_STATE_URL.")
        return 2
    try:
        with (
            StateStore.open(f"sqlite:///{Path(arguments[0]).absolute()}") as source,
            StateStore.open(url) as target,
        ):
            counts = copy_state(source, target)
    except StateError as error:
        print(error)
        return 1
    for name, count in counts.items():
        print(f"{count:>12,} {name}")
    print("Everything is there. Set KUSTOMER_STATE_URL for the runs, too, and put the file away.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
