"""Arrow arrays of a driver → Column: what may be taken as it is, because the driver's rows would be the same values.

Whatever is not surely the same (a type that is not named here, a date that Python has not) is not taken: then the query
is read by rows, which say what it is.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from .columns import Column

FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # microseconds: the years 1 to 9999, which Python has
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
_EXACT_CHARACTERS = 15  # a number as short as this is a float with the same digits

# Takes the values of a column; False, and nothing is taken, where one of them may be something else as a row's.
Take = Callable[[Column, pa.Array], bool]


def taker(kind: pa.DataType) -> Take | None:
    """What takes arrays of this type; None for one that has to be read by rows."""
    t = pa.types
    if t.is_integer(kind) and kind != pa.uint64():
        return _as(pa.int64())
    if t.is_floating(kind) and kind != pa.float16():
        return _as(pa.float64())
    if t.is_boolean(kind):
        return _as(pa.bool_())
    if t.is_string(kind) or t.is_large_string(kind) or (t.is_dictionary(kind) and t.is_string(kind.value_type)):
        return _as(pa.large_string())
    if t.is_decimal128(kind):
        return _take_decimals
    if t.is_date32(kind):
        return take_moments
    if t.is_timestamp(kind) and kind.unit != "ns":  # of nanoseconds each driver makes microseconds in its own way
        return _take_timestamps
    return None


def take_moments(column: Column, moments: pa.Array) -> bool:
    """Dates, or timestamps in microseconds, of years that Python has."""
    if moments.null_count < len(moments):
        bounds = pc.min_max(pc.cast(pc.cast(moments, pa.timestamp("us")), pa.int64())).as_py()
        if bounds["min"] < FIRST or bounds["max"] > LAST:
            return False
    column.add_array(moments)
    return True


def take_numbers(column: Column, texts: pa.Array) -> bool:
    """Decimal numbers as text. A short one means the same as a float; a whole one is a whole number: 7.00 is 7."""
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest > _EXACT_CHARACTERS or not all_match(texts, _NUMBER):
        return False
    numbers = pc.cast(texts, pa.float64())
    whole = pc.equal(numbers, pc.floor(numbers))
    if pc.all(whole).as_py():
        column.add_array(pc.cast(numbers, pa.int64()))
    else:
        column.add_array(numbers, mixed=bool(pc.any(whole).as_py()))
    return True


def all_match(texts: pa.Array, form: str) -> bool:
    """Whether all that are not null have this form; also where there are none."""
    return pc.all(pc.match_substring_regex(texts, form)).as_py() is not False


def _as(kind: pa.DataType) -> Take:
    def take(column: Column, values: pa.Array) -> bool:
        column.add_array(pc.cast(values, kind))
        return True

    return take


def _take_decimals(column: Column, values: pa.Array) -> bool:
    if not take_numbers(column, pc.cast(values, pa.large_string())):
        column.add(values.to_pylist())
    return True


def _take_timestamps(column: Column, values: pa.Array) -> bool:
    zone = "UTC" if values.type.tz is not None else None
    try:
        return take_moments(column, pc.cast(values, pa.timestamp("us", zone)))
    except pa.ArrowInvalid:  # beyond 64 bits in microseconds
        return False
