"""What is remembered of a whole org: its facts, which syncs have what, and what a run of any of them did."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from .database import Database, upsert
from .lines import distrust
from .tables import bulk_jobs, org_facts, sync_changes, sync_facts, sync_log, sync_rows, sync_runs
from .values import ChangeLine, UnderWay

_READ_AT_ONCE = 50_000


class OrgState:
    """What is remembered of one org. Every method raises StateError."""

    def __init__(self, database: Database, org_id: str) -> None:
        self._database = database
        self.org_id = org_id

    # --- facts ----------------------------------------------------------------------------------------------

    def fact(self, name: str) -> str | None:
        """A small fact of the org, None if it is not known."""
        query = sa.select(org_facts.c.value).where(self._mine(org_facts), org_facts.c.name == name)
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def set_fact(self, name: str, value: str) -> None:
        """Keep a small fact of the org."""
        with self._database.writing() as connection:
            upsert(connection, org_facts, [{"org_id": self.org_id, "name": name, "value": value}])

    # --- who remembers what ---------------------------------------------------------------------------------

    def syncs(self) -> list[tuple[str, int]]:
        """(sync, rows) of every sync that something is remembered of."""
        query = sa.select(sync_rows.c.sync, sa.func.count()).where(self._mine(sync_rows)).group_by(sync_rows.c.sync)
        with self._database.reading() as connection:
            return [(sync, count) for sync, count in connection.execute(query)]

    def scopes(self, sync: str) -> list[tuple[str, int]]:
        """(scope, records that hold the tag because of the sync) of a sync."""
        return self._owned(sync_rows.c.scope, sync_rows.c.sync == sync)

    def syncs_of_scope(self, scope: str) -> list[tuple[str, int]]:
        """(sync, records that hold the tag because of it) of a tag."""
        return self._owned(sync_rows.c.sync, sync_rows.c.scope == scope)

    def _owned(self, column: sa.Column[str], condition: sa.ColumnElement[bool]) -> list[tuple[str, int]]:
        count = sa.func.count(sa.func.distinct(sync_rows.c.kustomer_id))
        query = sa.select(column, count).where(self._mine(sync_rows), condition, sync_rows.c.owned).group_by(column)
        with self._database.reading() as connection:
            return [(name, number) for name, number in connection.execute(query)]

    # --- other names, other tags ----------------------------------------------------------------------------

    def carry_over(self, from_sync: str, to_sync: str) -> int:
        """A sync was renamed: what is remembered under the old name goes to the new one, row by row.

        A row that the new name has already stays as it is; what the old one gave its record is the new one's from now
        on. How many rows went. The log keeps the old name; what can be undone follows the rows.
        """
        if from_sync == to_sync:
            return 0
        with self._database.writing() as connection:
            distrust(connection, self.org_id, from_sync, to_sync)
            there = sa.select(sa.literal(1)).where(self._mine(sync_rows), sync_rows.c.sync == to_sync).limit(1)
            if connection.execute(there).first() is None:  # facts about no rows
                facts = sa.and_(self._mine(sync_facts), sync_facts.c.sync == to_sync)
                connection.execute(sa.delete(sync_facts).where(facts))
            for table in (sync_facts, sync_rows):
                self._clear_the_way(connection, table, from_sync, to_sync)
            for table in (sync_facts, bulk_jobs, sync_changes):
                of_old = sa.and_(self._mine(table), table.c.sync == from_sync)
                connection.execute(sa.update(table).where(of_old).values(sync=to_sync))
            rows = sa.and_(self._mine(sync_rows), sync_rows.c.sync == from_sync)
            return connection.execute(sa.update(sync_rows).where(rows).values(sync=to_sync)).rowcount

    def _clear_the_way(self, connection: sa.Connection, table: sa.Table, from_sync: str, to_sync: str) -> None:
        """Where both names have a line of one key, the old name's goes; of a row, what it owned is kept."""
        keys = [column.name for column in table.primary_key.columns if column.name not in ("org_id", "sync")]
        old, new = table.alias(), table.alias()
        twice = sa.and_(
            *(old.c[key] == new.c[key] for key in keys), old.c.org_id == self.org_id, new.c.org_id == self.org_id
        )
        pairs = sa.select(*(old.c[key] for key in keys)).where(twice, old.c.sync == from_sync, new.c.sync == to_sync)
        columns = sa.tuple_(*(table.c[key] for key in keys))
        if table is sync_rows:
            owned = pairs.where(old.c.owned, old.c.kustomer_id == new.c.kustomer_id)
            mine = sa.and_(self._mine(table), table.c.sync == to_sync, columns.in_(owned))
            connection.execute(sa.update(table).where(mine).values(owned=True))
        mine = sa.and_(self._mine(table), table.c.sync == from_sync, columns.in_(pairs))
        connection.execute(sa.delete(table).where(mine))

    def move_scope(self, sync: str, from_scope: str, to_scope: str) -> int:
        """The tag of a scope is known by now: its rows go there. How many went.

        Where both scopes know a row, that of `to_scope` stays; a record that either of them tagged is the sync's.
        """
        if from_scope == to_scope:
            return 0
        old, new = sync_rows.alias("old"), sync_rows
        mine = sa.and_(self._mine(new), new.c.sync == sync)
        tagged = sa.exists().where(
            *(old.c[name] == new.c[name] for name in ("org_id", "sync", "key", "kustomer_id")),
            old.c.scope == from_scope,
            old.c.owned,
        )
        with self._database.writing() as connection:
            distrust(connection, self.org_id, sync)
            connection.execute(sa.update(new).where(mine, new.c.scope == to_scope, tagged).values(owned=True))
            known = sa.select(new.c.key).where(mine, new.c.scope == to_scope)
            leaving = sa.and_(mine, new.c.scope == from_scope)
            moved = connection.execute(
                sa.update(new).where(leaving, new.c.key.not_in(known)).values(scope=to_scope)
            ).rowcount
            connection.execute(sa.delete(new).where(leaving))
            for table in (bulk_jobs, sync_changes):
                following = sa.and_(self._mine(table), table.c.sync == sync, table.c.scope == from_scope)
                connection.execute(sa.update(table).where(following).values(scope=to_scope))
            return moved

    def drop_scope(self, sync: str, scope: str) -> int:
        """Nothing of a scope is remembered any more. How many rows were."""
        old = sa.and_(self._mine(sync_rows), sync_rows.c.sync == sync, sync_rows.c.scope == scope)
        with self._database.writing() as connection:
            distrust(connection, self.org_id, sync)
            return connection.execute(sa.delete(sync_rows).where(old)).rowcount

    # --- what runs did --------------------------------------------------------------------------------------

    def changes_of(self, run_id: str) -> list[ChangeLine]:
        """What a run of any sync overwrote, oldest first."""
        table = sync_changes
        query = sa.select(table).where(self._mine(table), table.c.run_id == run_id).order_by(table.c.id)
        with self._database.reading() as connection:
            return [line_of(row) for row in connection.execute(query)]

    def changes_since(self, line_id: int, records: Collection[tuple[str, str]]) -> Iterator[ChangeLine]:
        """What runs did to these records, as (object, Kustomer id), from a line on; the newest first."""
        table = sync_changes
        query = sa.select(table).where(self._mine(table), table.c.id >= line_id).order_by(table.c.id.desc())
        in_parts = {"yield_per": _READ_AT_ONCE}
        with (
            self._database.reading() as connection,
            connection.execute(query, execution_options=in_parts) as result,
        ):
            for row in result:
                if (row.object, row.kustomer_id) in records:
                    yield line_of(row)

    def first_change_of(self, run_id: str) -> int | None:
        """The number of the first line that a run wrote of what it overwrote; None where there is none."""
        query = sa.select(sa.func.min(sync_changes.c.id)).where(self._mine(sync_changes))
        with self._database.reading() as connection:
            return connection.execute(query.where(sync_changes.c.run_id == run_id)).scalar()

    def under_way(self, run_id: str) -> list[UnderWay]:
        """What jobs of a run which are still in the journal are about."""
        return self._under_way(bulk_jobs.c.run_id == run_id)

    def under_way_of(self, sync: str) -> list[UnderWay]:
        """The same of a sync, whichever run sent it."""
        return self._under_way(bulk_jobs.c.sync == sync)

    def _under_way(self, condition: sa.ColumnElement[bool]) -> list[UnderWay]:
        query = sa.select(bulk_jobs.c.sync, bulk_jobs.c["items"]).where(self._mine(bulk_jobs), condition)
        with self._database.reading() as connection:
            found = [(row[0], json.loads(row[1])) for row in connection.execute(query)]
        return [
            UnderWay(sync, item["key"], item["ref"], item["kustomer_id"], tuple(one[0] for one in item["changes"]))
            for sync, items in found
            for item in items
        ]

    def created_by(self, run_id: str) -> list[tuple[str, str, str | None]]:
        """(sync, key, Kustomer id) of the records that a run of any sync created."""
        table = sync_log
        query = sa.select(table.c.sync, table.c.key, table.c.kustomer_id).where(
            self._mine(table), table.c.run_id == run_id, table.c.outcome == "created"
        )
        with self._database.reading() as connection:
            return [(row.sync, row.key, row.kustomer_id) for row in connection.execute(query)]

    def knows_run(self, run_id: str) -> bool:
        """Whether a run of that id wrote to the org."""
        query = sa.select(sa.literal(1)).where(self._mine(sync_runs), sync_runs.c.run_id == run_id)
        with self._database.reading() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def log_of(
        self, sync: str, run_id: str, outcomes: Sequence[str]
    ) -> Iterator[Sequence[tuple[str, str, str | None, str | None]]]:
        """(key, outcome, Kustomer id, reason) of the lines with these outcomes, many at a time."""
        table = sync_log
        query = sa.select(table.c.key, table.c.outcome, table.c.kustomer_id, table.c.reason).where(
            self._mine(table), table.c.sync == sync, table.c.run_id == run_id, table.c.outcome.in_(outcomes)
        )
        in_parts = {"yield_per": _READ_AT_ONCE}
        with (
            self._database.reading() as connection,
            connection.execute(query, execution_options=in_parts) as result,
        ):
            for part in result.partitions():
                yield [tuple(row) for row in part]

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.org_id == self.org_id


def line_of(row: sa.Row[Any]) -> ChangeLine:
    """A line of what was overwritten."""
    return ChangeLine(
        key=row.key,
        object_name=row.object,
        kustomer_id=row.kustomer_id,
        changes=tuple((name, before, after) for name, before, after in json.loads(row.changes)),
        sync=row.sync,
        scope=row.scope,
        effect=row.effect,
        id=row.id,
        undoes=tuple((line, tuple(names)) for line, names in json.loads(row.undoes or "[]")),
    )
