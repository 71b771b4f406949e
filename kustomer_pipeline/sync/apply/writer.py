"""One chunk of decisions on its way: journal, request, answers, journal.

    writes → intended (state) → submitted (Kustomer, state) → answered (Kustomer) → acknowledged (state) → Written

Killed before the bulk id is written down, the next run knows that the job may exist and looks its records up; killed
after it, the next run collects the job. A request that is refused as a whole is halved until the culprits stand alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from kustomer_pipeline.kustomer import (
    AmbiguousWriteError,
    BadRequestError,
    ConflictError,
    ItemResult,
    KustomerClient,
    KustomerError,
    NotFoundError,
    ObjectName,
    PayloadTooLargeError,
    PermissionDeniedError,
    Record,
)

from ..decisions import Create, Write
from ..masking import scrub
from ..state import Job, Lock, SyncState
from .chunks import fits_bulk, item_of
from .jobs import acknowledged, intended, lost, operation_of, write_acknowledgement, write_intent

PATIENCE_SECONDS = 300.0

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


class Writer:
    """Writes chunks for one run of one sync. `on_record`: hears of records that single writes answer with."""

    def __init__(
        self,
        client: KustomerClient,
        state: SyncState,
        lock: Lock,
        object_name: ObjectName,
        run_id: str,
        *,
        keep_changes: bool = True,
        on_record: Callable[[Record], None] = lambda record: None,
        singly: bool = False,
    ) -> None:
        self.client = client
        self.state = state
        self.object_name: ObjectName = object_name
        self.run_id = run_id
        self._lock = lock
        self._keep_changes = keep_changes
        self._on_record = on_record
        self._singly = singly
        self._finding_out = asyncio.Lock()

    @property
    def bulk(self) -> bool:
        """Whether records may be written in bulk; else they are written one by one."""
        return not self._singly and self.client.abilities.bulk(self.object_name)

    async def write(self, writes: Sequence[Write], on_written: OnWritten) -> None:
        """Write them; `on_written` hears of each job once its answers are on disk. Raises KustomerError, StateError."""
        if self.bulk and (len(writes) > 1 or fits_bulk(writes[0], self.client.wire, self.object_name)):
            await self._in_bulk(list(writes), on_written)
        else:
            await asyncio.gather(*(self._single(write, on_written) for write in writes))

    # --- in bulk --------------------------------------------------------------------------------------------

    async def _in_bulk(self, writes: list[Write], on_written: OnWritten) -> None:
        with_rev = self.client.wire.takes_rev(self.object_name, operation_of(writes[0]))
        error = await self._job(writes, on_written, with_rev=with_rev)
        if error is None:
            return
        if isinstance(error, PermissionDeniedError):
            await self.write(writes, on_written)  # bulk is not allowed: one by one from now on
            return
        about_form = isinstance(error, BadRequestError) and operation_of(writes[0]) == "update"
        if with_rev and about_form and not self.client.wire.rev_is_known(self.object_name):
            writes = await self._find_out_rev(writes, on_written)
            if writes:
                await self._in_bulk(writes, on_written)
            return
        await self._halves(writes, error, on_written)

    async def _halves(self, writes: list[Write], error: KustomerError, on_written: OnWritten) -> None:
        if len(writes) == 1:
            on_written([Written(writes[0], "rejected", error=scrub(str(error)))])
            return
        middle = len(writes) // 2
        await asyncio.gather(*(self._in_bulk(half, on_written) for half in (writes[:middle], writes[middle:])))

    async def _find_out_rev(self, writes: list[Write], on_written: OnWritten) -> list[Write]:
        """Does the org take `rev` in bulk updates? (docs/kustomer.md section 7.5) Found out on single items, since one
        bad item refuses a whole request. Returns the writes that are left."""
        async with self._finding_out:
            rest = list(writes)
            while rest and not self.client.wire.rev_is_known(self.object_name):
                one = rest.pop(0)
                error = await self._job([one], on_written, with_rev=True)
                if error is None:
                    self.client.wire.rev_accepted(self.object_name)
                    continue
                error = await self._job([one], on_written, with_rev=False)
                if error is None:
                    self.client.wire.rev_refused(self.object_name)
                else:
                    on_written([Written(one, "rejected", error=scrub(str(error)))])
            return rest

    async def _job(self, writes: Sequence[Write], on_written: OnWritten, *, with_rev: bool) -> KustomerError | None:
        """One bulk job from intent to acknowledgement; the error with which Kustomer refused the request as a whole."""
        self._lock.check()
        job, by_ref = intended(writes, self.object_name, self._now(), keep_changes=self._keep_changes)
        write_intent(self.state, self.run_id, job)
        items = [{**item_of(write, with_rev=with_rev), "_clientRef": ref} for ref, write in by_ref.items()]
        submitted_at = self.client.clock.monotonic()
        try:
            bulk_id = await self.client.submit_bulk(self.object_name, job.operation, items)
        except AmbiguousWriteError:
            self._lose(job, by_ref, on_written)
            return None
        except KustomerError as error:  # nothing was done: it was refused before any record was looked at
            self._end(job)
            if isinstance(error, (BadRequestError, ConflictError, PayloadTooLargeError)) or (
                isinstance(error, PermissionDeniedError) and not self.bulk
            ):
                return error
            raise
        with self.state.transaction() as tx:
            tx.journal.submitted(job.job_id, bulk_id)
        if with_rev and job.operation == "update":
            self.client.wire.rev_accepted(self.object_name)
        await self._collect(job, bulk_id, by_ref, submitted_at, on_written)
        return None

    async def _collect(
        self, job: Job, bulk_id: str, by_ref: Mapping[str, Write], submitted_at: float, on_written: OnWritten
    ) -> None:
        try:
            answer = await self.client.bulk_results(
                bulk_id, len(job.items), submitted_at, submitted_at + PATIENCE_SECONDS
            )
        except NotFoundError:  # Kustomer does not know it (any more)
            self._acknowledge(job, by_ref, {}, on_written)
            return
        except PermissionDeniedError:
            if self.bulk:
                raise
            self._lose(job, by_ref, on_written)  # jobs may not be read: its records are looked at instead
            return
        if answer.complete:
            self._acknowledge(job, by_ref, answer.results, on_written)
        else:
            on_written([Written(write, "unfinished") for write in by_ref.values()])

    # --- one by one -----------------------------------------------------------------------------------------

    async def _single(self, write: Write, on_written: OnWritten) -> None:
        self._lock.check()
        job, by_ref = intended([write], self.object_name, self._now(), keep_changes=self._keep_changes)
        write_intent(self.state, self.run_id, job)
        ref = job.items[0].ref
        try:
            record = await self.client.write_one(self.object_name, job.operation, self._item(write))
        except AmbiguousWriteError:
            self._lose(job, by_ref, on_written)
        except (BadRequestError, PayloadTooLargeError) as error:
            self._end(job)
            on_written([Written(write, "rejected", error=scrub(str(error)))])
        except (ConflictError, NotFoundError) as error:
            self._end(job)
            on_written([Written(write, "refused", error=scrub(str(error)))])
        except KustomerError:
            self._end(job)
            raise
        else:
            self._on_record(record)
            status: Literal["created", "updated"] = "created" if isinstance(write, Create) else "updated"
            self._acknowledge(job, by_ref, {ref: ItemResult(ref, status, record.id, None)}, on_written)

    def _item(self, write: Write) -> dict[str, Any]:
        return item_of(write, with_rev=self.client.wire.takes_rev(self.object_name, operation_of(write), bulk=False))

    # --- the end of a job -----------------------------------------------------------------------------------

    def _acknowledge(
        self, job: Job, by_ref: Mapping[str, Write], results: Mapping[str, ItemResult], on_written: OnWritten
    ) -> None:
        self._lock.check()
        write_acknowledgement(self.state, self.run_id, job, acknowledged(job, results))
        on_written([written_of(write, results.get(ref)) for ref, write in by_ref.items()])

    def _lose(self, job: Job, by_ref: Mapping[str, Write], on_written: OnWritten) -> None:
        now = self._now()
        write_acknowledgement(self.state, self.run_id, job, lost(job, now))
        on_written([Written(write, "unanswered", lost_at=now) for write in by_ref.values()])

    def _end(self, job: Job) -> None:
        with self.state.transaction() as tx:
            tx.journal.end(job.job_id)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.client.clock.time(), UTC)


def written_of(write: Write, result: ItemResult | None) -> Written:
    """One item's answer. Created or updated counts, an error is a refusal, no answer is no answer."""
    if result is None:
        return Written(write, "unanswered")
    if result.status == "error":
        return Written(write, "refused", error=scrub(result.error or "no reason given"))
    kustomer_id = result.object_id or (None if isinstance(write, Create) else write.live.id)
    return Written(write, "done", kustomer_id) if kustomer_id else Written(write, "unanswered")
