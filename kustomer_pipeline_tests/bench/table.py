"""The table that is measured: made by the database itself, so that ten million rows take no process of ours.

SQLite or PostgreSQL → customers (10 columns) → change: a thousandth of the rows differ from now on
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kustomer_pipeline.mapping import FieldMapping, wire_rows
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import ObjectSpec
from kustomer_pipeline.warehouse import open_engine, read_frame

SPEC = ObjectSpec(
    name="customers",
    object="customers",
    mode="upsert",
    match_on=("externalId", "email"),
    fields=(
        FieldMapping("externalId", ("customer_id",)),
        FieldMapping("email", ("email",)),
        FieldMapping("name", ("name",)),
        FieldMapping("phone", ("phone",)),
        FieldMapping("custom.planStr", ("plan",)),
        FieldMapping("custom.lifetimeValueNum", ("ltv",)),
        FieldMapping("custom.ordersNum", ("orders",)),
        FieldMapping("signedUpAt", ("signed_up_at",)),
        FieldMapping("custom.subscribedBool", ("subscribed",)),
        FieldMapping("custom.regionStr", ("region",)),
    ),
)
QUERY = "select * from customers"
EVERY = 1_000
"""Of so many rows one changes."""

_CHANGING = f"cast(substr(customer_id, 2) as integer) % {EVERY} = 0"
_STATEMENTS = {
    "sqlite": (
        "create table customers (customer_id text, email text, name text, phone text, plan text, ltv real, "
        "orders integer, signed_up_at text, subscribed integer, region text)",
        "with recursive series(n) as (select 0 union all select n + 1 from series where n + 1 < {rows}) "
        "insert into customers select printf('C%08d', n), 'user' || n || '@example.com', 'Name ' || n, "
        "printf('+1202%07d', n), case n % 3 when 0 then 'free' else 'pro' end, n * 1.5, n % 17, "
        "printf('2026-01-%02dT03:04:05Z', n % 28 + 1), n % 2, 'region ' || (n % 40) from series",
    ),
    "postgresql": (
        "create table customers (customer_id text, email text, name text, phone text, plan text, "
        "ltv double precision, orders integer, signed_up_at timestamptz, subscribed boolean, region text)",
        "insert into customers select 'C' || lpad(n::text, 8, '0'), 'user' || n || '@example.com', 'Name ' || n, "
        "'+1202' || lpad(n::text, 7, '0'), case n % 3 when 0 then 'free' else 'pro' end, n * 1.5, n % 17, "
        "timestamptz '2026-01-01T03:04:05Z' + n % 28 * interval '1 day', n % 2 = 1, 'region ' || (n % 40) "
        "from generate_series(0, {rows} - 1) as series(n)",
        "vacuum analyze customers",
    ),
}


def make_table(url: str, rows: int) -> None:
    """The table, in a database that has none."""
    for statement in _STATEMENTS[sa.make_url(url).get_backend_name()]:
        _execute(url, statement.format(rows=rows))


def change(url: str) -> int:
    """Change two columns of a thousandth of the rows; how many that were."""
    return _execute(url, f"update customers set ltv = ltv + 1, orders = orders + 1 where {_CHANGING}")


def seed(sandbox: Sandbox, url: str) -> dict[str, str]:
    """Let the org have the customers of the rows that are going to change: customer_id → Kustomer id.

    No run asks for any other: what has not changed is not looked for.
    """
    mapped = SPEC.map(read_frame(open_engine(url), f"{QUERY} where {_CHANGING}"))
    bodies: list[dict[str, Any]] = wire_rows(mapped, SPEC.fields, object_name=SPEC.object)
    return {str(body["externalId"]): sandbox.seed_customer(**body) for body in bodies}


def _execute(url: str, statement: str) -> int:
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.execution_options(no_parameters=True).connect() as connection:
        return connection.exec_driver_sql(statement).rowcount
