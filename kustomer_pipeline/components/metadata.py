"""What the Dagster UI shows of a frame, a report and a plan: masked unless KUSTOMER_SHOW_VALUES=1."""

import os
from collections.abc import Iterable
from typing import Any

import dagster as dg
import pandas as pd

from kustomer_pipeline.sync import Plan, SyncReport, UndoReport
from kustomer_pipeline.sync.masking import mask, mask_key

from .sync_component import Sync

Metadata = dict[str, Any]

MAX_ROWS = 100  # Dagster's event log is no place for big tables
PREVIEW_ROWS = 5

# How an undo may end for a field that the run changed, and for a record that it created.
FIELD_OUTCOMES = ("restored", "changed since", "gone", "rejected", "deferred")
CREATED_NOT_DELETED = "created, not deleted"


def show_values() -> bool:
    """Whether values of rows may be shown: off, because the event log is read by many and kept for long."""
    return os.environ.get("KUSTOMER_SHOW_VALUES") == "1"


def of_frame(frame: pd.DataFrame) -> Metadata:
    """Number of rows, columns with their types, the first rows (masked)."""
    columns = [dg.TableColumn(str(name), str(dtype)) for name, dtype in frame.dtypes.items()]
    return {
        "dagster/row_count": len(frame),
        "dagster/column_schema": dg.TableSchema(columns=columns),
        **table("preview", _preview(frame)),
    }


def of_query(sql: str) -> Metadata:
    """The SQL as it ran."""
    return {"query": dg.MetadataValue.md(f"```sql\n{sql.strip()}\n```")}


def of_report(sync: Sync, report: SyncReport) -> Metadata:
    """The counts of a run, what it spent, and the rows that were refused."""
    counts = report.counts
    metadata: Metadata = {
        "dagster/row_count": len(report.rows),
        "rows_read": counts.read,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "skipped": counts.skipped,
        "invalid": counts.invalid,
        "rejected": counts.rejected,
        "deferred": counts.deferred,
        "api_requests": report.requests,
        "api_searches": report.searches,
        "units_per_record": round(report.requests / counts.read, 4) if counts.read else 0.0,
        "seconds": round(float(report.seconds), 1),
        "org": report.org_id,
    }
    if report.budget_left is not None:
        metadata["api_budget_left"] = report.budget_left
    if sync.is_audience:
        metadata |= {
            "members": report.members,
            "removed": report.removed,
            "removals_held": report.removals_held,
        }
    if report.interrupted is not None:
        metadata["stopped_by"] = str(report.interrupted)
    return (
        metadata
        | of_held_removals(sync, report.removals_held, report.removal_plan_id)
        | table("refused_rows", report.refused(MAX_ROWS, show_values=show_values()))
    )


def of_plan(sync: Sync, plan: Plan) -> Metadata:
    """How many records would change and how, the first changes field by field, what looking cost."""
    return (
        {
            "dagster/row_count": len(plan.changes),
            **{_plan_count(action): int(count) for action, count in plan.counts.items()},
            "api_requests": plan.requests,
            "org": plan.org_id,
        }
        | of_held_removals(sync, plan.removals_held, plan.removal_plan_id)
        | table("changes", plan.table(MAX_ROWS, show_values=show_values()))
    )


def of_undo(report: UndoReport) -> Metadata:
    """How many records were taken back, how many fields ended how, and the first of them."""
    outcomes = report.rows["outcome"].value_counts()
    metadata: Metadata = {
        "undone_run": report.run_id,
        "records_restored": report.restored,
        **{f"fields_{outcome.replace(' ', '_')}": int(outcomes.get(outcome, 0)) for outcome in FIELD_OUTCOMES},
        "records_created_not_deleted": int(outcomes.get(CREATED_NOT_DELETED, 0)),
        "api_requests": report.requests,
        "org": report.org_id,
    }
    if report.interrupted is not None:
        metadata["stopped_by"] = str(report.interrupted)
    return metadata | table("rows", report.table(MAX_ROWS, show_values=show_values()))


def _plan_count(action: str) -> str:
    return action if action in {"unchanged", "invalid"} else f"would_{action}"


def of_held_removals(sync: Sync, held: int, plan_id: str | None) -> Metadata:
    """What the breaker holds back and how to let exactly that through; nothing when nothing is held."""
    if not held:
        return {}
    metadata: Metadata = {
        "what_to_do": dg.MetadataValue.md(
            f"**{held:,} customers would lose the tag. That is more than `max_removals` allows, so nobody "
            "loses it.** An empty or half-built query result looks like this: look at the query first.\n\n"
            f"If the removals are right, launch the job `sync_{sync.name}` with this run config. It lets "
            "exactly these removals through, once, and no others:\n\n"
            f"```yaml\n{approval_config(sync, plan_id)}\n```"
        )
    }
    return metadata | ({"removal_plan_id": plan_id} if plan_id is not None else {})


def approval_config(sync: Sync, plan_id: str | None) -> str:
    """Run config for the launchpad."""
    return f"ops:\n  kustomer__{sync.name}:\n    config:\n      approve_removals: {plan_id}"


def table(name: str, frame: pd.DataFrame) -> Metadata:
    """A small table under `name`; nothing when it is empty, because Dagster draws no columns then."""
    if frame.empty:
        return {}
    records = [
        dg.TableRecord({str(key): _cell(value) for key, value in row.items()})
        for row in frame.head(MAX_ROWS).to_dict("records")
    ]
    schema = dg.TableSchema(columns=[dg.TableColumn(str(column)) for column in frame.columns])
    return {name: dg.MetadataValue.table(records, schema=schema)}


def masked_keys(keys: Iterable[str]) -> list[str]:
    """Keys of rows as they may be shown."""
    return [key if show_values() else mask_key(key) for key in keys]


def _preview(frame: pd.DataFrame) -> pd.DataFrame:
    head = frame.head(PREVIEW_ROWS)
    if show_values():
        return head
    return pd.DataFrame({column: [_masked(str(column), value) for value in head[column]] for column in head})


def _masked(column: str, value: Any) -> Any:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return mask_key(str(value)) if column == "_key" else mask(_plain(value))


def _cell(value: Any) -> str | int | float | bool | None:
    """A table cell holds text, numbers, true, false and null, and no numpy scalars."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    plain = _plain(value)
    return plain if isinstance(plain, str | int | float | bool) else str(plain)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
