"""Which driver a database URL means, and what to install when it is not there: packages that exist.

mysql://…  →  mysql+pymysql://…, the driver of the extra `mysql`, unless SQLAlchemy's own choice is installed
"""

from __future__ import annotations

from importlib.util import find_spec

import sqlalchemy as sa

# What a URL without a driver means here. PostgreSQL's depends on the version of SQLAlchemy otherwise. The others are
# the drivers of our extras, which need no library of the system; who has installed the usual one (second) keeps it.
_MEANT = {
    "postgres": ("postgresql+psycopg", None),
    "postgresql": ("postgresql+psycopg", None),
    "mysql": ("mysql+pymysql", "MySQLdb"),
    "mariadb": ("mariadb+pymysql", "MySQLdb"),
    "mssql": ("mssql+pymssql", "pyodbc"),
    "clickhouse": ("clickhousedb", "clickhouse_sqlalchemy"),
}

# (dialect, driver as the URL says it, "" where it says none) → what to give to `pip install`
_PACKAGES = {
    ("postgresql", "psycopg"): "--editable '.[postgres]' (in the project's folder)",
    ("postgresql", "psycopg2"): "psycopg2-binary",
    ("postgresql", "pg8000"): "pg8000",
    ("mysql", ""): "pymysql",
    ("mysql", "mysqldb"): "mysqlclient",
    ("mysql", "pymysql"): "pymysql",
    ("mysql", "mysqlconnector"): "mysql-connector-python",
    ("mysql", "mariadbconnector"): "mariadb",
    ("mssql", ""): "pymssql",
    ("mssql", "pyodbc"): "pyodbc",
    ("mssql", "pymssql"): "pymssql",
    ("oracle", ""): "oracledb (and write oracle+oracledb:// in the URL)",
    ("oracle", "cx_oracle"): "cx-Oracle",
    ("oracle", "oracledb"): "oracledb",
    ("redshift", ""): "sqlalchemy-redshift psycopg2-binary",
    ("redshift", "psycopg2"): "sqlalchemy-redshift psycopg2-binary",
    ("redshift", "redshift_connector"): "sqlalchemy-redshift redshift-connector",
    ("duckdb", ""): "duckdb-sqlalchemy 'duckdb<2'",
    ("trino", ""): "'trino[sqlalchemy]'",
    ("clickhousedb", ""): "clickhouse-connect",
    ("snowflake", ""): "snowflake-sqlalchemy",
    ("bigquery", ""): "sqlalchemy-bigquery",
    ("databricks", ""): "databricks-sqlalchemy",
}
_SAME_DRIVERS = {"mariadb": "mysql"}


def with_driver(url: sa.URL) -> sa.URL:
    """The URL with the driver that it means, where it names none."""
    meant, usual = _MEANT.get(url.drivername, (url.drivername, None))
    return url if usual is not None and find_spec(usual) is not None else url.set(drivername=meant)


def install_hint(url: sa.URL) -> str:
    """The arguments of `pip install` that bring the dialect and the driver of a URL."""
    dialect, _, driver = url.drivername.partition("+")
    dialect = _SAME_DRIVERS.get(dialect, dialect)
    unknown = "the package that brings its SQLAlchemy dialect and driver"
    return _PACKAGES.get((dialect, driver)) or _PACKAGES.get((dialect, "")) or unknown
