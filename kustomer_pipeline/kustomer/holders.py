"""Who holds a tag (docs/kustomer.md sections 6 and 8): by search, or through the list of all where the key
may not search.

tag id → search by tag, window after window → the live records that really hold it
"""

from __future__ import annotations

from typing import Any, Final

from .abilities import Abilities
from .answers import text
from .errors import (
    BadRequestError,
    KustomerError,
    PermissionDeniedError,
    SearchTimedOutError,
    UnexpectedAnswerError,
)
from .identifiers import ObjectName
from .lists import Lists
from .records import Record
from .search import Searcher

_PREFIXES: Final[dict[ObjectName, str]] = {"customers": "customer", "companies": "company"}


class TagHolders:
    """Finds the holders of tags."""

    def __init__(self, searcher: Searcher, lists: Lists, abilities: Abilities) -> None:
        self._searcher = searcher
        self._lists = lists
        self._abilities = abilities

    async def find(self, object_name: ObjectName, tag_id: str) -> list[Record]:
        """Every live holder that can be known. See KustomerClient.tag_holders."""
        if self._abilities.search:
            try:
                return await self._by_search(object_name, tag_id)
            except (PermissionDeniedError, SearchTimedOutError):
                pass  # it may not be used, or does not know everybody: the list does it
        walk, _ = await self._lists.walk(object_name, None, None, None, keep=lambda record: holds(record, tag_id))
        if not walk.complete:
            raise UnexpectedAnswerError(
                f"the list of {object_name} could not be read to its end, so not all holders of the tag are known",
                method="GET",
                path=f"/v1/{object_name}",
            )
        return walk.records

    async def _by_search(self, object_name: ObjectName, tag_id: str) -> list[Record]:
        """`in` is the operator that Kustomer's own examples show for lists, `equals` the one that comes to mind."""
        refused: KustomerError | None = None
        answered = False
        for operator in ("equals", "in"):
            try:
                holders = await self._by_operator(object_name, operator, tag_id)
            except SearchTimedOutError:
                raise  # who has been found is not everybody, whatever the other operator finds
            except (BadRequestError, UnexpectedAnswerError) as error:
                refused = error
                continue
            if holders:
                return holders
            answered = True
        if refused is not None and not answered:
            raise refused
        return []

    async def _by_operator(self, object_name: ObjectName, operator: str, tag_id: str) -> list[Record]:
        """Search shows 10,000 records at most, so the next window begins where the last one ended."""
        holders: dict[str, Record] = {}
        since: str | None = None
        while True:
            body = _body(object_name, operator, tag_id, since)
            records, complete = await self._searcher.all_matching(
                object_name, body, lambda record: holds(record, tag_id)
            )
            holders |= {record.id: record for record in records if not record.deleted}
            if complete:
                return list(holders.values())
            since = _next_start(records, since)


def holds(record: Record, tag_id: str) -> bool:
    """Whether the record itself says that it has the tag."""
    tags = record.attributes.get("tags")
    return isinstance(tags, list) and tag_id in tags


def _body(object_name: ObjectName, operator: str, tag_id: str, since: str | None) -> dict[str, Any]:
    prefix = _PREFIXES[object_name]
    updated_at = f"{prefix}_updated_at"
    criteria: list[dict[str, Any]] = [{f"{prefix}_tags": {operator: [tag_id] if operator == "in" else tag_id}}]
    if since is not None:
        criteria.append({updated_at: {"gte": since}})
    return {"and": criteria, "sort": [{updated_at: "asc"}]}


def _next_start(records: list[Record], since: str | None) -> str:
    """The update time from which the next window goes on."""
    last = max((text(record.attributes.get("updatedAt")) or "" for record in records), default="")
    if not last or (since is not None and last <= since):
        raise UnexpectedAnswerError(
            "search ends before the last record with this tag, and there is no time to go on from",
            method="POST",
            path="/v1/customers/search",
        )
    return last
