"""Decisions → bulk jobs → per-item answers. The journal makes it safe to be stopped anywhere:

    intend (state) → submit (Kustomer) → submitted (state) → answers (Kustomer) → settle_job (state)

Killed before `submitted`, the next run knows that the job may exist and looks its records up; killed after it, the
next run collects the job. All jobs of a call are submitted before the first is polled, the oldest is polled first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kustomer_pipeline.kustomer import (
    AmbiguousWriteError,
    BadRequestError,
    Clock,
    ConflictError,
    ItemResult,
    KustomerClient,
    KustomerError,
    NotFoundError,
    PayloadTooLargeError,
)

from .masking import scrub
from .patch import update_item
from .remembered import ChangeLine, Job, JobItem, LogLine, RowState, new_refs
from .rows import Create, Update
from .spec import Object
from .sync_state import SyncState

MAX_ITEMS = 100
MAX_BYTES = 95_000  # docs/kustomer.md section 3: 100 kB a body, the rest is for its frame
PATIENCE_SECONDS = 300.0
_SPLITS_A_RUN = 60
_POLLS_IN_FRONT = 4
_POLLS_AT_LEAST = 8  # however long that takes in an org whose budget is spent

Result = Literal["done", "refused", "rejected", "unknown", "unfinished"]


@dataclass(frozen=True)
class Written:
    """What came of one decision.

    done: Kustomer says created or updated. refused: its item failed; look at the record again, then decide.
    rejected: the request itself is not acceptable, trying again is useless. unknown: no answer reached us.
    lost: the job of an unknown result, if there is one, may still be waiting.
    unfinished: the job is still in Kustomer's queue, the next run collects it.
    """

    decision: Create | Update
    result: Result
    kustomer_id: str | None = None
    error: str | None = None
    lost: bool = False


@dataclass
class _Flight:
    """A submitted job that has not been collected."""

    job: Job
    bulk_id: str
    decisions: dict[str, Create | Update]
    submitted_at: float
    next_poll: float
    polls: int = 0


class Writer:
    """Writes the decisions of one run of one sync. `identities_of` says what may be learned from a written row."""

    def __init__(
        self,
        client: KustomerClient,
        state: SyncState,
        clock: Clock,
        object: Object,
        run_id: str,
        identities_of: Callable[[Create | Update, str], list[tuple[str, str, str, str]]],
        *,
        keep_changes: bool = True,
    ) -> None:
        self.client = client
        self.state = state
        self.clock = clock
        self.object: Object = object
        self.run_id = run_id
        self.identities_of = identities_of
        self.keep_changes = keep_changes
        self._splits_left = _SPLITS_A_RUN
        self._with_rev = object == "customers"
        self._rev_proven = False
        self._expected_seconds = 1.0

    def write(self, decisions: Sequence[Create | Update], on_written: Callable[[list[Written]], None]) -> None:
        """Submit everything, then collect. `on_written` hears of each job once its state is on disk.

        An error that stops the run (permission, connection) is raised after what was submitted has been
        collected as far as Kustomer still answers.
        """
        flights: list[_Flight] = []
        stopped: KustomerError | None = None
        try:
            for chunk in _chunks(decisions, self._items):
                self._submit(chunk, flights, on_written)
        except KustomerError as error:
            stopped = error
        try:
            self._collect(flights, on_written)
        except KustomerError as error:
            stopped = stopped or error
        if stopped is not None:
            raise stopped

    # --- submitting -----------------------------------------------------------------------------------------

    def _items(self, decisions: Sequence[Create | Update]) -> list[dict[str, Any]]:
        return [
            decision.body
            if isinstance(decision, Create)
            else update_item(decision.live, decision.patch.body, with_rev=self._with_rev)
            for decision in decisions
        ]

    def _submit(
        self, chunk: list[Create | Update], flights: list[_Flight], on_written: Callable[[list[Written]], None]
    ) -> None:
        """One bulk request; refused as a whole, it is split until the culprits stand alone."""
        error = self._submit_once(chunk, flights, on_written)
        if error is None:
            return
        about_form = isinstance(error, BadRequestError)  # and not about its size, or about a record
        if self._with_rev and not self._rev_proven and about_form and isinstance(chunk[0], Update):
            # Whether bulk updates take `rev` is not documented (docs/kustomer.md section 7.5): found out once.
            self._rev_proven, self._with_rev = True, False
            if self._submit_once(chunk, flights, on_written) is None:
                return
            self._with_rev = True
        self._split(chunk, error, flights, on_written)

    def _submit_once(
        self, chunk: list[Create | Update], flights: list[_Flight], on_written: Callable[[list[Written]], None]
    ) -> KustomerError | None:
        """The error with which Kustomer refused the whole request, None if it took it (or nobody knows)."""
        job, by_ref = self._intend(chunk)
        items = [{**item, "_clientRef": ref} for ref, item in zip(by_ref, self._items(chunk), strict=True)]
        try:
            bulk_id = self.client.submit_bulk(self.object, job.operation, items)
        except AmbiguousWriteError:
            written = [Written(decision, "unknown", lost=True) for decision in chunk]
            if job.operation == "create":
                self._settle(job, written, on_written)
            else:
                on_written(written)  # the journal keeps the job: it may be done later than the next look at its records
            return None
        except KustomerError as error:  # nothing was done: it was refused before any record was looked at
            self.state.settle_job(self.run_id, job)
            if isinstance(error, (BadRequestError, ConflictError, PayloadTooLargeError)):
                return error
            raise
        self.state.submitted(job, bulk_id)
        self._rev_proven |= self._with_rev and job.operation == "update"
        now = self.clock.monotonic()
        flights.append(_Flight(job, bulk_id, by_ref, now, now + self._expected_seconds))
        return None

    def _intend(self, chunk: list[Create | Update]) -> tuple[Job, dict[str, Create | Update]]:
        refs = new_refs(len(chunk))
        items = [
            JobItem(
                ref=ref,
                key=decision.row.key,
                fingerprint=None if decision.row.young else decision.row.fingerprint,
                kustomer_id=decision.live.id if isinstance(decision, Update) else None,
                owned=decision.row.owned,
                effect="undo" if decision.row.undoing else "untag" if decision.row.leaving else "accept",
                changes=_changes(decision) if self.keep_changes else [],
                young=decision.row.young,
                sent_lists=decision.row.new_lists,
            )
            for ref, decision in zip(refs, chunk, strict=True)
        ]
        operation: Literal["create", "update"] = "create" if isinstance(chunk[0], Create) else "update"
        return self.state.intend(self.run_id, operation, items), dict(zip(refs, chunk, strict=True))

    def _split(
        self,
        chunk: list[Create | Update],
        error: KustomerError,
        flights: list[_Flight],
        on_written: Callable[[list[Written]], None],
    ) -> None:
        if len(chunk) == 1 or self._splits_left <= 0:
            reason = scrub(str(error))
            if len(chunk) > 1:
                reason = f"refused together with {len(chunk) - 1} others, not told apart in this run: {reason}"
            on_written([Written(decision, "rejected", error=reason) for decision in chunk])
            return
        if not isinstance(error, PayloadTooLargeError):
            self._splits_left -= 1
        middle = len(chunk) // 2
        self._submit(chunk[:middle], flights, on_written)
        self._submit(chunk[middle:], flights, on_written)

    # --- collecting -----------------------------------------------------------------------------------------

    def _collect(self, flights: list[_Flight], on_written: Callable[[list[Written]], None]) -> None:
        waiting = list(flights)
        while waiting:
            # The oldest is asked until it is done: those behind it are hardly done before, and asking costs a unit.
            # One that keeps the others waiting goes to the end of the line.
            waiting.sort(key=lambda flight: (flight.polls // _POLLS_IN_FRONT, flight.submitted_at))
            flight = waiting[0]
            pause = flight.next_poll - self.clock.monotonic()
            if pause > 0:
                self.clock.sleep(pause)
            written = self._poll(flight)
            if written is not None:
                waiting.pop(0)
                self._settle(flight.job, written, on_written)
            elif flight.polls >= _POLLS_AT_LEAST and self.clock.monotonic() - flight.submitted_at > PATIENCE_SECONDS:
                waiting.pop(0)
                on_written([Written(decision, "unfinished") for decision in flight.decisions.values()])

    def _poll(self, flight: _Flight) -> list[Written] | None:
        """One look at a job: its results when it is complete, else None and the time of the next look."""
        flight.polls += 1
        try:
            answer = self.client.bulk_answer(flight.bulk_id, expected=len(flight.decisions))
        except NotFoundError:
            return [Written(decision, "unknown") for decision in flight.decisions.values()]
        age = self.clock.monotonic() - flight.submitted_at
        if not answer.complete:
            flight.next_poll = self.clock.monotonic() + min(15.0, max(0.5, age * 0.6))
            return None
        if flight.polls == 1:
            self._expected_seconds = max(0.2, self._expected_seconds * 0.9)
        else:
            self._expected_seconds = min(15.0, max(self._expected_seconds, age))
        return [written_of(decision, answer.results.get(ref)) for ref, decision in flight.decisions.items()]

    def _settle(self, job: Job, written: list[Written], on_written: Callable[[list[Written]], None]) -> None:
        """The job's results, the rows they settle and the log become true together; only then is it told."""
        by_key = {item.key: item for item in job.items}
        rows, log, forget, learned, changed = [], [], [], [], []
        for one in written:
            item = by_key[one.decision.row.key]
            if one.result == "done":
                log.append(log_line(job, item, one.kustomer_id))
                learned += self.identities_of(one.decision, one.kustomer_id or "")
                changed += change_lines(item, self.object, one.kustomer_id)
                if item.effect == "untag" and not item.young:
                    forget.append(item.key)
                elif item.effect != "undo":
                    rows.append(accepted(item, one.kustomer_id))
            elif one.result == "unknown" and job.operation == "create":
                rows.append(RowState(item.key, "unsettled"))
        self.state.settle_job(self.run_id, job, rows, log=log, forget=forget, identities=learned, changed=changed)
        on_written(written)


