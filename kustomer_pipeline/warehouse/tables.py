"""What a table is made of, asked of the database's catalogue; no row is read."""

from __future__ import annotations

import sqlalchemy as sa

from .engine import connect, describe
from .errors import QueryError


def table_columns(engine: sa.Engine, table: str) -> dict[str, str]:
    """Column → the name of the Python type of its values (`str`, `int`, `bool`, `datetime`…; `str` where unknown).

    table: `customers` or `crm.customers`.

    Raises:
        QueryError: there is no such table, or the user may not see it.
        WarehouseUnavailableError: no connection.
    """
    schema, _, name = table.rpartition(".")
    with connect(engine, f"look up the table {table}") as connection:
        try:
            columns = sa.inspect(connection).get_columns(name, schema=schema or None)
        except sa.exc.NoSuchTableError:
            raise QueryError(f"The warehouse {describe(engine)} has no table {table} that its user may see") from None
    return {str(column["name"]): _python_type(column["type"]) for column in columns}


def _python_type(kind: sa.types.TypeEngine[object]) -> str:
    try:
        return kind.python_type.__name__
    except NotImplementedError:  # some dialects' own types do not say: Snowflake's TIMESTAMP_NTZ
        return "datetime" if type(kind).__name__.upper().startswith(("TIMESTAMP", "DATETIME")) else "str"
