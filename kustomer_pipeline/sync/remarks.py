"""What a person should know of what a stream has met: approvals that let nothing through, rows that were asked for and
are not there, tags of somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from kustomer_pipeline.mapping import KEY, is_personal_key

from .ledger import Outcome
from .masking import mask_key
from .reasons import ReasonCode
from .reconcile import Stream
from .selection import unknown_keys
from .wording import quantity

_NAMED = 5
_WHICH = "which Kustomer does not have: sync the companies, and the next run links them"


def remarks(stream: Stream, elsewhere: int = 0) -> list[str]:
    """Sentences; none where there is nothing to say. elsewhere: holders of a mirror's tag who are not in the query, and
    not this sync's."""
    return [
        *_unused_approvals(stream),
        *_not_there(stream),
        *_tags_of_others(stream),
        *_tags_elsewhere(stream, elsewhere),
        *_without_company(stream),
    ]


def would_go_without_company(records: int) -> list[str]:
    """The same of a plan: of how many records that would be written."""
    one, many = "record would be written without its company", "records would be written without their company"
    return [f"{quantity(records, one, many)}, {_WHICH}"] if records else []


def _unused_approvals(stream: Stream) -> Iterator[str]:
    options, changes = stream.options, stream.selected.changes
    told = [
        ("approve_removals", options.approve_removals, stream.removals),
        ("approve_changes", options.approve_changes, changes),
    ]
    for option, given, verdict in told:
        if given is not None and not verdict.approved:
            held = verdict.held or (option == "approve_removals" and stream.waiting)
            now = f"what is held has the id {verdict.plan_id}" if held else "nothing is held"
            yield f"{option} {given} let nothing through: {now}. An id is that of one set, and passes once"


def adopted_by(stream: Stream) -> list[str]:
    """Whom a run with adopt has taken over, or would."""
    if not (stream.of_others and stream.options.adopt):
        return []
    return [f"{_given(stream)}: they {'would be' if stream.planning else 'are'} this sync's from now on"]


def _not_there(stream: Stream) -> Iterator[str]:
    match_on = stream.desired.spec.match_on
    unknown = unknown_keys(stream.options, stream.desired.mapped[KEY])
    if unknown:
        named = ", ".join(mask_key(key, is_personal_key(key, match_on)) for key in unknown[:_NAMED])
        more = f" and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
        rows = quantity(len(unknown), "row that was asked for is", "rows that were asked for are")
        yield f"{rows} not there: {named}{more} (only_keys takes keys as plans and reports name rows by them)"


def _without_company(stream: Stream) -> Iterator[str]:
    code = ReasonCode.WITHOUT_COMPANY
    if written := stream.ledger.count(code, Outcome.CREATED, Outcome.UPDATED):
        one, many = "record was written without its company", "records were written without their company"
        yield f"{quantity(written, one, many)}, {_WHICH}"
    if still := stream.ledger.count(code, Outcome.UNCHANGED):
        one, many = "record is still without its company", "records are still without their company"
        yield f"{quantity(still, one, many)}, {_WHICH}"


def _tags_of_others(stream: Stream) -> Iterator[str]:
    if stream.of_others and not stream.options.adopt and stream.leaving is not None and stream.planning:
        yield (
            f"{_given(stream)}, and will keep it when they leave the query. If another tool gave it before, or the "
            "state was lost: a run with adopt takes them over"
        )


def _tags_elsewhere(stream: Stream, elsewhere: int) -> Iterator[str]:
    if elsewhere:
        hold = quantity(elsewhere, "holder of the tag is", "holders of the tag are")
        yield (
            f"{hold} not in the query, and not known as this sync's: adopt leaves them alone. If another tool tagged "
            "them before, or the state was lost, a run with mirror_scope: tag takes the tag from them"
        )


def _given(stream: Stream) -> str:
    hold = quantity(stream.of_others, "member holds", "members hold")
    return f"{hold} the tag because somebody else gave it to them"
