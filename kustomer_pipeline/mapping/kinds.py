"""The vocabulary of the field catalogue: what a field is, what its values may be, how list items compare."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Object = Literal["customers", "companies"]
Shape = Literal["scalar", "list", "custom", "company"]
Write = Literal["overwrite", "if_empty"]
Value = Literal[
    "text", "email", "phone", "externalId", "number", "integer", "boolean", "datetime", "url", "id", "tag",
    "domain", "json",
]  # fmt: skip


@dataclass(frozen=True)
class FieldMapping:
    """One line under `fields:` of a sync: a Kustomer field and the warehouse column(s) that feed it.

    Several columns are for list fields only. `match` belongs to `company`: what the column holds
    ("externalId" when not said, "name", or "id" for Kustomer's own id).
    """

    field: str
    columns: tuple[str, ...]
    write: Write = "overwrite"
    match: str | None = None


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

    @property
    def several_columns(self) -> bool:
        """Whether more than one warehouse column may feed the field."""
        return self.shape == "list"


@dataclass(frozen=True)
class ListAttribute:
    """How the items of a list attribute are compared and written back.

    `identity` is empty where an item is a plain string (tags). `writable` are the keys Kustomer accepts in
    an item; others that it returns must be stripped before the list is written back (docs/kustomer.md
    section 4.5).
    """

    identity: tuple[str, ...]
    writable: frozenset[str]
    max_items: int

    def key(self, item: Any) -> Hashable:
        """What makes two items the same: e-mail addresses without case or outer blanks, others as are."""
        if not self.identity or not isinstance(item, Mapping):
            return _comparable("", item)
        parts = tuple(_comparable(name, item.get(name)) for name in self.identity)
        if any(part is not None for part in parts):
            return parts
        # Without any identifying key (a location with neither type nor name) an item equals only its like.
        return tuple(sorted((str(name), repr(value)) for name, value in item.items() if value is not None))


def _comparable(name: str, value: Any) -> Hashable:
    if isinstance(value, str):
        return value.strip().lower() if name == "email" else value
    # Whatever a live record may hold in place of text: comparable, never an error.
    return value if value is None or isinstance(value, int | float) else repr(value)
