"""URLs that cannot be used, and databases that do not answer: said in words that help."""

import sys
from pathlib import Path

import pytest
from sqlalchemy.dialects import registry

from kustomer_pipeline.warehouse import (
    QueryError,
    WarehouseUnavailableError,
    WarehouseUrlError,
    open_engine,
    read_frame,
)


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
def test_a_missing_dialect_names_the_packages_to_install(scheme: str, packages: str) -> None:
    with pytest.raises(WarehouseUrlError) as caught:
        open_engine(f"{scheme}://user@host/db")
    assert f"pip install {packages}" in str(caught.value)


@pytest.mark.parametrize(
    "scheme, module, package",
    [
        ("mysql", "MySQLdb", "mysqlclient"),
        ("mysql+pymysql", "pymysql", "pymysql"),
        ("mysql+mysqlconnector", "mysql", "mysql-connector-python"),
        ("mariadb+pymysql", "pymysql", "pymysql"),
        ("mssql", "pyodbc", "pyodbc"),
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


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_means_the_driver_of_the_extra(scheme: str) -> None:
    assert open_engine(f"{scheme}://user@host/db").driver == "psycopg"


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://jane:hunter2@/shop?host={tmp_path}&password=hunter3"
    with pytest.raises(
        WarehouseUnavailableError, match=r"Cannot connect to the warehouse .*jane:\*\*\*@/shop"
    ) as caught:
        read_frame(open_engine(url), "select 1 as a")
    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_white_space_around_the_url_does_no_harm(sqlite_url: str) -> None:
    assert len(read_frame(open_engine(f" {sqlite_url}\n"), "select 1 as a")) == 1
