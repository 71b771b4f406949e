"""The sensor starts a run when the watched table has changed, and only then; schedules are valid and off."""

import json
import sqlite3
from pathlib import Path

import dagster as dg
import pytest

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.resources import WarehouseResource

WATCH = {"table": "customers", "updated_at": "updated_at", "every": 90}


def definitions(**changes: object) -> dg.Definitions:
    sync = ObjectSync.model_validate(
        {
            "name": "customers",
            "object": "customers",
            "query": "select * from customers",
            "fields": {"email": "email"},
            "match_on": ["email"],
            "watch": WATCH,
            **changes,
        }
    )
    return build_definitions([sync])


@pytest.fixture
def warehouse(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "warehouse.db", isolation_level=None)
    connection.execute("create table customers (email text, updated_at text)")
    connection.execute("insert into customers values ('jane@example.com', '2026-01-01 08:00:00')")
    return connection


class Ticker:
    """Evaluates the sensor as the daemon does: with the cursor that the last tick left."""

    def __init__(self, url: str) -> None:
        self.cursor: str | None = None
        self.resource = WarehouseResource(url=url)
        self.sensor = definitions().get_repository_def().get_sensor_def("customers_changed")

    def tick(self) -> dg.SensorResult:
        with dg.build_sensor_context(cursor=self.cursor, resources={"warehouse": self.resource}) as context:
            result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return result


@pytest.fixture
def ticker(warehouse: sqlite3.Connection, tmp_path: Path) -> Ticker:
    return Ticker(f"sqlite:///{tmp_path / 'warehouse.db'}")


def keys(result: dg.SensorResult) -> list[str | None]:
    return [request.run_key for request in result.run_requests or []]


def test_the_first_look_starts_a_run_and_remembers_what_it_saw(ticker: Ticker) -> None:
    assert keys(ticker.tick()) == ["customers:2026-01-01 08:00:00:1:1"]
    assert json.loads(ticker.cursor or "") == {
        "max_updated_at": "2026-01-01 08:00:00",
        "count": 1,
        "changes": 1,
    }


def test_nothing_changed_starts_nothing_and_says_so(ticker: Ticker) -> None:
    ticker.tick()
    cursor = ticker.cursor
    result = ticker.tick()
    assert keys(result) == []
    assert result.skip_reason is not None
    assert result.skip_reason.skip_message == ("customers has not changed: 1 rows, the newest from 2026-01-01 08:00:00")
    assert ticker.cursor == cursor


@pytest.mark.parametrize(
    "change",
    [
        "update customers set updated_at = '2026-01-02 08:00:00'",
        "update customers set updated_at = '2025-12-31 08:00:00'",  # a clock set back is a change too
        "insert into customers values ('joe@example.com', '2025-01-01 08:00:00')",  # written late
        "delete from customers",
        "update customers set updated_at = null",
    ],
)
def test_any_difference_starts_a_run(ticker: Ticker, warehouse: sqlite3.Connection, change: str) -> None:
    ticker.tick()
    warehouse.execute(change)
    assert len(keys(ticker.tick())) == 1
    assert keys(ticker.tick()) == []


def test_a_table_that_returns_to_an_earlier_state_has_changed_again(
    ticker: Ticker, warehouse: sqlite3.Connection
) -> None:
    seen = keys(ticker.tick())
    for change in (
        "insert into customers values ('joe@example.com', '2025-01-01')",
        "delete from customers where email like 'joe%'",
    ):
        warehouse.execute(change)
        seen += keys(ticker.tick())
    assert len(set(seen)) == 3  # one run per key, says Dagster


@pytest.mark.parametrize("cursor", ["", "2026-01-01", "[]", "{}"])
def test_a_cursor_that_somebody_wrote_by_hand_is_a_first_look(ticker: Ticker, cursor: str) -> None:
    ticker.cursor = cursor
    assert len(keys(ticker.tick())) == 1


def test_the_same_tick_again_gives_the_same_run_key(ticker: Ticker) -> None:
    """The daemon may die between starting a run and saving the cursor: Dagster drops the second run."""
    first = keys(ticker.tick())
    ticker.cursor = None
    assert keys(ticker.tick()) == first


def test_a_missing_table_is_a_readable_error(ticker: Ticker, warehouse: sqlite3.Connection) -> None:
    warehouse.execute("drop table customers")
    with pytest.raises(dg.Failure, match="no such table: customers") as caught:
        ticker.tick()
    assert caught.value.__suppress_context__


def test_no_warehouse_is_an_error_that_names_the_variable(ticker: Ticker) -> None:
    ticker.resource = WarehouseResource()
    with pytest.raises(dg.Failure, match="WAREHOUSE_URL is not set"):
        ticker.tick()


def test_the_sensor_is_off_and_looks_as_often_as_written() -> None:
    sensor = definitions().get_repository_def().get_sensor_def("customers_changed")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert sensor.minimum_interval_seconds == 90
    assert sensor.job_name == "sync_customers"


def test_the_daily_schedule_runs_everything_at_six_and_is_off() -> None:
    schedule = definitions().get_repository_def().get_schedule_def("daily_sync")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "UTC")
    assert schedule.job_name == "sync_all"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_a_schedule_of_its_own_runs_the_sync() -> None:
    defs = definitions(schedule={"cron": "*/5 * * * *", "timezone": "Asia/Tokyo"})
    schedule = defs.get_repository_def().get_schedule_def("customers_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("*/5 * * * *", "Asia/Tokyo")
    assert schedule.job_name == "sync_customers"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_without_watch_and_schedule_there_is_neither() -> None:
    repository = definitions(watch=None).get_repository_def()
    assert list(repository.sensor_defs) == []
    assert [schedule.name for schedule in repository.schedule_defs] == ["daily_sync"]
