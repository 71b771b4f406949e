"""The mapped frame's rows as fragments of a Kustomer body: what is mapped, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from .fields import field_type, list_attributes
from .frame import column_names
from .kinds import FieldMapping, FieldType
from .lists import merge_items, read_items


def wire_rows(mapped: pd.DataFrame, fields: Sequence[FieldMapping], *, object_name: str) -> list[dict[str, Any]]:
    """One dict per row of (a part of) the mapped frame, in order, with every mapped attribute.

    Null scalars and custom keys are None; a list attribute is None when all its columns are null, and has
    each item once. Values are str, int, float, bool or None; `company` is the warehouse's value, `tags` are
    names or ids.
    """
    rows: list[dict[str, Any]] = [{} for _ in range(len(mapped))]
    for mapping in fields:
        kind = field_type(object_name, mapping.field)
        columns = [_cells(mapped[name]) for name in column_names(mapping)]
        for row, cells in zip(rows, zip(*columns, strict=True), strict=True):
            _add(row, kind, cells)
    for attribute, compare in list_attributes(object_name).items():
        for row in rows:
            if row.get(attribute):
                row[attribute] = merge_items(row[attribute], compare)
    return rows


def _cells(column: pd.Series[Any]) -> list[Any]:
    cells: list[Any] = pa.array(column, from_pandas=True).to_pylist()  # plain Python values, None for null
    return cells


def _add(row: dict[str, Any], kind: FieldType, cells: Sequence[Any]) -> None:
    if kind.shape == "list":
        items = [item for cell in cells if cell is not None for item in read_items(cell, kind)]
        row[kind.attribute] = (row.get(kind.attribute) or []) + items or None
    elif kind.shape == "custom":
        row.setdefault("custom", {})[kind.custom_key] = _plain(cells[0])
    elif kind.value == "json" and cells[0] is not None:
        row[kind.attribute] = json.loads(cells[0])
    else:
        row[kind.attribute] = _plain(cells[0])


def _plain(value: Any) -> Any:
    """Whole floats as int: Kustomer shows 7, and a fingerprint must not tell 7 from 7.0."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
