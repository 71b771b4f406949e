"""Numbers in text fields: every digit as the warehouse has it, and never an exponent."""

from __future__ import annotations

import decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kustomer_pipeline.mapping import FieldMapping, map_frame, wire_rows

from .frames import mapped_column, objects, wired

LONG = decimal.Decimal("1234567890123.12345678901234567890")
LONG_TEXT = "1234567890123.1234567890123456789"


@pytest.mark.parametrize("field", ["name", "custom.aStr", "custom.aTxt", "externalId"])
@pytest.mark.parametrize(
    "number, text",
    [
        (12345678901.25, "12345678901.25"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"),
        (-12345678901.5, "-12345678901.5"),
        (7.0, "7"),
        (1e15, "1000000000000000"),
    ],
)
def test_a_float_has_no_exponent_in_a_column_of_floats_nor_among_others(field: str, number: float, text: str) -> None:
    assert mapped_column(field, pd.Series([number, None]), duplicates="allow")[0][0] == text
    assert mapped_column(field, objects(number, "C-7"))[0] == [text, "C-7"]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-(2**53), max_value=2**53))
def test_the_text_of_a_float_is_the_float(number: float) -> None:
    values, reasons = mapped_column("custom.aTxt", pd.Series([number]))
    if reasons == [None]:
        assert "e" not in values[0]
        assert float(values[0]) == number


@pytest.mark.parametrize(
    "cells",
    [
        objects(LONG),
        objects(LONG, "C-7", 7),
        pd.Series([LONG], dtype=pd.ArrowDtype(pa.decimal128(38, 20))),
        objects(LONG_TEXT),
    ],
    ids=["decimals", "among others", "Arrow", "text"],
)
def test_a_long_decimal_keeps_every_digit(cells: pd.Series[Any]) -> None:
    assert mapped_column("name", cells)[0][0] == LONG_TEXT


def test_a_long_decimal_in_json_keeps_every_digit() -> None:
    """A postcode that somebody keeps as a number, in a JSON column."""
    location = wired("locations", '{"zipCode": 1234567890.12345678901, "latitude": 42.5}')[0]["locations"][0]
    assert location == {"zipCode": "1234567890.12345678901", "latitude": 42.5}


def test_numbers_stay_numbers_in_number_fields() -> None:
    frame = pd.DataFrame({"id": [1, 2], "n": [12345678901.25, 1e-7]})
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("custom.aNum", ("n",))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert [row["custom"]["aNum"] for row in wire_rows(mapped, fields, object_name="customers")] == [
        12345678901.25,
        1e-7,
    ]
