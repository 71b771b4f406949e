"""Small tables for the Dagster UI: at most a hundred rows, values masked unless KUSTOMER_SHOW_VALUES=1."""

from collections.abc import Collection, Iterable
from typing import Any

import dagster as dg
import pandas as pd

from kustomer_pipeline.mapping import CODES, INVALID, KEY
from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import mask, mask_key

Metadata = dict[str, Any]

MAX_ROWS = 100  # Dagster's event log is no place for big tables
PREVIEW_ROWS = 5


def table(name: str, frame: pd.DataFrame) -> Metadata:
    """A small table under `name`; nothing when it is empty, because Dagster draws no columns then."""
    if frame.empty:
        return {}
    records = [
        dg.TableRecord({str(key): _cell(value) for key, value in row.items()})
        for row in frame.head(MAX_ROWS).to_dict("records")
    ]
    schema = dg.TableSchema(columns=[dg.TableColumn(str(column)) for column in frame.columns])
    return {name: dg.MetadataValue.table(records, schema=schema)}


def masked_keys(keys: Iterable[str]) -> list[str]:
    """Keys of rows as they may be shown."""
    return [key if show_values() else mask_key(key) for key in keys]


def preview(frame: pd.DataFrame, shown: Collection[str] = ()) -> pd.DataFrame:
    """The first rows as they may be shown. shown: fields of a mapped frame whose values may be."""
    head = frame.head(PREVIEW_ROWS)
    if show_values():
        return head
    mapped = KEY in frame
    return pd.DataFrame(
        {column: [_masked(str(column), value, mapped, shown) for value in head[column]] for column in head}
    )


def _masked(column: str, value: Any, mapped: bool, shown: Collection[str]) -> Any:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if not mapped:  # the columns are named as somebody liked
        return mask(_plain(value))
    if column == KEY:
        return mask_key(str(value))
    field = column if column.startswith("custom.") else column.partition(".")[0]
    return value if field in shown or column in (INVALID, CODES) else mask(_plain(value), field)


def _cell(value: Any) -> str | int | float | bool | None:
    """A table cell holds text, numbers, true, false and null, and no numpy scalars."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    plain = _plain(value)
    return plain if isinstance(plain, str | int | float | bool) else str(plain)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
