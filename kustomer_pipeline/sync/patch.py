"""The smallest patch that brings one record to what the warehouse says. Pure.

    desired (from mapping.wire_rows) + live record + policies → Patch(body, changes)

Law 4, what was not mapped is not touched: lists are the live list plus what is mapped; custom attributes are sent
key by key; the company link is added to every update by `update_item` (docs/kustomer.md section 4.4: a write that
omits it may unlink it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kustomer_pipeline.kustomer import Record
from kustomer_pipeline.mapping import FieldMapping, ListAttribute, field_type, list_attributes

from .remembered import value_hash
from .spec import Nulls, Object

MAX_TAGS = 20
_MASKED = re.compile(r"[*•]{3}")  # what a masked value looks like is not documented; one star may be anybody's
_SENT_KEPT = 50  # hashes kept per list and row; a list holds 20 items at most
_NEVER_NULL = {"createdAt", "importedAt"}  # facts about a record, which Kustomer does not take back


@dataclass(frozen=True)
class Change:
    """One field, before → after, named as in the YAML file where it is a scalar, as in Kustomer where it is a list."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Patch:
    """What to send, and the same told field by field. Nothing to send: `body` is empty."""

    body: dict[str, Any]
    changes: tuple[Change, ...]


class UnpatchableError(Exception):
    """This row cannot be written without breaking a limit or damaging the record; the message is its reason."""


@dataclass(frozen=True)
class Policies:
    """How the fields of one sync are written, by body attribute (custom attributes as `custom.<key>`)."""

    object: Object
    nulls: Nulls
    if_empty: frozenset[str]
    value_types: Mapping[str, str]
    lists: Mapping[str, ListAttribute]

    @classmethod
    def of(cls, object: Object, fields: Sequence[FieldMapping], nulls: Nulls) -> Policies:
        """The policies of a sync's fields."""
        if_empty, types = set(), {}
        for mapping in fields:
            type_ = field_type(object, mapping.field)
            path = f"custom.{type_.custom_key}" if type_.custom_key else type_.attribute
            types[path] = type_.value
            if mapping.write == "if_empty":
                if_empty.add(path)
        return cls(object, nulls, frozenset(if_empty), types, list_attributes(object))


