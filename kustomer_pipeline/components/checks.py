"""The checks of a sync. None of them blocks: the sync leaves out bad rows itself, a check says what they are.

A check warns while the share of bad rows is at most `max_failure_share`, and is an error above it.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from kustomer_pipeline.sync import ReadBack, SyncReport

from .keys import kustomer_key, mapped_key
from .metadata import MAX_ROWS, masked_keys, of_held_removals, show_values, table
from .sync_component import Sync

EXAMPLES = 20

MAPPED = {
    "required_fields": "Every row has the fields that Kustomer or match_on cannot do without.",
    "row_keys_unique": "No two rows claim one record: each key, e-mail, phone and external id is there once.",
    "fields_valid": "Every value is what its Kustomer field takes: type, length, format.",
}
ACCEPTED = "all_rows_accepted"
ACCOUNTED = "rows_accounted_for"
REMOVALS = "removals_within_limit"
LANDED = "landed_as_sent"


def mapped_check_specs(sync: Sync) -> list[dg.AssetCheckSpec]:
    """The checks on the mapped rows."""
    return [
        dg.AssetCheckSpec(name, asset=mapped_key(sync), description=description) for name, description in MAPPED.items()
    ]


def mapped_check_results(sync: Sync, mapped: pd.DataFrame) -> list[dg.AssetCheckResult]:
    """Which rows are invalid, why, and how many; a row with several reasons shows up in several checks."""
    invalid = mapped.loc[mapped["_invalid"].notna(), ["_key", "_invalid"]]
    reasons = invalid.assign(reason=invalid["_invalid"].str.split("; ")).explode("reason")
    check_of = reasons["reason"].map(_check_of)
    return [_mapped_result(sync, name, reasons[check_of == name], len(mapped)) for name in MAPPED]


def _check_of(reason: str) -> str:
    """The check that a reason of the mapping belongs to."""
    if " is also on " in reason:
        return "row_keys_unique"
    if reason.endswith(" is missing") or reason.endswith(" is there to match on"):
        return "required_fields"
    return "fields_valid"


def _mapped_result(sync: Sync, name: str, reasons: pd.DataFrame, total: int) -> dg.AssetCheckResult:
    bad = int(reasons.index.nunique())
    share = bad / total if total else 0.0
    examples = pd.DataFrame(
        {
            "row": masked_keys(reasons["_key"].head(EXAMPLES)),
            "reason": reasons["reason"].head(EXAMPLES).tolist(),
        }
    )
    return dg.AssetCheckResult(
        check_name=name,
        passed=bad == 0,
        severity=_severity(share, sync.max_failure_share),
        description=f"{bad:,} of {total:,} rows ({share:.1%}) are left out for this" if bad else None,
        metadata={"rows": bad, "share": round(share, 6), **table("examples", examples)},
    )


def sync_check_specs(sync: Sync) -> list[dg.AssetCheckSpec]:
    """The checks on what became of the rows."""
    descriptions = {
        ACCEPTED: "No row was refused, neither by the mapping (invalid) nor by Kustomer (rejected).",
        ACCOUNTED: "Every row that was read has exactly one outcome.",
        LANDED: "Of the records that the run has written, a sample (read_back) is in Kustomer as it was sent.",
    }
    if sync.is_audience:
        descriptions[REMOVALS] = "The run wanted to untag no more customers than max_removals allows."
    return [
        dg.AssetCheckSpec(name, asset=kustomer_key(sync), description=description)
        for name, description in descriptions.items()
    ]


def sync_check_results(sync: Sync, report: SyncReport) -> Iterator[dg.AssetCheckResult]:
    """What a report says to each of them."""
    yield _all_accepted(sync, report)
    yield dg.AssetCheckResult(
        check_name=ACCOUNTED,
        passed=bool(report.adds_up),
        metadata={
            "rows_read": report.counts.read,
            "rows_with_an_outcome": int(report.rows["outcome"].notna().sum()),
        },
    )
    yield _landed_as_sent(report.read_back)
    if sync.is_audience:
        held = report.removals_held
        yield dg.AssetCheckResult(
            check_name=REMOVALS,
            passed=held == 0,
            description=f"{held:,} removals are held back until somebody approves them" if held else None,
            metadata={"removals_held": held, **of_held_removals(sync, held, report.removal_plan_id)},
        )


def _all_accepted(sync: Sync, report: SyncReport) -> dg.AssetCheckResult:
    refused = report.counts.invalid + report.counts.rejected
    share = float(report.failure_share)
    description = f"{refused:,} of {report.counts.read:,} rows ({share:.1%}) were refused" if refused else None
    return dg.AssetCheckResult(
        check_name=ACCEPTED,
        passed=refused == 0,
        severity=_severity(share, sync.max_failure_share),
        description=description,
        metadata={
            "invalid": report.counts.invalid,
            "rejected": report.counts.rejected,
            "share": round(share, 6),
        },
    )


def _landed_as_sent(read_back: ReadBack) -> dg.AssetCheckResult:
    """Never an error: what was sent was accepted, and somebody may have had a reason to change it."""
    checked, drifted = read_back.checked, read_back.drifted
    description = None
    if read_back.error is not None:
        description = f"The records could not be read again: {read_back.error}"
    elif drifted:
        description = (
            f"{drifted:,} of {checked:,} records that were read again are not as they were sent. An agent or a "
            "business rule may have changed them since, or Kustomer keeps the value in another form. A run with "
            "full_resync sends the warehouse's values again; what a business rule changes, change there."
        )
    return dg.AssetCheckResult(
        check_name=LANDED,
        passed=description is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
        metadata={
            "records_read_again": checked,
            "drifted": drifted,
            **table("differences", read_back.table(MAX_ROWS, show_values=show_values())),
        },
    )


def _severity(share: float, allowed: float) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.WARN if share <= allowed else dg.AssetCheckSeverity.ERROR
