"""What one of several processes may send of the org's requests: so many a minute, evenly, whatever the others do.

Where one process writes, what is left of the budget is all there is to know (budget.py). Several that look at the same
number would each take it for theirs. So each is given a share of what is not left to others, and saves up what it does
not send at once, up to a burst:

    tokens   + share * allowed * 7/8 a minute, at most share * allowed / 8; a request takes one

All shares together are the whole; so in any minute all processes together send at most what is allowed. Whoever comes
has saved nothing: what it would find may have been sent by those who shared before.
"""

from __future__ import annotations

from .budget import BURST_SHARE, WINDOW


class Allotment:
    """A state machine: time comes in as a number of seconds."""

    def __init__(self, now: float) -> None:
        self._tokens = 0.0
        self._at = now

    def delay(self, now: float, share: float, allowed: int) -> float:
        """Seconds until one more request may go out. allowed: requests a minute that are not left to others."""
        most = max(1.0, share * allowed * BURST_SHARE)
        a_second = max(share * allowed * (1 - BURST_SHARE), 1e-9) / WINDOW
        self._tokens = min(most, self._tokens + (now - self._at) * a_second)
        self._at = now
        return max(0.0, (1 - self._tokens) / a_second)

    def sent(self) -> None:
        """A request goes out."""
        self._tokens = max(0.0, self._tokens - 1)