def create_body(desired: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a new record: everything that is not null."""
    body = {name: value for name, value in desired.items() if value is not None and name != "custom"}
    custom = {key: value for key, value in (desired.get("custom") or {}).items() if value is not None}
    return {**body, "custom": custom} if custom else body


def create_changes(body: Mapping[str, Any]) -> tuple[Change, ...]:
    """A new record told field by field."""
    flat = {name: value for name, value in body.items() if name != "custom"}
    flat |= {f"custom.{key}": value for key, value in body.get("custom", {}).items()}
    return tuple(Change(name, None, value) for name, value in flat.items())


def patch_for(
    desired: Mapping[str, Any],
    live: Record,
    policies: Policies,
    *,
    sent_lists: Mapping[str, Sequence[str]] | None = None,
) -> Patch:
    """What differs between `desired` and `live`. Raises UnpatchableError."""
    body: dict[str, Any] = {}
    changes: list[Change] = []

    def put(path: str, before: Any, after: Any) -> None:
        changes.append(Change(path, before, after))
        if path.startswith("custom."):
            body.setdefault("custom", {})[path.removeprefix("custom.")] = after
        else:
            body[path] = after

    for name, wanted in desired.items():
        if name == "custom":
            present = live.attributes.get("custom") or {}
            for key, value in wanted.items():
                _scalar(f"custom.{key}", value, present.get(key), policies, put)
        elif name == "company":
            _scalar("company", wanted, live.company_id, policies, put)
        elif name in policies.lists:
            _list(name, wanted, live.attributes.get(name) or [], policies, (sent_lists or {}).get(name, ()), put)
        else:
            _scalar(name, wanted, live.attributes.get(name), policies, put)
    return Patch(body, tuple(changes))


def _scalar(path: str, wanted: Any, present: Any, policies: Policies, put: Any) -> None:
    empty = present is None or present == ""
    if path in policies.if_empty and not empty:
        return
    if wanted is None:
        if policies.nulls == "clear" and not empty and path not in _NEVER_NULL:
            put(path, present, None)
        return
    if not _same(wanted, present, policies.value_types.get(path, "text")):
        put(path, None if empty else present, wanted)


def _same(wanted: Any, present: Any, value_type: str) -> bool:
    if isinstance(wanted, bool) or isinstance(present, bool):
        return wanted is present
    if value_type == "datetime" and isinstance(wanted, str) and isinstance(present, str):
        first, second = _instant(wanted), _instant(present)
        return first is not None and first == second
    return bool(wanted == present)


def _instant(text: str) -> datetime | None:
    """An ISO-8601 text as an instant, to the millisecond (what Kustomer keeps), None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _list(
    name: str, wanted: list[Any] | None, present: list[Any], policies: Policies, sent: Sequence[str], put: Any
) -> None:
    attribute = policies.lists[name]
    if name in policies.if_empty and present:
        return
    if wanted is None and not (policies.nulls == "clear" and sent):
        return
    live = writable_items(name, present, attribute, wanted or ())
    if wanted is None:
        kept = [item for item in live if item_hash(attribute, item) not in set(sent)]
        if kept != live:
            put(name, live, kept)
        return
    merged = merge_items(live, wanted, attribute)
    if merged == live:
        return
    if len(merged) > attribute.max_items:
        raise UnpatchableError(
            f"{name} would hold {len(merged)} entries, Kustomer takes {attribute.max_items}: "
            "remove one of this record's in Kustomer"
        )
    put(name, live, merged)


def writable_items(name: str, items: Sequence[Any], attribute: ListAttribute, wanted: Sequence[Any] = ()) -> list[Any]:
    """List items as they may be written back. Raises UnpatchableError when Kustomer masked them (and not when they are
    what the warehouse itself says)."""
    known = {attribute.key(item) for item in wanted}
    stripped: list[Any] = []
    for item in items:
        if not attribute.identity:
            stripped.append(item)
            continue
        kept = {key: value for key, value in item.items() if key in attribute.writable and value is not None}
        values = [kept.get(key) for key in attribute.identity]
        masked = any(isinstance(value, str) and _MASKED.search(value) for value in values)
        if masked and attribute.key(kept) not in known:
            raise UnpatchableError(
                f"Kustomer shows this record's {name} masked, so they cannot be written back: "
                "give the API key the permission to read sensitive attributes"
            )
        stripped.append(kept)
    return stripped


def merge_items(live: Sequence[Any], wanted: Sequence[Any], attribute: ListAttribute) -> list[Any]:
    """The live items in their order, updated by wanted ones of the same identity, then the wanted ones that are new."""
    merged = list(live)
    places = {attribute.key(item): index for index, item in enumerate(merged)}
    for item in wanted:
        key = attribute.key(item)
        if key not in places:
            places[key] = len(merged)
            merged.append(item)
        elif attribute.identity:
            present = merged[places[key]]
            extra = {name: value for name, value in item.items() if name not in attribute.identity}
            if any(present.get(name) != value for name, value in extra.items()):
                merged[places[key]] = {**present, **extra}
    return merged


def item_hash(attribute: ListAttribute, item: Any) -> str:
    """A list item as it is kept in the state."""
    return value_hash(repr(attribute.key(item)))


def sent_lists(
    desired: Mapping[str, Any], policies: Policies, before: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[str]]:
    """What the state keeps of the lists of a row, so that `nulls: clear` removes only what this sync ever sent."""
    if policies.nulls != "clear":
        return {}
    found: dict[str, list[str]] = {}
    for name, items in desired.items():
        if name in policies.lists and items:
            hashes = [item_hash(policies.lists[name], item) for item in items]
            found[name] = list(dict.fromkeys([*(before or {}).get(name, ()), *hashes]))[-_SENT_KEPT:]
    return found


def update_item(live: Record, body: Mapping[str, Any], *, with_rev: bool) -> dict[str, Any]:
    """An update as it is sent: the patch, for customers with the company link and the revision it was read at."""
    item: dict[str, Any] = {"id": live.id, **body}
    if live.object == "customers":
        item.setdefault("company", live.company_id)
        if with_rev and live.rev is not None:
            item["rev"] = live.rev
    return item


def tag_patch(live: Record, *, add: str | None = None, remove: str | None = None) -> Patch:
    """One tag more or one less, every other tag as it is. Raises UnpatchableError above Kustomer's 20 tags."""
    present = [str(tag) for tag in live.attributes.get("tags") or []]
    after = [tag for tag in present if tag != remove]
    if add is not None and add not in after:
        after.append(add)
    if after == present:
        return Patch({}, ())
    if len(after) > max(MAX_TAGS, len(present)):
        raise UnpatchableError(f"the customer has {len(present)} tags already, Kustomer takes {MAX_TAGS}")
    return Patch({"tags": after}, (Change("tags", present, after),))
