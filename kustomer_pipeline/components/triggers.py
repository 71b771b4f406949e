"""What starts a sync by itself: a change in a table, a schedule of its own. Off until switched on."""

import json
from dataclasses import asdict
from typing import Any

import dagster as dg

from kustomer_pipeline.resources import WarehouseResource
from kustomer_pipeline.warehouse import Watermark

from .attributes import Schedule, Watch
from .failures import readable_failures
from .sync_component import Sync


def own_schedule(sync: Sync, schedule: Schedule) -> dg.ScheduleDefinition:
    """`<name>_schedule`, on the sync's job."""
    return dg.ScheduleDefinition(
        name=f"{sync.name}_schedule",
        job_name=f"sync_{sync.name}",
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone,
        description=f"Runs sync_{sync.name}: {schedule.cron}, {schedule.timezone}. Off until switched on.",
    )


def changed_sensor(sync: Sync, watch: Watch) -> dg.SensorDefinition:
    """`<name>_changed`: runs the sync's job whenever the watched table is not as it was at the last look."""

    @dg.sensor(
        name=f"{sync.name}_changed",
        job_name=f"sync_{sync.name}",
        minimum_interval_seconds=watch.every,
        description=f"Looks at {watch.table} every {watch.every} seconds and runs sync_{sync.name} when "
        f"{watch.updated_at} or the number of rows has changed. Off until you switch it on; its first look "
        "runs the sync.",
    )
    def changed(context: dg.SensorEvaluationContext, warehouse: WarehouseResource) -> dg.SensorResult:
        with readable_failures():
            now = warehouse.watermark(watch.table, watch.updated_at)
        return next_tick(watch.table, now, context.cursor)

    return changed


def next_tick(table: str, now: Watermark, cursor: str | None) -> dg.SensorResult:
    """Compare with the last look. Not by order: rows can disappear and clocks can be set back."""
    before = _last_look(cursor)
    if all(before.get(key) == value for key, value in asdict(now).items()):
        newest = f", the newest from {now.max_updated_at}" if now.max_updated_at else ""
        reason = f"{table} has not changed: {now.count:,} rows{newest}"
        return dg.SensorResult(skip_reason=reason, cursor=cursor)
    # The number of changes seen belongs to the key: a table that returns to an earlier watermark (a row
    # added, then deleted) has changed again, and Dagster starts only one run per key.
    changes = int(before.get("changes", 0)) + 1
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{table}:{now.max_updated_at}:{now.count}:{changes}")],
        cursor=json.dumps({**asdict(now), "changes": changes}),
    )


def _last_look(cursor: str | None) -> dict[str, Any]:
    """What the cursor remembers; nothing at the first look, or when somebody has written something else."""
    try:
        value = json.loads(cursor or "{}")
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
