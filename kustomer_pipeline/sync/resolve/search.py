"""A row whose record is being looked for, while it is."""

from __future__ import annotations

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
