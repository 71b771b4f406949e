"""Rate limits: a fixed window of 60 s for the org, one for each key's searches, one for each record (section
3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
SEARCH_LIMIT = 100
OBJECT_LIMIT = 120


@dataclass
class Window:
    """Counts uses per name in a fixed window; each may be used `limit` times until it resets."""

    limit: int
    anchor: float
    used: Counter[Hashable] = field(default_factory=Counter)
    number: int = 0

    def take(self, now: float, name: Hashable = None, units: int = 1, *, limit: int | None = None) -> bool:
        """Spend `units`; False, and nothing spent, when there are not so many left (of `limit`, if it is given)."""
        left = self.remaining(now, name) + (0 if limit is None else limit - self.limit)
        if left < units:
            return False
        self.used[name] += units
        return True

    def remaining(self, now: float, name: Hashable = None) -> int:
        """What is left of the window at `now`."""
        number = int((now - self.anchor) // WINDOW_SECONDS)
        if number != self.number:
            self.number = number
            self.used.clear()
        return self.limit - self.used[name] if name in self.used else self.limit

    def reset_at(self, now: float) -> float:
        """When the window ends, epoch seconds."""
        return self.anchor + (int((now - self.anchor) // WINDOW_SECONDS) + 1) * WINDOW_SECONDS


class Limits:
    """The three limits of an org. One request is one unit of the org's budget, whatever it carries."""

    def __init__(self, rate_limit: int, now: float) -> None:
        self.org = Window(rate_limit, now)
        self.search = Window(SEARCH_LIMIT, now)
        self.objects = Window(OBJECT_LIMIT, now)
