"""The four assets of a sync. Each body is a table of contents; the work is in the packages below.

    warehouse/<name> ─ the query's rows
    mapped/<name>    ─ the same rows in Kustomer's fields, each valid or with its reason
    kustomer/<name>  ─ the sync: what became of each row
    plan/<name>      ─ what would become of each row; reads Kustomer, writes nothing

A re-run is safe: what was sent is remembered row by row, and a row that has not changed costs nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import dagster as dg
import pandas as pd

from kustomer_pipeline.resources import KustomerResource, StateResource, WarehouseResource
from kustomer_pipeline.sync import plan_sync, run_sync

from .failures import failure, readable_failures, reason_to_fail
from .keys import kustomer_key, mapped_key, plan_key, warehouse_key
from .mapped_checks import mapped_check_results, mapped_check_specs
from .metadata import frame_metadata, plan_metadata, query_metadata, report_metadata
from .progress import in_log
from .run_config import PlanRunConfig, SyncRunConfig
from .sync_checks import sync_check_results, sync_check_specs
from .sync_config import SyncConfig
from .sync_log import log_tables, reason_not_logged


def sync_assets(sync: SyncConfig, after: Sequence[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    """The assets of `sync`; its sync asset depends on those in `after`."""
    return [_warehouse_asset(sync), _mapped_asset(sync), _kustomer_asset(sync, after), _plan_asset(sync)]


def _warehouse_asset(sync: SyncConfig) -> dg.AssetsDefinition:
    @dg.asset(
        key=warehouse_key(sync),
        kinds={"sql"},
        description=_description(sync, "The rows of the query, as the warehouse returns them.")
        + f"\n\n```sql\n{sync.sql.strip()}\n```",
        group_name=sync.name,
        owners=sync.owners,
    )
    def rows(warehouse: WarehouseResource) -> dg.MaterializeResult[pd.DataFrame]:
        with readable_failures():
            frame = warehouse.read(sync.sql)
            return dg.MaterializeResult(value=frame, metadata=frame_metadata(frame) | query_metadata(sync.sql))

    return rows


def _mapped_asset(sync: SyncConfig) -> dg.AssetsDefinition:
    @dg.asset(
        key=mapped_key(sync),
        ins={"frame": dg.AssetIn(key=warehouse_key(sync))},
        kinds={"pandas"},
        check_specs=mapped_check_specs(sync),
        description=_description(
            sync,
            "The same rows in Kustomer's fields: renamed, converted, checked. `_key` names the row, "
            "`_invalid` says why a row will not be sent.",
        ),
        group_name=sync.name,
        owners=sync.owners,
    )
    def mapped(frame: pd.DataFrame) -> Iterator[dg.MaterializeResult[pd.DataFrame]]:
        with readable_failures():
            result = sync.spec.map(frame)
            metadata = frame_metadata(result) | {"invalid_rows": int(result["_invalid"].notna().sum())}
            checks = mapped_check_results(sync, result)
        # Yielded: with checks, Dagster would take the annotation of a returned result for "stores nothing".
        yield dg.MaterializeResult(value=result, metadata=metadata, check_results=checks)

    return mapped


def _kustomer_asset(sync: SyncConfig, after: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        key=kustomer_key(sync),
        ins={"mapped": dg.AssetIn(key=mapped_key(sync))},
        deps=after,
        kinds={"kustomer"},
        check_specs=sync_check_specs(sync),
        description=_description(
            sync,
            "**Writes to Kustomer.** Sends what differs, and holds a line per row: key, what became of it "
            "(created, updated, unchanged, skipped, invalid, rejected, deferred), Kustomer id, why it was "
            f"refused. To see first what would be sent, materialize `plan/{sync.name}`."
            + (f" What became of the rows is logged in {log_tables(sync.log_to)}." if sync.log_to else ""),
        ),
        group_name=sync.name,
        owners=sync.owners,
    )
    def outcomes(
        context: dg.AssetExecutionContext,
        config: SyncRunConfig,
        mapped: pd.DataFrame,
        warehouse: WarehouseResource,
        kustomer: KustomerResource,
        state: StateResource,
    ) -> Iterator[dg.MaterializeResult[pd.DataFrame]]:
        with readable_failures():
            options = replace(
                config.options(context.run.run_id), read_back=sync.read_back, undo_days=state.days_to_undo()
            )
            with kustomer.client() as client, state.store() as store:
                report = run_sync(
                    sync.spec, mapped, client=client, state=store, options=options, on_progress=in_log(context)
                )
                missing_roles = client.abilities.lines()
            metadata = report_metadata(sync, report)
            checks = list(sync_check_results(sync, report, missing_roles))
        yield dg.MaterializeResult(value=report.rows, metadata=metadata, check_results=checks)
        # Only now: the materialization and the checks are recorded, whatever the run is called in the end.
        with readable_failures():
            not_logged = reason_not_logged(sync, report, warehouse, state)
        reasons = [reason_to_fail(report, sync.max_failure_share), not_logged]
        if any(reasons):
            raise failure("\n\n".join(reason for reason in reasons if reason))

    return outcomes


def _plan_asset(sync: SyncConfig) -> dg.AssetsDefinition:
    @dg.asset(
        key=plan_key(sync),
        ins={"mapped": dg.AssetIn(key=mapped_key(sync))},
        kinds={"plan"},
        description=_description(
            sync,
            f"What `kustomer/{sync.name}` would do with these rows, record by record, field by field. "
            "Reads Kustomer and changes nothing, there or here: materialize it as often as you like.",
        ),
        group_name=sync.name,
        owners=sync.owners,
    )
    def plan(
        context: dg.AssetExecutionContext,
        config: PlanRunConfig,
        mapped: pd.DataFrame,
        kustomer: KustomerResource,
        state: StateResource,
    ) -> dg.MaterializeResult[pd.DataFrame]:
        with readable_failures():
            with kustomer.client() as client, state.store() as store:
                options = config.options(context.run.run_id)
                result = plan_sync(sync.spec, mapped, client=client, state=store, options=options)
            return dg.MaterializeResult(value=result.changes, metadata=plan_metadata(sync, result))

    return plan


def _description(sync: SyncConfig, text: str) -> str:
    return f"{text}\n\n{sync.description}" if sync.description else text
