"""Decisions that send nothing, as every strategy words them, and what is remembered of each."""

from __future__ import annotations

from collections.abc import Mapping

from kustomer_pipeline.kustomer import Record

from ..decisions import Nothing, Resolved
from ..ledger import Outcome
from ..reasons import Reason, ReasonCode
from ..rows import Case, DesiredRow
from ..state import RememberedRow, Status

_NO_LISTS: Mapping[str, list[str]] = {}


def remembered(
    case: Case,
    status: Status,
    kustomer_id: str | None,
    *,
    owned: bool = False,
    sent_lists: Mapping[str, list[str]] = _NO_LISTS,
    reason: Reason | None = None,
    whole: bool = True,
) -> RememberedRow:
    """What is kept of a row. While a lost write of it may still be done, and where it is not in Kustomer as a `whole`,
    it keeps no fingerprint, and is looked at again.
    """
    settled = status in ("accepted", "skipped") and case.lost_at is None and whole
    return RememberedRow(
        key=case.key,
        status=status,
        fingerprint=case.row.fingerprint if settled and isinstance(case.row, DesiredRow) else None,
        kustomer_id=kustomer_id,
        owned=owned,
        sent_lists=sent_lists,
        reason=reason.text if reason else None,
        reason_code=str(reason.code) if reason else None,
        lost_at=case.lost_at,
    )


def as_it_should_be(
    resolved: Resolved, record: Record, *, owned: bool = False, sent_lists: Mapping[str, list[str]] = _NO_LISTS
) -> Nothing:
    """The record is as wanted. It counts as created or updated where that was us, without the answer reaching us. Where
    the row lacks something, it is as wanted for now.
    """
    case, lacks = resolved.case, resolved.lacks
    outcome = Outcome.CREATED if case.maybe_created else Outcome.UPDATED if case.maybe_updated else Outcome.UNCHANGED
    kept = remembered(
        case, "accepted", record.id, owned=owned, sent_lists=sent_lists, reason=lacks, whole=lacks is None
    )
    return Nothing(resolved, outcome, record.id, lacks, remember=kept)


def skipped(
    resolved: Resolved, code: ReasonCode, text: str, record: Record | None = None, *, owned: bool = False
) -> Nothing:
    """Nothing to be done for this row, as long as it stays as it is."""
    case, reason = resolved.case, Reason(code, text)
    kustomer_id = record.id if record else None
    kept = remembered(case, "skipped", kustomer_id, owned=owned, sent_lists=case.sent_lists, reason=reason)
    return Nothing(resolved, Outcome.SKIPPED, kustomer_id, reason, remember=kept)


def rejected(resolved: Resolved, reason: Reason, record: Record | None = None, *, owned: bool = False) -> Nothing:
    """A row that is refused, and tried again next time."""
    case = resolved.case
    kustomer_id = record.id if record else case.known_id
    kept = remembered(case, "rejected", kustomer_id, owned=owned, sent_lists=case.sent_lists, reason=reason)
    return Nothing(resolved, Outcome.REJECTED, kustomer_id, reason, remember=kept)


def deferred(resolved: Resolved, code: ReasonCode, text: str) -> Nothing:
    """A row for the next run; what is remembered of it stays as it is."""
    return Nothing(resolved, Outcome.DEFERRED, reason=Reason(code, text))


def refused_reason(resolved: Resolved) -> Reason:
    """Kustomer's own words about the last attempt."""
    last = resolved.case.last
    said = last.refusal if last and last.refusal else "no reason given"
    return Reason(ReasonCode.REFUSED, f"Kustomer refused it: {said}")


def refused_for_good(resolved: Resolved, record: Record) -> bool:
    """An update that Kustomer refused although nobody touched the record in between, and nothing in it is dead."""
    last = resolved.case.last
    if last is None or last.operation != "update" or last.refusal is None or record.rev != last.rev:
        return False
    return not resolved.dead or last.without_dead
