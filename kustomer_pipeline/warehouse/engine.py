"""The way to the database: URL → engine → one read-only connection, or one transaction; the errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from .drivers import install_hint
from .errors import QueryError, WarehouseUnavailableError, WarehouseUrlError
from .messages import message
from .out_of_range import decode, tolerate

_CONNECT_SECONDS = 20  # a sensor's tick ends after 60

_EXAMPLES = "postgresql://user:password@host/database or sqlite:////path/to/file.db"


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
        raise WarehouseUrlError(
            f"WAREHOUSE_URL names a database that is not known here, {parsed.drivername!r}: "
            f"pip install {install_hint(parsed)}"
        ) from None
    except ImportError as error:
        driver = f"The driver {error.name!r}" if error.name else "A driver"
        raise WarehouseUrlError(
            f"{driver} for {parsed.drivername} is not installed: pip install {install_hint(parsed)}"
        ) from None
    if dialect == "sqlite":
        _require_file(engine)
        sa.event.listen(engine, "connect", _prepare_sqlite)
    if engine.driver == "psycopg":
        sa.event.listen(engine, "connect", tolerate)
    return engine


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
        WarehouseUrlError: the SQLite file is gone.
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


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.text_factory = decode
    # Python's driver commits on its own before some statements; a rollback alone would not do.
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()
