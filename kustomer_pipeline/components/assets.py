"""The four assets of a sync. Each body is a table of contents; the work is in the packages below.

    kustomer/<name>_rows   ─ the query's rows, or those of an upstream asset
    kustomer/<name>_mapped ─ the same rows in Kustomer's fields, each valid or with its reason
    kustomer/<name>        ─ the sync: what became of each row
    kustomer/<name>_plan   ─ what would become of each row; reads Kustomer, writes nothing

A re-run is safe: what was sent is remembered row by row, and a row that has not changed costs nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import dagster as dg
import pandas as pd

from kustomer_pipeline.sync import plan_sync, run_sync
from kustomer_pipeline.warehouse import frame_of

from .automation import condition, freshness
from .comparing import compared, in_warehouse, not_filed, read_changes
from .failures import failure, most_often, readable_failures, reason_to_fail
from .keys import asset_key, kustomer_key, mapped_key, plan_key, rows_key
from .lineage import kustomer_lineage, mapped_lineage, upstream
from .mapped_checks import mapped_check_results, mapped_check_specs
from .metadata import Around, frame_metadata, plan_metadata, query_metadata, report_metadata
from .progress import in_log
from .resources_of import resources_of
from .run_config import PlanRunConfig, SyncRunConfig
from .run_tags import decide_retries, retries_decided, tag_org
from .sync_checks import sync_check_results, sync_check_specs
from .sync_config import SourceTable, SyncConfig
from .sync_log import log_tables, reason_not_logged

Frame = dg.MaterializeResult[pd.DataFrame]


def sync_assets(sync: SyncConfig, after: Sequence[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    """The assets of `sync`; its sync asset depends on those in `after`."""
    frames = isinstance(sync.source, str)
    rows = _rows_of_asset(sync) if frames else _rows_of_query(sync)
    return [rows, _mapped_asset(sync), _kustomer_asset(sync, after), _plan_asset(sync)]


def _rows_of_query(sync: SyncConfig) -> dg.AssetsDefinition:
    text = "The rows of the table, as the warehouse returns them."
    if not isinstance(sync.source, SourceTable):
        text = "The rows of the query, as the warehouse returns them."
    compared_there = in_warehouse(sync)
    if compared_there:
        text += " Only those that are not as they were accepted: the warehouse compares."

    @dg.asset(
        key=rows_key(sync),
        deps=upstream(sync),
        description=_description(sync, text) + f"\n\n```sql\n{sync.sql.strip()}\n```",
        automation_condition=condition(sync),
        **_labels(sync, "sql", ["warehouse", "kustomer", "state"] if compared_there else ["warehouse"]),
    )
    def rows(context: dg.AssetExecutionContext) -> Frame:
        with readable_failures(), retries_decided(context, sync):
            uses = resources_of(sync, context)
            if compared_there:
                frame, metadata = read_changes(sync, uses, context.run)
            else:
                frame, metadata = uses.warehouse.read(sync.sql), query_metadata(sync.sql)
            return dg.MaterializeResult(value=frame, metadata=frame_metadata(frame) | metadata)

    return rows


def _rows_of_asset(sync: SyncConfig) -> dg.AssetsDefinition:
    assert sync.source_asset is not None
    source_key = asset_key(sync.source_asset)

    @dg.asset(
        key=rows_key(sync),
        ins={"source": dg.AssetIn(key=source_key)},
        deps=[key for key in upstream(sync) if key != source_key],
        description=_description(sync, f"The rows of the asset `{sync.source_asset}`."),
        automation_condition=condition(sync),
        **_labels(sync, "pandas", []),
    )
    def rows(source: Any) -> Frame:
        with readable_failures():
            frame = frame_of(source, sync.source_asset or "")
            return dg.MaterializeResult(value=frame, metadata=frame_metadata(frame))

    return rows


def _mapped_asset(sync: SyncConfig) -> dg.AssetsDefinition:
    @dg.asset(
        key=mapped_key(sync),
        ins={"frame": dg.AssetIn(key=rows_key(sync))},
        check_specs=mapped_check_specs(sync),
        description=_description(
            sync,
            "The same rows in Kustomer's fields: renamed, converted, checked. `_key` names the row, "
            "`_invalid` says why a row will not be sent.",
        ),
        metadata=mapped_lineage(sync),
        automation_condition=condition(sync),
        **_labels(sync, "pandas", []),
    )
    def mapped(frame: pd.DataFrame) -> Iterator[Frame]:
        with readable_failures():
            result = sync.spec.map(frame)
            metadata = frame_metadata(result) | mapped_lineage(sync)
            metadata |= {"invalid_rows": int(result["_invalid"].notna().sum())}
            checks = mapped_check_results(sync, result)
        # Yielded: with checks, Dagster would take the annotation of a returned result for "stores nothing".
        yield dg.MaterializeResult(value=result, metadata=metadata, check_results=checks)

    return mapped


def _kustomer_asset(sync: SyncConfig, after: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        key=kustomer_key(sync),
        ins={"mapped": dg.AssetIn(key=mapped_key(sync))},
        deps=after,
        check_specs=sync_check_specs(sync),
        description=_description(
            sync,
            "**Writes to Kustomer.** Sends what differs, and holds a line per row: key, what became of it "
            "(created, updated, unchanged, skipped, invalid, rejected, deferred), Kustomer id, why it was "
            f"refused. To see first what would be sent, materialize `{plan_key(sync).to_user_string()}`. "
            "The `report` below says what the last run did and what happens next."
            + (f" What became of the rows is logged in {log_tables(sync.log_to)}." if sync.log_to else ""),
        ),
        metadata=kustomer_lineage(sync),
        automation_condition=condition(sync),
        freshness_policy=freshness(sync),
        **_labels(sync, "kustomer", ["warehouse", "kustomer", "state"]),
    )
    def outcomes(context: dg.AssetExecutionContext, config: SyncRunConfig, mapped: pd.DataFrame) -> Iterator[Frame]:
        uses = resources_of(sync, context)
        with readable_failures(uses.kustomer.variables), retries_decided(context, sync):
            options = replace(
                config.options(context.run.run_id), read_back=sync.read_back, undo_days=uses.state.days_to_undo()
            )
            with uses.kustomer.client() as client, uses.state.store() as store:
                told = in_log(context)
                report, rest = compared(
                    sync,
                    uses,
                    mapped,
                    client,
                    store,
                    lambda rows, rest: run_sync(
                        sync.spec, rows, client=client, state=store, options=options, on_progress=told, rest=rest
                    ),
                )
                missing_roles, waited = client.abilities.lines(), client.usage.waited_seconds
            tag_org(context, sync, report.org_id)
            around = Around.of(context.instance, sync)
            metadata = report_metadata(sync, report, waited, around) | kustomer_lineage(sync)
            if rest is not None and rest.problem is not None:
                context.log.warning(not_filed(rest.problem))
            checks = list(sync_check_results(sync, report, missing_roles))
        yield dg.MaterializeResult(value=report.rows, metadata=metadata, check_results=checks)
        # Only now: the materialization and the checks are recorded, whatever the run is called in the end.
        with readable_failures():
            not_logged = reason_not_logged(sync, report, uses.warehouse, uses.state)
        reasons = [reason_to_fail(report, sync.max_failure_share), not_logged]
        if any(reasons):
            decide_retries(context, sync, report.interrupted)
            text = "\n\n".join(reason for reason in reasons if reason)
            raise failure(text, report.interrupted, example=most_often(report))

    return outcomes


def _plan_asset(sync: SyncConfig) -> dg.AssetsDefinition:
    @dg.asset(
        key=plan_key(sync),
        ins={"mapped": dg.AssetIn(key=mapped_key(sync))},
        description=_description(
            sync,
            f"What `{kustomer_key(sync).to_user_string()}` would do with these rows, record by record, field by field. "
            "Reads Kustomer and changes nothing, there or here: materialize it as often as you like. To read it, open "
            "`plan` below.",
        ),
        **_labels(sync, "plan", ["warehouse", "kustomer", "state"] if in_warehouse(sync) else ["kustomer", "state"]),
    )
    def plan(context: dg.AssetExecutionContext, config: PlanRunConfig, mapped: pd.DataFrame) -> Frame:
        uses = resources_of(sync, context)
        with readable_failures(uses.kustomer.variables), retries_decided(context, sync):
            with uses.kustomer.client() as client, uses.state.store() as store:
                options = config.options(context.run.run_id)
                result, _ = compared(
                    sync,
                    uses,
                    mapped,
                    client,
                    store,
                    lambda rows, rest: plan_sync(
                        sync.spec, rows, client=client, state=store, options=options, rest=rest
                    ),
                )
            tag_org(context, sync, result.org_id)
            return dg.MaterializeResult(value=result.changes, metadata=plan_metadata(sync, result))

    return plan


class _Labels(TypedDict):
    kinds: set[str]
    tags: Mapping[str, str]
    group_name: str
    owners: Sequence[str]
    required_resource_keys: set[str]
    io_manager_key: str


def _labels(sync: SyncConfig, kind: str, uses: Sequence[str]) -> _Labels:
    """What every asset of a sync is given alike; `uses`: which of its resources."""
    keys = sync.resource_keys
    return {
        "kinds": {kind, *sync.kinds},
        "tags": sync.tags,
        "group_name": sync.group_name,
        "owners": sync.owners,
        "required_resource_keys": {getattr(keys, name) for name in uses},
        "io_manager_key": keys.frames,
    }


def _description(sync: SyncConfig, text: str) -> str:
    return f"{text}\n\n{sync.description}" if sync.description else text
