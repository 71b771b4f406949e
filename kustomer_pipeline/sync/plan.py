"""A plan is a plan: what a run would do, read from live Kustomer, written nowhere (law 11).

The same settling as a run, without its writing. What search does not find is proven by path look-up for the first
rows only; a run would simply try the create, and Kustomer would say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient

from .audience import NO_REMOVALS, UNMADE_TAG, Removals, listed_removals, mirror_removals, owned_ids, tag_of
from .decide import AudienceDecider
from .engine import Engine
from .masking import mask, mask_key, shown
from .patch import create_changes
from .report import Outcome
from .rows import Create, Decision, Done, Update
from .run import WAVE_ROWS
from .session import Session, object_decider, require_roles
from .spec import AudienceSpec, ObjectSpec
from .state import StateStore

PROOFS = 200
COLUMNS = ("key", "action", "kustomer_id", "field", "before", "after", "reason")


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    `counts`: records by action (create, update, tag, untag, unchanged, skip, invalid, reject, defer).
    `changes`: DataFrame with one row per field that would change, and one per row that would be refused:
    key, action, kustomer_id, field, before, after, reason (strings).
    """

    sync: str
    org_id: str
    counts: dict[str, int]
    changes: pd.DataFrame
    requests: int
    members: int = 0
    removals_held: int = 0
    removal_plan_id: str | None = None

    def table(self, limit: int = 100, *, show_values: bool = False) -> pd.DataFrame:
        """The first changes as they may be shown: values and personal keys masked unless `show_values`."""
        table = self.changes.head(limit).reset_index(drop=True)
        if not show_values:
            table["key"] = table["key"].map(mask_key)
            for column in ("before", "after"):
                table[column] = table[column].map(mask, na_action="ignore")
        return table


def plan_sync(
    spec: ObjectSpec | AudienceSpec, mapped: pd.DataFrame, *, client: KustomerClient, state: StateStore
) -> Plan:
    """What `run_sync` would do with this frame now. Reads Kustomer and the state. Raises KustomerError."""
    before = client.usage.requests
    token = client.token()
    require_roles(client, spec, writing=False)
    session = Session.open(spec, mapped, client, state.of(token.org_id, spec.name), run_id="plan")
    lines: list[dict[str, str | None]] = []
    counts: Counter[str] = Counter()
    removals = NO_REMOVALS
    if isinstance(spec, ObjectSpec):
        _settle(session, session.engine(object_decider(spec), proofs_left=PROOFS), counts, lines)
    else:
        removals = _plan_audience(spec, session, counts, lines)
    _count_settled(session, counts)
    return Plan(
        sync=spec.name,
        org_id=token.org_id,
        counts={action: counts[action] for action in _actions(spec)},
        changes=pd.DataFrame(lines, columns=list(COLUMNS)).astype("string"),
        requests=client.usage.requests - before,
        members=removals.members or 0,
        removals_held=removals.held,
        removal_plan_id=removals.plan_id,
    )


def _actions(spec: ObjectSpec | AudienceSpec) -> tuple[str, ...]:
    writes = ("create", "update") if isinstance(spec, ObjectSpec) else ("tag", "untag")
    return (*writes, "unchanged", "skip", "invalid", "reject", "defer")


def _plan_audience(
    spec: AudienceSpec, session: Session, counts: Counter[str], lines: list[dict[str, str | None]]
) -> Removals:
    tag = tag_of(session.client, spec, create=False)
    tag_id = tag.id if tag else UNMADE_TAG
    engine = session.engine(AudienceDecider(spec, tag_id, owned_ids(session.snapshot)), proofs_left=PROOFS)
    removals = NO_REMOVALS
    if spec.mode == "remove":
        rows = session.rows(session.positions_to_attempt())
        removals = listed_removals(spec, tag_id, session, rows, approved=None)
    _settle(session, engine, counts, lines)
    if spec.mode == "mirror" and tag is not None:
        removals = mirror_removals(spec, tag_id, session, engine, approved=None)
        for key, id_ in removals.leaving:
            counts["untag"] += 1
            lines.append(_line(key, "untag", id_, "tags", spec.tag, None))
    return removals


def _settle(session: Session, engine: Engine, counts: Counter[str], lines: list[dict[str, str | None]]) -> None:
    positions = session.positions_to_attempt()
    for start in range(0, len(positions), WAVE_ROWS):
        for decision in engine.settle(session.rows(positions[start : start + WAVE_ROWS], doubt=True)):
            action = _action(session.spec, decision)
            counts[action] += 1
            lines += _lines(session.spec, decision, action)


_ACTION_OF = {
    Outcome.UNCHANGED: "unchanged",
    Outcome.CREATED: "unchanged",
    Outcome.UPDATED: "unchanged",
    Outcome.SKIPPED: "skip",
    Outcome.INVALID: "invalid",
    Outcome.REJECTED: "reject",
    Outcome.DEFERRED: "defer",
}


def _action(spec: ObjectSpec | AudienceSpec, decision: Decision) -> str:
    if isinstance(decision, Done):
        return _ACTION_OF[decision.outcome]
    if isinstance(spec, AudienceSpec):
        return "untag" if spec.mode == "remove" else "tag"
    return "create" if isinstance(decision, Create) else "update"


def _lines(spec: ObjectSpec | AudienceSpec, decision: Decision, action: str) -> list[dict[str, str | None]]:
    key = decision.row.key
    if isinstance(spec, AudienceSpec) and not isinstance(decision, Done):
        id_ = decision.live.id if isinstance(decision, Update) else None
        before, after = (spec.tag, None) if action == "untag" else (None, spec.tag)
        return [_line(key, action, id_, "tags", before, after)]
    if isinstance(decision, Create):
        return [_line(key, action, None, c.field, c.before, c.after) for c in create_changes(decision.body)]
    if not isinstance(decision, Done):
        return [_line(key, action, decision.live.id, c.field, c.before, c.after) for c in decision.patch.changes]
    if decision.outcome is Outcome.REJECTED:
        return [{**_line(key, action, decision.kustomer_id, None, None, None), "reason": decision.reason}]
    return []


def _line(
    key: str, action: str, kustomer_id: str | None, field: str | None, before: object, after: object
) -> dict[str, str | None]:
    return {
        "key": key,
        "action": action,
        "kustomer_id": kustomer_id,
        "field": field,
        "before": shown(before),
        "after": shown(after),
        "reason": None,
    }


def _count_settled(session: Session, counts: Counter[str]) -> None:
    """Rows that needed no look at Kustomer."""
    found = session.ledger.counts()
    counts["unchanged"] += found.unchanged
    counts["skip"] += found.skipped
    counts["invalid"] += found.invalid
