"""A tick costs a few queries, however many syncs there are, and reads neither Kustomer nor the warehouse."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.events import StepMaterializationData

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.components.alerts.looking import look
from kustomer_pipeline.components.alerts.memory import Known, from_json, to_json
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS

from .channel import Channels


@contextmanager
def queries() -> Iterator[list[str]]:
    """Every statement that any engine executes meanwhile."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def many(count: int) -> list[ObjectSync]:
    values = CUSTOMERS.model_dump(exclude_unset=True)
    return [ObjectSync.model_validate(values | {"name": f"sync_{n}"}) for n in range(count)]


def run_all(instance: dg.DagsterInstance, syncs: list[ObjectSync]) -> str:
    """A run of all of them that has succeeded, as Dagster records it."""
    run = instance.create_run_for_job(build_definitions(syncs).resolve_job_def("sync_all"))
    metadata = {"rows_read": 100, "invalid": 0, "rejected": 0}
    for sync in syncs:
        data = dg.AssetMaterialization(["kustomer", sync.name], metadata=metadata)
        event = dg.DagsterEvent(
            dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            "sync_all",
            event_specific_data=StepMaterializationData(data),
        )
        instance.report_dagster_event(event, run.run_id)
    instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, "sync_all"), run.run_id)
    return run.run_id


def test_a_tick_with_fifty_syncs_is_a_few_queries_and_far_below_a_second(instance: dg.DagsterInstance) -> None:
    syncs = many(50)
    run_all(instance, syncs)
    channels = Channels(instance, *syncs)
    channels.tick()
    with queries() as first:
        run_all(instance, syncs)
    first.clear()
    with queries() as seen:
        channels.tick()
    after_a_run = len(seen)
    with queries() as seen:
        begun = time.perf_counter()
        channels.tick()
        took = time.perf_counter() - begun
    assert after_a_run <= 6
    assert len(seen) <= 6
    assert took < 1.0
    assert len(channels.cursor or "") < 50 * 150


def test_what_is_known_survives_the_cursor(instance: dg.DagsterInstance) -> None:
    syncs = many(3)
    run_all(instance, syncs)
    channels = Channels(instance, *syncs)
    facts = look(instance, channels.syncs, {}, time.time())
    again = from_json(to_json({name: Known(one) for name, one in facts.items()}))
    assert {name: known.facts.end for name, known in again.items()} == {name: one.end for name, one in facts.items()}
