"""Time as a value that is passed in, so that tests wait for nothing."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the client needs to know of time; all in seconds."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    def time(self) -> float:
        """Seconds since the epoch, to compare with what Kustomer says."""

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


class SystemClock:
    """The real thing."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
