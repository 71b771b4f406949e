"""The four assets of a sync. Each body is a table of contents; the work is in the packages below.

    kustomer/<name>_rows   ─ the query's rows, or those of an upstream asset
    kustomer/<name>_mapped ─ the same rows in Kustomer's fields, each valid or with its reason
    kustomer/<name>        ─ the sync: what became of each row
    kustomer/<name>_plan   ─ what would become of each row; reads Kustomer, writes nothing

A re-run is safe: what was sent is remembered row by row, and a row that has not changed costs nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

import dagster as dg
import pandas as pd

from kustomer_pipeline.io_manager import AS_CSV
from kustomer_pipeline.warehouse import frame_of

from .automation import condition, freshness
from .comparing import asked_for_in, drawn_in, in_warehouse, is_told_everything
from .failures import failure, most_often, readable_failures, reason_to_fail
from .keys import asset_key, kustomer_key, mapped_key, plan_key, plan_of, rows_key
from .left_out import without_forgotten
from .lineage import kustomer_lineage, mapped_lineage, upstream
from .mapped_checks import mapped_check_results, mapped_check_specs
from .metadata import Around, frame_metadata, plan_metadata, report_metadata
from .progress import in_log
from .refused import would_be_refused
from .resources_of import resources_of
from .run_config import PlanRunConfig, SyncRunConfig
from .run_tags import approved_by, decide_retries, retries_decided, tag_org
from .running import plan_rows, rows_of, run_rows
from .sharding import partitions_def, shard_of, spec_of
from .sync_checks import sync_check_results, sync_check_specs
from .sync_config import SourceTable, SyncConfig
from .sync_log import log_tables, reason_not_logged

Frame = dg.MaterializeResult[pd.DataFrame]


def sync_assets(sync: SyncConfig, after: Sequence[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    """The assets of `sync`; its sync asset depends on those in `after`."""
    frames = isinstance(sync.source, str)
    rows = _rows_of_asset(sync) if frames else _rows_of_query(sync)
    return [rows, _mapped_asset(sync), _kustomer_asset(sync, after), _plan_asset(sync, after)]


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
        **_labels(sync, "sql", ["warehouse", "kustomer", "state"]),
    )
    def rows(context: dg.AssetExecutionContext) -> Frame:
        with readable_failures(), retries_decided(context, sync):
            uses, number = resources_of(sync, context), shard_of(sync, context)
            everything, drawn = is_told_everything(sync, context.run), drawn_in(sync, context.run)
            again = asked_for_in(sync, context.run)
            frame, metadata = rows_of(sync, uses, number=number, everything=everything, drawn=drawn, again=again)
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
        **_labels(sync, "pandas", ["kustomer", "state"]),
    )
    def rows(context: dg.AssetExecutionContext, source: Any) -> Frame:
        with readable_failures(), retries_decided(context, sync):
            frame = frame_of(source, sync.source_asset or "")
            frame = without_forgotten(sync, resources_of(sync, context), frame)
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
            shown = {mapping.field for mapping in sync.mappings if mapping.show}
            metadata = frame_metadata(result, shown) | mapped_lineage(sync)
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
            options = approved_by(config.options(context.run.run_id), context.run)
            ran = run_rows(sync, spec_of(sync, context), uses, mapped, options, in_log(context))
            report = ran.report
            tag_org(context, sync, report.org_id)
            partition = context.partition_key if context.has_partition_key else None
            around = Around.of(context.instance, sync, partition)
            metadata = report_metadata(sync, report, ran.waited, around) | kustomer_lineage(sync)
            for problem in ran.problems:
                context.log.warning(problem)
            checks = list(sync_check_results(sync, report, ran.missing_roles))
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


def _plan_asset(sync: SyncConfig, after: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    asks = in_warehouse(sync) or sync.suppress is not None

    @dg.asset(
        key=plan_key(sync),
        ins={"mapped": dg.AssetIn(key=mapped_key(sync))},
        deps=[plan_of(key) for key in after],  # what they create counts as there
        description=_description(
            sync,
            f"What `{kustomer_key(sync).to_user_string()}` would do with these rows, record by record, field by field. "
            "Reads Kustomer and changes nothing, there or here: materialize it as often as you like. To read it, open "
            "`plan` below. Its id is kept, and a hash of each line, so that exactly this plan can be approved.",
        ),
        metadata={AS_CSV: True},
        **_labels(sync, "plan", ["warehouse", "kustomer", "state"] if asks else ["kustomer", "state"]),
    )
    def plan(context: dg.AssetExecutionContext, config: PlanRunConfig, mapped: pd.DataFrame) -> Frame:
        uses = resources_of(sync, context)
        with readable_failures(uses.kustomer.variables), retries_decided(context, sync):
            result = plan_rows(sync, spec_of(sync, context), uses, mapped, config.options(context.run.run_id))
            tag_org(context, sync, result.org_id)
            metadata = plan_metadata(sync, result, would_be_refused(result, mapped))
            return dg.MaterializeResult(value=result.changes, metadata=metadata)

    return plan


class _Labels(TypedDict):
    kinds: set[str]
    tags: Mapping[str, str]
    group_name: str
    owners: Sequence[str]
    required_resource_keys: set[str]
    io_manager_key: str
    partitions_def: dg.PartitionsDefinition[str] | None


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
        "partitions_def": partitions_def(sync),
    }


def _description(sync: SyncConfig, text: str) -> str:
    return f"{text}\n\n{sync.description}" if sync.description else text
