"""Date-times as Kustomer writes them: ISO-8601 in UTC with milliseconds and Z. Naive times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .reasons import ReasonCode, Refused, refuse

NOT_A_DATE = "is not an ISO-8601 date or date-time between the years 1 and 9999"

_ISO = (
    r"^(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:[Tt ](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<zone>[Zz]|UTC|[+-]\d{2}(?::?\d{2})?)?)?$"
)
_UNITS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST = int(np.datetime64("0001-01-01", "ms").astype(np.int64))
_LAST = int(np.datetime64("9999-12-31T23:59:59.999", "ms").astype(np.int64))

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


def from_timestamps(values: pa.Array, refused: list[Refused]) -> pa.Array:
    """Arrow timestamps (or date32) as text; those outside the years 1 to 9999 are refused."""
    if pa.types.is_date(values.type):
        values = pc.cast(pc.cast(values, pa.date32()), pa.timestamp("s"))
    per_second = _UNITS_PER_SECOND[values.type.unit]
    present = values.is_valid()
    stamps = pc.fill_null(pc.cast(values, pa.int64()), 0).to_numpy()
    if per_second >= 1_000:
        millis, outside = stamps // (per_second // 1_000), np.zeros(len(stamps), dtype=bool)
    else:
        outside = (stamps < _FIRST // 1_000) | (stamps > _LAST // 1_000)
        millis = np.where(outside, 0, stamps) * 1_000
    return _as_text(millis, outside, present, refused)


def from_text(values: pa.Array, refused: list[Refused]) -> pa.Array:
    """ISO-8601 text (trimmed) as normalised text; what is no date is refused."""
    read = _read(values)
    no_date = pc.and_(values.is_valid(), pa.array(~read.matched))
    values = refuse(values, no_date, ReasonCode.NOT_DATE, NOT_A_DATE, refused)
    return _as_text(read.millis, ~read.good, values.is_valid(), refused)


@dataclass(frozen=True)
class _Read:
    """Texts that were read, aligned. matched: it has the form of a date. good: and is one, at `millis` since 1970."""

    matched: Bools
    good: Bools
    millis: Ints


def _read(values: pa.Array) -> _Read:
    parts = pc.extract_regex(values, _ISO)

    def number(name: str, default: str) -> Ints:
        part = pc.fill_null(pc.struct_field(parts, name), default)
        part = pc.if_else(pc.equal(pc.binary_length(part), 0), default, part)
        numbers: Ints = pc.cast(part, pa.int64()).to_numpy()
        return numbers

    year, month, day = number("year", "0001"), number("month", "01"), number("day", "01")
    hour, minute, second = number("hour", "00"), number("minute", "00"), number("second", "00")
    fraction = pc.fill_null(pc.struct_field(parts, "fraction"), "")
    millis = pc.utf8_slice_codeunits(pc.utf8_rpad(fraction, 3, "0"), 0, 3)
    milli = pc.cast(millis, pa.int64()).to_numpy()

    good_month = (month >= 1) & (month <= 12) & (year >= 1)
    months = (year - 1970) * 12 + np.where(good_month, month, 1) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    offset, good_offset = _offset_minutes(pc.fill_null(pc.struct_field(parts, "zone"), ""))
    good = good_month & (day >= 1) & (day <= after - first) & good_offset
    good &= (hour <= 23) & (minute <= 59) & (second <= 59)
    seconds = (first + day - 1) * 86_400 + hour * 3_600 + (minute - offset) * 60 + second
    return _Read(parts.is_valid().to_numpy(zero_copy_only=False), good, seconds * 1_000 + milli)


def _offset_minutes(zone: pa.Array) -> tuple[Ints, Bools]:
    """Minutes east of UTC per row, and whether they can be. The few distinct zones are read once each."""
    encoded = zone.dictionary_encode()
    minutes, good = [], []
    for text in encoded.dictionary.to_pylist():
        digits = text[1:].replace(":", "").ljust(4, "0") if text[:1] in ("+", "-") else "0000"
        hours, rest = int(digits[:2]), int(digits[2:])
        minutes.append((-1 if text[:1] == "-" else 1) * (hours * 60 + rest))
        good.append(hours <= 23 and rest <= 59)
    codes = encoded.indices.to_numpy()
    return np.array(minutes, dtype=np.int64)[codes], np.array(good, dtype=bool)[codes]


def _as_text(millis: Ints, outside: Bools, present: pa.Array, refused: list[Refused]) -> pa.Array:
    outside = outside | (millis < _FIRST) | (millis > _LAST)
    stamps = pa.array(np.where(outside, 0, millis), pa.timestamp("ms"), mask=~present.to_numpy(zero_copy_only=False))
    text = pc.replace_substring(pc.cast(stamps, pa.large_string()), " ", "T", max_replacements=1)
    text = pc.binary_join_element_wise(text, pa.scalar("Z", pa.large_string()), pa.scalar("", pa.large_string()))
    return refuse(text, pc.and_(pa.array(outside), present), ReasonCode.NOT_DATE, NOT_A_DATE, refused)
