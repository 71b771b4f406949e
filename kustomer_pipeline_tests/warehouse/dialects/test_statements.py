"""Our own SQL for databases that cannot be run here: compiled by SQLAlchemy's dialect, read by a parser of its SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateTable

from kustomer_pipeline.warehouse import QueryError, WarehouseUrlError, open_engine, part_of_query, watermark
from kustomer_pipeline.warehouse.log_tables import LogTables
from kustomer_pipeline.warehouse.signals import Signal, last_change

from .pages import PAGES

# dialect, as its URL begins → as the parser calls it
DIALECTS = {
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "databricks": "databricks",
    "redshift.psycopg2": "redshift",
    "trino": "trino",
    "mssql.pymssql": "tsql",
    "clickhousedb": "clickhouse",
}
BIGQUERY = "select last_modified_time from"
METADATA = {
    "snowflake": "select system$last_change_commit_time('crm.customers')",
    "bigquery": f"{BIGQUERY} `crm`.__TABLES__ where table_id = 'customers'",
    "databricks": "describe history crm.customers limit 1",
}


class Recorder:
    """A connection that writes down what it is asked, as text, and answers each with the next of its rows."""

    def __init__(self, dialect: sa.Dialect, rows: list[tuple[Any, ...]]) -> None:
        self.engine: Any = SimpleNamespace(dialect=dialect, url=sa.make_url("snowflake://jane@account/crm"))
        self.statements: list[str] = []
        self._rows = rows

    def execute(self, statement: sa.ClauseElement) -> Any:
        compiled = statement.compile(dialect=self.engine.dialect, compile_kwargs={"literal_binds": True})
        sql = str(compiled)
        if self.engine.dialect.paramstyle in ("format", "pyformat"):
            sql = sql % ()  # as the driver does it
        self.statements.append(" ".join(sql.split()))
        row = self._rows.pop(0) if self._rows else None
        return SimpleNamespace(one=lambda: row, first=lambda: row, fetchall=lambda: [row])

    @contextmanager
    def connect(self, engine: sa.Engine, doing: str) -> Iterator[Recorder]:
        yield self


@pytest.fixture(params=sorted(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> sa.Dialect:
    return dialect_of(request.param)


def dialect_of(name: str) -> sa.Dialect:
    try:
        return registry.load(name)()  # type: ignore[no-any-return]  # the registry's classes are untyped
    except (ImportError, sa.exc.NoSuchModuleError):
        pytest.skip(f"the dialect {name} is not installed here: make test-warehouses")


@pytest.fixture
def read(dialect: sa.Dialect) -> Any:
    """Read a statement as the database would; an error is the parser's, with the place."""
    sqlglot = pytest.importorskip("sqlglot", reason="sqlglot is not installed here: make test-warehouses")
    names = {name.partition(".")[0]: parsed for name, parsed in DIALECTS.items()}
    return lambda sql: sqlglot.parse_one(sql, read=names[dialect.name])


def recorded(monkeypatch: pytest.MonkeyPatch, module: str, dialect: sa.Dialect, *rows: tuple[Any, ...]) -> Recorder:
    recorder = Recorder(dialect, list(rows))
    monkeypatch.setattr(import_module(f"kustomer_pipeline.warehouse.{module}"), "connect", recorder.connect)
    return recorder


def test_a_watermark_is_one_look_at_the_table_and_one_at_its_newest_rows(
    monkeypatch: pytest.MonkeyPatch, dialect: sa.Dialect, read: Any
) -> None:
    recorder = recorded(monkeypatch, "watermark", dialect, ("2024-05-01", 7, 6), ("2024-05-01",))
    mark = watermark(recorder.engine, "crm.customers", "updated_at")
    assert (mark.max_updated_at, mark.count, mark.undated) == ("2024-05-01", 7, 1)
    counted, newest = map(read, recorder.statements)
    for statement in (counted, newest):
        assert [(table.db, table.name) for table in statement.find_all(import_module("sqlglot").exp.Table)] == [
            ("crm", "customers")
        ]
    assert newest.args.get("limit") is not None or "TOP 1001" in recorder.statements[1]


def test_a_part_of_the_rows_is_chosen_by_a_statement_that_the_database_reads(dialect: sa.Dialect, read: Any) -> None:
    engine: Any = SimpleNamespace(dialect=dialect)
    statement = read(part_of_query(engine, "select * from crm.customers;", ["customer id", "email"], 3, 16))
    assert [column.name for column in statement.find_all(import_module("sqlglot").exp.Column)] == [
        "customer id",
        "email",
    ]
    assert statement.find(import_module("sqlglot").exp.EQ).expression.name == "3"


