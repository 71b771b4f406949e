"""Drift of a sync in Dagster: an asset, a check, a job, a schedule. Only of a sync that says `drift`.

kustomer/<name>_rows → kustomer/<name>_mapped → kustomer/<name>_drift ─ what has become in Kustomer of what was accepted

The asset reads Kustomer; `on_drift` and `on_deleted` write to the state only, and the next run of the sync does the
rest. A re-run is safe: it looks again.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from math import gcd
from typing import Any

import dagster as dg
import pandas as pd

from kustomer_pipeline.sync import DriftPolicy, DriftReport, RunOptions, find_drift
from kustomer_pipeline.sync.wording import ARE, RECORDS, part

from .comparing import compared, drawn_in, in_warehouse
from .drift_page import drift_metadata, earlier_looks
from .failures import readable_failures
from .keys import drift_job_name, drift_key, mapped_key, rows_key
from .left_out import listed
from .resources_of import Resources, resources_of
from .run_tags import SYNC_TAG, retries_decided, tag_org
from .running import Spec
from .sharding import partitions_def, run_requests, spec_of
from .sync_config import Drift, SyncConfig

NO_DRIFT = "no_drift"
_DAY, _HOUR = 24 * 60, 60  # minutes

Frame = dg.MaterializeResult[pd.DataFrame]


def drift_definitions(sync: SyncConfig, drift: Drift) -> dg.Definitions:
    """The asset with its check, the job over rows, mapped rows and drift, its schedule."""
    return dg.Definitions(
        assets=[_drift_asset(sync, drift)], jobs=[_job(sync)], schedules=[drift_schedule(sync, drift)]
    )


def drift_check_spec(sync: SyncConfig) -> dg.AssetCheckSpec:
    """The check on what was found."""
    return dg.AssetCheckSpec(
        NO_DRIFT,
        asset=drift_key(sync),
        description="Every record that was looked at is in Kustomer as it was accepted. Warns only.",
    )


def policy_of(sync: SyncConfig, drift: Drift) -> DriftPolicy:
    """As the engine takes it."""
    sample = None if drift.sample == "all" else drift.sample
    return DriftPolicy(sample, sync.on_drift, sync.on_deleted)


def _drift_asset(sync: SyncConfig, drift: Drift) -> dg.AssetsDefinition:
    asks = in_warehouse(sync) or sync.suppress is not None
    keys = sync.resource_keys
    used = [keys.kustomer, keys.state, *([keys.warehouse] if asks else [])]
    text = (
        "What has become in Kustomer of records that were accepted: which mapped fields differ from what was sent, "
        "since when and by whom, and which records were deleted or merged. Reads Kustomer and changes nothing there; "
        f"`on_drift: {sync.on_drift}`, `on_deleted: {sync.on_deleted}` say what the next run does about it. To read "
        "it, open `drift` below."
    )

    @dg.asset(
        key=drift_key(sync),
        ins={"mapped": dg.AssetIn(key=mapped_key(sync))},
        check_specs=[drift_check_spec(sync)],
        description=f"{text}\n\n{sync.description}" if sync.description else text,
        kinds={"drift", *sync.kinds},
        tags=sync.tags,
        group_name=sync.group_name,
        owners=sync.owners,
        required_resource_keys={*used},
        io_manager_key=keys.frames,
        partitions_def=partitions_def(sync),
    )
    def looked(context: dg.AssetExecutionContext, mapped: pd.DataFrame) -> Iterator[Frame]:
        uses = resources_of(sync, context)
        with readable_failures(uses.kustomer.variables), retries_decided(context, sync):
            options = RunOptions(context.run.run_id)
            report = look_for_drift(
                sync,
                spec_of(sync, context),
                uses,
                mapped,
                policy_of(sync, drift),
                options,
                drawn=drawn_in(sync, context.run) is not None,
            )
            tag_org(context, sync, report.org_id)
            partition = context.partition_key if context.has_partition_key else None
            metadata = drift_metadata(sync, report, earlier_looks(context.instance, sync, partition), time.time())
            checks = [drift_check_result(report)]
        yield dg.MaterializeResult(value=report.rows, metadata=metadata, check_results=checks)

    return looked


def look_for_drift(
    sync: SyncConfig,
    spec: Spec,
    uses: Resources,
    mapped: pd.DataFrame,
    policy: DriftPolicy,
    options: RunOptions,
    *,
    drawn: bool = False,
) -> DriftReport:
    """Look, and do what the policy says. Raises KustomerError, StateError, WarehouseError.

    drawn: where the warehouse compares, the sample has left it with the rows; else every row is read.
    """
    options = replace(options, suppressed=listed(sync, uses).values)
    with uses.kustomer.client() as client, uses.state.store() as store:
        report, _ = compared(
            sync,
            uses,
            mapped,
            client,
            store,
            lambda rows, rest: find_drift(
                spec, rows, client=client, state=store, policy=policy, options=options, rest=rest, drawn=drawn
            ),
        )
    return report


def drift_check_result(report: DriftReport) -> dg.AssetCheckResult:
    """Never an error: what was sent was accepted, and somebody may have had a reason to change it."""
    told = [f"{count:,} {what}" for what, count in report.records.items() if count]
    fields = [f"{name} ({count:,})" for name, count in list(report.fields.items())[:5]]
    description = None
    if report.drifted:
        description = f"{part(report.drifted, report.looked_at, *RECORDS, ARE)} not as accepted: {', '.join(told)}."
        description += f" Fields: {', '.join(fields)}." if fields else ""
    return dg.AssetCheckResult(
        check_name=NO_DRIFT,
        passed=not report.drifted,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
        metadata={"drifted": int(report.drifted), **{name: int(count) for name, count in report.counts.items()}},
    )


def _job(sync: SyncConfig) -> Any:
    """`drift_<name>`: query, map, look."""
    return dg.define_asset_job(
        drift_job_name(sync),
        selection=dg.AssetSelection.assets(rows_key(sync), mapped_key(sync), drift_key(sync)),
        description="Reads the warehouse, maps the rows and looks in Kustomer whether what was accepted is still so. "
        "Sends nothing.",
        tags={SYNC_TAG: sync.name},
    )


def drift_schedule(sync: SyncConfig, drift: Drift) -> dg.ScheduleDefinition:
    """`<name>_drift_schedule`. A cron expression knows no "every five hours": it ticks when one of them may be due, and
    those ticks run the job that are a whole number of them after the beginning of 1970, in UTC."""
    minutes = int(drift.every.total_seconds()) // 60

    @dg.schedule(
        name=f"{sync.name}_drift_schedule",
        job_name=drift_job_name(sync),
        cron_schedule=_ticks(minutes),
        execution_timezone="UTC",
        description=f"Runs {drift_job_name(sync)}: {_told(minutes)}. Off until switched on.",
    )
    def every(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        at = context.scheduled_execution_time
        if int(at.timestamp()) // 60 % minutes:
            return dg.SkipReason(f"Not yet: {_told(minutes)}")
        return list(run_requests(sync, at.isoformat()))

    return every


def _ticks(minutes: int) -> str:
    """The rarest cron expression that has a tick at every multiple of so many minutes."""
    if minutes % _DAY == 0:
        return "0 0 * * *"
    step = gcd(minutes, _HOUR)
    return "0 * * * *" if step == _HOUR else f"*/{step} * * * *"


def _told(minutes: int) -> str:
    for unit, name in ((7 * _DAY, "week"), (_DAY, "day"), (_HOUR, "hour"), (1, "minute")):
        if minutes % unit == 0:
            count = minutes // unit
            return f"every {name}" if count == 1 else f"every {count:,} {name}s"
    raise AssertionError("a minute divides every number of minutes")
