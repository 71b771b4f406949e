"""When a run fails, and what it then says.

Every failure here is final for the step: the engine has already retried what can be retried, and trying a
wrong key or a wrong column again changes nothing. The next run goes on where this one stopped.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline.mapping import MappingError
from kustomer_pipeline.sync import SyncReport, UndoError
from kustomer_pipeline.sync.state import StateError
from kustomer_pipeline.warehouse import WarehouseError


@contextmanager
def readable_failures() -> Iterator[None]:
    """Turn the errors that we understand into a failure that says what to do.

    Without the exceptions behind them: those may hold a URL with somebody's e-mail address.
    """
    try:
        yield
    except (KustomerError, MappingError, StateError, UndoError, WarehouseError) as error:
        raise failure(str(error)) from None


def failure(description: str) -> dg.Failure:
    """A failure that is not tried again."""
    return dg.Failure(description, allow_retries=False)


def _most_often(report: SyncReport) -> str:
    reasons = report.rows.loc[report.rows["outcome"].isin(["invalid", "rejected"]), "reason"].value_counts()
    return f"Most often: {reasons.index[0]} ({int(reasons.iloc[0]):,} of them)." if len(reasons) else ""


def reason_to_fail(report: SyncReport, max_failure_share: float) -> str | None:
    """Why a run that has been recorded is a failure all the same; None when it is none."""
    counts = report.counts
    if report.interrupted is not None:
        return (
            f"Stopped half-way: {report.interrupted}\n\n{counts.deferred:,} of {counts.read:,} rows were not "
            "reached. Nothing is lost: the next run continues with them."
        )
    if not report.adds_up:
        return (
            f"{counts.read:,} rows were read but their outcomes do not add up to that. This is a mistake in "
            "the engine, not in the data: see the check rows_accounted_for, and report it."
        )
    if report.failure_share > max_failure_share:
        refused = counts.invalid + counts.rejected
        return (
            f"{refused:,} of {counts.read:,} rows were refused ({report.failure_share:.1%}), more than the "
            f"{max_failure_share:.1%} that max_failure_share allows. The others have been sent. The "
            "asset's metadata lists refused rows and the reasons: correct them at the source, or allow more. "
            f"{_most_often(report)}"
        )
    return None
