"""Remembered rows: read as columns, written row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from .database import Database, in_parts, storable, tuples_of, upsert, upsert_columns
from .parts import is_part, other_parts
from .tables import FILED, OPEN, WITHOUT, stale_lines, sync_facts, sync_rows
from .values import RememberedRow, Snapshot, Status

_AS_THEY_ARE = ("key", "fingerprint", "status", "kustomer_id", "owned", "reason_code", "lost_at")
_SNAPSHOT = {
    "key": pa.string(),
    "fingerprint": pa.int64(),
    "status": pa.string(),
    "kustomer_id": pa.string(),
    "owned": pa.bool_(),
    "lost_at": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Place:
    """Whose rows: of one scope of one sync of one org."""

    org_id: str
    sync: str
    scope: str

    def of(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """The rows of a table that belong here."""
        return sa.and_(table.c.org_id == self.org_id, table.c.sync == self.sync, table.c.scope == self.scope)


def lines_fact(place: Place) -> str:
    """The fact that says which lines in the warehouse count (lines.py)."""
    return f"lines:{place.scope}"


@dataclass(frozen=True)
class Holder:
    """A row that is settled and not in this run: its key, its record, whether the tag is ours.

    It did not leave the warehouse; or it belongs to another part of the sync, under whose name (`sync`) it is known.
    """

    key: str
    kustomer_id: str
    owned: bool
    sync: str = ""


class Rows:
    """What is remembered of the rows."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    def snapshot(self) -> Snapshot:
        """Every remembered row, as columns."""
        return self._snapshot([self._place.of(sync_rows)])

    def snapshot_of(self, keys: Sequence[str]) -> Snapshot:
        """The rows with these keys, and those that have no line in the warehouse that counts."""
        not_filed = sa.and_(self._place.of(sync_rows), sync_rows.c.filed != FILED)
        filed = sa.and_(self._place.of(sync_rows), sa.or_(sync_rows.c.filed == FILED, sync_rows.c.filed.is_(None)))
        parts = (sa.and_(filed, sync_rows.c.key.in_(part)) for part in in_parts(sorted(set(keys))))
        return self._snapshot([not_filed, *parts])

    def _snapshot(self, conditions: Sequence[sa.ColumnElement[bool]]) -> Snapshot:
        wanted = sa.select(*(sync_rows.c[name] for name in _SNAPSHOT))
        chunks: dict[str, list[pa.Array]] = {name: [] for name in _SNAPSHOT}
        with self._database.reading() as connection:
            for condition in conditions:
                for rows in tuples_of(connection, wanted.where(condition)):
                    for name, values in zip(chunks, zip(*rows, strict=True), strict=True):
                        chunks[name].append(_array(name, values))
        columns = [pa.concat_arrays([pa.array([], _SNAPSHOT[name]), *chunks.pop(name)]) for name in _SNAPSHOT]
        pa.default_memory_pool().release_unused()  # the chunks, which Arrow would keep for its next arrays
        return Snapshot(*columns)

    def filed_as(self, kustomer_ids: Sequence[str]) -> list[Holder]:
        """The settled rows that are these records."""
        table, found = sync_rows, []
        columns = (table.c.key, table.c.kustomer_id, table.c.owned)
        with self._database.reading() as connection:
            for part in in_parts(kustomer_ids):
                of_part = table.c.kustomer_id.in_(part)
                query = sa.select(*columns).where(self._place.of(table), table.c.filed == FILED, of_part)
                found += [Holder(key, id_, bool(owned)) for key, id_, owned in connection.execute(query)]
        return found

    def in_other_parts(self, kustomer_ids: Sequence[str]) -> list[Holder]:
        """Of a sync in shards: the accepted rows of its other parts that are these records."""
        table, found = sync_rows, []
        columns = (table.c.key, table.c.kustomer_id, table.c.owned, table.c.sync)
        of_others = sa.and_(table.c.org_id == self._place.org_id, table.c.sync.in_(other_parts(self._place.sync)))
        there = sa.and_(of_others, table.c.scope == self._place.scope, table.c.filed == FILED)
        with self._database.reading() as connection:
            for part in in_parts(kustomer_ids):
                query = sa.select(*columns).where(there, table.c.kustomer_id.in_(part), table.c.status == "accepted")
                found += [Holder(key, id_, bool(owned), sync) for key, id_, owned, sync in connection.execute(query)]
        return found

    def members(self) -> int:
        """How many records hold the audience's tag because of this sync."""
        table = sync_rows
        query = sa.select(sa.func.count(sa.func.distinct(table.c.kustomer_id)))
        with self._database.reading() as connection:
            return int(connection.execute(query.where(self._place.of(table), table.c.owned)).scalar_one())

    def sent_lists(self, keys: Sequence[str]) -> dict[str, dict[str, list[str]]]:
        """Of the rows named: hashes of the list items this sync wrote, by attribute."""
        table = sync_rows
        found: dict[str, dict[str, list[str]]] = {}
        with self._database.reading() as connection:
            for part in in_parts(keys):
                query = sa.select(table.c.key, table.c.sent_lists).where(
                    self._place.of(table), table.c.key.in_(part), table.c.sent_lists.is_not(None)
                )
                found.update({key: json.loads(text) for key, text in connection.execute(query)})
        return found

    def keys_with_status(self, status: Status, *, before: datetime | None = None, without_id: bool = False) -> set[str]:
        """Keys of the rows that have this status, since before a moment if one is given."""
        table = sync_rows
        conditions = [self._place.of(table), table.c.status == status]
        if before is not None:
            conditions.append(table.c.updated_at < before)
        if without_id:
            conditions.append(table.c.kustomer_id.is_(None))
        with self._database.reading() as connection:
            return set(connection.execute(sa.select(table.c.key).where(*conditions)).scalars())


