"""The vocabulary of the field catalogue: what a field is, what its values may be, how list items compare."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kustomer_pipeline.kustomer.identifiers import canonical

Operation = Literal["create", "update"]
Shape = Literal["scalar", "list", "custom", "company"]
Write = Literal["overwrite", "if_empty"]
Missing = Literal["reject", "send_without"]
Value = Literal[
    "text", "email", "phone", "externalId", "number", "integer", "boolean", "datetime", "url", "id", "tag",
    "domain", "json",
]  # fmt: skip

_IDENTIFIERS = ("email", "phone", "externalId")  # keys of items that kustomer.identifiers knows


@dataclass(frozen=True)
class FieldMapping:
    """One line under `fields:` of a sync: a Kustomer field and the warehouse column(s) that feed it.

    Several columns are for list fields only. `match` and `missing` belong to `company`: what the column holds
    ("externalId" when not said, "name", or "id" for Kustomer's own id), and what becomes of a row whose company
    Kustomer does not have ("reject" when not said). `show`: its values may be shown to people.
    """

    field: str
    columns: tuple[str, ...]
    write: Write = "overwrite"
    match: str | None = None
    missing: Missing | None = None
    show: bool = False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one value may be. Lengths count characters (code points), as JSON schema does."""

    value: Value
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, kw_only=True)
class SubField(Limits):
    """One key of the objects in a list field, e.g. `type` in `emails`."""

    required: bool = False


@dataclass(frozen=True, kw_only=True)
class FieldType(Limits):
    """One entry of the field catalogue (docs/kustomer.md sections 4.2, 5 and 9).

    `attribute` is the key in Kustomer's JSON body, `custom_key` the key below `custom`. `identifier` names
    the space in which Kustomer keeps the values unique across the org (email and emails share one), or None.
    `items` describes the objects of a field that takes JSON; `main` is the key a plain value stands for.
    `nullable`: whether an update takes null for it, which clears it.
    """

    name: str
    attribute: str
    shape: Shape
    description: str
    custom_key: str | None = None
    identifier: str | None = None
    max_items: int | None = None
    items: Mapping[str, SubField] = field(default_factory=dict, hash=False)
    main: str | None = None
    nullable: bool = False

    @property
    def several_columns(self) -> bool:
        """Whether more than one warehouse column may feed the field."""
        return self.shape == "list"

    @property
    def plain_items(self) -> bool:
        """Whether its items are plain values only (email, phone): the field that takes objects has another name."""
        return self.shape == "list" and self.main is not None and not self.items

    @property
    def item_keys(self) -> Mapping[str, SubField]:
        """The keys that an item may have."""
        if not self.plain_items or self.main is None:
            return self.items
        limits = SubField(value=self.value, min_length=self.min_length, max_length=self.max_length, required=True)
        return {self.main: limits}


@dataclass(frozen=True)
class ListAttribute:
    """How the items of a list attribute are compared and written back.

    `identity` is empty where an item is a plain string (tags). `writable` are the keys Kustomer accepts in
    an item; others that it returns must be stripped before the list is written back (docs/kustomer.md
    section 4.5). `by_value`: an item is identified by a value of its own, so that what else it says can be merged;
    else (locations) only by its type and name, and two items of one key are different things said about one place.
    """

    identity: tuple[str, ...]
    writable: frozenset[str]
    max_items: int
    by_value: bool = True

    def key(self, item: Any) -> Hashable:
        """What makes two items the same: identifiers in their canonical form (kustomer.identifiers), others as are.

        So `whatsapp:+12125550003`, `+1 (212) 555-0003` and `12125550003` are one phone.
        """
        if not self.identity or not isinstance(item, Mapping):
            return _comparable("", item)
        parts = tuple(_comparable(name, item.get(name)) for name in self.identity)
        if any(part is not None for part in parts):
            return parts
        # Without any identifying key (a location with neither type nor name) an item equals only its like.
        return tuple(sorted((str(name), repr(value)) for name, value in item.items() if value is not None))


def _comparable(name: str, value: Any) -> Hashable:
    if isinstance(value, str):
        # A phone without a digit has no canonical form: it is like itself only.
        return (canonical(name, value) or value) if name in _IDENTIFIERS else value
    # Whatever a live record may hold in place of text: comparable, never an error.
    return value if value is None or isinstance(value, int | float) else repr(value)
