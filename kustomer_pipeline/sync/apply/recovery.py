"""Jobs that an earlier run left behind are collected before anything else is done (law 8), in bounded time.

    journal → one look at each, all at once → done: acknowledged, as if this run had sent them
                                            → still in the queue: their rows wait for the next run
                                            → unknown, too old or never named: lost, their rows are looked up

Jobs that may be done any moment are given half a minute together; nothing else is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from kustomer_pipeline.kustomer import BulkAnswer, KustomerClient, NotFoundError, PermissionDeniedError

from ..state import Job, SyncState
from .jobs import acknowledged, lost, write_acknowledgement

GRACE_SECONDS = 30.0
YOUNG = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(minutes=30)


async def collect_left_behind(client: KustomerClient, state: SyncState, run_id: str) -> frozenset[str]:
    """Keys of the rows whose job is still in the queue. Raises KustomerError; the journal then stays as it is."""
    jobs = state.journal.jobs()
    deadline = client.clock.monotonic() + GRACE_SECONDS
    found = await asyncio.gather(*(_collect(client, state, run_id, job, deadline) for job in jobs))
    return frozenset(key for keys in found for key in keys)


async def _collect(client: KustomerClient, state: SyncState, run_id: str, job: Job, deadline: float) -> Sequence[str]:
    mine = state.of_scope(job.scope)
    created_at = job.created_at or state.now()
    with client.about(lambda: [item.key for item in job.items]):
        answer = await _answer(client, job, state.now() - created_at, deadline)
    if answer is not None and answer.complete:
        write_acknowledgement(mine, run_id, job, acknowledged(job, answer.results))
        return ()
    if answer is None or state.now() - created_at > GIVE_UP_AFTER:
        write_acknowledgement(mine, run_id, job, lost(job, created_at))
        return ()
    return [item.key for item in job.items]


async def _answer(client: KustomerClient, job: Job, age: timedelta, deadline: float) -> BulkAnswer | None:
    """Where the job stands; None where nobody can say."""
    if job.bulk_id is None:
        return None
    try:
        if age > YOUNG:
            return await client.bulk_answer(job.bulk_id, len(job.items))
        submitted_at = client.clock.monotonic() - age.total_seconds()
        return await client.bulk_results(job.bulk_id, len(job.items), submitted_at, deadline)
    except (NotFoundError, PermissionDeniedError):  # forgotten (docs/kustomer.md section 7.4), or not to be read
        return None
