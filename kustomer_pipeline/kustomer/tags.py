"""The tags of an org (docs/kustomer.md section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .answers import text
from .calls import Call
from .errors import AmbiguousWriteError, ConflictError, KustomerError, UnexpectedAnswerError
from .paging import Pages
from .records import attributes_of, data_items, is_deleted
from .retry import Kind
from .session import Session

PATH = "/v1/tags"
_ATTEMPTS = 2


@dataclass(frozen=True)
class Tag:
    """A tag: records hold its id, people know its name."""

    id: str
    name: str
    deleted: bool


class Tags:
    """Lists and creates tags."""

    def __init__(self, session: Session, base_url: str) -> None:
        self._session = session
        self._base_url = base_url

    async def all(self) -> list[Tag]:
        """Every tag that is not deleted."""
        pages = Pages(
            self._session,
            Call("GET", PATH, PATH, "tag.read"),
            (("deleted", "false"), ("page", "1"), ("pageSize", "100")),
            parse_tag,
            base_url=self._base_url,
            max_pages=1_000,
        )
        found = [tag async for page in pages for tag in page if not tag.deleted]
        if not pages.complete:  # a tag that is not among them would be taken for missing, and made a second time
            raise UnexpectedAnswerError("the list of tags could not be read to its end", method="GET", path=PATH)
        return found

    async def create(self, name: str) -> Tag:
        """A tag of that name, new or there already. A lost answer is looked up before the request is repeated."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                body = await self._session.send(Call("POST", PATH, PATH, "tag.create", Kind.WRITE, body={"name": name}))
                if created := _created(body, name):
                    return created
                error: KustomerError = UnexpectedAnswerError(
                    "the answer does not show the tag", method="POST", path=PATH
                )
            except (AmbiguousWriteError, ConflictError) as refused:
                error = refused
            if found := named(await self.all(), name):
                return found
            if attempt == _ATTEMPTS or not isinstance(error, AmbiguousWriteError):
                raise error
        raise AssertionError("the loop returns or raises")


def parse_tag(item: dict[str, Any]) -> Tag:
    """One tag. Raises UnexpectedAnswerError without id or name."""
    attributes = attributes_of(item)
    tag_id, name = text(item.get("id")), text(attributes.get("name"))
    if tag_id is None or name is None:
        raise UnexpectedAnswerError("the answer holds a tag without an id or a name")
    return Tag(tag_id, name, is_deleted(attributes))


def named(tags: list[Tag], name: str) -> Tag | None:
    """The tag of that name; one that differs only in case if there is no other (docs/kustomer.md section 6)."""
    exact = next((tag for tag in tags if tag.name == name), None)
    return exact or next((tag for tag in tags if tag.name.lower() == name.lower()), None)


def _created(body: Any, name: str) -> Tag | None:
    try:
        return named([parse_tag(item) for item in data_items(body)], name)
    except UnexpectedAnswerError:
        return None
