"""The mapping itself: a warehouse frame in, the mapped frame out.

frame → one converted column per (field, warehouse column) → required fields, identifiers, item counts
      → row keys → rows that share an identifier → mapped frame: _key, fields…, _invalid, _codes

No row is dropped and none raises: a row that cannot be sent says why in `_invalid`
(for people) and in `_codes` (for programs, see reasons.py), without the value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .catalogue import COMPANY_LINKS
from .convert import Converted, convert
from .errors import DuplicateColumnError, FieldConfigError, MissingColumnError
from .fields import check_fields, close_matches, field_type, list_attributes
from .keys import IdentifierColumn, RowKeys, canonical_column, duplicates_of, row_keys
from .kinds import FieldMapping, FieldType
from .lists import convert_list, convert_object, first_items, merge_items, read_items
from .reasons import CODES, INVALID, KEY, ROW, ReasonCode, Refused, reason_columns
from .withheld import WITHHELD, is_withheld, without_reasons

_DTYPES: dict[pa.DataType, Any] = {
    pa.large_string(): pd.StringDtype("pyarrow"),
    pa.float64(): pd.Float64Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


@dataclass(frozen=True)
class _Column:
    """One column of the mapped frame."""

    label: str
    field: FieldType
    converted: Converted

    @property
    def values(self) -> pa.Array:
        return self.converted.values

    def failed(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        rows = [reason.rows for reason in self.converted.refused]
        return np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)


def column_names(mapping: FieldMapping) -> tuple[str, ...]:
    """The mapped frame's columns of a field: "email", "email.2", … one per warehouse column."""
    further = (f"{mapping.field}.{number}" for number in range(2, len(mapping.columns) + 1))
    return (mapping.field, *further)


def map_frame(
    frame: pd.DataFrame,
    fields: Sequence[FieldMapping],
    *,
    object_name: str,
    match_on: Sequence[str],
    required: Sequence[str] = (),
    default_region: str | None = None,
    duplicates: Literal["invalid", "allow"] = "invalid",
) -> pd.DataFrame:
    """Rename, convert and validate a warehouse frame; `frame` itself is left as it is.

    Returns a frame of the same rows in the same order (RangeIndex) with the columns `_key` (names the row, never null),
    one per field and warehouse column ("email", "email.2", …), `_invalid` (null, or the reasons joined by "; ") and
    `_codes` (null, or what reason_lines reads), and `_row` and `_withheld` where the frame has them. dtypes: string,
    Float64, Int64 or boolean (`_row`: int64, `_withheld`: bool). `required` fields must not be null. `default_region`
    is the country of national phone numbers. `duplicates="invalid"` refuses every row that shares its key, or an
    identifier that Kustomer keeps unique, with another row.

    Raises FieldConfigError, MissingColumnError or DuplicateColumnError; never for a value.
    """
    check_fields(fields, object_name, match_on, default_region=default_region)
    _check_columns(frame, fields)
    columns = list(_converted(frame, fields, object_name, default_region))
    length = len(frame)
    refused = [
        Refused(reason.rows, reason.code, f"{column.label} {reason.text}", column.field.name)
        for column in columns
        for reason in column.converted.refused
    ]
    refused += _too_many_items(columns, object_name)
    missing = _missing(columns, object_name, required, length)
    refused += [Refused(rows, ReasonCode.MISSING, f"{name} is missing", name) for name, rows in missing.items()]
    refused.append(_unmatched(columns, match_on, missing, length))
    rungs = [(rung, [first_items(c.values, c.field) for c in columns if c.field.name == rung]) for rung in match_on]
    keys = row_keys(rungs, length)
    if duplicates == "invalid":
        refused += _duplicates(columns, keys)
    invalid, codes = without_reasons(frame, *reason_columns(refused, length))
    arrays = {KEY: keys.values, **{column.label: column.values for column in columns}, INVALID: invalid, CODES: codes}
    series = {name: _pandas(values) for name, values in arrays.items()}
    if ROW in frame and frame[ROW].dtype == np.int64:
        series[ROW] = frame[ROW].to_numpy()
    if WITHHELD in frame:
        series[WITHHELD] = is_withheld(frame)
    return pd.DataFrame(series, index=pd.RangeIndex(length))


def _pandas(values: pa.Array) -> Any:
    return _DTYPES[values.type].__from_arrow__(pa.chunked_array([values]))


def _check_columns(frame: pd.DataFrame, fields: Sequence[FieldMapping]) -> None:
    wanted = list(dict.fromkeys(column for mapping in fields for column in mapping.columns))
    counts = Counter(list(frame.columns))
    present = [str(column) for column in counts]
    missing = [column for column in wanted if column not in counts]
    if missing:
        hints = {column: close_matches(column, present) for column in missing}
        texts = [f"{c} (did you mean {' or '.join(hints[c])}?)" if hints[c] else c for c in missing]
        raise MissingColumnError(
            missing,
            f"the query does not return {', '.join(texts)}; it returns {', '.join(present) or 'no column'}",
        )
    repeated = [column for column in wanted if counts[column] > 1]
    if repeated:
        raise DuplicateColumnError(
            repeated,
            f"the query returns {', '.join(repeated)} more than once; name the columns apart with AS",
        )


