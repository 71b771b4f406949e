"""List attributes: what a record's list becomes when a row's items are put into it. Pure.

    live items (as Kustomer shows them) → items that may be written back
    live items + wanted items + what this sync wrote before → the list as it shall be

Kustomer takes a list only as a whole (docs/kustomer.md section 4.4), so everybody else's items are sent back as they
are. Where an item has a value of its own (an address, a number, a tag) that value says which item is meant. Where it
has none (a postal address) only the whole item says so: this sync replaces the item that it wrote itself, and leaves
every other one alone. For that the state keeps the hashes of the items that were written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

from kustomer_pipeline.mapping import ListAttribute

from .reasons import Reason, ReasonCode

_MASKED = re.compile(r"[*•]{3}")  # what a masked value looks like is not documented; one star may be anybody's
_HASHES_KEPT = 50  # hashes kept per list and row; a list holds 20 items at most


class UnpatchableError(Exception):
    """This row cannot be written without breaking a limit or damaging the record; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def identity(attribute: ListAttribute, item: Any) -> Hashable:
    """What makes two items of a list the same one: their own value, or all they hold."""
    return attribute.key(item) if attribute.by_value else _whole(item)


def item_hash(attribute: ListAttribute, item: Any) -> str:
    """A list item as it is kept in the state: 128 bits, never the value."""
    text = repr(identity(attribute, item))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def plain_items(items: Any, attribute: ListAttribute) -> list[Any]:
    """The items of a live list without what Kustomer does not take back (docs/kustomer.md section 4.5), each once."""
    found: dict[Hashable, Any] = {}
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            plain: Any = {key: value for key, value in item.items() if key in attribute.writable and value is not None}
        elif isinstance(item, str) and attribute.writable and len(attribute.identity) == 1:
            plain = {attribute.identity[0]: item}
        else:
            plain = item
        if plain is not None and plain != {}:
            found.setdefault(identity(attribute, plain), plain)
    return list(found.values())


def writable_items(name: str, items: Any, attribute: ListAttribute, wanted: Sequence[Any] = ()) -> list[Any]:
    """The items of a live list as they may be written back.

    Raises UnpatchableError when Kustomer masked one of them, unless the warehouse itself says the same.
    """
    plain = plain_items(items, attribute)
    known = {identity(attribute, item) for item in wanted}
    if any(_is_masked(attribute, item) and identity(attribute, item) not in known for item in plain):
        text = (
            f"Kustomer shows this record's {name} masked, so they cannot be written back: "
            "give the API key the permission to read sensitive attributes"
        )
        raise UnpatchableError(Reason(ReasonCode.MASKED, text, name))
    return plain


def merge(live: Sequence[Any], wanted: Sequence[Any], attribute: ListAttribute, written: Collection[str]) -> list[Any]:
    """The live items in their order, brought to what is wanted, then the wanted ones that are new.

    `written`: hashes of the items that this sync wrote before.
    """
    if attribute.by_value:
        return _merge_by_value(live, wanted, attribute)
    return _merge_whole(live, wanted, attribute, written)


def make_room(
    merged: Sequence[Any], wanted: Sequence[Any], attribute: ListAttribute, written: Sequence[str]
) -> list[Any] | None:
    """The list without as many items as it holds too many: those that this sync wrote and no longer wants, the oldest
    first. None if that does not make it short enough."""
    needed = {identity(attribute, item) for item in wanted}
    by_hash = {item_hash(attribute, item): item for item in merged if identity(attribute, item) not in needed}
    droppable = [digest for digest in dict.fromkeys(written) if digest in by_hash]
    surplus = len(merged) - attribute.max_items
    if len(droppable) < surplus:
        return None
    dropped = set(droppable[:surplus])
    return [item for item in merged if item_hash(attribute, item) not in dropped]


def written_hashes(
    attribute: ListAttribute, before: Sequence[str], live: Sequence[Any], after: Sequence[Any]
) -> list[str]:
    """Which items of the list `after` are this sync's own, oldest first: those it wrote before and those that the list
    `live` did not have."""
    there = {item_hash(attribute, item) for item in live}
    hashes = list(dict.fromkeys(item_hash(attribute, item) for item in after))
    own = [digest for digest in dict.fromkeys(before) if digest in hashes]
    return [*own, *(digest for digest in hashes if digest not in there and digest not in own)][-_HASHES_KEPT:]


def list_full(name: str, count: int, attribute: ListAttribute) -> Reason:
    """Why a list stays without a row's items."""
    text = (
        f"{name} would hold {count} entries, Kustomer takes {attribute.max_items}, so the new ones were left out: "
        "remove one of this record's in Kustomer"
    )
    return Reason(ReasonCode.LIST_FULL, text, name)


def _is_masked(attribute: ListAttribute, item: Any) -> bool:
    if not isinstance(item, Mapping):
        return False
    values = [item.get(key) for key in attribute.identity] if attribute.by_value else item.values()
    return any(isinstance(value, str) and _MASKED.search(value) is not None for value in values)


def _whole(item: Any) -> Hashable:
    """A text that is the same for items that hold the same; an absent key is like a null, 7 is like 7.0."""
    if not isinstance(item, Mapping):
        return json.dumps(item, sort_keys=True, ensure_ascii=False, default=str)
    held = {key: _number(value) for key, value in item.items() if value is not None}
    return json.dumps(held, sort_keys=True, ensure_ascii=False, default=str)


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _merge_by_value(live: Sequence[Any], wanted: Iterable[Any], attribute: ListAttribute) -> list[Any]:
    merged = {attribute.key(item): item for item in live}
    for item in wanted:
        present = merged.setdefault(attribute.key(item), item)
        if isinstance(item, Mapping) and isinstance(present, Mapping):
            # The value itself stays in the form in which Kustomer has it.
            further = {name: value for name, value in item.items() if name not in attribute.identity}
            merged[attribute.key(item)] = {**present, **further}
    return list(merged.values())


def _merge_whole(
    live: Sequence[Any], wanted: Sequence[Any], attribute: ListAttribute, written: Collection[str]
) -> list[Any]:
    """An item that this sync wrote gives its place to the new one: the one of the same type and name first, else the
    first one that is no longer wanted. An item of somebody else's that says all the new one says makes it needless."""
    wanted = list({_whole(item): item for item in wanted}.values())
    known = {_whole(item) for item in wanted}
    objects = [item for item in live if isinstance(item, Mapping)]
    own = [item for item in objects if item_hash(attribute, item) in written]
    others = [item for item in objects if item not in own]
    outdated = [item for item in own if _whole(item) not in known]
    merged: list[Any] = list(live)
    unplaced = []
    for item in wanted:
        if item in own:
            continue
        former = next((old for old in outdated if _label(attribute, old) == _label(attribute, item)), None)
        needless = any(item.items() <= other.items() for other in others)
        if former is not None:
            outdated.remove(former)
            merged[merged.index(former)] = None if needless else item
        elif not needless:
            unplaced.append(item)
    for item in unplaced:
        if outdated:
            merged[merged.index(outdated.pop(0))] = item
        else:
            merged.append(item)
    return [item for item in merged if item is not None]


def _label(attribute: ListAttribute, item: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(item.get(name) for name in attribute.identity)
