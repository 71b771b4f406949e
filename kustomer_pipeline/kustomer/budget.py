"""How much of the org's request budget is left, and when the next request may go out.

    answer's headers → observe() → what is left, until when
    before a request → delay() → seconds to wait

Kustomer counts requests of the whole org in windows of 60 s (docs/kustomer.md section 3). Agents at work and other
integrations draw on the same budget, so a share of it is never touched, and the rest is not spent at once: what is
left must stay above a line that falls from what there was at first, less one burst, to the reserve at the window's
end. Whatever others spend pushes it towards the line, and this client slows down by as much.

     left ┐·,
          │  `·.         ← one burst at once
          │ `·. `·.      ← then no faster than the line falls
          │    `·. `·
  reserve ┼ ─ ─ ─ `·─
          └───────────→ end of the window

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
BURST_SHARE = 1 / 8  # of the limit: that much goes out at once, and is what a sudden spender may find missing


@dataclass
class Budget:
    """The org's budget as last reported; None means that Kustomer has not said.

    Answers come out of order when many requests are under way, so each request has a number, and `observe` is told
    the number of the request that an answer belongs to: an answer to an older one never raises what is left.
    """

    limit: int | None = None
    remaining: int | None = None
    _at_first: int = 0  # what was left when this window was first seen
    _window_end: float = -math.inf
    _known_since: int = 0  # requests with this number or a higher one were sent after `remaining` was reported

    def reserve(self, share: float) -> int:
        """Requests per window that are left to others."""
        return math.ceil(share * self.limit) if self.limit else 0

    def lost(self) -> None:
        """A request was sent and its answer does not say what is left: it counts all the same."""
        if self.remaining is not None:
            self.remaining = max(0, self.remaining - 1)

    def observe(
        self,
        now: float,
        *,
        number: int,
        newest: int,
        limit: int | None,
        remaining: int | None,
        reset_in: float | None = None,
    ) -> None:
        """Take in what the answer to request `number` said, `newest` being the last that was sent.

        More left than before, said to a request that was sent after that was known, is a new window. Where no reset
        time is given, its end is the latest possible.
        """
        if limit is not None and limit > 0:
            self.limit = limit
        if remaining is not None:
            remaining = max(0, remaining)
            self.limit = max(self.limit or 0, remaining) or None
            sent_after = number >= self._known_since
            if self.remaining is None or (sent_after and (remaining > self.remaining or now >= self._window_end)):
                self._at_first, self._window_end = remaining, now + WINDOW
                self.remaining, self._known_since = remaining, newest + 1
            elif remaining <= self.remaining:
                self.remaining, self._known_since = remaining, newest + 1
        if reset_in is not None and self.remaining is not None:
            self._window_end = now + reset_in

    def is_over(self, now: float) -> bool:
        """Whether what is known is of a window that has ended, or nothing is known."""
        return self.remaining is None or now >= self._window_end

    def rest_of_window(self, now: float) -> float:
        """Seconds until the window surely has ended; a whole one when nothing is known."""
        return WINDOW if self.is_over(now) else self._window_end - now

    def delay(self, now: float, under_way: int, reserve_share: float, ours: float = 1.0) -> float:
        """Seconds until one more request may go out beside those under way; at most the rest of the window.

        ours: the share that this process has of what is not left to others, where several processes write. What
        the others have under way nobody knows; it is within what their own shares leave them.
        """
        if self.remaining is None or now >= self._window_end:
            return 0.0
        rest, reserve = self._window_end - now, self.reserve(reserve_share)
        free = ours * (self.remaining - reserve) - under_way
        if free < 1:
            return rest
        burst = max(1.0, ours * BURST_SHARE * (self.limit or 0))
        to_spread = ours * (self._at_first - reserve) - burst
        if to_spread <= 0:
            return 0.0
        # The line is at to_spread * rest / WINDOW above the reserve, and must be below `free`.
        return max(0.0, rest - WINDOW * free / to_spread)


class SearchBudget:
    """Searches have a limit of their own for each API key, which no header tells: they are counted here."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque(maxlen=SEARCHES_PER_WINDOW)

    def sent(self, now: float) -> None:
        """A search goes out."""
        self._sent.append(now)

    def delay(self, now: float, reserve_share: float, ours: float = 1.0) -> float:
        """Seconds until one more search keeps any 60 s within our share of the limit, less the reserve."""
        allowed = max(1, math.floor(ours * searches_allowed(reserve_share)))
        if len(self._sent) < allowed:
            return 0.0
        return min(max(0.0, self._sent[-allowed] + WINDOW - now), WINDOW)


def searches_allowed(reserve_share: float) -> int:
    """Searches in any 60 s when that share is left to others."""
    return max(1, SEARCHES_PER_WINDOW - math.ceil(reserve_share * SEARCHES_PER_WINDOW))


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
