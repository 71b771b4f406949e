"""Fields of several items: a plain value (shorthand for the item's main key) or JSON, checked key by key.

cell → plain text                        → converted as one value, all rows at once
     → JSON object or list of objects    → parsed; each key, of all items of all rows, is one column
     → `email`, `phone`: a JSON list of plain values, too, as the warehouse gives an array; the first is the row's own
     → `tags`: names separated by commas or a JSON list of names, each distinct cell read once
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .cells import Cells, read_cells
from .convert import Converted, as_text, convert, convert_cells, trimmed
from .kinds import FieldType, ListAttribute
from .reasons import ReasonCode, Refused, refuse, rows_where

_TEXT = pa.large_string()
_NOT_JSON = "is not valid JSON"
_NO_OBJECTS = "is not JSON (an object or a list of objects is needed)"
_NOT_A_TAG = "holds a name with characters that tags cannot have (letters, digits, space, _ / < > - . can)"


def convert_list(
    series: pd.Series[Any], field: FieldType, attribute: ListAttribute, default_region: str | None
) -> Converted:
    """Convert a column of a list field. Shorthand stays plain text, JSON becomes canonical JSON of a list (of `email`
    and `phone`, where it has more than one item)."""
    cells = read_cells(series, exact_text=True, structured=True)
    refused = list(cells.refused)
    texts = trimmed(as_text(cells.array(), refused))
    if field.value == "tag":
        return Converted(_tags(texts, field, refused), tuple(refused))

    is_json = pc.fill_null(pc.match_substring_regex(texts, r"^[\[{]"), False)
    if field.plain_items and pc.any(is_json).as_py():
        is_json = pc.replace_with_mask(is_json, is_json, _are_json(pc.filter(texts, is_json)))
    if field.main is None:
        no_json = pc.and_(texts.is_valid(), pc.invert(is_json))
        texts = refuse(texts, no_json, ReasonCode.NOT_JSON, _NO_OBJECTS, refused)
        plain = Converted(pa.nulls(len(texts), _TEXT))
    else:
        plain = convert_cells(Cells(pc.if_else(is_json, pa.scalar(None, _TEXT), texts)), field, default_region)
    values = plain.values
    identities: tuple[tuple[int, str], ...] = ()
    if pc.any(is_json).as_py():
        reader = _JsonReader(field, attribute, default_region)
        rows = rows_where(is_json)
        canonical = reader.read(rows, pc.filter(texts, is_json).to_pylist())
        values = pc.replace_with_mask(values, is_json, pa.array(canonical, _TEXT))
        refused.extend(reader.refused())
        identities = tuple(reader.identities)
    return Converted(values, (*refused, *plain.refused), identities)


def convert_object(series: pd.Series[Any], field: FieldType) -> Converted:
    """Convert a column of a field that is one JSON object (sentiment); canonical JSON text of the object."""
    cells = read_cells(series, exact_text=True, structured=True)
    refused = list(cells.refused)
    texts = trimmed(as_text(cells.array(), refused))
    rows = rows_where(texts.is_valid())
    if len(rows) == 0:
        return Converted(texts, tuple(refused))
    reader = _JsonReader(field, None, None)
    canonical = reader.read(rows, pc.drop_null(texts).to_pylist())
    values = pc.replace_with_mask(texts, texts.is_valid(), pa.array(canonical, _TEXT))
    return Converted(values, (*refused, *reader.refused()))


def merge_items(items: Iterable[Any], attribute: ListAttribute) -> list[Any]:
    """The items without repetitions, in order; keys that only a repetition has are taken over.

    Items without a value of their own (postal addresses) repeat only if they are equal: two homes are two places, and
    must not become one of parts of both.
    """
    merged: dict[Hashable, Any] = {}
    for item in items:
        key = attribute.key(item) if attribute.by_value else canonical_json(item)
        known = merged.get(key)
        merged[key] = item if known is None or not isinstance(item, dict) else {**item, **known}
    return list(merged.values())


def read_items(text: str, field: FieldType) -> list[Any]:
    """The items of one cell of the mapped frame, as Kustomer takes them."""
    if field.value == "tag":
        return text.split(",")
    if text.startswith("["):
        items: list[Any] = json.loads(text)
        return items
    return [{field.main: text}]


def first_items(values: pa.Array, field: FieldType) -> pa.Array:
    """The values of a converted column; of a cell that holds several, the first, which names the row."""
    several = pc.fill_null(pc.starts_with(values, "["), False) if field.plain_items else None
    if several is None or not pc.any(several).as_py():
        return values
    firsts = [read_items(text, field)[0][field.main] for text in pc.filter(values, several).to_pylist()]
    return pc.replace_with_mask(values, several, pa.array(firsts, _TEXT))


def identity_text(item: Any, attribute: ListAttribute) -> str:
    """An item's identity as one text, equal to the plain value where the identity is one key."""
    key = attribute.key(item)
    return "\x1f".join("" if part is None else str(part) for part in (key if isinstance(key, tuple) else (key,)))


