"""Which of a run's changes still stand: not those that an undo has taken back. Pure.

    lines of the records since then, the newest first → Standing of each of the run's

An undo writes lines of its own, and says in each which ones it took back; so an undo of the undo has them stand again.
What a later run made of the same field is told with each, because it is not this run's to take back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .state import ChangeLine

BeforeAfter = tuple[Any, Any]


@dataclass(frozen=True)
class Standing:
    """A line of a run. fields: those that still stand; undone: those that an undo has taken back. since: what later
    runs made of the same fields, (before, after) of each change, as far as that stands."""

    line: ChangeLine
    fields: frozenset[str]
    undone: frozenset[str] = frozenset()
    since: Mapping[str, tuple[BeforeAfter, ...]] = field(default_factory=dict)

    @property
    def changes(self) -> list[tuple[str, Any, Any, tuple[BeforeAfter, ...]]]:
        """(field, before, after, since) of each change that stands."""
        return [
            (name, before, after, self.since.get(name, ()))
            for name, before, after in self.line.changes
            if name in self.fields
        ]

    @property
    def says_whose_the_tag_is(self) -> bool:
        """Whether the tag was given or taken by this line, and by nobody of ours since."""
        tag = self.line.scope
        later = self.since.get("tags", ())
        theirs = any((tag in (before or ())) is not (tag in (after or ())) for before, after in later)
        return self.line.effect != "accept" and "tags" in self.fields and not theirs


def standing(newest_first: Iterable[ChangeLine], of_run: frozenset[int]) -> list[Standing]:
    """Each of the run's lines (`of_run`: their ids), the oldest first."""
    undone: dict[int, set[str]] = {}
    later: dict[tuple[str, str, str], list[BeforeAfter]] = {}
    found: list[Standing] = []
    for line in newest_first:
        gone = undone.get(line.id or 0, set())
        for other, names in line.undoes:
            undone.setdefault(other, set()).update(set(names) - gone)
        fields = line.fields - gone
        if line.id in of_run:
            since = {name: tuple(later.get((line.object_name, line.kustomer_id, name), ())) for name in fields}
            found.append(Standing(line, fields, frozenset(gone & line.fields), since))
        elif not line.undoes:
            for name, before, after in line.changes:
                if name in fields:
                    later.setdefault((line.object_name, line.kustomer_id, name), []).append((before, after))
    return found[::-1]
