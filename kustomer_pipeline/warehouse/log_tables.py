"""What became of the rows, written back to the warehouse for analysts: three tables in a schema of their own.

    sync_log    one line per record that a run attempted
    sync_runs   one line per run
    rejects     the rows that are refused at the moment: a row that is put right, or gone, leaves

Where the database has schemas (PostgreSQL: kustomer_sync.sync_log) they are tables of that schema; in SQLite, which
has none, its name is the beginning of theirs (kustomer_sync_sync_log). Schema and tables are made when they are
missing. A run is written in one transaction, and again in place of itself when it is written twice. Rows are named by
their key (`row_key`, because `key` is a word of SQL); values of rows are never written. Times are UTC. How long lines
stay, and how those of one person go: log_removal.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import exc

from .engine import describe, transaction
from .errors import LogTablesError
from .messages import message
from .rights import Step, create_schema

_CHUNK = 10_000  # lines at a time
_REFUSED = ("invalid", "rejected")
_LENGTHS = {"org_id": 100, "sync": 255, "run_id": 255, "row_key": 1000, "outcome": 20, "kustomer_id": 100}
_REASON = 2000
_INDEXED = ("postgresql", "sqlite", "mysql", "mssql")  # column stores have no indexes, and need none

COUNTS = ("rows_read", "created", "updated", "unchanged", "skipped", "invalid", "rejected", "deferred")
RUN_COLUMNS = (*COUNTS, "removed", "removals_held", "api_requests", "seconds", "interrupted")

Line = dict[str, Any]


@dataclass(frozen=True)
class RunLog:
    """One run of one sync.

    `rows`: DataFrame with key, outcome, kustomer_id, reason of every row; those that are `unchanged` are not written.
    `further`: the same columns, of attempted records that are no rows of this run (a member who left the audience).
    `summary`: a value for each of RUN_COLUMNS; `at`: the end of the run, with a time zone.
    """

    org_id: str
    sync: str
    run_id: str
    at: datetime
    rows: pd.DataFrame
    further: pd.DataFrame
    summary: Mapping[str, int | float | str | None]


@dataclass(frozen=True)
class LogTables:
    """The three tables of one schema."""

    schema: str
    metadata: sa.MetaData
    sync_log: sa.Table
    sync_runs: sa.Table
    rejects: sa.Table

    @classmethod
    def of(cls, schema: str, dialect: str) -> LogTables:
        """Those of a schema, as the dialect has them."""
        has_schemas = dialect != "sqlite"
        metadata = sa.MetaData(schema=schema if has_schemas else None)
        prefix = "" if has_schemas else f"{schema}_"

        def table(name: str, *columns: sa.Column[Any]) -> sa.Table:
            built = sa.Table(f"{prefix}{name}", metadata, *map(_text, ("org_id", "sync", "run_id")), *columns)
            if dialect in _INDEXED:
                sa.Index(f"{built.name}_run", built.c.run_id)
            return built

        def lines(name: str) -> sa.Table:
            reason = sa.Column("reason", sa.String(_REASON))
            return table(name, *map(_text, ("row_key", "outcome", "kustomer_id")), reason, _at())

        runs = table("sync_runs", _at(), *(sa.Column(name, _run_type(name)) for name in RUN_COLUMNS))
        return cls(schema, metadata, lines("sync_log"), runs, lines("rejects"))

    @property
    def all(self) -> tuple[sa.Table, ...]:
        """The log, the runs, the rejects."""
        return self.sync_log, self.sync_runs, self.rejects


def write_log(engine: sa.Engine, schema: str, run: RunLog) -> None:
    """Append a run to the log, and bring the rejects of its sync up to date.

    A row that was refused before and not reached this time (deferred) stays among the rejects. Lines of the same run
    that were written before are replaced, except of records that this time needed nothing any more.

    Raises:
        LogTablesError: the database refuses it (the message says which right is needed) or has no transactions, or a
            table of that name is not ours.
        WarehouseUrlError, WarehouseUnavailableError: no connection.
    """
    if engine.dialect.name == "clickhousedb":
        raise LogTablesError("ClickHouse has no transactions to write the log of a run in: leave log_to out")
    tables = LogTables.of(schema, engine.dialect.name)
    with refusals(engine, schema) as step, transaction(engine) as connection:
        _create_missing(connection, tables, step)
        grant = f"grant usage on schema {schema} to {{user}}; "
        grant += f"grant select, insert, delete on all tables in schema {schema} to {{user}}"
        step.takes(f"select, insert and delete in the tables of the schema {schema}", grant)
        attempted = run.rows[(run.rows["outcome"] != "unchanged").fillna(True)]
        refused = run.rows[run.rows["outcome"].isin(_REFUSED).fillna(False)]
        deferred = set(run.rows.loc[(run.rows["outcome"] == "deferred").fillna(False), "key"].map(_clean))
        _replace_run(connection, tables.sync_log, run, pd.concat([attempted, run.further]))
        _replace_rejects(connection, tables.rejects, run, refused, deferred)
        connection.execute(_delete(tables.sync_runs, run, "run_id"))
        summary = {name: _cut(run.summary[name], _REASON) for name in RUN_COLUMNS}
        connection.execute(sa.insert(tables.sync_runs), [{**_of(run), **summary}])


@contextmanager
def refusals(engine: sa.Engine, schema: str) -> Iterator[Step]:
    """What the database refuses becomes an error that names the right which the current step needs."""
    step = Step(f"write to the schema {schema}")
    try:
        yield step
    except exc.DBAPIError as error:
        missing = step.missing(engine, error)
        advice = ""
        if missing is not None:
            advice = f" For log_to the warehouse user needs the right to {missing}; without log_to, reading is enough."
        raise LogTablesError(
            f"The warehouse {describe(engine)} refused the log of the run: {message(engine, error)}.{advice}"
        ) from None


def _create_missing(connection: sa.Connection, tables: LogTables, step: Step) -> None:
    """Look first: a user who may not create needs no such right once everything is there."""
    inspector = sa.inspect(connection)
    schema = tables.schema
    if tables.metadata.schema is not None:
        create_schema(connection, inspector, schema, step)
    for table in tables.all:
        if not inspector.has_table(table.name, table.schema):
            step.takes(f"create tables in the schema {schema}", f"grant usage, create on schema {schema} to {{user}}")
            table.create(connection)
        else:
            _require_ours(inspector, table)


def _require_ours(inspector: sa.Inspector, table: sa.Table) -> None:
    there = {column["name"].lower() for column in inspector.get_columns(table.name, table.schema)}
    missing = [column.name for column in table.columns if column.name not in there]
    if missing:
        raise LogTablesError(
            f"The warehouse has a table {table.fullname} that is not the log of the syncs: it has no column "
            f"{', '.join(missing)}. Nothing was written to it; name another schema in log_to, or rename that table."
        )


def _replace_run(connection: sa.Connection, table: sa.Table, run: RunLog, rows: pd.DataFrame) -> None:
    written = sa.select(table).where(*_where(table, run, "run_id"))
    before = [dict(line) for line in connection.execute(written).mappings()]
    if before:
        again = set(rows["key"].map(_clean))
        connection.execute(_delete(table, run, "run_id"))
        _insert(connection, table, (line for line in before if line["row_key"] not in again))
    _insert(connection, table, _lines(run, rows))


def _replace_rejects(
    connection: sa.Connection, table: sa.Table, run: RunLog, refused: pd.DataFrame, deferred: set[str]
) -> None:
    written = sa.select(table).where(*_where(table, run))
    before = [dict(line) for line in connection.execute(written).mappings()]
    connection.execute(_delete(table, run))
    again = set(refused["key"].map(_clean))
    _insert(
        connection, table, (line for line in before if line["row_key"] in deferred and line["row_key"] not in again)
    )
    _insert(connection, table, _lines(run, refused))


def _insert(connection: sa.Connection, table: sa.Table, lines: Iterable[Line]) -> None:
    chunk: list[Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == _CHUNK:
            connection.execute(sa.insert(table), chunk)
            chunk = []
    if chunk:
        connection.execute(sa.insert(table), chunk)


def _lines(run: RunLog, rows: pd.DataFrame) -> Iterator[Line]:
    same = _of(run)
    for start in range(0, len(rows), _CHUNK):
        part = rows.iloc[start : start + _CHUNK][["key", "outcome", "kustomer_id", "reason"]]
        plain = part.astype(object).where(part.notna(), None)
        for key, outcome, kustomer_id, reason in plain.itertuples(index=False, name=None):
            said = {"outcome": outcome, "kustomer_id": kustomer_id, "reason": _cut(reason, _REASON)}
            yield {**same, "row_key": _clean(key), **said}


def _of(run: RunLog) -> Line:
    return {"org_id": run.org_id, "sync": run.sync, "run_id": run.run_id, "at": run.at.astimezone(UTC)}


def _where(table: sa.Table, run: RunLog, *further: str) -> Sequence[sa.ColumnElement[bool]]:
    return [table.c[name] == getattr(run, name) for name in ("org_id", "sync", *further)]


def _delete(table: sa.Table, run: RunLog, *further: str) -> sa.Delete:
    return sa.delete(table).where(*_where(table, run, *further))


def _clean(key: str) -> str:
    """As a database can keep it: PostgreSQL takes no NUL, and no half of a surrogate pair."""
    return _cut(key, _LENGTHS["row_key"]) or ""


def _cut(value: Any, length: int) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _text(name: str) -> sa.Column[str]:
    # With a length: some databases give a text without one 256 characters, others cannot compare it.
    return sa.Column(name, sa.String(_LENGTHS[name]), nullable=name in ("outcome", "kustomer_id"))


def _at() -> sa.Column[datetime]:
    return sa.Column("at", sa.DateTime(timezone=True), nullable=False)


def _run_type(name: str) -> sa.types.TypeEngine[Any]:
    if name == "interrupted":
        return sa.String(_REASON)
    return sa.Float() if name == "seconds" else sa.Integer()
