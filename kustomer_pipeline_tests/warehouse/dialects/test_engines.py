"""What is different from database to database, apart from types: files, rights to write, time zones, names, the log."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.sync import shard_number
from kustomer_pipeline.warehouse import (
    RUN_COLUMNS,
    LogTablesError,
    QueryError,
    RunLog,
    WarehouseUnavailableError,
    WarehouseUrlError,
    open_engine,
    part_of_query,
    read_frame,
    table_columns,
    watermark,
    write_log,
)
from kustomer_pipeline.warehouse.signals import answer_to

EMBEDDED = ["duckdb", "mariadb"]
ALL = [*EMBEDDED, "clickhouse", "snowflake"]
CREATE = {"clickhouse": "create table {} (id String, plan String, moved DateTime) engine = Memory"}
JANE = "jane@example.com"


@pytest.fixture(name="table")
def made(engine: sa.Engine) -> Iterator[str]:
    """A table of three rows; MariaDB's server and chDB outlive a test."""
    sql = CREATE.get(_name(engine), "create table {} (id varchar(20), plan varchar(20), moved timestamp)")
    rows = (
        "('1', 'free', '2024-05-01 10:00:00'), ('2', 'pro', '2024-05-01 11:00:00'), ('3', 'pro', '2024-05-01 09:00:00')"
    )
    with changing(engine) as connection:
        connection.exec_driver_sql("drop table if exists people")
        connection.exec_driver_sql(sql.format("people"))
        connection.exec_driver_sql(f"insert into people values {rows}")
    yield "people"
    with changing(engine) as connection:
        connection.exec_driver_sql("drop table if exists people")


@contextmanager
def changing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Somebody else's connection, who may write."""
    with sa.create_engine(engine.url, poolclass=sa.NullPool).begin() as connection:
        if _name(engine) == "mysql":
            connection.exec_driver_sql("set time_zone = '+00:00'")
        yield connection


def _name(engine: sa.Engine) -> str:
    return engine.dialect.name.removesuffix("db") if engine.dialect.name == "clickhousedb" else engine.dialect.name


def run_log(*keys: str) -> RunLog:
    rows = pd.DataFrame(
        {"key": keys, "outcome": "rejected", "kustomer_id": None, "reason": f"refused {JANE}"}, dtype="string"
    )
    summary = dict.fromkeys(RUN_COLUMNS, 0) | {"interrupted": None}
    return RunLog("org-1", "customers", "run-1", datetime(2026, 5, 1, tzinfo=UTC), rows, rows.iloc[:0], summary)


# --- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [*EMBEDDED, "clickhouse"], indirect=True)  # fakesnow has no to_number with a format
def test_a_part_of_the_rows_is_the_part_that_their_keys_have(engine: sa.Engine, table: str) -> None:
    of = 5
    sql = f"select id, concat(' Ä-', id) as name from {table}"
    for key in ("id", "name"):
        parts = [read_frame(engine, part_of_query(engine, sql, [key], n, of))[key].tolist() for n in range(of)]
        assert sum(map(len, parts)) == 3
        assert all(shard_number(value, ["externalId"], of) == n for n in range(of) for value in parts[n])


@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_rows_are_read_and_an_empty_result_keeps_its_columns(engine: sa.Engine, table: str) -> None:
    assert read_frame(engine, f"select id from {table} order by moved")["id"].tolist() == ["3", "1", "2"]
    assert list(read_frame(engine, f"select id, plan from {table} where id = 'x';").columns) == ["id", "plan"]


@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_a_percent_sign_and_a_colon_mean_what_they_mean_in_the_database(engine: sa.Engine, table: str) -> None:
    frame = read_frame(engine, f"select id from {table} where plan like '%r%' and plan <> ':plan %s'")
    assert sorted(frame["id"]) == ["1", "2", "3"]


@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_a_watermark_stays_until_something_changes(engine: sa.Engine, table: str) -> None:
    before = watermark(engine, table, "moved")
    assert before.count == 3
    assert str(before.max_updated_at).startswith("2024-05-01T11:00:00")
    assert watermark(engine, table, "moved") == before
    with changing(engine) as connection:
        connection.exec_driver_sql(f"insert into {table} values ('4', 'free', '2024-05-01 10:30:00')")
    assert watermark(engine, table, "moved") != before


@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_another_answer_to_a_query_is_another_signal(engine: sa.Engine, table: str) -> None:
    query = f"select max(moved), count(*) from {table}"
    before = answer_to(engine, query)
    assert answer_to(engine, query) == before
    with changing(engine) as connection:
        connection.exec_driver_sql(f"insert into {table} values ('4', 'free', '2024-05-01 10:30:00')")
    assert answer_to(engine, query) != before


@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_a_column_that_is_not_there_is_named(engine: sa.Engine, table: str) -> None:
    with pytest.raises(QueryError, match=r"(?i)could not run the query: .*emial"):
        read_frame(engine, f"select emial from {table}")


@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_a_value_that_cannot_be_cast_is_not_shown(engine: sa.Engine, table: str) -> None:
    casts = {
        "duckdb": ["cast(id as json)", "cast(id as int)", "cast(id as date)", "cast(id as uuid)", "id::int[]"],
        "mysql": ["exp(length(id) * 1e6)", "cast(id as uuid)", "inet6_aton(id) regexp '['"],
        "clickhousedb": ["toInt32(id)", "toUUID(id)", "toDate(id)", "cast(id, 'Decimal(4, 2)')"],
        "snowflake": ["id::int", "id::date", "parse_json(id)"],
    }
    with changing(engine) as connection:
        connection.exec_driver_sql(f"insert into {table} values ('{JANE}', '', '2024-05-01 11:00:00')")
    told = [_refusal(engine, f"select {cast} as n from {table}") for cast in casts[engine.dialect.name]]
    assert [text for text in told if text is not None and re.search("jane|example", text)] == []
    assert any(told)


