"""A stream executed: many jobs under way at once, each row brought to its outcome.

    wave → what needs nothing: state, ledger
         → chunks → jobs (a task each) → answers → refused and unanswered rows: decided anew

While jobs run the next wave is resolved, and nothing waits for a whole wave. So many rows are under way at most as keep
the org's budget busy; memory does not grow with the frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from kustomer_pipeline.kustomer import KustomerError

from ..decisions import Create, Nothing, Resolved, Wave, Write
from ..ledger import Ledger
from ..readback import Sample
from ..reasons import Reason, ReasonCode
from ..resolve import Hints
from ..rows import Attempt, Case
from .chunks import chunks
from .jobs import operation_of
from .journaling import Written
from .settled import remember_settled
from .tally import Tally
from .writer import Writer

ROWS_UNDER_WAY = 10_000
SINGLE_WRITES_UNDER_WAY = 64
SLOW_SECONDS = 60.0  # a job that takes longer keeps no other from being sent
ROUNDS = 4
_LOOK_AGAIN_SECONDS = 5.0


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
    """Executes the waves of one stream. `tally`: what came of it, once it is drained."""

    def __init__(
        self,
        stream: Deciding,
        writer: Writer,
        *,
        sample: Sample | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = Tally(stream.ledger, sample)
        self.stopped: KustomerError | None = None
        self._stream = stream
        self._writer = writer
        self._on_step = on_step
        self._under_way: dict[asyncio.Task[None], tuple[float, int]] = {}  # since when, how many rows
        self._ended = asyncio.Event()
        self._broken: BaseException | None = None

    # --- as a consumer of the stream ------------------------------------------------------------------------

    async def take(self, wave: Wave) -> None:
        """Settle what needs no write, start what does; waits while too much is under way. Raises KustomerError."""
        self._raise_if_stopped()
        if wave.held:
            self.tally.held(wave)
            return
        for chunk in self._start(wave):
            await self._wait_for_room()
            self._raise_if_stopped()
            self._begin(chunk)

    async def drained(self) -> None:
        """Wait until nothing is under way. Raises what stopped it: a KustomerError, a lost lock, a broken state."""
        while self._under_way and self._broken is None:
            await asyncio.wait(list(self._under_way), return_when=asyncio.FIRST_COMPLETED)
        if self._broken is not None:
            await self.abandon()
        self._raise_if_stopped()

    async def abandon(self) -> None:
        """End every task without waiting for answers: what is in the journal is collected by the next run."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def unsettled(self) -> int:
        """Rows of the frame of which it is not certain what they are in Kustomer."""
        return self._stream.ledger.unsettled()

    async def _wait_for_room(self) -> None:
        """Wait until more rows are worth having under way. Those that are slow keep nobody waiting, up to a limit."""
        while self._is_full():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _LOOK_AGAIN_SECONDS)

    def _is_full(self) -> bool:
        """As many as keep Kustomer busy; and what is intended is sent soon, so that a kill leaves little in doubt."""
        client = self._writer.client
        worth_having = (
            client.jobs_worth_having * client.wire.max_items if self._writer.bulk else SINGLE_WRITES_UNDER_WAY
        )
        now = client.clock.monotonic()
        brisk = sum(rows for since, rows in self._under_way.values() if now - since < SLOW_SECONDS)
        return brisk >= worth_having or sum(rows for _, rows in self._under_way.values()) >= ROWS_UNDER_WAY

    # --- one chunk ------------------------------------------------------------------------------------------

    def _start(self, wave: Wave) -> list[list[Write]]:
        """Note what needs no write; the rest as chunks, in order."""
        self._settle(wave, self._stream.take_hints())
        client = self._writer.client
        return list(chunks(wave.writes, client.wire, self._writer.object_name, bulk=self._writer.bulk))

    def _begin(self, chunk: list[Write]) -> None:
        task = asyncio.create_task(self._bring_to_its_end(chunk))
        self._under_way[task] = (self._writer.client.clock.monotonic(), len(chunk))
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._ended.set()
        self._ended = asyncio.Event()

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
        except BaseException as error:
            # The lock or the state is lost, or the process is to end: nothing more is written.
            self._broken = self._broken or error

    def _raise_if_stopped(self) -> None:
        if self._broken is not None:
            raise self._broken
        if self.stopped is not None:
            raise self.stopped

    # --- outcomes -------------------------------------------------------------------------------------------

    def _settle(self, wave: Wave, hints: Hints) -> None:
        """What needs no write: remembered, then told."""
        remember_settled(self._writer.state, self._writer.run_id, wave, self._writer.object_name, hints)
        for decision in wave.settled:
            self.tally.settled(decision)
        self._on_step()

    def _written(self, written: Sequence[Written], again: list[Case]) -> None:
        for one in written:
            if one.result == "rejected":
                self._reject(one)
            elif one.result in ("refused", "unanswered") and len(one.write.case.attempts) + 1 < ROUNDS:
                again.append(one.write.case.after(attempt_of(one, keep_changes=self._writer.keep_changes)))
            else:
                self.tally.written(one)
        creates = [one for one in written if isinstance(one.write, Create)]
        self._stream.on_creates(
            sum(one.result == "refused" for one in creates), sum(one.result == "done" for one in creates)
        )
        self._on_step()

    def _reject(self, one: Written) -> None:
        """The request itself was refused: what is in it is not acceptable, whatever the record is like."""
        reason = Reason(ReasonCode.REFUSED_FORM, f"Kustomer refused it: {one.error}")
        if one.write.case.position is None:
            self.tally.removal_refused(one.write.case, str(reason))
        else:
            self._settle(Wave((self._stream.refused(one.write.of, reason),)), Hints())


def attempt_of(one: Written, *, keep_changes: bool) -> Attempt:
    """What a refused or unanswered write tells the next round: the row is decided anew, from what is there by then."""
    live = None if isinstance(one.write, Create) else one.write.live
    changes = () if isinstance(one.write, Create) or not keep_changes else one.write.patch.changes
    return Attempt(
        operation_of(one.write),
        one.error if one.result == "refused" else None,
        kustomer_id=live.id if live else None,
        rev=live.rev if live else None,
        lost_at=one.lost_at,
        without_dead=bool(one.write.of.dead),
        changes=tuple((change.field, change.before, change.after) for change in changes),
    )