class RowsWriter:
    """The same, in a transaction."""

    def __init__(self, connection: sa.Connection, place: Place, now: datetime) -> None:
        self._connection = connection
        self._place = place
        self._now = now

    def put(self, rows: Iterable[RememberedRow], run_id: str) -> None:
        """Rows as they are now."""
        latest = list({row.key: row for row in rows}.values())
        columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in latest] for name in _AS_THEY_ARE}
        columns["sent_lists"] = [json.dumps(dict(row.sent_lists)) if row.sent_lists else None for row in latest]
        columns["reason"] = [storable(row.reason) for row in latest]
        place: dict[str, Any] = {"org_id": self._place.org_id, "sync": self._place.sync, "scope": self._place.scope}
        if is_part(self._place.sync):
            place["filed"] = FILED
        upsert_columns(self._connection, sync_rows, columns, {**place, "run_id": run_id, "updated_at": self._now})
        self._open(columns["key"])

    def forget(self, keys: Iterable[str]) -> None:
        """Rows that nothing is remembered of any more."""
        for part in in_parts(list(keys)):
            if self._has_lines:
                self._note_stale(part)
            self._connection.execute(sa.delete(sync_rows).where(self._mine, sync_rows.c.key.in_(part)))

    def not_in_source(self, keys: Iterable[str]) -> None:
        """Of a sync in shards: rows that its source no longer has, so that their records are free for other rows."""
        for part in in_parts(list(keys)):
            statement = sa.update(sync_rows).where(self._mine, sync_rows.c.key.in_(part), sync_rows.c.filed == FILED)
            self._connection.execute(statement.values(filed=None))

    def count_as_changed(self, keys: Iterable[str]) -> None:
        """From now on nobody knows what Kustomer holds of these rows."""
        keys = list(keys)
        self._open(keys)
        for part in in_parts(keys):
            statement = sa.update(sync_rows).where(self._mine, sync_rows.c.key.in_(part))
            self._connection.execute(statement.values(fingerprint=None))

    def own(self, kustomer_ids: Iterable[str], owned: bool, run_id: str) -> None:
        """Whether these records hold the audience's tag because of this sync."""
        for part in in_parts(list(kustomer_ids)):
            statement = sa.update(sync_rows).where(self._mine, sync_rows.c.kustomer_id.in_(part))
            self._connection.execute(statement.values(owned=owned, run_id=run_id))

    def key_for(self, key: str, kustomer_id: str) -> str:
        """Under which key a record may be remembered: this one, unless another record is by now."""
        query = sa.select(sync_rows.c.kustomer_id).where(self._mine, sync_rows.c.key == key)
        other = self._connection.execute(query).scalar()
        return key if other in (None, kustomer_id) else f"id={kustomer_id}"

    def _open(self, keys: Sequence[str]) -> None:
        """What is in the warehouse of these rows does not count any more."""
        table = sync_rows
        now = sa.case((table.c.filed == FILED, OPEN), (table.c.filed.is_(None), WITHOUT), else_=table.c.filed)
        for part in in_parts(keys) if self._has_lines else ():
            statement = sa.update(table).where(self._mine, table.c.key.in_(part))
            self._connection.execute(statement.values(filed=now))

    def _note_stale(self, keys: Sequence[str]) -> None:
        table = sync_rows
        filed = sa.select(table.c.key).where(self._mine, table.c.key.in_(keys), table.c.filed.in_((OPEN, FILED)))
        found = list(self._connection.execute(filed).scalars())
        same = {"org_id": self._place.org_id, "sync": self._place.sync}
        upsert(self._connection, stale_lines, [{**same, "key": key} for key in found])

    @cached_property
    def _has_lines(self) -> bool:
        """Whether rows of this scope have lines in the warehouse that count."""
        fact = sync_facts
        mine = sa.and_(fact.c.org_id == self._place.org_id, fact.c.sync == self._place.sync)
        query = sa.select(sa.literal(1)).where(mine, fact.c.name == lines_fact(self._place))
        return self._connection.execute(query).first() is not None

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        return self._place.of(sync_rows)


def _array(name: str, values: Sequence[Any]) -> pa.Array:
    """SQLite has neither truth values nor moments: 0 and 1, and texts in UTC."""
    kind = _SNAPSHOT[name]
    if name == "owned":
        return pc.cast(pa.array(values), kind)
    if name == "lost_at" and any(isinstance(value, str) for value in values):
        return pc.cast(pa.array(values, pa.string()), pa.timestamp("us")).cast(kind)
    return pa.array(values, kind)
