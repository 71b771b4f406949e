"""The smallest patch that brings one record to what the warehouse says. Pure.

    desired (from mapping.wire_rows) + live record + policies → Patch(body, changes, notes)

What was not mapped is not touched: lists are the live list plus what is mapped; custom attributes are sent key by
key; the company link is added to every update by `update_item` (docs/kustomer.md section 4.4: a write that omits it
may unlink it).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kustomer_pipeline.kustomer import ObjectName, Record, identifiers
from kustomer_pipeline.mapping import FieldMapping, ListAttribute, field_type, list_attributes, nullable_fields

from .patch_lists import (
    UnpatchableError,
    identity,
    item_hash,
    list_full,
    make_room,
    merge,
    plain_items,
    writable_items,
    written_hashes,
)
from .patch_values import Change, Draft, Patch, is_nullable, present_value, same_value
from .reasons import Reason, ReasonCode
from .spec import Nulls

MAX_TAGS = 20
_NOUNS = {"customers": "customer", "companies": "company"}


@dataclass(frozen=True)
class Policies:
    """How the fields of one sync are written, by body attribute (custom attributes as `custom.<key>`)."""

    object_name: ObjectName
    nulls: Nulls
    if_empty: frozenset[str]
    value_types: Mapping[str, str]
    lists: Mapping[str, ListAttribute]
    nullable: frozenset[str]

    @classmethod
    def of(cls, object_name: ObjectName, fields: Sequence[FieldMapping], nulls: Nulls) -> Policies:
        """The policies of a sync's fields."""
        if_empty, types = set(), {}
        for mapping in fields:
            kind = field_type(object_name, mapping.field)
            path = f"custom.{kind.custom_key}" if kind.custom_key else kind.attribute
            types[path] = kind.value
            if mapping.write == "if_empty":
                if_empty.add(path)
        lists, nullable = list_attributes(object_name), frozenset(nullable_fields(object_name))
        return cls(object_name, nulls, frozenset(if_empty), types, lists, nullable)

    def clears(self, path: str) -> bool:
        """Whether a null of the warehouse empties this scalar: where that is wanted, and Kustomer takes a null."""
        return self.nulls == "clear" and is_nullable(path, self.nullable)


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
    """What differs between `desired` and `live`. `sent_lists`: what the state keeps of this row's lists.

    Raises UnpatchableError where Kustomer shows a list masked. A list that cannot take the row's items stays without
    them, with a note.
    """
    draft = Draft()
    for name, wanted in desired.items():
        if name == "custom":
            for key, value in (wanted or {}).items():
                _scalar(f"custom.{key}", value, live, policies, draft)
        elif name in policies.lists:
            _list(name, wanted, live, policies, (sent_lists or {}).get(name, ()), draft)
        else:
            _scalar(name, wanted, live, policies, draft)
    return draft.patch()


def sent_lists(
    body: Mapping[str, Any],
    policies: Policies,
    before: Mapping[str, Sequence[str]] | None = None,
    *,
    live: Record | None = None,
) -> dict[str, list[str]]:
    """What the state keeps of a row's lists once `body` is written: hashes of the items that this sync wrote.

    `body`: what is sent, the body of a patch or of a create. `before`: what was kept until now. `live`: the record
    that the patch was computed from, None for a create. An item that somebody else had put there is not ours.
    """
    kept = {name: list(hashes) for name, hashes in (before or {}).items()}
    for name, after in body.items():
        if name in policies.lists and after is not None:
            attribute = policies.lists[name]
            there = plain_items(live.attributes.get(name), attribute) if live is not None else []
            kept[name] = written_hashes(attribute, kept.get(name, ()), there, after)
    return {name: hashes for name, hashes in kept.items() if hashes}


def update_item(live: Record, body: Mapping[str, Any], *, with_rev: bool) -> dict[str, Any]:
    """An update as it is sent: the patch, for customers with the company link; `with_rev`: with the revision it was
    computed from."""
    item: dict[str, Any] = {"id": live.id, **body}
    if live.object_name == "customers":
        item.setdefault("company", live.company_id)
    if with_rev and live.rev is not None:
        item["rev"] = live.rev
    return item


