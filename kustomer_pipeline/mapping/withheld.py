"""Rows of a warehouse frame whose values are taken out before anybody keeps them: only their place is left.

frame + positions → the same frame, those rows empty, and the column `_withheld` → map_frame → `_withheld`, no reason
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .reasons import ROW

WITHHELD = "_withheld"


def withhold(frame: pd.DataFrame, positions: np.ndarray[Any, Any]) -> pd.DataFrame:
    """The frame with these rows emptied, in all columns but `_row`. Other rows keep their values as they are."""
    which = np.zeros(len(frame), dtype=bool)
    which[positions] = True
    emptied = {name: column if name == ROW else _emptied(column, which) for name, column in frame.items()}
    return pd.DataFrame({**emptied, WITHHELD: which}, index=frame.index)


def is_withheld(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Which rows of a frame, or of a mapped frame, are."""
    if WITHHELD not in frame:
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(frame[WITHHELD].to_numpy(dtype=bool))


def without_reasons(frame: pd.DataFrame, *reasons: pa.Array) -> list[pa.Array]:
    """Nothing is wrong with a row that is withheld."""
    if WITHHELD not in frame:
        return list(reasons)
    which = pa.array(is_withheld(frame))
    return [pc.if_else(which, pa.scalar(None, column.type), column) for column in reasons]


def _emptied(column: pd.Series[Any], which: np.ndarray[Any, Any]) -> pd.Series[Any]:
    """A column of numbers that cannot be null becomes one that can: as floats, large ones would not be exact."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
        column = column.convert_dtypes()
    return column.mask(which)
