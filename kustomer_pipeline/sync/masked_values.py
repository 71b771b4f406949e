"""A value as it may be shown: nobody learns it, and whoever reviews a change still learns what kind of change it is.

    text                 first characters, length      planStr: `En… (10)`, `p… (3)`
    of a person          one character, length         name: `J… (8)`; an e-mail address: `j…@….com`
    number               rounded                       `~1200`
    date-time            the month; a birthday's year  `2024-05`
    list, object         how much is in it             `2 items`
    true, false, null, ids of Kustomer's               as they are

How much is shown, and why that much:

- Of a text two characters where it has eight and more, else one, and none of a single one: enough to tell `free` from
  `pro`, and nothing that can be completed to what it was. Its length says whether a word was changed or a page.
- Of what is a person's (every standard field but a few, custom attributes that are named like one, anything that looks
  like an address or a telephone number, and every column whose field is not known) one character at most, and none of
  fewer than four: `Li` would be half said. Of an e-mail address not the length, which its parts would add up to.
- Of a number two digits, one where it is small, or so long that it may be a telephone's. Below ten rounding would leave
  nothing out, so it is only said to be below ten.
- A pair that would read the same although it is not says so: `Ja… (8)` → `Ja… (8), another`.

What is meant to be read in full is said in the sync: `custom.planStr: {column: plan, show: true}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from kustomer_pipeline.kustomer import ObjectName
from kustomer_pipeline.mapping import FieldConfigError, FieldMapping, FieldType, field_type

from .masking import TO_BE_CREATED, is_address, looks_personal, mask_text
from .wording import quantity

# Standard fields that are about nobody in particular; of all others the values are a person's.
_OF_NOBODY = {"company", "externalId", "locale", "timeZone", "defaultLang", "employeeCount", "tags"}
_OF_NOBODY |= {"signedUpAt", "lastActivityAt", "lastCustomerActivityAt", "lastSeenAt", "createdAt", "importedAt"}
_NAMED_LIKE_A_PERSONS = re.compile(r"name|mail|phone|mobile|address|street|birth|contact", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{24}")
_MOMENT = re.compile(r"(?P<month>(?P<year>\d{4})-\d{2})(?:-\d{2}.*)?")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
_FEW, _LONG = 100, 1_000_000  # numbers from here on show two digits, and from there on one again


def mask(value: Any, field: str | None = None) -> Any:
    """A value as it may be shown: null, true and false stay what they are, all else becomes text.

    value: as it is, or as a plan has it (masking.shown). field: as a plan or a mapped frame names it (`name`, `emails`,
    `email.2`, `custom.planStr`); None or another name where it is not known.
    """
    if value is None or value is pd.NA or value is pd.NaT or isinstance(value, bool | np.bool_):
        return value
    kind, personal = _kind_of(field)
    if isinstance(value, str):
        return _mask_text(value, kind, personal)
    if isinstance(value, Number) and not isinstance(value, complex):
        return _rounded(Decimal(str(value)), personal)
    if isinstance(value, date):
        return _month(value.isoformat(), personal)
    if isinstance(value, list | tuple | np.ndarray | dict):
        return _size(value)
    return _shortened(str(value), personal)


def mask_pair(one: Any, other: Any, field: str | None = None) -> tuple[Any, Any]:
    """Two values of a field side by side: where they differ, so does what is shown of them."""
    before, after = mask(one, field), mask(other, field)
    if isinstance(before, str) and isinstance(after, str) and before == after and one != other:
        return before, f"{after}, {'others' if after.endswith(' items') else 'another'}"
    return before, after


def shown_fields(fields: Sequence[FieldMapping], object_name: ObjectName) -> frozenset[str]:
    """The fields that a sync shows, as a plan names them: `emails`, where all that is mapped to it (email too) is."""
    names: dict[str, bool] = {}
    for mapping in fields:
        kind = field_type(object_name, mapping.field)
        name = mapping.field if kind.shape == "custom" else kind.attribute
        names[name] = names.get(name, True) and mapping.show
    return frozenset(name for name, shows in names.items() if shows)


def mask_columns(rows: pd.DataFrame, values: Sequence[str], shown: Collection[str] = ()) -> pd.DataFrame:
    """The rows with the columns `values` masked, but for fields in `shown`. Two columns stand side by side."""
    fields = rows["field"].tolist() if "field" in rows else [None] * len(rows)
    masked = [
        found if field in shown else _masked_row(found, field if isinstance(field, str) else None)
        for field, found in zip(fields, zip(*(rows[name] for name in values), strict=True), strict=True)
    ]
    columns = list(zip(*masked, strict=True)) or [()] * len(values)
    return rows.assign(**{name: pd.array(column, "string") for name, column in zip(values, columns, strict=True)})


def _masked_row(values: tuple[Any, ...], field: str | None) -> tuple[Any, ...]:
    return mask_pair(*values, field=field) if len(values) == 2 else tuple(mask(value, field) for value in values)


def _mask_text(text: str, kind: FieldType | None, personal: bool) -> str:
    value = kind.value if kind is not None else None
    shape = kind.shape if kind is not None else None
    if shape == "list" or value == "json":
        found = _json(text)
        if isinstance(found, list | dict):
            return _size(found)
        if value == "tag":
            return text  # of an audience: the tag that the sync is about
    if value in ("number", "integer") and _NUMBER.fullmatch(text):
        return _rounded(Decimal(text), personal)
    if value == "boolean" and text in ("true", "false"):
        return text
    if value == "datetime" and _MOMENT.fullmatch(text):
        return _month(text, personal)
    if (value == "id" or shape == "company") and _ID.fullmatch(text):
        return text
    if shape == "company" and text.startswith(f"{TO_BE_CREATED} "):
        return TO_BE_CREATED
    return _shortened(text, personal)


def _shortened(text: str, personal: bool) -> str:
    if not text or is_address(text):
        return mask_text(text)
    length = len(text)
    personal = personal or looks_personal(text)
    shown = min(1, length // 4) if personal else min(2, length // 8 + (length > 1))
    return f"{text[:shown]}… ({length:,})"


def _rounded(number: Decimal, personal: bool) -> str:
    size = abs(number)
    if not number.is_finite():
        return "#"
    if not number:
        return "0"
    sign = "-" if number < 0 else ""
    if size < 10 and number == number.to_integral_value():
        return ">-10" if sign else "<10"
    digits = 2 if _FEW <= size < _LONG and not personal else 1
    rounded = size.quantize(Decimal(1).scaleb(size.adjusted() - digits + 1))
    return f"~{sign}{rounded:f}"


def _month(text: str, personal: bool) -> str:
    found = _MOMENT.match(text)
    return _shortened(text, True) if found is None else found["year"] if personal else found["month"]


def _size(value: Any) -> str:
    return quantity(len(value), "key", "keys") if isinstance(value, dict) else quantity(len(value), "item", "items")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=1000)
def _kind_of(field: str | None) -> tuple[FieldType | None, bool]:
    """What a field is, and whether its values are a person's: yes, where nothing is known."""
    if field is None:
        return None, True
    name = field if field.startswith("custom.") else field.partition(".")[0]
    for object_name in ("customers", "companies"):
        try:
            kind = field_type(object_name, name)
        except FieldConfigError:
            continue
        custom = kind.shape == "custom"
        return kind, _NAMED_LIKE_A_PERSONS.search(name) is not None if custom else name not in _OF_NOBODY
    return None, True
