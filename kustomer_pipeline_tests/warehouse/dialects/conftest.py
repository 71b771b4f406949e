"""An engine of each database that can be run here, and what makes it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import open_engine

from . import mariadb


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """The URL of a MariaDB for this test process."""
    program = mariadb.server()
    if program is None:
        reason = "mariadbd is not installed (Debian, Ubuntu: apt-get install mariadb-server-core)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with mariadb.running(program) as url:
        yield url


@pytest.fixture
def duckdb_url(tmp_path: Path) -> str:
    """The URL of a new, empty DuckDB database that exists."""
    import duckdb  # here: chDB and fakesnow live in an environment with another DuckDB

    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(path).close()
    return f"duckdb:///{path}"


@pytest.fixture
def clickhouse_url() -> Iterator[str]:
    """The URL of chDB: ClickHouse inside this process, whose tables are there as long as one connection is."""
    _require("chdb", "clickhouse_connect")
    url = "clickhousedb://localhost/default?interface=chdb"
    with sa.create_engine(url).connect():
        yield url


@pytest.fixture
def snowflake_url() -> Iterator[str]:
    """The URL of fakesnow: Snowflake's driver and SQL on DuckDB inside this process."""
    _require("fakesnow", "snowflake")
    fakesnow = importlib.import_module("fakesnow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fakesnow's own calls of DuckDB
        with fakesnow.patch():
            yield "snowflake://jane:hunter2@account/CRM/PUBLIC"


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> sa.Engine:
    """The warehouse's engine of the dialect that a test is parametrized with."""
    dialect = request.param
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}.get(dialect, f"{dialect}_url")
    return open_engine(request.getfixturevalue(name))


def _require(*modules: str) -> None:
    if missing := [module for module in modules if importlib.util.find_spec(module) is None]:
        pytest.skip(f"{' and '.join(missing)} cannot be imported here: make test-warehouses")
