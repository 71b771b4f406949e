"""Jobs that an earlier run left behind are collected before anything else is done (law 8).

A job with a bulk id is asked for its results. A job without one may or may not exist: its creates are marked
unsettled, so that they are looked up by path before they are sent again; its updates are compared again, and as long as
the job may still be waiting in Kustomer's queue they are compared in every run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kustomer_pipeline.kustomer import Clock, KustomerClient, NotFoundError

from .remembered import Job, RowState
from .spec import Object
from .sync_state import SyncState
from .writer import PATIENCE_SECONDS, accepted, change_lines, log_line

SETTLED_AFTER = timedelta(minutes=10)


@dataclass
class LeftBehind:
    """Keys of rows with a job that is not over: queued (known to be in Kustomer's queue, not to be sent now) and young
    (lost so recently that it may still be done: compared, and not called settled)."""

    queued: set[str] = field(default_factory=set)
    young: set[str] = field(default_factory=set)


def collect_left_behind(
    client: KustomerClient, state: SyncState, clock: Clock, run_id: str, object: Object
) -> LeftBehind:
    """Collect them. Raises KustomerError when Kustomer cannot be asked; the journal then stays as it is."""
    left = LeftBehind()
    for job in state.jobs_in_flight():
        if job.bulk_id is None:
            recent = job.created_at is not None and datetime.now(UTC) - job.created_at < SETTLED_AFTER
            if job.operation == "update" and recent:
                left.young.update(item.key for item in job.items)
            else:
                state.settle_job(run_id, job, _unsettled(job))
        elif not _collect(client, state, clock, run_id, job, job.bulk_id, object):
            left.queued.update(item.key for item in job.items)
    return left


def _collect(
    client: KustomerClient, state: SyncState, clock: Clock, run_id: str, job: Job, bulk_id: str, object: Object
) -> bool:
    """Whether the job is over and its rows are settled."""
    started = clock.monotonic()
    pause = 1.0
    while True:
        try:
            answer = client.bulk_answer(bulk_id, expected=len(job.items))
        except NotFoundError:  # forgotten by Kustomer (docs/kustomer.md section 7.4: retention is not stated)
            state.settle_job(run_id, job, _unsettled(job))
            return True
        if answer.complete:
            break
        if clock.monotonic() - started > PATIENCE_SECONDS:
            return False
        clock.sleep(pause)
        pause = min(15.0, pause * 1.6)
    rows, log, forget, changed = [], [], [], []
    for item in job.items:
        result = answer.results.get(item.ref)
        kustomer_id = (result.object_id if result else None) or item.kustomer_id
        if result is not None and result.status != "error" and kustomer_id:
            log.append(log_line(job, item, kustomer_id))
            changed += change_lines(item, object, kustomer_id)
            if item.effect == "untag" and not item.young:
                forget.append(item.key)
            elif item.effect != "undo":
                rows.append(accepted(item, kustomer_id))
        elif result is None:
            rows += _unsettled(job, item.ref)
    state.settle_job(run_id, job, rows, log=log, forget=forget, changed=changed)
    return True


def _unsettled(job: Job, ref: str | None = None) -> list[RowState]:
    if job.operation != "create":
        return []
    return [RowState(item.key, "unsettled") for item in job.items if ref in (None, item.ref)]
