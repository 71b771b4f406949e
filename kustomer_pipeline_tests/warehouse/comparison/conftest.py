"""A warehouse of each kind, and a sync that compares in it: what it trusts, how it names its rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse.comparison import ROW, Comparison, Reading, Source, Trust

Statements = Callable[..., sa.Engine]
SCHEMA = "kustomer_sync"


@dataclass
class Warehouse:
    """A new database: `run` statements in it."""

    run: Callable[..., sa.Engine]
    engine: sa.Engine

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def tables(self) -> set[str]:
        inspector = sa.inspect(self.engine)
        if self.dialect == "sqlite":
            return {name.removeprefix(f"{SCHEMA}_") for name in inspector.get_table_names() if SCHEMA in name}
        return set(inspector.get_table_names(SCHEMA))


def hashes_of(row: Mapping[Any, Any]) -> set[str]:
    """The hashes of the identifiers that a row has, where it has them: readable ones."""
    return {f"{name}:{row[name]}" for name in ("id", "email", "phone") if name in row and not pd.isna(row[name])}


@dataclass
class Sync:
    """What the engine does with a comparison: remembers the token of the lines, names rows by their id."""

    comparison: Comparison
    source: Source
    tokens: set[str] = field(default_factory=set)
    accepted: int = 0

    def identifiers(self, frame: pd.DataFrame) -> list[set[str]]:
        return [hashes_of(row) for row in frame.to_dict("records")]

    def read(self, again: Collection[str] = (), **options: Any) -> Reading:
        return self.comparison.read(self.source, Trust(frozenset(self.tokens), again), self.identifiers, **options)

    def accept(self, reading: Reading, ids: Collection[Any] | None = None, forget: Collection[str] = ()) -> bool:
        """Accept the rows of a reading, or those with these ids only."""
        rows = reading.rows if ids is None else reading.rows[reading.rows["id"].isin(list(ids))]
        self.accepted += 1
        return self.take(reading, rows[ROW].tolist(), [str(key) for key in rows["id"]], self.identifiers(rows), forget)

    def take(
        self,
        reading: Reading,
        rows: Sequence[int],
        keys: Sequence[str],
        identifiers: Sequence[Collection[str]],
        forget: Collection[str] = (),
    ) -> bool:
        """Accept these rows under these keys."""
        token = f"token {self.accepted}"
        number = reading.kept.number
        done = self.comparison.accept(number, rows, keys, identifiers, forget, token, trusted=self.tokens)
        if done:
            self.tokens = {token}
        return done

    def settle(self) -> None:
        """Everything that the source has is accepted."""
        assert self.accept(self.read())


@pytest.fixture(params=["sqlite", "postgres"])
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    """An empty database."""
    run = request.getfixturevalue(request.param)
    return Warehouse(run, run())


@pytest.fixture
def customers(warehouse: Warehouse) -> Sync:
    """A sync of three customers, nothing of it accepted yet."""
    warehouse.run(
        "create table customers (id integer, email text, phone text)",
        "insert into customers values (1, 'ada@example.com', null), (2, 'bob@example.com', '+1'), (3, null, null)",
    )
    return Sync(comparison_in(warehouse), Source("select * from customers", ("id", "email", "phone"), "id"))


def comparison_in(warehouse: Warehouse, org: str = "org", sync: str = "customers") -> Comparison:
    """The comparison of these names in this warehouse."""
    return Comparison(warehouse.engine, schema=SCHEMA, org_id=org, sync=sync)


def ids(reading: Reading) -> list[Any]:
    """The ids of the rows that were delivered, in order."""
    return sorted(reading.rows["id"].tolist())
