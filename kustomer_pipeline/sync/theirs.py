"""What is left to Kustomer: fields of a row (`on_drift: accept`), or its whole record (`on_deleted: forget`). Pure.

    row's body + marks (state: field → hash of the row's value then) → the fields that are theirs, as long as the
                                                                       warehouse says the same as then
                                                                     → the marks that count no more

A field is named as in a Change: `name`, `custom.planStr`, `emails`. The hash is of what the warehouse says, so it does
not matter what becomes of ids in Kustomer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

RECORD = ""  # stands for the record as a whole, where names of fields stand
_CUSTOM = "custom."
_NOTHING = object()

Marks = Mapping[str, str]


def values_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says, field by field."""
    plain = {name: value for name, value in body.items() if name != "custom"}
    return plain | {f"{_CUSTOM}{key}": value for key, value in (body.get("custom") or {}).items()}


def mark_of(body: Mapping[str, Any], field: str) -> str:
    """128 bits of the row's value of a field; the same for every value that the row does not have (a tag of an
    audience)."""
    value = values_of(body).get(field, _NOTHING)
    text = "" if value is _NOTHING else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def marks_of_record(body: Mapping[str, Any]) -> dict[str, str]:
    """The marks of a row whose record is not wanted any more, as long as nothing of the row changes."""
    return {RECORD: RECORD, **{field: mark_of(body, field) for field in values_of(body)}}


def is_left_out(body: Mapping[str, Any], marks: Marks) -> bool:
    """Whether the row's record is not wanted: nothing that was mapped then has changed since."""
    mapped = values_of(body)
    return RECORD in marks and all(marks[name] == mark_of(body, name) for name in marks if name in mapped)


def left_to_them(body: Mapping[str, Any], marks: Marks) -> frozenset[str]:
    """The fields that are theirs."""
    return frozenset(name for name, mark in marks.items() if name != RECORD and mark == mark_of(body, name))


def outdated(body: Mapping[str, Any], marks: Marks) -> frozenset[str]:
    """Marks that count no more, whatever the warehouse says later: it has said something else since."""
    if RECORD in marks:
        return frozenset() if is_left_out(body, marks) else frozenset(marks)
    mapped = values_of(body)
    return frozenset(name for name, mark in marks.items() if name in mapped and mark != mark_of(body, name))


def without(body: Mapping[str, Any], fields: frozenset[str]) -> Mapping[str, Any]:
    """The body without these fields: a patch computed from it leaves them alone."""
    if not fields:
        return body
    kept = {name: value for name, value in body.items() if name not in fields}
    if "custom" in kept:
        custom = kept["custom"] or {}
        kept["custom"] = {key: value for key, value in custom.items() if f"{_CUSTOM}{key}" not in fields}
    return kept
