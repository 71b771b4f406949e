"""Row keys, and rows that cannot be told apart: identifiers that occur in more than one row of the frame."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .reasons import ReasonCode, Refused

_TEXT = pa.large_string()
_NAMED = 3  # how many of the other rows a reason names
_HASHED_AT_ONCE = 50_000  # texts
_PERSONAL = ("email", "phone")
# "row:17" names a position, "id=5f…" a record of Kustomer's: nobody's address is either.
_NOBODYS = re.compile(r"row:[0-9]+|id=[0-9A-Za-z_-]+")

Rows = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class RowKeys:
    """`values`: the key of each row; `rung`: the position of its field in match_on, -1 for "row:17"."""

    values: pa.Array
    rung: np.ndarray[Any, np.dtype[np.int8]]
    match_on: tuple[str, ...]

    def label(self, row: int, key: str) -> str:
        """How a reason names the row: by its key, or by its position where the key is masked wherever it is shown."""
        hidden = self.rung[row] < 0 or is_personal_key(key, self.match_on)
        return f"row {row + 1}" if hidden else f"row key {key}"


def is_personal_key(key: str, match_on: Sequence[str]) -> bool:
    """Whether a row's key is personal data, which is masked wherever rows are named. The one rule, for everybody.

    The field that the key comes from decides, not its looks: an e-mail address and a phone number are personal, an
    externalId of ten digits is not. A key is the bare value of match_on[0], else "field=value"; anything with an @ is
    taken for an address. "row:17" and "id=5f…" are nobody's.
    """
    if _NOBODYS.fullmatch(key):
        return False
    field, separator, _ = key.partition("=")
    rung = field if separator and field in match_on[1:] else match_on[0]
    return rung in _PERSONAL or "@" in key


def canonical_column(space: str, values: pa.Array) -> pa.Array:
    """kustomer.identifiers.canonical of a column of mapped values, all at once: what is not E.164 is canonical."""
    return pc.replace_substring(values, "+", "") if space in ("phone", "whatsapp") else values


@dataclass(frozen=True)
class IdentifierColumn:
    """The values of one identifier in one column: one per row, and those inside JSON cells."""

    field: str
    values: pa.Array
    inside: Sequence[tuple[int, str]] = ()


def row_keys(rungs: Sequence[tuple[str, Sequence[pa.Array]]], length: int) -> RowKeys:
    """Name every row: `rungs` are the match_on fields in order, each with its columns of normalised text."""
    keys = pa.nulls(length, _TEXT)
    rung_of = np.full(length, -1, dtype=np.int8)
    for rung, (name, columns) in enumerate(rungs):
        if rung and not keys.null_count:
            break  # every row has its name: that of the further fields would be there for nothing
        values = _trimmed(columns[0] if len(columns) == 1 else pc.coalesce(*columns))
        if rung:
            values = pc.binary_join_element_wise(
                pa.scalar(f"{name}=", _TEXT), values, pa.scalar("", _TEXT)
            )  # null where the value is null
        new = pc.and_(keys.is_null(), values.is_valid()).to_numpy(zero_copy_only=False)
        rung_of[new] = rung
        keys = pc.coalesce(keys, values) if rung else values
    if keys.null_count:
        positions = pc.cast(pa.array(np.flatnonzero(rung_of < 0) + 1), _TEXT)
        names = pc.binary_join_element_wise(pa.scalar("row:", _TEXT), positions, pa.scalar("", _TEXT))
        keys = pc.replace_with_mask(keys, keys.is_null(), names)
    return RowKeys(keys, rung_of, tuple(name for name, _ in rungs))


def _trimmed(values: pa.Array) -> pa.Array:
    """The array itself where there is nothing to trim, so that the frame does not hold the column of the keys twice."""
    trimmed = pc.utf8_trim_whitespace(values)
    return values if trimmed.equals(values) else trimmed


def duplicates_of(keys: RowKeys, identifiers: dict[str, list[IdentifierColumn]]) -> list[Refused]:
    """A reason for every row that shares an identifier or its key with another row."""
    refused: list[Refused] = []
    flagged = np.zeros(len(keys.values), dtype=bool)
    for columns in identifiers.values():
        for reason in _shared(columns, keys):
            flagged[reason.rows] = True
            refused.append(reason)
    repeated = [
        replace(reason, rows=reason.rows[~flagged[reason.rows]], field=None)
        for reason in _shared([IdentifierColumn("the row key", keys.values)], keys)
    ]
    return refused + [reason for reason in repeated if len(reason.rows)]


def _shared(columns: Sequence[IdentifierColumn], keys: RowKeys) -> list[Refused]:
    rows, values = _gather(columns)
    if not len(rows):
        return []
    encoded = values.dictionary_encode()
    length = len(keys.values)
    # A row counts once per identifier, however many of its columns hold it.
    pairs = np.unique(encoded.indices.to_numpy().astype(np.int64) * length + rows)
    codes, members = pairs // length, pairs % length
    several = np.bincount(codes, minlength=len(encoded.dictionary))[codes] > 1
    return _reasons_of_groups(codes[several], members[several], columns[0].field, keys)


def _gather(columns: Sequence[IdentifierColumn]) -> tuple[Rows, pa.Array]:
    """(row, identifier) of all columns, but only identifiers whose hash is there more than once.

    No other can be there twice. A dictionary of a million different identifiers takes 100 MB, their hashes take 8.
    """
    rows: list[Rows] = []
    values: list[pa.Array] = []
    for column in columns:
        rows.append(np.flatnonzero(column.values.is_valid().to_numpy(zero_copy_only=False)))
        values.append(pc.drop_null(column.values))
        if column.inside:
            rows.append(np.array([row for row, _ in column.inside], dtype=np.int64))
            values.append(pa.array([text for _, text in column.inside], _TEXT))
    repeated = _repeated(np.concatenate([_hashes(texts) for texts in values]))
    found = pc.filter(pa.chunked_array(values, _TEXT), pa.array(repeated))
    return np.concatenate(rows)[repeated], found.combine_chunks()


def _hashes(texts: pa.Array) -> Hashes:
    """64 bits of each text. pandas wants Python objects, which are made of some thousands at a time."""
    hashes = np.empty(len(texts), dtype=np.uint64)
    for start in range(0, len(texts), _HASHED_AT_ONCE):
        part = texts.slice(start, _HASHED_AT_ONCE).to_numpy(zero_copy_only=False)
        hashes[start : start + len(part)] = pd.util.hash_array(part, categorize=False)
    return hashes


def _repeated(hashes: Hashes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of them are there more than once."""
    in_order = np.sort(hashes)
    return np.isin(hashes, in_order[1:][in_order[1:] == in_order[:-1]])


def _reasons_of_groups(codes: Rows, members: Rows, field: str, keys: RowKeys) -> list[Refused]:
    """One reason per row, naming at most three others however big the group is; `codes` come sorted."""
    if len(members) == 0:
        return []
    rows: list[int] = members.tolist()
    own_keys: list[str] = keys.values.take(pa.array(members)).to_pylist()
    bounds = [*np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]).tolist(), len(rows)]
    by_reason: dict[str, list[int]] = defaultdict(list)
    for start, end in pairwise(bounds):
        head = [
            (rows[i], own_keys[i], keys.label(rows[i], own_keys[i])) for i in range(start, min(end, start + _NAMED + 1))
        ]
        for i in range(start, end):
            others = [other for other in head if other[0] != rows[i]][:_NAMED]
            names = [f"row {row + 1}" if key == own_keys[i] else label for row, key, label in others]
            more = end - start - 1 - len(others)
            tail = f" and {more} more" if more else ""
            by_reason[f"{field} is also on {', '.join(names)}{tail}"].append(rows[i])
    return [
        Refused(np.array(found, dtype=np.int64), ReasonCode.DUPLICATE, text, field) for text, found in by_reason.items()
    ]
