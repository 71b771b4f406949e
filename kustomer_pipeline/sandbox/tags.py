"""The org's tags: names in, ids out (docs/kustomer.md section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .audit import tag_state
from .errors import ApiError, bad_parameter
from .records import Record
from .validation import is_id


@dataclass(frozen=True)
class Tag:
    """One tag; times in epoch seconds."""

    id: str
    name: str
    color: str | None
    created: float
    updated: float
    created_by: str
    deleted_at: float | None = None


class TagBook:
    """Every tag, live ones found by name in any case."""

    def __init__(self, new_id: Callable[[float], str], written: Callable[[Record | None, Record], None]) -> None:
        """new_id: makes an id at a time; written: is told of each write, with the tag before and after it."""
        self.by_id: dict[str, Tag] = {}
        self._by_name: dict[str, str] = {}
        self._new_id = new_id
        self._written = written

    def find(self, name: str) -> Tag | None:
        """The live tag with this name, in any case."""
        tag_id = self._by_name.get(name.casefold())
        return self.by_id[tag_id] if tag_id else None

    def create(self, name: str, *, color: str | None, by: str, now: float) -> Tag:
        """A new tag; 409 when a live one has the same name in any case."""
        if self.find(name):
            raise ApiError(409, "conflict", "A tag with this name exists", "name")
        tag = Tag(self._new_id(now), name, color, now, now, by)
        self.by_id[tag.id] = tag
        self._by_name[name.casefold()] = tag.id
        self._written(None, tag_state(tag.id, name, color, deleted=False, by=by, now=now))
        return tag

    def delete(self, tag_id: str, *, by: str, now: float) -> None:
        """Delete it as a person does in Kustomer's settings; records keep the id."""
        tag = self.by_id[tag_id]
        before = tag_state(tag_id, tag.name, tag.color, deleted=False, by=tag.created_by, now=tag.updated)
        self._written(before, tag_state(tag_id, tag.name, tag.color, deleted=True, by=by, now=now))
        self.by_id[tag_id] = replace(tag, deleted_at=now, updated=now)
        self._by_name.pop(tag.name.casefold(), None)

    def resolve(
        self, given: Iterable[str], *, held: Iterable[str], auto_create: bool, by: str, now: float
    ) -> list[str]:
        """The ids of tags given as ids or names; an unknown name becomes a new tag, or with `auto_create` off
        a 400.

        24 hexadecimal digits are an id, which must be that of a live tag or of one that is in `held`. All is
        checked before the first tag is created.
        """
        held = set(held)
        wanted: list[str | None] = []
        names = list(given)
        for text in names:
            tag = self.by_id.get(text.lower()) if is_id(text) else self.find(text)
            if tag is not None and tag.deleted_at is not None and tag.id not in held:
                tag = None
            if tag is None and (is_id(text) or not auto_create):
                raise bad_parameter("Tag not found", "tags")
            wanted.append(tag.id if tag else None)
        ids = []
        for text, tag_id in zip(names, wanted, strict=True):
            found = tag_id or (self.find(text) or self.create(text, color=None, by=by, now=now)).id
            ids.append(found)
        return list(dict.fromkeys(ids))
