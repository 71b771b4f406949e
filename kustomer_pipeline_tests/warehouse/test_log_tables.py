"""What became of the rows, in three tables of the warehouse; the same in SQLite and in PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import RUN_COLUMNS, LogTablesError, RunLog, open_engine, write_log

from .conftest import Statements

NOON = datetime(2026, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
COLUMNS = ["key", "outcome", "kustomer_id", "reason"]
Row = tuple[str, str | None, str | None, str | None]

CREATED: Row = ("C-1", "created", "id-1", None)
UNCHANGED: Row = ("C-2", "unchanged", "id-2", None)
INVALID: Row = ("C-3", "invalid", None, "email is missing")
REJECTED: Row = ("C-4", "rejected", "id-4", "Kustomer refused it: duplicate")


def frame(*rows: Row) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS).astype("string")


def run(*rows: Row, run_id: str = "run-1", sync: str = "customers", **changes: Any) -> RunLog:
    summary: dict[str, Any] = dict.fromkeys(RUN_COLUMNS, 0) | {"rows_read": len(rows), "interrupted": None}
    return replace(RunLog("org-1", sync, run_id, NOON, frame(*rows), frame(), summary), **changes)


class Warehouse:
    """The log of a warehouse, written and read."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.has_schemas = engine.dialect.name != "sqlite"

    def write(self, log: RunLog) -> None:
        write_log(self.engine, "kustomer_sync", log)

    def name(self, table: str) -> str:
        return f"kustomer_sync{'.' if self.has_schemas else '_'}{table}"

    def read(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        query = f"select {', '.join(columns) or '*'} from {self.name(table)}"
        with self.engine.connect() as connection:
            rows = [tuple(row) for row in connection.exec_driver_sql(query)]
        return sorted(rows, key=lambda row: [str(value) for value in row])

    def keys(self, table: str) -> list[str]:
        return sorted(row[0] for row in self.read(table, "row_key"))


@pytest.fixture(params=["sqlite", "postgres"])
def statements(request: pytest.FixtureRequest) -> Statements:
    made: Statements = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def warehouse(statements: Statements) -> Warehouse:
    return Warehouse(statements("create table customers (id text)"))


def test_one_line_per_attempted_record_and_one_per_run(warehouse: Warehouse) -> None:
    warehouse.write(run(CREATED, UNCHANGED, INVALID, REJECTED))
    assert warehouse.read("sync_log", "row_key", "org_id", "sync", "run_id", "outcome", "kustomer_id", "reason") == [
        ("C-1", "org-1", "customers", "run-1", "created", "id-1", None),
        ("C-3", "org-1", "customers", "run-1", "invalid", None, "email is missing"),
        ("C-4", "org-1", "customers", "run-1", "rejected", "id-4", "Kustomer refused it: duplicate"),
    ]
    assert warehouse.read("sync_runs", "run_id", "rows_read", "interrupted") == [("run-1", 4, None)]
    assert warehouse.keys("rejects") == ["C-3", "C-4"]


def test_times_are_utc(warehouse: Warehouse) -> None:
    warehouse.write(run(INVALID))
    for table in ("sync_log", "sync_runs", "rejects"):
        columns = [sa.column("at", sa.DateTime(timezone=True))]
        query = sa.select(*columns).select_from(sa.text(warehouse.name(table)))
        with warehouse.engine.connect() as connection:
            at = connection.execute(query).scalar_one()
        assert at.astimezone(UTC) == NOON if at.tzinfo else at == datetime(2026, 5, 1, 12, 0)


def test_runs_are_appended(warehouse: Warehouse) -> None:
    warehouse.write(run(CREATED))
    warehouse.write(run(("C-1", "updated", "id-1", None), run_id="run-2"))
    assert warehouse.read("sync_log", "run_id", "outcome") == [("run-1", "created"), ("run-2", "updated")]
    assert len(warehouse.read("sync_runs")) == 2


def test_a_row_that_is_put_right_or_gone_leaves_the_rejects(warehouse: Warehouse) -> None:
    warehouse.write(run(INVALID, REJECTED, ("C-5", "invalid", None, "email is missing")))
    warehouse.write(run(("C-3", "updated", "id-3", None), ("C-4", "rejected", None, "still"), run_id="run-2"))
    assert warehouse.read("rejects", "row_key", "run_id", "reason") == [("C-4", "run-2", "still")]


def test_a_refused_row_that_was_not_reached_stays_among_the_rejects(warehouse: Warehouse) -> None:
    warehouse.write(run(INVALID, REJECTED))
    warehouse.write(run(("C-3", "deferred", None, "limit"), ("C-4", "unchanged", "id-4", None), run_id="run-2"))
    assert warehouse.read("rejects", "row_key", "run_id", "outcome") == [("C-3", "run-1", "invalid")]


def test_syncs_and_orgs_do_not_touch_each_others_lines(warehouse: Warehouse) -> None:
    warehouse.write(run(INVALID))
    warehouse.write(run(REJECTED, sync="companies"))
    warehouse.write(run(REJECTED, org_id="org-2"))
    warehouse.write(run(run_id="run-2"))
    assert warehouse.read("rejects", "org_id", "sync", "row_key") == [
        ("org-1", "companies", "C-4"),
        ("org-2", "customers", "C-4"),
    ]
    assert len(warehouse.read("sync_log")) == 3
    assert len(warehouse.read("sync_runs")) == 4


def test_a_run_that_is_written_twice_is_there_once(warehouse: Warehouse) -> None:
    for _ in range(2):
        warehouse.write(run(CREATED, INVALID))
    assert warehouse.keys("sync_log") == ["C-1", "C-3"]
    assert warehouse.keys("rejects") == ["C-3"]
    assert len(warehouse.read("sync_runs")) == 1


def test_what_the_first_attempt_of_a_run_created_is_not_forgotten_by_its_second(warehouse: Warehouse) -> None:
    warehouse.write(run(CREATED, INVALID))
    warehouse.write(run(("C-1", "unchanged", "id-1", None), ("C-3", "updated", "id-3", None)))
    assert warehouse.read("sync_log", "row_key", "outcome") == [("C-1", "created"), ("C-3", "updated")]


def test_records_that_are_no_rows_of_the_run_are_logged_too(warehouse: Warehouse) -> None:
    warehouse.write(run(UNCHANGED, further=frame(("C-9", "removed", "id-9", None))))
    assert warehouse.read("sync_log", "row_key", "outcome") == [("C-9", "removed")]


def test_a_run_of_nothing_is_a_run(warehouse: Warehouse) -> None:
    warehouse.write(run())
    assert (len(warehouse.read("sync_log")), len(warehouse.read("sync_runs"))) == (0, 1)


def test_two_rows_of_one_key_are_two_lines(warehouse: Warehouse) -> None:
    for _ in range(2):
        warehouse.write(run(INVALID, INVALID))
    assert warehouse.keys("sync_log") == warehouse.keys("rejects") == ["C-3", "C-3"]


def test_a_row_without_an_outcome_is_not_lost(warehouse: Warehouse) -> None:
    warehouse.write(run(("C-1", None, None, None)))
    assert warehouse.read("sync_log", "row_key", "outcome") == [("C-1", None)]


def test_text_that_a_database_cannot_keep_is_put_right(warehouse: Warehouse) -> None:
    row: Row = ("C-\x001", "rejected", None, "x" * 5000)
    for _ in range(2):
        warehouse.write(run(row))
    [(key, reason)] = warehouse.read("sync_log", "row_key", "reason")
    assert (key, len(reason), reason[-1]) == ("C-1", 2000, "…")


def test_many_lines_go_in_parts(warehouse: Warehouse) -> None:
    warehouse.write(run(*((f"C-{n}", "invalid", None, "email is missing") for n in range(25_000))))
    assert len(warehouse.read("sync_log", "row_key")) == len(warehouse.read("rejects", "row_key")) == 25_000


def test_a_table_that_is_somebody_elses_is_not_touched(warehouse: Warehouse, statements: Statements) -> None:
    schema = ["create schema kustomer_sync"] if warehouse.has_schemas else []
    name = warehouse.name("sync_runs")
    statements(*schema, f"create table {name} (run_id text, at text)", f"insert into {name} values ('run-1', 'now')")
    with pytest.raises(
        LogTablesError, match=rf"a table {name} that is not the log of the syncs: it has no column org_id"
    ):
        warehouse.write(run(INVALID))
    assert warehouse.read("sync_runs", "run_id", "at") == [("run-1", "now")]


def test_a_run_is_written_whole_or_not_at_all(warehouse: Warehouse) -> None:
    warehouse.write(run(CREATED))
    summary = {**run().summary, "rows_read": object()}  # sync_runs is the last table to be written
    with pytest.raises(LogTablesError):
        warehouse.write(run(INVALID, REJECTED, run_id="run-2", summary=summary))
    assert warehouse.keys("sync_log") == ["C-1"]
    assert warehouse.keys("rejects") == []


def test_reading_the_warehouse_stays_read_only(warehouse: Warehouse) -> None:
    from kustomer_pipeline.warehouse import QueryError, read_frame

    warehouse.write(run(CREATED))
    with pytest.raises(QueryError):
        read_frame(warehouse.engine, f"delete from {warehouse.name('sync_log')}")
    assert warehouse.keys("sync_log") == ["C-1"]


def test_a_sqlite_file_that_may_not_be_written_is_said(sqlite: Statements, sqlite_url: str) -> None:
    sqlite("create table t (id text)")
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    engine = open_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(
        LogTablesError, match=r"readonly database\. For log_to the warehouse user needs the right to create tables"
    ):
        write_log(engine, "kustomer_sync", run(CREATED))


def test_a_sqlite_file_that_somebody_else_writes_is_no_matter_of_rights(sqlite: Statements) -> None:
    engine = sqlite("create table t (id text)")
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("pragma busy_timeout = 0"))
    with engine.connect() as other:
        other.exec_driver_sql("pragma query_only = off")
        other.exec_driver_sql("begin immediate")
        with pytest.raises(LogTablesError, match=r"database is locked\.$"):
            write_log(engine, "kustomer_sync", run(CREATED))


