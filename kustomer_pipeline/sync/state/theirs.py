"""What is left to Kustomer of single rows: field → hash of the row's value when that was decided (sync/theirs.py).

A column of the rows, so that it goes where they go: to another name, another tag, another part, and away with a person.
No run writes it when it writes a row.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from .database import Database, in_parts
from .rows import Place
from .tables import sync_rows

_Marks = dict[str, dict[str, str]]


class Theirs:
    """What is left to Kustomer in one scope of a sync."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    def of(self, keys: Sequence[str]) -> _Marks:
        """Key → marks, of those rows that have any."""
        with self._database.reading() as connection:
            return _marks(connection, self._place, keys)

    def without_record(self, field: str) -> _Marks:
        """The same of rows that are skipped and have a mark of that name."""
        skipped = sa.and_(_with_marks(self._place), sync_rows.c.status == "skipped")
        query = sa.select(sync_rows.c.key, sync_rows.c.theirs).where(skipped)
        with self._database.reading() as connection:
            found = {key: json.loads(text) for key, text in connection.execute(query)}
        return {key: marks for key, marks in found.items() if field in marks}


class TheirsWriter:
    """The same, in a transaction."""

    def __init__(self, connection: sa.Connection, place: Place) -> None:
        self._connection = connection
        self._place = place

    def leave(self, marks: Mapping[str, Mapping[str, str]]) -> None:
        """Key → more marks."""
        before = _marks(self._connection, self._place, list(marks))
        self._write({key: {**before.get(key, {}), **more} for key, more in marks.items()})

    def drop(self, marks: Mapping[str, Collection[str]]) -> None:
        """Key → marks that count no more."""
        before = _marks(self._connection, self._place, list(marks))
        gone = {key: marks[key] for key in before}
        self._write({key: {name: mark for name, mark in before[key].items() if name not in gone[key]} for key in gone})

    def clear(self, keys: Sequence[str]) -> None:
        """Nothing of these rows is left to Kustomer any more."""
        for part in in_parts(keys):
            rows = sa.update(sync_rows).where(_with_marks(self._place), sync_rows.c.key.in_(part))
            self._connection.execute(rows.values(theirs=None))

    def _write(self, marks: Mapping[str, Mapping[str, str]]) -> None:
        if not marks:
            return
        row = sa.update(sync_rows).where(self._place.of(sync_rows), sync_rows.c.key == sa.bindparam("of_key"))
        values = [{"of_key": key, "marks": json.dumps(kept) if kept else None} for key, kept in marks.items()]
        self._connection.execute(row.values(theirs=sa.bindparam("marks")), values)


def _marks(connection: sa.Connection, place: Place, keys: Sequence[str]) -> _Marks:
    found: _Marks = {}
    for part in in_parts(keys):
        query = sa.select(sync_rows.c.key, sync_rows.c.theirs).where(_with_marks(place), sync_rows.c.key.in_(part))
        found.update({key: json.loads(text) for key, text in connection.execute(query)})
    return found


def _with_marks(place: Place) -> sa.ColumnElement[bool]:
    """Said as the index says it, which holds no other rows."""
    return sa.and_(place.of(sync_rows), sync_rows.c.theirs.is_not(None))
