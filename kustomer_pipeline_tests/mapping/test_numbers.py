"""Numbers that become text keep what they say; dates that no calendar has are refused where they are mapped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kustomer_pipeline.mapping import FieldMapping, map_frame

from .frames import mapped_column, objects, reasons, wired

NUMBERS = [
    (12345678901.25, "12345678901.25"),
    (123456789012345.6, "123456789012345.6"),
    (0.0000001, "0.0000001"),
    (7.0, "7"),
    (-7.0, "-7"),
    (0.1, "0.1"),
]
LONG = "12345678901234567890.123456789012345"
NOT_A_DATE = "is not an ISO-8601 date or date-time between the years 1 and 9999"


@pytest.mark.parametrize("number, text", NUMBERS)
@pytest.mark.parametrize("field", ["name", "externalId", "custom.aStr"])
def test_a_number_in_a_text_field_never_gets_an_exponent(field: str, number: float, text: str) -> None:
    assert mapped_column(field, pd.Series([number])) == ([text], [None])
    assert mapped_column(field, objects(number)) == ([text], [None])


@pytest.mark.parametrize("number, text", NUMBERS)
def test_a_number_beside_text_is_written_as_in_a_column_of_numbers(number: float, text: str) -> None:
    cells = objects(number, "text", np.float64(number), None)
    assert mapped_column("name", cells) == ([text, "text", text, None], [None] * 4)


@pytest.mark.parametrize("dtype", [object, pd.ArrowDtype(pa.decimal128(38, 15))])
def test_a_long_decimal_keeps_its_digits(dtype: Any) -> None:
    assert mapped_column("name", pd.Series([Decimal(LONG)], dtype=dtype)) == ([LONG], [None])
    assert mapped_column("externalId", pd.Series([Decimal("7.000")], dtype=dtype)) == (["7"], [None])


def test_json_keeps_the_digits_of_numbers_that_become_text() -> None:
    assert wired("externalIds", f"[12345678901.25, {LONG}, 7.0]") == [
        {"externalIds": [{"externalId": "12345678901.25"}, {"externalId": LONG}, {"externalId": "7"}]}
    ]


def test_numbers_in_json_are_the_numbers_they_were() -> None:
    assert wired("locations", '{"latitude": 52.5, "longitude": -13.0}', '{"latitude": 1e1}') == [
        {"locations": [{"latitude": 52.5, "longitude": -13}]},
        {"locations": [{"latitude": 10}]},
    ]


@pytest.mark.parametrize(
    "cell", ["infinity", "-infinity", np.datetime64("10000-01-01T00:00:00", "us"), np.datetime64("12000-01-01", "s")]
)
def test_a_date_that_no_calendar_has_is_refused_where_it_is_mapped(cell: Any) -> None:
    values, why = mapped_column("birthdayAt", objects("2024-01-31", cell))
    assert values == ["2024-01-31T00:00:00.000Z", None]
    assert why == [None, f"birthdayAt {NOT_A_DATE}"]


def test_such_a_date_in_a_column_of_timestamps_is_refused_alone() -> None:
    stamps = pa.array([1_706_659_200_000_000, 253_402_300_800_000_000], pa.timestamp("us"))  # 2024, 10000
    cells = pd.Series(stamps, dtype=pd.ArrowDtype(stamps.type))
    assert mapped_column("birthdayAt", cells) == (
        ["2024-01-31T00:00:00.000Z", None],
        [None, f"birthdayAt {NOT_A_DATE}"],
    )


def test_what_is_not_mapped_refuses_no_row() -> None:
    frame = pd.DataFrame(
        {"id": [1, 2], "born": ["infinity", "2024-01-31"], "score": [Decimal("NaN"), Decimal("Infinity")]}, dtype=object
    )
    mapped = map_frame(frame, [FieldMapping("externalId", ("id",))], object_name="customers", match_on=["externalId"])
    assert reasons(mapped) == [None, None]


def test_an_infinite_decimal_is_refused_where_it_is_mapped() -> None:
    values, why = mapped_column("custom.aNum", objects(Decimal("1.5"), Decimal("Infinity"), Decimal("-Infinity")))
    assert values == [1.5, None, None]
    assert why == [None, "custom.aNum is not a finite number", "custom.aNum is not a finite number"]


@pytest.mark.parametrize("field", ["custom.aNum", "name", "externalIds"])
def test_a_decimal_that_is_no_number_is_a_null(field: str) -> None:
    """As in a column of floats, and as the warehouse's own NaN is read."""
    assert mapped_column(field, objects(Decimal("NaN"), Decimal("sNaN"))) == ([None, None], [None, None])
