"""The columns of a source and how they are compared: exactly, whatever the database thinks of case and spaces.

    plain   numbers, moments, booleans: as they are (1.0 and 1.00 are one number, 0.0 and -0.0, too)
    text    byte by byte: case, accents and trailing spaces count, whatever the column's collation
    other   what has no equality, or one that hides differences (json, arrays, intervals, enums, citext): as its text

The layout, names and types, is kept beside the lines. Lines of another layout cannot be compared with the source.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

Kind = Literal["plain", "text", "other"]
Expression = sa.ColumnElement[Any]

_PLAIN_POSTGRESQL = re.compile(
    r"(?:smallint|integer|bigint|numeric|real|double precision|boolean|date|uuid|bytea|timestamp|time(?!.* with time))"
    r"(?:\(.*\))?(?: with(?:out)? time zone)?"
)
_TEXT_POSTGRESQL = re.compile(r"(?:text|character(?: varying)?(?:\(\d+\))?)")
_PLAIN = (sa.Integer, sa.Numeric, sa.Float, sa.Boolean, sa.Date, sa.DateTime, sa.Time, sa.Uuid)

# What tells any two texts apart where the usual comparison does not.
_EXACT: dict[str, Callable[[Expression], Expression]] = {
    "mysql": lambda value: sa.cast(value, sa.LargeBinary),
    "mariadb": lambda value: sa.cast(value, sa.LargeBinary),
    "mssql": lambda value: sa.cast(value, _Named("VARBINARY(max)")),
    "snowflake": lambda value: sa.func.collate(value, ""),
}
_AS_TEXT: dict[str, Callable[[Expression], Expression]] = {
    "bigquery": sa.func.to_json_string,
    "databricks": sa.func.to_json,
    "snowflake": sa.func.to_json,
    "redshift": sa.func.json_serialize,
}
_ANY_VALUE = ("snowflake", "bigquery", "databricks", "redshift", "duckdb")


@dataclass(frozen=True)
class Column:
    """One column of the source: its name there, its label here, its type in the database's words."""

    name: str
    label: str
    type: str
    kind: Kind

    def inner(self, dialect: str, value: Expression) -> list[sa.Label[Any]]:
        """What the union of source and lines selects for this column."""
        if dialect == "sqlite":
            return [sa.collate(value, "BINARY").label(self.label)]
        if dialect == "postgresql":
            return [self._postgresql(value).label(self.label)]
        key = self._key(dialect, value)
        return [value.label(self.label)] if key is value else [value.label(self.label), key.label(f"k{self.label}")]

    def outer(self, dialect: str, union: sa.Subquery) -> tuple[Expression, Expression]:
        """What is grouped by, and what is selected: the value itself."""
        value = union.c[self.label]
        if dialect == "postgresql" and self.kind == "other":
            return value, sa.cast(value, _Named(self.type))
        if f"k{self.label}" not in union.c:
            return value, value
        any_value: Callable[[Expression], Expression] = sa.func.any_value if dialect in _ANY_VALUE else sa.func.max
        return union.c[f"k{self.label}"], any_value(value)

    def _postgresql(self, value: Expression) -> Expression:
        if self.kind == "plain":
            return value
        if self.kind == "other":
            # A cast would cut the spaces at the end of a `bpchar`.
            value = sa.func.format("%s", value) if self.type == "bpchar" else sa.cast(value, sa.Text)
        return sa.collate(value, "C")

    def _key(self, dialect: str, value: Expression) -> Expression:
        if self.kind == "plain":
            return value
        if self.kind == "other":
            value = _AS_TEXT[dialect](value) if dialect in _AS_TEXT else sa.cast(value, sa.Unicode)
        return _EXACT[dialect](value) if dialect in _EXACT else value


class _Named(sa.types.UserDefinedType[Any]):
    """A type by its name in the database."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


def layout_of(connection: sa.Connection, table: sa.Table, names: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns c1, c2 … of a table that was made from a source, whose columns are `names`."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        types = _types_of_postgresql(connection, table)
        return tuple(
            Column(name, f"c{place}", types[f"c{place}"], _kind_of_postgresql(types[f"c{place}"]))
            for place, name in enumerate(names, 1)
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # a type that the dialect does not know is told by its name
        found = sa.inspect(connection).get_columns(table.name, table.schema)
    reflected = {column["name"].lower(): column["type"] for column in found}
    return tuple(
        Column(
            name, f"c{place}", _spelled(connection, reflected[f"c{place}"]), kind_of(dialect, reflected[f"c{place}"])
        )
        for place, name in enumerate(names, 1)
    )


def to_json(layout: tuple[Column, ...]) -> str:
    """As it is kept: two layouts are one when their texts are."""
    return json.dumps([[column.name, column.type] for column in layout], ensure_ascii=False)


def kind_of(dialect: str, kind: sa.types.TypeEngine[Any]) -> Kind:
    """How a column of this type is compared, in databases other than PostgreSQL."""
    if dialect == "duckdb" or isinstance(kind, _PLAIN):
        return "plain"  # DuckDB groups every type by its value
    return "text" if isinstance(kind, sa.String) and not isinstance(kind, sa.Enum) else "other"


def _kind_of_postgresql(spelled: str) -> Kind:
    if _PLAIN_POSTGRESQL.fullmatch(spelled):
        return "plain"
    return "text" if _TEXT_POSTGRESQL.fullmatch(spelled) else "other"


def _types_of_postgresql(connection: sa.Connection, table: sa.Table) -> dict[str, str]:
    attribute = sa.table("pg_attribute", *map(sa.column, ("attname", "atttypid", "atttypmod", "attrelid", "attnum")))
    name = connection.dialect.identifier_preparer.format_table(table)
    spelled = sa.func.format_type(attribute.c.atttypid, attribute.c.atttypmod)
    found = sa.select(attribute.c.attname, spelled).where(
        attribute.c.attrelid == sa.func.to_regclass(name), attribute.c.attnum > 0
    )
    return {row[0]: row[1] for row in connection.execute(found)}


def _spelled(connection: sa.Connection, kind: sa.types.TypeEngine[Any]) -> str:
    try:
        return kind.compile(connection.dialect)
    except sa.exc.CompileError:
        return repr(kind)
