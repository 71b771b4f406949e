"""Tables made from a select: only so are the types of their columns those of the source, in every database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import DDLCompiler


class CreateTableAs(sa.schema.ExecutableDDLElement):
    """`create table … as select …`; the values in the select are written into the statement.

    passing: the table need not outlive a crash of the server (PostgreSQL writes no log of it, which halves its cost).
    """

    inherit_cache = False

    def __init__(self, table: sa.TableClause, select: sa.Select[Any], *, passing: bool = False) -> None:
        self.table, self.select, self.passing = table, select, passing


@compiles(CreateTableAs)
def _create_table_as(element: CreateTableAs, compiler: DDLCompiler, **_: Any) -> str:
    query = compiler.sql_compiler.process(element.select, literal_binds=True)
    return f"CREATE TABLE {_name(element, compiler)} AS {query}"


@compiles(CreateTableAs, "postgresql")
def _postgresql(element: CreateTableAs, compiler: DDLCompiler, **_: Any) -> str:
    query = compiler.sql_compiler.process(element.select, literal_binds=True)
    unlogged = "UNLOGGED " if element.passing else ""
    return f"CREATE {unlogged}TABLE {_name(element, compiler)} AS {query}"


@compiles(CreateTableAs, "mssql")
def _mssql(element: CreateTableAs, compiler: DDLCompiler, **_: Any) -> str:
    query = compiler.sql_compiler.process(element.select, literal_binds=True)
    return f"SELECT * INTO {_name(element, compiler)} FROM ({query}) AS made"


def _name(element: CreateTableAs, compiler: DDLCompiler) -> str:
    return compiler.preparer.format_table(element.table)
