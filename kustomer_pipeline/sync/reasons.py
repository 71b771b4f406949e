"""Why a row was not written as it stands: a code to count and to decide by, and a text for people.

Code decides, text explains: nothing in the project reads a reason's English. No text holds a value of a row; rows are
named by their keys, records by their Kustomer ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """What kind of reason it is."""

    # mapping
    INVALID = "invalid"
    REPEATED = "repeated"
    # whose row it is
    SUPPRESSED = "suppressed"
    # who is it
    AMBIGUOUS = "ambiguous"
    CROSSED = "crossed_identifiers"
    OTHER_EXTERNAL_ID = "other_external_id"
    SAME_RECORD = "same_record"
    SAME_MEMBER = "same_member"
    NOT_AN_IDENTIFIER = "not_an_identifier"
    UNKNOWN_COMPANY = "unknown_company"
    UNKNOWN_TAG = "unknown_tag"
    WITHOUT_COMPANY = "without_company"
    # nothing to do
    NOT_IN_KUSTOMER = "not_in_kustomer"
    EXISTS_ALREADY = "exists_already"
    DELETED_IN_KUSTOMER = "deleted_in_kustomer"
    # what the record can take
    LIST_FULL = "list_full"
    TAGS_FULL = "tags_full"
    MASKED = "masked_in_kustomer"
    # Kustomer said no
    REFUSED = "refused"
    REFUSED_FORM = "refused_form"
    IDENTIFIER_TAKEN = "identifier_taken"
    # later
    QUEUED = "queued"
    ANSWER_PENDING = "answer_pending"
    UNDER_WAY = "under_way"
    KEPT_CHANGING = "kept_changing"
    REMOVALS_HELD = "removals_held"
    CHANGES_HELD = "changes_held"
    NOT_APPROVED = "not_approved"
    CHANGED_SINCE_PLAN = "changed_since_plan"
    BEYOND_LIMIT = "beyond_limit"
    NOT_ASKED_FOR = "not_asked_for"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Reason:
    """One reason. `field`: the field it is about, where it is about one."""

    code: ReasonCode
    text: str
    field: str | None = None

    def __str__(self) -> str:
        return self.text