def canonical_json(value: Any) -> str:
    """JSON text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class _JsonReader:
    """Reads the JSON cells of one column; one instance per column."""

    def __init__(self, field: FieldType, attribute: ListAttribute | None, default_region: str | None) -> None:
        self._field = field
        self._attribute = attribute  # None: the field is one object
        self._region = default_region
        self._reasons: dict[tuple[ReasonCode, str], list[int]] = defaultdict(list)
        self._failed: set[int] = set()
        self.identities: list[tuple[int, str]] = []

    def refused(self) -> list[Refused]:
        """The rows that cannot be read, by reason."""
        return [Refused(np.array(rows, dtype=np.int64), *reason) for reason, rows in self._reasons.items()]

    def read(self, rows: np.ndarray[Any, np.dtype[np.int64]], texts: list[str]) -> list[str | None]:
        items_of = {row: self._parse(row, text) for row, text in zip(rows.tolist(), texts, strict=True)}
        for key in self._field.item_keys:
            self._convert_key(key, items_of)
        return [None if row in self._failed else self._finish(row, items) for row, items in items_of.items()]

    def _refuse(self, row: int, code: ReasonCode, text: str) -> None:
        if row not in self._failed:  # the first reason is enough: later ones often follow from it
            self._failed.add(row)
            self._reasons[code, text].append(row)

    def _parse(self, row: int, text: str) -> list[dict[str, Any]]:
        try:
            value = json.loads(text, parse_constant=_no_constant, parse_float=Decimal)  # keeps every digit
        except (ValueError, RecursionError):
            self._refuse(row, ReasonCode.NOT_JSON, _NOT_JSON)
            return []
        if self._attribute is None and not isinstance(value, dict):
            self._refuse(row, ReasonCode.NOT_JSON, "is not a JSON object")
            return []
        if self._field.plain_items and (isinstance(value, dict) or any(isinstance(one, dict) for one in value)):
            self._refuse(row, ReasonCode.UNREADABLE, f"holds an object; map it to {self._field.attribute} instead")
            return []
        items = []
        for number, entry in enumerate(value if isinstance(value, list) else [value], start=1):
            if entry is None and self._field.plain_items:
                continue  # an array of the warehouse's may hold a null, which is nobody's address
            item = entry
            if self._field.main and entry is not None and not isinstance(entry, dict | list):
                item = {self._field.main: entry}
            if not isinstance(item, dict):
                wanted = "a single value" if self._field.plain_items else "an object"
                self._refuse(row, ReasonCode.NOT_JSON, f"item {number} is not {wanted}")
                return []
            if not set(item) <= set(self._field.item_keys):
                allowed = ", ".join(self._field.item_keys)
                text = f"{self._item(number)}has a key that Kustomer does not know (allowed: {allowed})"
                self._refuse(row, ReasonCode.UNKNOWN_KEY, text)
                return []
            items.append(item)
        return items

    def _item(self, number: int) -> str:
        return "" if self._attribute is None else f"item {number} "

    def _convert_key(self, key: str, items_of: dict[int, list[dict[str, Any]]]) -> None:
        """Convert the values of one key, of all items of all rows, as one column."""
        limits = self._field.item_keys[key]
        places = [(row, number, item) for row, items in items_of.items() for number, item in enumerate(items, start=1)]
        if not places:
            return
        raw = pd.Series([item.get(key) for _, _, item in places], dtype=object)
        converted = convert(raw, limits, self._region)
        for reason in converted.refused:
            for index in reason.rows.tolist():
                row, number, _ = places[index]
                named = "" if self._field.plain_items else f"{key} "
                self._refuse(row, reason.code, f"{self._item(number)}{named}{reason.text}")
        for (row, number, item), value in zip(places, converted.values.to_pylist(), strict=True):
            item.pop(key, None)
            if value is not None:
                item[key] = value
            elif limits.required and row not in self._failed:
                self._refuse(row, ReasonCode.MISSING_KEY, f"{self._item(number)}has no {key}")

    def _finish(self, row: int, items: list[dict[str, Any]]) -> str | None:
        if self._attribute is None:
            return canonical_json(items[0])
        items = [item for item in items if item]
        if len(items) > 1 and self._conflicting(items, self._attribute):
            same = " and ".join(self._attribute.identity)
            self._refuse(row, ReasonCode.CONFLICTING_ITEMS, f"has two items of the same {same} that differ otherwise")
            return None
        items = merge_items(items, self._attribute)
        if len(items) > self._attribute.max_items:
            text = f"has {len(items)} items, at most {self._attribute.max_items}"
            self._refuse(row, ReasonCode.TOO_MANY_ITEMS, text)
            return None
        if len(items) == 1 and self._field.plain_items and self._field.main is not None:
            return str(items[0][self._field.main])
        self.identities.extend((row, identity_text(item, self._attribute)) for item in items)
        return canonical_json(items) if items else None

    @staticmethod
    def _conflicting(items: list[dict[str, Any]], attribute: ListAttribute) -> bool:
        """Whether two items are one and the same to Kustomer's list, yet say different things."""
        known: dict[Hashable, dict[str, Any]] = {}
        return any(known.setdefault(attribute.key(item), item) != item for item in items)


