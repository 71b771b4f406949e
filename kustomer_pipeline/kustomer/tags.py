"""Tags and who holds them (docs/kustomer.md sections 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .answers import text
from .calls import Call
from .errors import (
    AmbiguousWriteError,
    BadRequestError,
    ConflictError,
    KustomerError,
    UnexpectedAnswerError,
)
from .paging import Pages
from .records import Record, attributes_of, data_items, is_deleted
from .retry import Kind
from .search import Searcher
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
    """Lists, creates and finds the holders of tags."""

    def __init__(self, session: Session, searcher: Searcher, base_url: str) -> None:
        self._session = session
        self._searcher = searcher
        self._base_url = base_url

    def all(self) -> list[Tag]:
        """Every tag that is not deleted."""
        pages = Pages(
            self._session,
            Call("GET", PATH, PATH, "tag.read"),
            (("deleted", "false"), ("page", "1"), ("pageSize", "100")),
            parse_tag,
            base_url=self._base_url,
            max_pages=100,
        )
        return [tag for page in pages for tag in page if not tag.deleted]

    def create(self, name: str) -> Tag:
        """A tag of that name, new or there already. A lost answer is looked up before the request is
        repeated.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                body = self._session.send(Call("POST", PATH, PATH, "tag.create", Kind.WRITE, body={"name": name}))
                if created := _created(body, name):
                    return created
                error: KustomerError = UnexpectedAnswerError(
                    "the answer does not show the tag", method="POST", path=PATH
                )
            except (AmbiguousWriteError, ConflictError) as refused:
                error = refused
            if found := named(self.all(), name):
                return found
            if attempt == _ATTEMPTS or not isinstance(error, AmbiguousWriteError):
                raise error
        raise AssertionError("the loop returns or raises")

    def holders(self, tag_id: str) -> list[Record]:
        """Every live customer that search knows to hold the tag. See KustomerClient.tag_holders.

        `in` is the operator that Kustomer's own examples show for lists, `equals` the one that comes to mind.
        """
        refused: KustomerError | None = None
        answered = False
        for operator in ("equals", "in"):
            try:
                holders = self._holders_by(operator, tag_id)
            except (BadRequestError, UnexpectedAnswerError) as error:
                refused = error
                continue
            if holders:
                return holders
            answered = True
        if refused is not None and not answered:
            raise refused
        return []

    def _holders_by(self, operator: str, tag_id: str) -> list[Record]:
        """Window after window: search shows 10,000 records at most, so the next begins where the last one
        ended.
        """
        holders: dict[str, Record] = {}
        since: str | None = None
        while True:
            body = _holders_body(tag_id, operator, since)
            records, complete = self._searcher.all_matching(
                "customers", body, lambda record: tag_id in _tag_ids(record)
            )
            holders |= {record.id: record for record in records if not record.deleted}
            if complete:
                return list(holders.values())
            since = _next_start(records, since)


def parse_tag(item: dict[str, Any]) -> Tag:
    """One tag. Raises UnexpectedAnswerError without id or name."""
    attributes = attributes_of(item)
    id, name = text(item.get("id")), text(attributes.get("name"))
    if id is None or name is None:
        raise UnexpectedAnswerError("the answer holds a tag without an id or a name")
    return Tag(id, name, is_deleted(attributes))


def named(tags: list[Tag], name: str) -> Tag | None:
    """The tag of that name; one that differs only in case if there is no other (docs/kustomer.md section
    6).
    """
    exact = next((tag for tag in tags if tag.name == name), None)
    return exact or next((tag for tag in tags if tag.name.lower() == name.lower()), None)


def _created(body: Any, name: str) -> Tag | None:
    try:
        return named([parse_tag(item) for item in data_items(body)], name)
    except UnexpectedAnswerError:
        return None


def _tag_ids(record: Record) -> list[Any]:
    tags = record.attributes.get("tags")
    return tags if isinstance(tags, list) else []


def _holders_body(tag_id: str, operator: str, since: str | None) -> dict[str, Any]:
    criteria: list[dict[str, Any]] = [{"customer_tags": {operator: [tag_id] if operator == "in" else tag_id}}]
    if since is not None:
        criteria.append({"customer_updated_at": {"gte": since}})
    return {"queryContext": "customer", "and": criteria, "sort": [{"customer_updated_at": "asc"}]}


def _next_start(records: list[Record], since: str | None) -> str:
    """The update time from which the next window goes on."""
    last = max((text(record.attributes.get("updatedAt")) or "" for record in records), default="")
    if not last or (since is not None and last <= since):
        raise UnexpectedAnswerError(
            "search ends before the last customer with this tag, and there is no time to go on from",
            method="POST",
            path="/v1/customers/search",
        )
    return last
