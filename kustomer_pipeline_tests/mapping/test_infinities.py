"""Dates that no calendar has and numbers that are none: refused where they are mapped, and only there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kustomer_pipeline.mapping import FieldMapping, map_frame

from .frames import mapped_column, objects, reasons

NOT_A_DATE = "is not an ISO-8601 date or date-time between the years 1 and 9999"


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
