"""What travels through a run: what is wanted, what is remembered, what has been tried. Values, each with one life.

    DesiredRow | Member  +  RememberedRow  +  Attempt…  =  Case

A `Case` never changes: when a write is refused or its answer is lost, the next round is given a new one that knows of
one more `Attempt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from kustomer_pipeline.kustomer import identifiers

from .state import RememberedRow
from .theirs import Marks, outdated

_FIELDS = ("externalId", "email", "phone", "name")

Operation = Literal["create", "update"]


@dataclass(frozen=True)
class DesiredRow:
    """A row of the frame. `body`: what the warehouse says, as fragments of a Kustomer body (mapping.wire_rows); the
    company and the tags in it are still in the warehouse's words."""

    position: int
    key: str
    fingerprint: int
    body: Mapping[str, Any]

    @cached_property
    def by_field(self) -> Mapping[str, tuple[str, ...]]:
        """The row's identifiers in canonical form."""
        return _identifiers_of(self.body)


@dataclass(frozen=True)
class Member:
    """Somebody who holds an audience's tag and is not in the frame. `body`: the identifiers that the key tells."""

    key: str
    kustomer_id: str
    body: Mapping[str, Any]

    @cached_property
    def by_field(self) -> Mapping[str, tuple[str, ...]]:
        """The member's identifiers in canonical form."""
        return _identifiers_of(self.body)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A write of this run that did not end well.

    refusal: what Kustomer said, None: nobody knows what came of it. rev: the revision that an update was computed from.
    lost_at: when a request was sent that had no answer at all, so that its job may still be in Kustomer's queue.
    without_dead: references to things that are no longer in Kustomer had been left out already. changes: what an update
    would have overwritten, (field, before, after) of each, where that is kept.
    """

    operation: Operation
    refusal: str | None
    kustomer_id: str | None = None
    rev: float | None = None
    lost_at: datetime | None = None
    without_dead: bool = False
    changes: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A row on its way. `must_prove`: that Kustomer does not have it must be proven, not concluded from search."""

    row: DesiredRow | Member
    remembered: RememberedRow | None = None
    attempts: tuple[Attempt, ...] = ()
    must_prove: bool = False

    @property
    def key(self) -> str:
        """The row's key."""
        return self.row.key

    @property
    def position(self) -> int | None:
        """The row's place in the frame, None for a member who is not in it."""
        return self.row.position if isinstance(self.row, DesiredRow) else None

    @property
    def known_id(self) -> str | None:
        """The Kustomer id that the row was last seen under."""
        for attempt in reversed(self.attempts):
            if attempt.kustomer_id is not None:
                return attempt.kustomer_id
        if isinstance(self.row, Member):
            return self.row.kustomer_id
        return self.remembered.kustomer_id if self.remembered else None

    @property
    def owned(self) -> bool:
        """Whether an earlier run gave the record this audience's tag."""
        return bool(self.remembered and self.remembered.owned)

    @property
    def sent_lists(self) -> Mapping[str, list[str]]:
        """Hashes of the list items that earlier runs wrote, by attribute."""
        return self.remembered.sent_lists if self.remembered else {}

    @property
    def theirs(self) -> Marks:
        """What of the row is left to Kustomer, as it is remembered: theirs.py says what of it counts."""
        return self.remembered.theirs if self.remembered else {}

    @property
    def outdated(self) -> frozenset[str]:
        """What of it counts no more: the warehouse says something else since."""
        return outdated(self.row.body, self.theirs) if self.theirs else frozenset()

    @property
    def last(self) -> Attempt | None:
        """The latest attempt of this run."""
        return self.attempts[-1] if self.attempts else None

    @property
    def lost_at(self) -> datetime | None:
        """When a write was sent whose job may still be in the queue; None where there is none."""
        lost = [attempt.lost_at for attempt in self.attempts if attempt.lost_at is not None]
        if self.remembered is not None and self.remembered.lost_at is not None:
            lost.append(self.remembered.lost_at)
        return max(lost, default=None)

    @property
    def maybe_created(self) -> bool:
        """Whether a create of this row may have gone through without its answer reaching us, now or earlier."""
        earlier = self.remembered
        if earlier is not None and earlier.status == "indeterminate" and earlier.kustomer_id is None:
            return True
        return any(attempt.operation == "create" and attempt.refusal is None for attempt in self.attempts)

    @property
    def maybe_updated(self) -> bool:
        """Whether an update of this run may have gone through without its answer reaching us."""
        return any(attempt.operation == "update" and attempt.refusal is None for attempt in self.attempts)

    @property
    def maybe_changed(self) -> tuple[tuple[str, Any, Any], ...]:
        """What that update has overwritten, if it went through: the last one, computed from what was there."""
        lost = [one for one in self.attempts if one.operation == "update" and one.refusal is None]
        return lost[-1].changes if lost else ()

    def identifiers(self, field: str) -> tuple[str, ...]:
        """The row's values of an identifier, in canonical form."""
        return self.row.by_field[field]

    def after(self, attempt: Attempt) -> Case:
        """The same row after one more attempt: from now on only proof counts."""
        return replace(self, attempts=(*self.attempts, attempt), must_prove=True)


def _identifiers_of(body: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    return {field: identifiers(body, field) for field in _FIELDS}
