"""POST /v1/customers/search: queries over the search index (docs/kustomer.md section 8).

`and`: every criterion holds; `or`: at least one holds, if there are any; `not`: none holds. A criterion on
the other kind of object is followed along the company link: customers of the companies that match, companies
of the customers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .criteria import Criterion, SearchOptions, merged, parsed, predicate, refuse_too_many
from .errors import ApiError, bad_parameter
from .records import Json, Record
from .search_attributes import Attribute, attribute
from .search_index import SearchIndex
from .store import Store
from .validation import Schema, validate

MAX_PAGE_SIZE = 500
MAX_PAGES = 100
MAX_RECORDS = 10_000

_CONTEXT = r"^(company|customer|message|conversation|conversation_time|note|kobject|kobject_.*|work_session|work_item)$"
_OBJECTS: Schema = {"type": ("array", "object"), "items": {"type": "object"}, "uniqueItems": True}
_BODY: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "queryContext": {"type": "string", "pattern": _CONTEXT},
        "and": _OBJECTS,
        "or": _OBJECTS,
        "not": _OBJECTS,
        "sort": {**_OBJECTS, "maxItems": 5},
        "timeZone": {"type": "string"},
        "includeDeleted": {"type": "boolean"},
        "fields": {"type": "array", "items": {"type": "object"}, "maxItems": 20, "uniqueItems": True},
        "aggs": {"type": "object"},
        "searchHash": {"type": "string"},
    },
}


class Search:
    """The index of both kinds of records, and the queries over it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._indexes = {"customer": SearchIndex("customer"), "company": SearchIndex("company")}

    def run(self, body: Json, now: float, options: SearchOptions) -> list[Record]:
        """All records that match, sorted; the paging is the caller's. Raises the 400 of a query that is not
        one.
        """
        self._catch_up(now - options.lag)
        validate(body, _BODY)
        context = body.get("queryContext", "customer")
        refuse_too_many(body, options)
        query = _Query(self._indexes, now, options, includes_deleted=bool(body.get("includeDeleted")))
        clauses = {part: parsed(body.get(part, []), options) for part in ("and", "or", "not")}
        if context not in self._indexes:
            return []
        found = query.select(context, clauses)
        return _sorted(found, context, body.get("sort", []))

    def _catch_up(self, until: float) -> None:
        changes = self._store.changes
        while changes and changes[0].at <= until:
            record = changes.popleft()
            self._indexes[record.kind].put(record)


@dataclass(frozen=True)
class _Query:
    indexes: dict[str, SearchIndex]
    now: float
    options: SearchOptions
    includes_deleted: bool

    def select(self, context: str, clauses: dict[str, list[Criterion]]) -> list[Record]:
        candidates: Iterable[str] = self.indexes[context].records
        ids: dict[str, None] | None = None
        for criterion in clauses["and"]:
            found = self._matching(context, criterion, candidates if ids is None else ids)
            ids = found if ids is None else {i: None for i in ids if i in found}
        if clauses["or"]:
            union: dict[str, None] = {}
            for criterion in merged(clauses["or"]):
                union.update(self._matching(context, criterion, candidates))
            ids = union if ids is None else {i: None for i in ids if i in union}
        remaining: Iterable[str] = candidates if ids is None else ids
        for criterion in clauses["not"]:
            excluded = self._matching(context, criterion, remaining)
            remaining = {i: None for i in remaining if i not in excluded}
        return self.indexes[context].visible(
            remaining, self.now, archived=self.options.archived, deleted=self.includes_deleted
        )

    def _matching(self, context: str, criterion: Criterion, candidates: Iterable[str]) -> dict[str, None]:
        if criterion.kind == context:
            return self._own(criterion, candidates)
        if criterion.kind not in self.indexes:
            return {}  # no conversation, message or the like is here that could fulfil it
        others = self._own(criterion, self.indexes[criterion.kind].records)
        if context == "customer":
            lists = [self.indexes["customer"].equal("companyId", company, analysed=False) or () for company in others]
            return {customer: None for found in lists for customer in found}
        customers = self.indexes["customer"].records
        return {company: None for customer in others if (company := customers[customer].company)}

    def _own(self, criterion: Criterion, candidates: Iterable[str]) -> dict[str, None]:
        index = self.indexes[criterion.kind]
        if criterion.operator in ("equals", "in"):
            values = criterion.value if criterion.operator == "in" else [criterion.value]
            lists = [index.equal(criterion.name, value, analysed=self.options.analysed) for value in values]
            if len(lists) == 1 and isinstance(lists[0], dict):
                return lists[0]
            if all(found is not None for found in lists):
                return {record_id: None for found in lists for record_id in found or ()}
        matches = predicate(criterion, analysed=self.options.analysed)
        return {i: None for i in candidates if matches(list(criterion.attribute.values(index.records[i])))}


def _sorted(records: list[Record], context: str, sort: Any) -> list[Record]:
    orders = [order for item in (sort if isinstance(sort, list) else [sort]) for order in item.items()]
    for full_name, direction in reversed(orders):
        kind, _, name = full_name.partition("_")
        found = attribute(context, name) if kind == context else None
        if found is None or direction not in ("asc", "desc"):
            raise bad_parameter("Invalid sort", "sort", full_name)
        records = _sorted_by(records, found, descending=direction == "desc")
    return records


def _sorted_by(records: list[Record], found: Attribute, *, descending: bool) -> list[Record]:
    keyed: list[tuple[Any, Record]] = [(next(iter(found.values(record)), None), record) for record in records]
    present = [pair for pair in keyed if pair[0] is not None]
    present.sort(key=lambda pair: pair[0], reverse=descending)
    return [record for _, record in present] + [record for value, record in keyed if value is None]


def check_page(page: int, page_size: int, max_records: int) -> None:
    """Raise the 400 of a page that search does not go to: above 100, or above the first records."""
    if page > MAX_PAGES or (page - 1) * page_size >= max_records:
        raise ApiError(400, "badparam", "Page out of range", "page")
