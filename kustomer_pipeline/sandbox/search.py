"""POST /v1/customers/search: queries over the search index (docs/kustomer.md section 8).

`and`: every criterion holds; `or`: at least one holds, if there are any; `not`: none holds. A criterion on
the other kind of object is followed along the company link: customers of the companies that match, companies
of the customers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from .errors import ApiError, bad_parameter
from .records import Json, Record
from .search_index import ARCHIVE_ATTRIBUTES, Attribute, SearchIndex, attribute, words
from .store import Store
from .times import iso, parse_date_time
from .validation import Schema, validate

MAX_PAGE_SIZE = 500
MAX_PAGES = 100
MAX_RECORDS = 10_000

_CONTEXTS = {"customer", "company", "conversation", "message", "note", "kobject"}
_OPERATORS = ("equals", "in", "contains", "gte", "gt", "lte", "lt", "not_set")
_CRITERIA: Schema = {"type": "array", "items": {"type": "object"}}
_BODY: Schema = {
    "type": "object",
    "required": ("queryContext",),
    "additionalProperties": False,
    "properties": {
        "queryContext": {"type": "string"},
        "and": _CRITERIA,
        "or": _CRITERIA,
        "not": {"type": ("array", "object")},
        "sort": {"type": ("array", "object")},
        "timeZone": {"type": "string"},
        "includeDeleted": {"type": "boolean"},
        "fields": {"type": "array"},
        "aggs": {"type": "object"},
        "searchHash": {"type": "string"},
    },
}


@dataclass(frozen=True)
class SearchOptions:
    """How search behaves where Kustomer's documentation leaves a choice; each is a fault in fault_names."""

    lag: float = 0.0
    analysed: bool = True
    archived: bool = False
    in_refused: bool = False
    in_ignored: bool = False
    or_limit: int | None = None


@dataclass(frozen=True)
class _Criterion:
    kind: str
    name: str
    attribute: Attribute
    operator: str
    value: Any


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
        context = body["queryContext"]
        if context not in _CONTEXTS and not str(context).startswith("kobject_"):
            raise bad_parameter("Not one of the allowed values", "queryContext")
        query = _Query(self._indexes, now, options, includes_deleted=bool(body.get("includeDeleted")))
        clauses = {part: _parsed(body.get(part, []), options) for part in ("and", "or", "not")}
        if options.or_limit is not None and len(clauses["or"]) > options.or_limit:
            raise bad_parameter("Too many clauses", "or")
        if context not in self._indexes:
            return []
        found = query.select(context, clauses)
        return _sorted(found, context, body.get("sort", []))

    def _catch_up(self, until: float) -> None:
        changes = self._store.changes
        while changes and changes[0].at <= until:
            record = changes.popleft()
            self._indexes[record.kind].put(record)


def _parsed(given: Any, options: SearchOptions) -> list[_Criterion]:
    criteria = []
    for item in given if isinstance(given, list) else [given]:
        if not isinstance(item, dict):
            raise bad_parameter("Invalid type", "body")
        for full_name, test in item.items():
            parsed = _criterion(full_name, test, options)
            if parsed.operator == "in" and options.in_ignored:
                continue
            criteria.append(parsed)
    return criteria


def _criterion(full_name: str, test: Any, options: SearchOptions) -> _Criterion:
    kind, _, name = full_name.partition("_")
    found = attribute(kind, name) if kind in ("customer", "company") else None
    if found is None or (options.archived and name not in ARCHIVE_ATTRIBUTES):
        raise bad_parameter("Unknown search attribute", full_name)
    if not isinstance(test, dict) or len(test) != 1:
        raise bad_parameter("A criterion is an object with one operator", full_name)
    operator, value = next(iter(test.items()))
    if operator not in _OPERATORS or (operator == "in" and options.in_refused):
        raise bad_parameter("Unknown operator", full_name, operator)
    _check_value(full_name, found, operator, value)
    return _Criterion(kind, name, found, operator, value)


def _check_value(full_name: str, found: Attribute, operator: str, value: Any) -> None:
    if operator == "not_set":
        return
    if operator == "in" and not isinstance(value, list):
        raise bad_parameter("The operator in takes an array", full_name)
    for item in value if operator == "in" else [value]:
        fine = isinstance(item, str)
        if found.type == "boolean":
            fine = isinstance(item, bool)
        elif found.type == "number":
            fine = isinstance(item, int | float) and not isinstance(item, bool)
        elif found.type == "datetime":
            fine = isinstance(item, str) and parse_date_time(item) is not None
        if not fine:
            raise bad_parameter("Invalid type", full_name)


