"""A stream executed: many jobs under way at once, each row brought to its outcome.

    wave → what needs nothing: state, ledger
         → chunks → jobs (a task each) → answers → refused and unanswered rows: decided anew

While jobs run the next wave is resolved, and nothing waits for a whole wave. So many rows are under way at most as keep
the org's budget busy; memory does not grow with the frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import pandas as pd

from kustomer_pipeline.kustomer import KustomerError

from ..decisions import Create, Nothing, Resolved, Update, Wave, Write
from ..ledger import Ledger, Outcome
from ..readback import Sample
from ..reasons import Reason, ReasonCode
from ..rendering import lines_of
from ..report import CHANGE_COLUMNS, REMOVAL_COLUMNS
from ..resolve import Hints
from ..rows import Attempt, Case
from .chunks import chunks
from .jobs import operation_of
from .settled import remember_settled
from .writer import Writer, Written

ROWS_UNDER_WAY = 10_000
ROUNDS = 4


class Deciding(Protocol):
    """What an executor needs of a stream: decisions about rows that have to be looked at again, and an ear."""

    ledger: Ledger

    async def decide(self, cases: Sequence[Case]) -> Wave:
        """One decision per case, in order."""
        ...

    def refused(self, resolved: Resolved, reason: Reason) -> Nothing:
        """A row whose write Kustomer does not take, whatever the record is like."""
        ...

    def on_creates(self, refused: int, accepted: int) -> None:
        """What creates have shown: whom Kustomer has, and whom it did not have."""
        ...

    def take_hints(self) -> Hints:
        """Where identifiers have been seen since the last time."""
        ...


class Executor:
    """Executes the waves of one stream. `removed`, `notes` and the tables are there when it is drained."""

    def __init__(
        self,
        stream: Deciding,
        writer: Writer,
        *,
        sample: Sample | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self.removed = 0
        self.notes: dict[str, Reason] = {}
        self.stopped: KustomerError | None = None
        self._stream = stream
        self._writer = writer
        self._sample = sample
        self._on_step = on_step
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._under_way = 0
        self._room = asyncio.Condition()
        self._refused_removals: list[tuple[str, str | None, str]] = []
        self._examples: list[dict[str, str | None]] = []

    # --- as a consumer of the stream ------------------------------------------------------------------------

    async def take(self, wave: Wave) -> None:
        """Settle what needs no write, start what does; waits while too much is under way. Raises KustomerError."""
        self._raise_if_stopped()
        if wave.held:
            self._examples += [line for one in wave.decisions for line in lines_of(one)]
            return
        for chunk in self._start(wave):
            async with self._room:
                await self._room.wait_for(lambda: self._under_way < ROWS_UNDER_WAY)
            self._raise_if_stopped()
            self._begin(chunk)

    async def drained(self) -> None:
        """Wait until nothing is under way. Raises what stopped it: a KustomerError, a lost lock, a broken state."""
        while self._tasks and self._broken is None:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        if self._broken is not None:
            await self.abandon()
        self._raise_if_stopped()

    async def abandon(self) -> None:
        """End every task without waiting for answers: what is in the journal is collected by the next run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def unsettled(self) -> int:
        """Rows of the frame of which it is not certain what they are in Kustomer."""
        return self._stream.ledger.unsettled()

    # --- tables for the report ------------------------------------------------------------------------------

    @property
    def removals_refused(self) -> pd.DataFrame:
        """Members whom Kustomer did not let go, and why."""
        return pd.DataFrame(self._refused_removals, columns=list(REMOVAL_COLUMNS)).astype("string")

    @property
    def examples(self) -> pd.DataFrame:
        """The first of the changes that the guard holds."""
        return pd.DataFrame(self._examples, columns=list(CHANGE_COLUMNS)).astype("string")

    # --- one chunk ------------------------------------------------------------------------------------------

    def _start(self, wave: Wave) -> list[list[Write]]:
        """Note what needs no write; the rest as chunks, in order."""
        remember_settled(
            self._writer.state, self._writer.run_id, wave, self._writer.object_name, self._stream.take_hints()
        )
        for decision in wave.settled:
            self._settle(decision)
        self._on_step()
        client = self._writer.client
        return list(chunks(wave.writes, client.wire, self._writer.object_name, bulk=self._writer.bulk))

    def _begin(self, chunk: list[Write]) -> None:
        self._under_way += len(chunk)
        task = asyncio.create_task(self._bring_to_its_end(chunk))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring_to_its_end(self, chunk: list[Write]) -> None:
        again: list[Case] = []
        try:
            if self.stopped is None and self._broken is None:
                await self._writer.write(chunk, lambda written: self._written(written, again))
            if again and self.stopped is None:
                for part in self._start(await self._stream.decide(again)):
                    self._begin(part)
        except KustomerError as error:
            self.stopped = self.stopped or error
        except asyncio.CancelledError:
            raise
        except (
            BaseException
        ) as error:  # the lock or the state is lost, or the process is to end: nothing more is written
            self._broken = self._broken or error
        finally:
            self._under_way -= len(chunk)
            async with self._room:
                self._room.notify_all()

    def _raise_if_stopped(self) -> None:
        if self._broken is not None:
            raise self._broken
        if self.stopped is not None:
            raise self.stopped

    # --- outcomes -------------------------------------------------------------------------------------------

    def _settle(self, decision: Nothing) -> None:
        case = decision.case
        if case.position is not None:
            self._set(case, decision.outcome, decision.kustomer_id, decision.reason)
        elif decision.outcome is Outcome.REJECTED:
            self._refuse_removal(case, str(decision.reason))
        else:
            self.removed += decision.outcome is Outcome.UPDATED  # its answer was lost, the work was done

    def _written(self, written: Sequence[Written], again: list[Case]) -> None:
        for one in written:
            if one.result == "done":
                self._done(one)
            elif one.result == "unfinished":
                text = "sent, and still in Kustomer's queue; the next run collects the answer"
                self._defer(one.write.case, ReasonCode.ANSWER_PENDING, text)
            elif one.result == "rejected":
                self._reject(one)
            else:
                self._look_again(one, again)
        creates = [one for one in written if isinstance(one.write, Create)]
        self._stream.on_creates(
            sum(one.result == "refused" for one in creates), sum(one.result == "done" for one in creates)
        )
        self._on_step()

    def _done(self, one: Written) -> None:
        case, write = one.write.case, one.write
        if case.position is None:
            self.removed += 1
            return
        outcome = Outcome.CREATED if isinstance(write, Create) else Outcome.UPDATED
        self._set(case, outcome, one.kustomer_id)
        if isinstance(write, Update) and write.patch.notes:
            self.notes[case.key] = write.patch.notes[0]
        if one.kustomer_id is not None and self._sample is not None:
            self._sample.add(write.of, one.kustomer_id)

    def _reject(self, one: Written) -> None:
        """The request itself was refused: what is in it is not acceptable, whatever the record is like."""
        case = one.write.case
        reason = Reason(ReasonCode.REFUSED_FORM, f"Kustomer refused it: {one.error}")
        if case.position is None:
            self._refuse_removal(case, str(reason))
            return
        nothing = self._stream.refused(one.write.of, reason)
        remember_settled(self._writer.state, self._writer.run_id, Wave((nothing,)), self._writer.object_name, Hints())
        self._settle(nothing)

    def _look_again(self, one: Written, again: list[Case]) -> None:
        """A refused or unanswered write: the row is decided anew, from what Kustomer holds by then."""
        case, write = one.write.case, one.write
        live = None if isinstance(write, Create) else write.live
        attempt = Attempt(
            operation_of(write),
            one.error if one.result == "refused" else None,
            kustomer_id=live.id if live else None,
            rev=live.rev if live else None,
            lost_at=one.lost_at,
            without_dead=bool(write.of.dead),
        )
        if len(case.attempts) + 1 < ROUNDS:
            again.append(case.after(attempt))
        else:
            self._defer(case, ReasonCode.KEPT_CHANGING, "it kept changing in Kustomer while it was written; next run")

    def _defer(self, case: Case, code: ReasonCode, text: str) -> None:
        if case.position is not None:
            self._set(case, Outcome.DEFERRED, None, Reason(code, text))
        else:
            self._refuse_removal(case, text)

    def _refuse_removal(self, case: Case, reason: str) -> None:
        self._refused_removals.append((case.key, case.known_id, reason))

    def _set(self, case: Case, outcome: Outcome, kustomer_id: str | None, reason: Reason | None = None) -> None:
        assert case.position is not None
        self._stream.ledger.set(case.position, outcome, kustomer_id=kustomer_id, reason=reason)
