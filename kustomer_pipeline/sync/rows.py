"""One row on its way to Kustomer, and what is decided about it.

Row  → (identity) → Match → (decide) → Create | Update | Done
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kustomer_pipeline.kustomer import Record

from .patch import Patch
from .report import Outcome


@dataclass
class Row:
    """A row that has to be attempted. The mutable part is what happened to it so far in this run.

    position: the input row, or -1 for a member who left the audience (`leaving`).
    source: what the warehouse says (mapping.wire_rows); desired: the same with company and tags as Kustomer ids.
    doubt: "Kustomer does not know it" must be proven by a path look-up, never concluded from search.
    sent: the last write of this row that did not end well: `refusal` is what Kustomer said, None = outcome unknown.
    maybe_created: a create of this row may have gone through without its answer reaching us, now or in an earlier run;
    waited: that was long enough ago for the job to be over. maybe_updated: the same of an update, in this run.
    owned: the tag of this member was set by this sync (owned_before: in an earlier run).
    sent_lists: hashes of the list items that earlier runs sent; new_lists: those and the items of this row.
    undoing: it is written to take an earlier run back.
    young: an earlier job of this row was lost, and may still be done: whatever is seen now is not the last word.
    """

    position: int
    key: str
    fingerprint: int
    source: Mapping[str, Any]
    known_id: str | None = None
    doubt: bool = False
    sent: Literal["create", "update"] | None = None
    sent_rev: float | None = None
    refusal: str | None = None
    maybe_created: bool = False
    maybe_updated: bool = False
    waited: bool = False
    leaving: bool = False
    owned: bool = False
    owned_before: bool = False
    undoing: bool = False
    young: bool = False
    sent_lists: Mapping[str, list[str]] = field(default_factory=dict)
    new_lists: Mapping[str, list[str]] = field(default_factory=dict)
    desired: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.desired = self.desired or self.source

    def identifiers(self, name: str) -> list[str]:
        """The row's values of an identifier: externalId, email, phone or name; several for e-mails and phones."""
        return identifiers(self.source, name)


def identifiers(attributes: Mapping[str, Any], name: str) -> list[str]:
    """The values of an identifier in a body or in a record's attributes, normalised for comparison."""
    found: list[Any] = []
    if name == "email":
        found = [str(item.get("email") or "").strip().lower() for item in attributes.get("emails") or []]
    elif name == "phone":
        found = [item.get("phone") for item in attributes.get("phones") or []]
    elif name == "externalId":
        found = [attributes.get("externalId")]
        found += [item.get("externalId") for item in attributes.get("externalIds") or []]
    elif name == "name":
        found = [str(attributes.get("name") or "").strip()]
    return list(dict.fromkeys(str(value) for value in found if value not in (None, "")))


@dataclass(frozen=True)
class Match:
    """Who a row is in Kustomer.

    problem: nobody can say, and why; `candidates` are the records it may be. proven: absence is Kustomer's own word.
    same_as: key of another row of the audience that is the same customer.
    """

    record: Record | None = None
    problem: str | None = None
    proven: bool = False
    candidates: tuple[str, ...] = ()
    same_as: str | None = None


@dataclass(frozen=True)
class Create:
    """A record to be created."""

    row: Row
    body: dict[str, Any]


@dataclass(frozen=True)
class Update:
    """A record to be changed: the live record it was computed from, and the patch."""

    row: Row
    live: Record
    patch: Patch


@dataclass(frozen=True)
class Done:
    """Nothing to send for this row. `remember`: what the state keeps of it, None = nothing."""

    row: Row
    outcome: Outcome
    kustomer_id: str | None = None
    reason: str | None = None
    remember: Literal["accepted", "skipped", "rejected", "forget"] | None = None


Decision = Create | Update | Done