def _refusal(engine: sa.Engine, query: str) -> str | None:
    try:
        read_frame(engine, query)
    except QueryError as error:
        return str(error).partition("could not run the query")[2]
    return None


@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_the_columns_of_a_table_are_found_for_the_scaffolding(engine: sa.Engine, table: str) -> None:
    assert table_columns(engine, table) == {"id": "str", "plan": "str", "moved": "datetime"}


# --- writing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", EMBEDDED, indirect=True)
@pytest.mark.parametrize("statement", ["delete from people", "insert into people values ('9', '', null)"])
def test_nothing_is_changed_by_a_query(engine: sa.Engine, table: str, statement: str) -> None:
    with pytest.raises(QueryError, match=r"(?i)read.?only"):
        read_frame(engine, statement)
    assert len(read_frame(engine, f"select id from {table}")) == 3


@pytest.mark.parametrize("engine", EMBEDDED, indirect=True)
def test_the_log_of_a_run_is_written_and_written_again_in_place(engine: sa.Engine) -> None:
    write_log(engine, "kustomer_sync", run_log("C-1", "C-2"))
    write_log(engine, "kustomer_sync", run_log("C-2", "C-3"))
    for table, keys in (("sync_log", ["C-1", "C-2", "C-3"]), ("rejects", ["C-2", "C-3"])):
        assert sorted(read_frame(engine, f"select row_key from kustomer_sync.{table}")["row_key"]) == keys
    with changing(engine) as connection:
        connection.exec_driver_sql("drop schema kustomer_sync" + (" cascade" if _name(engine) == "duckdb" else ""))


@pytest.mark.parametrize("engine", ["clickhouse"], indirect=True)
def test_clickhouse_keeps_no_log_and_says_so(engine: sa.Engine) -> None:
    with pytest.raises(LogTablesError, match=r"ClickHouse has no transactions.*leave log_to out"):
        write_log(engine, "kustomer_sync", run_log("C-1"))


# --- DuckDB -------------------------------------------------------------------------------------------------------


def test_a_duckdb_file_that_does_not_exist_is_named_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "typo.duckdb"
    with pytest.raises(WarehouseUrlError, match=rf"no DuckDB file {path}; check the path in WAREHOUSE_URL"):
        open_engine(f"duckdb:///{path}")
    assert not path.exists()


@pytest.mark.parametrize("url", ["duckdb://", "duckdb:///:memory:"])
def test_duckdb_in_memory_is_no_warehouse(url: str) -> None:
    with pytest.raises(WarehouseUrlError, match="DuckDB without a file; write duckdb:////path"):
        open_engine(url)


def test_motherduck_is_no_file() -> None:
    assert open_engine("duckdb:///md:shop").url.database == "md:shop"


def test_a_duckdb_file_may_be_read_by_several_processes_and_by_none_beside_one_that_writes(duckdb_url: str) -> None:
    path = duckdb_url.removeprefix("duckdb:///")
    for read_only in (True, False):
        hold = f"import duckdb; c = duckdb.connect({path!r}, read_only={read_only}); print('held', flush=True); input()"
        with subprocess.Popen(
            [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            engine = open_engine(duckdb_url)
            if read_only:
                assert len(read_frame(engine, "select 1 as a")) == 1
            else:
                with pytest.raises(WarehouseUnavailableError, match=r"Cannot connect to the warehouse duckdb.*lock"):
                    read_frame(engine, "select 1 as a")
            other.communicate("\n")


# --- MariaDB ------------------------------------------------------------------------------------------------------


def test_a_timestamp_of_mariadb_is_the_moment_that_it_is_whatever_the_zone_of_the_server(mariadb_url: str) -> None:
    """The server of the tests is in Tokyo: without more it would say 19:30."""
    assert read_frame(open_engine(mariadb_url), "select from_unixtime(1714559400) as v")["v"].tolist() == [
        pd.Timestamp("2024-05-01 10:30")
    ]


def test_only_the_row_of_a_date_of_zeros_is_no_date(mariadb_url: str) -> None:
    query = "select cast('0000-00-00' as date) as v union all select date '2024-05-01'"
    assert read_frame(open_engine(mariadb_url), query)["v"].tolist() == ["0000-00-00", "2024-05-01"]


def test_a_wrong_password_is_told_without_it(mariadb_url: str) -> None:
    with changing(open_engine(mariadb_url)) as connection:
        connection.exec_driver_sql("create user if not exists jane@localhost identified by 'secret'")
    url = sa.make_url(mariadb_url).set(username="jane", password="hunter2")
    with pytest.raises(WarehouseUnavailableError, match="Access denied for user 'jane'") as caught:
        read_frame(open_engine(url.render_as_string(hide_password=False)), "select 1 as a")
    assert "hunter2" not in str(caught.value)


# --- Snowflake ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["snowflake"], indirect=True)
def test_snowflake_s_names_in_capitals_are_small_letters_and_names_in_quotes_stay(engine: sa.Engine) -> None:
    frame = read_frame(engine, 'select 1 as id, 2 as Full_Name, 3 as "Mixed Case", 4 as "small"')
    assert list(frame.columns) == ["id", "full_name", "Mixed Case", "small"]


@pytest.mark.parametrize("engine", ["snowflake"], indirect=True)
@pytest.mark.parametrize("name", ["people", "PEOPLE", "public.people", "CRM.PUBLIC.PEOPLE"])
def test_a_table_of_snowflake_is_found_in_small_letters_and_in_capitals(
    engine: sa.Engine, table: str, name: str
) -> None:
    assert watermark(engine, name, "moved").count == 3