class TestRights:
    """PostgreSQL: each right that is missing is named, with the statement that gives it."""

    @pytest.fixture
    def as_reader(self, postgres: Statements, postgres_url: str) -> Warehouse:
        postgres("create table customers (id text)", "grant select on customers to reader")
        url = sa.make_url(postgres_url).set(username="reader")
        return Warehouse(open_engine(url.render_as_string(hide_password=False)))

    def refused(self, warehouse: Warehouse) -> str:
        with pytest.raises(LogTablesError) as caught:
            warehouse.write(run(INVALID))
        return str(caught.value)

    def test_to_make_the_schema(self, as_reader: Warehouse, postgres: Statements) -> None:
        message = self.refused(as_reader)
        assert "permission denied for database" in message
        assert "needs the right to create the schema kustomer_sync" in message
        postgres("create schema kustomer_sync authorization reader")  # as the message says
        assert "create schema kustomer_sync authorization reader" in message
        as_reader.write(run(INVALID))
        assert as_reader.keys("rejects") == ["C-3"]

    def test_to_make_the_tables(self, as_reader: Warehouse, postgres: Statements) -> None:
        postgres("create schema kustomer_sync")
        message = self.refused(as_reader)
        assert "needs the right to create tables in the schema kustomer_sync" in message
        postgres("grant usage, create on schema kustomer_sync to reader")
        assert "grant usage, create on schema kustomer_sync to reader" in message
        as_reader.write(run(INVALID))
        assert as_reader.keys("rejects") == ["C-3"]

    def test_to_write_into_tables_that_are_there(self, as_reader: Warehouse, postgres: Statements) -> None:
        write_log(postgres(), "kustomer_sync", run(CREATED))
        message = self.refused(as_reader)
        assert "needs the right to select, insert and delete in the tables of the schema kustomer_sync" in message
        grants = [
            "grant usage on schema kustomer_sync to reader",
            "grant select, insert, delete on all tables in schema kustomer_sync to reader",
        ]
        assert "; ".join(grants) in message
        postgres(*grants)
        as_reader.write(run(INVALID, run_id="run-2"))  # without the right to create anything
        assert as_reader.keys("sync_log") == ["C-1", "C-3"]

    def test_nothing_was_made_when_a_right_is_missing(self, as_reader: Warehouse, postgres: Statements) -> None:
        self.refused(as_reader)
        assert not sa.inspect(postgres()).has_schema("kustomer_sync")
