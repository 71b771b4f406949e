"""PostgreSQL's rows without a Python object per cell: as COPY writes them, parsed by Arrow.

    query ─→ cursor: names and types, no row yet ─→ copy (query) to stdout, as CSV ─→ Arrow ─→ Column

The values are those that psycopg gives, because both read the same text. Arrow reads the types, and the forms of text,
that it surely reads as psycopg does; all others (another type, `infinity`, a year with five digits, a number with
thirty) psycopg's own loader reads, cell by cell. It is the connection of the query itself: the same read-only
transaction, the same settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from .arrow import Take, all_match, take_moments, take_numbers
from .columns import Column

_TEXT = pa.large_string()
_MOST_BYTES = 8_000_000  # of the rows that are parsed at once

_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r" [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_ZONE = r"[+-][0-9]{2}(:[0-9]{2})?"


def can_be_copied(connection: Any) -> bool:
    """Whether the texts that psycopg reads from this connection are UTF-8, as Arrow's are."""
    return bool(connection.info.encoding == "utf-8")


def copy_rows(cursor: Any, sql: str, types: Sequence[int], columns: Sequence[Column], rows_at_once: int) -> None:
    """Run a query as COPY and give its columns their values. `cursor`: of psycopg. `types`: the columns' OIDs.

    Raises psycopg's errors; a SyntaxError where a query is none to COPY (a comment at its end).
    """
    readers = [_reader(cursor.connection, oid) for oid in types]
    options = _csv_options([kind for kind, _ in readers])
    query = sql.rstrip("; \t\r\n")
    # On a line of its own, because a comment may stand before it.
    with cursor.copy(f"copy (\n{query}\n) to stdout (format csv)") as copy:
        for block in _blocks(copy, rows_at_once):
            table = _parsed(block, len(types), options)
            for column, values, (_, take) in zip(columns, table.columns, readers, strict=True):
                take(column, values.combine_chunks())


def _blocks(copy: Any, rows_at_once: int) -> Iterator[bytearray]:
    """Whole rows, so many at once: libpq gives row by row. (A list of them would keep the garbage collector busy.)"""
    block, rows = bytearray(), 0
    for row in copy:
        block += row
        rows += 1
        if rows == rows_at_once or len(block) > _MOST_BYTES:
            yield block
            block, rows = bytearray(), 0
    if rows:
        yield block


def _parsed(block: bytearray, columns: int, options: csv.ConvertOptions) -> pa.Table:
    names = [str(number) for number in range(columns)]
    return csv.read_csv(
        pa.BufferReader(pa.py_buffer(block)),
        read_options=csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=options,
    )


def _csv_options(kinds: Sequence[pa.DataType]) -> csv.ConvertOptions:
    """In CSV of PostgreSQL a null is nothing at all, and an empty text is two quotes."""
    return csv.ConvertOptions(
        column_types={str(number): kind for number, kind in enumerate(kinds)},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )


def _reader(connection: Any, oid: int) -> tuple[pa.DataType, Callable[[Column, pa.Array], None]]:
    """As what a column is read from the CSV, and what takes its values from there."""
    from psycopg import adapters  # here: an extra, which only those have who read PostgreSQL
    from psycopg.adapt import Transformer
    from psycopg.pq import Format

    def named(*names: str) -> set[int]:
        return {adapters.types[name].oid for name in names}

    for names, kind in (
        (("int2", "int4", "int8", "oid"), pa.int64()),
        (("float4", "float8"), pa.float64()),
        (("bool",), pa.bool_()),
    ):
        if oid in named(*names):
            return kind, Column.add_array
    loader = connection.adapters.get_loader(oid, Format.TEXT)
    is_text = loader in (None, adapters.get_loader(adapters.types["text"].oid, Format.TEXT))
    if is_text or oid in named("uuid"):
        return _TEXT, Column.add_array
    takes: dict[int, Take] = {adapters.types[name].oid: take for name, take in _TAKES.items()}
    # A loader of the connection, which tolerates what Python has not (out_of_range.py).
    load = Transformer(connection).get_loader(oid, Format.TEXT).load
    take = takes.get(oid)

    def take_or_load(column: Column, texts: pa.Array) -> None:
        if take is None or not take(column, texts):
            column.add([None if text is None else load(text.encode()) for text in texts.to_pylist()])

    return _TEXT, take_or_load


def _take_texts(form: str, kind: pa.DataType) -> Take:
    def take(column: Column, texts: pa.Array) -> bool:
        if not all_match(texts, f"{form}$"):
            return False
        try:
            return take_moments(column, pc.cast(texts, kind))
        except pa.ArrowInvalid:  # 24:00
            return False

    return take


_TAKES: dict[str, Take] = {
    "numeric": take_numbers,
    "date": _take_texts(_DAY, pa.date32()),
    "timestamp": _take_texts(_DAY + _TIME, pa.timestamp("us")),
    "timestamptz": _take_texts(_DAY + _TIME + _ZONE, pa.timestamp("us", "UTC")),
}
