"""What the state has of one person: found by Kustomer id, key or hashed identifier, and removed in one transaction.

hints, rows → who it may be                  (whether it is, only Kustomer says: sync/forget.py)
Person      → rows, hints, journal, log, what was overwritten, and where reasons of other rows name them
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kustomer_pipeline.kustomer import ObjectName

from .database import Database, in_parts
from .erasing import erasing, rebuild
from .lines import syncs_with_lines
from .person import Person
from .tables import (
    FILED,
    OPEN,
    bulk_jobs,
    identities,
    plan_creates,
    plan_seals,
    plans,
    stale_lines,
    sync_changes,
    sync_log,
    sync_rows,
)
from .values import value_hash


@dataclass(frozen=True)
class RowTrace:
    """A row that is remembered. has_line: the warehouse has its content too (lines.py)."""

    sync: str
    scope: str
    key: str
    kustomer_id: str | None
    has_line: bool


class Traces:
    """Those of one org. Every method raises StateError."""

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self._org_id = org_id

    # --- who it may be --------------------------------------------------------------------------------------

    def last_seen_at(self, object_name: ObjectName, identifiers: Collection[tuple[str, str]]) -> set[str]:
        """Kustomer ids where these identifiers (field, canonical value) were last seen."""
        table = identities
        found: set[str] = set()
        with self._database.reading() as connection:
            for field, value in identifiers:
                seen = sa.and_(table.c.field == field, table.c.value_hash == value_hash(value))
                query = sa.select(table.c.kustomer_id).where(self._mine(table), table.c.object == object_name, seen)
                found.update(connection.execute(query).scalars())
        return found

    def hints_of(self, kustomer_ids: Collection[str]) -> set[tuple[str, str]]:
        """(field, hash of the value) of the identifiers that were last seen at these records."""
        table = identities
        query = sa.select(table.c.field, table.c.value_hash).where(self._mine(table))
        with self._database.reading() as connection:
            return {
                (field, hashed)
                for part in in_parts(sorted(kustomer_ids))
                for field, hashed in connection.execute(query.where(table.c.kustomer_id.in_(part)))
            }

    def rows(self, person: Person) -> list[RowTrace]:
        """Rows that are one of the person's records, or have one of the keys."""
        table = sync_rows
        with self._database.reading() as connection:
            lined = syncs_with_lines(connection, self._org_id)
            columns = (table.c.sync, table.c.scope, table.c.key, table.c.kustomer_id, table.c.filed)
            found = list(self._found(connection, table, columns, person))
        return [
            RowTrace(one.sync, one.scope, one.key, one.kustomer_id, one.filed in (OPEN, FILED) and one.sync in lined)
            for one in found
        ]

    def syncs_with_jobs(self) -> list[str]:
        """The syncs of which jobs are in flight."""
        syncs = sa.select(bulk_jobs.c.sync).where(self._mine(bulk_jobs)).distinct()
        with self._database.reading() as connection:
            return sorted(connection.execute(syncs).scalars())

    def under_way(self, person: Person) -> int:
        """How many items of jobs in flight are about the person."""
        jobs = sa.select(bulk_jobs.c.sync, bulk_jobs.c["items"]).where(self._mine(bulk_jobs))
        with self._database.reading() as connection:
            found = connection.execute(jobs).all()
        return sum(_is_about(item, sync, person) for sync, text in found for item in json.loads(text))

    # --- gone -----------------------------------------------------------------------------------------------

    def remove(self, person: Person) -> Mapping[str, int]:
        """Everything of the person; table → how many lines. Lines in the warehouse have to be gone before."""
        with erasing(self._database) as connection:
            jobs, removed = self._out_of_jobs(connection, person), {}
            for table, more in ((sync_rows, ()), (sync_log, ()), (sync_changes, self._mentioning(person))):
                removed[table.name] = self._delete(connection, table, person, more)
            stale = self._of_keys(connection, stale_lines, tuple(stale_lines.primary_key.columns), person)
            removed[stale_lines.name] = _delete_lines(connection, stale_lines, list(stale))
            removed[identities.name] = self._unlearn(connection, person)
            removed[plans.name] = self._out_of_plans(connection, person)
            scrubbed = sum(self._scrub(connection, table, person) for table in (sync_rows, sync_log))
        return {**removed, bulk_jobs.name: jobs, "reasons": scrubbed}

    def rebuild(self) -> None:
        """Nothing of what was deleted is left in the file (SQLite)."""
        rebuild(self._database)

    def _delete(
        self, connection: sa.Connection, table: sa.Table, person: Person, more: Iterable[sa.ColumnElement[bool]]
    ) -> int:
        columns = (*table.primary_key.columns, table.c.sync, table.c.key)
        found = {tuple(row): row for row in self._found(connection, table, columns, person)}
        for mentioned in more:
            found |= {tuple(row): row for row in connection.execute(sa.select(*columns).where(mentioned))}
        return _delete_lines(connection, table, list(found.values()))

    def _unlearn(self, connection: sa.Connection, person: Person) -> int:
        table, gone = identities, 0
        for part in in_parts(sorted(person.ids)):
            of_records = sa.and_(self._mine(table), table.c.kustomer_id.in_(part))
            gone += connection.execute(sa.delete(table).where(of_records)).rowcount
        for field, value in person.identifiers:
            seen = sa.and_(table.c.field == field, table.c.value_hash == value_hash(value))
            of_object = sa.and_(self._mine(table), table.c.object == person.object_name, seen)
            gone += connection.execute(sa.delete(table).where(of_object)).rowcount
        return gone

    def _out_of_jobs(self, connection: sa.Connection, person: Person) -> int:
        """Items of jobs in flight: nobody collects their answer. A job of nobody else is ended."""
        table, taken = bulk_jobs, 0
        jobs = sa.select(table.c.job_id, table.c.sync, table.c["items"]).where(self._mine(table))
        for job_id, sync, text in connection.execute(jobs).all():
            items = json.loads(text)
            kept = [item for item in items if not _is_about(item, sync, person)]
            if len(kept) == len(items):
                continue
            taken += len(items) - len(kept)
            mine = table.c.job_id == job_id
            if kept:
                connection.execute(sa.update(table).where(mine).values({"items": json.dumps(kept)}))
            else:
                connection.execute(sa.delete(table).where(mine))
        return taken

    def _out_of_plans(self, connection: sa.Connection, person: Person) -> int:
        """Plans that were asked for a row of the person (only_keys) by its name: they go."""
        asked = sa.and_(self._mine(plans), plans.c.options.contains("only_keys"))
        query = sa.select(plans.c.plan_id, plans.c.sync, plans.c.options).where(asked)
        named = [
            plan_id
            for plan_id, sync, options in connection.execute(query).all()
            if any(
                person.has_row(sync, form) for key in json.loads(options)["only_keys"] for form in (key, key.lower())
            )
        ]
        for table in (plan_seals, plan_creates, plans):
            connection.execute(sa.delete(table).where(self._mine(table), table.c.plan_id.in_(named)))
        return len(named)

    def _mentioning(self, person: Person) -> Iterator[sa.ColumnElement[bool]]:
        """What was overwritten in other records, and has an address or a number of the person in it."""
        for text in sorted(person.texts):
            written = json.dumps(text)[1:-1].lower()
            holds = sa.func.lower(sync_changes.c.changes).contains(written, autoescape=True)
            yield sa.and_(self._mine(sync_changes), holds)

    def _scrub(self, connection: sa.Connection, table: sa.Table, person: Person) -> int:
        """Reasons of other rows name rows by their key, and records by their id."""
        scrubbed = 0
        for text in sorted(person.texts | person.row_keys):
            columns = (*table.primary_key.columns, table.c.reason)
            holds = sa.and_(self._mine(table), table.c.reason.contains(text, autoescape=True))
            for row in connection.execute(sa.select(*columns).where(holds)).all():
                reason = person.without_name(row.reason)
                if reason != row.reason:
                    mine = sa.and_(*(column == getattr(row, column.name) for column in table.primary_key.columns))
                    connection.execute(sa.update(table).where(mine).values(reason=reason))
                    scrubbed += 1
        return scrubbed

    # --- where ----------------------------------------------------------------------------------------------

    def _found(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[sa.ColumnElement[Any], ...],
        person: Person,
    ) -> Iterator[sa.Row[Any]]:
        for part in in_parts(sorted(person.ids)):
            named = sa.or_(table.c.kustomer_id.in_(part), table.c.key.in_([f"id={id_}" for id_ in part]))
            yield from connection.execute(sa.select(*columns).where(self._mine(table), named)).all()
        yield from self._of_keys(connection, table, columns, person)

    def _of_keys(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: tuple[sa.ColumnElement[Any], ...],
        person: Person,
    ) -> Iterator[sa.Row[Any]]:
        for part in in_parts(sorted(person.row_keys)):
            query = sa.select(*columns).where(self._mine(table), table.c.key.in_(part))
            for row in connection.execute(query).all():
                if person.has_row(row.sync, row.key):
                    yield row

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.org_id == self._org_id


def _is_about(item: Mapping[str, Any], sync: str, person: Person) -> bool:
    hashes = {(field, value_hash(value)) for field, value in person.identifiers}
    if item.get("kustomer_id") in person.ids or person.has_row(sync, item["key"]):
        return True
    if any((field, hashed) in hashes for field, hashed in item.get("identities") or ()):
        return True
    written = json.dumps(item, ensure_ascii=False).lower()
    return any(text.lower() in written for text in person.texts)


def _delete_lines(connection: sa.Connection, table: sa.Table, rows: Collection[sa.Row[Any]]) -> int:
    gone = 0
    for row in rows:
        mine = sa.and_(*(column == getattr(row, column.name) for column in table.primary_key.columns))
        gone += connection.execute(sa.delete(table).where(mine)).rowcount
    return gone
