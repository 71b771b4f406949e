"""A query in, a DataFrame out: SQLite, and a real PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.warehouse import QueryError, open_engine, read, read_frame

from .conftest import Statements

DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgres"])


@pytest.fixture
def statements(database: str, request: pytest.FixtureRequest) -> Statements:
    run: Statements = request.getfixturevalue(database)
    return run


def values(frame: pd.DataFrame, column: str) -> list[object]:
    return [None if pd.isna(value) else value for value in frame[column]]


@DATABASES
def test_numbers_text_and_nulls_have_their_own_dtypes(statements: Statements) -> None:
    engine = statements(
        "create table t (id text, seats integer, ltv double precision, note text)",
        "insert into t values ('007', 3, 1.5, null), (null, null, null, null)",
    )
    frame = read_frame(engine, "select * from t")
    assert dict(frame.dtypes.astype(str)) == {
        "id": "string",
        "seats": "Int64",
        "ltv": "Float64",
        "note": "string",
    }
    assert values(frame, "id") == ["007", None]
    assert values(frame, "seats") == [3, None]
    assert frame["note"].isna().all()
    assert all(value is pd.NA for value in frame.iloc[1])


@DATABASES
def test_an_empty_result_keeps_its_columns(statements: Statements) -> None:
    frame = read_frame(statements("create table t (id text, seats integer)"), "select * from t")
    assert (list(frame.columns), len(frame)) == (["id", "seats"], 0)


@DATABASES
def test_colons_percent_signs_and_semicolons_in_a_query_are_what_they_are(statements: Statements) -> None:
    engine = statements("create table t (name text)", "insert into t values ('100% at 12:30; :x')")
    frame = read_frame(engine, "select name, '12:30' as t from t where name like '100\\%%' escape '\\' -- a; b\n;")
    assert frame.to_dict("records") == [{"name": "100% at 12:30; :x", "t": "12:30"}]


@DATABASES
def test_a_result_of_many_chunks_is_read_whole_and_in_order(
    statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "CHUNK", 10)
    monkeypatch.setattr(read, "_TUPLES", 10)
    numbers = ", ".join(f"({number}, {'null' if number < 15 else repr(str(number))})" for number in range(35))
    engine = statements("create table t (n integer, late text)", f"insert into t values {numbers}")
    frame = read_frame(engine, "select * from t order by n")
    assert values(frame, "n") == list(range(35))
    assert values(frame, "late") == [None if number < 15 else str(number) for number in range(35)]
    assert list(frame.index) == list(range(35))


@DATABASES
def test_two_columns_of_one_name_are_refused(statements: Statements) -> None:
    engine = statements("create table t (id text, email text)")
    with pytest.raises(QueryError, match="several columns named 'email'; rename all but one"):
        read_frame(engine, "select a.id, a.email, b.email from t a join t b on a.id = b.id")


@DATABASES
def test_a_missing_table_and_a_missing_column_are_named(statements: Statements) -> None:
    engine = statements("create table t (id text)")
    with pytest.raises(QueryError, match=r"could not run the query: .*(customerz)"):
        read_frame(engine, "select * from customerz")
    with pytest.raises(QueryError, match=r"could not run the query: .*(emial)"):
        read_frame(engine, "select emial from t")


@DATABASES
def test_a_mistake_in_the_sql_is_told_in_the_databases_words(statements: Statements) -> None:
    with pytest.raises(QueryError, match="syntax error"):
        read_frame(statements(), "selec 1")


@DATABASES
@pytest.mark.parametrize(
    "sql",
    [
        "delete from t",
        "update t set id = 'x' returning id",
        "insert into t values ('x') returning id",
        "drop table t",
    ],
)
def test_a_query_that_would_change_something_is_refused_and_changes_nothing(statements: Statements, sql: str) -> None:
    engine = statements("create table t (id text)", "insert into t values ('1'), ('2')")
    with pytest.raises(QueryError):
        read_frame(engine, sql)
    assert values(read_frame(engine, "select id from t"), "id") == ["1", "2"]


@DATABASES
@pytest.mark.parametrize(
    "sql", ["select 1 as a; delete from t", "select 1 as a; commit; delete from t; select 1 as a;"]
)
def test_several_statements_are_refused(statements: Statements, sql: str) -> None:
    engine = statements("create table t (id text)", "insert into t values ('1')")
    with pytest.raises(QueryError, match="several statements"):
        read_frame(engine, sql)
    assert len(read_frame(engine, "select id from t")) == 1


@pytest.mark.parametrize("sql", ["", "  \n;", "-- nothing", "/* ; */ ;"])
def test_an_empty_query_is_refused(sqlite: Statements, sql: str) -> None:
    with pytest.raises(QueryError, match="empty"):
        read_frame(sqlite(), sql)


def test_sqlite_ids_of_mixed_types_stay_as_they_are(sqlite: Statements) -> None:
    engine = sqlite("create table t (id)", "insert into t values (7), ('007'), (null), (7.5)")
    assert values(read_frame(engine, "select id from t"), "id") == ["7", "007", None, "7.5"]


def test_sqlite_numbers_beside_text_are_written_as_people_write_them(sqlite: Statements) -> None:
    engine = sqlite("create table t (id)", "insert into t values (7.0), ('C-7'), (12345678901.25)")
    assert values(read_frame(engine, "select id from t"), "id") == ["7", "C-7", "12345678901.25"]


def test_long_decimals_of_postgresql_keep_every_digit(postgres: Statements) -> None:
    query = "select 12345678901234.123456789::numeric as one union all select 0.5 order by one"
    assert values(read_frame(postgres(), query), "one") == ["0.5", "12345678901234.123456789"]


def test_a_column_name_with_a_dot_stays_whole(sqlite: Statements) -> None:
    assert list(read_frame(sqlite(), 'select 1 as "crm.id"').columns) == ["crm.id"]


def test_a_column_without_a_name_is_refused(sqlite: Statements) -> None:
    with pytest.raises(QueryError, match="Column 2 of the query has no name"):
        read_frame(sqlite(), 'select 1 as a, 2 as ""')


def test_a_value_that_a_driver_cannot_convert_is_not_shown(sqlite: Statements, sqlite_url: str) -> None:
    def broken(value: bytes) -> None:
        raise ValueError(f"what is {value!r}?")

    sqlite("create table t (v text)", "insert into t values ('jane@example.com')")
    sqlite3.register_converter("broken", broken)
    engine = open_engine(f"{sqlite_url}?detect_types={sqlite3.PARSE_COLNAMES}")
    with pytest.raises(QueryError, match=r"cannot convert a value \(ValueError\); .*cast it to text") as caught:
        read_frame(engine, 'select v as "v [broken]" from t')
    assert "jane" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_database_that_somebody_is_writing_to_can_be_read(sqlite: Statements, sqlite_url: str) -> None:
    engine = sqlite("create table t (id text)", "insert into t values ('1')")
    with closing(sqlite3.connect(Path(sqlite_url.removeprefix("sqlite:///")))) as writer:
        writer.execute("insert into t values ('2')")  # not committed
        assert len(read_frame(engine, "select id from t")) == 1


def test_the_types_of_postgresql_keep_their_meaning(postgres: Statements) -> None:
    frame = read_frame(
        postgres(),
        """
        select 12.50::numeric as price, 7::numeric as whole, 'NaN'::float8 as nan, true as yes,
               '00000000-0000-0000-0000-000000000007'::uuid as id, '{"a": [1, null]}'::jsonb as doc,
               array['x', 'y'] as tags, date '1990-05-01' as born, timestamp '2024-05-01 12:30' as naive,
               timestamptz '2024-05-01 12:30+02' as moment, time '12:30' as at, interval '1 day' as span,
               9223372036854775807::bigint as big, null as nothing, '0 %s'::text as percent
        """,
    )
    assert dict(frame.dtypes.astype(str)) == {
        "price": "Float64",
        "whole": "Int64",
        "nan": "Float64",
        "yes": "boolean",
        "id": "string",
        "doc": "string",
        "tags": "string",
        "born": "datetime64[us]",
        "naive": "datetime64[us]",
        "moment": "datetime64[us, UTC]",
        "at": "string",
        "span": "string",
        "big": "Int64",
        "nothing": "string",
        "percent": "string",
    }
    row = frame.iloc[0]
    assert (row["price"], row["whole"], row["yes"], row["big"]) == (12.5, 7, True, 2**63 - 1)
    assert (row["id"], row["doc"]) == ("00000000-0000-0000-0000-000000000007", '{"a": [1, null]}')
    assert (row["tags"], row["at"], row["percent"]) == ('["x", "y"]', "12:30:00", "0 %s")
    assert (row["born"], row["naive"]) == (pd.Timestamp("1990-05-01"), pd.Timestamp("2024-05-01 12:30"))
    assert row["moment"] == pd.Timestamp("2024-05-01 10:30", tz="UTC")
    assert frame["nan"].isna().all()
    assert frame["nothing"].isna().all()


def test_a_value_that_postgresql_cannot_convert_is_not_shown(postgres: Statements) -> None:
    engine = postgres("create table t (email text)", "insert into t values ('jane@example.com')")
    with pytest.raises(QueryError, match="invalid input syntax for type integer") as caught:
        read_frame(engine, "select email::int from t")
    assert "jane" not in str(caught.value)


def test_bytes_of_postgresql_are_refused(postgres: Statements) -> None:
    with pytest.raises(QueryError, match="'avatar' holds bytes"):
        read_frame(postgres(), r"select '\x00'::bytea as avatar")


def test_postgresql_is_told_that_the_transaction_is_read_only(postgres: Statements) -> None:
    """A function called in a select could write; the database refuses it."""
    engine = postgres(
        "create table log (n int)",
        "create function touch() returns int language sql as 'insert into log values (1) returning n'",
    )
    with pytest.raises(QueryError, match="read-only transaction"):
        read_frame(engine, "select touch() as n")


def test_a_semicolon_in_dollar_quotes_ends_no_statement(postgres: Statements) -> None:
    assert values(read_frame(postgres(), r"select $q$a;b$q$ || E'\';' as t"), "t") == ["a;b';"]


def test_no_connection_is_left_open(postgres: Statements, postgres_url: str) -> None:
    engine = postgres("create table t (id text)")
    read_frame(engine, "select * from t")
    with pytest.raises(QueryError):
        read_frame(engine, "select * from nowhere")
    others = sa.text("select count(*) from pg_stat_activity where datname = current_database()")
    with open_engine(postgres_url).connect() as connection:
        assert connection.execute(others).scalar_one() == 1
