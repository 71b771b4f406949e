"""What became of the rows, told to the warehouse (`log_to`): report + what the state has of the run → RunLog.

Written after the sync has been recorded: whatever happens here undoes nothing and hides nothing.
"""

from datetime import UTC, datetime, timedelta

import pandas as pd

from kustomer_pipeline.resources import StateResource, WarehouseResource
from kustomer_pipeline.sync import StateError, StateStore, SyncReport
from kustomer_pipeline.warehouse import RunLog, WarehouseError

from .failures import error_text
from .metadata import outcome_counts
from .sync_config import LogTo, SyncConfig

_COLUMNS = ["key", "outcome", "kustomer_id", "reason"]


def log_tables(log_to: LogTo) -> str:
    """The tables by name."""
    names = [f"`{log_to.schema_}.{table}`" for table in ("sync_log", "sync_runs", "rejects")]
    return f"{names[0]}, {names[1]} and {names[2]}"


def reason_not_logged(
    sync: SyncConfig, report: SyncReport, warehouse: WarehouseResource, state: StateResource
) -> str | None:
    """Write the log of a run, if the sync asks for one. Why it could not be written; None when it was."""
    if sync.log_to is None:
        return None
    try:
        with state.store() as store:
            run = run_log(report, store)
        warehouse.log(sync.log_to.schema_, run, run.at - timedelta(days=state.days_to_keep()))
    except (WarehouseError, StateError) as error:
        return (
            f"The sync is done and recorded, only its log is missing: {error_text(error)}\n\nNothing has to be sent "
            "again; the next run writes its own log."
        )
    return None


def run_log(report: SyncReport, store: StateStore) -> RunLog:
    """A report as the warehouse keeps it, at this moment."""
    return RunLog(
        org_id=report.org_id,
        sync=report.sync,
        run_id=report.run_id,
        at=datetime.now(UTC),
        rows=report.rows,
        further=_further(report, store),
        summary={
            **outcome_counts(report),
            "removed": report.removed,
            "removals_held": report.removals_held,
            "api_requests": report.requests,
            "seconds": round(float(report.seconds), 3),
            "interrupted": error_text(report.interrupted) if report.interrupted is not None else None,
        },
    )


def _further(report: SyncReport, store: StateStore) -> pd.DataFrame:
    """Records that the run settled and that are no attempted row of it: members who left the audience, and what an
    earlier run had sent without living to see the answer (here the row counts as unchanged)."""
    attempted = report.rows.loc[report.rows["outcome"] != "unchanged", "key"]
    parts = [pd.DataFrame(columns=_COLUMNS, dtype="string")]
    for lines in store.org(report.org_id).log_of(report.sync, report.run_id, ["created", "updated", "removed"]):
        part = pd.DataFrame(lines, columns=_COLUMNS).astype("string")
        parts.append(part[~part["key"].isin(attempted)])
    return pd.concat(parts, ignore_index=True)
