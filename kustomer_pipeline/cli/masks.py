"""What may be shown of the values of a sync's rows: as in its plans, field by field (sync/masked_values.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kustomer_pipeline.components.running import Spec
from kustomer_pipeline.resources import show_values
from kustomer_pipeline.sync import mask
from kustomer_pipeline.sync.masked_values import mask_pair, shown_fields
from kustomer_pipeline.sync.masking import shown as as_text


class Masks:
    """Those of one sync. Texts, or None where there is no value."""

    def __init__(self, spec: Spec) -> None:
        self._open = shown_fields(spec.fields, spec.object)
        self._columns = {column: mapping for mapping in reversed(spec.fields) for column in mapping.columns}
        self._shut = {column for mapping in spec.fields if not mapping.show for column in mapping.columns}

    def of_column(self, column: str, value: Any) -> str | None:
        """A value of the warehouse: by the field that the column is mapped to."""
        if pd.api.types.is_scalar(value) and pd.isna(value):
            return None
        text = as_text(value.item() if hasattr(value, "item") else value)
        if show_values() or column not in self._shut:
            return text
        return _text(mask(text, self._columns[column].field))

    def pair(self, field: str, one: Any, other: Any) -> tuple[str | None, str | None]:
        """Two values of a field side by side: where they differ, so does what is shown."""
        texts = as_text(_none(one)), as_text(_none(other))
        if show_values() or field in self._open:
            return texts
        first, second = mask_pair(*texts, field=field)
        return _text(first), _text(second)

    def items(self, field: str, values: Sequence[str]) -> str:
        """Each of some texts: addresses, numbers."""
        if show_values() or field in self._open:
            return ", ".join(values)
        return ", ".join(str(mask(value, field)) for value in values)


def _none(value: Any) -> Any:
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
