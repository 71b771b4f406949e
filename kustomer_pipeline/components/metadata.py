"""What the Dagster UI shows of a frame, a report, a plan and an undo: masked unless KUSTOMER_SHOW_VALUES=1."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

import dagster as dg
import pandas as pd

from kustomer_pipeline.kustomer import RateLimitedError
from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import Plan, SyncReport, UndoReport

from .approvals import held_changes, held_removals
from .changed_records import RecordLine, in_words, records_of
from .failures import error_text
from .markdown import page
from .outcomes_plot import RunOutcomes, earlier_runs, outcomes_of
from .plan_page import kinds_of, plan_headline, plan_page
from .reason_groups import by_reason
from .run_report import report_headline, run_report
from .sync_config import SyncConfig
from .tables import MAX_ROWS, Metadata, masked_keys, preview, table
from .what_next import switched_on

# How an undo may end for a field that the run changed, and for a record that it created.
FIELD_OUTCOMES = ("restored", "changed since", "gone", "rejected", "deferred")
CREATED_NOT_DELETED = "created, not deleted"

# Actions of a plan that change nothing: they are counted as they are, the others are what a run would do.
_NO_CHANGE = {"unchanged", "invalid"}

# Lines of a table in the metadata of a plan, which is read as a whole: the page has more of them, the file all.
_RECORDS = 10
_REASONS = 10


@dataclass(frozen=True)
class Around:
    """What a report tells besides the run itself: the runs before it, the time now (seconds since 1970), what is on."""

    earlier: Sequence[RunOutcomes] = ()
    now: float = 0.0
    switched_on: frozenset[str] = frozenset()

    @classmethod
    def of(cls, instance: dg.DagsterInstance, sync: SyncConfig, partition: str | None = None) -> Self:
        """As Dagster has it at this moment; only the time when Dagster cannot say."""
        now = time.time()
        try:
            return cls(earlier_runs(instance, sync, partition), now, switched_on(instance))
        except Exception:  # whatever it is: what the run has written must be recorded, with or without a drawing
            return cls(now=now)


def frame_metadata(frame: pd.DataFrame, shown: Collection[str] = ()) -> Metadata:
    """Number of rows, columns with their types, the first rows, masked but for the fields in `shown`."""
    columns = [dg.TableColumn(str(name), str(dtype)) for name, dtype in frame.dtypes.items()]
    return {
        "dagster/row_count": len(frame),
        "dagster/column_schema": dg.TableSchema(columns=columns),
        **table("preview", preview(frame, shown)),
    }


def query_metadata(sql: str) -> Metadata:
    """The SQL as it ran."""
    return {"query": dg.MetadataValue.md(page([f"```sql\n{sql.strip()}\n```"]))}


def outcome_counts(report: SyncReport) -> dict[str, int]:
    """How many rows were read, and what became of them."""
    counts = report.counts
    return {
        "rows_read": counts.read,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "skipped": counts.skipped,
        "invalid": counts.invalid,
        "rejected": counts.rejected,
        "deferred": counts.deferred,
    }


def report_metadata(
    sync: SyncConfig, report: SyncReport, waited: float = 0.0, around: Around | None = None
) -> Metadata:
    """A page to read; the counts of a run, what it spent, what a person should know, and the rows that were refused.

    waited: seconds that the client waited for the org's budget, or before it tried something again.
    around: the runs before this one, and what starts the next.
    """
    read = report.counts.read
    metadata: Metadata = {
        "summary": dg.MetadataValue.md(report_headline(sync, report)),
        "report": "",  # here, so that it stands above the numbers; written when they are known
        "dagster/row_count": len(report.rows),
        **outcome_counts(report),
        "api_requests": report.requests,
        "api_searches": report.searches,
        "units_per_record": round(report.requests / read, 4) if read else 0.0,
        "seconds": round(float(report.seconds), 1),
        "seconds_waited": round(float(waited), 1),
        "org": report.org_id,
    }
    if report.budget_left is not None:
        metadata["api_budget_left"] = report.budget_left
    if sync.is_audience:
        metadata |= _removal_counts(report)
    else:
        metadata["changes_held"] = report.changes_held
    if report.interrupted is not None:
        metadata["stopped_by"] = error_text(report.interrupted)
        metadata["out_of_budget"] = isinstance(report.interrupted, RateLimitedError)
    around = around or Around()
    runs = [*around.earlier, outcomes_of(metadata, around.now)]
    metadata["report"] = dg.MetadataValue.md(run_report(sync, report, waited, runs, around.switched_on))
    return (
        metadata
        | notes_metadata(report.notes)
        | held_removals(sync, report.removals)
        | held_changes(sync, report.held_changes)
        | table("refused_rows", report.refused(MAX_ROWS, show_values=show_values())[["key", "reason", "outcome"]])
    )


def _removal_counts(report: SyncReport) -> Metadata:
    removals = report.removals
    return {
        "members": report.members_now,
        "removed": removals.removed,
        "removals_held": removals.held,
        "removals_waiting": removals.waiting,
        "removals_refused": removals.refused,
    }


def plan_metadata(sync: SyncConfig, plan: Plan, refused: pd.DataFrame | None = None) -> Metadata:
    """A page to read; the first changes, a line a record; why rows would be refused; the numbers.

    refused: the rows (key, outcome, reason) that a run would not write; None: as the plan has them.
    """
    if refused is None:
        refused = plan.changes[plan.changes["action"] == "reject"].assign(outcome="rejected")
    return (
        {
            "summary": dg.MetadataValue.md(plan_headline(sync, plan)),
            "plan": dg.MetadataValue.md(plan_page(sync, plan, refused)),
        }
        | table("changes", _changes(plan))
        | table("would_be_refused", _reasons(refused))
        | {
            "dagster/row_count": len(plan.changes),
            **{_plan_count(action): int(count) for action, count in plan.counts.items()},
            "estimate": str(plan.estimate),
            "estimated_requests": int(plan.estimate.units),
            "estimated_seconds": round(float(plan.estimate.seconds), 1),
            "api_requests": plan.requests,
            "org": plan.org_id,
            **({"plan_id": plan.id} if plan.id is not None else {}),
        }
        | notes_metadata(plan.notes)
        | held_removals(sync, plan.removals)
        | held_changes(sync, plan.held_changes)
    )


def _changes(plan: Plan) -> pd.DataFrame:
    """The first records: those that would be changed before those that would be made."""
    lines: list[RecordLine] = []
    for action in sorted(kinds_of(plan), key=lambda action: action == "create"):
        lines += records_of(plan, plan.changes[plan.changes["action"] == action], _RECORDS - len(lines))
    return pd.DataFrame([(one.key, in_words(one)) for one in lines], columns=["row", "what changes"])


def _reasons(refused: pd.DataFrame) -> pd.DataFrame:
    """Why rows would be refused, the most frequent reason first."""
    groups = by_reason(refused, ["rejected", "invalid"])[:_REASONS]
    lines = [
        (one.rows, f"{one.reason} ({masked_keys(one.examples)[0]}{', …' if one.rows > 1 else ''})") for one in groups
    ]
    return pd.DataFrame(lines, columns=["rows", "reason"])


def undo_metadata(report: UndoReport) -> Metadata:
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
        metadata["stopped_by"] = error_text(report.interrupted)
    return metadata | notes_metadata(report.notes) | table("rows", report.table(MAX_ROWS, show_values=show_values()))


def notes_metadata(notes: Sequence[str]) -> Metadata:
    """What a person should know besides the counts; nothing when there is nothing."""
    return {"notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in notes))} if notes else {}


def _plan_count(action: str) -> str:
    return action if action in _NO_CHANGE else f"would_{action}"
