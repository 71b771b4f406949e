"""What became of a run, as a person reads it in a terminal, and as programs do.

headline ─ what it spent ─ what is held ─ what was refused and left out, by reason ─ what comes next
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from kustomer_pipeline.components.approvals import why_changes_are_held, why_removals_are_held
from kustomer_pipeline.components.metadata import outcome_counts
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.components.tables import MAX_ROWS
from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import ReasonCode, SyncReport
from kustomer_pipeline.sync.wording import REQUESTS, quantity

from .execute import Done
from .terminal import Part
from .words import counted, next_command, plain, reasons

Line = tuple[Part, ...]

VERSION = 1
_NOT_OURS = (ReasonCode.REMOVALS_HELD, ReasonCode.CHANGES_HELD, ReasonCode.NOT_APPROVED, ReasonCode.CHANGED_SINCE_PLAN)


def report_as_text(done: Done, options: argparse.Namespace) -> Iterator[Line]:
    """Its lines; none where it did not get that far."""
    if done.ran is None:
        return
    report = done.ran.report
    yield ((done.title, "bold"),)
    yield f"  {_headline(done.sync, report)}", (f"  {_spent(report, done.ran.waited)}", "dim")
    yield from _held(done.sync, report, options)
    for title, outcomes in (("Refused", ("invalid", "rejected")), ("Left out", ("skipped", "deferred"))):
        lines = list(reasons(report.rows, outcomes))
        if lines:
            yield ((f"  {title}", "red" if title == "Refused" else "yellow"),)
        for line in lines:
            yield "  ", *line
    for note in report.notes:
        yield (f"  Note: {note}",)
    for text in _next(done.sync, report, options):
        yield (f"  {text}",)
    yield ()


def problem_as_text(done: Done) -> Line:
    """Why it failed, for those that did."""
    indented = (done.problem or "").replace("\n\n", "\n").replace("\n", "\n  ")
    return (f"{done.title} failed: ", "bold red"), indented


def reports_as_json(done: Sequence[Done], left: Sequence[str], run_id: str, status: int) -> dict[str, Any]:
    """The shape of docs/command-line.md. left: syncs that did not run: they do not load, or one before them failed."""
    return {
        "version": VERSION,
        "exit_status": status,
        "run_id": run_id,
        "syncs": [_as_json(one) for one in done],
        "not_run": list(left),
    }


def _as_json(done: Done) -> dict[str, Any]:
    content: dict[str, Any] = {"sync": done.sync.name, "title": done.title, "problem": done.problem, "report": None}
    if done.ran is None:
        return content
    report = done.ran.report
    refused = report.refused(MAX_ROWS, show_values=show_values())
    content["report"] = {
        "org": report.org_id,
        **outcome_counts(report),
        "removed": report.removed,
        "held": {
            "removals": report.removals_held,
            "removals_waiting": report.removals.waiting,
            "removals_id": report.removal_plan_id,
            "changes": report.changes_held,
            "changes_id": report.change_plan_id,
        },
        "jobs_left": report.jobs_left,
        "requests": report.requests,
        "seconds": round(float(report.seconds), 1),
        "interrupted": type(report.interrupted).__name__ if report.interrupted is not None else None,
        "refused": [
            {"key": key, "outcome": outcome, "reason": reason}
            for key, outcome, reason in refused[["key", "outcome", "reason"]].to_numpy().tolist()
        ],
        "notes": list(report.notes),
    }
    return content


def _headline(sync: SyncConfig, report: SyncReport) -> str:
    counts = report.counts
    updated = "updated" if not sync.is_audience else "untagged" if sync.spec.mode == "remove" else "tagged"
    done = counted(((counts.created, "created"), (counts.updated, updated), (report.removed, "untagged as they left")))
    others = counted(
        (
            (counts.invalid + counts.rejected, "refused"),
            (counts.skipped, "skipped"),
            (counts.deferred, "left"),
            (counts.unchanged, "unchanged"),
        )
    )
    read = quantity(counts.read, "row read", "rows read")
    return f"{read}: {'; '.join(filter(None, (done or 'nothing changed', others)))}."


def _spent(report: SyncReport, waited: float) -> str:
    text = f"{report.seconds:,.0f} s, {quantity(report.requests, *REQUESTS)}"
    return text + (f", {waited:,.0f} s of it waiting for the budget" if waited >= 1 else "")


def _held(sync: SyncConfig, report: SyncReport, options: argparse.Namespace) -> Iterator[Line]:
    for what, why, plan_id in (
        ("removals", why_removals_are_held(sync, report.removals), report.removal_plan_id),
        ("changes", why_changes_are_held(sync, report.held_changes), report.change_plan_id),
    ):
        if not why:
            continue
        yield ("  Held  ", "bold red"), plain(why)
        if plan_id is not None:
            yield (f"        If the {what} are right, this lets exactly these through, once:",)
            yield "          ", (next_command(options, "run", sync.name, f"--approve-{what}", plan_id), "cyan")


def _next(sync: SyncConfig, report: SyncReport, options: argparse.Namespace) -> Iterator[str]:
    plan = f"`{next_command(options, 'plan', sync.name)}`, read it, and apply it by its id"
    if waiting := report.by_code.get(ReasonCode.NOT_APPROVED, 0):
        yield f"{quantity(waiting, 'row waits', 'rows wait')} for approval: make a plan by {plan}."
    if changed := report.by_code.get(ReasonCode.CHANGED_SINCE_PLAN, 0):
        yield (
            f"{quantity(changed, 'row is', 'rows are')} not as planned any more, and left as they are: make a plan "
            f"by {plan}."
        )
    left = report.counts.deferred - sum(report.by_code.get(code, 0) for code in _NOT_OURS)
    if left > 0:
        yield f"{quantity(left, 'row is', 'rows are')} left: the next run goes on with them."
    if report.removals.waiting:
        waits = quantity(report.removals.waiting, "removal waits", "removals wait")
        yield f"{waits} until every row of the audience is settled."
