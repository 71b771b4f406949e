"""Databases with something in them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import open_engine

Statements = Callable[..., sa.Engine]


@pytest.fixture
def sqlite(sqlite_url: str) -> Statements:
    """Run statements in a new SQLite database; the warehouse's own engine on it."""

    def run(*statements: str) -> sa.Engine:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        return open_engine(sqlite_url)

    return run


@pytest.fixture
def postgres(postgres_url: str) -> Statements:
    """The same in a new PostgreSQL database."""

    def run(*statements: str) -> sa.Engine:
        engine = sa.create_engine(postgres_url, poolclass=sa.NullPool).execution_options(no_parameters=True)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        return open_engine(postgres_url)

    return run