@dataclass(frozen=True)
class _Query:
    indexes: dict[str, SearchIndex]
    now: float
    options: SearchOptions
    includes_deleted: bool

    def select(self, context: str, clauses: dict[str, list[_Criterion]]) -> list[Record]:
        candidates: Iterable[str] = self.indexes[context].records
        ids: dict[str, None] | None = None
        for criterion in clauses["and"]:
            found = self._matching(context, criterion, candidates if ids is None else ids)
            ids = dict.fromkeys(found) if ids is None else {i: None for i in ids if i in found}
        if clauses["or"]:
            union: dict[str, None] = {}
            for criterion in _merged(clauses["or"]):
                union.update(dict.fromkeys(self._matching(context, criterion, candidates)))
            ids = union if ids is None else {i: None for i in ids if i in union}
        remaining = dict.fromkeys(candidates) if ids is None else ids
        for criterion in clauses["not"]:
            excluded = set(self._matching(context, criterion, remaining))
            remaining = {i: None for i in remaining if i not in excluded}
        return [record for record_id in remaining if (record := self._visible(context, record_id))]

    def _visible(self, context: str, record_id: str) -> Record | None:
        archived = self.options.archived
        return self.indexes[context].visible(record_id, self.now, archived=archived, deleted=self.includes_deleted)

    def _matching(self, context: str, criterion: _Criterion, candidates: Iterable[str]) -> dict[str, None]:
        if criterion.kind == context:
            return self._own(criterion, candidates)
        others = self._own(criterion, self.indexes[criterion.kind].records)
        if context == "customer":
            lists = [self.indexes["customer"].equal("companyId", company, analysed=False) or () for company in others]
            return {customer: None for found in lists for customer in found}
        customers = self.indexes["customer"].records
        return {company: None for customer in others if (company := customers[customer].company)}

    def _own(self, criterion: _Criterion, candidates: Iterable[str]) -> dict[str, None]:
        index = self.indexes[criterion.kind]
        if criterion.operator in ("equals", "in"):
            values = criterion.value if criterion.operator == "in" else [criterion.value]
            lists = [index.equal(criterion.name, value, analysed=self.options.analysed) for value in values]
            if all(found is not None for found in lists):
                return {record_id: None for found in lists for record_id in found or ()}
        matches = _predicate(criterion, analysed=self.options.analysed)
        return {i: None for i in candidates if matches(list(criterion.attribute.values(index.records[i])))}


def _merged(criteria: list[_Criterion]) -> list[_Criterion]:
    """Alternatives on one attribute as one criterion, so that hundreds of them cost one pass over the
    records.
    """
    merged: dict[tuple[str, str], _Criterion] = {}
    others = []
    for criterion in criteria:
        if criterion.operator not in ("equals", "in"):
            others.append(criterion)
            continue
        key = (criterion.kind, criterion.name)
        values = criterion.value if criterion.operator == "in" else [criterion.value]
        if key in merged:
            merged[key].value.extend(values)
        else:
            merged[key] = replace(criterion, operator="in", value=list(values))
    return [*merged.values(), *others]


def _predicate(criterion: _Criterion, *, analysed: bool) -> Callable[[list[Any]], bool]:
    operator, value, kind = criterion.operator, criterion.value, criterion.attribute.type
    if operator == "not_set":
        return lambda values: not values
    if operator == "contains":
        return lambda values: any(str(value).lower() in str(found).lower() for found in values)
    if operator in ("equals", "in"):
        wanted = {_comparable(item, kind) for item in (value if operator == "in" else [value])}
        if kind == "string" and analysed:
            sets = [set(words(str(item))) for item in wanted]
            return lambda values: any(some <= set(words(str(found))) for some in sets for found in values)
        return lambda values: any(_comparable(found, kind) in wanted for found in values)
    compare = _COMPARISONS[operator]
    limit = _comparable(value, kind)
    return lambda values: any(compare(_comparable(found, kind), limit) for found in values)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gte": lambda found, limit: found >= limit,
    "gt": lambda found, limit: found > limit,
    "lte": lambda found, limit: found <= limit,
    "lt": lambda found, limit: found < limit,
}


def _comparable(value: Any, kind: str) -> Any:
    if kind == "datetime" and isinstance(value, str):
        moment = parse_date_time(value)
        return value if moment is None else iso(moment)
    return value.lower() if kind == "string" and isinstance(value, str) else value


def _sorted(records: list[Record], context: str, sort: Any) -> list[Record]:
    for item in reversed(sort if isinstance(sort, list) else [sort]):
        if not isinstance(item, dict) or len(item) != 1:
            raise bad_parameter("Invalid sort", "sort")
        full_name, direction = next(iter(item.items()))
        kind, _, name = str(full_name).partition("_")
        found = attribute(context, name) if kind == context else None
        if found is None or direction not in ("asc", "desc"):
            raise bad_parameter("Invalid sort", "sort", str(full_name))
        records = _sorted_by(records, found, descending=direction == "desc")
    return records


def _sorted_by(records: list[Record], found: Attribute, *, descending: bool) -> list[Record]:
    keyed: list[tuple[Any, Record]] = [(next(iter(found.values(record)), None), record) for record in records]
    present = [pair for pair in keyed if pair[0] is not None]
    present.sort(key=lambda pair: pair[0], reverse=descending)
    return [record for _, record in present] + [record for value, record in keyed if value is None]


def check_page(page: int, page_size: int) -> None:
    """Raise the 400 of a page that search does not go to: above 100, or above the first 10,000 records."""
    if page > MAX_PAGES or (page - 1) * page_size >= MAX_RECORDS:
        raise ApiError(400, "badparam", "Page out of range", "page")
