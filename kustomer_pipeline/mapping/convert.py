"""One column → the values of one field: normalised, within limits; what cannot be is null and refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from . import dates, forms
from .cells import MAX_SAFE_INTEGER, NOT_EXACT, NOT_FINITE, Cells, plain_digits, read_cells
from .kinds import Limits
from .reasons import ReasonCode, Refused, refuse

_TEXT = pa.large_string()
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_IN_DIGITS = r"^[+-]?[0-9]+(\.[0-9]*)?$"  # an exponent says itself that it is not exact
NOT_A_NUMBER = "is not a number"
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_AT_ONCE = 100_000  # cells: what a conversion makes on its way, up to five times the column, is made of so many


@dataclass(frozen=True)
class Converted:
    """A converted column: large_string, float64, int64 or bool; null where a reason is noted.

    `identities` are the identifiers inside JSON cells, as (row, identifier) pairs.
    """

    values: pa.Array
    refused: tuple[Refused, ...] = ()
    identities: tuple[tuple[int, str], ...] = field(default=(), repr=False)


def convert(series: pd.Series[Any], limits: Limits, default_region: str | None = None) -> Converted:
    """Convert a column of single values."""
    exact_text = limits.value not in ("number", "integer")
    return convert_cells(read_cells(series, exact_text=exact_text), limits, default_region)


def convert_cells(cells: Cells, limits: Limits, default_region: str | None = None) -> Converted:
    """Convert cells that were read already."""
    # Phone numbers all at once: each different one is read once, and that is slow.
    at_once = max(len(cells.values), 1) if limits.value == "phone" else _AT_ONCE
    parts: list[pa.Array] = []
    refused = list(cells.refused)
    for number, part in enumerate(cells.parts(at_once)):
        refused_here: list[Refused] = []
        parts.append(_converted(part, limits, default_region, refused_here))
        refused += [replace(reason, rows=reason.rows + number * at_once) for reason in refused_here]
    return Converted(parts[0] if len(parts) == 1 else pa.concat_arrays(parts), tuple(refused))


def _converted(cells: pa.Array, limits: Limits, default_region: str | None, refused: list[Refused]) -> pa.Array:
    match limits.value:
        case "number":
            return _numbers(cells, limits, refused)
        case "integer":
            return _integers(_numbers(cells, limits, refused), refused)
        case "boolean":
            return _booleans(cells, refused)
        case "datetime":
            return _datetimes(cells, refused)
        case "text":
            return _texts(cells, limits, refused)
    values = trimmed(as_text(cells, refused))
    values = forms.IN_FORM[limits.value](values, default_region, refused)
    values = _within_length(values, limits, refused)
    return forms.within_local_part(values, refused) if limits.value == "email" else values


def as_text(values: pa.Array, refused: list[Refused]) -> pa.Array:
    """Cells of any kind as text: 7 and 7.0 → "7", true → "true", instants → ISO-8601."""
    if pa.types.is_large_string(values.type):
        return refuse(
            values, pc.match_substring_regex(values, r"\x00"), ReasonCode.NOT_TEXT, "holds a NUL character", refused
        )
    if pa.types.is_timestamp(values.type):
        return dates.from_timestamps(values, refused)
    if not pa.types.is_floating(values.type):
        return pc.cast(values, _TEXT)
    values = refuse(values, pc.is_inf(values), ReasonCode.NOT_FINITE, NOT_FINITE, refused)
    whole = pc.equal(values, pc.floor(values))
    values = refuse(
        values, pc.and_(whole, pc.greater(pc.abs(values), MAX_SAFE_INTEGER)), ReasonCode.NOT_EXACT, NOT_EXACT, refused
    )
    whole_text = pc.cast(pc.cast(pc.if_else(whole, values, None), pa.int64()), _TEXT)
    return pc.coalesce(whole_text, _fractions(values))


def _fractions(values: pa.Array) -> pa.Array:
    """Finite floats as text, never in scientific notation, which Arrow writes from 1e10 on."""
    texts = pc.cast(values, _TEXT)
    scientific = pc.match_substring(texts, "e")
    if not pc.any(scientific).as_py():
        return texts
    plain = [plain_digits(number) for number in pc.filter(values, scientific).to_pylist()]
    return pc.replace_with_mask(texts, pc.fill_null(scientific, False), pa.array(plain, _TEXT))


def trimmed(values: pa.Array) -> pa.Array:
    """Text without outer white space; blank text is null."""
    values = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, _TEXT), values)


def _texts(values: pa.Array, limits: Limits, refused: list[Refused]) -> pa.Array:
    values = as_text(values, refused)
    stripped = trimmed(values)
    if limits.choices:
        lowered = pc.utf8_lower(stripped)
        unknown = pc.invert(pc.is_in(lowered, pa.array(limits.choices, _TEXT)))
        return refuse(
            lowered,
            pc.and_(lowered.is_valid(), unknown),
            ReasonCode.NOT_A_CHOICE,
            f"is not one of {', '.join(limits.choices)}",
            refused,
        )
    return _within_length(pc.if_else(stripped.is_valid(), values, pa.scalar(None, _TEXT)), limits, refused)


def _within_length(values: pa.Array, limits: Limits, refused: list[Refused]) -> pa.Array:
    if limits.max_length is None and limits.min_length is None:
        return values
    lengths = pc.utf8_length(values)
    too_long = pc.greater(lengths, limits.max_length) if limits.max_length is not None else None
    too_short = pc.less(lengths, limits.min_length) if limits.min_length is not None else None
    for mask, code, limit in (
        (too_long, ReasonCode.TOO_LONG, f"at most {limits.max_length}"),
        (too_short, ReasonCode.TOO_SHORT, f"at least {limits.min_length}"),
    ):
        if mask is None or not pc.any(mask).as_py():
            continue
        for length in pc.unique(pc.filter(lengths, mask)).to_pylist():
            unit = "character" if length == 1 else "characters"
            wrong = pc.equal(lengths, length)
            values = refuse(values, wrong, code, f"is {length} {unit}, {limit}", refused)
    return values


def _numbers(values: pa.Array, limits: Limits, refused: list[Refused]) -> pa.Array:
    kind = values.type
    if pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        return refuse(
            pa.nulls(len(values), pa.float64()), values.is_valid(), ReasonCode.NOT_NUMBER, NOT_A_NUMBER, refused
        )
    if pa.types.is_integer(kind):
        unsafe = pc.greater(values, MAX_SAFE_INTEGER)
        if pa.types.is_signed_integer(kind):
            unsafe = pc.or_(unsafe, pc.less(values, -MAX_SAFE_INTEGER))
        values = pc.cast(refuse(values, unsafe, ReasonCode.NOT_EXACT, NOT_EXACT, refused), pa.float64())
    elif pa.types.is_floating(kind):
        values = refuse(values, pc.is_inf(values), ReasonCode.NOT_FINITE, NOT_FINITE, refused)
    else:
        values = _numbers_from_text(values, refused)
    low, high, code = limits.minimum, limits.maximum, ReasonCode.OUT_OF_BOUNDS
    if low is not None:
        values = refuse(values, pc.less(values, float(low)), code, f"is below {low:g}", refused)
    if high is not None:
        values = refuse(values, pc.greater(values, float(high)), code, f"is above {high:g}", refused)
    return values


def _numbers_from_text(values: pa.Array, refused: list[Refused]) -> pa.Array:
    values = trimmed(as_text(values, refused))
    no_number = pc.invert(pc.match_substring_regex(values, _NUMBER))
    values = refuse(values, pc.and_(values.is_valid(), no_number), ReasonCode.NOT_NUMBER, NOT_A_NUMBER, refused)
    in_digits = pc.match_substring_regex(values, _IN_DIGITS)
    numbers = pc.cast(pc.replace_substring_regex(values, r"^\+", ""), pa.float64())
    numbers = refuse(numbers, pc.invert(pc.is_finite(numbers)), ReasonCode.NOT_FINITE, NOT_FINITE, refused)
    inexact = pc.and_(in_digits, pc.greater(pc.abs(numbers), MAX_SAFE_INTEGER))
    return refuse(numbers, inexact, ReasonCode.NOT_EXACT, NOT_EXACT, refused)


def _integers(values: pa.Array, refused: list[Refused]) -> pa.Array:
    values = refuse(
        values, pc.not_equal(values, pc.floor(values)), ReasonCode.NOT_WHOLE, "is not a whole number", refused
    )
    values = refuse(values, pc.greater(pc.abs(values), MAX_SAFE_INTEGER), ReasonCode.NOT_EXACT, NOT_EXACT, refused)
    return pc.cast(values, pa.int64())


def _booleans(values: pa.Array, refused: list[Refused]) -> pa.Array:
    if pa.types.is_boolean(values.type):
        return values
    lowered = pc.utf8_lower(trimmed(as_text(values, refused)))
    yes = pc.is_in(lowered, pa.array(_TRUE, _TEXT))
    unknown = pc.invert(pc.or_(yes, pc.is_in(lowered, pa.array(_FALSE, _TEXT))))
    result = pc.if_else(lowered.is_valid(), yes, pa.scalar(None, pa.bool_()))
    return refuse(
        result, pc.and_(lowered.is_valid(), unknown), ReasonCode.NOT_BOOLEAN, "is neither true nor false", refused
    )


def _datetimes(values: pa.Array, refused: list[Refused]) -> pa.Array:
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return dates.from_timestamps(values, refused)
    if pa.types.is_large_string(kind):
        return dates.from_text(trimmed(as_text(values, refused)), refused)
    what = "a boolean" if pa.types.is_boolean(kind) else "a plain number"
    reason = f"is {what}, not a date-time (seconds and milliseconds are not guessed; convert it in the query)"
    return refuse(pa.nulls(len(values), _TEXT), values.is_valid(), ReasonCode.NOT_DATE, reason, refused)
