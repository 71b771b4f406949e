"""Whether something is new, asked without reading the table: what a sensor remembers instead of a watermark.

    watch: {query: …}              → answer_to(sql)     → Signal: a checksum of the row that the query gives
    watch: {table, by: metadata}   → last_change(table) → Signal: when or how often the table was changed, as the
                                                          warehouse itself keeps it

Equal signals mean that nothing has changed; compare them for being different, never for being larger. Nothing is
written, and of the answer to a query only a checksum is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

import sqlalchemy as sa
from sqlalchemy import exc

from .engine import connect, describe
from .errors import QueryError
from .statement import require_one_statement
from .watermark import checksum, parts_of, plain_text

Kind = Literal["query", "metadata"]


@dataclass(frozen=True)
class Signal:
    """`kind`: who was asked. `value`: a checksum of the answer of a query; the commit time or version of a table."""

    kind: Kind
    value: str

    def as_json(self) -> str:
        """As a sensor's cursor keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Signal:
        """The opposite of `as_json`.

        Raises:
            ValueError: the text is not from `as_json`.
        """
        try:
            values = json.loads(text)
            kind, value = values["kind"], values["value"]
            if kind not in get_args(Kind) or not isinstance(value, str):
                raise ValueError
            return cls(kind, value)
        except (ValueError, TypeError, KeyError):
            raise ValueError("not a signal; reset the sensor's cursor") from None


def answer_to(engine: sa.Engine, sql: str) -> Signal:
    """The answer to a query of the user's own: one row, of whatever columns.

    Raises:
        QueryError: the database refuses it, or it gives no row, or several.
        WarehouseUnavailableError: no connection, or it broke.
    """
    require_one_statement(sql)
    with connect(engine, "run the query of watch") as connection:
        # As read_frame does it. The query may be a mistake and give millions of rows: two are taken from the server.
        options = connection.execution_options(no_parameters=True, stream_results=True, max_row_buffer=2)
        result = options.exec_driver_sql(sql)
        rows = result.fetchmany(2) if result.returns_rows else []
        result.close()
    if len(rows) != 1:
        raise QueryError(
            f"The query of watch gives {'several rows' if rows else 'no row'}; it has to give one, "
            "such as: select max(loaded_at) from etl.loads"
        )
    return Signal("query", checksum(rows))


def last_change(engine: sa.Engine, table: str) -> Signal:
    """When a table was last changed, as the warehouse keeps it: no row of the table is read.

    table: `customers` or `crm.customers`, or with the database or project in front.

    Raises:
        QueryError: the warehouse keeps no such thing, or there is no such table.
        WarehouseUnavailableError: no connection, or it broke.
    """
    ask = _STATEMENTS.get(engine.dialect.name)
    if ask is None:
        raise QueryError(no_metadata(engine.dialect.name))
    with connect(engine, f"ask when {table} was last changed") as connection:
        row = connection.execute(ask(engine, parts_of(table))).first()
    if row is None or row[0] is None:
        raise QueryError(f"The warehouse {describe(engine)} has no table {table} that its user may see")
    return Signal("metadata", " ".join(str(plain_text(value)) for value in row[:2]))


def no_metadata(dialect: str) -> str:
    """What to write instead of `by: metadata` for a database that is not among those that can be asked."""
    return (
        f"{dialect} does not tell when a table was last changed; that do {', '.join(sorted(_STATEMENTS))}. "
        "Write updated_at, the column that says when a row was changed, or a query of your own: "
        "watch: {query: select max(loaded_at) from etl.loads}"
    )


def without_metadata(url: str) -> str | None:
    """The dialect of a URL, if its tables cannot be watched by metadata; None if they can, or if it is no URL."""
    try:
        dialect = sa.make_url(url.strip()).get_backend_name()
    except (exc.ArgumentError, ValueError):
        return None
    return None if dialect in _STATEMENTS else dialect


def _of_snowflake(engine: sa.Engine, parts: list[str]) -> sa.Executable:
    # Answered by the metadata of the account: a suspended warehouse stays suspended, which it does not for a query on
    # information_schema. Of a view it tells about the tables beneath.
    return sa.text("select system$last_change_commit_time(:name)").bindparams(name=_quoted(engine, parts))


def _of_bigquery(engine: sa.Engine, parts: list[str]) -> sa.Executable:
    *dataset, name = parts
    tables = f"{_plain(_quoted(engine, dataset))}.__TABLES__" if dataset else "__TABLES__"
    return sa.text(f"select last_modified_time from {tables} where table_id = :name").bindparams(name=name)


def _of_databricks(engine: sa.Engine, parts: list[str]) -> sa.Executable:
    # The newest entry of the history of a Delta table begins with its version and its time.
    return sa.text(f"describe history {_plain(_quoted(engine, parts))} limit 1")


def _quoted(engine: sa.Engine, parts: list[str]) -> str:
    """The name as the database reads it, each part in quotes where it needs them."""
    name = ".".join(map(engine.dialect.identifier_preparer.quote, parts))
    # SQLAlchemy writes a percent sign twice already, for drivers to whom one begins a parameter.
    return name.replace("%%", "%") if engine.dialect.paramstyle in ("format", "pyformat") else name


def _plain(sql: str) -> str:
    """For sa.text, to which a colon begins a parameter."""
    return sql.replace(":", r"\:")


_STATEMENTS: Final[Mapping[str, Callable[[sa.Engine, list[str]], sa.Executable]]] = {
    "snowflake": _of_snowflake,
    "bigquery": _of_bigquery,
    "databricks": _of_databricks,
}
