"""What rows can be recognised by, as hashes: two rows that share one cannot both be sent.

    mapped frame → one set of hashes a row: its key, and every identifier that Kustomer keeps unique or `match_on` names

So a comparison that runs elsewhere can find the rows that belong together, and is given no value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .fields import field_type, list_attributes
from .frame import column_names
from .keys import canonical_column
from .kinds import FieldMapping, FieldType
from .lists import identity_text, read_items
from .reasons import KEY
from .salted import salted_hashes

_TEXT = pa.large_string()


def identity_hashes(
    mapped: pd.DataFrame, fields: Sequence[FieldMapping], *, object_name: str, match_on: Sequence[str]
) -> list[set[str]]:
    """One set per row of a mapped frame, 16 hexadecimal characters each."""
    found: list[set[str]] = [set() for _ in range(len(mapped))]
    for space, rows, values in identity_columns(mapped, fields, object_name=object_name, match_on=match_on):
        _add(found, space, rows, values)
    return found


def identity_columns(
    mapped: pd.DataFrame, fields: Sequence[FieldMapping], *, object_name: str, match_on: Sequence[str]
) -> Iterator[tuple[str, np.ndarray[Any, Any], pa.Array]]:
    """(what kind of identifier, positions of rows, the canonical value of each), column by column.

    The kind of the row's key is "". A row may be in several of them, and several times in one.
    """
    yield "", np.arange(len(mapped)), _texts(mapped[KEY])
    for mapping in fields:
        kind = field_type(object_name, mapping.field)
        space = kind.identifier or (mapping.field if mapping.field in match_on else None)
        if space is None:
            continue
        for label in column_names(mapping):
            values = _texts(mapped[label])
            inside = pc.fill_null(pc.starts_with(values, "["), False) if kind.shape == "list" else None
            if inside is not None and pc.any(inside).as_py():
                rows, texts = _inside(values, inside, kind, object_name)
                yield space, rows, texts
                values = pc.if_else(inside, pa.scalar(None, _TEXT), values)
            there = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
            yield space, there, canonical_column(space, values.take(pa.array(there)))


def hash_of(space: str, value: str) -> str:
    """The hash of one identifier (email, phone…) in its canonical form."""
    return _hashes(space, pa.array([value], _TEXT))[0]


def hashes_of_values(space: str, values: Collection[str]) -> set[str]:
    """The same of many."""
    return set(_hashes(space, pa.array(values, _TEXT)))


def _inside(values: pa.Array, inside: pa.Array, kind: FieldType, object_name: str) -> tuple[Any, pa.Array]:
    attribute = list_attributes(object_name)[kind.attribute]
    rows = np.flatnonzero(inside.to_numpy(zero_copy_only=False)).tolist()
    pairs = [(row, identity_text(item, attribute)) for row in rows for item in read_items(values[row].as_py(), kind)]
    return np.array([row for row, _ in pairs], dtype=np.int64), pa.array([text for _, text in pairs], _TEXT)


def _add(found: list[set[str]], space: str, rows: Any, values: pa.Array) -> None:
    for row, hashed in zip(rows.tolist(), _hashes(space, values), strict=True):
        found[row].add(hashed)


def _hashes(space: str, values: pa.Array) -> list[str]:
    return [f"{hashed:016x}" for hashed in salted_hashes(values.to_pylist(), space).tolist()]


def _texts(column: pd.Series[Any]) -> pa.Array:
    array = pa.array(column, type=_TEXT, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
