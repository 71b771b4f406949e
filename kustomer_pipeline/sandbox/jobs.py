"""Bulk jobs: queued → running → complete, in the sandbox's time (docs/kustomer.md section 7).

A batch does its work when it is due, not when it is submitted, whether or not anybody polls: `settle` does
all that is due by now, oldest first, and is called before anything is read or written. Each item succeeds or
fails on its own.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any, Literal

from .bodies import check_unsaid
from .errors import ApiError
from .records import Json
from .store import Store, WriteOptions

Operation = Literal["create", "update", "delete"]


@dataclass
class Batch:
    """A part of a job. `results` is filled in only when the items carry `_clientRef`."""

    id: str
    items: list[Json]
    due: float
    completed_at: float | None = None
    object_ids: list[str] = field(default_factory=list)
    results: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)


@dataclass
class Job:
    """One bulk request that was accepted."""

    id: str
    kind: str
    operation: Operation
    echo: Any
    """What payload.api.data of the answer repeats."""
    ids: list[str]
    by: str
    roles: tuple[str, ...]
    submitted: float
    runs_from: float
    options: WriteOptions
    has_refs: bool
    batches: list[Batch]
    stuck: bool = False
    polls_left: int = 0
    """The job waits for so many polls before it starts."""

    @property
    def held(self) -> bool:
        """Whether it does not start, whatever the time."""
        return self.stuck or self.polls_left > 0

    @property
    def complete(self) -> bool:
        """Whether all its work is done."""
        return all(batch.completed_at is not None for batch in self.batches)

    def status(self, now: float) -> str:
        """`queued`, `running` or `complete`."""
        if self.complete:
            return "complete"
        return "running" if not self.held and now >= self.runs_from and now > self.submitted else "queued"

    def batch_status(self, batch: Batch, now: float) -> str:
        """`queued`, `scheduled` or `complete`."""
        if batch.completed_at is not None:
            return "complete"
        return "scheduled" if self.status(now) == "running" else "queued"


class JobBoard:
    """All jobs of the org, and which batch is due next."""

    def __init__(self, store: Store, job_seconds: float) -> None:
        self.jobs: dict[str, Job] = {}
        self.seconds = job_seconds
        """How long a job takes that is submitted from now on."""
        self._store = store
        self._busy_until = 0.0
        self._waiting: list[tuple[float, int, Job, Batch]] = []
        self._number = 0

    def submit(
        self,
        kind: str,
        operation: Operation,
        items: list[Json],
        *,
        echo: Any,
        ids: list[str],
        by: str,
        roles: tuple[str, ...],
        now: float,
        options: WriteOptions,
        batch_size: int = 100,
        stuck: bool = False,
        polls: int = 0,
        in_queue: bool = False,
    ) -> Job:
        """Queue the work. It takes `seconds` from now, or (in_queue) from when the jobs before it are done; its
        batches are done evenly over that time.
        """
        start = max(now, self._busy_until) if in_queue else now
        if not (stuck or polls):
            self._busy_until = max(self._busy_until, start + self.seconds)
        parts = [items[first : first + batch_size] for first in range(0, len(items), batch_size)]
        batches = [
            Batch(self._store.new_id(now), part, start + self.seconds * (number + 1) / len(parts))
            for number, part in enumerate(parts)
        ]
        job = Job(
            id=self._store.new_id(now),
            kind=kind,
            operation=operation,
            echo=echo,
            ids=ids,
            by=by,
            roles=roles,
            submitted=now,
            runs_from=start + self.seconds / 2,
            options=options,
            has_refs=bool(items) and "_clientRef" in items[0],
            batches=batches,
            stuck=stuck,
            polls_left=polls,
        )
        self.jobs[job.id] = job
        if not job.held:
            self._schedule(job)
        return job

    def polled(self, job: Job, now: float) -> None:
        """Note that somebody asked for the job; one that waits for polls starts after the last of them."""
        if job.polls_left > 0 and not job.stuck:
            job.polls_left -= 1
            if job.polls_left == 0:
                self._start_late(job, now)

    def release(self, now: float) -> int:
        """Let the jobs go on that are stuck or wait for polls; how many there were."""
        held = [job for job in self.jobs.values() if job.held]
        for job in held:
            job.stuck, job.polls_left = False, 0
            self._start_late(job, now)
        return len(held)

    def settle(self, now: float) -> None:
        """Do all the work that is due by now, in the order in which it fell due."""
        while self._waiting and self._waiting[0][0] <= now:
            due, _, job, batch = heapq.heappop(self._waiting)
            for item in batch.items:
                self._do(job, batch, item, due)
            batch.completed_at = due
            batch.items = []

    def _start_late(self, job: Job, now: float) -> None:
        for batch in job.batches:
            batch.due = max(batch.due, now)
        self._schedule(job)

    def _schedule(self, job: Job) -> None:
        for batch in job.batches:
            self._number += 1
            heapq.heappush(self._waiting, (batch.due, self._number, job, batch))

    def _do(self, job: Job, batch: Batch, item: Json, now: float) -> None:
        ref = {"_clientRef": item["_clientRef"]} if job.has_refs else {}
        try:
            object_id = self._write(job, item, now)
        except ApiError as error:
            record_id = {"id": item["id"]} if "id" in item else {}
            batch.errors.append({**ref, **record_id, "error": error.text()})
            if job.has_refs:
                batch.results.append({**ref, "status": "error", "error": error.text()})
            return
        batch.object_ids.append(object_id)
        if job.has_refs:
            status = "created" if job.operation == "create" else "updated"
            batch.results.append({**ref, "objectId": object_id, "status": status})

    def _write(self, job: Job, item: Json, now: float) -> str:
        if job.operation == "create":
            return self._store.create(job.kind, item, by=job.by, now=now, options=job.options).id
        if job.operation == "update":
            check_unsaid(job.kind, item)
            return self._store.update(job.kind, item["id"], item, by=job.by, now=now, options=job.options).id
        self._store.delete(job.kind, item["id"], by=job.by, now=now)
        return str(item["id"])
