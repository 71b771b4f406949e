"""The checks on what became of the rows. None of them blocks: the sync itself has left out what could not go.

A check about shares warns while the share is at most what the sync allows; one about a guard is an error while
something is held; one that only tells something never is more than a warning.
"""

from collections.abc import Iterator, Sequence

import dagster as dg
import pandas as pd

from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import ReadBack, ReasonCode, SyncReport
from kustomer_pipeline.sync.wording import ARE, RECORDS, ROWS, part, quantity

from .approvals import held_changes, held_removals
from .keys import kustomer_key
from .no_rows import no_rows_of
from .severity import severity
from .sync_config import AudienceSyncConfig, SyncConfig
from .tables import MAX_ROWS, Metadata, masked_keys, table

ACCEPTED = "all_rows_accepted"
ACCOUNTED = "rows_accounted_for"
NOT_DEFERRED = "rows_not_deferred"
LANDED = "landed_as_sent"
KEY = "key_is_enough"
NOTES = "nothing_to_note"
ROWS_THERE = "query_returns_rows"
CHANGES = "changes_within_limit"
REMOVALS = "removals_within_limit"
REMOVED = "removals_accepted"
FOUND = "members_found"

_OF_EVERY_SYNC = {
    ACCEPTED: "No row was refused, neither by the mapping (invalid) nor by Kustomer (rejected).",
    ACCOUNTED: "Every row that was read has exactly one outcome.",
    NOT_DEFERRED: "No more rows than max_deferred_share allows are left for the next run without being asked for.",
    LANDED: "Of the records that the run has written, a sample (read_back) is in Kustomer as it was sent.",
    KEY: "The API key has the roles that make the sync cheap. Warns only: a smaller key works too, for more requests.",
    NOTES: "There is nothing else that somebody should look at: a renamed tag, a record written in part. Warns only.",
}
_OF_OBJECTS = {
    ROWS_THERE: "The query returned rows, or never has: an empty result where there were records is no success.",
    CHANGES: "The run wanted to change no more of the records sent before than max_changes allows.",
}
_OF_AUDIENCES = {
    REMOVALS: "The run wanted to untag no more members than max_removals allows.",
    REMOVED: "Kustomer took the tag from every member that the run untagged, and nobody who left keeps it because of "
    "rows that are refused.",
    FOUND: "No more members than max_absent_share allows are missing in Kustomer.",
}

# Rows are deferred for these because somebody, or a guard, asked for it.
_ASKED_FOR = (
    ReasonCode.BEYOND_LIMIT,
    ReasonCode.NOT_ASKED_FOR,
    ReasonCode.CHANGES_HELD,
    ReasonCode.REMOVALS_HELD,
    ReasonCode.NOT_APPROVED,
    ReasonCode.CHANGED_SINCE_PLAN,
)
_NOT_ASKED_FOR = {
    ReasonCode.QUEUED: "sent, and still queued in Kustomer",
    ReasonCode.ANSWER_PENDING: "sent, and the answer is not complete",
    ReasonCode.UNDER_WAY: "under way from an earlier run",
    ReasonCode.KEPT_CHANGING: "somebody kept changing the record meanwhile",
    ReasonCode.STOPPED: "the run was stopped",
}


def sync_check_specs(sync: SyncConfig) -> list[dg.AssetCheckSpec]:
    """The checks on what became of the rows."""
    descriptions = _OF_EVERY_SYNC | (_OF_AUDIENCES if sync.is_audience else _OF_OBJECTS)
    return [
        dg.AssetCheckSpec(name, asset=kustomer_key(sync), description=description)
        for name, description in descriptions.items()
    ]


def sync_check_results(
    sync: SyncConfig, report: SyncReport, missing_roles: Sequence[str] = ()
) -> Iterator[dg.AssetCheckResult]:
    """What a report says to each of them. `missing_roles`: sentences about what the key may not do, and its price."""
    yield _all_accepted(sync, report)
    yield dg.AssetCheckResult(
        check_name=ACCOUNTED,
        passed=bool(report.adds_up),
        metadata={
            "rows_read": report.counts.read,
            "rows_with_an_outcome": int(report.rows["outcome"].notna().sum()),
        },
    )
    yield _not_deferred(sync, report)
    yield _landed_as_sent(report.read_back)
    yield _told(KEY, missing_roles)
    yield _told(NOTES, [note for note in report.notes if note not in (*missing_roles, *report.news)])
    if isinstance(sync, AudienceSyncConfig):
        yield _removals_within_limit(sync, report)
        yield _removals_accepted(sync, report)
        yield _members_found(sync, report)
    else:
        yield _returns_rows(sync, report)
        yield _changes_within_limit(sync, report)


def _all_accepted(sync: SyncConfig, report: SyncReport) -> dg.AssetCheckResult:
    refused = report.counts.invalid + report.counts.rejected
    share = float(report.failure_share)
    return dg.AssetCheckResult(
        check_name=ACCEPTED,
        passed=refused == 0,
        severity=severity(share, sync.max_failure_share),
        description=f"{part(refused, report.counts.read, *ROWS)} refused ({share:.1%})" if refused else None,
        metadata={
            "invalid": report.counts.invalid,
            "rejected": report.counts.rejected,
            "share": round(share, 6),
        },
    )


