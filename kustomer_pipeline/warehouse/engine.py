"""The way to the database: URL → engine → one read-only connection, or one transaction; the errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from .errors import QueryError, WarehouseUnavailableError, WarehouseUrlError

_CONNECT_SECONDS = 20  # a sensor's tick ends after 60

_EXAMPLES = "postgresql://user:password@host/database or sqlite:////path/to/file.db"

# What to install for a dialect that SQLAlchemy does not bring along.
_PACKAGES = {
    "postgresql": "--editable '.[postgres]' (in the project's folder)",
    "mysql": "mysqlclient",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
    "redshift": "sqlalchemy-redshift",
    "databricks": "databricks-sqlalchemy",
}


def open_engine(url: str) -> sa.Engine:
    """An engine for a SQLAlchemy URL. Connects to nothing yet, keeps no connection between two reads.

    `postgresql://` means the driver that the extra `postgres` installs, whatever the version of SQLAlchemy.

    Raises:
        WarehouseUrlError: not a URL, no driver for it, or SQLite without a file.
    """
    try:
        parsed = sa.make_url(url.strip())
    except (exc.ArgumentError, ValueError):
        # Not repeated here: what cannot be parsed cannot be masked either.
        raise WarehouseUrlError(f"WAREHOUSE_URL is not a database URL; write for example {_EXAMPLES}") from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    dialect = parsed.get_backend_name()
    options = {}
    if dialect == "postgresql" and "psycopg" in parsed.drivername and "connect_timeout" not in parsed.query:
        options["connect_timeout"] = _CONNECT_SECONDS
    try:
        engine = sa.create_engine(parsed, poolclass=sa.NullPool, connect_args=options)
    except exc.NoSuchModuleError:
        package = _PACKAGES.get(dialect, "the package that brings its SQLAlchemy dialect")
        raise WarehouseUrlError(
            f"WAREHOUSE_URL names a database that is not known here, {dialect!r}: pip install {package}"
        ) from None
    except ImportError as error:
        package = _PACKAGES.get(dialect, "the package that brings it")
        raise WarehouseUrlError(
            f"The driver {error.name!r} for {parsed.drivername} is not installed: pip install {package}"
        ) from None
    if dialect == "sqlite":
        _require_file(engine)
        sa.event.listen(engine, "connect", _sqlite_read_only)
    return engine


@contextmanager
def connect(engine: sa.Engine, doing: str) -> Iterator[sa.Connection]:
    """A connection that is rolled back at the end; the driver's errors become ours: "… could not {doing}: …".

    Raises:
        WarehouseUrlError: the SQLite file is gone.
        WarehouseUnavailableError: no connection, or it broke.
        QueryError: the database refused what was asked.
    """
    with _connected(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
        try:
            yield connection
        except exc.DBAPIError as error:
            failure = WarehouseUnavailableError if error.connection_invalidated else QueryError
            raise failure(f"The warehouse {describe(engine)} could not {doing}: {message(engine, error)}") from None


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that may write: committed at the end, rolled back when an error leaves the body as it is.

    Raises:
        WarehouseUrlError: the SQLite file is gone.
        WarehouseUnavailableError: no connection.
    """
    with _connected(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = OFF")  # of this connection; none is used twice
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # Python's driver begins none before it creates a table
        yield connection
        connection.commit()


@contextmanager
def _connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    if engine.dialect.name == "sqlite":
        _require_file(engine)  # SQLite would make an empty database of it
    try:
        connection = engine.connect()
    except exc.DBAPIError as error:
        raise WarehouseUnavailableError(
            f"Cannot connect to the warehouse {describe(engine)}: {message(engine, error)}"
        ) from None
    with connection:
        yield connection


def describe(engine: sa.Engine) -> str:
    """The warehouse's URL for people: the password masked, the options (which may hold another) left out."""
    return engine.url.set(query={}).render_as_string(hide_password=True)


def _require_file(engine: sa.Engine) -> None:
    database = engine.url.database
    if not database or database == ":memory:":
        raise WarehouseUrlError("WAREHOUSE_URL is SQLite without a file; write sqlite:////path/to/file.db")
    if database.startswith("file:"):
        return  # SQLite's own URI, which says itself (mode=…) what may be created
    if not Path(database).is_file():
        raise WarehouseUrlError(f"There is no SQLite file {Path(database).absolute()}; check the path in WAREHOUSE_URL")


def _sqlite_read_only(connection: sa.engine.interfaces.DBAPIConnection, record: object) -> None:
    # Python's driver commits on its own before some statements; a rollback alone would not do.
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def message(engine: sa.Engine, error: exc.DBAPIError) -> str:
    """What the driver said, without the password and without the values of rows that it may quote."""
    text = str(error.orig).strip()
    # SQLite quotes the text it cannot decode; PostgreSQL (class 22) the value it cannot convert.
    text = re.sub(r"(Could not decode to UTF-8 column '[^']*') with text .*", r"\1", text, flags=re.DOTALL)
    if str(getattr(error.orig, "sqlstate", None) or "").startswith("22"):
        text = re.sub(r'"[^"]*"', '"…"', text)
    if engine.url.password:
        text = text.replace(str(engine.url.password), "***")
    return text or type(error.orig).__name__
