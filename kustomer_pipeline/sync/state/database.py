"""The database behind the repositories: a URL → an engine and a clock, and what both dialects share.

Every transaction is all or nothing, on SQLite too: Python's driver begins none before a change of tables, so it is told
when to begin.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kustomer_pipeline.kustomer import Clock

from .errors import DRIVER_ERRORS, StateError, readable_errors
from .file_rights import made_private

_VALUES_A_STATEMENT = 5_000  # SQLite allows 32,766 of them, PostgreSQL 65,535
_ROWS_A_STATEMENT = 20_000  # as JSON some megabytes
_ROWS = "rows_"
_TUPLES = 2_000  # so few that the garbage collector is not called for them
_SQLITE_PATIENCE_SECONDS = 60
WRITES = "kustomer_state_writes"
# A connection that holds the org's lock may be silent for minutes: the network is not to take it for dead.
_KEEPALIVES = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_LIBPQ = ("postgresql+psycopg", "postgresql+psycopg2")


@dataclass(frozen=True)
class Database:
    """An open database. `name`: its URL as it may be shown. `file`: where it is; None on a server, or in memory."""

    engine: sa.Engine
    clock: Clock
    name: str
    file: Path | None

    def now(self) -> datetime:
        """The clock's time."""
        return datetime.fromtimestamp(self.clock.time(), UTC)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read with. Raises StateError."""
        with readable_errors(self.name, "Reading"), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: everything in it becomes true together, or nothing does. Raises StateError."""
        with (
            readable_errors(self.name, "Writing to"),
            self.engine.connect() as connection,
            connection.execution_options(**{WRITES: True}).begin(),
        ):
            yield connection


def connect(url: str, clock: Clock) -> Database:
    """Connect. Raises StateError with what to do: in the driver's own words, since nothing of a row is involved yet."""
    parsed = _parsed(url)
    shown = parsed.set(query={}).render_as_string(hide_password=True)  # an option may be a password too
    engine = None
    try:
        if parsed.get_backend_name() == "sqlite":
            engine = _sqlite(parsed)
        else:
            options = _KEEPALIVES if parsed.drivername in _LIBPQ else {}
            engine = sa.create_engine(parsed, connect_args=options, hide_parameters=True, pool_pre_ping=True)
        with engine.connect() as connection:
            return Database(engine, clock, shown, made_private(_file(connection)))
    except (*DRIVER_ERRORS, OSError, ImportError) as error:
        if engine is not None:
            engine.dispose()
        said = str(getattr(error, "orig", None) or error).strip()
        if parsed.password:
            said = said.replace(parsed.password, "***")
        raise StateError(f"The state database {shown} cannot be opened: {said}") from None


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, each of another primary key, replacing those with the same one."""
    if rows:
        upsert_columns(connection, table, {name: [row[name] for row in rows] for name in rows[0]}, {})


def upsert_columns(
    connection: sa.Connection, table: sa.Table, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]
) -> None:
    """The same, of rows as columns of equal length; `same`: what all of them have in common.

    Of a million rows, SQLAlchemy's own way from values to parameters takes more time than the database does.
    """
    rows = len(next(iter(columns.values())))
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        statement = _postgresql_upsert(table, tuple(columns), tuple(same))
        for part in _json_rows(columns, rows):
            connection.execute(statement, {**same, _ROWS: part})
        return
    statement = _sqlite_upsert(table, (*columns, *same))
    values = {**columns, **{name: [value] for name, value in same.items()}}
    values |= {name: list(map(convert, values[name])) for name, convert in statement.moments.items()}
    values |= {name: list(values[name]) * rows for name in same}
    in_order = [values[name] for name in statement.order]
    connection.exec_driver_sql(statement.text, list(zip(*in_order, strict=True)))


@dataclass(frozen=True)
class _SqliteUpsert:
    """order: of the parameters. moments: the conversion of each column that holds them."""

    text: str
    order: Sequence[str]
    moments: Mapping[str, Callable[[Any], Any]]


def _upsert(table: sa.Table, statement: Any, names: Sequence[str]) -> Any:
    keys = [column.name for column in table.primary_key.columns]
    replaced = {name: statement.excluded[name] for name in names if name not in keys}
    if not replaced:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=replaced)


@lru_cache
def _sqlite_upsert(table: sa.Table, names: tuple[str, ...]) -> _SqliteUpsert:
    dialect = sqlite.dialect(paramstyle="qmark")
    compiled = _upsert(table, sqlite.insert(table), names).compile(dialect=dialect, column_keys=names)
    moments = [name for name in names if isinstance(table.c[name].type, sa.DateTime)]
    converters = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in moments}
    return _SqliteUpsert(str(compiled), compiled.positiontup, {name: c for name, c in converters.items() if c})


@lru_cache
def _postgresql_upsert(table: sa.Table, names: tuple[str, ...], same: tuple[str, ...]) -> Any:
    """One statement for many rows, which come as one JSON text: a statement a row takes ten times as long."""
    columns = [sa.column(name, table.c[name].type) for name in names]
    text = sa.cast(sa.bindparam(_ROWS, type_=sa.Text), postgresql.JSON)
    rows = sa.func.json_to_recordset(text).table_valued(*columns).render_derived("rows_", with_types=True)
    in_common = (sa.bindparam(name, type_=table.c[name].type) for name in same)
    selected = sa.select(*(rows.c[name] for name in names), *in_common)
    return _upsert(table, postgresql.insert(table).from_select([*names, *same], selected), (*names, *same))


def _json_rows(columns: Mapping[str, Sequence[Any]], rows: int) -> Iterator[str]:
    """A JSON text for so many rows at once; what is not there is null."""
    named = {name: column for name, column in columns.items() if any(value is not None for value in column)}
    for start in range(0, rows, _ROWS_A_STATEMENT):
        parts = [column[start : start + _ROWS_A_STATEMENT] for column in named.values()]
        yield json.dumps([dict(zip(named, row, strict=True)) for row in zip(*parts, strict=True)], default=_moment)


def _moment(value: datetime) -> str:
    return value.isoformat()


def in_parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values in parts that fit a statement."""
    for start in range(0, len(values), _VALUES_A_STATEMENT):
        yield values[start : start + _VALUES_A_STATEMENT]