def _not_deferred(sync: SyncConfig, report: SyncReport) -> dg.AssetCheckResult:
    read, by_code = report.counts.read, report.by_code
    asked_for = sum(by_code.get(code, 0) for code in _ASKED_FOR)
    deferred = max(report.counts.deferred - asked_for, 0)
    share = deferred / read if read else 0.0
    why = pd.DataFrame(
        [{"why": text, "rows": by_code[code]} for code, text in _NOT_ASKED_FOR.items() if by_code.get(code)]
    )
    return _warning(
        NOT_DEFERRED,
        f"{part(deferred, read, *ROWS, ARE)} left for the next run ({share:.1%}). If that happens run after run, "
        "Kustomer does not work off what is sent: look at the reasons."
        if share > sync.max_deferred_share
        else None,
        {"deferred": deferred, "deferred_as_asked_for": asked_for, "share": round(share, 6), **table("reasons", why)},
    )


def _landed_as_sent(read_back: ReadBack) -> dg.AssetCheckResult:
    """Never an error: what was sent was accepted, and somebody may have had a reason to change it."""
    checked, drifted = read_back.checked, read_back.drifted
    description = None
    if read_back.error is not None:
        description = f"The records could not be read again: {read_back.error}"
    elif drifted:
        description = (
            f"{part(drifted, checked, *RECORDS, ARE)} not as sent when read again. An agent or a "
            "business rule may have changed them since, or Kustomer keeps the value in another form. A run with "
            "full_resync sends the warehouse's values again; what a business rule changes, change there."
        )
    differences = table("differences", read_back.table(MAX_ROWS, show_values=show_values()))
    return _warning(LANDED, description, {"records_read_again": checked, "drifted": drifted, **differences})


def _told(name: str, lines: Sequence[str]) -> dg.AssetCheckResult:
    return _warning(name, "\n".join(lines) or None, {"lines": len(lines)})


def _returns_rows(sync: SyncConfig, report: SyncReport) -> dg.AssetCheckResult:
    empty = no_rows_of(sync, report)
    return dg.AssetCheckResult(
        check_name=ROWS_THERE,
        passed=empty is None,
        description=empty,
        metadata={"rows_read": report.counts.read, "records_sent_before": report.accepted_before},
    )


def _changes_within_limit(sync: SyncConfig, report: SyncReport) -> dg.AssetCheckResult:
    held = report.held_changes
    return dg.AssetCheckResult(
        check_name=CHANGES,
        passed=held.held == 0,
        description=f"{held.held:,} of the {held.accepted:,} records sent before would change at once; they are held "
        "back until somebody approves them"
        if held.held
        else None,
        metadata={"changes_held": held.held, **held_changes(sync, held)},
    )


def _removals_within_limit(sync: SyncConfig, report: SyncReport) -> dg.AssetCheckResult:
    held = report.removals_held
    return dg.AssetCheckResult(
        check_name=REMOVALS,
        passed=held == 0,
        description=f"{quantity(held, 'removal is', 'removals are')} held back until somebody approves"
        if held
        else None,
        metadata={"removals_held": held, **(held_removals(sync, report.removals) if held else {})},
    )


def _removals_accepted(sync: AudienceSyncConfig, report: SyncReport) -> dg.AssetCheckResult:
    removals = report.removals
    told = []
    if removals.refused:
        told.append(
            f"Kustomer refused to untag {quantity(removals.refused, 'member', 'members')}: the tag stays, and the next "
            "run tries again"
        )
    if removals.waiting:
        told.append(
            f"{quantity(removals.waiting, 'removal waits', 'removals wait')}: rows of the audience are invalid, "
            "refused or deferred, and one of them may be the member who seems to have left. Put those rows right; the "
            "next run looks again. Or approve exactly these, by the id below"
        )
    rows = removals.rows.head(MAX_ROWS)
    refused = rows.assign(key=masked_keys(rows["key"]))
    return dg.AssetCheckResult(
        check_name=REMOVED,
        passed=removals.refused == 0 and removals.waiting == 0,
        severity=dg.AssetCheckSeverity.ERROR if removals.refused else dg.AssetCheckSeverity.WARN,
        description=". ".join(told) or None,
        metadata={
            "removals_refused": removals.refused,
            "removals_waiting": removals.waiting,
            **(held_removals(sync, removals) if removals.waiting else {}),
            **table("refused_removals", refused),
        },
    )


def _members_found(sync: AudienceSyncConfig, report: SyncReport) -> dg.AssetCheckResult:
    read, absent = report.counts.read, report.absent
    share = absent / read if read else 0.0
    return _warning(
        FOUND,
        f"{part(absent, read, 'member', 'members', ARE)} not in Kustomer ({share:.1%}). Is match_on what Kustomer "
        f"knows its {sync.object} by, and are they synced before the audience?"
        if share > sync.max_absent_share
        else None,
        {"not_in_kustomer": absent, "share": round(share, 6)},
    )


def _warning(name: str, description: str | None, metadata: Metadata) -> dg.AssetCheckResult:
    """A check that is passed as long as it has nothing to say."""
    return dg.AssetCheckResult(
        check_name=name,
        passed=description is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
        metadata=metadata,
    )
