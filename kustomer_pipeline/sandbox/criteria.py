"""The criteria of a search: parsed out of a body, refused when they are none, applied to values (section 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .errors import bad_parameter
from .records import Json
from .search_attributes import ARCHIVE_ATTRIBUTES, Attribute, attribute, other_kind
from .search_index import words
from .times import iso, parse_date

MAX_ITEMS = 20
_OPERATORS = ("equals", "in", "contains", "gte", "gt", "lte", "lt", "not_set")
_OF_NO_OBJECT = Attribute("any", lambda record: ())


@dataclass(frozen=True)
class SearchOptions:
    """How search behaves where Kustomer's documentation leaves a choice; each is a fault in fault_names."""

    lag: float = 0.0
    analysed: bool = True
    archived: bool = False
    in_refused: bool = False
    in_ignored: bool = False
    or_limit: int | None = None
    item_limit: int | None = MAX_ITEMS
    """So many items in the array of `and`, of `or` and of `not`. One object may hold any number of attributes."""
    criteria_limit: int | None = None
    """In place of `item_limit`: so many attributes, of whatever form; an `in` with many values is one."""


@dataclass(frozen=True)
class Criterion:
    """One attribute of one kind of object, an operator and its value."""

    kind: str
    name: str
    attribute: Attribute
    operator: str
    value: Any


def refuse_too_many(body: Json, options: SearchOptions) -> None:
    """Raise the 400 of a part with more criteria than are allowed."""
    for part in ("and", "or", "not"):
        given = body.get(part, [])
        items = given if isinstance(given, list) else []
        attributes = sum(len(item) for item in items) if isinstance(given, list) else len(given)
        counted = [
            (len(items), options.item_limit if options.criteria_limit is None else None),
            (attributes, options.criteria_limit),
            (attributes, options.or_limit if part == "or" else None),
        ]
        if any(limit is not None and count > limit for count, limit in counted):
            raise bad_parameter("Too many criteria", part, f"/properties/{part}/maxItems")


def parsed(given: Any, options: SearchOptions) -> list[Criterion]:
    """The criteria of `and`, `or` or `not`: one object, or an array of them."""
    criteria = []
    for item in given if isinstance(given, list) else [given]:
        for full_name, test in item.items():
            parsed = _criterion(full_name, test, options)
            if parsed.operator == "in" and options.in_ignored:
                continue
            criteria.append(parsed)
    return criteria


def _criterion(full_name: str, test: Any, options: SearchOptions) -> Criterion:
    kind, name, found = _found(full_name, options)
    if not isinstance(test, dict) or len(test) != 1:
        raise bad_parameter("A criterion is an object with one operator", full_name)
    operator, value = next(iter(test.items()))
    if operator not in _OPERATORS or (operator == "in" and options.in_refused):
        raise bad_parameter("Unknown operator", full_name, operator)
    _check_value(full_name, found, operator, value)
    return Criterion(kind, name, found, operator, value)


def _found(full_name: str, options: SearchOptions) -> tuple[str, str, Attribute]:
    """The kind of object, the name and the attribute itself; raises the 400 of one that there is not."""
    other = other_kind(full_name)
    if other is not None:
        return other, full_name.removeprefix(f"{other}_"), _OF_NO_OBJECT
    kind, _, name = full_name.partition("_")
    if options.archived and full_name == "customer_any_text_new":  # what the archive calls it
        name = "any_text"
    found = attribute(kind, name) if kind in ("customer", "company") else None
    if found is None or (options.archived and name not in ARCHIVE_ATTRIBUTES):
        raise bad_parameter("Unknown search attribute", full_name)
    return kind, name, found


def _check_value(full_name: str, found: Attribute, operator: str, value: Any) -> None:
    if operator == "not_set":
        return
    if operator == "in" and not isinstance(value, list):
        raise bad_parameter("The operator in takes an array", full_name)
    for item in value if operator == "in" else [value]:
        fine = isinstance(item, str) or found.type == "any"
        if found.type == "boolean":
            fine = isinstance(item, bool)
        elif found.type == "number":
            fine = isinstance(item, int | float) and not isinstance(item, bool)
        elif found.type == "datetime":
            fine = isinstance(item, str) and parse_date(item) is not None
        if not fine:
            raise bad_parameter("Invalid type", full_name)


def merged(criteria: list[Criterion]) -> list[Criterion]:
    """Alternatives on one attribute as one criterion, so that hundreds of them cost one pass over the
    records.
    """
    merged: dict[tuple[str, str], Criterion] = {}
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


def predicate(criterion: Criterion, *, analysed: bool) -> Callable[[list[Any]], bool]:
    """Whether the values of a record fulfil the criterion, for what no index answers."""
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
    if kind == "datetime":  # what is stored has Kustomer's form already
        return lambda values: any(compare(found, limit) for found in values)
    return lambda values: any(compare(_comparable(found, kind), limit) for found in values)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gte": lambda found, limit: found >= limit,
    "gt": lambda found, limit: found > limit,
    "lte": lambda found, limit: found <= limit,
    "lt": lambda found, limit: found < limit,
}


def _comparable(value: Any, kind: str) -> Any:
    if kind == "datetime" and isinstance(value, str):
        moment = parse_date(value)
        return value if moment is None else iso(moment)
    return value.lower() if kind == "string" and isinstance(value, str) else value
