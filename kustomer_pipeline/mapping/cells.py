"""Any pandas column, whatever its dtype → one of a few Arrow arrays, plus the cells that cannot be read.

Columns with a type of their own stay in Arrow (no Python object per cell). Object columns of other than
plain values (Decimal, datetime, UUID, dict, a mixture) are read cell by cell into text, which every
converter understands.
"""

from __future__ import annotations

import cmath
import datetime as dt
import decimal
import json
import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .reasons import ReasonCode, Refused

MAX_SAFE_INTEGER = 2**53 - 1  # beyond it neither a float column nor a JSON number is exact
NOT_EXACT = "is a number too large to be exact; cast it to text in the query"
NOT_FINITE = "is not a finite number"
TOO_LONG = "is a number too long to be an id or a quantity"
NOT_UTF8 = "holds characters that UTF-8 cannot encode"
UNREADABLE = "cannot be read"

_MAX_DIGITS = 1_100  # no field takes longer text; also spares str() of absurdly large integers
_UNIFORM_OBJECTS = frozenset({"string", "empty", "boolean", "integer", "floating"})


@dataclass(frozen=True)
class Cells:
    """A column: large_string, int64, uint64, float64, bool, date32 or timestamp (naive = UTC).

    `values` is in as many pieces as the column came in: put together it would be in memory twice.
    """

    values: pa.Array | pa.ChunkedArray
    refused: tuple[Refused, ...] = ()

    def array(self) -> pa.Array:
        """The column in one piece."""
        return _one_piece(self.values)

    def parts(self, cells: int) -> Iterator[pa.Array]:
        """The column, so many cells at a time; of an empty one a part that is empty."""
        for start in range(0, max(len(self.values), 1), cells):
            yield _one_piece(self.values.slice(start, cells))


class _UnreadableError(Exception):
    """A cell that cannot be read; the text says why, without the cell."""

    def __init__(self, text: str, code: ReasonCode = ReasonCode.UNREADABLE) -> None:
        super().__init__(text)
        self.code = code


def read_cells(series: pd.Series[Any], *, exact_text: bool, structured: bool = False) -> Cells:
    """Read a column.

    `exact_text`: numbers are to become text. `structured`: dicts and lists become JSON text.
    """
    values = _typed(series)
    if values is None:
        return _read_objects(list(series), exact_text=exact_text, structured=structured)
    return Cells(values)


def _typed(series: pd.Series[Any]) -> pa.Array | pa.ChunkedArray | None:
    """The column as a supported Arrow array, or None where it must be read cell by cell."""
    if series.dtype == object and not _uniform(series):
        return None
    try:
        values = pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):  # mixed, unencodable or exotic values
        return None
    if pa.types.is_dictionary(values.type):
        if not _supported(values.type.value_type):
            return None
        values = pc.cast(values, values.type.value_type)
    if not _supported(values.type):
        return None
    return _canonical(values)


def _uniform(series: pd.Series[Any]) -> bool:
    """Whether an object column holds one kind of plain value, and nulls."""
    try:
        return pd.api.types.infer_dtype(series, skipna=True) in _UNIFORM_OBJECTS
    except Exception:  # looking at an arbitrary object may raise anything; reading it notes the row
        return False


def _supported(kind: pa.DataType) -> bool:
    t = pa.types
    return any(
        is_kind(kind)
        for is_kind in (
            t.is_string, t.is_large_string, t.is_string_view, t.is_null, t.is_boolean, t.is_integer,
            t.is_floating, t.is_timestamp, t.is_date,
        )
    )  # fmt: skip


def _canonical(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    kind, t = values.type, pa.types
    if t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind) or t.is_null(kind):
        values = pc.cast(values, pa.large_string())
    elif t.is_integer(kind):
        values = pc.cast(values, pa.int64() if t.is_signed_integer(kind) else pa.uint64())
    elif t.is_floating(kind):
        if not t.is_float64(kind):
            # A 32-bit 0.1 means 0.1, not 0.10000000149: its shortest text says so.
            values = pc.cast(pc.cast(pc.cast(values, pa.float32()), pa.large_string()), pa.float64())
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    elif t.is_date(kind):
        values = pc.cast(values, pa.date32())
    elif t.is_timestamp(kind) and kind.tz is not None:
        # Through int64: the stored instants are UTC already, whatever the zone is called.
        values = pc.cast(pc.cast(values, pa.int64()), pa.timestamp(kind.unit))
    return values


