"""Custom attributes: names that carry their type, and the org's metadata about them (docs/kustomer.md section
9).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .errors import bad_parameter
from .times import iso, parse_date_time
from .validation import Schema, is_id, validate

_NAME = re.compile(r"[a-z][A-Za-z0-9]*?(Str|Txt|Num|At|Bool|Url|Id|Tree)")
_RESOURCES = {"customer", "company", "conversation", "message"}

SUFFIXES: dict[str, Schema] = {
    "Str": {"type": ("string", "null"), "maxLength": 1024},
    "Txt": {"type": ("string", "null"), "maxLength": 1024},
    "Num": {"type": ("number", "null")},
    "At": {"type": ("string", "null"), "format": "date-time"},
    "Bool": {"type": ("boolean", "null")},
    "Url": {"type": ("string", "null"), "format": "uri"},
    "Id": {"type": ("string", "null"), "format": "object-id"},
    "Tree": {"type": ("string", "null")},
}

Properties = dict[str, dict[str, Any]]


class Metadata:
    """What the org has declared about the custom attributes of each resource."""

    def __init__(self) -> None:
        self._resources: dict[str, Properties] = {name: {} for name in _RESOURCES}

    def knows(self, resource: str) -> bool:
        """Whether there is such a resource: customer, company, conversation, message, kobject.<name>."""
        return resource in _RESOURCES or (resource.startswith("kobject.") and len(resource) > len("kobject."))

    def of(self, resource: str) -> Properties:
        """Attribute name → what is declared about it."""
        return self._resources.setdefault(resource, {})

    def declare(self, resource: str, properties: Properties, now: float) -> None:
        """Add or change declarations; every name needs a suffix that says its type."""
        for name, declared in properties.items():
            if not _NAME.fullmatch(name) or not isinstance(declared, dict):
                raise bad_parameter("Not a custom attribute", name, "/properties/properties")
            self.of(resource)[name] = {**declared, "updatedAt": iso(now), "modifiedAt": iso(now)}


def suffix_of(name: str) -> str | None:
    """The suffix that says the type of a custom attribute, None when it has none or is not camelCase."""
    match = _NAME.fullmatch(name)
    return match[1] if match else None


def check_custom(
    values: dict[str, Any],
    declared: Properties,
    *,
    declared_only: bool,
    exists: Callable[[str], bool],
    path: str,
) -> None:
    """Raise the 400 of the first custom attribute that may not be, or may not be so.

    Undeclared names with a good suffix are accepted, except *Id, unless `declared_only`.
    """
    for name, value in values.items():
        suffix = suffix_of(name)
        about = declared.get(name)
        if about is not None and "deletedAt" in about:
            about = None
        if suffix is None or (about is None and (declared_only or suffix == "Id")):
            raise bad_parameter(
                "Additional properties not allowed", name, f"{path}/properties/custom/additionalProperties"
            )
        inner = f"{path}/properties/custom/properties/{name}"
        about = about or {}
        several = bool(about.get("multi") or about.get("array")) and value is not None
        schema: Schema = SUFFIXES[suffix]
        validate(value, {"type": "array", "items": schema} if several else schema, parameter=name, path=inner)
        for item in value if several else [value]:
            if item is None:
                continue
            if "enumeration" in about and item not in about["enumeration"]:
                raise bad_parameter("Not one of the allowed values", name, f"{inner}/enum")
            if suffix == "Id" and is_id(item) and not exists(item):
                raise bad_parameter("Object not found", name, inner)


def merge_custom(current: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Each key sent is set, null clears it, keys not sent are kept (docs/kustomer.md section 4.4)."""
    merged = dict(current)
    for name, value in given.items():
        if value is None:
            merged.pop(name, None)
        elif suffix_of(name) == "At" and isinstance(value, str):
            moment = parse_date_time(value)
            merged[name] = value if moment is None else iso(moment)
        else:
            merged[name] = value
    return merged
