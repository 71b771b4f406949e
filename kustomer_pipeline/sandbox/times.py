"""Time in the sandbox: injected, so that no test ever sleeps, and written as Kustomer writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Gives the time in epoch seconds; `time.time`, or a `ManualClock`."""

TWO_YEARS = 2 * 365.25 * 86400.0

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class ManualClock:
    """A clock that moves only when told to.

    It can be shared with a client under test: `time`, `monotonic` and `sleep` are those of a clock whose
    sleep costs nothing, so that a wait of the client makes the sandbox's jobs finish and its rate windows
    pass.
    """

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = now

    def __call__(self) -> float:
        """Epoch seconds."""
        return self._now

    def time(self) -> float:
        """Epoch seconds."""
        return self._now

    def monotonic(self) -> float:
        """The same seconds: this clock never goes back."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Returns at once, `seconds` later."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` (not backwards)."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._now += seconds


def iso(epoch: float) -> str:
    """`2026-11-23T21:11:02.250Z`: UTC with milliseconds (docs/kustomer.md section 4.5)."""
    # Far from today a float holds less than a microsecond's worth: rounded, not cut off, to the millisecond.
    moment = datetime.fromtimestamp(epoch + 0.0004, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_date_time(text: str) -> float | None:
    """Epoch seconds of an RFC 3339 date-time, None if it is not one (a date alone, or no zone, is not)."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def parse_date(text: str) -> float | None:
    """Epoch seconds of a date-time, or of the beginning of a date alone (in UTC); None if it is neither."""
    return parse_date_time(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
