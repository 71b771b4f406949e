"""A plan as a person reads it in a terminal.

records by what would be done, field by field ─ what a guard holds ─ what would be refused ─ counts, cost ─ what next
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pandas as pd

from kustomer_pipeline.components.approvals import why_changes_are_held, why_removals_are_held
from kustomer_pipeline.components.no_rows import no_rows_of
from kustomer_pipeline.components.plan_page import kinds_of
from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import Approval, Plan
from kustomer_pipeline.sync.wording import REQUESTS, quantity

from .planned import Planned
from .terminal import Part, value_text
from .words import counted, length, next_command, plain, reasons, shown_key

Line = tuple[Part, ...]

_SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "tag": ("+", "green"), "untag": ("-", "red")}
_TO_DO = {"create": "to create", "update": "to change", "tag": "to tag", "untag": "to untag"}


def plan_as_text(planned: Planned, options: argparse.Namespace) -> Iterator[Line]:
    """Its lines."""
    plan = planned.plan
    yield ((planned.title, "bold"),)
    for action in kinds_of(plan):
        yield from _records(planned, action, options.all)
    yield from _held(planned, options)
    if len(planned.refused):
        yield (("  Would be refused", "bold red"),)
        for line in reasons(planned.refused, ["rejected", "invalid"]):
            yield "  ", *line
        yield ()
    yield ("  ", (f"Plan: {summary(plan)}", "bold"))
    for reason, count in plan.skipped.items():
        yield (f"  Skipped: {count:,}, {plain(reason)}",)
    cost = f"It would take {plan.estimate}. " if plan.id is not None else ""
    yield (f"  {cost}This plan took {quantity(plan.requests, *REQUESTS)}.",)
    if (empty := no_rows_of(planned.sync, plan)) is not None:
        yield "  ", (empty, "bold red")
    for note in plan.notes:
        yield (f"  Note: {note}",)
    yield from _next(planned, options)
    yield ()


def summary(plan: Plan) -> str:
    """`12 to create, 3 to change; 4 refused`."""
    counts = plan.counts
    changes = counted((counts[action], _TO_DO[action]) for action in kinds_of(plan)) or "nothing to do"
    others = counted(
        (
            (counts.get("reject", 0) + counts.get("invalid", 0), "refused"),
            (counts.get("skip", 0), "skipped"),
            (counts.get("defer", 0), "left for the run after"),
            (counts.get("unchanged", 0), "unchanged"),
        )
    )
    return "; ".join(filter(None, (changes, others)))


def _records(planned: Planned, action: str, every: bool) -> Iterator[Line]:
    lines, more = planned.first(action, every)
    if not len(lines):
        return
    sign, style = _SIGNS[action]
    tag = planned.sync.tag_name
    name = f" {tag}" if action in ("tag", "untag") and tag else ""
    held = planned.plan.removals_held if action == "untag" else planned.plan.changes_held if action == "update" else 0
    yield (f"  {sign} {action}{name}: {planned.plan.counts[action]:,}", style), *((" (held)",) if held else ())
    masked = planned.plan.masked(lines, show_values=show_values())
    lines = lines.assign(before=masked["before"].to_numpy(), after=masked["after"].to_numpy())
    for key, record in lines.groupby("key", sort=False):
        yield from _record(action, str(key), record)
    if more:
        yield ((f"      … and {more:,} more: --all shows them", "dim"),)
    yield ()


def _record(action: str, key: str, record: pd.DataFrame) -> Iterator[Line]:
    sign, style = _SIGNS[action]
    id_ = record["kustomer_id"].iloc[0]
    fields = record[["field", "before", "after"]].to_numpy().tolist()
    new = ", ".join(f"{field}: {value_text(after)}" for field, _, after in fields) if action == "create" else ""
    yield "    ", (sign, style), f" {shown_key(key)}  {new}".rstrip(), ("" if pd.isna(id_) else f"  {id_}", "dim")
    for field, before, after in fields if action == "update" else ():
        yield (f"        {field}: {value_text(before)} → {value_text(after)}",)


def _held(planned: Planned, options: argparse.Namespace) -> Iterator[Line]:
    plan, sync = planned.plan, planned.sync
    held = (
        ("removals", why_removals_are_held(sync, plan.removals), plan.removal_plan_id),
        ("changes", why_changes_are_held(sync, plan.held_changes), plan.change_plan_id),
    )
    for what, why, plan_id in held:
        if not why:
            continue
        yield ("  Held  ", "bold red"), plain(why)
        if plan_id is not None:
            command = next_command(options, "run", sync.name, f"--approve-{what}", plan_id)
            yield (f"        If the {what} are right, this lets exactly these through, once:",)
            yield "          ", (command, "cyan")
        yield ()


def _next(planned: Planned, options: argparse.Namespace) -> Iterator[Line]:
    plan, sync = planned.plan, planned.sync
    if plan.id is None:
        return
    need = "A run writes nothing before a plan is approved. " if sync.approval is not None else ""
    within = length((sync.spec.approval or Approval()).max_age)
    yield (f"  {need}To have exactly this done, and nothing else, within {within}:",)
    yield "    ", (next_command(options, "apply", plan.id), "cyan")
