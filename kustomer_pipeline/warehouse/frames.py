"""A frame that somebody else made, with the dtypes that `read_frame` gives.

pandas, polars or Arrow, from an upstream asset ─→ Arrow, column by column ─→ DataFrame with nullable dtypes
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .columns import Column
from .errors import QueryError
from .read import to_frame


def frame_of(value: Any, name: str) -> pd.DataFrame:
    """The rows of an upstream asset. NaN and None are null; decimals, dates and the like become what a query gives.

    Raises:
        QueryError: it is no frame, two of its columns have one name, or a column holds values of several types.
    """
    table = _arrow(value, name)
    twice = [str(column) for column, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise QueryError(
            f"The asset {name} has several columns named {', '.join(map(repr, twice))}; rename all but one"
        )
    return to_frame(pa.table({column: _column(column, table.column(column)) for column in table.column_names}))


def _arrow(value: Any, name: str) -> pa.Table:
    if isinstance(value, pa.Table):
        return value
    if isinstance(value, pd.DataFrame):
        columns = [_from_pandas(str(column), value.iloc[:, place], name) for place, column in enumerate(value.columns)]
        return pa.table(columns, names=[str(column) for column in value.columns])
    if hasattr(value, "collect") and hasattr(value, "lazy"):  # a polars LazyFrame
        value = value.collect()
    if hasattr(value, "to_arrow"):
        return pa.table(value.to_arrow())
    kind = type(value).__name__
    raise QueryError(
        f"The asset {name} gives a {kind}, not a DataFrame: let it return one (pandas, polars or Arrow), or name its "
        "table in the warehouse: source: {asset: …, table: …}"
    )


def _from_pandas(column: str, values: pd.Series, name: str) -> pa.Array:
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise QueryError(
            f"The column {column!r} of the asset {name} holds values of several types; give it one type there"
        ) from None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _column(name: str, values: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values.cast(pa.large_string())
    if pa.types.is_boolean(kind):
        return values
    if pa.types.is_signed_integer(kind):
        return values.cast(pa.int64())
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        return pc.if_else(pc.is_nan(values), None, values).cast(pa.float64())
    collected = Column(name)
    for chunk in values.chunks:
        collected.add(chunk.to_pylist())
    return collected.array()
