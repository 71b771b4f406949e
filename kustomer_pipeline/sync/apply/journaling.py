"""The journal's side of a job: on disk before it is sent, its id before it is asked for, its answers before they are
told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kustomer_pipeline.kustomer import ItemResult, ObjectName

from ..decisions import Create, Write
from ..masking import scrub
from ..state import Job, Lock, SyncState
from .jobs import acknowledged, intended, lost, write_acknowledgement, write_intent

Result = Literal["done", "refused", "rejected", "unanswered", "unfinished"]


@dataclass(frozen=True)
class Written:
    """What came of one decision.

    done: Kustomer says created or updated. refused: its item failed; the record is looked at again, then decided.
    rejected: the request itself is not acceptable, trying again is useless. unanswered: no answer reached us;
    `lost_at`: the job, if there is one, may still be waiting. unfinished: it is still in Kustomer's queue, the next run
    collects it.
    """

    write: Write
    result: Result
    kustomer_id: str | None = None
    error: str | None = None
    lost_at: datetime | None = None


OnWritten = Callable[[Sequence[Written]], None]


class Journaling:
    """Keeps the journal of one run of one sync. The org's lock is checked before each job and each answer."""

    def __init__(
        self, state: SyncState, lock: Lock, object_name: ObjectName, run_id: str, *, keep_changes: bool
    ) -> None:
        self._state = state
        self._lock = lock
        self._object_name: ObjectName = object_name
        self._run_id = run_id
        self._keep_changes = keep_changes

    def intend(self, writes: Sequence[Write]) -> tuple[Job, dict[str, Write]]:
        """A job that is about to be sent, and which item is which write."""
        self._lock.check()
        job, by_ref = intended(writes, self._object_name, self._state.now(), keep_changes=self._keep_changes)
        write_intent(self._state, self._run_id, job)
        return job, by_ref

    def submitted(self, job: Job, bulk_id: str) -> None:
        """Kustomer took it under this id."""
        with self._state.transaction() as tx:
            tx.journal.submitted(job.job_id, bulk_id)

    def end(self, job: Job) -> None:
        """Kustomer did not take it."""
        with self._state.transaction() as tx:
            tx.journal.end(job.job_id)

    def acknowledge(
        self, job: Job, by_ref: Mapping[str, Write], results: Mapping[str, ItemResult], on_written: OnWritten
    ) -> None:
        """It is done, with these results."""
        self._lock.check()
        write_acknowledgement(self._state, self._run_id, job, acknowledged(job, results))
        on_written([written_of(write, results.get(ref)) for ref, write in by_ref.items()])

    def lose(self, job: Job, by_ref: Mapping[str, Write], on_written: OnWritten) -> None:
        """Nobody knows whether it exists."""
        now = self._state.now()
        write_acknowledgement(self._state, self._run_id, job, lost(job, now))
        on_written([Written(write, "unanswered", lost_at=now) for write in by_ref.values()])


def written_of(write: Write, result: ItemResult | None) -> Written:
    """One item's answer. Created or updated counts, an error is a refusal, no answer is no answer."""
    if result is None:
        return Written(write, "unanswered")
    if result.status == "error":
        return Written(write, "refused", error=scrub(result.error or "no reason given"))
    kustomer_id = result.object_id or (None if isinstance(write, Create) else write.live.id)
    return Written(write, "done", kustomer_id) if kustomer_id else Written(write, "unanswered")
