"""Which rows of a refused request are to blame.

One bad row refuses the whole request that it is in, so a refused request is halved until the culprits stand alone.
Small pieces have their turn before large ones: what stands alone shows early whether everybody is to blame. Where
everybody was, the rest is not asked about row by row: a few rows of each piece, other ones in each run, speak for it.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from kustomer_pipeline.kustomer import KustomerError

from ..decisions import Write

_ALONE = 30  # so many rows in a row that stood alone and were refused for one cause: everybody is to blame
_SAMPLES = 3  # rows that speak for a piece then


class Culprits:
    """What the rows have shown that stood alone, by the cause of the refusal (`cause_of`). `seed`: one for each run."""

    def __init__(self, seed: str) -> None:
        self._alone: Counter[str] = Counter()
        self._words: dict[str, KustomerError] = {}
        self._random = random.Random(seed)

    def refused(self, error: KustomerError) -> None:
        """A row that stood alone was refused."""
        cause = cause_of(error)
        self._alone[cause] += 1
        self._words[cause] = error

    def accepted(self, cause: str | None) -> None:
        """A piece of a request that was refused for this cause was accepted: somebody is not to blame."""
        if cause is not None:
            self._alone[cause] = 0

    def everybody(self, cause: str | None, among: int) -> KustomerError | None:
        """How everybody is refused for this cause, as far as can be seen; None where somebody is not to blame, or where
        there are so few that each of them may be asked about."""
        known = cause is not None and among > _SAMPLES and self._alone[cause] >= _ALONE
        return self._words[cause] if known and cause is not None else None

    def samples(self, writes: Sequence[Write]) -> tuple[list[Write], list[Write]]:
        """(those who speak for a piece, the others)."""
        chosen = set(self._random.sample(range(len(writes)), _SAMPLES))
        return (
            [write for place, write in enumerate(writes) if place in chosen],
            [write for place, write in enumerate(writes) if place not in chosen],
        )


def cause_of(error: KustomerError) -> str:
    """The same text for all rows of one mistake: without places and values."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "…", str(error))


class Turns:
    """So many at once; of those who wait the smallest is next, and the first of two alike.

    A turn is passed on a moment later, when the halves of the piece that had it are among those who wait.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._order = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def of(self, size: int) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the body."""
        await self._take(size)
        try:
            yield
        finally:
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._give)  # the halves start in between

    async def _take(self, size: int) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (size, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was this one's turn already
                self._give()
            raise

    def _give(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
