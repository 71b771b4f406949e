"""Who a row is in Kustomer, and what is to be done about it: each decision holds what is there and what shall be.

Case → Match → Resolved → Create | Update | Leave | Nothing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kustomer_pipeline.kustomer import Record

from .ledger import Outcome
from .patch import Patch
from .reasons import Reason
from .rows import Case
from .state import OwnershipChange, RememberedRow, Undoes
from .theirs import left_to_them, without


@dataclass(frozen=True, slots=True)
class Match:
    """Who a row is.

    record: the live record; None with a `problem` where nobody can say (`candidates` are the records it may be), else
    nobody has it. same_as: key of another row of the audience that is the same record. displaced: other keys under
    which this record is remembered; what is remembered there is no longer true once this row is written. moved_on: the
    record that the row was before is gone; whoever has its identifiers now is what became of it (they were merged).
    """

    record: Record | None = None
    problem: Reason | None = None
    candidates: tuple[str, ...] = ()
    same_as: str | None = None
    displaced: tuple[str, ...] = ()
    moved_on: bool = False


@dataclass(frozen=True, slots=True)
class DeadReferences:
    """What a live record refers to and Kustomer no longer has; a write that sends it back is refused."""

    company: bool = False
    tags: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.company or bool(self.tags)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A case that may be decided. `body`: the row's with company and tags as Kustomer's ids. `lacks`: what the row goes
    without until a later run, why, and of which field; `body` does not have it."""

    case: Case
    body: Mapping[str, Any]
    match: Match
    dead: DeadReferences = DeadReferences()
    lacks: Reason | None = None

    @property
    def theirs(self) -> frozenset[str]:
        """The fields that are left to Kustomer: no update touches them."""
        return left_to_them(self.case.row.body, self.case.theirs) if self.case.theirs else frozenset()

    @property
    def ours(self) -> Mapping[str, Any]:
        """The body without those: what an update is computed from."""
        return without(self.body, self.theirs)


@dataclass(frozen=True, slots=True)
class Create:
    """A record to be made. `sent_lists`: what will be remembered of the list items written."""

    of: Resolved
    body: dict[str, Any]
    sent_lists: Mapping[str, list[str]]

    @property
    def case(self) -> Case:
        """The row."""
        return self.of.case


@dataclass(frozen=True, slots=True)
class Update:
    """A record to be changed: the live record that the patch was computed from, and the patch.

    owned: the record will hold the audience's tag because of this sync. tag, action: how it is told, where it is about
    one tag. ownership: whose audiences' tags become ours, or are no longer, with an undo; undoes: what it takes back.
    """

    of: Resolved
    live: Record
    patch: Patch
    sent_lists: Mapping[str, list[str]]
    owned: bool = False
    tag: str | None = None
    action: Literal["update", "tag", "untag", "restore"] = "update"
    ownership: tuple[OwnershipChange, ...] = ()
    undoes: Undoes = ()

    @property
    def case(self) -> Case:
        """The row."""
        return self.of.case


@dataclass(frozen=True, slots=True)
class Leave:
    """A tag to be taken from somebody who left the audience."""

    of: Resolved
    live: Record
    patch: Patch
    tag: str

    @property
    def case(self) -> Case:
        """The member."""
        return self.of.case


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to send. `remember`: what is kept of the row; `forget`: nothing is. `ownership`, `undoes`: see Update.

    of_others: the member holds the audience's tag already, and not from this sync.
    """

    of: Resolved
    outcome: Outcome
    kustomer_id: str | None = None
    reason: Reason | None = None
    remember: RememberedRow | None = None
    forget: bool = False
    ownership: tuple[OwnershipChange, ...] = ()
    undoes: Undoes = ()
    of_others: bool = False

    @property
    def case(self) -> Case:
        """The row."""
        return self.of.case


Write = Create | Update | Leave
Decision = Write | Nothing


@dataclass(frozen=True)
class Wave:
    """Some decisions of the stream, in the order of their rows.

    held: the guard lets none of them go. orphans: records that this sync tagged, to be kept by their ids until it is
    known which row they are, if any. moved: keys of rows that are another record by now, to be looked at anew.
    """

    decisions: tuple[Decision, ...]
    held: bool = False
    orphans: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()

    @property
    def writes(self) -> list[Write]:
        """Those that something is to be sent for."""
        return [decision for decision in self.decisions if not isinstance(decision, Nothing)]

    @property
    def settled(self) -> list[Nothing]:
        """Those that nothing is to be sent for."""
        return [decision for decision in self.decisions if isinstance(decision, Nothing)]
