"""Why rows are invalid: kept per failing row only, so that a clean million costs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Problem:
    """Rows (0-based) that fail for one reason. The reason never holds a value: it may be personal data."""

    rows: np.ndarray[Any, np.dtype[np.int64]]
    reason: str


def rows_where(mask: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The 0-based positions where a boolean array is true (null is not)."""
    return np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))


def refuse(values: pa.Array, mask: pa.Array, reason: str, problems: list[Problem]) -> pa.Array:
    """`values` without those under `mask`, each of them noted in `problems`."""
    rows = rows_where(mask)
    if len(rows) == 0:
        return values
    problems.append(Problem(rows, reason))
    return pc.if_else(pc.fill_null(mask, False), pa.scalar(None, values.type), values)


def mask_of(rows: Iterable[int] | np.ndarray[Any, Any], length: int) -> pa.Array:
    """A boolean array of `length` that is true at `rows`."""
    mask = np.zeros(length, dtype=bool)
    mask[np.asarray(rows, dtype=np.int64)] = True
    return pa.array(mask)


def reasons_column(problems: Iterable[Problem], length: int) -> pa.Array:
    """The reasons of each row joined by "; " in the order given, null for rows without any."""
    reasons: dict[int, str] = {}
    for problem in problems:
        for row in problem.rows.tolist():
            known = reasons.get(row)
            reasons[row] = problem.reason if known is None else f"{known}; {problem.reason}"
    if not reasons:
        return pa.nulls(length, pa.large_string())
    rows = np.fromiter(reasons, dtype=np.int64, count=len(reasons))
    order = np.argsort(rows)
    found = pa.array(list(reasons.values()), pa.large_string()).take(pa.array(order))
    return pc.replace_with_mask(pa.nulls(length, pa.large_string()), mask_of(rows, length), found)
