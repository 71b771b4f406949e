"""What a sensor remembers of a table."""

import sqlite3
import sys
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import QueryError, Watermark, open_engine, watermark

from .conftest import Statements

MODULE = sys.modules["kustomer_pipeline.warehouse.watermark"]  # the package shows the function of that name


@pytest.fixture(params=["sqlite", "postgres"])
def statements(request: pytest.FixtureRequest) -> Statements:
    run: Statements = request.getfixturevalue(request.param)
    return run


def test_the_watermark_is_the_newest_moment_and_the_number_of_rows(sqlite: Statements) -> None:
    engine = sqlite(
        "create table customers (id text, updated_at text)",
        "insert into customers values ('1', '2024-01-01 10:00'), ('2', '2024-01-02 09:00'), ('3', null)",
    )
    mark = watermark(engine, "customers", "updated_at")
    assert (mark.max_updated_at, mark.count, mark.undated) == ("2024-01-02 09:00", 3, 1)
    assert watermark(engine, "customers", "updated_at") == mark


def test_a_deleted_row_changes_the_watermark_though_the_newest_stays(sqlite: Statements) -> None:
    engine = sqlite("create table t (id text, at text)", "insert into t values ('1', 'a'), ('2', 'b')")
    before = watermark(engine, "t", "at")
    sqlite("delete from t where id = '1'")
    assert watermark(engine, "t", "at") != before


def test_an_empty_table_has_a_watermark(sqlite: Statements) -> None:
    assert watermark(sqlite("create table t (at text)"), "t", "at") == Watermark(None, 0)


def test_a_table_may_be_qualified(postgres: Statements) -> None:
    engine = postgres(
        "create schema crm",
        "create table crm.customers (updated_at timestamptz)",
        "insert into crm.customers values ('2024-05-01 12:30+02')",
    )
    mark = watermark(engine, "crm.customers", "updated_at")
    assert (mark.max_updated_at, mark.count) == ("2024-05-01T10:30:00+00:00", 1)


def test_odd_names_are_quoted(postgres: Statements) -> None:
    engine = postgres(
        'create schema "Odd.Schema"',
        'create table "Odd.Schema"."50% ""off""" ("Updated At" date)',
        """insert into "Odd.Schema"."50% ""off\""" values ('2024-05-01')""",
    )
    mark = watermark(engine, '"Odd.Schema"."50% ""off"""', "Updated At")
    assert (mark.max_updated_at, mark.count) == ("2024-05-01", 1)


@pytest.mark.parametrize(
    "table, column",
    [
        ("t; drop table t", "at"),
        ('t" where 1=0; drop table t; --', "at"),
        ("t", "at) from t; drop table t; --"),
        ("t", 'at"); drop table t; --'),
        ("t.", "at"),
        ("", "at"),
        ("(select 1)", "at"),
    ],
)
def test_a_name_is_never_sql(sqlite: Statements, table: str, column: str) -> None:
    engine = sqlite("create table t (at text)", "insert into t values ('a')")
    with pytest.raises(QueryError):
        watermark(engine, table, column)
    assert watermark(engine, "t", "at").max_updated_at == "a"


def test_a_missing_column_is_named(postgres: Statements) -> None:
    engine = postgres("create table t (id text)")
    with pytest.raises(QueryError, match=r"could not read max\(updated\) and the number of rows of t: .*updated"):
        watermark(engine, "t", "updated")


@pytest.mark.parametrize("mark", [Watermark("2024-05-01", 3, 1, "5f"), Watermark(None, 0)])
def test_a_watermark_survives_a_cursor(mark: Watermark) -> None:
    assert Watermark.from_json(mark.as_json()) == mark


@pytest.mark.parametrize("text", ["", "yesterday", "{}", "[]", "null", '{"max_updated_at": null, "count": 3}'])
def test_a_cursor_that_is_no_watermark_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a watermark; reset the sensor's cursor"):
        Watermark.from_json(text)


def test_a_misspelled_name_in_capitals_is_an_error_in_sqlite_too(sqlite: Statements) -> None:
    """SQLite reads an unknown name in quotes as a text: the sensor would see the same watermark for ever."""
    engine = sqlite('create table t ("updatedAt" text)')
    with pytest.raises(QueryError, match="updateAt"):
        watermark(engine, "t", "updateAt")


TABLE = "create table t (id text, plan text, at timestamp)"
ROWS = "insert into t values ('1', 'free', '2024-05-01 10:00'), ('2', 'pro', '2024-05-01 11:00'), ('3', 'pro', null)"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(["update t set plan = 'gold' where id = '2'"], id="the newest row in the same second"),
        pytest.param(["update t set plan = 'gold' where id = '1'"], id="an older row that keeps its date"),
        pytest.param(["update t set at = '2024-04-01' where id = '1'"], id="a row with an older clock"),
        pytest.param(
            ["delete from t where id = '1'", "insert into t values ('4', 'pro', '2024-05-01 10:00')"],
            id="delete and insert",
        ),
        pytest.param(
            ["delete from t where id = '3'", "insert into t values ('4', 'pro', '2024-05-01 11:00')"],
            id="a row without a date makes way for one with the newest",
        ),
        pytest.param(["update t set at = null where id = '1'"], id="a date that is taken away"),
    ],
)
def test_a_change_that_leaves_the_newest_date_and_the_number_of_rows_is_noticed(
    statements: Statements, change: list[str]
) -> None:
    engine = statements(TABLE, ROWS)
    before = watermark(engine, "t", "at")
    statements(*change)
    after = watermark(engine, "t", "at")
    assert (after.max_updated_at, after.count) == (before.max_updated_at, before.count)
    assert after != before


