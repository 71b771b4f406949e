"""Requests made from the table in published_limits.py: at each limit and beyond it, and whether Kustomer takes them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .published_limits import (
    BULK_ITEMS,
    COMPANY,
    CUSTOMER,
    OPERATIONS,
    Array,
    Flag,
    Free,
    Limit,
    Number,
    Object,
    OneOrSeveral,
    Text,
)

RECORD_ID = "<the id of a new record>"
"""Stands in a body for the id of a record that whoever sends it has to make."""

_number = itertools.count(1)
_PHONE, _HOST = "+1555{:07d}", "https://example.com"

# What is a sample of each form; {} is a number that makes it unlike all others.
_IN_FORM: dict[str, tuple[str, ...]] = {
    "email-relaxed": ("jane.{}@example.com", "a.b+{}@sub.example.co.uk"),
    "phone-number": (_PHONE,),
    "whatsapp-number": (_PHONE, "whatsapp:" + _PHONE),
    "uri": (_HOST + "/{}", "http://example.com/a?b=c#d{}", "ftp://example.com/{}"),
    "url": (_HOST + "/{}", "http://sub.example.com:8080/a?b={}"),
    "domain-name": ("d{}.example.com",),
    "date-time": ("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+05:30"),
    "object-id": ("{:024x}",),
    "tag": ("t{}", "t {}", "Ünïcode_/<>-.x{}", "x" * 64),
    "context": (
        "customer", "company", "message", "conversation", "conversation_time", "note", "kobject", "kobject_order",
        "kobject_", "work_session", "work_item",
    ),
}  # fmt: skip
NOT_IN_FORM: dict[str, tuple[str, ...]] = {
    "email-relaxed": ("", "jane", "@example.com", "jane@", "a b@example.com"),
    "phone-number": ("", "+", "12", "jane"),
    "whatsapp-number": ("", "whatsapp:", "jane"),
    "uri": ("", "example", "/a/b", "not a uri"),
    "url": ("", "example", "http://", "not a url"),
    "domain-name": ("", "a..b", "not a domain"),
    "date-time": ("", "2026-01-31", "2026-01-31T12:00:00", "2026-13-31T12:00:00Z", "yesterday"),
    "object-id": ("", "jane"),
    "tag": ("", " a", "a,b", "R&D", "a#", "a'b", "日本", "vip\n", "x" * 65),
    "context": ("", "customers", "Customer", "tag", "customer\n"),
}
_FREE: dict[str, Callable[[int], tuple[str, Any]]] = {
    "custom": lambda n: (f"name{n}Str", "x"),
    "criterion": lambda n: (f"customer_custom_name{n}Str", {"equals": "x"}),
    "order": lambda n: (f"customer_custom_name{n}Str", "asc"),
    "field": lambda n: (f"name{n}", True),
    "declaration": lambda n: (f"name{n}Str", {"type": "string"}),
    "nothing": lambda n: (f"name{n}", {}),
}


@dataclass(frozen=True)
class Case:
    """One value and whether it is within the published limits. `what` says where and how: "emails[].email: form 2"."""

    what: str
    value: Any
    taken: bool


def cases(operation: str) -> Iterator[Case]:
    """Bodies of the operation, from the least to beyond each of its limits."""
    record = OPERATIONS[operation]
    bodies = itertools.chain(_of(record), _foreign(record), _beyond_the_schema(operation, record))
    if not operation.endswith("/bulk"):
        yield from bodies
        return
    yield from (Case(case.what, [case.value], case.taken) for case in bodies)
    for count in (0, 1, BULK_ITEMS - 1, BULK_ITEMS, BULK_ITEMS + 1):
        yield Case(f": {count} items", [sample(record) for _ in range(count)], count <= BULK_ITEMS)
    yield from _wrong(None, {}, "x", 7)
    yield Case(": one bad item", [sample(record), {**sample(record), "name": 7}], False)


def sample(limit: Limit) -> Any:
    """The least value that is taken; unlike all others where it can be."""
    match limit:
        case Text(choices=(first, *_)):
            return first
        case Text(form=str() as form):
            return _IN_FORM[form][0].format(next(_number))
        case Text():
            return _text(max(limit.least, min(limit.most or 9, 9)))
        case Number():
            return limit.choices[0] if limit.choices else 1
        case Flag():
            return True
        case Object():
            return {key: RECORD_ID if key == "id" else sample(limit.keys[key]) for key in limit.required}
        case Free():
            return dict([_FREE[limit.kind](next(_number))])
        case Array():
            return [sample(limit.item)]
        case OneOrSeveral():
            return sample(limit.item)


def _of(limit: Limit) -> Iterator[Case]:
    """A value at and beyond each limit, each of a wrong type, and null."""
    yield Case(": null", None, limit.null)
    match limit:
        case Text():
            yield from _wrong(7, True, [], {})
            yield from _texts(limit)
        case Number():
            yield from _wrong("1", True, [], {})
            yield from _numbers(limit)
        case Flag():
            yield from _wrong("true", 0, 1, [])
            yield from (Case(f": {value}", value, True) for value in (True, False))
        case Object():
            yield from _wrong("x", 7, [])
            yield from _objects(limit)
        case Free():
            yield from _wrong("x", 7, [])
            yield from _free(limit)
        case Array():
            yield from _wrong("x", 7, {}, True)
            yield from _arrays(limit.item, limit.most)
        case OneOrSeveral():
            yield from _wrong("x", 7, True)
            yield from _free(limit.item)
            yield from _arrays(limit.item, limit.most)


def _wrong(*values: Any) -> Iterator[Case]:
    return (Case(f": the wrong type, {value!r}", value, False) for value in values)


def _texts(limit: Text) -> Iterator[Case]:
    if limit.choices:
        yield from (Case(f": {choice}", choice, True) for choice in limit.choices)
        yield from (Case(f": {text!r}", text, False) for text in ("", limit.choices[0].upper(), limit.choices[0] + " "))
        return
    if limit.form:
        for text in _IN_FORM[limit.form]:
            yield Case(f": {limit.form} {text!r}", text.format(next(_number)), True)
        yield from (Case(f": no {limit.form}, {text!r}", text, False) for text in NOT_IN_FORM[limit.form])
        return
    if limit.most is None:
        yield from (Case(f": {length} characters", _text(length), True) for length in (0, 5_000))
        return
    for length in sorted({limit.least - 1, limit.least, limit.most, limit.most + 1} - {-1}):
        yield Case(f": {length} characters", _text(length), limit.least <= length <= limit.most)
    for letter in ("é", "😀"):
        yield Case(f": {limit.most} of {letter}", _text(limit.most, letter), True)


def _text(length: int, letter: str = "x") -> str:
    """Text of this length that is unlike all others: it begins with a Chinese character that nobody had before."""
    return chr(0x4E00 + next(_number) % 20_000).ljust(length, letter) if length else ""


def _numbers(limit: Number) -> Iterator[Case]:
    if limit.choices:
        yield from (Case(f": {number}", number, number in limit.choices) for number in (*limit.choices, 0.5, 2))
        return
    for bound, step in ((limit.low, -0.001), (limit.high, 0.001)):
        if bound is not None:
            yield from (Case(f": {number}", number, number == bound) for number in (bound, bound + step))
    yield from (Case(f": {number}", number, True) for number in (0, 0.5, -0.5))


def _objects(limit: Object) -> Iterator[Case]:
    full = {**{key: sample(inner) for key, inner in limit.keys.items() if key != "company"}, **sample(limit)}
    yield Case(": empty", {}, not limit.required)
    yield Case(": no more than needed", sample(limit), True)
    yield Case(": every key", full, True)
    yield Case(": an unknown key", {**sample(limit), "unknown": 1}, not limit.closed)
    for key in limit.required:
        yield Case(f": without {key}", {name: value for name, value in full.items() if name != key}, False)
    for key, inner in limit.keys.items():
        for case in _of(inner):
            separator = "" if case.what[0] in ":[" else "."
            yield Case(f"{key}{separator}{case.what}", {**sample(limit), key: case.value}, case.taken)


def _free(limit: Free) -> Iterator[Case]:
    yield Case(": empty", {}, True)
    for count in (1, limit.most or 25, (limit.most or 25) + 1):
        taken = count <= (limit.most or count)
        yield Case(f": {count} keys", dict(_FREE[limit.kind](number) for number in range(count)), taken)


def _arrays(item: Limit, most: int) -> Iterator[Case]:
    for count in (0, 1, most, most + 1):
        yield Case(f": {count} items", [_distinct(item) for _ in range(count)], count <= most)
    one = _distinct(item)
    again = dict(reversed(one.items())) if isinstance(one, dict) else one
    yield Case(": an item twice", [one, again], False)
    yield Case(": an item twice among others", [one, _distinct(item), again], False)
    if isinstance(item, Free):
        return
    for case in _of(item):
        separator = "" if case.what[0] in ":[" else "."
        yield Case(f"[]{separator}{case.what}", [case.value], case.taken)


def _distinct(item: Limit) -> Any:
    """A sample that is unlike all others, also where no key is needed."""
    found = sample(item)
    return found if found != {} else {"zipCode": str(next(_number)), "cityName": "Bonn"}


def _foreign(record: Object) -> Iterator[Case]:
    """The keys that customers or companies have elsewhere, and this operation has not."""
    if not record.keys.keys() & CUSTOMER.keys.keys():
        return
    others = {**COMPANY.keys, **CUSTOMER.keys, "id": Text(), "deleted": Flag(), "updatedAt": Text(form="date-time")}
    for key, limit in others.items():
        if key not in record.keys:
            yield Case(f"{key}: not a key here", {**sample(record), key: sample(limit)}, not record.closed)


def _beyond_the_schema(operation: str, record: Object) -> Iterator[Case]:
    """What the schema says nothing of, or too much: the sandbox has reasons to differ, named in docs/sandbox.md."""
    body = sample(record)
    if operation.endswith("/bulk"):
        yield Case("_clientRef: not a key here", {**body, "_clientRef": "a"}, not record.closed)
        yield Case("_clientRef: null", {**sample(record), "_clientRef": None}, not record.closed)
    if "tags" in record.keys:
        yield Case("tags[]: the id of no tag", {**sample(record), "tags": ["0" * 24]}, True)
    if "whatsapps" in record.keys:
        number = sample(Text(form="phone-number"))
        twice = [{"phone": number}, {"phone": f"whatsapp:{number}"}]
        yield Case("whatsapps: a number twice", {**sample(record), "whatsapps": twice}, True)
    if "and" in record.keys:
        for part in ("and", "or", "not"):
            yield Case(f"{part}: no attribute", {part: {"customer_shoeSize": {"equals": "x"}}}, True)
