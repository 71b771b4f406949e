"""The sensor starts a run when the watched table has changed or the last run failed; schedules are valid and off."""

import sqlite3
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.events import DagsterEvent, DagsterEventType

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.components.keys import table_key
from kustomer_pipeline.components.watching import Look
from kustomer_pipeline.resources import WarehouseResource
from kustomer_pipeline.warehouse import Watermark, open_engine

WATCH = {"table": "customers", "updated_at": "updated_at", "every": 90}


def definitions(**changes: object) -> dg.Definitions:
    return build_definitions([synced(**changes)])


def synced(**changes: object) -> ObjectSync:
    return ObjectSync.model_validate(
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


@pytest.fixture
def warehouse(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "warehouse.db", isolation_level=None)
    connection.execute("create table customers (email text, updated_at text)")
    connection.execute("insert into customers values ('jane@example.com', '2026-01-01 08:00:00')")
    return connection


class Ticker:
    """Evaluates the sensor as the daemon does: with the cursor that the last tick left, at a time of the test's."""

    def __init__(self, url: str, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cursor: str | None = None
        self.at = 1_767_250_000.0
        self.last_tick: float | None = None
        self.instance = instance
        self.resource = WarehouseResource(url=url)
        self.sensor = definitions().get_repository_def().get_sensor_def("customers_changed")
        monkeypatch.setattr("kustomer_pipeline.components.triggers.time.time", lambda: self.at)

    def tick(self, after: float = 90.0) -> dg.SensorResult:
        self.at += after
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"warehouse": self.resource}
        )
        context._last_tick_completion_time = self.last_tick  # Dagster's daemon gives it, its test helper cannot
        with context:
            result = self.sensor._raw_fn(context)  # called itself, it would want its resources as arguments
        assert isinstance(result, dg.SensorResult)
        self.cursor, self.last_tick = result.cursor, self.at
        return result

    def start(self, result: dg.SensorResult) -> dg.DagsterRun:
        """What the daemon does with a request: a run with its tags."""
        [request] = result.run_requests or []
        return self.instance.create_run_for_job(ticked, tags=request.tags, status=dg.DagsterRunStatus.STARTED)

    def end(self, run: dg.DagsterRun, event: DagsterEventType) -> None:
        """The run is over at the ticker's time."""
        self.instance.report_dagster_event(DagsterEvent(event.value, "ticked"), run.run_id, timestamp=self.at)


@dg.job
def ticked() -> None: ...


