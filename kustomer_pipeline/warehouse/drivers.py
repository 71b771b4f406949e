"""What to install for a database URL whose dialect or driver is not there. Every answer names packages that exist."""

from __future__ import annotations

import sqlalchemy as sa

# (dialect, driver as the URL says it, "" where it says none) → what to give to `pip install`
_PACKAGES = {
    ("postgresql", "psycopg"): "--editable '.[postgres]' (in the project's folder)",
    ("postgresql", "psycopg2"): "psycopg2-binary",
    ("postgresql", "pg8000"): "pg8000",
    ("mysql", ""): "mysqlclient",
    ("mysql", "mysqldb"): "mysqlclient",
    ("mysql", "pymysql"): "pymysql",
    ("mysql", "mysqlconnector"): "mysql-connector-python",
    ("mysql", "mariadbconnector"): "mariadb",
    ("mssql", ""): "pyodbc",
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
    ("clickhouse", ""): "clickhouse-connect (and write clickhousedb:// in the URL)",
    ("clickhousedb", ""): "clickhouse-connect",
    ("snowflake", ""): "snowflake-sqlalchemy",
    ("bigquery", ""): "sqlalchemy-bigquery",
    ("databricks", ""): "databricks-sqlalchemy",
}
_SAME_DRIVERS = {"mariadb": "mysql"}


def install_hint(url: sa.URL) -> str:
    """The arguments of `pip install` that bring the dialect and the driver of a URL."""
    dialect, _, driver = url.drivername.partition("+")
    dialect = _SAME_DRIVERS.get(dialect, dialect)
    unknown = "the package that brings its SQLAlchemy dialect and driver"
    return _PACKAGES.get((dialect, driver)) or _PACKAGES.get((dialect, "")) or unknown
