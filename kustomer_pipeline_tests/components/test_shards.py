"""`shards: N` through Dagster: N partitions of the sync's assets, each a run of its own."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kustomer_pipeline import AudienceSync, KustomerProject, ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.resources import WarehouseResource

from .pipeline import CUSTOMERS, VIP, Pipeline, plain

OF = 3
KEYS = ["0-of-3", "1-of-3", "2-of-3"]
ROWS = [(f"C-{n}", f"p{n}@private.example", f"Person {n}", None, "free") for n in range(30)]


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'warehouse.db'}"
    return str(request.getfixturevalue("postgres_url"))


def in_shards(**changes: Any) -> ObjectSync:
    return ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | {"shards": OF} | changes)


def run_parts(pipeline: Pipeline, asset: str = "customers") -> list[dict[str, Any]]:
    """The metadata of each partition's run of the asset."""
    keys = [f"kustomer/{name}" for name in ("customers_rows", "customers_mapped", asset)]
    found = []
    for key in KEYS:
        result = build_definitions([in_shards(), VIP]).resolve_implicit_global_asset_job_def()
        run = result.execute_in_process(
            instance=pipeline.instance, partition_key=key, asset_selection=[dg.AssetKey(k.split("/")) for k in keys]
        )
        [event] = run.asset_materializations_for_node(f"kustomer__{asset}")
        assert event.partition == key
        found.append({name: plain(value) for name, value in event.metadata.items()})
    return found


def total(parts: list[dict[str, Any]], name: str) -> int:
    return sum(part[name] for part in parts)


def test_each_partition_reads_and_sends_its_part(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    parts = run_parts(pipeline)
    assert [total(parts, name) for name in ("rows_read", "created")] == [30, 30]
    assert all(part["rows_read"] > 3 for part in parts)
    pipeline.customers([(*ROWS[0][:4], "pro"), *ROWS[1:]])
    assert total(run_parts(pipeline, "customers_plan"), "would_update") == 1
    again = run_parts(pipeline)
    assert [total(again, name) for name in ("updated", "unchanged", "created")] == [1, 29, 0]
    assert len(pipeline.sandbox.customers) == 30


def test_jobs_over_all_syncs_leave_it_out_and_a_schedule_of_its_own_runs_every_part() -> None:
    defs = build_definitions([in_shards(), VIP])
    repository = defs.get_repository_def()
    names = {key.to_user_string() for key in repository.get_job("sync_all").asset_layer.selected_asset_keys}
    assert "kustomer/vip" in names
    assert "kustomer/customers" not in names
    every_part_once(scheduled(repository, "daily_sync_customers"))


def scheduled(repository: dg.RepositoryDefinition, name: str) -> Sequence[dg.RunRequest]:
    """What a tick of a schedule asks for."""
    at = datetime.fromisoformat("2026-05-01T06:00:00+00:00")
    context = dg.build_schedule_context(scheduled_execution_time=at, repository_def=repository)
    return repository.get_schedule_def(name).evaluate_tick(context).run_requests or []


def every_part_once(requests: Sequence[dg.RunRequest]) -> None:
    assert [request.partition_key for request in requests] == KEYS
    assert len({request.run_key for request in requests}) == OF


def test_with_nothing_but_shards_there_is_no_job_over_all() -> None:
    repository = build_definitions([in_shards()], KustomerProject()).get_repository_def()
    schedules = {schedule.name for schedule in repository.schedule_defs}
    assert not {"sync_all", "plan_all", "daily_sync"} & {*repository.job_names, *schedules}
    assert {"sync_customers", "undo_run"} <= {*repository.job_names}
    assert schedules == {"daily_sync_customers"}


def test_its_own_schedule_and_its_sensor_ask_for_every_part(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    sync = in_shards(schedule={"cron": "0 7 * * *"}, watch={"table": "customers", "updated_at": "id"})
    repository = build_definitions([sync]).get_repository_def()
    every_part_once(scheduled(repository, "customers_schedule"))
    sensor: Any = repository.get_sensor_def("customers_changed")
    with dg.build_sensor_context(instance=pipeline.instance, resources={"warehouse": WarehouseResource()}) as context:
        first = sensor._raw_fn(context)
    requests = first.run_requests or []
    every_part_once(requests)
    for number, request in enumerate(requests):  # one of the three fails: the sync is tried again
        status = dg.DagsterRunStatus.FAILURE if number == 1 else dg.DagsterRunStatus.SUCCESS
        tags = request.tags | {"dagster/partition": str(request.partition_key)}
        pipeline.instance.create_run_for_job(nothing, tags=tags, status=status)
    with dg.build_sensor_context(
        instance=pipeline.instance, resources={"warehouse": WarehouseResource()}, cursor=first.cursor
    ) as context:
        waiting = sensor._raw_fn(context)
    assert "the last run failed" in str(waiting.skip_reason.skip_message)


@dg.job
def nothing() -> None: ...


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shards": 1}, "shards"),
        ({"compare": "in_warehouse"}, "with compare: in_warehouse only what changed leaves the warehouse"),
        ({"query": None, "source": "analytics/customers"}, "the rows are a DataFrame, which is made as a whole"),
    ],
)
def test_what_does_not_go_together_is_an_error_at_load(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SyncConfigError, match=said):
        in_shards(**changes)


def test_an_audience_has_no_shards() -> None:
    with pytest.raises(SyncConfigError, match="shards"):
        AudienceSync.model_validate(VIP.model_dump(exclude_unset=True) | {"shards": OF})


def test_the_comparison_stays_here_whatever_is_the_default(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_COMPARE", "in_warehouse")
    pipeline.customers(ROWS)
    assert total(run_parts(pipeline), "created") == 30
