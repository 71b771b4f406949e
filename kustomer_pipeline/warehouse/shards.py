"""A part of a query's rows, chosen in the warehouse: by a hash of the columns that a row's key comes from.

    select * from (the query) where part(key) = number

    part = the first 32 bits of md5(the key as text, trimmed, in small letters; null: '') modulo the number of parts

Every database here has md5; how to take a number from it each says in its own words. SQLite has none: its driver is
given the function (md5.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from .engine import describe
from .errors import QueryError
from .md5 import SQLITE_FUNCTION
from .statement import require_one_statement, without_end

# The first 32 bits of the md5 of {text}, as a number.
_FIRST_BITS: Mapping[str, str] = {
    "sqlite": SQLITE_FUNCTION + "(cast({text} as blob))",
    "postgresql": "cast(cast(('x' || substr(md5({text}), 1, 8)) as bit(32)) as bigint)",
    "mysql": "cast(conv(substr(md5({text}), 1, 8), 16, 10) as unsigned)",
    "mariadb": "cast(conv(substr(md5({text}), 1, 8), 16, 10) as unsigned)",
    "duckdb": "cast('0x' || substr(md5({text}), 1, 8) as bigint)",
    "snowflake": "to_number(substr(md5({text}), 1, 8), 'XXXXXXXX')",
    "bigquery": "cast(concat('0x', substr(to_hex(md5({text})), 1, 8)) as int64)",
    "redshift": "strtol(substring(md5({text}), 1, 8), 16)",
    "databricks": "cast(conv(substr(md5({text}), 1, 8), 16, 10) as bigint)",
    "clickhouse": "reinterpretAsUInt32(reverse(substring(MD5({text}), 1, 4)))",
    "clickhousedb": "reinterpretAsUInt32(reverse(substring(MD5({text}), 1, 4)))",
    "trino": "from_base(substr(to_hex(md5(to_utf8({text}))), 1, 8), 16)",
    "mssql": "cast(substring(hashbytes('MD5', {text}), 1, 4) as bigint)",
}
_WITHOUT_MOD = ("mssql", "sqlite")
_TEXT_TYPE: Mapping[str, str] = {
    "bigquery": "string",
    "databricks": "string",
    "clickhouse": "Nullable(String)",
    "clickhousedb": "Nullable(String)",
    "mysql": "char",
    "mariadb": "char",
    "mssql": "varchar(900)",
    "postgresql": "text",
    "sqlite": "text",
}


def part_of_query(engine: sa.Engine, sql: str, key: Sequence[str], number: int, of: int) -> str:
    """The query, of which only the rows of one part come. key: the columns that the rows' key comes from, in order.

    Raises:
        QueryError: it is not one statement, or nothing is known of this database's way.
    """
    require_one_statement(sql)
    dialect = engine.dialect.name
    first_bits = _FIRST_BITS.get(dialect)
    if first_bits is None:
        raise QueryError(
            f"The rows of {describe(engine)} cannot be split into shards: nothing is known of {dialect}'s md5. "
            "Leave shards out"
        )
    bits = first_bits.replace("{text}", _text(engine.dialect, key))
    remainder = f"{bits} % {of}" if dialect in _WITHOUT_MOD else f"mod({bits}, {of})"
    # On a line of its own, for the select may end in a comment.
    return f"select * from (\n{without_end(sql)}\n) source_of_part where {remainder} = {number}"


def _text(dialect: sa.Dialect, key: Sequence[str]) -> str:
    kind = _TEXT_TYPE.get(dialect.name, "varchar")
    quote = dialect.identifier_preparer.quote
    values = [f"nullif(trim(cast({quote(column)} as {kind})), '')" for column in key]
    lower = "lowerUTF8" if dialect.name.startswith("clickhouse") else "lower"
    return f"{lower}(coalesce({', '.join(values)}, ''))"
