"""The inverse of what a run did to one record: its changes are taken back one at a time, the newest first. Pure.

    (field, before, after, since) of each change, oldest first + live record → Inverse(patch, outcomes)

A run may have written a record several times, and others may have written it in between. So a list goes back item by
item and change by change: what a change added goes, what it removed comes back, an item that it rewrote is put back
where it still is as the change left it; what others did stays. A scalar goes back as far as each change's `after` is
what is there. `since`, where it is given: what later runs changed of the field, which is theirs, whatever it is now.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kustomer_pipeline.kustomer import ObjectName, Record
from kustomer_pipeline.mapping import ListAttribute, UnknownFieldError, field_type, list_attributes, nullable_fields

from .patch_lists import UnpatchableError, identity, list_full, writable_items
from .patch_values import Draft, Patch, is_nullable, present_value, same_value
from .reasons import Reason, ReasonCode


class FieldOutcome(StrEnum):
    """What becomes of a field when a run is undone, provided that Kustomer takes the patch."""

    RESTORED = "restored"
    CHANGED_SINCE = "changed since"  # somebody else's change; it stays
    NOTHING = "nothing to do"  # it is as it was already
    NOT_POSSIBLE = "not possible"  # a note of the patch says why


@dataclass(frozen=True)
class Inverse:
    """What takes a record back, and the outcome of each field that the run changed."""

    patch: Patch
    outcomes: Mapping[str, FieldOutcome]


def inverse(changes: Iterable[Sequence[Any]], live: Record, *, tag_ids: Mapping[str, str] | None = None) -> Inverse:
    """What takes `live` back to before `changes`: (field, before, after) of each, in the order they were made; and
    (before, after) of each change of the field that came since and stands.

    `tag_ids`: the ids of tags by name. A tag that was new to the org was written by its name, and is found in the live
    record by its id.
    """
    lists = list_attributes(live.object_name)
    draft = Draft()
    outcomes: dict[str, FieldOutcome] = {}
    for name, chain in _by_field(changes).items():
        try:
            if name in lists:
                if name == "tags":
                    chain = [_step_with_ids(step, tag_ids) for step in chain]
                outcomes[name] = _list_back(name, chain, live, lists[name], draft)
            else:
                outcomes[name] = _scalar_back(name, chain, live, draft)
        except UnpatchableError as error:
            draft.notes.append(error.reason)
            outcomes[name] = FieldOutcome.NOT_POSSIBLE
    return Inverse(draft.patch(), outcomes)


_Link = tuple[Any, Any, Sequence[tuple[Any, Any]]]


def _by_field(changes: Iterable[Sequence[Any]]) -> dict[str, list[_Link]]:
    chains: dict[str, list[_Link]] = {}
    for name, before, after, *since in changes:
        chains.setdefault(name, []).append((before, after, since[0] if since else ()))
    return chains


def _step_with_ids(link: _Link, tag_ids: Mapping[str, str] | None) -> _Link:
    before, after, since = link
    others = [(_with_ids(earlier, tag_ids), _with_ids(later, tag_ids)) for earlier, later in since]
    return _with_ids(before, tag_ids), _with_ids(after, tag_ids), others


def _with_ids(tags: Any, tag_ids: Mapping[str, str] | None) -> Any:
    return [(tag_ids or {}).get(tag, tag) for tag in tags or ()]


def _scalar_back(name: str, chain: Sequence[_Link], live: Record, draft: Draft) -> FieldOutcome:
    present = present_value(live, name)
    value, others = _walk_back(chain, present, _value_type(live.object_name, name))
    if value is None and present is not None and not is_nullable(name, nullable_fields(live.object_name)):
        text = f"{name} was empty, and Kustomer does not let it be emptied again"
        raise UnpatchableError(Reason(ReasonCode.REFUSED_FORM, text, name))
    if value == present:
        return FieldOutcome.CHANGED_SINCE if others else FieldOutcome.NOTHING
    draft.put(name, present, value)
    return FieldOutcome.RESTORED


def _walk_back(chain: Sequence[_Link], present: Any, value_type: str) -> tuple[Any, bool]:
    """(the value before the changes, whether somebody else's value ended the walk)."""
    value = present
    for before, after, since in reversed(chain):
        before, after = _filled(before), _filled(after)
        if since:
            return value, True
        if same_value(value, after, value_type):
            value = before
        elif not same_value(value, before, value_type):
            return value, True
    return value, False


def _filled(value: Any) -> Any:
    return None if value == "" else value


def _value_type(object_name: ObjectName, name: str) -> str:
    try:
        return field_type(object_name, name).value
    except UnknownFieldError:
        return "text"  # a field that an earlier version of this project could write


def _list_back(name: str, chain: Sequence[_Link], live: Record, attribute: ListAttribute, draft: Draft) -> FieldOutcome:
    present = writable_items(name, live.attributes.get(name), attribute)
    items, others = present, False
    for before, after, since in reversed(chain):
        theirs = {key for one in since for key in _Step.of(one[0] or [], one[1] or [], attribute).touched}
        items, left = _Step.of(before or [], after or [], attribute).back(items, theirs)
        others = others or left
    if items == present:
        return FieldOutcome.CHANGED_SINCE if others else FieldOutcome.NOTHING
    if len(items) > max(attribute.max_items, len(present)):
        raise UnpatchableError(list_full(name, len(items), attribute))
    draft.put(name, present, items)
    return FieldOutcome.RESTORED


@dataclass(frozen=True)
class _Step:
    """One change of one list, told item by item: (before, after) of each item, None where it was not there."""

    attribute: ListAttribute
    before: Sequence[Any]
    pairs: tuple[tuple[Any, Any], ...]

    @classmethod
    def of(cls, before: Sequence[Any], after: Sequence[Any], attribute: ListAttribute) -> _Step:
        was = {identity(attribute, item): item for item in before}
        became = {identity(attribute, item): item for item in after}
        rewritten = [(item, became[key]) for key, item in was.items() if key in became and became[key] != item]
        removed = [item for key, item in was.items() if key not in became]
        added = [item for key, item in became.items() if key not in was]
        # Items without a value of their own are replaced as a whole: one that came stands for one that went.
        replaced = [] if attribute.by_value else list(zip(removed, added, strict=False))
        gone = [(item, None) for item in removed[len(replaced) :]]
        new = [(None, item) for item in added[len(replaced) :]]
        return cls(attribute, before, (*rewritten, *replaced, *gone, *new))

    @property
    def touched(self) -> set[Hashable]:
        """Which items it is about."""
        return {self._key(item) for pair in self.pairs for item in pair if item is not None}

    def back(self, items: Sequence[Any], theirs: Collection[Hashable] = ()) -> tuple[list[Any], bool]:
        """(the list without this change, whether somebody else changed one of its items since: `theirs`, at least)."""
        found = {self._key(item): item for item in items}
        others = False
        for before, after in self.pairs:
            if any(self._key(item) in theirs for item in (before, after) if item is not None):
                others = True
            elif after is None:
                if self._key(before) not in found:
                    found = self._put_in(found, before)
            elif before is None:
                found.pop(self._key(after), None)
            elif found.get(self._key(after)) == after:
                found = self._exchange(found, after, before)
            elif found.get(self._key(before)) != before:
                others = True
        return list(found.values()), others

    def _key(self, item: Any) -> Hashable:
        return identity(self.attribute, item)

    def _exchange(self, found: Mapping[Hashable, Any], old: Any, new: Any) -> dict[Hashable, Any]:
        """The list with `new` in the place of `old`."""
        return {self._key(item): item for item in (new if one is old or one == old else one for one in found.values())}

    def _put_in(self, found: Mapping[Hashable, Any], item: Any) -> dict[Hashable, Any]:
        """The list with an item back behind the one that it followed, as far as that is still there."""
        keys = [self._key(other) for other in self.before]
        earlier = keys[: keys.index(self._key(item))]
        place = max((index + 1 for index, key in enumerate(found) if key in earlier), default=0)
        items = [*found.values()]
        return {self._key(one): one for one in (*items[:place], item, *items[place:])}
