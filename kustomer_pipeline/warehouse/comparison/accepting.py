"""What Kustomer has accepted → lines, from the staged rows: set by set, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from .errors import ComparisonError
from .prepare import lock, start_lines, token_of
from .tables import Tables, key_column, values_of
from .upload import analyze, upload, uploaded
from .values import Kept

_ANALYZED = 50_000  # fewer new lines change no plan, and it takes seconds for a large table


def accept(
    connection: sa.Connection,
    tables: Tables,
    number: int,
    rows: Sequence[int],
    keys: Sequence[str],
    identifiers: Iterable[Collection[str]],
    forget: Collection[str],
    token: str,
    trusted: Collection[str],
) -> bool:
    """See Comparison.accept."""
    reading = recorded(connection, tables, number) if lock(connection, tables) else None
    if reading is None or not (reading.kept.whole or token_of(connection, tables) in {*trusted, token}):
        return False
    width = len(reading.columns)
    # Two rows of one key: the last one wins, whose line it then is.
    last = ~pd.Series(list(keys), dtype=object).duplicated(keep="last").to_numpy(dtype=bool)
    kept = [place for place, wins in enumerate(last) if wins]
    row_id = sa.Column("row_id", sa.BigInteger, nullable=False)
    landed = ((int(rows[place]), keys[place]) for place in kept)
    with uploaded(connection, tables, "accepted", (row_id, key_column()), landed) as accepted:
        staged_rows, lines = tables.rows(number, width), tables.lines(width)
        matching = staged_rows.join(accepted, accepted.c.row_id == staged_rows.c.row_id)
        found = sa.select(sa.func.count()).select_from(matching).where(staged_rows.c.copies > 0)
        if connection.execute(found).scalar_one() != len(kept):
            if not complete(connection, tables, number, reading):
                return False
            raise ComparisonError(f"Of the rows to accept some are not of reading {number}; nothing was changed")
        if reading.kept.whole:
            start_lines(connection, tables, number, width)
        else:
            delete_lines(connection, tables, sa.select(accepted.c.row_key))
        if forget and not reading.kept.whole:
            forgotten = ((key,) for key in set(forget))
            with uploaded(connection, tables, "forgotten", (key_column(),), forgotten) as table:
                delete_lines(connection, tables, sa.select(table.c.row_key))
        values = values_of(staged_rows)
        new = sa.select(accepted.c.row_id, accepted.c.row_key, *values).select_from(matching)
        names = ["line_id", "row_key", *(column.name for column in values)]
        connection.execute(sa.insert(lines).from_select(names, new))
    upload(connection, tables.hashes, _hashes(rows, identifiers, last))
    _index(connection, tables)
    if len(kept) >= _ANALYZED:
        analyze(connection, tables.lines(), tables.hashes)
    registry = tables.comparisons
    connection.execute(sa.update(registry).where(registry.c.digest == tables.digest).values(token=token))
    return True


@dataclass(frozen=True)
class Staged:
    """A reading as it is kept, and the source's columns, in its order."""

    kept: Kept
    columns: tuple[str, ...]


def recorded(connection: sa.Connection, tables: Tables, number: int | None) -> Staged | None:
    """A completed reading, the newest if none is named; None when newer ones have taken its place."""
    table = tables.readings
    if not sa.inspect(connection).has_table(table.name, table.schema):
        return None
    columns = (table.c.number, table.c.label, table.c.columns, table.c.is_whole, table.c.delivered, table.c.stayed)
    known = sa.select(*columns).where(table.c.digest == tables.digest, table.c.delivered.is_not(None))
    if number is not None:
        known = known.where(table.c.number == number)
    found = connection.execute(known.order_by(table.c.number.desc())).first()
    if found is None:
        return None
    kept = Kept(found.number, bool(found.is_whole), found.delivered, found.stayed, found.label)
    return Staged(kept, tuple(json.loads(found.columns)))


def complete(connection: sa.Connection, tables: Tables, number: int, reading: Staged) -> bool:
    """Whether all its rows are there: after a crash PostgreSQL empties tables that it writes no log of."""
    rows = tables.rows(number)
    there = sa.select(sa.func.count()).select_from(rows).where(rows.c.copies > 0)
    return bool(connection.execute(there).scalar_one() == reading.kept.delivered)


def _index(connection: sa.Connection, tables: Tables) -> None:
    """After the first rows are in: to fill an index row by row takes several times as long."""
    lines, indexes = tables.lines(), tables.indexes()
    there = {index["name"] for index in sa.inspect(connection).get_indexes(lines.name, lines.schema)} if indexes else ()
    if indexes and indexes[0].name not in there:
        for index in indexes:
            connection.execute(sa.schema.CreateIndex(index))


def delete_lines(connection: sa.Connection, tables: Tables, keys: sa.Select[tuple[str]]) -> None:
    """The lines with these keys, and their hashes."""
    lines, hashes = tables.lines(), tables.hashes
    ids = sa.select(lines.c.line_id).where(lines.c.row_key.in_(keys))
    connection.execute(sa.delete(hashes).where(hashes.c.line_id.in_(ids)))
    connection.execute(sa.delete(lines).where(lines.c.row_key.in_(keys)))


def _hashes(
    rows: Sequence[int], identifiers: Iterable[Collection[str]], last: Iterable[bool]
) -> Iterator[tuple[str, int]]:
    for row, hashes, wins in zip(rows, identifiers, last, strict=True):
        if wins:
            yield from ((hashed, int(row)) for hashed in hashes)
