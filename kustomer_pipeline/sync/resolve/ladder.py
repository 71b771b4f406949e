"""The identity ladder, on live records: a match, or the reason why there is none, never a guess. Pure.

row + records that may be it + match_on → Match | None (none of them holds an identifier of the row)
"""

from __future__ import annotations

from collections.abc import Sequence

from kustomer_pipeline.kustomer import Record, identifiers

from ..decisions import Match
from ..reasons import Reason, ReasonCode
from ..rows import Case

LABELS = {"externalId": "externalId", "email": "e-mail", "phone": "phone", "name": "name"}


def judge(case: Case, records: Sequence[Record], match_on: Sequence[str]) -> Match | None:
    """The first identifier that somebody holds decides; whatever contradicts it makes the row a question for people."""
    for rung, field in enumerate(match_on):
        holders = [record for record in records if holds(record, field, case)]
        if field == "name":  # names are not unique: another externalId makes it another company
            holders = [record for record in holders if not _has_other_external_id(record, case, match_on)]
        if not holders:
            continue
        if len(holders) > 1:
            return _ambiguous(field, holders)
        return _contradicted(case, holders[0], records, match_on, rung) or Match(record=holders[0])
    return None


def holds(record: Record, field: str, case: Case) -> bool:
    """Whether the record has one of the row's values of the identifier."""
    return not set(identifiers(record.attributes, field)).isdisjoint(case.identifiers(field))


def _ambiguous(field: str, holders: Sequence[Record]) -> Match:
    ids = tuple(sorted(record.id for record in holders))
    text = f"more than one record in Kustomer has this row's {LABELS[field]}: {', '.join(ids)}"
    return Match(problem=Reason(ReasonCode.AMBIGUOUS, text, field), candidates=ids)


def _contradicted(
    case: Case, chosen: Record, records: Sequence[Record], match_on: Sequence[str], rung: int
) -> Match | None:
    """What speaks against the chosen record: another externalId, or somebody else with a further identifier."""
    field = match_on[rung]
    if "externalId" in match_on[:rung] and _has_other_external_id(chosen, case, match_on):
        text = f"the record with this row's {LABELS[field]} ({chosen.id}) has another externalId"
        return Match(problem=Reason(ReasonCode.OTHER_EXTERNAL_ID, text, field), candidates=(chosen.id,))
    for lower in match_on[rung + 1 :]:
        others = sorted(record.id for record in records if record.id != chosen.id and holds(record, lower, case))
        if others and lower != "name":
            text = (
                f"this row's {LABELS[field]} and {LABELS[lower]} belong to different records in Kustomer: "
                f"{chosen.id} and {', '.join(others)}"
            )
            return Match(problem=Reason(ReasonCode.CROSSED, text, lower), candidates=(chosen.id, *others))
    return None


def _has_other_external_id(record: Record, case: Case, match_on: Sequence[str]) -> bool:
    """Whether the record is known under an externalId, and not under the row's."""
    wanted, present = case.identifiers("externalId"), identifiers(record.attributes, "externalId")
    return "externalId" in match_on and bool(wanted and present) and set(wanted).isdisjoint(present)
