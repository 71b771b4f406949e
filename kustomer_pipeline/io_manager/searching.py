"""Frames in which somebody is: found by reading them, and removed as whole files. The next run makes them anew.

A row taken out of a frame would be a row that the query does not have: a mirror made from such a frame would untag its
member. A frame that is not there is an error which says what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from .frame_folder import files_under, remove
from .place import told

_AT_ONCE = 65_536  # rows
_TEXT = pa.large_string()
_OF_A_NUMBER = 9  # its last digits, which are the same however the country is written


@dataclass(frozen=True)
class Traces:
    """What gives somebody away. parts: found anywhere in a text, in capitals or not. numbers: of telephones, as digits;
    found however they are written. cells: a text or a number that is a cell as a whole."""

    parts: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    cells: frozenset[str] = frozenset()


def remove_frames_with(place: UPath, traces: Traces) -> int:
    """Remove every file below a place that has a trace, or cannot be read; how many. Raises FramesError."""
    removed = 0
    with told("The frames cannot be searched in", place):
        for path in files_under(place):
            if _has_trace(path, traces):
                remove(path)
                removed += 1
    return removed


def keys_in(place: UPath, identifiers: Mapping[str, Collection[str]], key: str = "_key") -> set[str]:
    """The keys of rows in mapped frames below a place that have one of these identifiers: field → canonical values.

    Raises FramesError.
    """
    found: set[str] = set()
    with told("The frames cannot be searched in", place):
        for path in files_under(place):
            with suppress(pa.ArrowException, FileNotFoundError):
                for batch in _batches(path):
                    found |= _keys_of(batch, identifiers, key)
    return found


def _has_trace(path: UPath, traces: Traces) -> bool:
    try:
        return any(_is_in(column, traces) for batch in _batches(path) for column in batch.columns)
    except FileNotFoundError:
        return False
    except pa.ArrowException:  # half a file, or a damaged one: nobody can say who is in it
        return True


def _batches(path: UPath) -> Iterator[pa.RecordBatch]:
    with path.fs.open(path.path, "rb") as file:
        yield from pq.ParquetFile(cast(BinaryIO, file)).iter_batches(batch_size=_AT_ONCE)


def _is_in(column: pa.Array, traces: Traces) -> bool:
    texts = _texts(column)
    if traces.cells and pc.any(pc.is_in(texts, value_set=pa.array(sorted(traces.cells), _TEXT))).as_py():
        return True
    if any(pc.any(pc.match_substring(texts, part, ignore_case=True)).as_py() for part in sorted(traces.parts)):
        return True
    digits = pc.replace_substring_regex(texts, r"[^0-9]+", "") if traces.numbers else texts
    return any(pc.any(pc.match_substring(digits, number[-_OF_A_NUMBER:])).as_py() for number in sorted(traces.numbers))


def _keys_of(batch: pa.RecordBatch, identifiers: Mapping[str, Collection[str]], key: str) -> set[str]:
    found: set[str] = set()
    if key not in batch.schema.names:
        return found
    for name in batch.schema.names:
        for field, values in identifiers.items():
            if name.partition(".")[0] not in (field, f"{field}s"):
                continue
            texts = pc.utf8_ltrim(_texts(batch.column(name)), "+")
            has = pc.is_in(texts, value_set=pa.array(sorted(values), _TEXT))
            for value in sorted(values):  # several in one cell are written as JSON
                inside = pc.or_(pc.match_substring(texts, f'"{value}"'), pc.match_substring(texts, f'"+{value}"'))
                has = pc.or_(has, pc.fill_null(inside, False))
            found.update(_texts(batch.column(key)).filter(has).to_pylist())
    return found


def _texts(column: pa.Array) -> pa.Array:
    """A column of any type as text."""
    try:
        return pc.cast(column, _TEXT)
    except pa.ArrowException:  # lists, for example
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], _TEXT)
