"""A decision as lines for people: the columns of a plan, one line per field that changes or row that is refused."""

from __future__ import annotations

from .decisions import Create, Decision, Leave, Nothing
from .ledger import Outcome
from .masking import shown
from .patch import create_changes

_ACTION_OF = {
    Outcome.UNCHANGED: "unchanged",
    Outcome.CREATED: "unchanged",
    Outcome.UPDATED: "unchanged",
    Outcome.SKIPPED: "skip",
    Outcome.INVALID: "invalid",
    Outcome.REJECTED: "reject",
    Outcome.DEFERRED: "defer",
}

Line = dict[str, str | None]


def action_of(decision: Decision) -> str:
    """create, update, tag, untag; unchanged, skip, invalid, reject, defer."""
    if isinstance(decision, Nothing):
        return _ACTION_OF[decision.outcome]
    if isinstance(decision, Create):
        return "create"
    if isinstance(decision, Leave):
        return "untag"
    return "update" if decision.action == "restore" else decision.action


def lines_of(decision: Decision) -> list[Line]:
    """What would be done, field by field; a refusal with its reason; nothing for rows that stay as they are."""
    key, action = decision.case.key, action_of(decision)
    if isinstance(decision, Nothing):
        if decision.outcome is not Outcome.REJECTED:
            return []
        return [{**line(key, action, decision.kustomer_id, None, None, None), "reason": str(decision.reason)}]
    if isinstance(decision, Create):
        return [line(key, action, None, one.field, one.before, one.after) for one in create_changes(decision.body)]
    if decision.tag is not None:
        before, after = (decision.tag, None) if action == "untag" else (None, decision.tag)
        return [line(key, action, decision.live.id, "tags", before, after)]
    return [line(key, action, decision.live.id, one.field, one.before, one.after) for one in decision.patch.changes]


def line(key: str, action: str, kustomer_id: str | None, field: str | None, before: object, after: object) -> Line:
    """One line of a plan."""
    return {
        "key": key,
        "action": action,
        "kustomer_id": kustomer_id,
        "field": field,
        "before": shown(before),
        "after": shown(after),
        "reason": None,
    }
