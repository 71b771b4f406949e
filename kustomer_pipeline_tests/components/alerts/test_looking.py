"""Alerts of real runs: what Dagster has recorded of them, tick by tick."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.execution.api import execute_run

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.components.alerts.runs import RETRIED_BY_TAG, WILL_RETRY_TAG
from kustomer_pipeline.components.sync_config import Alert
from kustomer_pipeline.kustomer import RateLimitedError, ServerError
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS, VIP, Pipeline, Run, people

from .channel import Channels, titles

NONSENSE = [("C-900", "jane900@private.example", "Jane", "nonsense", "pro")]
RUN_FAILED = "Kustomer sync customers: the run failed"
WELL_AGAIN = "Kustomer sync customers: runs succeed again"


def customers(**changes: Any) -> ObjectSync:
    return ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | changes)


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
    """Runs fail from now on, for a reason that passes."""

    def run_sync(*_: object, **__: object) -> None:
        raise error or ServerError("Kustomer kept failing: wait a little")

    monkeypatch.setattr("kustomer_pipeline.components.running.run_sync", run_sync)


def begun(pipeline: Pipeline, sync: ObjectSync, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED) -> str:
    """A run of the sync that is in that status, whatever becomes of it."""
    job = build_definitions([sync]).resolve_job_def(f"sync_{sync.name}")
    return pipeline.instance.create_run_for_job(job, status=status).run_id


def over(pipeline: Pipeline, run_id: str, event: DagsterEventType) -> None:
    pipeline.instance.report_dagster_event(DagsterEvent(event.value, "sync_customers"), run_id)


@pytest.fixture
def channels(pipeline: Pipeline) -> Channels:
    return Channels(pipeline.instance, CUSTOMERS)


@pytest.fixture
def retrying(pipeline: Pipeline, tmp_path: Path) -> Iterator[Pipeline]:
    """The pipeline on an instance that tries failed runs again, as ours does."""
    settings = {"run_retries": {"enabled": True, "max_retries": 0}}
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path), settings=settings) as instance:
        pipeline.instance = instance
        yield pipeline


def test_a_failed_run_is_told_once_and_so_is_the_next_success(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(3))
    assert channels.tick() == []  # nothing has ever run
    with monkeypatch.context() as patched:
        failing(patched)
        first = pipeline.run("sync_customers", CUSTOMERS)
        [told] = channels.tick()
        assert told.title == RUN_FAILED
        assert "Kustomer kept failing: wait a little" in told.body
        assert f"https://dagster.example/runs/{first.run_id}" in told.body
        assert channels.tick() == []
        pipeline.run("sync_customers", CUSTOMERS)
        assert channels.tick() == []  # it still fails
    pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == [WELL_AGAIN]
    pipeline.run("sync_customers", CUSTOMERS)
    assert channels.tick() == []


def test_a_run_that_failed_and_one_that_succeeded_between_two_ticks_are_no_news(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(3))
    with monkeypatch.context() as patched:
        failing(patched)
        pipeline.run("sync_customers", CUSTOMERS)
    pipeline.run("sync_customers", CUSTOMERS)
    assert channels.tick() == []


def test_refused_rows_above_the_limit_are_one_message(pipeline: Pipeline, channels: Channels) -> None:
    pipeline.customers(people(3) + NONSENSE)
    pipeline.run("sync_customers", CUSTOMERS)
    [told] = channels.tick()
    assert told.title == (
        "Kustomer sync customers: the run failed; the check fields_valid failed; 25.0% of the rows were refused"
    )
    assert "1 of 4 rows was refused (25.0%), more than the 5.0% that max_failure_share allows." in told.body
    pipeline.customers(people(4))
    pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == [
        "Kustomer sync customers: runs succeed again; the check fields_valid passes again; "
        "few enough rows are refused again"
    ]


def test_held_changes_are_told_with_what_lets_them_through(pipeline: Pipeline) -> None:
    sync, channels = CUSTOMERS, Channels(pipeline.instance, CUSTOMERS)
    pipeline.customers(people(120))
    pipeline.run("sync_customers", sync)
    assert channels.tick() == []
    pipeline.customers((key, mail, name, phone, "free") for key, mail, name, phone, _ in people(120))
    held = pipeline.run("sync_customers", sync)
    [told] = channels.tick()
    assert told.title == "Kustomer sync customers: 120 changes or removals are held"
    plan_id = held.metadata("kustomer/customers")["change_plan_id"]
    assert f"approve_changes: {plan_id}" in told.body
    pipeline.run("sync_customers", sync)
    assert channels.tick() == []
    pipeline.run("sync_customers", sync, config={"approve_changes": plan_id})
    assert titles(channels.tick()) == ["Kustomer sync customers: nothing is held any more"]


def test_held_removals_are_told_too(pipeline: Pipeline) -> None:
    channels = Channels(pipeline.instance, VIP)
    pipeline.customers(people(3))
    pipeline.vips([mail for _, mail, *_ in people(3)])
    pipeline.run("sync_all")
    assert channels.tick() == []
    pipeline.vips([])
    pipeline.run("sync_vip", VIP)
    [told] = channels.tick()
    assert told.title == "Kustomer sync vip: 3 changes or removals are held"
    assert "approve_removals" in told.body


def test_no_success_for_long_is_told_and_a_success_ends_it(pipeline: Pipeline, channels: Channels) -> None:
    pipeline.customers(people(1))
    run = pipeline.run("sync_customers", CUSTOMERS)
    assert channels.tick(after=25 * 3600) == []
    [told] = channels.tick(after=2 * 3600)
    assert told.title == "Kustomer sync customers: no success for 26 h"
    assert channels.tick(after=3600) == []
    channels.later = 0.0
    assert run.success
    pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == ["Kustomer sync customers: a run has succeeded again"]


def test_a_run_that_the_budget_stopped_is_told_as_such(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    failing(monkeypatch, RateLimitedError("Still 429"))
    pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == [f"{RUN_FAILED}; it runs out of the org's request budget"]


def test_what_a_run_waited_for_the_budget_is_recorded_and_told_when_it_is_long(pipeline: Pipeline) -> None:
    sync = customers(alerts=[{"to": "SLACK", "waited": "1m"}])
    channels = Channels(pipeline.instance, sync)
    pipeline.customers(people(1))
    pipeline.run("sync_customers", sync)
    assert channels.tick() == []
    pipeline.customers(people(900))
    pipeline.sandbox.faults.set("gateway_error_before", 503, times=4, path="/v1/customers")
    pipeline.sandbox.spend(990)
    run = pipeline.run("sync_customers", sync)
    waited = run.metadata("kustomer/customers")["seconds_waited"]
    assert waited > 60
    [told] = channels.tick()
    assert told.title == "Kustomer sync customers: it runs out of the org's request budget"


def test_a_run_under_way_says_nothing_and_what_was_told_stands(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    with monkeypatch.context() as patched:
        failing(patched)
        pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == [RUN_FAILED]
    begun(pipeline, CUSTOMERS)
    assert channels.tick() == []
    assert channels.tick() == []


def test_a_failure_is_seen_although_the_next_run_is_under_way(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    pipeline.run("sync_customers", CUSTOMERS)
    channels.tick()
    failing(monkeypatch)
    pipeline.run("sync_customers", CUSTOMERS)
    begun(pipeline, CUSTOMERS)
    assert titles(channels.tick()) == [RUN_FAILED]
    assert channels.tick() == []


def test_a_run_that_somebody_cancelled_is_neither_a_failure_nor_a_recovery(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    over(pipeline, begun(pipeline, CUSTOMERS), DagsterEventType.RUN_CANCELED)
    assert channels.tick() == []
    with monkeypatch.context() as patched:
        failing(patched)
        pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == [RUN_FAILED]
    over(pipeline, begun(pipeline, CUSTOMERS), DagsterEventType.RUN_CANCELED)
    assert channels.tick() == []
    pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == [WELL_AGAIN]


def test_a_run_whose_process_was_killed_is_told(pipeline: Pipeline, channels: Channels) -> None:
    over(pipeline, begun(pipeline, CUSTOMERS), DagsterEventType.RUN_FAILURE)
    [told] = channels.tick()
    assert told.title == RUN_FAILED
    assert "The run ended before it came to this sync." in told.body


def test_a_run_that_is_tried_again_is_told_only_when_the_last_retry_has_failed(
    retrying: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = customers(run_retries=1)
    channels = Channels(retrying.instance, sync)
    retrying.customers(people(1))
    failing(monkeypatch)
    first = retrying.run("sync_customers", sync)
    assert tags(retrying, first.run_id)[WILL_RETRY_TAG] == "true"
    assert channels.tick() == []
    again = retry(retrying, first, sync)
    assert titles(channels.tick()) == [RUN_FAILED]
    assert tags(retrying, again)[WILL_RETRY_TAG] == "false"
    assert channels.tick() == []


def test_a_run_that_succeeds_when_it_is_tried_again_is_no_news(
    retrying: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = Channels(retrying.instance, CUSTOMERS)
    retrying.customers(people(1))
    with monkeypatch.context() as patched:
        failing(patched)
        first = retrying.run("sync_customers", CUSTOMERS)
    assert channels.tick() == []
    retry(retrying, first, CUSTOMERS)
    assert channels.tick() == []


def test_a_retry_that_never_comes_is_not_waited_for_for_ever(
    retrying: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = Channels(retrying.instance, CUSTOMERS)
    retrying.customers(people(1))
    failing(monkeypatch)
    retrying.run("sync_customers", CUSTOMERS)
    assert channels.tick(after=3000) == []
    assert titles(channels.tick(after=1000)) == [RUN_FAILED]


def test_of_a_run_of_all_syncs_the_one_that_failed_is_told(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = Channels(pipeline.instance, CUSTOMERS, VIP)
    pipeline.customers(people(2))
    with monkeypatch.context() as patched:
        failing(patched)
        pipeline.run("sync_all", CUSTOMERS, VIP)
    [told] = channels.tick()
    assert told.title == RUN_FAILED
    assert "1 other sync was not reached because of it." in told.body
    pipeline.run("sync_all", CUSTOMERS, VIP)
    assert titles(channels.tick()) == [WELL_AGAIN]


def test_a_plan_that_fails_is_no_failed_sync(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    pipeline.run("sync_customers", CUSTOMERS)
    channels.tick()

    def plan_sync(*_: object, **__: object) -> None:
        raise ServerError("no")

    monkeypatch.setattr("kustomer_pipeline.components.running.plan_sync", plan_sync)
    assert not pipeline.run("plan_all", CUSTOMERS).success
    assert channels.tick() == []


def test_several_syncs_and_channels_each_hear_their_own(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    companies = customers(name="people", alerts=[{"to": "PAGER", "when": ["run_failed"]}])
    quiet = customers(name="quiet", alerts=[])
    channels = Channels(pipeline.instance, companies, CUSTOMERS, quiet, alerts=[Alert(to=["SLACK", "MAIL"])])
    pipeline.customers(people(1))
    failing(monkeypatch)
    for sync in (companies, CUSTOMERS, quiet):
        pipeline.run(f"sync_{sync.name}", sync)
    assert [(one.channel, one.title) for one in channels.tick()] == [
        ("PAGER", "Kustomer sync people: the run failed"),
        ("SLACK", RUN_FAILED),
        ("MAIL", RUN_FAILED),
    ]


def test_a_message_that_one_channel_did_not_take_is_tried_again_and_the_others_hear_nothing_twice(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = Channels(pipeline.instance, CUSTOMERS, alerts=[Alert(to=["SLACK", "MAIL"])])
    channels.broken = {"SLACK"}
    pipeline.customers(people(1))
    with monkeypatch.context() as patched:
        failing(patched)
        pipeline.run("sync_customers", CUSTOMERS)
    assert [one.channel for one in channels.tick()] == ["MAIL"]
    assert channels.tick() == []
    assert [one.channel for one in channels.tried] == ["SLACK", "MAIL", "SLACK"]
    channels.broken = set()
    assert [one.channel for one in channels.tick()] == ["SLACK"]
    pipeline.run("sync_customers", CUSTOMERS)
    assert [one.channel for one in channels.tick()] == ["SLACK", "MAIL"]


def test_a_channel_that_failed_is_left_alone_until_the_next_tick(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = [customers(name=name) for name in ("one", "two", "three")]
    channels = Channels(pipeline.instance, *syncs)
    channels.broken = {"SLACK"}
    pipeline.customers(people(1))
    failing(monkeypatch)
    for sync in syncs:
        pipeline.run(f"sync_{sync.name}", sync)
    result = channels.last()
    assert len(channels.tried) == 1
    assert (result.waiting, result.failed) == (3, {"SLACK": "SLACK is broken"})


def test_a_cursor_that_was_reset_tells_once_more_what_is_the_matter_and_nothing_else(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    pipeline.run("sync_customers", CUSTOMERS)
    channels.tick()
    channels.cursor = None
    assert channels.tick() == []
    assert channels.tick(after=25 * 3600) == []
    channels.later = 0.0
    failing(monkeypatch)
    pipeline.run("sync_customers", CUSTOMERS)
    channels.tick()
    channels.cursor = None
    assert titles(channels.tick()) == [RUN_FAILED]
    assert channels.tick() == []


def test_the_last_success_is_known_again_after_a_reset_although_runs_have_failed_since(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    pipeline.run("sync_customers", CUSTOMERS)
    failing(monkeypatch)
    pipeline.run("sync_customers", CUSTOMERS)
    [told] = channels.tick(after=27 * 3600)
    assert told.title == f"{RUN_FAILED}; no success for 26 h"
    assert "The last run that succeeded ended " in told.body


def test_a_sync_that_was_removed_is_forgotten_without_a_word(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = Channels(pipeline.instance, CUSTOMERS, VIP)
    pipeline.customers(people(1))
    failing(monkeypatch)
    pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == [RUN_FAILED]
    channels.syncs = [sync for sync in channels.syncs if sync.name == "vip"]
    assert channels.tick() == []
    assert set(json.loads(channels.cursor or "")) == {"vip"}


def test_a_channel_that_is_added_hears_what_is_the_matter_already(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    failing(monkeypatch)
    pipeline.run("sync_customers", CUSTOMERS)
    channels.tick()
    channels.syncs = Channels(pipeline.instance, CUSTOMERS, alerts=[Alert(to=["SLACK", "MAIL"])]).syncs
    assert [(one.channel, one.title) for one in channels.tick()] == [("MAIL", RUN_FAILED)]


def test_an_event_that_somebody_reported_by_hand_says_nothing(pipeline: Pipeline, channels: Channels) -> None:
    pipeline.customers(people(1))
    pipeline.run("sync_customers", CUSTOMERS)
    channels.tick()
    key = dg.AssetKey(["kustomer", "customers"])
    pipeline.instance.report_runless_asset_event(dg.AssetMaterialization(key))
    assert channels.tick() == []
    assert channels.tick() == []


def test_a_run_that_was_deleted_changes_nothing(
    pipeline: Pipeline, channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(people(1))
    failing(monkeypatch)
    run = pipeline.run("sync_customers", CUSTOMERS)
    assert titles(channels.tick()) == [RUN_FAILED]
    pipeline.instance.delete_run(run.run_id)
    assert channels.tick() == []


def tags(pipeline: Pipeline, run_id: str) -> dict[str, str]:
    found = pipeline.instance.get_run_by_id(run_id)
    assert found is not None
    return dict(found.tags)


def retry(pipeline: Pipeline, failed: Run, sync: ObjectSync) -> str:
    """What Dagster's daemon does with a run that is to be tried again: the id of the new run."""
    job = build_definitions([sync]).resolve_job_def(f"sync_{sync.name}")
    family = {"dagster/parent_run_id": failed.run_id, "dagster/root_run_id": failed.run_id}
    again = pipeline.instance.create_run_for_job(
        job,
        parent_run_id=failed.run_id,
        root_run_id=failed.run_id,
        tags={**family, "dagster/retry_number": "1"},
    )
    pipeline.instance.add_run_tags(failed.run_id, {RETRIED_BY_TAG: again.run_id})
    execute_run(InMemoryJob(job), again, pipeline.instance, raise_on_error=False)
    return again.run_id


