"""Values that the database has and Python has not: the query goes on, and only who maps such a value hears of it."""

from __future__ import annotations

import io

import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.mapping import FieldMapping, map_frame
from kustomer_pipeline.warehouse import open_engine, read_frame, watermark
from kustomer_pipeline.warehouse.columns import Column
from kustomer_pipeline.warehouse.out_of_range import OutOfRange

from .conftest import Statements

DATES = "values ('1', {0} '2024-05-01'), ('2', {0} '{1}'), ('3', null)"
BEYOND = [
    ("date", "infinity"),
    ("date", "-infinity"),
    ("date", "0044-03-15 BC"),
    ("date", "12000-01-01"),
    ("timestamp", "infinity"),
    ("timestamp", "12000-01-01 10:00"),
    ("timestamptz", "infinity"),
    ("timestamptz", "-infinity"),
    ("timestamptz", "0044-03-15 10:00 BC"),
]


def mapped(frame: pd.DataFrame, field: str) -> pd.DataFrame:
    fields = [FieldMapping("externalId", ("id",)), FieldMapping(field, ("at",))]
    return map_frame(frame, fields, object_name="customers", match_on=["externalId"])


@pytest.mark.parametrize("kind, value", BEYOND)
@pytest.mark.parametrize("field", ["signedUpAt", "custom.sinceStr"])
def test_only_the_row_of_a_date_beyond_all_years_is_refused(
    postgres: Statements, kind: str, value: str, field: str
) -> None:
    frame = read_frame(postgres(), f"select * from ({DATES.format(kind, value)}) as t (id, at)")
    rows = mapped(frame, field)
    assert rows[field].iloc[0] == "2024-05-01T00:00:00.000Z"
    assert rows[field].isna().tolist() == [False, True, True]
    assert rows["_invalid"].isna().tolist() == [True, False, True]
    assert rows["_invalid"].iloc[1].startswith(f"{field} is not an ISO-8601 date")


@pytest.mark.parametrize("kind, value", BEYOND)
def test_such_a_date_is_nothing_to_a_sync_that_does_not_map_it(postgres: Statements, kind: str, value: str) -> None:
    frame = read_frame(postgres(), f"select * from ({DATES.format(kind, value)}) as t (id, at)")
    fields = [FieldMapping("externalId", ("id",))]
    rows = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert rows["_invalid"].isna().all()


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_a_frame_with_such_a_date_can_be_shown_and_stored(postgres: Statements, kind: str) -> None:
    frame = read_frame(postgres(), f"select * from ({DATES.format(kind, 'infinity')}) as t (id, at)")
    assert str(frame.dtypes["at"]) == "datetime64[us]"
    assert "10000-01-01" in frame.to_string()
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    pd.testing.assert_frame_equal(pd.read_parquet(buffer), frame)


def test_the_other_moments_keep_their_time_when_the_zone_is_given_up(postgres: Statements) -> None:
    query = "select * from (values ('1', timestamptz '2024-05-01 12:30+02'), ('2', 'infinity')) as t (id, at)"
    assert read_frame(postgres(), query)["at"].iloc[0] == pd.Timestamp("2024-05-01 10:30")


def test_what_else_python_has_not_becomes_the_text_of_the_database(postgres: Statements) -> None:
    query = """
        select time '24:00' as h, '24:00+02'::timetz as hz, repeat('9', 5000)::jsonb as n,
               array[date 'infinity', date '2024-05-01'] as days, interval '3000000 years' as span
    """
    row = read_frame(postgres(), query).iloc[0]
    assert (row["h"], row["hz"], row["n"]) == ("24:00:00", "24:00:00+02", "9" * 5000)
    assert row["days"] == '["infinity", "2024-05-01"]'
    assert row["span"] == "3000000 years"


def test_numbers_beyond_every_float_are_refused_where_they_are_mapped_as_numbers(postgres: Statements) -> None:
    query = """
        select * from (values ('1', 1.5::numeric), ('2', 'Infinity'), ('3', '-Infinity'), ('4', 'NaN'), ('5', 1e400))
        as t (id, at)
    """
    rows = mapped(read_frame(postgres(), query), "custom.ltvNum")
    assert rows["_invalid"].isna().tolist() == [True, False, False, True, False]
    assert rows["custom.ltvNum"].iloc[0] == 1.5


def test_an_infinite_date_can_be_the_newest_of_a_watched_table(postgres: Statements) -> None:
    engine = postgres("create table t (at timestamptz)", "insert into t values ('infinity'), (now())")
    assert watermark(engine, "t", "at").max_updated_at == "infinity"


