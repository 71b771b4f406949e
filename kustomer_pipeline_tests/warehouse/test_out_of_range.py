"""Values that the database has and Python has not: the query goes on, and only who maps such a value hears of it."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from kustomer_pipeline.mapping import FieldMapping, map_frame
from kustomer_pipeline.warehouse import read_frame, watermark
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
