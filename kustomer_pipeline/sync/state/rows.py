"""Remembered rows: read as columns, written row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

from .database import Database, in_parts, storable, upsert
from .tables import sync_rows
from .values import RememberedRow, Snapshot, Status

_READ_AT_ONCE = 50_000


@dataclass(frozen=True)
class Place:
    """Whose rows: of one scope of one sync of one org."""

    org_id: str
    sync: str
    scope: str

    def of(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """The rows of a table that belong here."""
        return sa.and_(table.c.org_id == self.org_id, table.c.sync == self.sync, table.c.scope == self.scope)


class Rows:
    """What is remembered of the rows."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    def snapshot(self) -> Snapshot:
        """Every remembered row, as columns."""
        table = sync_rows
        names = ("key", "fingerprint", "status", "kustomer_id", "owned", "lost_at")
        query = sa.select(*(table.c[name] for name in names)).where(self._place.of(table))
        types = (pa.string(), pa.int64(), pa.string(), pa.string(), pa.bool_(), pa.timestamp("us", tz="UTC"))
        chunks: list[list[pa.Array]] = [[pa.array([], type_)] for type_ in types]
        with self._database.reading() as connection:
            result = connection.execution_options(yield_per=_READ_AT_ONCE).execute(query)
            for partition in result.partitions():
                for column, type_, values in zip(chunks, types, zip(*partition, strict=True), strict=True):
                    column.append(pa.array(values, type_))
        return Snapshot(*(pa.concat_arrays(column) for column in chunks))

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
        place = {"org_id": self._place.org_id, "sync": self._place.sync, "scope": self._place.scope}
        values = {
            row.key: {
                **place,
                "key": row.key,
                "fingerprint": row.fingerprint,
                "status": row.status,
                "kustomer_id": row.kustomer_id,
                "owned": row.owned,
                "sent_lists": json.dumps(dict(row.sent_lists)) if row.sent_lists else None,
                "reason": storable(row.reason),
                "reason_code": row.reason_code,
                "run_id": run_id,
                "updated_at": self._now,
                "lost_at": row.lost_at,
            }
            for row in rows
        }
        upsert(self._connection, sync_rows, list(values.values()))

    def forget(self, keys: Iterable[str]) -> None:
        """Rows that nothing is remembered of any more."""
        for part in in_parts(list(keys)):
            self._connection.execute(sa.delete(sync_rows).where(self._mine, sync_rows.c.key.in_(part)))

    def count_as_changed(self, keys: Iterable[str]) -> None:
        """From now on nobody knows what Kustomer holds of these rows."""
        for part in in_parts(list(keys)):
            statement = sa.update(sync_rows).where(self._mine, sync_rows.c.key.in_(part))
            self._connection.execute(statement.values(fingerprint=None))

    def own(self, kustomer_ids: Iterable[str], owned: bool, run_id: str) -> None:
        """Whether these records hold the audience's tag because of this sync."""
        for part in in_parts(list(kustomer_ids)):
            statement = sa.update(sync_rows).where(self._mine, sync_rows.c.kustomer_id.in_(part))
            self._connection.execute(statement.values(owned=owned, run_id=run_id))

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        return self._place.of(sync_rows)
