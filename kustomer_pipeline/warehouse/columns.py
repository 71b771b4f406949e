"""A column of a result, collected chunk by chunk: values, or Arrow arrays, of the driver → Arrow, one type for all.

What a column holds is known only when all of it has come, and SQLite may hold a number in one row and text
in the next. So each chunk is kept in Arrow (no Python object per cell) together with the kinds of value seen,
and at the end the kinds choose the type:

    int                          → int64            beyond 64 bits: text
    float, or float and int      → float64          with an int that a float cannot hold: text
    bool                         → bool
    date, datetime               → timestamp        in microseconds, which holds the years 1 to 9999
    datetime with a time zone    → timestamp, UTC
    str, and any other mixture   → text             7 stays "7", "007" stays "007", 7.0 is "7"

A Decimal counts as an int when it is whole, as a float when a float holds all its digits, else as text. UUIDs, times
and intervals become text, JSON and arrays JSON text; bytes are refused. NaN is no number: null. A date that Python
has not (infinity, the year 12000) is kept as the year 10000, without a zone: mapping refuses it where it is mapped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isnan
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from .errors import QueryError
from .out_of_range import OutOfRange

Kind = Literal["bool", "int", "float", "date", "datetime", "datetime_utc", "text"]

_TEXT = pa.large_string()  # offsets of 64 bits: a column may be larger than 2 GB
_TYPES: dict[Kind, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "datetime_utc": pa.timestamp("us", tz="UTC"),
    "text": _TEXT,
}
_KINDS: dict[pa.DataType, Kind] = {arrow: kind for kind, arrow in _TYPES.items()}
_KNOWN = (str, bool, int, float, Decimal, OutOfRange, datetime, date)  # bool is an int, datetime a date: narrower first
_EXACT = 2**53  # up to here a float holds every whole number
_EXACT_DIGITS = 15  # up to here a float holds every decimal number
_INT64 = 2**63
_MAX_DIGITS = 400  # a number of more is no number that anybody can use; as text it costs nothing
_FAR = pa.scalar(253_402_300_800_000_000, pa.timestamp("us"))  # 10000-01-01


class Column:
    """Collects one column of a result: `add` every chunk, then take `array` once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._chunks: list[pa.Array] = []
        self._kinds: set[Kind] = set()
        self._fits_float = True
        self._out_of_range = False

    def add(self, values: Sequence[Any]) -> None:
        """Take the next values, as the driver gave them.

        Raises:
            QueryError: there are bytes among them.
        """
        types = {_python_type(seen) for seen in set(map(type, values))} - {None}
        if bytes in types:
            raise QueryError(
                f"The column {self._name!r} holds bytes, which have no place in a Kustomer field; "
                "leave it out of the query, or turn it into text there"
            )
        if Decimal in types:
            values = [_number(value) if isinstance(value, Decimal) else value for value in values]
            types = {_python_type(seen) for seen in set(map(type, values))} - {None}
        if OutOfRange in types:
            self._add_with_out_of_range(values)
            return
        if types == {int} and (whole := _whole_numbers(values)) is not None:
            self.add_array(whole)
            return
        kinds = _kinds(types, values)
        self._fits_float = self._fits_float and _fits_float(types, values)
        self._kinds |= kinds
        self._chunks.append(_to_arrow(types, values, kinds))

    def add_array(self, values: pa.Array, *, mixed: bool = False) -> None:
        """Take the next values as an array: int64, float64, bool, large_string, date32 or timestamp in microseconds.

        The column becomes what it would have become by the same values one by one. `mixed`: floats of which some were
        whole numbers, none of them beyond 53 bits.
        """
        if values.null_count == len(values):
            self._chunks.append(pa.nulls(len(values)))
            return
        if pa.types.is_floating(values.type):
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        if pa.types.is_integer(values.type) and self._fits_float:
            bounds = pc.min_max(values).as_py()
            self._fits_float = bounds["min"] >= -_EXACT and bounds["max"] <= _EXACT
        self._kinds |= {"int", "float"} if mixed else {_KINDS[values.type]}
        self._chunks.append(values)

    def array(self) -> pa.ChunkedArray:
        """The whole column, of one type, in its chunks: put together they would be there twice. They are given up."""
        chunks, self._chunks = self._chunks, []
        target = self._type()
        return pa.chunked_array([_cast(chunk, target) for chunk in chunks], target)

    def _add_with_out_of_range(self, values: Sequence[Any]) -> None:
        far = [isinstance(value, OutOfRange) for value in values]
        rest = [None if is_far else value for value, is_far in zip(values, far, strict=True)]
        types = {_python_type(seen) for seen in set(map(type, rest))} - {None}
        kinds: set[Kind] = {value.kind for value in values if isinstance(value, OutOfRange)} | _kinds(types, rest)
        self._kinds |= kinds
        if len(kinds) > 1:
            self._chunks.append(pa.array([_text(value) for value in values], _TEXT))
            return
        self._out_of_range = True
        kind = _TYPES[next(iter(kinds))]
        self._chunks.append(pc.if_else(pa.array(far), pc.cast(_FAR, kind), pa.array(rest, kind)))

    def _type(self) -> pa.DataType:
        # Without a zone: pandas cannot show a moment beyond the year 9999 that has one. Naive means UTC to the mapping.
        if self._kinds == {"date"} or (self._out_of_range and self._kinds == {"datetime_utc"}):
            return _TYPES["datetime"]
        if len(self._kinds) == 1:
            return _TYPES[next(iter(self._kinds))]
        if self._kinds == {"int", "float"} and self._fits_float:
            return _TYPES["float"]
        return _TEXT