def tuples_of(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows of a query, some thousands at once, as the driver gives them: SQLite has no truth values, no moments."""
    if connection.dialect.name == "sqlite":
        result = connection.execute(query)
        yield from iter(lambda: result.cursor.fetchmany(_TUPLES), [])
    else:
        with connection.execute(query, execution_options={"yield_per": _ROWS_A_STATEMENT}) as result:
            yield from result.partitions()


def storable(text: str | None) -> str | None:
    """Words of Kustomer's as any database can keep them: half characters and NULs it may have sent are left out."""
    return text and text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # a port that is no number; the text may hold a part of the password
        raise StateError("The state's URL is not a database URL such as sqlite:///state.db") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StateError(f"State is kept in SQLite or PostgreSQL, not in {parsed.get_backend_name()}")
    return parsed


def _sqlite(url: sa.URL) -> sa.Engine:
    options: dict[str, Any] = {"connect_args": {"timeout": _SQLITE_PATIENCE_SECONDS}}
    if url.database in (None, "", ":memory:"):  # one connection for all threads: another would be another database
        options = {"poolclass": sa.StaticPool, "connect_args": {"check_same_thread": False}}
    elif url.database and not url.database.startswith("file:"):
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, hide_parameters=True, **options)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """WAL: readers (an analyst, the plan) never block the writer. FULL: an acknowledged commit survives a power cut."""
    connection.isolation_level = None  # the driver begins nothing by itself: _begin_sqlite does
    cursor = connection.cursor()
    in_wal_mode(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def in_wal_mode(cursor: Any) -> None:
    """Two processes that open a new file at once: SQLite refuses one of them without waiting, so this waits."""
    end = time.monotonic() + _SQLITE_PATIENCE_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.05)


def _begin_sqlite(connection: sa.Connection) -> None:
    """Who is going to write waits for the other writers now: later, after having read, SQLite would refuse at once."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _file(connection: sa.Connection) -> Path | None:
    if connection.dialect.name != "sqlite":
        return None
    file = connection.execute(sa.text("select file from pragma_database_list where name = 'main'")).scalar()
    return Path(file) if file else None