def written_of(decision: Create | Update, result: ItemResult | None) -> Written:
    """One item's answer. Created or updated counts, an error is a refusal, no answer is no answer."""
    if result is None:
        return Written(decision, "unknown")
    if result.status == "error":
        return Written(decision, "refused", error=scrub(result.error or "no reason given"))
    known = decision.live.id if isinstance(decision, Update) else None
    kustomer_id = result.object_id or known
    return Written(decision, "done", kustomer_id) if kustomer_id else Written(decision, "unknown")


def accepted(item: JobItem, kustomer_id: str | None) -> RowState:
    """What the state keeps of a row that Kustomer took. A young one who leaves is kept, to be looked at once more."""
    owned = item.owned or item.effect == "untag"
    return RowState(item.key, "accepted", item.fingerprint, kustomer_id, owned=owned, sent_lists=item.sent_lists)


def log_line(job: Job, item: JobItem, kustomer_id: str | None) -> LogLine:
    """One line of the sync log for a record that Kustomer took."""
    of_effect = {"untag": "removed", "undo": "restored"}
    outcome = of_effect.get(item.effect) or ("created" if job.operation == "create" else "updated")
    return LogLine(item.key, outcome, kustomer_id)


def change_lines(item: JobItem, object: Object, kustomer_id: str | None) -> list[ChangeLine]:
    """What is kept of an update so that it can be undone; nothing of a create."""
    if not item.changes or kustomer_id is None:
        return []
    return [ChangeLine(item.key, object, kustomer_id, item.changes)]


def _changes(decision: Create | Update) -> list[list[Any]]:
    if isinstance(decision, Create):
        return []
    return [[change.field, change.before, change.after] for change in decision.patch.changes]


def _chunks(
    decisions: Sequence[Create | Update], items_of: Callable[[Sequence[Create | Update]], list[dict[str, Any]]]
) -> Iterator[list[Create | Update]]:
    """Creates and updates apart, at most 100 items and 95,000 bytes each (docs/kustomer.md sections 3 and 7.1)."""
    for kind in (Create, Update):
        chunk: list[Create | Update] = []
        size = 0
        for decision in decisions:
            if not isinstance(decision, kind):
                continue
            bytes_ = len(json.dumps(items_of([decision])[0], ensure_ascii=False).encode()) + 80  # 80: _clientRef
            if chunk and (len(chunk) == MAX_ITEMS or size + bytes_ > MAX_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append(decision)
            size += bytes_
        if chunk:
            yield chunk
