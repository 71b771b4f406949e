"""The statements as other databases would get them, and databases that cannot keep what was accepted."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from kustomer_pipeline.warehouse.comparison import Comparison, ComparisonError, Source, statements
from kustomer_pipeline.warehouse.comparison.ddl import CreateTableAs
from kustomer_pipeline.warehouse.comparison.layout import Column, Kind
from kustomer_pipeline.warehouse.comparison.tables import OWN_OF_ROWS, Tables


def dialect_named(name: str) -> Dialect:
    """A dialect that SQLAlchemy brings; its driver need not be installed."""
    made: Any = sa.make_url(f"{name}://").get_dialect()
    return made()  # type: ignore[no-any-return]


DIALECTS = [dialect_named(name) for name in ("mysql", "mssql", "oracle", "postgresql")]
SOURCE = Source("select * from crm.customers where at > '12:00';", ("email", "id", "raw"), "id")
KINDS: tuple[Kind, ...] = ("text", "plain", "other")
LAYOUT = tuple(
    Column(name, f"c{place}", "json", kind)
    for place, (name, kind) in enumerate(zip(sorted(SOURCE.columns), KINDS, strict=True), 1)
)


def differences(dialect: Dialect) -> str:
    """The statement that compares, with its values in it and single spaces."""
    tables = Tables.of("kustomer_sync", dialect.name, "org", "customers")
    again = tables.work("again", sa.Column("row_key", sa.String(100)))
    known = statements.Known.of(tables.lines(3), again)
    wanted = sa.select(*statements.source_table(SOURCE).c)
    both = statements.union(dialect.name, LAYOUT, wanted, known.contents())
    compared = statements.differences(dialect.name, LAYOUT, SOURCE.pair, both, 1 << 32)
    return " ".join(str(compared.compile(dialect=dialect, compile_kwargs={"literal_binds": True})).split())


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_the_source_is_read_once_and_grouped_by_all_columns(dialect: Dialect) -> None:
    sql = differences(dialect)

    assert sql.count("crm.customers") == 1
    assert "UNION ALL" in sql
    grouped = re.search(r"GROUP BY (.*?) HAVING", sql)
    assert grouped is not None
    assert [re.sub(r"\W*both\W*|\W", "", name).lstrip("k") for name in grouped[1].split(",")] == ["c2", "c1", "c3"]
    assert "JOIN" in sql.replace("LEFT OUTER JOIN", "JOIN", 1)
    assert sql.count("JOIN") == 1


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("mysql", r"CAST\(wanted.email AS BINARY\)"),
        ("mssql", r"CAST\(wanted.email AS VARBINARY\(max\)\)"),
        ("postgresql", r'wanted.email COLLATE "C"'),
    ],
)
def test_text_is_compared_byte_by_byte(name: str, exact: str) -> None:
    assert re.search(exact, differences(dialect_named(name)))


def test_what_differs_is_numbered_in_the_same_order_each_time() -> None:
    assert 'row_number() OVER (ORDER BY "both".c2, "both".c1' in differences(dialect_named("postgresql"))


def test_a_database_that_numbers_rows_in_an_order_only_is_given_one() -> None:
    assert "(ORDER BY (SELECT NULL" in str(statements.place("mssql").compile(dialect=dialect_named("mssql")))
    assert "OVER ()" in str(statements.place("postgresql").compile(dialect=dialect_named("postgresql")))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_table_is_made_with_the_types_of_the_source(dialect: Dialect) -> None:
    tables = Tables.of("kustomer_sync", dialect.name, "org", "customers")
    source = statements.source_table(SOURCE)
    select = statements.empty_rows(tables.types, source, ("email", "id", "raw"), OWN_OF_ROWS)

    sql = str(CreateTableAs(tables.rows(7), select, passing=True).compile(dialect=dialect))

    made = f"kustomer_sync.kustomer_rows_{tables.digest}_7"
    start = {"mssql": f"SELECT * INTO {made} FROM (", "postgresql": f"CREATE UNLOGGED TABLE {made} AS "}
    assert sql.startswith(start.get(dialect.name, f"CREATE TABLE {made} AS "))
    assert ":" not in sql.replace("'12:00'", "")  # every value is in it


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_all_names_fit(dialect: Dialect) -> None:
    tables = Tables.of("kustomer_sync", dialect.name, "org" * 30, "sync" * 60)

    names = [table.name for table in (tables.types, tables.hashes, tables.rows(10**9), tables.changed(10**9))]
    names += [str(index.name) for index in tables.indexes()]

    assert max(map(len, names)) <= 63


def test_a_database_that_cannot_change_rows_is_told_to_compare_elsewhere() -> None:
    engine: Any = SimpleNamespace(dialect=SimpleNamespace(name="clickhousedb"))

    with pytest.raises(ComparisonError, match=r"ClickHouse cannot change rows .* use the embedded comparison"):
        Comparison(engine, schema="s", org_id="o", sync="s")
