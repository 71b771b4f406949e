"""Waiting for bulk jobs: each looks when the pace of all of them says so."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from .bulk import BulkJobs
from .bulk_answers import BulkAnswer
from .clock import Clock
from .pace import SHORTEST_PAUSE, JobPace

_AT_ONCE = 0.001  # seconds: not worth waiting for


class JobWaiter:
    """Waits for the jobs of one client, many at once."""

    def __init__(self, bulk: BulkJobs, clock: Clock) -> None:
        self._bulk = bulk
        self._clock = clock
        self._pace = JobPace()
        self._something_new = asyncio.Event()

    @property
    def worth_having(self) -> int:
        """How many jobs are worth having under way."""
        return self._pace.worth_having

    async def results(self, bulk_id: str, expected: int, submitted_at: float, deadline: float) -> BulkAnswer:
        """The answer once the job is complete, or what there is at the deadline. See KustomerClient.bulk_results."""
        self._pace.submitted(bulk_id, submitted_at, self._clock.monotonic())
        answer, looked_at = BulkAnswer(False, {}), float("-inf")
        try:
            while True:
                now = self._clock.monotonic()
                look = self._pace.next_look(bulk_id, now)
                pause = min(look.at, deadline) - now
                if pause > _AT_ONCE:
                    await self._wait(pause, for_others=look.behind)
                    continue
                if now >= deadline - _AT_ONCE and now - looked_at < SHORTEST_PAUSE:
                    return answer
                looked_at = now
                answer = await self._look(bulk_id, expected, now)
                if answer.complete or self._clock.monotonic() >= deadline - _AT_ONCE:
                    return answer
        finally:
            self._pace.forget(bulk_id)
            self._tell_others()

    async def _look(self, bulk_id: str, expected: int, now: float) -> BulkAnswer:
        self._pace.looking(bulk_id)
        self._tell_others()
        answer = await self._bulk.answer(bulk_id, expected)
        self._pace.looked(bulk_id, now, complete=answer.complete)
        self._tell_others()
        return answer

    async def _wait(self, seconds: float, *, for_others: bool) -> None:
        if not for_others:
            await self._clock.sleep(seconds)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._something_new.wait(), seconds)

    def _tell_others(self) -> None:
        """Those who wait behind another job look again whether it is still in front of them."""
        self._something_new.set()
        self._something_new = asyncio.Event()