def _one_piece(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _read_objects(cells: Sequence[Any], *, exact_text: bool, structured: bool) -> Cells:
    texts: list[str | None] = []
    refused: dict[tuple[ReasonCode, str], list[int]] = {}
    for row, cell in enumerate(cells):
        try:
            texts.append(cell if type(cell) is str else _cell_text(cell, exact_text, structured))
        except _UnreadableError as error:
            refused.setdefault((error.code, str(error)), []).append(row)
            texts.append(None)
        except Exception:  # an arbitrary object's own methods may raise anything; the row is invalid, the run goes on
            refused.setdefault((ReasonCode.UNREADABLE, UNREADABLE), []).append(row)
            texts.append(None)
    try:
        values = pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        for row, text in enumerate(texts):
            if text is not None and not _encodable(text):
                refused.setdefault((ReasonCode.NOT_TEXT, NOT_UTF8), []).append(row)
                texts[row] = None
        values = pa.array(texts, pa.large_string())
    reasons = (Refused(np.array(rows, dtype=np.int64), code, text) for (code, text), rows in refused.items())
    return Cells(values, tuple(reasons))


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cell_text(cell: Any, exact_text: bool, structured: bool) -> str | None:
    """One cell as text, None for nulls; raises _UnreadableError with a text that never holds the value."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, np.datetime64 | np.timedelta64):
        cell = pd.Timestamp(cell) if isinstance(cell, np.datetime64) else pd.Timedelta(cell)
        if cell is pd.NaT:
            return None
    elif isinstance(cell, np.generic):
        cell = float(str(cell)) if isinstance(cell, np.floating) else cell.item()
    if isinstance(cell, str):
        return str.__str__(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int):
        if cell.bit_length() > 3 * _MAX_DIGITS:
            raise _UnreadableError(TOO_LONG, ReasonCode.TOO_LONG)
        return int.__repr__(cell)
    if isinstance(cell, float):
        return _float_text(cell, exact_text)
    if isinstance(cell, complex) and cmath.isnan(cell):
        return None
    if isinstance(cell, decimal.Decimal):
        return _decimal_text(cell)
    if isinstance(cell, dt.datetime):
        return _datetime_text(cell)
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, uuid.UUID):
        return str(cell)
    if isinstance(cell, dict | list | tuple | np.ndarray):
        if not structured:
            raise _UnreadableError("is a list or an object; a single value is needed")
        return _json_text(cell)
    raise _UnreadableError(f"is of a type that has no place in Kustomer ({type(cell).__name__}); cast it in the query")


def _float_text(number: float, exact_text: bool) -> str | None:
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise _UnreadableError(NOT_FINITE, ReasonCode.NOT_FINITE)
    if not exact_text:
        return float.__repr__(number)
    if not number.is_integer():
        return plain_digits(number)
    if abs(number) > MAX_SAFE_INTEGER:
        raise _UnreadableError(NOT_EXACT, ReasonCode.NOT_EXACT)
    return str(int(number))


def plain_digits(number: float) -> str:
    """A finite number as its shortest text, never in scientific notation: 12345678901.25, 0.0000001."""
    text = float.__repr__(number)
    return f"{decimal.Decimal(text):f}" if "e" in text else text


def _decimal_text(number: decimal.Decimal) -> str | None:
    if number.is_nan():
        return None
    if number.is_infinite():
        raise _UnreadableError(NOT_FINITE, ReasonCode.NOT_FINITE)
    if not number:
        return "0"
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and (abs(exponent) > _MAX_DIGITS or abs(number.adjusted()) > _MAX_DIGITS):
        raise _UnreadableError(TOO_LONG, ReasonCode.TOO_LONG)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _datetime_text(moment: dt.datetime) -> str:
    try:
        if moment.tzinfo is not None:
            moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    except (OverflowError, ValueError) as error:
        raise _UnreadableError("is outside the years 1 to 9999", ReasonCode.NOT_DATE) from error
    return moment.isoformat(timespec="milliseconds") + "Z"


def _json_text(cell: Any) -> str:
    try:
        value = cell.tolist() if isinstance(cell, np.ndarray) else cell
        return json.dumps(value, default=_json_value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _UnreadableError("cannot be written as JSON", ReasonCode.NOT_JSON) from error


def _json_value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return _cell_text(value, exact_text=True, structured=False)