def _converted(
    frame: pd.DataFrame, fields: Sequence[FieldMapping], object_name: str, default_region: str | None
) -> Iterator[_Column]:
    for mapping in fields:
        kind = field_type(object_name, mapping.field)
        for label, column in zip(column_names(mapping), mapping.columns, strict=True):
            yield _Column(label, kind, _convert(frame[column], mapping, kind, object_name, default_region))
            pa.default_memory_pool().release_unused()  # what the conversion has freed: up to two columns


def _convert(
    series: pd.Series[Any], mapping: FieldMapping, kind: FieldType, object_name: str, default_region: str | None
) -> Converted:
    if kind.shape == "company":
        return convert(series, COMPANY_LINKS[mapping.match or "externalId"])
    if kind.shape == "list":
        return convert_list(series, kind, list_attributes(object_name)[kind.attribute], default_region)
    if kind.value == "json":
        return convert_object(series, kind)
    return convert(series, kind, default_region)


def _too_many_items(columns: Sequence[_Column], object_name: str) -> list[Refused]:
    """Rows whose columns together hold more items than the attribute takes; only likely rows are read."""
    refused = []
    for attribute, compare in list_attributes(object_name).items():
        sources = [column for column in columns if column.field.attribute == attribute]
        if len(sources) < 2:
            continue  # one column was checked when it was converted
        by_count: dict[int, list[int]] = {}
        for row in np.flatnonzero(sum(_item_counts(column) for column in sources) > compare.max_items).tolist():
            texts = [(column.field, column.values[row].as_py()) for column in sources]
            items = [item for field, text in texts if text is not None for item in read_items(text, field)]
            count = len(merge_items(items, compare))
            if count > compare.max_items:
                by_count.setdefault(count, []).append(row)
        refused += [
            Refused(
                np.array(rows, dtype=np.int64),
                ReasonCode.TOO_MANY_ITEMS,
                f"{attribute} has {count} items, at most {compare.max_items}",
                attribute,
            )
            for count, rows in by_count.items()
        ]
    return refused


def _item_counts(column: _Column) -> np.ndarray[Any, np.dtype[np.int64]]:
    """How many items each cell of a list field holds."""
    counts: np.ndarray[Any, np.dtype[np.int64]] = column.values.is_valid().to_numpy(zero_copy_only=False) + 0
    if column.field.value == "tag":
        counts = counts + pc.fill_null(pc.count_substring(column.values, ","), 0).to_numpy()
    elif column.converted.identities:
        rows = [row for row, _ in column.converted.identities]
        counts = np.maximum(counts, np.bincount(rows, minlength=len(counts)))
    return counts


def _absent(columns: Sequence[_Column], length: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows where every one of the columns came null, not because of a reason that is noted already."""
    absent = np.ones(length, dtype=bool)
    for column in columns:
        absent &= column.values.is_null().to_numpy(zero_copy_only=False)
        absent[column.failed()] = False
    return absent


def _missing(
    columns: Sequence[_Column], object_name: str, required: Sequence[str], length: int
) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """The rows that lack a required field, by field."""
    rows = {}
    for name in required:
        wanted = field_type(object_name, name)
        # `emails` provides what `email` requires: they are the same attribute.
        sources = [c for c in columns if _target(c.field) == _target(wanted)]
        if not sources:
            raise FieldConfigError(name, f"{name} is required; map a column to it under fields")
        rows[name] = np.flatnonzero(_absent(sources, length))
    return rows


def _target(field: FieldType) -> tuple[str, str | None]:
    return field.attribute, field.custom_key


def _unmatched(
    columns: Sequence[_Column],
    match_on: Sequence[str],
    missing: Mapping[str, np.ndarray[Any, np.dtype[np.int64]]],
    length: int,
) -> Refused:
    absent = _absent([column for column in columns if column.field.name in match_on], length)
    if len(match_on) > 1:
        text = f"none of {', '.join(match_on)} is there to match on"
        return Refused(np.flatnonzero(absent), ReasonCode.UNMATCHED, text)
    absent[missing.get(match_on[0], [])] = False  # said already, in the same words
    return Refused(np.flatnonzero(absent), ReasonCode.MISSING, f"{match_on[0]} is missing", match_on[0])


def _duplicates(columns: Sequence[_Column], keys: RowKeys) -> list[Refused]:
    spaces: dict[str, list[_Column]] = {}
    for column in columns:
        if column.field.identifier is not None:
            spaces.setdefault(column.field.identifier, []).append(column)
    identifiers = {space: _identifier_columns(space, sources) for space, sources in spaces.items()}
    return duplicates_of(keys, identifiers)


def _identifier_columns(space: str, sources: Sequence[_Column]) -> list[IdentifierColumn]:
    if not any(column.converted.identities for column in sources):
        return [IdentifierColumn(column.field.name, column.values) for column in sources]  # one form already
    found = []
    for column in sources:
        plain = column.values
        if column.converted.identities:
            plain = pc.if_else(pc.starts_with(plain, "["), pa.scalar(None, plain.type), plain)
        found.append(IdentifierColumn(column.field.name, canonical_column(space, plain), column.converted.identities))
    return found
