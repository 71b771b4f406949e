"""The reference of every field, written from the catalogue: `python -m kustomer_pipeline.mapping.reference`.

Prints docs/fields.md; a test holds the file equal to what this prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .catalogue import CUSTOM_SUFFIXES, FIELDS, MATCH_ON, MAX_CUSTOM_PROPERTIES, NOT_MAPPABLE, REQUIRED
from .kinds import FieldType, Limits

_VALUES = {
    "text": "text",
    "email": "e-mail address",
    "phone": "phone number",
    "externalId": "id as text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "datetime": "date-time",
    "url": "http or https address",
    "id": "Kustomer id (24 hex digits)",
    "tag": "tag names",
    "domain": "domain name",
    "json": "JSON",
}

_INTRODUCTION = """\
# Fields

Every field that can stand under `fields:` of a sync. Written from the catalogue by
`python -m kustomer_pipeline.mapping.reference > docs/fields.md`.

## How values are read

| type | what a warehouse column may hold | what Kustomer gets |
|---|---|---|
| text | text, numbers, booleans | the text as it is; the numbers `7` and `7.0` become `7` |
| e-mail address | text, at most 64 characters before the @ | trimmed, lower case |
| domain name | text in ASCII characters (others in their xn-- form) | trimmed, lower case |
| phone number | text or a number | E.164 (`+14155552671`); without a plus see below |
| id as text | text or a number | trimmed; `7` and `7.0` become `7`, `007` stays |
| number | numbers, or text such as `12.5` (no thousands separators) | a number |
| true or false | booleans, 1/0, true/false, t/f, yes/no, y/n in any case | a boolean |
| date-time | dates, timestamps, ISO-8601 text (naive is UTC); no numbers | `2024-01-31T08:30:00.000Z` |
| http or https address | text | trimmed |
| tag names | one name, several separated by commas, or a JSON list | names or ids |
| JSON | an object or a list of objects, as JSON text or as a JSON column | the objects |

A phone number without a plus is read in the `default_region` and must be valid there. What could be two numbers,
or none, is refused: `491701234567` with the region DE is one of Leer and a mobile phone. A number that becomes
text keeps its digits: `12345678901.25`, never `1.2e+10`.

An empty or blank text is a null. Lengths count characters. A row with a value outside these rules is
invalid: it is not sent, and its reason names the field and the rule, never the value.

Where "null clears" says yes, `nulls: clear` empties the field in Kustomer when the warehouse has a null. Kustomer
takes no null for the other single values: they stay as they are. Lists are emptied of what the sync has written.

A list field may name several columns. Where a main key is given, a plain value is short for an object
with that key: `jane@x.com` for `{"email": "jane@x.com"}`.

`email` and `phone` take plain values only, and of these an array of the warehouse's or a JSON list as well:
`["jane@x.com", "jane@y.com"]`. The first is the one that names the row, where `match_on` does; a null in it is left
out. Objects belong to `emails` and `phones`.
"""


def reference() -> str:
    """The text of docs/fields.md."""
    parts = [_INTRODUCTION]
    for object_name, fields in FIELDS.items():
        parts += [f"## {object_name.capitalize()}\n", _facts(object_name), _field_table(fields)]
        with_items = [field for field in fields.values() if field.items]
        parts += [
            _item_table([field for field in with_items if field.items == like.items])
            for first, like in enumerate(with_items)
            if like.items not in [field.items for field in with_items[:first]]
        ]
    parts += ["## Custom attributes\n", _custom_text(), "## Fields that cannot be mapped\n", _not_mappable()]
    return "\n".join(parts)


def _facts(object_name: str) -> str:
    required = ", ".join(f"`{name}`" for name in REQUIRED[object_name])
    match_on = ", ".join(f"`{name}`" for name in MATCH_ON[object_name])
    return f"Required: {required}. `match_on` takes {match_on}.\n"


def _field_table(fields: Mapping[str, FieldType]) -> str:
    lines = [
        "| field | type | limits | null clears | unique in the org | what it is |",
        "|---|---|---|---|---|---|",
    ]
    for field in fields.values():
        kind = "link to a company" if field.shape == "company" else _VALUES[field.value]
        if field.shape == "list":
            kind = f"list of {kind}" if field.value != "json" else "list of JSON objects"
        unique = "yes" if field.identifier else ""
        clears = "yes" if field.nullable else ""
        what = _cell(field.description)
        lines.append(f"| `{field.name}` | {kind} | {_limits(field)} | {clears} | {unique} | {what} |")
    return "\n".join(lines) + "\n"


def _item_table(fields: Sequence[FieldType]) -> str:
    """The keys of the items of fields that share them."""
    names = ", ".join(f"`{field.name}`" for field in fields)
    main = f" (main key: `{fields[0].main}`)" if fields[0].main else ""
    lines = [f"Keys of {names}{main}:\n", "| key | type | limits |", "|---|---|---|"]
    for key, sub in fields[0].items.items():
        required = "required" if sub.required else ""
        limits = ", ".join(filter(None, (required, _limits(sub))))
        lines.append(f"| `{key}` | {_VALUES[sub.value]} | {limits} |")
    return "\n".join(lines) + "\n"


def _limits(limits: Limits) -> str:
    parts = []
    if limits.choices:
        parts.append("one of " + ", ".join(f"`{choice}`" for choice in limits.choices))
    for low, high, unit in (
        (limits.min_length, limits.max_length, " characters"),
        (limits.minimum, limits.maximum, ""),
    ):
        if low is not None and low == high:
            parts.append(f"{low:g}{unit}")
        elif low is not None and high is not None:
            parts.append(f"{low:g} to {high:g}{unit}")
        elif high is not None:
            parts.append(f"at most {high:g}{unit}")
        elif low is not None:
            parts.append(f"at least {low:g}{unit}")
    if isinstance(limits, FieldType) and limits.max_items is not None:
        parts.append(f"at most {limits.max_items} items")
    if limits.pattern:
        parts.append(f"each like `{_cell(limits.pattern)}`")
    return ", ".join(parts)


def _custom_text() -> str:
    lines = [
        f"Written `custom.<name><suffix>`, at most {MAX_CUSTOM_PROPERTIES}. The suffix says the type. "
        "Null clears each of them.\n",
        "| suffix | type | limits | what it is |",
        "|---|---|---|---|",
    ]
    for suffix, (value, max_length, description) in CUSTOM_SUFFIXES.items():
        limit = f"at most {max_length} characters" if max_length else ""
        lines.append(f"| `{suffix}` | {_VALUES[value]} | {limit} | {description} |")
    return "\n".join(lines) + "\n"


def _not_mappable() -> str:
    lines = ["| field | why |", "|---|---|"]
    lines += [f"| `{name}` | {why} |" for name, why in NOT_MAPPABLE.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
