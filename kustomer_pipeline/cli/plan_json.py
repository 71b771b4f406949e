"""Plans for programs: the shape is written down in docs/command-line.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kustomer_pipeline.components.plan_page import kinds_of
from kustomer_pipeline.components.tables import masked_keys
from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import Plan

from .planned import RECORDS, Planned
from .words import made_together

VERSION = 1
_COLUMNS = ("key", "action", "kustomer_id", "field", "before", "after")


def plans_as_json(
    found: Sequence[Planned], problems: Sequence[tuple[str, str]], status: int, *, every: bool
) -> dict[str, Any]:
    """All of them; problems: (sync, what is wrong)."""
    return {
        "version": VERSION,
        "exit_status": status,
        "made_in": made_together(one.plan for one in found),
        "plans": [_plan(one, every) for one in found],
        "problems": [{"sync": sync, "problem": problem} for sync, problem in problems],
    }


def _plan(planned: Planned, every: bool) -> dict[str, Any]:
    plan = planned.plan
    parts = {action: planned.first(action, every) for action in kinds_of(plan)}
    refused = planned.refused if every else planned.refused.head(RECORDS)
    return {
        "sync": planned.sync.name,
        "title": planned.title,
        "org": plan.org_id,
        "id": plan.id,
        "counts": dict(plan.counts),
        "changes": [line for lines, _ in parts.values() for line in _lines(plan, lines)],
        "refused": [
            {"key": key, "outcome": outcome, "reason": reason}
            for key, outcome, reason in zip(
                masked_keys(refused["key"]), refused["outcome"], refused["reason"], strict=True
            )
        ],
        "not_shown": {
            **{action: more for action, (_, more) in parts.items()},
            "refused": len(planned.refused) - len(refused),
        },
        "held": {
            "removals": plan.removals_held,
            "removals_waiting": plan.removals.waiting,
            "removals_id": plan.removal_plan_id if plan.removals_held or plan.removals.waiting else None,
            "changes": plan.changes_held,
            "changes_id": plan.change_plan_id if plan.changes_held else None,
        },
        "estimate": {"requests": plan.estimate.units, "seconds": round(plan.estimate.seconds, 1)},
        "requests": plan.requests,
        "skipped": dict(plan.skipped),
        "notes": list(plan.notes),
    }


def _lines(plan: Plan, lines: pd.DataFrame) -> list[dict[str, Any]]:
    rows = plan.masked(lines, show_values=show_values())[list(_COLUMNS)].astype(object)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows.where(rows.notna(), None).to_numpy().tolist()]
