"""Search: many identifiers in one request (docs/kustomer.md section 8). A hint, never a proof of absence.

    values → batches → `in`, or `or` of equals → pages → hits, checked here for exact equality

The index lags behind and forgets after two years, and e-mails are matched as analysed text: what search returns is
compared on the record itself, and what it does not return may well exist. What the documentation leaves open is tried
once and remembered: whether `in` works for a field, how many values either form takes, which page size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from .abilities import Abilities
from .errors import (
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    SearchTimedOutError,
    UnexpectedAnswerError,
)
from .field_search import CONTEXTS, FieldSearch, by_value
from .identifiers import ObjectName, canonical, identifiers
from .records import Record
from .search_pages import MAX_RECORDS, PATH, SearchPages
from .session import Session
from .wire import MAX_CRITERIA, Wire

_STALE_AT_MOST = 20  # a few records of a page may have changed since they were indexed
_ATTRIBUTES: dict[tuple[ObjectName, str], str] = {
    ("customers", "email"): "customer_email",
    ("customers", "phone"): "customer_phone",
    ("customers", "externalId"): "customer_externalId",
    ("companies", "name"): "company_name",
}
# An external ID of a company is not among the searchable attributes: such a search has no result.
_NOT_SEARCHABLE = frozenset({("companies", "externalId")})


class Searcher:
    """Searches, as far as the key may."""

    def __init__(self, session: Session, base_url: str, wire: Wire, abilities: Abilities) -> None:
        self._pages = SearchPages(session, base_url, wire)
        self._wire = wire
        self._abilities = abilities
        self._fields: dict[tuple[str, str], FieldSearch] = {}

    async def search(self, object_name: ObjectName, field: str, values: Sequence[str]) -> dict[str, list[Record]]:
        """Values → the live records that hold them exactly; values without a hit are absent."""
        asked = [value for value in dict.fromkeys(values) if canonical(field, value).strip()]
        if not self._abilities.search or not asked or (object_name, field) in _NOT_SEARCHABLE:
            return {}
        if (object_name, field) not in _ATTRIBUTES:
            raise ValueError(f"{object_name} cannot be searched by {field}")
        try:
            return by_value(field, values, await self._field(object_name, field).find(asked))
        except (PermissionDeniedError, NotFoundError):
            self._abilities.note("search", False)
            return {}

    async def with_deleted(self, object_name: ObjectName, field: str, values: Sequence[str]) -> list[Record]:
        """Every record that holds one of the values, deleted ones too. See KustomerClient.search_with_deleted.

        Always by `or`: whether `in` works is not to be judged by what is deleted.
        """
        attribute = _ATTRIBUTES.get((object_name, field))
        asked = [value for value in dict.fromkeys(values) if canonical(field, value).strip()]
        found: list[Record] = []
        for start in range(0, len(asked) if attribute and self._abilities.search else 0, MAX_CRITERIA):
            part = asked[start : start + MAX_CRITERIA]
            body = {"or": [{attribute: {"equals": value}} for value in part], "includeDeleted": True}
            wanted = frozenset(canonical(field, value) for value in part)
            try:
                records, _ = await self.all_matching(object_name, body, partial(_holds, field, wanted))
            except (PermissionDeniedError, NotFoundError):
                self._abilities.note("search", False)
                break
            except (BadRequestError, UnexpectedAnswerError, SearchTimedOutError):
                continue
            found += records
        return found

    def batch(self, object_name: ObjectName, field: str) -> int:
        """How many values one search asks for at present."""
        forms = self._wire.searches(object_name, field)
        return forms.in_size if forms.in_works else min(forms.criteria, MAX_CRITERIA)

    async def all_matching(
        self, object_name: ObjectName, body: dict[str, Any], matches: Callable[[Record], bool]
    ) -> tuple[list[Record], bool]:
        """Every record of a search that really matches, as far as its pages reach; and whether that is all.

        Raises UnexpectedAnswerError if most of the first page does not match: the question was misunderstood. A search
        that timed out is asked once more, and raises SearchTimedOutError then.
        """
        try:
            return await self._all_matching(object_name, body, matches)
        except BadRequestError:
            if not self._pages.smaller():
                raise
            return await self._all_matching(object_name, body, matches)
        except SearchTimedOutError:
            return await self._all_matching(object_name, body, matches)

    async def _all_matching(
        self, object_name: ObjectName, body: dict[str, Any], matches: Callable[[Record], bool]
    ) -> tuple[list[Record], bool]:
        pages = self._pages.ask(object_name, {"queryContext": CONTEXTS[object_name], **body})
        read, found = 0, list[Record]()
        async for page in pages:
            self._pages.accepted()
            read += len(page)
            found += [record for record in page if matches(record)]
            if pages.read == 1 and read > _STALE_AT_MOST and read > 2 * len(found):
                raise UnexpectedAnswerError("search returns others than asked for", method="POST", path=PATH)
            if pages.timed_out:
                raise SearchTimedOutError("search ran out of time before it found everybody", method="POST", path=PATH)
            if read >= MAX_RECORDS:
                break
        return found, pages.complete and read < MAX_RECORDS

    def _field(self, object_name: ObjectName, field: str) -> FieldSearch:
        key = (object_name, field)
        if key not in self._fields:
            forms = partial(self._wire.searches, object_name, field)
            self._fields[key] = FieldSearch(self._pages, object_name, field, _ATTRIBUTES[key], forms)
        return self._fields[key]


def _holds(field: str, wanted: Collection[str], record: Record) -> bool:
    return not set(identifiers(record.attributes, field)).isdisjoint(wanted)
