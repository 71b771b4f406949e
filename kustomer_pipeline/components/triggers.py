"""What starts a sync by itself: a change in a table, a schedule of its own. Off until switched on."""

import time

import dagster as dg

from kustomer_pipeline.resources import WarehouseResource
from kustomer_pipeline.warehouse import Watermark, open_engine
from kustomer_pipeline.warehouse.signals import answer_to, last_change

from . import sharding
from .failures import readable_failures
from .keys import table_key
from .sync_config import Schedule, SyncConfig, Watch
from .watching import AskedRun, Look, Seen, decide, run_key, unchanged

LOOK_TAG = "kustomer_pipeline/look"
_PARTITION_TAG = "dagster/partition"

_FAILED = dg.DagsterRunStatus.FAILURE
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def own_schedule(sync: SyncConfig, schedule: Schedule) -> dg.ScheduleDefinition:
    """`<name>_schedule`, on the sync's job."""
    description = f"Runs sync_{sync.name}: {schedule.cron}, {schedule.timezone}. Off until switched on."
    return sharding.schedule(sync, f"{sync.name}_schedule", schedule, description)


def changed_sensor(sync: SyncConfig, watch: Watch) -> dg.SensorDefinition:
    """`<name>_changed`: runs the sync's job whenever the watched table is not as it was at the last look."""

    @dg.sensor(
        name=f"{sync.name}_changed",
        job_name=None if watch.reports_only else f"sync_{sync.name}",
        minimum_interval_seconds=watch.every,
        description=_description(sync, watch),
        required_resource_keys={sync.resource_keys.warehouse},
    )
    def changed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with readable_failures():
            warehouse: WarehouseResource = getattr(context.resources, sync.resource_keys.warehouse)
            now = seen(warehouse, watch)
            if watch.reports_only:
                return report(watch, now, context)
            return look(sync, watch, now, context, time.time())

    return changed


def seen(warehouse: WarehouseResource, watch: Watch) -> Seen:
    """The table as it is now, by the way that was written. Raises WarehouseError."""
    if watch.updated_at is not None:
        return warehouse.watermark(watch.table, watch.updated_at)
    engine = open_engine(warehouse.address())
    return last_change(engine, watch.table) if watch.query is None else answer_to(engine, watch.query)


def report(watch: Watch, now: Seen, context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """One tick of a sensor that runs nothing: tell Dagster that the table is not as it was at the last look."""
    cursor = now.as_json()
    if context.cursor == cursor:
        return dg.SensorResult(skip_reason=unchanged(watch.table, now))
    metadata: dict[str, int | str] = {}
    if isinstance(now, Watermark):
        metadata = {"dagster/row_count": now.count}
        if now.max_updated_at:
            metadata["newest"] = now.max_updated_at
    change = dg.AssetMaterialization(table_key(watch), description=f"{watch.table} has changed", metadata=metadata)
    return dg.SensorResult(asset_events=[change], cursor=cursor)


def look(sync: SyncConfig, watch: Watch, now: Seen, context: dg.SensorEvaluationContext, at: float) -> dg.SensorResult:
    """One tick: ask for a run and remember it, or say why not and leave the cursor as it is."""
    before = Look.from_json(context.cursor)
    asked = _asked_run(context.instance, before.run_key) if before is not None else None
    decision = decide(now, before, asked, at, table=watch.table, at_least_every=watch.at_least_every)
    if decision.attempt is None:
        return dg.SensorResult(skip_reason=decision.why, cursor=context.cursor)
    key = run_key(watch.table, now, decision.attempt, context.last_tick_completion_time)
    context.log.info(f"A run is asked for: {decision.why}")
    return dg.SensorResult(
        run_requests=list(sharding.run_requests(sync, key, tags={LOOK_TAG: key})),
        cursor=Look(now, key, at, decision.attempt).as_json(),
    )


def _asked_run(instance: dg.DagsterInstance, key: str) -> AskedRun | None:
    """What became of the newest run with that key, or of the newest of each part: Dagster's own retries carry the tags
    of the run that they retry."""
    newest: dict[str | None, dg.RunRecord] = {}
    for record in instance.get_run_records(dg.RunsFilter(tags={LOOK_TAG: key})):
        newest.setdefault(record.dagster_run.tags.get(_PARTITION_TAG), record)
    if not newest:
        return None
    statuses = {record.dagster_run.status for record in newest.values()}
    if not statuses <= {*_ENDED}:
        return AskedRun("under way")
    ended = max((record.end_time for record in newest.values() if record.end_time is not None), default=None)
    return AskedRun("failed" if _FAILED in statuses else "done", ended)


def _description(sync: SyncConfig, watch: Watch) -> str:
    if watch.reports_only:
        return (
            f"Looks at {watch.table} every {watch.every} seconds and reports a change of it as an event of the asset "
            f"{table_key(watch).to_user_string()}; the automation of the sync {sync.name} does the rest. Off until you "
            "switch it on."
        )
    besides = f", and after {watch.at_least_every:,} seconds without a run in any case" if watch.at_least_every else ""
    return (
        f"Looks at {watch.table} every {watch.every} seconds and runs sync_{sync.name} when {_change(watch)}{besides}. "
        "A failed run is tried again a few times. Off until you switch it on; its first look runs the sync."
    )


def _change(watch: Watch) -> str:
    if watch.query is not None:
        return "the query of watch gives another answer"
    if watch.updated_at is None:
        return "the warehouse's metadata tell of a change"
    return f"{watch.updated_at}, the number of rows or one of the newest rows has changed"
