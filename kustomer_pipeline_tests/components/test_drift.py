"""`drift: {every, sample}` in Dagster: an asset, its check, a job, a schedule, a page with the last looks drawn."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator

from kustomer_pipeline import AudienceSync, ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError

from .pipeline import CUSTOMERS, VIP, Pipeline, Run, people

NO_DRIFT = "kustomer/customers_drift:no_drift"


def watched(sync: Any = CUSTOMERS, **changes: Any) -> Any:
    """The same sync, which looks for drift."""
    own = {"drift": {"every": "1d", "sample": "all"}} | changes
    return type(sync).model_validate(sync.model_dump(exclude_unset=True) | own)


def edit(pipeline: Pipeline, key: str, **attributes: Any) -> str:
    """An agent changes a customer; its id."""
    [id_] = [id_ for id_, one in pipeline.sandbox.customers.items() if one["externalId"] == key]
    pipeline.sandbox.agent_edit(id_, **attributes)
    return id_


def names(definitions: dg.Definitions) -> set[str]:
    repository = definitions.get_repository_def()
    found = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    found |= {job.name for job in repository.get_all_jobs()} | {one.name for one in repository.schedule_defs}
    return {name for name in found if "drift" in name}


def test_only_a_sync_that_asks_for_it_has_any_of_it() -> None:
    assert names(build_definitions([CUSTOMERS, VIP])) == set()
    both: list[ObjectSync | AudienceSync] = [watched(), watched(VIP)]
    assert names(build_definitions(both)) == {
        *("kustomer/customers_drift", "drift_customers", "customers_drift_schedule"),
        *("kustomer/vip_drift", "drift_vip", "vip_drift_schedule"),
    }


@pytest.mark.parametrize("compare", ["embedded", "in_warehouse"])
def test_a_look_is_an_asset_with_a_check_and_a_page(pipeline: Pipeline, compare: str) -> None:
    sync = watched(compare=compare, on_drift="accept", on_deleted="forget")
    pipeline.customers(people(8))
    assert pipeline.run("sync_customers", sync).success
    quiet = pipeline.run("drift_customers", sync)
    assert quiet.checks()[NO_DRIFT].passed
    assert quiet.metadata("kustomer/customers_drift")["looked_at"] == 8
    edit(pipeline, "C-1", name="Jane Doe", custom={"planStr": "secret"})
    pipeline.sandbox.agent_delete(edit(pipeline, "C-2"))
    pipeline.sandbox.clear_requests()
    run = pipeline.run("drift_customers", sync)
    assert run.success
    assert run.failed_checks() == {NO_DRIFT: "WARN"}
    check = run.checks()[NO_DRIFT]
    assert check.description == (
        "2 of 8 records are not as accepted: 1 changed, 1 deleted. Fields: name (1), custom.planStr (1)."
    )
    metadata = run.metadata("kustomer/customers_drift")
    counted = ("accepted", "looked_at", "drifted", "changed", "deleted", "fields_accepted", "forgotten")
    assert [metadata[name] for name in counted] == [8, 8, 2, 1, 1, 2, 1]
    assert metadata["api_requests"] <= len(pipeline.sandbox.requests)
    assert "2 of 8 customers looked at are not as they were accepted." in metadata["summary"]
    assert "![Drift of the last 2 runs](data:image/svg+xml;base64," in metadata["drift"]
    assert "`name`" in metadata["drift"]
    assert "agent" in metadata["drift"]
    log = pipeline.event_log()
    assert "Jane Doe" not in log
    assert "secret" not in log
    assert value(run)["ours"].tolist()[:2] == ["Jane Private1", "pro"]
    again = pipeline.run("drift_customers", sync)
    assert again.checks()[NO_DRIFT].passed
    assert again.metadata("kustomer/customers_drift")["left_to_them"] == 2
    synced = pipeline.run("sync_customers", sync, config={"full_resync": True})
    counts = synced.metadata("kustomer/customers")
    assert (counts["unchanged"], counts["skipped"], counts["created"]) == (7, 1, 0)


def test_of_rows_that_the_warehouse_compares_only_the_sample_leaves_it(pipeline: Pipeline) -> None:
    sync = watched(compare="in_warehouse", drift={"sample": 3})
    rows = people(30)
    pipeline.customers(rows)
    assert pipeline.run("sync_customers", sync).success
    for number in range(1, 31):
        edit(pipeline, f"C-{number}", name="Jane Doe")
    pipeline.customers([*rows[:29], (*rows[29][:4], "free")])
    run = pipeline.run("drift_customers", sync)
    left = run.metadata("kustomer/customers_rows")["dagster/row_count"]
    metadata = run.metadata("kustomer/customers_drift")
    # The row that is due comes along, and is not looked at; perhaps it was drawn, and was not replaced.
    assert 3 <= left <= 4
    assert (metadata["looked_at"], metadata["accepted"]) in [(3, 29), (2, 29)]
    assert metadata["changed"] == metadata["looked_at"]
    other = pipeline.run("drift_customers", sync)
    drawn = {str(key) for key in (*value(run)["key"], *value(other)["key"])}
    assert len(drawn) > 3
    assert pipeline.run("sync_customers", sync).metadata("kustomer/customers")["updated"] == 1


def test_a_look_at_rows_of_another_run_reads_all_of_them(pipeline: Pipeline) -> None:
    """The asset alone, after a run of the sync: the rows that wait are those that had changed."""
    sync = watched(compare="in_warehouse", drift={"sample": 3})
    pipeline.customers(people(10))
    assert pipeline.run("sync_customers", sync).success
    assert pipeline.run("sync_customers", sync).success
    edit(pipeline, "C-1", name="Jane Doe")
    result = (
        build_definitions([sync])
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(instance=pipeline.instance, asset_selection=[dg.AssetKey(["kustomer", "customers_drift"])])
    )
    [event] = result.asset_materializations_for_node("kustomer__customers_drift")
    assert event.metadata["accepted"].value == 10
    assert event.metadata["looked_at"].value == 3


def value(run: Run) -> Any:
    """The asset's value."""
    return run.result.output_for_node("kustomer__customers_drift")