def _are_json(texts: pa.Array) -> pa.Array:
    """Which of them are: an address that merely begins like JSON is a bad address, and is told so."""
    return pa.array([_is_json(text) for text in texts.to_pylist()], pa.bool_())


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _tags(texts: pa.Array, field: FieldType, refused: list[Refused]) -> pa.Array:
    encoded = texts.dictionary_encode()
    known = [_tag_names(text, field) for text in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, 0).to_numpy()
    present = texts.is_valid()
    for reason in sorted({reason for _, reason in known if reason}):
        wrong = np.array([reason == found for _, found in known], dtype=bool)[codes]
        texts = refuse(texts, pc.and_(pa.array(wrong), present), *reason, refused)
    return pa.array([names for names, _ in known], _TEXT).take(encoded.indices)


def _tag_names(text: str, field: FieldType) -> tuple[str | None, tuple[ReasonCode, str] | None]:
    """(comma-joined names, None) or (None, why not) of one cell."""
    parts: list[Any] = text.split(",")
    if text.startswith("["):
        try:
            parts = json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return None, (ReasonCode.NOT_JSON, _NOT_JSON)
    if not all(isinstance(part, str) for part in parts):
        return None, (ReasonCode.NOT_TAG, "is not a list of names")
    names = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for name in names:
        if field.max_length is not None and len(name) > field.max_length:
            return None, (ReasonCode.TOO_LONG, f"holds a name of {len(name)} characters, at most {field.max_length}")
        if not re.fullmatch(field.pattern or ".*", name):
            return None, (ReasonCode.NOT_TAG, _NOT_A_TAG)
    if field.max_items is not None and len(names) > field.max_items:
        return None, (ReasonCode.TOO_MANY_ITEMS, f"has {len(names)} names, at most {field.max_items}")
    return (",".join(names) or None), None
