"""Which names the rows of a sync are remembered under: its own, or those of its parts; and from one to the other.

The rows go page by page, each in a transaction of its own. Killed in between, the rest is still under the old name, and
whoever comes next goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection

import sqlalchemy as sa

from .database import Database, in_parts, upsert
from .lines import distrust
from .org import OrgState
from .parts import is_of, is_part
from .tables import FILED, bulk_jobs, sync_changes, sync_facts, sync_rows

_PAGE = 20_000  # rows that change their name in one transaction: a second or two


class Splits:
    """The parts of one sync of an org. Every method raises StateError."""

    def __init__(self, database: Database, org_id: str, sync: str) -> None:
        self._database = database
        self._org = OrgState(database, org_id)
        self._sync = sync
        self._fact = f"split:{sync}"

    @property
    def of(self) -> int:
        """How many parts its rows are remembered in; 1 where it is not split."""
        return int(self._org.fact(self._fact) or 1)

    def is_now(self, of: int) -> None:
        """From now on they are in so many."""
        self._org.set_fact(self._fact, str(of))

    def names(self) -> list[str]:
        """The names under which anything is remembered of it."""
        tables = (sync_rows, bulk_jobs, sync_facts)
        found = (sa.select(table.c.sync).where(self._mine(table), is_of(table.c.sync, self._sync)) for table in tables)
        with self._database.reading() as connection:
            return sorted(connection.execute(sa.union(*found)).scalars())

    def any_rows(self) -> bool:
        """Whether any row is remembered of it."""
        rows = sa.select(sa.literal(1)).where(self._mine(sync_rows), is_of(sync_rows.c.sync, self._sync))
        with self._database.reading() as connection:
            return connection.execute(rows.limit(1)).first() is not None

    def divide(self, source: str, targets: Collection[str], target_of: Callable[[str], str]) -> None:
        """The rows under one name go to others, each by its key. A row that the other name has already stays there."""
        with self._database.writing() as connection:
            distrust(connection, self._org.org_id, source)
            for target in targets:
                self._hand_on_facts(connection, source, target)
            connection.execute(sa.delete(sync_facts).where(self._under(sync_facts, source)))
        while self._divide_page(source, target_of):
            pass

    def _hand_on_facts(self, connection: sa.Connection, source: str, target: str) -> None:
        """A fact that both have, and not alike, is true of neither's rows together."""
        table = sync_facts
        old, new = (
            {row.name: row.value for row in connection.execute(sa.select(table).where(self._under(table, name)))}
            for name in (source, target)
        )
        place = {"org_id": self._org.org_id, "sync": target}
        upsert(connection, table, [{**place, "name": n, "value": v} for n, v in old.items() if n not in new])
        apart = [name for name in new if name in old and old[name] != new[name]]
        connection.execute(sa.delete(table).where(self._under(table, target), table.c.name.in_(apart)))

    def _divide_page(self, source: str, target_of: Callable[[str], str]) -> bool:
        table = sync_rows
        page = sa.select(table.c.key).where(self._under(table, source)).order_by(table.c.key).limit(_PAGE)
        with self._database.writing() as connection:
            by_target: dict[str, list[str]] = defaultdict(list)
            for key in connection.execute(page).scalars().all():
                by_target[target_of(key)].append(key)
            for target, keys in by_target.items():
                for part in in_parts(keys):
                    self._move(connection, source, target, part)
        return bool(by_target)

    def _move(self, connection: sa.Connection, source: str, target: str, keys: Collection[str]) -> None:
        table = sync_rows
        there = sa.select(table.c.key).where(self._under(table, target), table.c.key.in_(keys))
        twice = list(connection.execute(there).scalars())
        connection.execute(sa.delete(table).where(self._under(table, source), table.c.key.in_(twice)))
        moving = sa.update(table).where(self._under(table, source), table.c.key.in_(keys))
        connection.execute(moving.values(sync=target, filed=FILED if is_part(target) else None))
        changes = sa.update(sync_changes).where(self._under(sync_changes, source), sync_changes.c.key.in_(keys))
        connection.execute(changes.values(sync=target))

    def _under(self, table: sa.Table, name: str) -> sa.ColumnElement[bool]:
        return sa.and_(self._mine(table), table.c.sync == name)

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.org_id == self._org.org_id
