"""A frame as a file that a spreadsheet opens: CSV, in UTF-8 with the mark by which Excel knows it.

A spreadsheet takes text that begins with `=`, `+`, `-` or `@` for a formula and computes it, whoever wrote it. Such
text has an apostrophe in front here, as spreadsheets have it themselves; the Parquet file has it as it is.
"""

from __future__ import annotations

from typing import BinaryIO

import pandas as pd

_AT_ONCE = 20_000  # rows, which are text in memory while they are written
_FORMULA = r"^([=+\-@\t\r])"
_MARK = "\ufeff"


def write_csv(frame: pd.DataFrame, file: BinaryIO) -> None:
    """Into the file, a part at a time."""
    for start in range(0, max(len(frame), 1), _AT_ONCE):
        part = frame.iloc[start : start + _AT_ONCE].apply(_harmless)
        text = part.to_csv(index=False, header=start == 0, lineterminator="\r\n")
        file.write(((_MARK if start == 0 else "") + text).encode())


def _harmless(column: pd.Series) -> pd.Series:
    is_text = pd.api.types.is_string_dtype(column.dtype)
    return column.str.replace(_FORMULA, r"'\1", regex=True) if is_text else column