@pytest.fixture
def ticker(
    warehouse: sqlite3.Connection, tmp_path: Path, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> Ticker:
    return Ticker(f"sqlite:///{tmp_path / 'warehouse.db'}", ephemeral, monkeypatch)


def keys(result: dg.SensorResult) -> list[str | None]:
    return [request.run_key for request in result.run_requests or []]


def why_not(result: dg.SensorResult) -> str:
    assert keys(result) == []
    assert result.skip_reason is not None
    return str(result.skip_reason.skip_message)


def test_the_first_look_starts_a_run_and_remembers_what_it_saw(ticker: Ticker) -> None:
    [key] = keys(ticker.tick())
    seen = Look.from_json(ticker.cursor)
    assert seen is not None
    assert (seen.run_key, seen.attempt, seen.asked_at) == (key, 1, ticker.at)
    assert isinstance(seen.watermark, Watermark)
    assert (seen.watermark.max_updated_at, seen.watermark.count) == ("2026-01-01 08:00:00", 1)


def test_nothing_changed_starts_nothing_and_says_so(ticker: Ticker) -> None:
    ticker.tick()
    cursor = ticker.cursor
    assert why_not(ticker.tick()) == "customers has not changed: 1 rows, the newest from 2026-01-01 08:00:00"
    assert ticker.cursor == cursor


@pytest.mark.parametrize(
    "change",
    [
        "update customers set updated_at = '2026-01-02 08:00:00'",
        "update customers set updated_at = '2025-12-31 08:00:00'",  # a clock set back is a change too
        "insert into customers values ('joe@example.com', '2025-01-01 08:00:00')",  # written late
        "update customers set email = 'joe@example.com'",  # without another date
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


@pytest.mark.parametrize("cursor", ["", "2026-01-01", "[]", "{}", '{"watermark": "x"}'])
def test_a_cursor_that_somebody_wrote_by_hand_is_a_first_look(ticker: Ticker, cursor: str) -> None:
    ticker.cursor = cursor
    assert len(keys(ticker.tick())) == 1


def test_a_cursor_that_was_reset_starts_a_run_that_dagster_has_not_seen(ticker: Ticker) -> None:
    first = keys(ticker.tick())
    ticker.cursor = None
    second = keys(ticker.tick())
    assert len({*first, *second}) == 2


def test_the_same_tick_again_gives_the_same_run_key(ticker: Ticker) -> None:
    """The daemon may die between starting a run and saving the cursor: Dagster drops the second run."""
    first = keys(ticker.tick())
    ticker.cursor = ticker.last_tick = None
    assert keys(ticker.tick()) == first


# --- the run that was asked for ----------------------------------------------------------------------------------


def test_while_a_run_is_under_way_no_other_is_asked_for_and_no_change_is_lost(
    ticker: Ticker, warehouse: sqlite3.Connection
) -> None:
    run = ticker.start(ticker.tick())
    warehouse.execute("delete from customers")
    assert "under way; customers is looked at again afterwards" in why_not(ticker.tick())
    ticker.end(run, DagsterEventType.RUN_SUCCESS)
    assert len(keys(ticker.tick())) == 1


def test_a_run_that_never_ends_does_not_hold_up_the_sync_for_ever(
    ticker: Ticker, warehouse: sqlite3.Connection
) -> None:
    """Its process may be dead, and nobody there to say so."""
    ticker.start(ticker.tick())
    warehouse.execute("delete from customers")
    assert keys(ticker.tick(after=3500)) == []
    assert len(keys(ticker.tick(after=200))) == 1


def test_a_failed_run_is_tried_again_a_few_times_ever_later(ticker: Ticker) -> None:
    result = ticker.tick()
    for pause in (60, 240, 960):
        ticker.end(ticker.start(result), DagsterEventType.RUN_FAILURE)
        assert "the last run failed; it is tried again in" in why_not(ticker.tick(after=pause - 10))
        result = ticker.tick(after=20)
        assert len(keys(result)) == 1
    ticker.end(ticker.start(result), DagsterEventType.RUN_FAILURE)
    assert "has not changed" in why_not(ticker.tick(after=10_000))
    assert why_not(ticker.tick()).endswith("the last run failed, 4 times")


def test_what_changed_after_a_failure_is_run_at_once(ticker: Ticker, warehouse: sqlite3.Connection) -> None:
    ticker.end(ticker.start(ticker.tick()), DagsterEventType.RUN_FAILURE)
    warehouse.execute("delete from customers")
    assert len(keys(ticker.tick(after=1))) == 1


@pytest.mark.parametrize("event", [DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_CANCELED])
def test_a_run_that_succeeded_or_that_somebody_stopped_is_not_tried_again(
    ticker: Ticker, event: DagsterEventType
) -> None:
    ticker.end(ticker.start(ticker.tick()), event)
    assert "has not changed" in why_not(ticker.tick(after=2000))


def test_a_day_without_a_run_is_reason_enough(ticker: Ticker) -> None:
    """A row that was edited without its updated_at looks as before, however it is looked at."""
    ticker.end(ticker.start(ticker.tick()), DagsterEventType.RUN_SUCCESS)
    assert keys(ticker.tick(after=86_000)) == []
    assert len(keys(ticker.tick(after=500))) == 1
    assert keys(ticker.tick()) == []


def test_the_periodic_look_can_be_switched_off(ticker: Ticker) -> None:
    ticker.tick()
    ticker.sensor = (
        definitions(watch={**WATCH, "at_least_every": 0}).get_repository_def().get_sensor_def("customers_changed")
    )
    assert keys(ticker.tick(after=1_000_000)) == []


def test_a_missing_table_is_a_readable_error(ticker: Ticker, warehouse: sqlite3.Connection) -> None:
    warehouse.execute("drop table customers")
    with pytest.raises(dg.Failure, match="no such table: customers") as caught:
        ticker.tick()
    assert caught.value.__suppress_context__


def test_no_warehouse_is_an_error_that_names_the_variable(ticker: Ticker) -> None:
    ticker.resource = WarehouseResource()
    with pytest.raises(dg.Failure, match="WAREHOUSE_URL is not set"):
        ticker.tick()


# --- a query of the user's own, the metadata of the warehouse -----------------------------------------------------


def watching(ticker: Ticker, **watch: object) -> None:
    ticker.sensor = definitions(watch=watch).get_repository_def().get_sensor_def("customers_changed")


def test_another_answer_of_the_query_starts_a_run(ticker: Ticker, warehouse: sqlite3.Connection) -> None:
    warehouse.execute("create table loads (loaded_at text)")
    watching(ticker, query="select max(loaded_at) from loads")
    assert len(keys(ticker.tick())) == 1
    warehouse.execute("delete from customers")  # which the query does not ask about
    assert why_not(ticker.tick()) == "loads has not changed: the query of watch gives the same answer"
    warehouse.execute("insert into loads values ('2026-01-02')")
    assert len(keys(ticker.tick())) == 1
    assert keys(ticker.tick()) == []


def test_a_query_that_gives_several_rows_is_a_readable_error(ticker: Ticker, warehouse: sqlite3.Connection) -> None:
    warehouse.execute("insert into customers values ('joe@example.com', null)")
    watching(ticker, query="select email from customers")
    with pytest.raises(dg.Failure, match="The query of watch gives several rows"):
        ticker.tick()


def test_a_cursor_of_another_way_of_looking_starts_a_run_once(ticker: Ticker) -> None:
    ticker.tick()
    watching(ticker, query="select count(*) from customers")
    assert len(keys(ticker.tick())) == 1
    assert keys(ticker.tick()) == []


def test_another_commit_time_in_the_metadata_starts_a_run(ticker: Ticker, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite has none: a function of Snowflake's name stands for it."""
    commit = [1]

    def snowflakes(connection: sqlite3.Connection, record: object) -> None:
        connection.create_function("system$last_change_commit_time", 1, lambda table: commit[0])

    def opened(url: str) -> sa.Engine:
        engine = open_engine(url)
        sa.event.listen(engine, "connect", snowflakes)
        engine.dialect.name = "snowflake"
        return engine

    monkeypatch.setattr("kustomer_pipeline.components.triggers.open_engine", opened)
    watching(ticker, table="customers", by="metadata")
    assert len(keys(ticker.tick())) == 1
    assert why_not(ticker.tick()) == "customers has not changed: says the warehouse's metadata"
    commit[0] = 2
    assert len(keys(ticker.tick())) == 1


def test_metadata_of_a_warehouse_that_keeps_none_are_a_readable_error(ticker: Ticker) -> None:
    watching(ticker, table="customers", by="metadata")
    with pytest.raises(dg.Failure, match="sqlite does not tell when a table was last changed"):
        ticker.tick()


def test_metadata_of_a_warehouse_that_keeps_none_are_an_error_at_load_where_its_url_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://jane:hunter2@host/db")
    watch = {"table": "customers", "by": "metadata"}
    with pytest.raises(SyncConfigError, match=r"watch\.by: postgresql does not tell .* Write updated_at") as caught:
        definitions(watch=watch)
    assert "hunter2" not in str(caught.value)
    definitions(watch=watch, resource_keys={"warehouse": "snowflake"})  # whose URL is not this one
    monkeypatch.setenv("WAREHOUSE_URL", "snowflake://jane@account/crm")
    definitions(watch=watch)


@pytest.mark.parametrize(
    "query, table",
    [
        ("select max(loaded_at) from etl.loads", "etl.loads"),
        ("SELECT max(x)\nFROM `my-shop.etl`.loads where y = 1", "`my-shop.etl`.loads"),
        ('select 1 from "Odd Name".t', '"Odd Name".t'),
        ("select * from (select max(x) from a.b) as t", "a.b"),
        ("select max(extract(epoch from loaded_at)), ' from x ' -- from y\nfrom etl.loads", "etl.loads"),
    ],
)
def test_the_graph_shows_the_table_that_the_query_reads(query: str, table: str) -> None:
    sync = synced(watch={"query": query})
    assert sync.watch is not None
    assert sync.watch.table == table


def test_the_table_that_the_graph_shows_may_be_written_beside_the_query() -> None:
    sync = synced(watch={"query": "select etl.load_id()", "table": "crm.customers"})
    assert sync.watch is not None
    assert table_key(sync.watch).to_user_string() == "warehouse/crm/customers_table"


@pytest.mark.parametrize(
    "watch, said",
    [
        ({"query": "select max(x) from loads"}, "when the query of watch gives another answer"),
        ({"table": "c", "by": "metadata"}, "when the warehouse's metadata tell of a change"),
        (WATCH, "when updated_at, the number of rows or one of the newest rows has changed"),
    ],
)
def test_the_sensor_says_what_it_looks_at(watch: dict[str, object], said: str) -> None:
    sensor = definitions(watch=watch).get_repository_def().get_sensor_def("customers_changed")
    assert said in str(sensor.description)


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