def test_drift_is_told_once_also_while_the_sync_does_not_run_and_is_over_with_the_look_that_finds_none(
    pipeline: Pipeline,
) -> None:
    sync = customers(drift={"every": "1d", "sample": "all"})
    channels = Channels(pipeline.instance, sync)
    pipeline.customers(people(4))
    pipeline.run("sync_customers", sync)
    pipeline.run("drift_customers", sync)
    assert channels.tick() == []
    id_ = next(iter(pipeline.sandbox.customers))
    name = pipeline.sandbox.customers[id_]["name"]
    pipeline.sandbox.agent_edit(id_, name="By an agent")
    pipeline.run("drift_customers", sync)
    assert titles(channels.tick()) == ["Kustomer sync customers: 25.0% of the records looked at have drifted"]
    assert channels.tick() == []
    pipeline.sandbox.agent_edit(id_, name=name)
    pipeline.run("drift_customers", sync)
    assert titles(channels.tick()) == ["Kustomer sync customers: few enough records have drifted again"]


def test_of_a_sync_that_does_not_look_for_drift_any_more_nothing_is_told(pipeline: Pipeline) -> None:
    sync = customers(drift={"every": "1d", "sample": "all"})
    pipeline.customers(people(4))
    pipeline.run("sync_customers", sync)
    pipeline.sandbox.agent_edit(next(iter(pipeline.sandbox.customers)), name="By an agent")
    pipeline.run("drift_customers", sync)
    assert Channels(pipeline.instance, customers()).tick() == []
