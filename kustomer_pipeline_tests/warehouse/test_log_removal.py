"""Lines that leave the log tables: of old runs, in small statements, and those of one person."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import LogTablesError, log_removal, open_engine, purge_log, remove_from_log
from kustomer_pipeline_tests.dying import KilledError

from .conftest import Statements
from .test_log_tables import CREATED, INVALID, REJECTED, Row, Warehouse, run

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
JANE = "jane@example.com"


@pytest.fixture(params=["sqlite", "postgres"])
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    statements: Statements = request.getfixturevalue(request.param)
    return Warehouse(statements("create table customers (id text)"))


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def purge(warehouse: Warehouse, days: float, org_id: str = "org-1") -> int:
    return purge_log(warehouse.engine, "kustomer_sync", org_id, days_ago(days))


def remove(warehouse: Warehouse, ids: list[str], keys: list[str], texts: list[str]) -> dict[str, int]:
    def without(reason: str) -> str:
        return re.sub("|".join(map(re.escape, texts)) or "(?!)", "(forgotten)", reason)

    return remove_from_log(
        warehouse.engine, "kustomer_sync", "org-1", ids, keys, lambda sync, _: sync == "customers", texts, without
    )


# --- by age ---------------------------------------------------------------------------------------------------


def test_old_runs_go_and_young_ones_stay(warehouse: Warehouse) -> None:
    for number, days in enumerate([100, 95, 10, 0]):
        warehouse.write(run(CREATED, REJECTED, run_id=f"run-{number}", at=days_ago(days)))
    assert purge(warehouse, 90) == 2
    assert warehouse.read("sync_runs", "run_id") == [("run-2",), ("run-3",)]
    assert {row[0] for row in warehouse.read("sync_log", "run_id")} == {"run-2", "run-3"}
    assert warehouse.keys("rejects") == ["C-4"]
    assert purge(warehouse, 90) == 0


def test_of_each_sync_the_newest_run_stays_and_what_a_running_sync_refuses(warehouse: Warehouse) -> None:
    warehouse.write(run(CREATED, run_id="old", sync="rests", at=days_ago(200)))
    warehouse.write(run(INVALID, run_id="newest", sync="rests", at=days_ago(100)))
    warehouse.write(run(REJECTED, run_id="young", at=days_ago(1)))
    assert purge(warehouse, 90) == 1
    assert warehouse.read("sync_runs", "run_id") == [("newest",), ("young",)]
    assert warehouse.keys("rejects") == ["C-4"]  # nobody says whether the other sync would still refuse its row


def test_another_org_is_not_touched(warehouse: Warehouse) -> None:
    for run_id in ("a", "b"):
        warehouse.write(run(CREATED, run_id=run_id, at=days_ago(100)))
    assert purge(warehouse, 0, org_id="org-2") == 0
    assert len(warehouse.read("sync_runs")) == 2


def test_a_large_run_goes_in_small_statements(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_removal, "_AT_ONCE", 10)
    rows: list[Row] = [(f"C-{n:03}", "created", f"id-{n}", None) for n in range(95)]
    warehouse.write(run(*rows, run_id="old", at=days_ago(100)))
    warehouse.write(run(CREATED, run_id="young", at=days_ago(0)))
    deleted: list[int] = []

    def note(connection: object, cursor: sa.CursorResult[object], statement: str, *_: object) -> None:
        if statement.lower().startswith("delete from") and "sync_log" in statement:
            deleted.append(cursor.rowcount)

    sa.event.listen(warehouse.engine, "after_cursor_execute", note)
    assert purge(warehouse, 90) == 1
    assert sum(deleted) == 95
    assert max(deleted) == 10
    assert warehouse.read("sync_log", "run_id") == [("young",)]


def test_killed_between_two_statements_the_next_one_finds_the_run_again(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_removal, "_AT_ONCE", 10)
    rows: list[Row] = [(f"C-{n:03}", "created", f"id-{n}", None) for n in range(35)]
    warehouse.write(run(*rows, run_id="old", at=days_ago(100)))
    warehouse.write(run(CREATED, run_id="young", at=days_ago(0)))

    def die(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.lower().startswith("delete from") and len(warehouse.read("sync_log")) == 26:
            raise KilledError

    sa.event.listen(warehouse.engine, "before_cursor_execute", die)
    with pytest.raises(KilledError):
        purge(warehouse, 90)
    sa.event.remove(warehouse.engine, "before_cursor_execute", die)
    assert len(warehouse.read("sync_log")) == 26
    assert purge(warehouse, 90) == 1
    assert len(warehouse.read("sync_log")) == 1


# --- of one person --------------------------------------------------------------------------------------------


def test_lines_go_by_record_and_by_key_of_the_sync(warehouse: Warehouse) -> None:
    warehouse.write(run(CREATED, INVALID, REJECTED, run_id="1"))
    warehouse.write(run((JANE, "updated", "id-1", None), INVALID, run_id="2", sync="other"))
    assert remove(warehouse, ["id-1"], ["C-3"], []) == {"sync_log": 3, "rejects": 1}
    assert warehouse.read("sync_log", "sync", "row_key") == [("customers", "C-4"), ("other", "C-3")]
    assert warehouse.read("rejects", "sync", "row_key") == [("customers", "C-4"), ("other", "C-3")]
    assert len(warehouse.read("sync_runs")) == 2


def test_reasons_of_other_rows_do_not_name_them(warehouse: Warehouse) -> None:
    warehouse.write(run(("C-9", "invalid", None, "email is also on row key C-3"), ("C-8", "invalid", None, "bad")))
    removed = remove(warehouse, [], [], ["C-3"])
    assert removed == {"sync_log": 1, "rejects": 1}
    for table in ("sync_log", "rejects"):
        assert warehouse.read(table, "row_key", "reason") == [
            ("C-8", "bad"),
            ("C-9", "email is also on row key (forgotten)"),
        ]


def test_without_tables_there_is_nothing_to_remove(warehouse: Warehouse) -> None:
    assert remove(warehouse, ["id-1"], ["C-1"], [JANE]) == {}


def test_a_right_that_is_missing_is_named(postgres: Statements, postgres_url: str) -> None:
    owner = Warehouse(postgres("create table customers (id text)"))
    owner.write(run(CREATED, run_id="old", at=days_ago(100)))
    owner.write(run(CREATED, run_id="young"))
    postgres(
        "grant usage on schema kustomer_sync to reader", "grant select on all tables in schema kustomer_sync to reader"
    )
    as_reader = open_engine(sa.make_url(postgres_url).set(username="reader").render_as_string(hide_password=False))
    with pytest.raises(LogTablesError, match=r"needs the right to select and delete.*grant select, insert, delete"):
        purge_log(as_reader, "kustomer_sync", "org-1", NOW)
