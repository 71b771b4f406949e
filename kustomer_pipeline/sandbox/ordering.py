"""Records in the order of one of their times, kept in order as they change, so that a page of a list costs a slice."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence

from .times import parse_date_time

Key = tuple[str, str]
"""A time as Kustomer writes it, and a record's id."""

_BOUNDS: dict[str, tuple[bool, Callable[..., int]]] = {
    "gt": (True, bisect_right),
    "gte": (True, bisect_left),
    "lt": (False, bisect_left),
    "lte": (False, bisect_right),
}
COMPARISONS = frozenset(_BOUNDS)


class Order:
    """Keys in ascending order. Changes are taken over when somebody looks: many at once cost one sorting."""

    def __init__(self) -> None:
        self._keys: list[Key] = []
        self._gone: set[Key] = set()
        self._new: dict[Key, None] = {}

    def move(self, before: Key | None, after: Key | None) -> None:
        """A record came (no `before`), went (no `after`), or got another time."""
        if before == after:
            return
        if before in self._new:
            del self._new[before]
        elif before is not None:
            self._gone.add(before)
        if after in self._gone:
            self._gone.discard(after)
        elif after is not None:
            self._new[after] = None

    def keys(self) -> list[Key]:
        """All keys in order; not to be changed."""
        if len(self._gone) + len(self._new) <= 4:
            for key in self._gone:
                del self._keys[bisect_left(self._keys, key)]
            for key in self._new:
                insort(self._keys, key)
        else:
            if self._gone:
                self._keys = [key for key in self._keys if key not in self._gone]
            self._keys.extend(self._new)
            self._keys.sort()
        self._gone.clear()
        self._new.clear()
        return self._keys


def within(keys: Sequence[Key], comparison: str, moment: float) -> Sequence[Key]:
    """The keys whose time is gt, gte, lt or lte `moment`."""
    is_lower, bound = _BOUNDS[comparison]
    place = bound(keys, moment, key=lambda key: parse_date_time(key[0]) or 0.0)
    return keys[place:] if is_lower else keys[:place]