def _python_type(seen: type) -> type | None:
    """The type that decides how a value is kept; `object` for those kept as text, None for null."""
    if seen is type(None):
        return None
    if issubclass(seen, (bytes, bytearray, memoryview)):
        return bytes
    return next((known for known in _KNOWN if issubclass(seen, known)), object)


def _number(value: Decimal) -> int | float | str | None:
    if not value.is_finite():
        return None if value.is_nan() else float(value)
    text = str(value)
    if len(text) <= _EXACT_DIGITS and "E" not in text:  # the common case, fast
        short = float(text)
        return int(short) if short.is_integer() else short
    if abs(value.adjusted()) > _MAX_DIGITS:
        return _digits(value)
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else _digits(value)


def _digits(value: Decimal) -> str:
    """All digits of a number, never in scientific notation; Infinity is called that, as databases call it."""
    text = f"{value:f}" if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _kinds(types: set[type | None], values: Sequence[Any]) -> set[Kind]:
    if not types:
        return set()
    if types == {datetime}:
        aware = {value.utcoffset() is not None for value in values if value is not None}
        return {"text"} if len(aware) == 2 else {"datetime_utc" if True in aware else "datetime"}
    if types == {int} or types == {int, float}:
        if any(isinstance(value, int) and not -_INT64 <= value < _INT64 for value in values):
            return {"text"}
        return {"int", "float"} if float in types else {"int"}
    single: dict[type | None, Kind] = {bool: "bool", float: "float", date: "date"}
    return {single.get(next(iter(types)), "text") if len(types) == 1 else "text"}


def _whole_numbers(values: Sequence[Any]) -> pa.Array | None:
    """As an array; None where one of them is beyond 64 bits."""
    try:
        return pa.array(values, _TYPES["int"])
    except (OverflowError, pa.ArrowInvalid):
        return None


def _fits_float(types: set[type | None], values: Sequence[Any]) -> bool:
    return int not in types or all(-_EXACT <= value <= _EXACT for value in values if isinstance(value, int))


def _to_arrow(types: set[type | None], values: Sequence[Any], kinds: set[Kind]) -> pa.Array:
    if not kinds:
        return pa.nulls(len(values))
    if len(kinds) == 1 and (kinds != {"text"} or types == {str}):
        return pa.array(values, _TYPES[next(iter(kinds))], from_pandas=True)  # from_pandas: NaN is null
    return pa.array([_text(value) for value in values], _TEXT)


def _cast(chunk: pa.Array, target: pa.DataType) -> pa.Array:
    if chunk.type == target:
        return chunk
    if target == _TEXT and chunk.type not in (_TEXT, pa.null()):
        return pa.array([_text(value) for value in chunk.to_pylist()], _TEXT)
    return pc.cast(chunk, target)


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return None if isnan(value) else _digits(Decimal(repr(value)))
        case Decimal():
            return _digits(value)
        case date() | datetime():
            return value.isoformat()
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=_text)
    return str(value)