def tag_patch(live: Record, *, add: str | None = None, remove: str | None = None, add_name: str | None = None) -> Patch:
    """One tag more or one less, every other tag as it is.

    `add` and `remove` are ids. `add_name`: the name of a tag whose id is not known; Kustomer takes it beside the ids.
    Raises UnpatchableError above Kustomer's 20 tags.
    """
    present = _tags(live)
    after = [tag for tag in present if tag != remove]
    after += [tag for tag in (add, add_name) if tag is not None and tag not in after]
    if after == present:
        return Patch({}, ())
    if len(after) > max(MAX_TAGS, len(present)):
        noun = _NOUNS[live.object_name]
        text = f"the {noun} has {len(present)} tags already, Kustomer takes {MAX_TAGS}: remove one of them in Kustomer"
        raise UnpatchableError(Reason(ReasonCode.TAGS_FULL, text, "tags"))
    return Patch({"tags": after}, (Change("tags", present, after),))


class Dead(Protocol):
    """What a live record refers to and Kustomer no longer has."""

    @property
    def company(self) -> bool:
        """Whether the company it is linked to is gone."""
        ...

    @property
    def tags(self) -> Collection[str]:
        """The ids of those of its tags that are gone."""
        ...


def without_dead_references(live: Record, patch: Patch, dead: Dead) -> Patch:
    """The patch as Kustomer takes it: the company that is gone becomes null, tags that are gone are left out."""
    body = dict(patch.body)
    if dead.company and live.company_id is not None and body.get("company", live.company_id) == live.company_id:
        body["company"] = None
    present = _tags(live)
    if "tags" in body:
        body["tags"] = [tag for tag in body["tags"] if tag not in dead.tags]
        if body["tags"] == present:
            del body["tags"]
    before = {"company": live.company_id, "tags": present}
    others = [change for change in patch.changes if change.field not in before]
    mended = [Change(name, before[name], body[name]) for name in before if name in body]
    return Patch(body, (*others, *mended), patch.notes)


def _tags(live: Record) -> list[str]:
    return list(dict.fromkeys(str(tag) for tag in live.attributes.get("tags") or []))


def _scalar(path: str, wanted: Any, live: Record, policies: Policies, draft: Draft) -> None:
    present = present_value(live, path)
    if path in policies.if_empty and present is not None:
        return
    # One of several, after a merge: it is there already, and writing it would take away what the others are known by.
    if path == "externalId" and wanted in identifiers(live.attributes, path):
        return
    if wanted is None:
        if present is not None and policies.clears(path):
            draft.put(path, present, None)
    elif not same_value(wanted, present, policies.value_types.get(path, "text")):
        draft.put(path, present, wanted)


def _list(
    name: str, wanted: list[Any] | None, live: Record, policies: Policies, sent: Sequence[str], draft: Draft
) -> None:
    attribute = policies.lists[name]
    if wanted is None and not (policies.nulls == "clear" and sent):
        return
    if name in policies.if_empty and plain_items(live.attributes.get(name), attribute):
        return
    present = writable_items(name, live.attributes.get(name), attribute, wanted or ())
    if wanted is None:
        after = [item for item in present if item_hash(attribute, item) not in sent]
    else:
        after = _fitting(name, wanted, present, attribute, sent, draft)
    if after != present:
        draft.put(name, present, after)


def _fitting(
    name: str, wanted: list[Any], present: list[Any], attribute: ListAttribute, sent: Sequence[str], draft: Draft
) -> list[Any]:
    """The list with the row's items in it; where it cannot hold them, with those only that it has already."""
    merged = merge(present, wanted, attribute, sent)
    if len(merged) <= attribute.max_items:
        return merged
    fitting = make_room(merged, wanted, attribute, sent)
    if fitting is not None:
        return fitting
    draft.notes.append(list_full(name, len(merged), attribute))
    there = {identity(attribute, item) for item in present}
    updated = merge(present, [item for item in wanted if identity(attribute, item) in there], attribute, sent)
    return updated if len(updated) <= attribute.max_items else present


__all__ = [
    "MAX_TAGS", "Change", "Patch", "Policies", "UnpatchableError", "create_body", "create_changes", "patch_for",
    "sent_lists", "tag_patch", "update_item", "without_dead_references",
]  # fmt: skip
