"""One transaction of a comparison; what the database refuses becomes an error that names the right and its grant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import exc

from .. import rights
from ..engine import describe, transaction
from ..errors import QueryError, WarehouseUnavailableError
from ..messages import message
from .errors import ComparisonError

EMBEDDED = "use the embedded comparison (the one in the state database) for this warehouse"

# They keep no transaction over several statements, or cannot change a row.
_CANNOT = {
    "clickhouse": "ClickHouse",
    "clickhousedb": "ClickHouse",
    "trino": "Trino",
    "presto": "Presto",
    "awsathena": "Athena",
}


@dataclass
class Step(rights.Step):
    """A step of ours, or (`query`) of the user's."""

    query: bool = False

    def read_source(self) -> None:
        """From here on it is the user's query that may fail."""
        self.query = True

    def takes(self, right: str, grant: str) -> None:
        """From here on it is our tables that may be refused."""
        super().takes(right, grant)
        self.query = False

    def write_tables(self, schema: str) -> None:
        """The usual case: the tables are there."""
        grant = f"grant usage, create on schema {schema} to {{user}}; "
        grant += f"grant select, insert, update, delete on all tables in schema {schema} to {{user}}"
        self.takes(f"create tables in the schema {schema}, and to read and change them", grant)


def require_able(dialect: str) -> None:
    """Raises:
    ComparisonError: the database cannot update and delete rows in a transaction.
    """
    if dialect in _CANNOT:
        raise ComparisonError(
            f"{_CANNOT[dialect]} cannot change rows in a transaction, so it cannot keep what was accepted: {EMBEDDED}"
        )


@contextmanager
def writing(engine: sa.Engine, schema: str, *, snapshot: bool = False) -> Iterator[tuple[sa.Connection, Step]]:
    """A transaction. With `snapshot`, all its statements see the data of one moment, where the database can do so.

    Raises:
        ComparisonError: the database refuses it.
        QueryError: the database refuses the user's query (Step.read_source).
        WarehouseUrlError, WarehouseUnavailableError: no connection, or it broke.
    """
    require_able(engine.dialect.name)
    if snapshot and engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    step = Step("")
    step.write_tables(schema)
    try:
        with transaction(engine) as connection:
            yield connection, step
    except exc.DBAPIError as error:
        where, said = describe(engine), message(engine, error)
        if error.connection_invalidated:
            raise WarehouseUnavailableError(f"The connection to the warehouse {where} broke: {said}") from None
        if step.query:
            raise QueryError(f"The warehouse {where} could not run the query: {said}") from None
        raise ComparisonError(
            f"The warehouse {where} refused the comparison: {said}.{_advice(engine, error, step)}"
        ) from None


def _advice(engine: sa.Engine, error: exc.DBAPIError, step: Step) -> str:
    missing = step.missing(engine, error)
    if missing is None:
        return ""
    return (
        f" To compare in the warehouse its user needs the right to {missing}; "
        "the embedded comparison needs only to read."
    )
