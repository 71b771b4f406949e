"""Why rows are refused: kept per refused row only, so that a clean million costs nothing.

    Refused(rows, code, text)  → the columns `_invalid` (texts, for people) and `_codes` (JSON, for programs)
    mapped frame               → reason_lines: one line per reason

A reason has a code to count and to decide by, the field that it is about, and a text for people. The text never holds
a value of the row: it may be personal data. It may hold a "; ", which is why nobody splits `_invalid`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

KEY, INVALID, CODES = "_key", "_invalid", "_codes"  # the mapped frame's columns that are no fields
ROW = "_row"  # which row of a reading it is, where the warehouse compared (int64); passed through
LINE_COLUMNS = ("key", "position", "code", "field", "reason")

_TEXT = pa.large_string()

Rows = np.ndarray[Any, np.dtype[np.int64]]


class ReasonCode(StrEnum):
    """What kind of reason it is."""

    # the row
    MISSING = "missing"
    UNMATCHED = "unmatched"
    DUPLICATE = "duplicate"
    # the cell
    UNREADABLE = "unreadable"
    NOT_TEXT = "not_text"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    NOT_A_CHOICE = "not_a_choice"
    NOT_EMAIL = "not_email"
    NOT_PHONE = "not_phone"
    NOT_URL = "not_url"
    NOT_DOMAIN = "not_domain"
    NOT_ID = "not_id"
    NOT_TAG = "not_tag"
    NOT_BOOLEAN = "not_boolean"
    NOT_DATE = "not_date"
    NOT_NUMBER = "not_number"
    NOT_EXACT = "not_exact"
    NOT_FINITE = "not_finite"
    NOT_WHOLE = "not_whole"
    OUT_OF_BOUNDS = "out_of_bounds"
    # several items in one cell, or in the cells of a row
    NOT_JSON = "not_json"
    UNKNOWN_KEY = "unknown_key"
    MISSING_KEY = "missing_key"
    CONFLICTING_ITEMS = "conflicting_items"
    TOO_MANY_ITEMS = "too_many_items"


@dataclass(frozen=True)
class Refused:
    """Rows (0-based) that are refused for one reason. `field`: None where it is about the row as a whole."""

    rows: Rows
    code: ReasonCode
    text: str
    field: str | None = None


def rows_where(mask: pa.Array) -> Rows:
    """The 0-based positions where a boolean array is true (null is not)."""
    return np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))


def refuse(values: pa.Array, mask: pa.Array, code: ReasonCode, text: str, refused: list[Refused]) -> pa.Array:
    """`values` without those under `mask`, each of them noted in `refused`."""
    rows = rows_where(mask)
    if len(rows) == 0:
        return values
    refused.append(Refused(rows, code, text))
    return pc.if_else(pc.fill_null(mask, False), pa.scalar(None, values.type), values)


def mask_of(rows: Iterable[int] | np.ndarray[Any, Any], length: int) -> pa.Array:
    """A boolean array of `length` that is true at `rows`."""
    mask = np.zeros(length, dtype=bool)
    mask[np.asarray(rows, dtype=np.int64)] = True
    return pa.array(mask)


def reason_columns(refused: Sequence[Refused], length: int) -> tuple[pa.Array, pa.Array]:
    """(`_invalid`, `_codes`): the reasons of each row in the order given, both null for rows without any."""
    reasons: dict[int, list[int]] = defaultdict(list)
    for number, reason in enumerate(refused):
        for row in reason.rows.tolist():
            reasons[row].append(number)
    if not reasons:
        nothing = pa.nulls(length, _TEXT)
        return nothing, nothing  # one array for both columns
    rows = sorted(reasons)
    texts = [reason.text for reason in refused]
    coded = [json.dumps([reason.code, reason.field, reason.text], ensure_ascii=False) for reason in refused]
    invalid = ["; ".join(texts[number] for number in reasons[row]) for row in rows]
    codes = [f"[{', '.join(coded[number] for number in reasons[row])}]" for row in rows]
    return _column(rows, invalid, length), _column(rows, codes, length)


def _column(rows: Sequence[int], texts: Sequence[str], length: int) -> pa.Array:
    return pc.replace_with_mask(pa.nulls(length, _TEXT), mask_of(rows, length), pa.array(texts, _TEXT))


def reason_lines(mapped: pd.DataFrame) -> pd.DataFrame:
    """One line per reason of each invalid row: key, position (0-based in `mapped`), code, field, reason.

    `field` is null where the reason is about the row as a whole (nothing to match on, a row key that repeats).
    """
    positions = np.flatnonzero(mapped[CODES].notna().to_numpy())
    keys, codes = mapped[KEY].iloc[positions].tolist(), mapped[CODES].iloc[positions].tolist()
    lines = [
        (key, position, *reason)
        for key, position, coded in zip(keys, positions.tolist(), codes, strict=True)
        for reason in json.loads(coded)
    ]
    columns = list(zip(*lines, strict=True)) or [()] * len(LINE_COLUMNS)
    types = ("string", "int64", "string", "string", "string")
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype=dtype)
            for name, values, dtype in zip(LINE_COLUMNS, columns, types, strict=True)
        }
    )
