"""The comparison of one sync of one org: the only thing that others use of this package."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa

from ..statement import require_one_statement
from . import accepting, forgetting, presence, reading
from .errors import ComparisonError
from .prepare import Names, begin, forget_readings, lock, numbers_of
from .steps import require_able, writing
from .tables import Tables
from .upload import drop
from .values import ROW, IdentifiersOf, Kept, Reading, Source, Trust


class Comparison:
    """Rows as last accepted, in a schema of the warehouse, and what differs from them.

    engine: of open_engine. schema: of the warehouse, made when it is missing; SQLite's tables begin with its name.

    Every method raises ComparisonError when the database refuses what it takes (the message names right and grant), and
    WarehouseUnavailableError when there is no connection.
    """

    def __init__(self, engine: sa.Engine, schema: str, org_id: str, sync: str) -> None:
        require_able(engine.dialect.name)
        self._engine = engine
        self._names = Names(org_id, sync)
        self._tables = Tables.of(schema, engine.dialect.name, org_id, sync)

    def read(
        self, source: Source, trust: Trust, identifiers_of: IdentifiersOf, label: str = "", *, everything: bool = False
    ) -> Reading:
        """The rows that no line that counts is equal to, and all rows that share a key or an identifier with them.

        A content that the source has more or less often than the lines comes with all its rows. The reading stays in
        the warehouse until two newer ones are there. everything: all rows, as if there were no lines. label: is kept
        with the reading, at most 200 characters.

        Raises:
            QueryError: the database refuses the query, or a column holds what no frame can.
        """
        require_one_statement(source.sql)
        if ROW in source.columns:
            raise ComparisonError(
                f"The query has a column {ROW!r}, a name that the comparison needs; give it another name"
            )
        begun = begin(self._engine, self._tables, self._names, source, label)
        with writing(self._engine, self._tables.schema, snapshot=True) as (connection, step):
            whole = everything or begun.token is None or begun.token not in trust.tokens
            task = reading.Task(self._tables, begun, source, trust.again, whole)
            return reading.read(connection, step, task, label, identifiers_of)

    def reading(self, number: int | None, *, rows: int) -> Kept:
        """A reading that was made before, maybe by another process; None: the newest. rows: how many it delivered.

        Raises:
            ComparisonError: it is gone, or another one.
        """
        with writing(self._engine, self._tables.schema) as (connection, _):
            staged = self._staged(connection, number)
            if staged.kept.delivered != rows:
                raise ComparisonError(
                    f"The rows of {self._names.sync} are not those of reading {staged.kept.number}, which has "
                    f"{staged.kept.delivered:,} and not {rows:,}: run the sync again from its first step, which reads "
                    "anew."
                )
            return staged.kept

    def gone(self, number: int) -> list[str]:
        """Keys of lines without an equal row in the source at the time of the reading; none of a whole one.

        The keys of rows that only changed are among them: take away those of the delivered rows.

        Raises:
            ComparisonError: the reading is gone.
        """
        with writing(self._engine, self._tables.schema) as (connection, _):
            self._staged(connection, number)
            changed = self._tables.changed(number)
            return list(connection.execute(sa.select(changed.c.row_key).where(changed.c.gone == 1)).scalars())

    def holders(self, number: int, hashes: Collection[str]) -> dict[str, str]:
        """Which rows that a reading did not deliver have one of these hashes: hash → the row's key.

        Raises:
            ComparisonError: the reading is gone.
        """
        with writing(self._engine, self._tables.schema) as (connection, _):
            staged = self._staged(connection, number)
            return {} if staged.kept.whole else presence.holders_of(connection, self._tables, number, hashes)

    def accept(
        self,
        number: int,
        rows: Sequence[int],
        keys: Sequence[str],
        identifiers: Iterable[Collection[str]],
        forget: Collection[str],
        token: str,
        trusted: Collection[str],
    ) -> bool:
        """Remember rows of a reading as accepted, in one transaction.

        rows: values of ROW. keys: of the same rows; a line that has one of them is replaced. identifiers: the hashes
        of each row, taken once, in order. forget: keys whose lines are deleted. token: of all lines from now on. Of a
        whole reading all other lines are deleted; else their token until now has to be one of `trusted`.

        False, and nothing changed: it is not, or the reading is gone. The same call twice leaves the same lines.
        """
        with writing(self._engine, self._tables.schema) as (connection, _):
            if not self._exists(connection):
                return False
            return accepting.accept(connection, self._tables, number, rows, keys, identifiers, forget, token, trusted)

    def keys_with(self, hashes: Collection[str]) -> set[str]:
        """Keys of the lines that have one of these hashes, whether they count or not."""
        with writing(self._engine, self._tables.schema) as (connection, _):
            if not hashes or not self._exists(connection) or not lock(connection, self._tables):
                return set()
            return forgetting.keys_with(connection, self._tables, hashes)

    def withhold(self, rows: Sequence[int]) -> None:
        """Empty rows of a reading (values of ROW): they stay in it, without any value."""
        with writing(self._engine, self._tables.schema) as (connection, _):
            if self._exists(connection) and lock(connection, self._tables):
                forgetting.withhold(connection, self._tables, rows)

    def forget(self, keys: Collection[str], hashes: Collection[str]) -> int:
        """Remove the lines that have one of these keys or hashes; how many. And every reading, since a row of theirs
        may be in it: who has not written down its rows by then reads them again.
        """
        with writing(self._engine, self._tables.schema) as (connection, _):
            return forgetting.forget(connection, self._tables, keys, hashes) if self._exists(connection) else 0

    def drop(self) -> None:
        """Remove everything of this comparison; others are not touched."""
        with writing(self._engine, self._tables.schema) as (connection, _):
            if not self._exists(connection) or not lock(connection, self._tables):
                return
            numbers = [number for number, _ in numbers_of(connection, self._tables)]
            forget_readings(connection, self._tables, numbers)
            for table in (self._tables.lines(), self._tables.hashes):
                drop(connection, table)
            registry = self._tables.comparisons
            connection.execute(sa.delete(registry).where(registry.c.digest == self._tables.digest))

    def _exists(self, connection: sa.Connection) -> bool:
        table = self._tables.comparisons
        return sa.inspect(connection).has_table(table.name, table.schema)

    def _staged(self, connection: sa.Connection, number: int | None) -> accepting.Staged:
        kept = accepting.recorded(connection, self._tables, number)
        if kept is None or not accepting.complete(connection, self._tables, kept.kept.number, kept):
            raise ComparisonError(
                f"The rows of {self._names.sync} were read once more since, or somebody removed what was read: run "
                "the sync again from its first step, which reads anew."
            )
        return kept