def test_dates_beyond_all_years_may_come_in_any_chunk() -> None:
    column = Column("at")
    column.add([OutOfRange("date", "infinity"), None])
    column.add([None])
    column.add([OutOfRange("date", "-infinity")])
    assert [str(moment)[:5] for moment in column.array().to_pandas().tolist()] == ["10000", "NaT", "NaT", "10000"]


def test_beside_text_such_a_date_is_what_the_database_writes() -> None:
    column = Column("at")
    column.add([OutOfRange("date", "infinity"), "soon", None])
    assert column.array().to_pylist() == ["infinity", "soon", None]


def session(postgres_url: str, settings: str) -> sa.Engine:
    """A warehouse user whose sessions begin with these settings."""
    url = sa.make_url(postgres_url).update_query_dict({"options": settings})
    return open_engine(url.render_as_string(hide_password=False))


# The last second of 9999 in New York, the first of year 1 in Tokyo: Python has them there, and not in UTC.
EDGES = [("America/New_York", "9999-12-31 23:59:59"), ("Asia/Tokyo", "0001-01-01 00:00:01")]


@pytest.mark.parametrize("zone, value", EDGES)
def test_a_moment_that_is_beyond_all_years_only_in_utc_is_refused_alone(
    postgres_url: str, zone: str, value: str
) -> None:
    engine = session(postgres_url, f"-c timezone={zone}")
    frame = read_frame(engine, f"select * from ({DATES.format('timestamptz', value)}) as t (id, at)")
    assert "10000-01-01" in frame.to_string()
    assert mapped(frame, "signedUpAt")["_invalid"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize("zone, value", EDGES)
def test_a_table_with_such_a_moment_has_a_watermark(
    postgres: Statements, postgres_url: str, zone: str, value: str
) -> None:
    postgres("create table t (at timestamptz)", f"set timezone to '{zone}'; insert into t values ('{value}')")
    engine = session(postgres_url, f"-c timezone={zone}")
    assert watermark(engine, "t", "at").count == 1
    assert watermark(engine, "t", "at") == watermark(engine, "t", "at")


@pytest.mark.parametrize("style", ["SQL,DMY", "German", "Postgres"])
def test_how_a_database_likes_to_write_dates_changes_nothing(postgres_url: str, style: str) -> None:
    engine = session(postgres_url, f"-c datestyle={style} -c intervalstyle=iso_8601 -c timezone=Asia/Tokyo")
    query = """
        select timestamptz '2024-05-01 12:30+02' as moment, date '2024-05-01' as day, interval '1 day' as span,
               timestamp 'infinity' as never
    """
    row = read_frame(engine, query).iloc[0]
    assert row["moment"] == pd.Timestamp("2024-05-01 10:30", tz="UTC")
    assert (row["day"], row["span"]) == (pd.Timestamp("2024-05-01"), "1 day, 0:00:00")
    assert str(row["never"]).startswith("10000")


@pytest.mark.parametrize("field, refused", [("name", True), ("email", False)])
def test_text_that_is_no_utf8_refuses_its_row_where_it_is_mapped(sqlite: Statements, field: str, refused: bool) -> None:
    engine = sqlite(
        "create table t (id text, name text, email text)",
        "insert into t values ('1', 'Jürgen', 'a@example.com'), ('2', cast(x'4afc72' as text), 'b@example.com')",
    )
    frame = read_frame(engine, "select * from t order by id")
    assert frame["name"].iloc[0] == "Jürgen"
    fields = [FieldMapping("externalId", ("id",)), FieldMapping(field, (field,))]
    rows = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert rows["_invalid"].notna().tolist() == [False, refused]


def test_a_key_that_is_no_utf8_refuses_its_row(sqlite: Statements) -> None:
    engine = sqlite("create table t (id text)", "insert into t values ('1'), (cast(x'32fc' as text))")
    fields = [FieldMapping("externalId", ("id",))]
    rows = map_frame(read_frame(engine, "select * from t"), fields, object_name="customers", match_on=["externalId"])
    assert rows["_invalid"].notna().tolist() == [False, True]


def test_text_that_is_no_utf8_is_in_the_checksum_of_a_watched_table(sqlite: Statements) -> None:
    engine = sqlite("create table t (name text, at text)", "insert into t values (cast(x'4afc72' as text), '2024')")
    before = watermark(engine, "t", "at")
    sqlite("update t set name = cast(x'4afc73' as text)")
    assert watermark(engine, "t", "at") != before
