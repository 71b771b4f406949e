"""The status of orgs and syncs, as people read it, and as programs do."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from kustomer_pipeline.components.plan_page import PLANNED
from kustomer_pipeline.sync.state import JobUnderWay, KeptPlan, RunLine, whole_name
from kustomer_pipeline.sync.wording import quantity

from .org_status import OrgStatus, SyncStatus
from .terminal import Part
from .words import ago, counted, next_command

Line = tuple[Part, ...]

VERSION = 1
_DONE = ("created", "updated", "removed")
_OTHERS = ("invalid", "rejected", "skipped", "deferred", "unchanged")
_HELD = ("removals_held", "changes_held")


def status_as_text(found: Sequence[OrgStatus], options: argparse.Namespace) -> Iterator[Line]:
    """Its lines."""
    for org in found:
        yield from _org(org)
        for sync in org.syncs:
            yield from _sync(sync, org.now, options)
        yield ()


def _org(org: OrgStatus) -> Iterator[Line]:
    yield (f"Org {org.org_id or 'unknown'}", "bold"), _budget(org)
    if org.problem is not None:
        yield ("  Kustomer was not reached: ", "yellow"), org.problem.replace("\n\n", " ")
    if org.writers:
        yield (f"  A run is writing now: {', '.join(org.writers)}", "yellow"), ""
    for lease in org.leases:
        yield (f"  {lease.holder} has {lease.share:.0%} of the requests that are not left to others",)
    if org.state_problem is not None:
        yield (f"  {org.state_problem}",)
    yield ()


def _budget(org: OrgStatus) -> str:
    usage = org.usage
    if usage is None:
        return ""
    if usage.limit is None or usage.remaining is None:
        return ", budget not reported"
    return f", {usage.remaining:,} of {usage.limit:,} requests left of this minute"


def _sync(sync: SyncStatus, now: datetime, options: argparse.Namespace) -> Iterator[Line]:
    name = whole_name(sync.name)
    yield ((sync.name, "bold"),)
    for run in sync.runs:
        ended = f"stopped by {run.interrupted}" if run.interrupted else "done"
        yield (
            f"  {ago(run.finished_at, now):<15} ",
            (ended, "red" if run.interrupted else "green"),
            f"  {_counts(run)}",
            (f"  {run.run_id}", "dim"),
        )
    if not sync.runs:
        yield ("  no run yet",)
    yield from _held(sync.runs, name, options)
    if sync.jobs:
        oldest = min(job.created_at for job in sync.jobs)
        jobs = quantity(len(sync.jobs), "bulk job is", "bulk jobs are")
        yield (
            (f"  {jobs} under way, the oldest from {ago(oldest, now)}", "yellow"),
            ": the next run collects what nobody waits for",
        )
    if sync.plan is not None:
        yield from _plan(sync.plan, now, options)


def _counts(run: RunLine) -> str:
    done = counted((run.counts.get(one, 0), one) for one in _DONE) or "nothing changed"
    others = counted((run.counts.get(one, 0), one) for one in _OTHERS)
    return f"{run.counts.get('read', 0):,} read: {'; '.join(filter(None, (done, others)))}"


def _held(runs: Sequence[RunLine], name: str, options: argparse.Namespace) -> Iterator[Line]:
    """What the newest run held."""
    held = {one: runs[0].counts.get(one, 0) for one in _HELD} if runs else {}
    text = counted(((held.get("removals_held", 0), "removals"), (held.get("changes_held", 0), "changes")))
    if text:
        yield (
            (f"  Held: {text}.", "red"),
            " What, and how to let it go: ",
            (next_command(options, "plan", name), "cyan"),
        )
    if runs and (waiting := runs[0].counts.get("removals_waiting", 0)):
        yield (f"  {quantity(waiting, 'removal waits', 'removals wait')} until every row is settled",)


def _plan(plan: KeptPlan, now: datetime, options: argparse.Namespace) -> Iterator[Line]:
    counts = counted((plan.counts.get(action, 0), action) for action in PLANNED)
    begun = ", begun and not finished" if plan.begun_at is not None else ""
    yield (
        f"  A plan of {ago(plan.made_at, now)} can be applied ({counts}{begun}): ",
        (next_command(options, "apply", plan.plan_id), "cyan"),
    )


def status_as_json(found: Sequence[OrgStatus]) -> dict[str, Any]:
    """The shape of docs/command-line.md. Moments are UTC."""
    return {"version": VERSION, "orgs": [_org_as_json(org) for org in found]}


def _org_as_json(org: OrgStatus) -> dict[str, Any]:
    return {
        "org": org.org_id,
        "at": org.now.isoformat(),
        "budget": {"limit": org.usage.limit, "remaining": org.usage.remaining} if org.usage is not None else None,
        "problem": org.problem,
        "state_problem": org.state_problem,
        "writers": list(org.writers),
        "shares": {lease.holder: lease.share for lease in org.leases},
        "syncs": [
            {
                "sync": whole_name(sync.name),
                "title": sync.name,
                "runs": [_run_as_json(run) for run in sync.runs],
                "jobs": [_job_as_json(job) for job in sync.jobs],
                "plan": _plan_as_json(sync.plan) if sync.plan is not None else None,
            }
            for sync in org.syncs
        ],
    }


def _run_as_json(run: RunLine) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "seconds": round(run.seconds, 1),
        "interrupted": run.interrupted,
        "counts": dict(run.counts),
    }


def _job_as_json(job: JobUnderWay) -> dict[str, Any]:
    return {
        "run_id": job.run_id,
        "operation": job.operation,
        "records": job.items,
        "bulk_id": job.bulk_id,
        "created_at": job.created_at.isoformat(),
    }


def _plan_as_json(plan: KeptPlan) -> dict[str, Any]:
    return {
        "id": plan.plan_id,
        "made_at": plan.made_at.isoformat(),
        "counts": dict(plan.counts),
        "begun": plan.begun_at is not None,
    }
