"""A row whose record is being looked for, while it is; and how many of such rows Kustomer has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kustomer_pipeline.kustomer import Record

from ..decisions import Match
from ..rows import Case


@dataclass
class Search:
    """A case on the look-out.

    seen: records that may be it, live. listed: it was looked for in the whole list. absent: that nobody is there is
    proven. counted: it is among the rows that show how many of them Kustomer has.
    """

    case: Case
    seen: dict[str, Record] = field(default_factory=dict)
    match: Match | None = None
    listed: bool = False
    absent: bool = False
    counted: bool = False

    @property
    def result(self) -> Match:
        """Who the row is, as far as it is known."""
        known = self.case.known_id
        return replace(self.match or Match(), moved_on=known is not None and known not in self.seen)


@dataclass
class Share:
    """How many of the rows that were asked for Kustomer has."""

    asked: int = 0
    found: int = 0

    @property
    def value(self) -> float | None:
        """From 0 to 1; None while nobody was asked for."""
        return self.found / self.asked if self.asked else None

    def saw(self, existing: int, absent: int) -> None:
        """So many were there, so many were not."""
        self.asked += existing + absent
        self.found += existing

    def count(self, searches: Iterable[Search]) -> None:
        """What came of them, each once."""
        for one in searches:
            if not one.counted:
                one.counted = True
                self.saw(one.match is not None, one.match is None)
