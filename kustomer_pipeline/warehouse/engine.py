"""The way to the database: URL → engine → one read-only connection, or one transaction; the errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from .drivers import install_hint, with_driver
from .errors import QueryError, WarehouseUnavailableError, WarehouseUrlError
from .md5 import give_md5
from .messages import foreign_message, message, without_password
from .out_of_range import decode, tolerate

_CONNECT_SECONDS = 20  # a sensor's tick ends after 60

# Databases that are a file: what they are called, and how their URL begins.
_FILES = {"sqlite": ("SQLite", "sqlite"), "duckdb": ("DuckDB", "duckdb")}
_NO_DRIVERS = ("builtins", "kustomer_pipeline", "pandas", "pyarrow", "sqlalchemy")
_EXAMPLES = "postgresql://user:password@host/database or sqlite:////path/to/file.db"


def open_engine(url: str) -> sa.Engine:
    """An engine for a SQLAlchemy URL. Connects to nothing yet, keeps no connection between two reads.

    A URL without a driver means that of the extra (`postgresql://`, `mysql://`, …), whatever the version of SQLAlchemy.

    Raises:
        WarehouseUrlError: not a URL, no driver for it, a part of it is missing or wrong, or a database in a file
            (SQLite, DuckDB) without the file.
    """
    try:
        parsed = with_driver(sa.make_url(url.strip()))
    except (exc.ArgumentError, ValueError):
        # Not repeated here: what cannot be parsed cannot be masked either.
        raise WarehouseUrlError(f"WAREHOUSE_URL is not a database URL; write for example {_EXAMPLES}") from None
    engine = _create(parsed, read_only=True)
    _require_file(engine)
    match engine.dialect.name:
        case "sqlite":
            sa.event.listen(engine, "connect", _prepare_sqlite)
        case "mysql" | "mariadb":
            sa.event.listen(engine, "connect", _prepare_mysql)
    if engine.driver == "psycopg":
        sa.event.listen(engine, "connect", tolerate)
    return engine


def _create(url: sa.URL, *, read_only: bool) -> sa.Engine:
    try:
        return sa.create_engine(url, poolclass=sa.NullPool, connect_args=_connect_args(url, read_only))
    except exc.NoSuchModuleError:
        raise WarehouseUrlError(
            f"WAREHOUSE_URL names a database that is not known here, {url.drivername!r}: "
            f"pip install {install_hint(url)}"
        ) from None
    except ImportError as error:
        driver = f"The driver {error.name!r}" if error.name else "A driver"
        raise WarehouseUrlError(
            f"{driver} for {url.drivername} is not installed: pip install {install_hint(url)}"
        ) from None
    except Exception as error:  # a dialect may look for credentials or files here, and raises whatever it likes
        raise WarehouseUrlError(
            f"WAREHOUSE_URL cannot be used for {url.drivername}: {without_password(url, error)} "
            f"({type(error).__name__})"
        ) from None


def _connect_args(url: sa.URL, read_only: bool) -> dict[str, Any]:
    dialect = url.get_backend_name()
    if dialect == "postgresql" and "psycopg" in url.drivername and "connect_timeout" not in url.query:
        return {"connect_timeout": _CONNECT_SECONDS}
    if dialect == "duckdb" and read_only and _is_file(url.database):
        return {"read_only": True}  # several processes may read the file at once, but not beside one that may write
    return {}


def table_uri(url: str, table: str) -> str | None:
    """Where a table is, for people and for Dagster's catalogue: `postgresql://host/database/crm.customers`.

    Without user, password and options. None for what is no URL.
    """
    try:
        parsed = sa.make_url(url.strip())
    except (exc.ArgumentError, ValueError):
        return None
    place = sa.URL.create(parsed.get_backend_name(), host=parsed.host, port=parsed.port, database=parsed.database)
    return f"{place.render_as_string()}/{table}"


@contextmanager
def connect(engine: sa.Engine, doing: str) -> Iterator[sa.Connection]:
    """A connection that is rolled back at the end; the driver's errors become ours: "… could not {doing}: …".

    Raises:
        WarehouseUrlError: the file is gone.
        WarehouseUnavailableError: no connection, or it broke.
        QueryError: the database refused what was asked, or its driver cannot convert a value of the answer.
    """
    with _connected(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
        try:
            yield connection
        except exc.DBAPIError as error:
            failure = WarehouseUnavailableError if error.connection_invalidated else QueryError
            raise failure(f"The warehouse {describe(engine)} could not {doing}: {message(engine, error)}") from None
        except (ValueError, ArithmeticError, NotImplementedError) as error:
            # Drivers raise these as they are, with the value in their text.
            raise QueryError(
                f"The warehouse {describe(engine)} could not {doing}: its driver {engine.driver} cannot convert a "
                f"value ({type(error).__name__}); leave its column out of the query, or cast it to text there"
            ) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] in _NO_DRIVERS:
                raise
            # Of a library beneath the driver, which the driver lets through: BigQuery's does so with a missing right.
            said = foreign_message(engine.url, error)
            raise QueryError(f"The warehouse {describe(engine)} could not {doing}: {said}") from None


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that may write: committed at the end, rolled back when an error leaves the body as it is.

    Raises:
        WarehouseUrlError: the file is gone.
        WarehouseUnavailableError: no connection.
    """
    dialect = engine.dialect.name
    with _connected(_create(engine.url, read_only=False) if dialect == "duckdb" else engine) as connection:
        if dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = OFF")  # of this connection; none is used twice
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # Python's driver begins none before it creates a table
        elif dialect in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION READ WRITE")
            connection.rollback()  # the transaction that has begun is read-only still
        yield connection
        connection.commit()


@contextmanager
def _connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    _require_file(engine)  # the driver would make an empty database of it
    try:
        connection = engine.connect()
    except exc.DBAPIError as error:
        raise WarehouseUnavailableError(
            f"Cannot connect to the warehouse {describe(engine)}: {message(engine, error)}"
        ) from None
    except Exception as error:  # of a library beneath the driver: no credentials, no answer, a file that is missing
        raise WarehouseUnavailableError(
            f"Cannot connect to the warehouse {describe(engine)}: {without_password(engine.url, error)} "
            f"({type(error).__name__})"
        ) from None
    with connection:
        yield connection


def describe(engine: sa.Engine) -> str:
    """The warehouse's URL for people: the password masked, the options (which may hold another) left out."""
    return engine.url.set(query={}).render_as_string(hide_password=True)


def _require_file(engine: sa.Engine) -> None:
    name, scheme = _FILES.get(engine.dialect.name, ("", ""))
    if not name:
        return
    database = engine.url.database
    if not database or database == ":memory:":
        raise WarehouseUrlError(f"WAREHOUSE_URL is {name} without a file; write {scheme}:////path/to/file.db")
    if _is_file(database) and not Path(database).is_file():
        raise WarehouseUrlError(f"There is no {name} file {Path(database).absolute()}; check the path in WAREHOUSE_URL")


def _is_file(database: str | None) -> bool:
    """Not SQLite's own URI, which says itself (mode=…) what may be created, nor MotherDuck, the DuckDB of the cloud."""
    return database is not None and not database.startswith(("file:", "md:", "motherduck:"))


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.text_factory = decode
    give_md5(connection)
    # Python's driver commits on its own before some statements; a rollback alone would not do.
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _prepare_mysql(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    # A TIMESTAMP is a moment, which the server writes in the session's time zone and without saying so.
    cursor.execute("SET time_zone = '+00:00'")
    with suppress(Exception):  # databases that speak MySQL's protocol (TiDB) may not have it
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
    cursor.close()