def test_an_audience_tags_again_whom_somebody_untagged(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    pipeline.vips([row[1] for row in people(3)])
    sync = watched(VIP, on_drift="restore", drift={"sample": 500})
    assert pipeline.run("sync_all", CUSTOMERS, sync).success
    edit(pipeline, "C-1", tags=[])
    run = pipeline.run("drift_vip", CUSTOMERS, sync)
    assert run.metadata("kustomer/vip_drift")["restored"] == 1
    assert run.failed_checks() == {"kustomer/vip_drift:no_drift": "WARN"}
    assert pipeline.run("sync_vip", CUSTOMERS, sync).metadata("kustomer/vip")["updated"] == 1


def test_a_sync_in_shards_looks_in_each_of_its_parts(pipeline: Pipeline) -> None:
    sync = watched(shards=2)
    pipeline.customers(people(12))
    definitions = build_definitions([sync])
    for key in ("0-of-2", "1-of-2"):
        job = definitions.resolve_job_def("sync_customers")
        assert job.execute_in_process(instance=pipeline.instance, partition_key=key).success
    edit(pipeline, "C-1", name="Jane")
    found = []
    for key in ("0-of-2", "1-of-2"):
        job = definitions.resolve_job_def("drift_customers")
        result = job.execute_in_process(instance=pipeline.instance, partition_key=key)
        [event] = result.asset_materializations_for_node("kustomer__customers_drift")
        found.append((event.metadata["looked_at"].value, event.metadata["changed"].value))
    assert sum(int(str(looked)) for looked, _ in found) == 12
    assert sorted(int(str(changed)) for _, changed in found) == [0, 1]


# --- when ---------------------------------------------------------------------------------------------------------


def runs_asked_for(sync: ObjectSync, days: int) -> list[tuple[datetime, str | None]]:
    """When the schedule asks for which partition, at the ticks of its cron expression in so many days."""
    repository = build_definitions([sync]).get_repository_def()
    [schedule] = [one for one in repository.schedule_defs if one.name == "customers_drift_schedule"]
    found: list[tuple[datetime, str | None]] = []
    for tick in cron_string_iterator(START.timestamp(), str(schedule.cron_schedule), schedule.execution_timezone):
        if tick >= START + timedelta(days=days):
            return found
        context = dg.build_schedule_context(scheduled_execution_time=tick, repository_def=repository)
        requests = schedule.evaluate_tick(context).run_requests or []
        found += [(tick, request.partition_key) for request in requests]
    return found


START = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "hours", "days"), [("15m", 0.25, 1), ("50m", 5 / 6, 1), ("90m", 1.5, 2), ("5h", 5, 3), ("1d", 24, 5)]
)
def test_the_schedule_asks_every_so_often_and_never_in_between(every: str, hours: float, days: int) -> None:
    asked = [at for at, _ in runs_asked_for(watched(drift={"every": every}), days)]
    assert {later - earlier for earlier, later in pairwise(asked)} == {timedelta(hours=hours)}
    assert abs(len(asked) - days * 24 / hours) <= 1


def test_of_several_days_the_others_are_passed_over() -> None:
    asked = [at for at, _ in runs_asked_for(watched(drift={"every": "1w"}), 21)]
    assert {later - earlier for earlier, later in pairwise(asked)} == {timedelta(days=7)}
    assert len(asked) == 3


def test_the_schedule_asks_for_every_part_of_a_sync_in_shards() -> None:
    asked = runs_asked_for(watched(shards=2), 1)
    assert [partition for _, partition in asked] == ["0-of-2", "1-of-2"]


def test_another_sync_may_not_be_named_like_its_asset() -> None:
    other = ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | {"name": "customers_drift"})
    dg.Definitions.validate_loadable(build_definitions([CUSTOMERS, other]))
    with pytest.raises(SyncConfigError, match="'customers_drift' is the name of an asset of the sync 'customers'"):
        build_definitions([watched(), other])