def test_a_table_of_another_database_is_named_whole(
    monkeypatch: pytest.MonkeyPatch, dialect: sa.Dialect, read: Any
) -> None:
    recorder = recorded(monkeypatch, "watermark", dialect, (None, 0, 0))
    watermark(recorder.engine, "shop.crm.customers", "updated_at")
    table = read(recorder.statements[0]).find(import_module("sqlglot").exp.Table)
    assert (table.catalog, table.db, table.name) == ("shop", "crm", "customers")


@pytest.mark.parametrize("dialect", sorted(METADATA), indirect=True)
def test_the_metadata_are_asked_for_one_table_and_no_row_is_read(
    monkeypatch: pytest.MonkeyPatch, dialect: sa.Dialect
) -> None:
    recorder = recorded(monkeypatch, "signals", dialect, (41, "2024-05-01", "MERGE"))
    assert last_change(recorder.engine, "crm.customers") == Signal("metadata", "41 2024-05-01")
    assert recorder.statements == [METADATA[dialect.name]]


@pytest.mark.parametrize(
    "dialect, table, statement",
    [
        ("snowflake", """crm."o'brien\"""", """select system$last_change_commit_time('crm."o''brien"')"""),
        ("snowflake", 'crm."50% off"', """select system$last_change_commit_time('crm."50% off"')"""),
        ("snowflake", 'crm."a:b"', """select system$last_change_commit_time('crm."a:b"')"""),
        ("bigquery", "my-shop.crm.a:b", f"{BIGQUERY} `my-shop`.`crm`.__TABLES__ where table_id = 'a:b'"),
        ("databricks", 'crm."a:b"', "describe history crm.`a:b` limit 1"),
        ("databricks", 'crm."50% off"', "describe history crm.`50% off` limit 1"),
    ],
    indirect=["dialect"],
)  # fmt: skip
def test_an_odd_name_stays_a_name_in_the_question_for_metadata(
    monkeypatch: pytest.MonkeyPatch, dialect: sa.Dialect, table: str, statement: str
) -> None:
    recorder = recorded(monkeypatch, "signals", dialect, (41,))
    last_change(recorder.engine, table)
    assert recorder.statements == [statement]


@pytest.mark.parametrize("dialect", sorted(METADATA), indirect=True)
def test_a_table_that_the_metadata_do_not_know_is_an_error(
    monkeypatch: pytest.MonkeyPatch, dialect: sa.Dialect
) -> None:
    recorder = recorded(monkeypatch, "signals", dialect)
    with pytest.raises(QueryError, match=r"has no table crm\.customers that its user may see"):
        last_change(recorder.engine, "crm.customers")


@pytest.mark.parametrize("dialect", sorted(DIALECTS.keys() - {"clickhousedb"}), indirect=True)
def test_the_log_tables_can_be_created(dialect: sa.Dialect, read: Any) -> None:
    tables = LogTables.of("kustomer_sync", dialect.name)
    for table in (tables.sync_log, tables.sync_runs, tables.rejects):
        read(str(CreateTable(table).compile(dialect=dialect)))


@pytest.mark.parametrize("dialect", sorted(DIALECTS.keys() - {"bigquery"}), indirect=True)
def test_the_url_of_the_page_is_one_that_the_driver_takes(dialect: sa.Dialect) -> None:
    if dialect.name == "mssql":  # SQLAlchemy brings the dialect, not the driver
        pytest.importorskip("pymssql", reason="pymssql is not installed here: make test-warehouses")
    assert open_engine(url_of({"clickhousedb": "clickhouse"}.get(dialect.name, dialect.name))).driver == dialect.driver


@pytest.mark.parametrize("dialect", ["bigquery"], indirect=True)
def test_bigquery_looks_for_the_credentials_that_the_url_of_the_page_names(dialect: sa.Dialect) -> None:
    with pytest.raises(WarehouseUrlError, match=r"cannot be used for bigquery: .*'/path/to/key\.json'"):
        open_engine(url_of(dialect.name))


def url_of(page: str) -> str:
    [url] = re.findall(r"^WAREHOUSE_URL=(\S+)$", (PAGES / f"{page}.md").read_text(encoding="utf-8"), re.MULTILINE)
    return str(url)
