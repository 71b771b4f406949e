"""One nasty warehouse row: what it holds, what Kustomer holds already, what must become of it.

Cells are named by column; a column that a case leaves out holds a good value where the sync needs one (see
`Line.of`), else a null. What Kustomer shows afterwards is said completely: an attribute that no case speaks of
must not be there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kustomer_pipeline.sync import AudienceSpec, ObjectSpec

from ..world import World

Cells = Mapping[str, Any]
Outcome = Literal["created", "updated", "unchanged", "skipped", "invalid", "rejected"]


@dataclass(frozen=True)
class Case:
    """`shows`: what the record has afterwards, as `shown` tells it; over what it had before, where it was there.

    `in_a_full_run`: what a full resync makes of a row that has landed, where that is not "unchanged".
    """

    about: str
    cells: Cells
    outcome: Outcome
    reason: str = ""
    shows: Mapping[str, Any] = field(default_factory=dict)
    there: Mapping[str, Any] | None = None
    in_a_full_run: Outcome | None = None

    @property
    def lands(self) -> bool:
        """Whether the row is in Kustomer afterwards."""
        return self.outcome in ("created", "updated", "unchanged")


def created(about: str, cells: Cells, **shows: Any) -> Case:
    """A row that becomes a new record."""
    return Case(about, cells, "created", shows=shows)


def updated(about: str, cells: Cells, there: Mapping[str, Any], **shows: Any) -> Case:
    """A row that changes a record."""
    return Case(about, cells, "updated", shows=shows, there=there)


def invalid(about: str, cells: Cells, reason: str, there: Mapping[str, Any] | None = None) -> Case:
    """A row that is refused here, before anything is sent."""
    return Case(about, cells, "invalid", reason, there=there)


def rejected(about: str, cells: Cells, reason: str, there: Mapping[str, Any] | None = None) -> Case:
    """A row that Kustomer refuses, or of which nobody can say which record it is."""
    return Case(about, cells, "rejected", reason, there=there)


def skipped(about: str, cells: Cells, reason: str, there: Mapping[str, Any] | None = None) -> Case:
    """A row for which the sync has nothing to do."""
    return Case(about, cells, "skipped", reason, there=there)


def nothing(_world: World) -> None:
    """An empty org."""


@dataclass(frozen=True)
class CorpusSync:
    """Cases that go in one run. `prepare` fills the org before the run; `control` is a row that must always land."""

    spec: ObjectSpec | AudienceSpec
    cases: Sequence[Case]
    control: Case
    prepare: Callable[[World], None] = nothing
    faults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The sync's."""
        return self.spec.name

    @property
    def columns(self) -> list[str]:
        """The warehouse columns."""
        return list(dict.fromkeys(column for mapping in self.spec.fields for column in mapping.columns))
