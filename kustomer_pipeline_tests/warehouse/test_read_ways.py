"""Whichever way rows come, they are the same rows: every type of PostgreSQL by COPY, every kind of value of SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from kustomer_pipeline.warehouse import QueryError, open_engine, read, read_frame

from .conftest import Statements

# Values as PostgreSQL reads them: the usual, the smallest and largest, and those that Python or Arrow has not.
VALUES: dict[str, Sequence[str]] = {
    "int2": ["0", "-32768", "32767"],
    "int4": ["7", "-2147483648", "2147483647"],
    "int8": ["7", "9007199254740992", "9007199254740993", "-9223372036854775808", "9223372036854775807"],
    "oid": ["0", "4294967295"],
    "float4": ["0.1", "-0", "1e-45", "3.4028235e38", "16777217", "NaN", "Infinity", "-Infinity"],
    "float8": ["0.1", "7", "-0", "1e23", "5e-324", "1.7976931348623157e308", "NaN", "Infinity", "-Infinity"],
    "numeric": [
        *("0", "-7", "7.00", "0.5", "-0.1", "12.50", "123456789012345", "1234567890.12345", "999999999999999.9"),
        *(
            "12345678901234567",
            "12345678901234.567",
            "1e20",
            "1e400",
            "1e-30",
            "12345678901234.123456789",
            "NaN",
            "Infinity",
            "-Infinity",
        ),
    ],
    "numeric(10,2)": ["7", "7.10", "-99999999.99"],
    "bool": ["true", "false"],
    "text": ["", "a", "NULL", "\\N", "\\.", '"', "a,b", "a\nb", "a\r\nb", "\r", " ", "é€😀", "t", "7", "007", "1e5"],
    "varchar(3)": ["", "abc"],
    "char(5)": ["", "ab"],
    "name": ["pg_class"],
    '"char"': ["x"],
    "uuid": ["00000000-0000-0000-0000-000000000007", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31", "0044-03-15 BC", "12000-01-01", "infinity", "-infinity"],
    "timestamp": [
        *("2024-05-01 12:30", "2024-05-01 12:30:00.1", "2024-05-01 12:30:59.999999", "0001-01-01 00:00"),
        *("9999-12-31 23:59:59.999999", "12000-01-01 10:00", "0044-03-15 10:00 BC", "infinity", "-infinity"),
    ],
    "timestamptz": [
        *("2024-05-01 12:30+02", "2024-07-01 12:30:00.000001-05:30", "1800-01-01 00:00+00", "0001-01-01 00:00+00"),
        *(
            "10000-01-01 03:00+00",
            "0001-01-01 00:00+12",
            "9999-12-31 23:59:59.999999+00",
            "9999-12-31 23:59:59-12",
            "infinity",
            "-infinity",
        ),
    ],
    "time": ["12:30", "24:00", "00:00:00.000001"],
    "timetz": ["12:30+02", "24:00-05:30"],
    "interval": ["1 day", "-1 month 3 days 04:05:06.7", "3000000 years", "0"],
    "json": ['{"a": [1, null, 1.50, 1e400]}', '"é"', "null", '{"a":1,  "a":2}', "7"],
    "jsonb": ['{"b": 1.50, "a": "\\u00e9"}', "[]", "null", "true"],
    "inet": ["192.168.0.1", "192.168.0.0/24", "::1"],
    "cidr": ["10.0.0.0/8"],
    "macaddr": ["08:00:2b:01:02:03"],
    "money": ["12.34"],
    "bit(3)": ["101"],
    "int4[]": ["{}", "{1,NULL,3}", "{{1,2},{3,4}}"],
    "text[]": ['{a,"b,c",NULL,""}'],
    "numeric[]": ["{1.50,NaN}"],
    "date[]": ["{2024-05-01,infinity}"],
    "int4range": ["[1,5)", "empty"],
    "point": ["(1,2)"],
    "tsvector": ["a fat cat"],
    "mood": ["sad", "so so"],
    "price": ["7.10", "8"],
}
ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Etc/GMT-12"]


@pytest.fixture
def types(postgres: Statements, postgres_url: str) -> str:
    """The URL of a database with an enumeration and a domain."""
    postgres("create type mood as enum ('sad', 'so so')", "create domain price as numeric(10, 2)")
    return postgres_url


@contextmanager
def ways(*, only: str, rows_at_once: int) -> Iterator[None]:
    """All reading goes by these functions of `read`: another one is not there."""

    def is_not_asked(*_: Any) -> None:
        raise AssertionError("this way was not to be taken")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "CHUNK", rows_at_once)
        patch.setattr(read, "_TUPLES", rows_at_once)
        if only == "rows":
            patch.setattr(read, "_copied", lambda *_: None)
            patch.setattr(read, "_of_sqlite", lambda *_: None)
            patch.setattr(read, "_by_arrow", lambda *_: None)
        else:
            patch.setattr(read, "_by_rows", is_not_asked)
        yield


def assert_same(engine: sa.Engine, sql: str, rows_at_once: int = 3) -> pd.DataFrame:
    """The fast way gives what the rows give; the frame."""
    with ways(only="fast", rows_at_once=rows_at_once):
        fast = read_frame(engine, sql)
    with ways(only="rows", rows_at_once=rows_at_once):
        assert_frame_equal(fast, read_frame(engine, sql), check_exact=True)
    return fast


def columns_of(kind: str, values: Sequence[str]) -> str:
    """A query with columns of every value, of each value alone, of each beside the next one, and of none."""
    here = [[value] for value in values] + [list(pair) for pair in pairwise(values)]
    columns = [list(values), *here, []]
    height = len(values) + 2
    cells = [[None, *column, *[None] * height][:height] for column in columns]
    rows = ", ".join(
        f"({', '.join('null' if value is None else quoted(value) for value in row)})"
        for row in zip(*cells, strict=True)
    )
    names = [f"c{number}" for number in range(len(columns))]
    typed = ", ".join(f"cast({name} as {kind}) as {name}" for name in names)
    texts = ", ".join(f"cast(column{number + 1} as text) as {name}" for number, name in enumerate(names))
    return f"select {typed} from (select {texts} from (values {rows}) as v) as t"


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@pytest.mark.parametrize("kind", VALUES)
def test_copy_gives_what_the_driver_gives_of_every_type(types: str, kind: str) -> None:
    assert_same(open_engine(types), columns_of(kind, VALUES[kind]))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz", "timetz"])
def test_the_zone_of_the_session_makes_no_difference_to_that(types: str, kind: str, zone: str) -> None:
    url = sa.make_url(types).update_query_dict({"options": f"-c timezone={zone}"})
    assert_same(open_engine(url.render_as_string(hide_password=False)), columns_of(kind, VALUES[kind]))


def numbers(places: int) -> st.SearchStrategy[str]:
    return st.decimals(allow_nan=False, allow_infinity=False, places=places).map(lambda number: f"{number:f}")


ANY: dict[str, st.SearchStrategy[str]] = {
    "int8": st.integers(-(2**63), 2**63 - 1).map(str),
    "float8": st.floats().map(str),
    "float4": st.floats(width=32).map(str),
    "numeric": st.one_of(numbers(0), numbers(2), numbers(9), st.integers(-(10**6), 10**6).map(str)),
    "text": st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    "date": st.dates().map(str),
    "timestamp": st.datetimes().map(str),
    "timestamptz": st.datetimes().map(lambda moment: f"{moment}+00"),
}


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(sorted(ANY)), rows_at_once=st.integers(1, 4))
def test_copy_gives_what_the_driver_gives_of_any_value(
    postgres_server: str, data: st.DataObject, kind: str, rows_at_once: int
) -> None:
    values = data.draw(st.lists(st.none() | ANY[kind], min_size=1, max_size=8))
    cells = ", ".join("(null)" if value is None else f"({quoted(value)})" for value in values)
    query = f"select cast(cast(column1 as text) as {kind}) as c from (values {cells}) as v"
    assert len(assert_same(open_engine(postgres_server), query, rows_at_once)) == len(values)


def test_a_query_that_cannot_be_copied_is_read_by_rows(postgres: Statements) -> None:
    """A comment after its semicolon ends no statement to people, and is none to COPY."""
    frame = read_frame(postgres(), "select 7 as n; -- the answer, more or less")
    assert frame.to_dict("list") == {"n": [7]}


def test_a_table_of_postgresql_with_one_column_keeps_its_empty_rows(postgres: Statements) -> None:
    frame = assert_same(postgres(), "select * from (values (null), (''), ('a'), (null)) as t (c)")
    assert frame["c"].isna().tolist() == [True, False, False, True]


def test_an_error_in_the_middle_of_a_copy_is_told_as_one_of_the_query(postgres: Statements) -> None:
    engine = postgres("create table t (v text)", "insert into t select n::text from generate_series(1, 50000) n")
    postgres("insert into t values ('jane@example.com')")
    with pytest.raises(QueryError, match=r"could not run the query: invalid input syntax .*22P02") as caught:
        read_frame(engine, "select v::int as v from t")
    assert "jane" not in str(caught.value)


# --- SQLite -----------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(SCALARS.filter(lambda value: not isinstance(value, str) or value.isprintable())),
    cut=st.integers(1, 4),
)
def test_the_tuples_of_sqlite_give_what_the_rows_give(sqlite: Statements, values: list[Any], cut: int) -> None:
    engine = sqlite("drop table if exists t", "create table t (c)")
    with sa.create_engine(engine.url, poolclass=sa.NullPool).begin() as connection:
        for value in values:
            connection.exec_driver_sql("insert into t values (?)", (value,))
    assert len(assert_same(engine, "select c, c as again from t", cut)) == len(values)


@pytest.mark.parametrize("text", ["cast(x'4afc72' as text)", "cast(x'00' as text)", "'é'"])
def test_text_of_sqlite_in_whatever_encoding_is_the_same_either_way(
    sqlite: Statements, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sqlite("create table t (c)", f"insert into t values (7), ({text}), (null)")
    query = "select c from t"
    frame = read_frame(engine, query)
    monkeypatch.setattr(read, "_of_sqlite", lambda *_: None)
    assert_frame_equal(frame, read_frame(engine, query))


def test_bytes_of_sqlite_are_refused(sqlite: Statements) -> None:
    with pytest.raises(QueryError, match="'c' holds bytes"):
        read_frame(sqlite(), "select x'00ff' as c")


# --- DuckDB -----------------------------------------------------------------------------------------------------

OF_DUCKDB: dict[str, Sequence[str]] = {
    "tinyint": ["-128", "127"],
    "utinyint": ["255"],
    "integer": VALUES["int4"],
    "uinteger": ["4294967295"],
    "bigint": VALUES["int8"],
    "ubigint": ["7", "18446744073709551615"],
    "hugeint": ["7", "170141183460469231731687303715884105727"],
    "real": ["0.1", "-0", "NaN", "Infinity"],
    "double": VALUES["float8"],
    "decimal(10,2)": ["7", "7.10", "-99999999.99"],
    "decimal(38,10)": ["7", "0.5", "1234567890123456789012345678.0123456789"],
    "boolean": VALUES["bool"],
    "varchar": VALUES["text"],
    "uuid": VALUES["uuid"],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31", "infinity", "44-03-15 (BC)"],
    "timestamp": ["2024-05-01 12:30:00", "2024-05-01 12:30:59.999999", "infinity"],
    "timestamp_s": ["2024-05-01 12:30:00"],
    "timestamp_ns": ["2024-05-01 12:30:59.123456789"],
    "timestamptz": ["2024-05-01 12:30:00+02", "infinity"],
    "time": ["12:30:00"],
    "interval": ["1 day", "1 month"],
    "json": ['{"a": [1, null]}'],
    "integer[]": ["[1, null]"],
    "enum('sad', 'so so')": ["sad", "so so"],
    "bit": ["101"],
}
BY_ARROW = ["integer", "double", "decimal(10,2)", "boolean", "varchar", "timestamp_s", "enum('sad', 'so so')"]


@pytest.fixture
def duckdb(tmp_path: Path) -> sa.Engine:
    """A file of DuckDB with nothing in it."""
    driver = pytest.importorskip("duckdb")
    driver.connect(tmp_path / "warehouse.duckdb").close()
    return open_engine(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")


@pytest.mark.parametrize("kind", OF_DUCKDB)
def test_the_arrow_batches_of_duckdb_give_what_the_rows_give(duckdb: sa.Engine, kind: str) -> None:
    for number in range(len(OF_DUCKDB[kind]) + 1):
        chosen = OF_DUCKDB[kind][:number]
        texts = ", ".join(["(null)", *(f"({quoted(value)})" for value in chosen), "(null)"])
        query = f"select cast(cast(c as varchar) as {kind}) as c from (values {texts}) as t (c)"
        frame = outcome(duckdb, query)
        with ways(only="rows", rows_at_once=2):
            assert_same_outcome(frame, outcome(duckdb, query))


@pytest.mark.parametrize("kind", BY_ARROW)
def test_the_usual_types_of_duckdb_come_as_arrow(duckdb: sa.Engine, kind: str) -> None:
    with ways(only="fast", rows_at_once=2):
        values = ", ".join(f"(cast({quoted(value)} as {kind}))" for value in OF_DUCKDB[kind])
        assert len(read_frame(duckdb, f"select c from (values {values}) as t (c)")) == len(OF_DUCKDB[kind])


def test_a_value_that_duckdb_cannot_convert_is_not_shown(tmp_path: Path, duckdb: sa.Engine) -> None:
    driver = pytest.importorskip("duckdb")
    with driver.connect(tmp_path / "warehouse.duckdb") as connection:
        connection.execute("create table t as select 'jane@example.com' as email")
    with pytest.raises(QueryError) as caught:
        read_frame(duckdb, "select cast(email as integer) as email from t")
    assert "jane" not in str(caught.value)


def outcome(engine: sa.Engine, query: str) -> pd.DataFrame | str:
    """The frame, or the kind of error: what a driver cannot convert it cannot either way."""
    try:
        return read_frame(engine, query)
    except QueryError as error:
        return str(error)


def assert_same_outcome(one: pd.DataFrame | str, other: pd.DataFrame | str) -> None:
    if isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame):
        assert_frame_equal(one, other, check_exact=True)
    else:
        assert one == other
