"""What makes Dagster run a sync by itself, how old a success may be, and which failed runs are tried again."""

import warnings
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.components.keys import kustomer_key, mapped_key, plan_key, rows_key
from kustomer_pipeline.components.run_tags import MAX_RETRIES_TAG
from kustomer_pipeline.resources import WarehouseResource
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS, Pipeline, people

WATCH: dict[str, Any] = {"table": "customers", "updated_at": "updated_at"}
TABLE = dg.AssetKey(["warehouse", "customers_table"])


def customers(**changes: Any) -> ObjectSync:
    return ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | changes)


def asked_for(defs: dg.Definitions, instance: dg.DagsterInstance, cursor: Any = None) -> tuple[set[str], Any]:
    """The assets that Dagster's automation runs now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of Dagster's own call
        result = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
    keys = [key for key in defs.resolve_asset_graph().get_all_asset_keys() if result.get_num_requested(key)]
    return {key.to_user_string() for key in keys}, result.cursor


WAY = {"kustomer/customers_rows", "kustomer/customers_mapped", "kustomer/customers"}


def test_eager_runs_the_whole_way_when_the_table_has_changed_and_never_the_plan() -> None:
    defs = build_definitions([customers(watch={**WATCH, "reports_only": True}, automation="eager")])
    with dg.DagsterInstance.ephemeral() as instance:
        _, cursor = asked_for(defs, instance)
        assert asked_for(defs, instance, cursor)[0] == set()
        instance.report_runless_asset_event(dg.AssetMaterialization(TABLE))
        assert asked_for(defs, instance, cursor)[0] == WAY


def test_on_missing_runs_once() -> None:
    defs = build_definitions([customers(automation="on_missing")])
    with dg.DagsterInstance.ephemeral() as instance:
        _, cursor = asked_for(defs, instance)
        for key in WAY:
            instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(key.split("/"))))
        assert asked_for(defs, instance, cursor)[0] == set()


def test_on_cron_waits_for_a_model_and_not_for_a_table_that_nobody_reports_on() -> None:
    cron = {"on_cron": "0 6 * * *", "timezone": "Europe/Berlin"}

    def condition(**changes: Any) -> str:
        sync = customers(automation=cron, **changes)
        found = build_definitions([sync]).resolve_asset_graph().get(rows_key(sync)).automation_condition
        assert found is not None
        return str(found.get_label() or "") + repr(found)

    assert "0 6 * * *" in condition()
    assert "Europe/Berlin" in condition()
    assert "customers_table" not in condition(deps=["analytics/customers"])


def test_the_plan_is_never_automated_and_a_sync_without_automation_is_not() -> None:
    automated = build_definitions([customers(automation="eager")]).resolve_asset_graph()
    assert automated.get(plan_key(CUSTOMERS)).automation_condition is None
    by_hand = build_definitions([CUSTOMERS]).resolve_asset_graph()
    for key in (rows_key, mapped_key, kustomer_key):
        assert by_hand.get(key(CUSTOMERS)).automation_condition is None
        assert automated.get(key(CUSTOMERS)).automation_condition is not None


@pytest.mark.parametrize(
    "changes, said",
    [
        (
            {"automation": "eager", "watch": WATCH},
            "automation: watch runs the sync already; keep one of both; with watch",
        ),
        ({"automation": "eager", "schedule": {"cron": "0 6 * * *"}}, "automation: schedule runs the sync already"),
        ({"watch": {**WATCH, "reports_only": True}}, "watch.reports_only: nothing would run the sync"),
        ({"automation": "hourly"}, "'hourly' is not allowed; use eager or on_missing"),
        ({"automation": {"on_cron": "6"}}, "'6' is not a cron expression"),
        ({"automation": 6}, 'write eager, on_missing, or {on_cron: "0 6 * * *"}'),
        ({"freshness": {"fail_after": "a day"}}, "freshness.fail_after: has to be a length of time"),
        ({"freshness": {"fail_after": "1h", "warn_after": "2h"}}, "warn_after has to be shorter than fail_after"),
        ({"freshness": {"fail_after": "0m"}}, "a minute is the least"),
        ({"run_retries": -1}, "run_retries: -1 is out of range"),
        ({"group": "a b"}, "'a b' cannot be the name of a group"),
        ({"kinds": ["a", "b", "c"]}, "kinds: at most 2"),
        ({"tags": {"a b": "c"}}, "a tag of Dagster's is a word"),
        ({"deps": ["a b"]}, "'a b' is not the key of an asset"),
        ({"key_prefix": "a//b"}, "'a//b' is not the key of an asset"),
        ({"source": "analytics/customers"}, "source: query is written too; keep one of both"),
    ],
)
def test_what_cannot_work_is_an_error_that_says_what_to_write(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SyncConfigError) as caught:
        customers(**changes)
    assert said in str(caught.value)


def test_freshness_is_a_policy_of_the_sync_asset() -> None:
    sync = customers(freshness={"fail_after": "26h", "warn_after": "25h"})
    policy = build_definitions([sync]).resolve_asset_graph().get(kustomer_key(sync)).freshness_policy
    assert policy == dg.FreshnessPolicy.time_window(timedelta(hours=26), timedelta(hours=25))


def test_a_sensor_that_only_reports_tells_dagster_of_each_change_once(pipeline: Pipeline) -> None:
    pipeline.warehouse.execute("alter table customers add column updated_at text")
    pipeline.customers([(*person, "2026-01-01") for person in people(2)])
    sync = customers(watch={**WATCH, "reports_only": True}, automation="eager")
    sensor = build_definitions([sync]).get_repository_def().get_sensor_def("customers_changed")
    resources = {"warehouse": WarehouseResource()}

    def tick(cursor: str | None) -> dg.SensorResult:
        with dg.build_sensor_context(pipeline.instance, cursor=cursor, resources=resources) as context:
            result = sensor._raw_fn(context)
        assert isinstance(result, dg.SensorResult)
        return result

    first = tick(None)
    assert [event.asset_key for event in first.asset_events] == [TABLE]
    assert not first.run_requests
    again = tick(first.cursor)
    assert not again.asset_events
    pipeline.customers([(*person, "2026-01-02") for person in people(2)])
    assert len(tick(first.cursor).asset_events) == 1


def tags_of(pipeline: Pipeline, run_id: str) -> dict[str, str]:
    run = pipeline.instance.get_run_by_id(run_id)
    assert run is not None
    return dict(run.tags)


def test_a_run_says_which_sync_it_is_of_and_which_org_it_wrote_to(pipeline: Pipeline) -> None:
    pipeline.customers(people(1))
    tags = tags_of(pipeline, pipeline.run("sync_customers").run_id)
    assert tags["kustomer/sync"] == "customers"
    assert tags["kustomer/org"] == pipeline.sandbox.org_id


def test_dagster_may_try_again_what_failed_for_a_reason_that_passes(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    pipeline.sandbox.faults.set("gateway_error_before", 503)
    monkeypatch.setattr("kustomer_pipeline.kustomer.session.BACK_OFF", lambda state: 0.0)
    run = pipeline.run("sync_customers", customers(run_retries=2))
    assert not run.success
    assert tags_of(pipeline, run.run_id)[MAX_RETRIES_TAG] == "2"


@pytest.mark.parametrize("reason", ["refused rows", "a wrong key", "a query that cannot run"])
def test_dagster_does_not_try_again_what_would_fail_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """Whatever the instance says: it would send the refused rows once more."""
    pipeline.customers(people(1) if reason != "refused rows" else [("C-1", "no address", "x", None, None)])
    if reason == "a wrong key":
        monkeypatch.setenv("KUSTOMER_API_KEY", "wrong")
    if reason == "a query that cannot run":
        pipeline.warehouse.execute("drop table customers")
    run = pipeline.run("sync_customers", CUSTOMERS)
    assert not run.success
    assert tags_of(pipeline, run.run_id)[MAX_RETRIES_TAG] == "0"
