"""The tables of one comparison, which is named by org and sync.

    kustomer_comparisons                  one row a comparison: whose the tables are, the columns and the token of the
                                          lines
    kustomer_readings                     one row a reading
    kustomer_types                        no row: the types of our own columns
    kustomer_lines_<digest>               the rows as last accepted: line_id (the ROW it was read as), row_key, and
                                          c1, c2 … with the source's types
    kustomer_line_hashes_<digest>         hash of a key or an identifier → line_id
    kustomer_rows_<digest>_<number>       a reading: what was delivered
    kustomer_changed_<digest>_<number>    a reading: the lines that are not in the source as they were accepted

SQLite has no schemas: there the schema's name is the beginning of theirs.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql

_INDEXED = ("postgresql", "sqlite", "mysql", "mariadb", "mssql", "oracle")  # column stores have and need none

# Keys differ when one letter's case differs. Without a length where that costs nothing.
_KEY = (
    sa.String(700)
    .with_variant(sa.Text(), "postgresql", "sqlite")
    .with_variant(mysql.VARCHAR(700, collation="utf8mb4_bin"), "mysql", "mariadb")
    .with_variant(mssql.NVARCHAR(700, collation="Latin1_General_100_BIN2"), "mssql")
)


_VALUE = re.compile(r"c\d+")

OWN_OF_ROWS = ("row_id", "copies", "lines", "first_line", "counted")
_SHORT = sa.String(200).with_variant(sa.Text(), "postgresql", "sqlite")  # a token, a label, a hash


@dataclass(frozen=True)
class Tables:
    """Names of, and constructs for, the tables of one comparison."""

    schema: str
    dialect: str
    digest: str

    @classmethod
    def of(cls, schema: str, dialect: str, org_id: str, sync: str) -> Tables:
        """The tables of the comparison with these names."""
        digest = hashlib.sha256(json.dumps([org_id, sync]).encode()).hexdigest()[:12]
        return cls(schema, dialect, digest)

    @property
    def comparisons(self) -> sa.Table:
        """Which comparisons there are."""
        return self._table(
            "kustomer_comparisons",
            sa.Column("digest", sa.String(12), primary_key=True),
            sa.Column("org_id", sa.String(100), nullable=False),
            sa.Column("sync", sa.String(255), nullable=False),
            sa.Column("layout", sa.Text),
            sa.Column("token", _SHORT),
            sa.Column("last_number", sa.BigInteger, nullable=False),
            sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        )

    @property
    def readings(self) -> sa.Table:
        """Which readings there are."""
        return self._table(
            "kustomer_readings",
            sa.Column("digest", sa.String(12), nullable=False),
            sa.Column("number", sa.BigInteger, nullable=False),
            sa.Column("label", _SHORT, nullable=False),
            sa.Column("columns", sa.Text, nullable=False),
            sa.Column("is_whole", sa.SmallInteger),
            sa.Column("delivered", sa.BigInteger),
            sa.Column("stayed", sa.BigInteger),
            sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        )

    @property
    def types(self) -> sa.Table:
        """Never has a row: what is made from a select of it has the types of our own columns."""
        return self._table("kustomer_types", _id("line_id"), sa.Column("row_key", _KEY))

    @property
    def hashes(self) -> sa.Table:
        """Hashes of the keys and identifiers of lines."""
        return self._table(f"kustomer_line_hashes_{self.digest}", hash_column(), _id("line_id"))

    def lines(self, width: int = 0) -> sa.Table:
        """width: how many columns of the source there are."""
        return self._table(f"kustomer_lines_{self.digest}", _id("line_id"), sa.Column("row_key", _KEY), *_values(width))

    def rows(self, number: int, width: int = 0) -> sa.Table:
        """A row of a reading, or (`copies` 0) the lines of one content that the source has no more.

        `lines`: how many lines have this content, which is one at most; `counted`: how many of them count; first_line:
        that line.
        """
        return self._table(f"kustomer_rows_{self.digest}_{number}", *map(_id, OWN_OF_ROWS), *_values(width))

    def changed(self, number: int) -> sa.Table:
        """`gone`: 1 for a line without an equal row in the source, 0 for one that was delivered all the same."""
        gone = sa.Column("gone", sa.SmallInteger)
        return self._table(f"kustomer_changed_{self.digest}_{number}", _id("line_id"), sa.Column("row_key", _KEY), gone)

    def work(self, name: str, *columns: sa.Column[Any]) -> sa.Table:
        """A table that is made and dropped within one transaction."""
        return self._table(f"kustomer_work_{self.digest}_{name}", *columns)

    def indexes(self) -> tuple[sa.Index, ...]:
        """Of the lines. They are made after the first rows are in, when that is cheapest."""
        if self.dialect not in _INDEXED:
            return ()
        lines, hashes = self.lines(), self.hashes
        return (
            # PostgreSQL's usual index takes no text of more than 2,700 bytes.
            sa.Index(f"{lines.name}_key", lines.c.row_key, postgresql_using="hash"),
            sa.Index(f"{lines.name}_id", lines.c.line_id),
            sa.Index(f"{hashes.name}_hash", hashes.c.hash, postgresql_using="hash"),
            sa.Index(f"{hashes.name}_id", hashes.c.line_id),
        )

    def indexes_of_rows(self, number: int) -> tuple[sa.Index, ...]:
        """Of a reading: by what its rows are accepted."""
        rows = self.rows(number)
        return (sa.Index(f"{rows.name}_row", rows.c.row_id),) if self.dialect in _INDEXED else ()

    def _table(self, name: str, *columns: sa.Column[Any]) -> sa.Table:
        if self.dialect == "sqlite":
            return sa.Table(f"{self.schema}_{name}", sa.MetaData(), *columns)
        return sa.Table(name, sa.MetaData(schema=self.schema), *columns)


def values_of(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns of the source in a table of lines or rows: c1, c2 …"""
    return [column for column in table.columns if _VALUE.fullmatch(column.name)]


def key_column(name: str = "row_key") -> sa.Column[str]:
    """A column that holds keys of rows."""
    return sa.Column(name, _KEY, nullable=False)


def hash_column() -> sa.Column[str]:
    """A column that holds hashes of identifiers."""
    return sa.Column("hash", _SHORT, nullable=False)


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger)


def _values(width: int) -> list[sa.Column[Any]]:
    # Without a type: what the driver gives is what a reader of the user's own query would get.
    return [sa.Column(f"c{place + 1}", sa.types.NullType()) for place in range(width)]
