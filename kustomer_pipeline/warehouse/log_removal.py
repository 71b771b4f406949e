"""Lines that leave the log tables of a warehouse: those that are old, and those of one person.

Old lines go run by run, some thousands in a statement, each a transaction of its own: whoever reads or writes the
tables at the same time never waits long.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

import sqlalchemy as sa

from .engine import transaction
from .log_tables import LogTables, refusals

_AT_ONCE = 5_000  # lines
_RUNS_AT_ONCE = 50  # what one call removes at most, besides the lines of the runs
_VALUES = 1_000  # in one statement


def purge_log(engine: sa.Engine, schema: str, org_id: str, before: datetime) -> int:
    """Remove the lines of runs of this org, of any sync, that ended before; how many runs. The newest run of each sync
    stays. Of very many old runs the oldest go first, and the others with the next calls.

    Raises:
        LogTablesError: the database refuses it; the message says which right is needed.
        WarehouseUrlError, WarehouseUnavailableError: no connection.
    """
    tables = LogTables.of(schema, engine.dialect.name)
    runs = tables.sync_runs
    newest = sa.select(runs.c.sync, sa.func.max(runs.c.at).label("at")).where(runs.c.org_id == org_id)
    newest_of = newest.group_by(runs.c.sync).subquery("newest")
    old = (
        sa.select(runs.c.sync, runs.c.run_id, runs.c.at)
        .join(newest_of, newest_of.c.sync == runs.c.sync)
        .where(runs.c.org_id == org_id, runs.c.at < before, runs.c.at < newest_of.c.at)
        .order_by(runs.c.at)
        .limit(_RUNS_AT_ONCE)
    )
    with refusals(engine, schema) as step:
        step.takes(f"select and delete in the tables of the schema {schema}", _grant(schema))
        with transaction(engine) as connection:
            found = [(row.sync, row.run_id) for row in connection.execute(old)]
            _remove_rejects_of_syncs_that_rest(connection, tables, org_id, before)
        for sync, run_id in found:
            _remove_run(engine, tables, (org_id, sync, run_id))
    return len(found)


def remove_from_log(
    engine: sa.Engine,
    schema: str,
    org_id: str,
    kustomer_ids: Collection[str],
    keys: Collection[str],
    is_theirs: Callable[[str, str], bool],
    texts: Collection[str],
    without_name: Callable[[str], str],
) -> dict[str, int]:
    """Remove the lines of one person, and their name from the reasons of other lines: table → how many lines.

    kustomer_ids: their records. keys: of their rows, of which `is_theirs(sync, key)` says whether it is. texts: what a
    reason may have in it that names them; `without_name` takes it out. Nothing is done where there are no such tables.

    Raises: see purge_log.
    """
    tables = LogTables.of(schema, engine.dialect.name)
    removed = {}
    with refusals(engine, schema) as step, transaction(engine) as connection:
        step.takes(f"select, insert and delete in the tables of the schema {schema}", _grant(schema))
        inspector = sa.inspect(connection)
        for name, table in (("sync_log", tables.sync_log), ("rejects", tables.rejects)):
            if not inspector.has_table(table.name, table.schema):
                continue
            theirs = _keys_of(connection, table, org_id, keys, is_theirs)
            conditions: list[sa.ColumnElement[bool]] = [table.c.kustomer_id.in_(part) for part in _parts(kustomer_ids)]
            for sync in sorted({sync for sync, _ in theirs}):
                of_sync = [key for named, key in theirs if named == sync]
                conditions += [sa.and_(table.c.sync == sync, table.c.row_key.in_(part)) for part in _parts(of_sync)]
            mine = table.c.org_id == org_id
            removed[name] = 0
            for condition in conditions:
                count = sa.select(sa.func.count()).select_from(table).where(mine, condition)
                removed[name] += int(connection.execute(count).scalar_one())
                connection.execute(sa.delete(table).where(mine, condition))
            removed[name] += _scrub(connection, table, org_id, texts, without_name)
    return removed


def _remove_rejects_of_syncs_that_rest(
    connection: sa.Connection, tables: LogTables, org_id: str, before: datetime
) -> None:
    """What a sync refuses at the moment stays as long as it runs."""
    runs, rejects = tables.sync_runs, tables.rejects
    runs_still = sa.select(runs.c.sync).where(runs.c.org_id == org_id, runs.c.at >= before)
    connection.execute(sa.delete(rejects).where(rejects.c.org_id == org_id, rejects.c.sync.not_in(runs_still)))


def _remove_run(engine: sa.Engine, tables: LogTables, run: tuple[str, str, str]) -> None:
    """The lines of a run first, then the run: killed in between, the next call finds it again."""
    log = tables.sync_log
    next_page = sa.select(log.c.row_key).where(_of(log, run)).order_by(log.c.row_key)
    while True:
        with transaction(engine) as connection:
            last = connection.execute(next_page.offset(_AT_ONCE - 1).limit(1)).scalar()
            page = _of(log, run) if last is None else sa.and_(_of(log, run), log.c.row_key <= last)
            connection.execute(sa.delete(log).where(page))
            if last is None:
                connection.execute(sa.delete(tables.sync_runs).where(_of(tables.sync_runs, run)))
                return


def _keys_of(
    connection: sa.Connection,
    table: sa.Table,
    org_id: str,
    keys: Collection[str],
    is_theirs: Callable[[str, str], bool],
) -> set[tuple[str, str]]:
    """(sync, key) of the lines that are theirs."""
    found: set[tuple[str, str]] = set()
    for part in _parts(keys):
        query = sa.select(table.c.sync, table.c.row_key).where(table.c.org_id == org_id, table.c.row_key.in_(part))
        rows = connection.execute(query.distinct()).all()
        found |= {(sync, key) for sync, key in rows if is_theirs(sync, key)}
    return found


def _scrub(
    connection: sa.Connection,
    table: sa.Table,
    org_id: str,
    texts: Collection[str],
    without_name: Callable[[str], str],
) -> int:
    """Written anew instead of changed, which is a right that the log does not need otherwise."""
    scrubbed = 0
    for text in sorted(texts):
        named = sa.and_(table.c.org_id == org_id, table.c.reason.contains(text, autoescape=True))
        for reason in connection.execute(sa.select(table.c.reason).where(named).distinct()).scalars().all():
            if (without := without_name(reason)) == reason:
                continue
            same = sa.and_(table.c.org_id == org_id, table.c.reason == reason)
            lines = [
                {**line, "reason": without} for line in connection.execute(sa.select(table).where(same)).mappings()
            ]
            connection.execute(sa.delete(table).where(same))
            connection.execute(sa.insert(table), lines)
            scrubbed += len(lines)
    return scrubbed


def _of(table: sa.Table, run: tuple[str, str, str]) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == value for name, value in zip(("org_id", "sync", "run_id"), run, strict=True)))


def _parts(values: Collection[str]) -> list[list[str]]:
    ordered = sorted(values)
    return [ordered[start : start + _VALUES] for start in range(0, len(ordered), _VALUES)]


def _grant(schema: str) -> str:
    grant = f"grant usage on schema {schema} to {{user}}; "
    return grant + f"grant select, insert, delete on all tables in schema {schema} to {{user}}"
