"""What a sensor remembers of a table."""

import pytest

from kustomer_pipeline.warehouse import QueryError, Watermark, watermark

from .conftest import Statements


def test_the_watermark_is_the_newest_moment_and_the_number_of_rows(sqlite: Statements) -> None:
    engine = sqlite(
        "create table customers (id text, updated_at text)",
        "insert into customers values ('1', '2024-01-01 10:00'), ('2', '2024-01-02 09:00'), ('3', null)",
    )
    assert watermark(engine, "customers", "updated_at") == Watermark("2024-01-02 09:00", 3)


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
    assert watermark(engine, "crm.customers", "updated_at") == Watermark("2024-05-01T10:30:00+00:00", 1)


def test_odd_names_are_quoted(postgres: Statements) -> None:
    engine = postgres(
        'create schema "Odd.Schema"',
        'create table "Odd.Schema"."50% ""off""" ("Updated At" date)',
        """insert into "Odd.Schema"."50% ""off\""" values ('2024-05-01')""",
    )
    assert watermark(engine, '"Odd.Schema"."50% ""off"""', "Updated At") == Watermark("2024-05-01", 1)


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
    assert watermark(engine, "t", "at") == Watermark("a", 1)


def test_a_missing_column_is_named(postgres: Statements) -> None:
    engine = postgres("create table t (id text)")
    with pytest.raises(QueryError, match=r"could not read max\(updated\) and the number of rows of t: .*updated"):
        watermark(engine, "t", "updated")


def test_a_watermark_survives_a_cursor() -> None:
    mark = Watermark("2024-05-01", 3)
    assert Watermark.from_json(mark.to_json()) == mark
    assert Watermark.from_json(Watermark(None, 0).to_json()) == Watermark(None, 0)


@pytest.mark.parametrize("text", ["", "yesterday", "{}", "[]", "null", '{"max_updated_at": null}'])
def test_a_cursor_that_is_no_watermark_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a watermark; reset the sensor's cursor"):
        Watermark.from_json(text)


def test_a_misspelled_name_in_capitals_is_an_error_in_sqlite_too(sqlite: Statements) -> None:
    """SQLite reads an unknown name in quotes as a text: the sensor would see the same watermark for ever."""
    engine = sqlite('create table t ("updatedAt" text)')
    with pytest.raises(QueryError, match="updateAt"):
        watermark(engine, "t", "updateAt")
