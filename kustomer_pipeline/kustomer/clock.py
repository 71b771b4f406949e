"""Time as a value that is passed in: one clock for engine, state and client, so that tests wait for nothing.

monotonic, time   what the clock shows
sleep             lets time pass for one coroutine, while others go on
new_loop          an event loop whose timers go by this clock
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What is needed of time; all in seconds. Clocks can be compared and hashed: those who share one share its time."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    def time(self) -> float:
        """Seconds since the epoch, to compare with what Kustomer says."""

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass; to be awaited on a loop of this clock."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """A new event loop that measures its time-outs by this clock."""


@dataclass(frozen=True)
class SystemClock:
    """The real thing. All of them show the same time, so all of them are equal."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that asyncio would make."""
        return asyncio.new_event_loop()