def test_a_table_that_does_not_change_keeps_its_watermark_wherever_its_rows_are(statements: Statements) -> None:
    engine = statements(TABLE, ROWS)
    before = watermark(engine, "t", "at")
    statements("create table u as select * from t order by id desc", "delete from t", "insert into t select * from u")
    assert watermark(engine, "t", "at") == before


def test_only_the_newest_rows_are_read_and_only_moments_that_are_there_whole(
    statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten rows of one moment any four may come: with them the watermark would change by itself."""
    monkeypatch.setattr(MODULE, "NEWEST", 5)
    rows = [f"('{n}', 'pro', '2024-05-01 10:00')" for n in range(10)] + ["('n', 'pro', '2024-05-01 11:00')"]
    engine = statements(TABLE, f"insert into t values {', '.join(rows)}")
    before = watermark(engine, "t", "at")
    statements("create table u as select * from t order by id desc", "delete from t", "insert into t select * from u")
    assert watermark(engine, "t", "at") == before
    statements("update t set plan = 'gold' where id = 'n'")
    assert watermark(engine, "t", "at") != before


def test_a_table_without_any_date_has_a_watermark(statements: Statements) -> None:
    engine = statements(TABLE, "insert into t values ('1', 'free', null)")
    assert watermark(engine, "t", "at") == Watermark(None, 1, undated=1)


def test_the_time_zone_of_a_session_changes_nothing(postgres: Statements, postgres_url: str) -> None:
    engine = postgres("create table t (id text, at timestamptz)", "insert into t values ('1', '2024-05-01 10:00+00')")
    before = watermark(engine, "t", "at")
    elsewhere = sa.make_url(postgres_url).update_query_dict({"options": "-c timezone=Asia/Tokyo"})
    assert watermark(open_engine(elsewhere.render_as_string(hide_password=False)), "t", "at") == before


def test_columns_of_every_type_are_in_the_checksum(postgres: Statements) -> None:
    engine = postgres(
        "create table t (at timestamptz, doc jsonb, blob bytea, price numeric, days daterange, ends date)",
        "insert into t values (now(), '{}', 'a', 1, '[2024-01-01,)', 'infinity')",
    )
    seen = {watermark(engine, "t", "at")}
    for change in ("doc = '[1]'", "blob = 'b'", "price = 2", "days = '[2025-01-01,)'", "ends = '-infinity'"):
        postgres(f"update t set {change}")
        seen.add(watermark(engine, "t", "at"))
    assert len(seen) == 6
    assert watermark(engine, "t", "at") in seen


def test_where_only_some_columns_may_be_read_the_dates_are_in_the_checksum(
    postgres: Statements, postgres_url: str
) -> None:
    engine = postgres(
        TABLE,
        ROWS,
        "grant select (at) on t to reader",
    )
    reader = open_engine(sa.make_url(postgres_url).set(username="reader").render_as_string(hide_password=False))
    before = watermark(reader, "t", "at")
    postgres("update t set plan = 'gold'")
    assert watermark(reader, "t", "at") == before
    postgres("update t set at = '2024-04-01' where id = '1'")
    assert watermark(reader, "t", "at") != before
    assert watermark(engine, "t", "at") != watermark(reader, "t", "at")


def test_a_database_that_stores_columns_is_asked_for_the_dates_only(
    sqlite: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "_ROW_STORES", ())
    engine = sqlite(TABLE, ROWS)
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    before = watermark(engine, "t", "at")
    assert not any("*" in statement.replace("count(*)", "") for statement in asked)
    sqlite("update t set at = '2024-04-01' where id = '1'")
    assert watermark(engine, "t", "at") != before


def test_a_row_that_a_driver_cannot_convert_leaves_the_dates_in_the_checksum(
    sqlite: Statements, sqlite_url: str
) -> None:
    def broken(value: bytes) -> None:
        raise ValueError(f"what is {value!r}?")

    sqlite("create table t (v broken, at text)", "insert into t values ('jane', '2024')")
    sqlite3.register_converter("broken", broken)
    engine = open_engine(f"{sqlite_url}?detect_types={sqlite3.PARSE_DECLTYPES}")
    before = watermark(engine, "t", "at")
    assert before.newest is not None
    sqlite("insert into t values ('jim', '2023')")
    assert watermark(engine, "t", "at").newest != before.newest


def test_a_date_that_a_driver_cannot_convert_is_an_error_that_does_not_show_it(
    sqlite: Statements, sqlite_url: str
) -> None:
    sqlite("create table t (at text)", "insert into t values ('jane')")
    engine = open_engine(sqlite_url)

    def fail(*_: object) -> None:
        raise OverflowError("what is jane?")

    sa.event.listen(engine, "after_cursor_execute", fail)
    with pytest.raises(QueryError, match=r"cannot convert a value \(OverflowError\)") as caught:
        watermark(engine, "t", "at")
    assert "jane" not in str(caught.value)


def test_a_moment_that_has_no_year_in_utc_is_text_as_it_is() -> None:
    """As drivers of other databases may give it."""
    last = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))
    assert MODULE.plain_text(last) == "9999-12-31T23:00:00-05:00"
