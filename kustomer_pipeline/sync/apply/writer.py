"""One chunk of decisions on its way: journal, request, answers, journal.

    writes → intended (state) → submitted (Kustomer, state) → answered (Kustomer) → acknowledged (state) → Written

Killed before the bulk id is written down, the next run knows that the job may exist and looks its records up; killed
after it, the next run collects the job. A request that is refused as a whole is halved until the culprits stand alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
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
from .culprits import Culprits, Turns, cause_of
from .jobs import operation_of
from .journaling import Journaling, OnWritten, Written
from .queue import JobQueue

_DIVIDING = 3  # pieces of refused requests handed in at once: few, so that what stands alone is known early
_SUBMITTING = 6  # requests handed in at once: what is intended and not yet sent is what a kill leaves in doubt


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
        on_record: Callable[[Write, Record], None] = lambda write, record: None,
        singly: bool = False,
    ) -> None:
        self.client = client
        self.state = state
        self.object_name: ObjectName = object_name
        self.run_id = run_id
        self.keep_changes = keep_changes
        self._journal = Journaling(state, lock, object_name, run_id, keep_changes=keep_changes)
        self._on_record = on_record
        self._singly = singly
        self._finding_out = asyncio.Lock()
        self._requests = Turns(_SUBMITTING)
        self._pieces = Turns(_DIVIDING)
        self._culprits = Culprits(run_id)
        self._queue = JobQueue(client)

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

    async def _in_bulk(self, writes: list[Write], on_written: OnWritten, cause: str | None = None) -> None:
        """cause: why the request that they were part of was refused."""
        with_rev = self.client.wire.takes_rev(self.object_name, operation_of(writes[0]))
        error = await self._job(writes, on_written, with_rev=with_rev, cause=cause)
        if error is None or isinstance(error, AmbiguousWriteError):
            return
        if isinstance(error, PermissionDeniedError):
            await self.write(writes, on_written)  # bulk is not allowed: one by one from now on
            return
        about_form = isinstance(error, BadRequestError) and operation_of(writes[0]) == "update"
        about_rev = about_form and not self._culprits.everybody(cause_of(error), len(writes))
        if with_rev and about_rev and not self.client.wire.rev_is_known(self.object_name):
            writes = await self._find_out_rev(writes, on_written)
            if writes:
                await self._in_bulk(writes, on_written)
            return
        await self._halves(writes, error, on_written)

    async def _halves(self, writes: list[Write], error: KustomerError, on_written: OnWritten) -> None:
        cause = cause_of(error)
        if len(writes) == 1:
            self._blame(writes[0], error, on_written)
            return
        if self._culprits.everybody(cause, len(writes)):
            samples, writes = self._culprits.samples(writes)
            await asyncio.gather(*(self._in_bulk([one], on_written, cause) for one in samples))
            if self._culprits.everybody(cause, len(writes)):
                text = f"{scrub(str(error))} (refused together with others, of whom none was taken alone)"
                on_written([Written(write, "rejected", error=text) for write in writes])
                return
        middle = len(writes) // 2
        halves = [half for half in (writes[:middle], writes[middle:]) if half]
        await asyncio.gather(*(self._in_bulk(half, on_written, cause) for half in halves))

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
                elif not isinstance(error, AmbiguousWriteError):
                    error = await self._without_rev(one, on_written)
                if isinstance(error, PermissionDeniedError):
                    return [one, *rest]
                if error is not None and self._culprits.everybody(cause_of(error), len(rest)):
                    break
            return rest

    async def _without_rev(self, one: Write, on_written: OnWritten) -> KustomerError | None:
        """Was it for its `rev` that a single update was refused? If not, the row is. An answer that is lost says
        nothing."""
        error = await self._job([one], on_written, with_rev=False)
        if error is None:
            self.client.wire.rev_refused(self.object_name)
        elif not isinstance(error, (AmbiguousWriteError, PermissionDeniedError)):
            self._blame(one, error, on_written)
        return error

    def _blame(self, write: Write, error: KustomerError, on_written: OnWritten) -> None:
        """It stood alone and was refused: it is what Kustomer does not take."""
        self._culprits.refused(error)
        on_written([Written(write, "rejected", error=scrub(str(error)))])

    async def _job(
        self, writes: Sequence[Write], on_written: OnWritten, *, with_rev: bool, cause: str | None = None
    ) -> KustomerError | None:
        """One bulk job from intent to acknowledgement. Gives the error with which Kustomer refused the request as a
        whole, or AmbiguousWriteError where nobody knows whether it did; both are in the journal."""
        turns = self._requests if cause is None else self._pieces
        async with turns.of(len(writes)):
            everybody = self._culprits.everybody(cause, len(writes))
            if everybody is not None:
                return everybody
            job, by_ref = self._journal.intend(writes)
            items = [{**item_of(write, with_rev=with_rev), "_clientRef": ref} for ref, write in by_ref.items()]
            try:
                with self._about(by_ref):
                    bulk_id = await self.client.submit_bulk(self.object_name, job.operation, items)
            except AmbiguousWriteError as error:
                self._journal.lose(job, by_ref, on_written)
                return error
            except KustomerError as error:  # nothing was done: it was refused before any record was looked at
                self._journal.end(job)
                if isinstance(error, (BadRequestError, ConflictError, PayloadTooLargeError)) or (
                    isinstance(error, PermissionDeniedError) and not self.bulk
                ):
                    return error
                raise
            self._journal.submitted(job, bulk_id)
            self._culprits.accepted(cause)
        if with_rev and job.operation == "update":
            self.client.wire.rev_accepted(self.object_name)
        await self._collect(job, bulk_id, by_ref, on_written)
        return None

    async def _collect(self, job: Job, bulk_id: str, by_ref: Mapping[str, Write], on_written: OnWritten) -> None:
        since = self.client.clock.monotonic()
        try:
            with self._about(by_ref):
                answer = await self._queue.answer(bulk_id, len(job.items))
        except NotFoundError:  # Kustomer does not know it (any more), or is another one
            await self.client.confirm_org()
            self._journal.acknowledge(job, by_ref, {}, on_written)
            return
        except PermissionDeniedError:
            if self.bulk:
                raise
            self._journal.lose(job, by_ref, on_written)  # jobs may not be read: its records are looked at instead
            return
        self.client.job_answered(self.object_name, job.operation, len(job.items), since, answer)
        if answer.complete:
            self._journal.acknowledge(job, by_ref, answer.results, on_written)
        else:
            on_written([Written(write, "unfinished") for write in by_ref.values()])

    # --- one by one -----------------------------------------------------------------------------------------

    async def _single(self, write: Write, on_written: OnWritten) -> None:
        job, by_ref = self._journal.intend([write])
        ref = job.items[0].ref
        try:
            with self._about(by_ref):
                record = await self.client.write_one(self.object_name, job.operation, self._item(write))
        except AmbiguousWriteError:
            self._journal.lose(job, by_ref, on_written)
        except (BadRequestError, PayloadTooLargeError) as error:
            self._journal.end(job)
            on_written([Written(write, "rejected", error=scrub(str(error)))])
        except (ConflictError, NotFoundError) as error:
            self._journal.end(job)
            on_written([Written(write, "refused", error=scrub(str(error)))])
        except KustomerError:
            self._journal.end(job)
            raise
        else:
            self._on_record(write, record)
            status: Literal["created", "updated"] = "created" if isinstance(write, Create) else "updated"
            self._journal.acknowledge(job, by_ref, {ref: ItemResult(ref, status, record.id, None)}, on_written)

    def _about(self, writes: Mapping[str, Write]) -> AbstractContextManager[None]:
        """For the body, requests are about these rows."""
        return self.client.about(lambda: [write.case.key for write in writes.values()])

    def _item(self, write: Write) -> dict[str, Any]:
        return item_of(write, with_rev=self.client.wire.takes_rev(self.object_name, operation_of(write), bulk=False))
