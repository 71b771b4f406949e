"""URLs that cannot be used, and databases that do not answer: said in words that help."""

import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import registry

from kustomer_pipeline.warehouse import (
    QueryError,
    WarehouseUnavailableError,
    WarehouseUrlError,
    open_engine,
    read_frame,
)
from kustomer_pipeline.warehouse.drivers import with_driver
from kustomer_pipeline.warehouse.engine import connect


def test_a_sqlite_file_that_does_not_exist_is_named_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "typo.db"
    with pytest.raises(WarehouseUrlError, match=rf"no SQLite file {path}; check the path in WAREHOUSE_URL"):
        open_engine(f"sqlite:///{path}")
    assert not path.exists()


def test_a_sqlite_file_that_has_gone_is_not_created_again(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.unlink()
    with pytest.raises(WarehouseUrlError, match="There is no SQLite file"):
        read_frame(engine, "select 1 as a")
    assert not path.exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_sqlite_in_memory_is_no_warehouse(url: str) -> None:
    with pytest.raises(WarehouseUrlError, match="without a file"):
        open_engine(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("id,email\n" * 100)
    with pytest.raises(QueryError, match="file is not a database"):
        read_frame(open_engine(f"sqlite:///{path}"), "select * from customers")


@pytest.mark.parametrize("url", ["customers.db", "postgresql:/user:hunter2@host", "postgresql://host:port/db"])
def test_what_is_not_a_url_is_not_repeated(url: str) -> None:
    with pytest.raises(WarehouseUrlError, match="WAREHOUSE_URL is not a database URL") as caught:
        open_engine(url)
    assert url not in str(caught.value)


def test_a_missing_driver_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(WarehouseUrlError, match=r"pip install --editable '\.\[postgres\]'"):
        open_engine("postgresql://user@host/db")


@pytest.mark.parametrize(
    "scheme, packages",
    [
        ("snowflake", "snowflake-sqlalchemy"),
        ("bigquery", "sqlalchemy-bigquery"),
        ("databricks", "databricks-sqlalchemy"),
        ("redshift", "sqlalchemy-redshift psycopg2-binary"),
        ("redshift+psycopg2", "sqlalchemy-redshift psycopg2-binary"),
        ("redshift+redshift_connector", "sqlalchemy-redshift redshift-connector"),
        ("duckdb", "duckdb-sqlalchemy 'duckdb<2'"),
        ("trino", "'trino[sqlalchemy]'"),
        ("clickhouse", "clickhouse-connect"),
        ("clickhousedb", "clickhouse-connect"),
    ],
)
def test_a_missing_dialect_names_the_packages_to_install(
    monkeypatch: pytest.MonkeyPatch, scheme: str, packages: str
) -> None:
    def load(name: str) -> None:
        raise exc.NoSuchModuleError(name)

    monkeypatch.setattr(registry, "load", load)  # as where the package is not installed, whether or not it is here
    with pytest.raises(WarehouseUrlError) as caught:
        open_engine(f"{scheme}://user@host/db")
    assert f"pip install {packages}" in str(caught.value)


@pytest.mark.parametrize(
    "scheme, module, package",
    [
        ("mysql", "pymysql", "pymysql"),
        ("mysql+mysqldb", "MySQLdb", "mysqlclient"),
        ("mysql+pymysql", "pymysql", "pymysql"),
        ("mysql+mysqlconnector", "mysql", "mysql-connector-python"),
        ("mariadb+pymysql", "pymysql", "pymysql"),
        ("mssql", "pymssql", "pymssql"),
        ("mssql+pyodbc", "pyodbc", "pyodbc"),
        ("mssql+pymssql", "pymssql", "pymssql"),
        ("postgresql+psycopg2", "psycopg2", "psycopg2-binary"),
        ("oracle+oracledb", "oracledb", "oracledb"),
    ],
)
def test_a_missing_driver_names_the_package_of_that_driver(
    monkeypatch: pytest.MonkeyPatch, scheme: str, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(WarehouseUrlError) as caught:
        open_engine(f"{scheme}://user@host/db")
    assert str(caught.value).endswith(f"pip install {package}")


def test_a_dialect_that_does_not_say_which_driver_it_misses_is_not_quoted_with_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As sqlalchemy-redshift does it: its ImportError has no name."""

    def load() -> type:
        raise ImportError("no driver")

    monkeypatch.setitem(registry.impls, "redshift", load)
    with pytest.raises(WarehouseUrlError) as caught:
        open_engine("redshift://user@host/db")
    assert "None" not in str(caught.value)
    assert "pip install sqlalchemy-redshift psycopg2-binary" in str(caught.value)


def test_a_database_that_nobody_knows_is_said_to_be_unknown() -> None:
    with pytest.raises(WarehouseUrlError, match="'nosuchdb': pip install the package that brings"):
        open_engine("nosuchdb://host/db")


@pytest.mark.parametrize(
    "scheme, driver",
    [
        ("postgres", "psycopg"),
        ("postgresql", "psycopg"),
        ("postgresql+psycopg", "psycopg"),
        ("mysql", "pymysql"),
        ("mariadb", "pymysql"),
        ("mysql+pymysql", "pymysql"),
    ],
)
def test_a_url_without_a_driver_means_that_of_the_extra(scheme: str, driver: str) -> None:
    assert open_engine(f"{scheme}://user@host/db").driver == driver


@pytest.mark.parametrize(
    "scheme, usual, meant",
    [
        ("mysql", "MySQLdb", "mysql"),
        ("mssql", "pyodbc", "mssql"),
        ("clickhouse", "clickhouse_sqlalchemy", "clickhouse"),
    ],
)
def test_who_has_installed_the_usual_driver_keeps_it(
    monkeypatch: pytest.MonkeyPatch, scheme: str, usual: str, meant: str
) -> None:
    module = ModuleType(usual)
    module.__spec__ = ModuleSpec(usual, None)
    monkeypatch.setitem(sys.modules, usual, module)
    assert with_driver(sa.make_url(f"{scheme}://host/db")).drivername == meant


@pytest.mark.parametrize("scheme, meant", [("mssql", "mssql+pymssql"), ("clickhouse", "clickhousedb")])
def test_where_the_usual_driver_is_missing_a_url_means_that_of_the_extra(scheme: str, meant: str) -> None:
    assert with_driver(sa.make_url(f"{scheme}://host/db")).drivername == meant


def test_what_a_dialect_raises_before_it_connects_is_told_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """As BigQuery's looks for credentials when its engine is made."""

    def refuse(self: object, url: sa.URL) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/hunter2/key.json")

    monkeypatch.setattr("sqlalchemy.dialects.mysql.pymysql.MySQLDialect_pymysql.create_connect_args", refuse)
    said = r"cannot be used for mysql\+pymysql: .*No such file or directory: '/\*\*\*/key.json' \(FileNotFoundError\)"
    with pytest.raises(WarehouseUrlError, match=said) as caught:
        open_engine("mysql://jane:hunter2@host/db")
    assert "hunter2" not in str(caught.value)


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://jane:hunter2@/shop?host={tmp_path}&password=hunter3"
    with pytest.raises(
        WarehouseUnavailableError, match=r"Cannot connect to the warehouse .*jane:\*\*\*@/shop"
    ) as caught:
        read_frame(open_engine(url), "select 1 as a")
    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_a_library_beneath_the_driver_raises_is_told_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine("mysql://jane:hunter2@host/db")

    def refuse(*arguments: object, **options: object) -> None:
        raise RuntimeError("the key hunter2 has expired")

    monkeypatch.setattr(engine.dialect, "connect", refuse)
    with pytest.raises(
        WarehouseUnavailableError, match=r"jane:\*\*\*@host/db: the key \*\*\* has expired \(RuntimeError\)"
    ):
        read_frame(engine, "select 1 as a")


class Forbidden(Exception):
    """As BigQuery's own library raises it, and its driver lets it through."""


Forbidden.__module__ = "google.api_core.exceptions"


@pytest.mark.parametrize(
    "said, told",
    [
        (
            "403 Access Denied: Table crm.customers: no permission",
            "403 Access Denied: Table crm.customers: no permission",
        ),
        ("400 Could not cast value 'jane@example.com' to INT64", "400 Could not cast value '…' to INT64"),
        ("duplicate key\nDETAIL:  Key (email)=(jane@example.com) exists", "duplicate key"),
    ],
)
def test_what_a_library_lets_through_in_a_query_is_told_without_values(sqlite_url: str, said: str, told: str) -> None:
    with (
        pytest.raises(QueryError, match=rf"could not run the query: {re.escape(told)}$"),
        connect(open_engine(sqlite_url), "run the query"),
    ):
        raise Forbidden(said)


def test_a_mistake_of_our_own_is_not_taken_for_the_database_s(sqlite_url: str) -> None:
    with pytest.raises(TypeError, match="ours"), connect(open_engine(sqlite_url), "run the query"):
        raise TypeError("ours")


def test_white_space_around_the_url_does_no_harm(sqlite_url: str) -> None:
    assert len(read_frame(open_engine(f" {sqlite_url}\n"), "select 1 as a")) == 1
