"""How much of the org's request budget is left, and when the next request may go out.

    answer's headers → observe() → what is left, until when
    before a request → delay() → seconds to wait

Kustomer counts requests of the whole org in windows of 60 s (docs/kustomer.md section 3). Agents at work
and other integrations draw on the same budget, so a share of it is never touched: at the reserve everything
waits for the next window; between the reserve and twice the reserve what is left is spread over the rest of
the window.

Pure state machines: time comes in as a number of seconds and nobody sleeps here.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

WINDOW = 60.0
LONGEST_WAIT = 120.0
SEARCHES_PER_WINDOW = 100


@dataclass
class Budget:
    """The org's budget as last reported; None means that Kustomer has not said."""

    reserve_share: float
    limit: int | None = None
    remaining: int | None = None
    _window_end: float | None = None
    _last_sent: float = -math.inf

    @property
    def reserve(self) -> int:
        """Requests per window that are left to others."""
        return math.ceil(self.reserve_share * self.limit) if self.limit else 0

    def sent(self, now: float) -> None:
        """A request goes out: it counts even if its answer never arrives."""
        self._last_sent = now
        if self.remaining is not None:
            self.remaining = max(0, self.remaining - 1)

    def observe(self, now: float, *, limit: int | None, remaining: int | None, reset_in: float | None = None) -> None:
        """Take in what an answer said. Without a reset time the latest possible end is assumed."""
        if limit is not None and limit > 0:
            self.limit = limit
        if remaining is not None:
            window_is_new = self.remaining is None or remaining > self.remaining
            if window_is_new or self._window_end is None or now >= self._window_end:
                self._window_end = now + WINDOW
            self.remaining = max(0, remaining)
            self.limit = max(self.limit or 0, self.remaining) or None
        if reset_in is not None:
            self._window_end = now + reset_in

    def rest_of_window(self, now: float) -> float:
        """Seconds until the window surely has ended; a whole one when nothing is known."""
        if self._window_end is None or now >= self._window_end:
            return WINDOW
        return self._window_end - now

    def delay(self, now: float) -> float:
        """Seconds to wait before the next request; at most a window, then one request finds out anew."""
        if self.remaining is None or self._window_end is None or now >= self._window_end:
            return 0.0
        rest, free = self._window_end - now, self.remaining - self.reserve
        if free <= 0:
            return min(rest, WINDOW)
        if self.remaining >= 2 * self.reserve:
            return 0.0
        return min(max(0.0, self._last_sent + rest / free - now), rest)


class SearchBudget:
    """Searches have a limit of their own for each API key, which no header tells: they are counted here."""

    def __init__(self, reserve_share: float) -> None:
        self._allowed = max(1, SEARCHES_PER_WINDOW - math.ceil(reserve_share * SEARCHES_PER_WINDOW))
        self._sent: deque[float] = deque(maxlen=self._allowed)

    def sent(self, now: float) -> None:
        """A search goes out."""
        self._sent.append(now)

    def delay(self, now: float) -> float:
        """Seconds until one more search keeps any 60 s within the limit."""
        if len(self._sent) < self._allowed:
            return 0.0
        return min(max(0.0, self._sent[0] + WINDOW - now), WINDOW)


def seconds_until_reset(headers: Mapping[str, str], epoch_now: float) -> float | None:
    """`x-ratelimit-reset` as seconds from now, 0 to 120: it is seen as epoch seconds, as epoch milliseconds
    and as seconds to wait (docs/kustomer.md section 3). None when absent or not a number.
    """
    value = _number(headers.get("x-ratelimit-reset"))
    if value is None:
        return None
    if value > 1e12:
        value = value / 1000 - epoch_now
    elif value > 1e9:
        value -= epoch_now
    return _clamped(value)


def seconds_to_retry_after(headers: Mapping[str, str], epoch_now: float) -> float | None:
    """`Retry-After` as seconds from now, 0 to 120, be it a number or a date. None when it is neither."""
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None:
        return _clamped(seconds)
    try:
        return _clamped(parsedate_to_datetime(text).timestamp() - epoch_now)
    except (ValueError, TypeError, OverflowError):
        return None


def whole_number(headers: Mapping[str, str], name: str) -> int | None:
    """A header that counts something; None when absent or not a number."""
    value = _number(headers.get(name))
    return None if value is None else int(value)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _clamped(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT)
