"""One governor of an API key's requests for everything in this process.

    ask() → Leave: go, it is counted | seconds after which to ask again
    answered(), broken_off(), not_sent() ← what became of a request that was let go

Shared by every client of the same key, address and clock, and safe to use from several threads. What is left counts
as "reported, less what is under way". Where several processes write at once, each has a share of it (allotment.py).
When a window has ended, one request finds out what there is in the new one before the others follow, so that those who
waited do not rush past the reserve together.

A state machine like those it is made of: it never sleeps.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass

from .allotment import Allotment
from .budget import Budget, SearchBudget, seconds_until_reset, whole_number
from .clock import Clock

_PEEK = 0.02  # seconds until it is worth asking again whether the one that went first is back
_NO_SHARE = 0.5  # seconds until it is worth asking again whether there is a share by now
_SHORTEST = 0.001  # seconds: less than that is the error of a float, and would be asked for ever
_Key = tuple[str, str, Clock]


@dataclass(frozen=True)
class Leave:
    """The permission to send one request; to be given back with what became of it."""

    number: int
    is_search: bool


class Governor:
    """What the org's budget and the key's searches allow, as far as is known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._budget = Budget()
        self._searches = SearchBudget()
        self._numbers = itertools.count(1)
        self._newest = 0
        self._under_way = 0
        self._says_nothing = False  # answers without rate-limit headers: there is nothing to go by
        self._closed_until = 0.0
        self._searches_closed_until = 0.0
        self._shares: dict[str, tuple[float, float]] = {}
        self._allotment: Allotment | None = None

    def hold_share(self, holder: str, share: float, now: float, until: float) -> None:
        """Until then `holder` has this share (0 to 1) of what is not left to others, and everybody here shares it.

        While no share is held, all of it is ours. After its time a share is nothing.
        """
        with self._lock:
            self._shares[holder] = (share, until)
            self._allotment = self._allotment or Allotment(now)

    def give_back_share(self, holder: str) -> None:
        """It is no longer held."""
        with self._lock:
            self._shares.pop(holder, None)
            if not self._shares:
                self._allotment = None

    @property
    def known(self) -> tuple[int | None, int | None]:
        """The org's limit and what is left of it, as last reported."""
        with self._lock:
            return self._budget.limit, self._budget.remaining

    def ask_search(self, now: float, reserve_share: float) -> float:
        """0: one more search may go out, and it is counted; else the seconds after which to ask again."""
        with self._lock:
            ours = self._ours(now)
            wait = self._searches.delay(now, reserve_share, ours) if ours > 0 else _NO_SHARE
            delay = max(wait, self._searches_closed_until - now)
            if delay > 0:
                return max(delay, _SHORTEST)
            self._searches.sent(now)
            return 0.0

    def ask(self, now: float, *, reserve_share: float, is_search: bool = False) -> Leave | float:
        """Leave to send one request now, or the seconds after which to ask again."""
        with self._lock:
            delay = self._delay(now, reserve_share)
            if delay > 0:
                return max(delay, _SHORTEST)
            if self._allotment is not None:
                self._allotment.sent()
            self._newest = next(self._numbers)
            self._under_way += 1
            return Leave(self._newest, is_search)

    def not_sent(self, leave: Leave) -> None:
        """The request never left this machine."""
        with self._lock:
            self._under_way -= 1

    def broken_off(self, leave: Leave) -> None:
        """The request was sent and its answer is lost; Kustomer may have counted it."""
        with self._lock:
            self._under_way -= 1
            self._budget.lost()

    def answered(self, leave: Leave, now: float, epoch: float, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of the budget."""
        limit = whole_number(headers, "x-ratelimit-limit")
        remaining = whole_number(headers, "x-ratelimit-remaining")
        with self._lock:
            self._under_way -= 1
            if leave.is_search and limit is not None and self._budget.limit not in (None, limit):
                self._budget.lost()  # these headers speak of the limit for searches, not of the org's
                return
            self._says_nothing = remaining is None
            if remaining is None:
                self._budget.lost()
            self._budget.observe(
                now,
                number=leave.number,
                newest=self._newest,
                limit=limit,
                remaining=remaining,
                reset_in=seconds_until_reset(headers, epoch),
            )

    def refused(self, now: float, seconds: float, headers: Mapping[str, str], *, is_search: bool) -> None:
        """A 429, to be tried again in so many seconds: until then nobody else tries, either.

        Unless the answer says that there is something left: then another limit was meant, that of one record, say.
        """
        with self._lock:
            if is_search:
                self._searches_closed_until = max(self._searches_closed_until, now + seconds)
            elif not whole_number(headers, "x-ratelimit-remaining"):
                self._closed_until = max(self._closed_until, now + seconds)

    def rest_of_window(self, now: float) -> float:
        """Seconds until the window surely has ended."""
        with self._lock:
            return self._budget.rest_of_window(now)

    def _delay(self, now: float, reserve_share: float) -> float:
        if now < self._closed_until:
            return self._closed_until - now
        ours = self._ours(now)
        if ours <= 0:
            return _NO_SHARE
        if self._budget.is_over(now):
            someone_is_finding_out = self._under_way > 0 and not self._says_nothing
            return _PEEK if someone_is_finding_out else 0.0
        delay = self._budget.delay(now, self._under_way, reserve_share, ours)
        if self._allotment is None or self._budget.limit is None:
            return delay
        allowed = self._budget.limit - self._budget.reserve(reserve_share)
        return max(delay, self._allotment.delay(now, ours, allowed))

    def _ours(self, now: float) -> float:
        if not self._shares:
            return 1.0
        return min(1.0, sum(share for share, until in self._shares.values() if now < until))


_governors: weakref.WeakValueDictionary[_Key, Governor] = weakref.WeakValueDictionary()
_governors_lock = threading.Lock()


def governor_for(base_url: str, api_key: str, clock: Clock) -> Governor:
    """The governor of this key at this address by this clock; the same for all who ask while somebody holds it."""
    key = (base_url, hashlib.blake2b(api_key.strip().encode(), digest_size=16).hexdigest(), clock)
    with _governors_lock:
        governor = _governors.get(key)
        if governor is None:
            governor = _governors[key] = Governor()
        return governor
