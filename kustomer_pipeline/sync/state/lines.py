"""Rows whose content as accepted is a line in the warehouse: which lines count, and which do not.

A sync that is compared in the warehouse keeps there the rows that are settled, as they were accepted; here each of its
rows says how it stands to its line (`filed`): FILED, it is as accepted. OPEN, there is one that does not count any
more. WITHOUT, there is none.

    a run writes a row   → FILED becomes OPEN, in the same transaction; a new row is WITHOUT
    a run forgets a row  → its key is in stale_lines
    after the run        → about_to_file, the lines are written in the warehouse, filed

The lines in the warehouse carry a token, another after each writing, and the fact `lines:<scope>` says which tokens
count. What does not match (a state that was lost or restored, a table that was dropped, another tag, another definition
of the sync) has every row read again; nothing is ever concluded from lines that nobody here knows.

Killed between any two steps: a row is OPEN or WITHOUT and comes out of the warehouse again, or its line is FILED.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from .database import Database, in_parts, tuples_of, upsert
from .rows import Place, lines_fact
from .tables import FILED, OPEN, WITHOUT, stale_lines, sync_facts, sync_rows

_LINES = lines_fact(Place("", "", ""))  # what the names of these facts begin with


@dataclass(frozen=True)
class TrustedLines:
    """Lines with one of these tokens count, under this definition of the sync (its signature)."""

    signature: str
    tokens: frozenset[str]


class Lines:
    """How the rows stand to their lines."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    def trusted(self) -> TrustedLines | None:
        """Which lines count; None where none does."""
        query = sa.select(sync_facts.c.value).where(_facts(self._place), sync_facts.c.name == lines_fact(self._place))
        with self._database.reading() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            return None
        value = json.loads(found)
        return TrustedLines(value["signature"], frozenset(value["tokens"]))

    def not_to_count(self) -> set[str]:
        """Keys of lines that do not count any more: of rows written since, and of rows that are forgotten."""
        rows = sa.select(sync_rows.c.key).where(self._place.of(sync_rows), sync_rows.c.filed == OPEN)
        with self._database.reading() as connection:
            # Said twice, because it is how the index is made: SQLite looks for the very condition.
            written = set(connection.execute(rows.where(sync_rows.c.filed != FILED)).scalars())
            return written | set(connection.execute(sa.select(stale_lines.c.key).where(_stale(self._place))).scalars())

    def filed(self) -> Iterator[Sequence[str]]:
        """The keys of the rows whose line counts, some thousands at a time."""
        rows = sa.select(sync_rows.c.key).where(self._place.of(sync_rows), sync_rows.c.filed == FILED)
        with self._database.reading() as connection:
            for some in tuples_of(connection, rows):
                yield [row[0] for row in some]


class LinesWriter:
    """The same, in a transaction."""

    def __init__(self, connection: sa.Connection, place: Place) -> None:
        self._connection = connection
        self._place = place

    def about_to_file(self, trusted: TrustedLines, token: str, keys: Iterable[str]) -> None:
        """The lines of these rows are going to be written anew, under a token that counts from now on, too."""
        self._mark(keys, FILED, OPEN)
        self._trust(trusted.signature, {*trusted.tokens, token})

    def about_to_file_all(self) -> None:
        """All lines are going to be written anew: until that is done none counts."""
        self._connection.execute(sa.delete(sync_facts).where(_all_facts(self._place)))

    def filed(self, signature: str, token: str, keys: Iterable[str], without: Iterable[str]) -> None:
        """The lines of `keys` are in the warehouse, those of `without` and of forgotten rows are not there any more."""
        self._mark(keys, None, FILED)
        self._mark(without, None, WITHOUT)
        self._end(signature, token)

    def filed_all(self, signature: str, token: str, without: Collection[str]) -> None:
        """The same where every row was read: all accepted rows of the scope have a line, but for those of `without`."""
        rows = sa.update(sync_rows).where(self._place.of(sync_rows))
        accepted = sync_rows.c.status == "accepted"
        self._connection.execute(rows.values(filed=sa.case((accepted, FILED), else_=WITHOUT)))
        self._mark(without, None, WITHOUT)
        self._end(signature, token)

    def _end(self, signature: str, token: str) -> None:
        self._connection.execute(sa.delete(stale_lines).where(_stale(self._place)))
        self._connection.execute(sa.delete(sync_facts).where(_all_facts(self._place)))  # of another tag, too
        self._trust(signature, {token})

    def _mark(self, keys: Iterable[str], before: int | None, after: int) -> None:
        for part in in_parts(list(keys)):
            rows = sa.update(sync_rows).where(self._place.of(sync_rows), sync_rows.c.key.in_(part))
            if before is not None:
                rows = rows.where(sync_rows.c.filed == before)
            self._connection.execute(rows.values(filed=after))

    def _trust(self, signature: str, tokens: Collection[str]) -> None:
        value = json.dumps({"signature": signature, "tokens": sorted(tokens)})
        row = {"org_id": self._place.org_id, "sync": self._place.sync, "name": lines_fact(self._place), "value": value}
        upsert(self._connection, sync_facts, [row])


def distrust(connection: sa.Connection, org_id: str, *syncs: str) -> None:
    """No line of these syncs counts any more: what they belong to has another name from now on."""
    for sync in syncs:
        place = Place(org_id, sync, "")
        connection.execute(sa.delete(sync_facts).where(_all_facts(place)))
        connection.execute(sa.delete(stale_lines).where(_stale(place)))


def syncs_with_lines(connection: sa.Connection, org_id: str) -> set[str]:
    """The syncs of which lines count."""
    every = sa.and_(sync_facts.c.org_id == org_id, sync_facts.c.name.startswith(_LINES, autoescape=True))
    return set(connection.execute(sa.select(sync_facts.c.sync).where(every)).scalars())


def _facts(place: Place) -> sa.ColumnElement[bool]:
    return sa.and_(sync_facts.c.org_id == place.org_id, sync_facts.c.sync == place.sync)


def _all_facts(place: Place) -> sa.ColumnElement[bool]:
    return sa.and_(_facts(place), sync_facts.c.name.startswith(_LINES, autoescape=True))


def _stale(place: Place) -> sa.ColumnElement[bool]:
    return sa.and_(stale_lines.c.org_id == place.org_id, stale_lines.c.sync == place.sync)
