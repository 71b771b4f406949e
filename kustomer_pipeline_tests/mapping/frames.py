"""Short ways to map one column, shared by the tests of the mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kustomer_pipeline.mapping import FieldMapping, map_frame, wire_rows


def objects(*cells: Any) -> pd.Series[Any]:
    """An object column of the cells as they are."""
    array = np.empty(len(cells), dtype=object)
    for row, cell in enumerate(cells):
        array[row] = cell  # one by one: numpy would unpack lists
    return pd.Series(array, dtype=object)


def mapped_column(
    field: str, cells: pd.Series[Any], object_name: str = "customers", **options: Any
) -> tuple[list[Any], list[str | None]]:
    """Map one column beside a row id: (values, None for null; reasons, None for valid rows)."""
    mapped = mapped_frame(field, cells, object_name, **options)
    return plain(mapped[field]), plain(mapped["_invalid"])


def mapped_frame(field: str, cells: pd.Series[Any], object_name: str = "customers", **options: Any) -> pd.DataFrame:
    """The mapped frame of one column beside a row id, which is the key unless the field is externalId."""
    frame = pd.DataFrame({"cells": cells})
    fields = [FieldMapping(field, ("cells",), match=options.pop("match", None))]
    match_on = [field]
    if field != "externalId":
        frame["row_id"] = [f"id-{row}" for row in range(len(cells))]
        fields.append(FieldMapping("externalId", ("row_id",)))
        match_on = ["externalId"]
    return map_frame(frame, fields, object_name=object_name, match_on=match_on, **options)


def wired(field: str, *cells: Any, object_name: str = "customers", **options: Any) -> list[dict[str, Any]]:
    """What goes on the wire for one column of objects, without the row id."""
    mapped = mapped_frame(field, objects(*cells), object_name, **options)
    rows = wire_rows(mapped, [FieldMapping(field, ("cells",))], object_name=object_name)
    assert mapped["_invalid"].isna().all(), mapped["_invalid"].tolist()
    return rows


def plain(series: pd.Series[Any]) -> list[Any]:
    """The cells of a column with None for nulls."""
    return [None if cell is pd.NA else cell for cell in series.astype(object).tolist()]


def reasons(mapped: pd.DataFrame) -> Sequence[str | None]:
    """The `_invalid` column with None for valid rows."""
    return plain(mapped["_invalid"])
