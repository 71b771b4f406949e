"""A validator for the part of JSON Schema that the tables in schema.py use.

It stops at the first offence and reports it as Kustomer does (docs/kustomer.md section 2.1): the offending
key as `source.parameter`, the path inside the schema as `detail`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .errors import bad_parameter
from .times import parse_date_time

Schema = dict[str, Any]

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+")
_PHONE = re.compile(r"\+?[1-9]\d{5,14}")  # without a plus: only where a record has it already, see written.py
_WHATSAPP = re.compile(r"(whatsapp:)?\+[1-9]\d{5,14}")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_URL = re.compile(r"(?i:https?|ftp)://[^\s/?#]+([/?#]\S*)?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s]+")
_HEX24 = re.compile(r"[0-9a-fA-F]{24}")


def is_id(value: object) -> bool:
    """Whether it looks like the id of a Kustomer object: 24 hexadecimal digits."""
    return isinstance(value, str) and _HEX24.fullmatch(value) is not None


FORMATS: dict[str, Callable[[str], bool]] = {
    "email-relaxed": lambda text: len(text) <= 256 and _EMAIL.fullmatch(text) is not None,
    "phone-number": lambda text: _PHONE.fullmatch(text) is not None,
    "whatsapp-number": lambda text: _WHATSAPP.fullmatch(text) is not None,
    "domain-name": lambda text: len(text) <= 253 and _DOMAIN.fullmatch(text) is not None,
    "url": lambda text: _URL.fullmatch(text) is not None,
    "uri": lambda text: _URI.fullmatch(text) is not None,
    "date-time": lambda text: parse_date_time(text) is not None,
    "object-id": is_id,
}

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

# keyword → (whether it applies to the value, whether the value is fine, title of the refusal)
_Rule = tuple[Callable[[Any], bool], Callable[[Any, Any], bool], str]


def _unique(value: list[Any], wanted: bool) -> bool:
    return not wanted or len(value) < 2 or len({_canonical(item) for item in value}) == len(value)


def _canonical(item: Any) -> str:
    """Text that is the same for items that are one to JSON Schema: in any order of keys, and 1.0 is 1."""
    return json.dumps(_whole(item), sort_keys=True)


def _whole(item: Any) -> Any:
    if isinstance(item, dict):
        return {name: _whole(value) for name, value in item.items()}
    if isinstance(item, list):
        return [_whole(value) for value in item]
    return int(item) if isinstance(item, float) and item.is_integer() else item


_RULES: dict[str, _Rule] = {
    "enum": (lambda value: True, lambda value, allowed: value in allowed, "Not one of the allowed values"),
    "minLength": (_TYPES["string"], lambda value, limit: len(value) >= limit, "Too short"),
    "maxLength": (_TYPES["string"], lambda value, limit: len(value) <= limit, "Too long"),
    "pattern": (
        _TYPES["string"],
        # Of the whole text: in Python, and nowhere else, `$` lets a line end behind it pass.
        lambda value, text: re.fullmatch(text, value) is not None,
        "Does not match the pattern",
    ),
    "format": (_TYPES["string"], lambda value, name: FORMATS[name](value), "Not in the required format"),
    "minimum": (_TYPES["number"], lambda value, limit: value >= limit, "Too small"),
    "maximum": (_TYPES["number"], lambda value, limit: value <= limit, "Too large"),
    "maxItems": (_TYPES["array"], lambda value, limit: len(value) <= limit, "Too many items"),
    "uniqueItems": (_TYPES["array"], _unique, "Items are not unique"),
    "maxProperties": (_TYPES["object"], lambda value, limit: len(value) <= limit, "Too many properties"),
}


def validate(value: object, schema: Schema, *, parameter: str = "body", path: str = "") -> None:
    """Raise the 400 of the first thing in `value` that `schema` does not allow."""
    types = schema.get("type")
    if types is not None:
        names = (types,) if isinstance(types, str) else types
        for name in names:
            if _TYPES[name](value):
                break
        else:
            raise bad_parameter("Invalid type", parameter, f"{path}/type")
    if value is None:
        return
    for keyword, limit in schema.items():
        rule = _RULES.get(keyword)
        if rule is not None:
            applies, fine, title = rule
            if applies(value) and not fine(value, limit):
                raise bad_parameter(title, parameter, f"{path}/{keyword}")
    if isinstance(value, dict):
        _validate_object(value, schema, parameter, path)
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            validate(item, schema["items"], parameter=parameter, path=f"{path}/items")


def _validate_object(value: dict[str, Any], schema: Schema, parameter: str, path: str) -> None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            raise bad_parameter("Required property is missing", name, f"{path}/required")
    for name, inner in value.items():
        if name in properties:
            validate(inner, properties[name], parameter=name, path=f"{path}/properties/{name}")
        elif not schema.get("additionalProperties", True):
            raise bad_parameter("Additional properties not allowed", name, f"{path}/additionalProperties")
