"""What a driver's values become, in one chunk or over several."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kustomer_pipeline.warehouse import QueryError
from kustomer_pipeline.warehouse.columns import Column

TEXT, INT, FLOAT, BOOL = pa.large_string(), pa.int64(), pa.float64(), pa.bool_()
NAIVE, MOMENT = pa.timestamp("us"), pa.timestamp("us", tz="UTC")


def column(*chunks: Sequence[Any]) -> pa.Array:
    collected = Column("c")
    for chunk in chunks:
        collected.add(chunk)
    return collected.array()


PARIS = timezone(timedelta(hours=2))
CASES: dict[str, tuple[list[Any], pa.DataType, list[Any]]] = {
    "text": (["007", "", None, "nan"], TEXT, ["007", "", None, "nan"]),
    "whole numbers with a null": ([7, None, -(2**63)], INT, [7, None, -(2**63)]),
    "whole numbers beyond 64 bits": ([2**63, 7], TEXT, ["9223372036854775808", "7"]),
    "whole numbers that a float cannot hold": ([2**53 + 1, None], INT, [2**53 + 1, None]),
    "floats with NaN": ([7.0, float("nan"), None], FLOAT, [7.0, None, None]),
    "whole numbers and floats": ([7, 7.5], FLOAT, [7.0, 7.5]),
    "a large whole number and a float": ([2**53 + 1, 7.5], TEXT, ["9007199254740993", "7.5"]),
    "whole decimals": ([Decimal("7.00"), None, Decimal("1E+3")], INT, [7, None, 1000]),
    "decimals": ([Decimal("7.25"), Decimal("7"), Decimal("NaN")], FLOAT, [7.25, 7.0, None]),
    "large decimals": ([Decimal(2**70)], TEXT, [str(2**70)]),
    "numbers without end beside text": (
        ["007", float("-inf"), Decimal("Infinity")],
        TEXT,
        ["007", "-Infinity", "Infinity"],
    ),
    "booleans": ([True, None, False], BOOL, [True, None, False]),
    "booleans and numbers": ([True, 1], TEXT, ["true", "1"]),
    "nothing but nulls": ([None, None], TEXT, [None, None]),
    "no rows": ([], TEXT, []),
    "numbers and text": (["007", 7, 7.0, None], TEXT, ["007", "7", "7", None]),
    "fractions and text": (["007", 7.5, 12345678901.25, 1e-7], TEXT, ["007", "7.5", "12345678901.25", "0.0000001"]),
    "large floats and text": (["007", 1e20], TEXT, ["007", "100000000000000000000"]),
    "decimals with more digits than a float holds": (
        [Decimal("12345678901234.123456789"), Decimal("7.50"), Decimal("1E+3"), None],
        TEXT,
        ["12345678901234.123456789", "7.5", "1000", None],
    ),
    "decimals with noughts behind": ([Decimal("1.50000000000000000000"), Decimal("2")], FLOAT, [1.5, 2.0]),
    "a decimal of a thousand digits": ([Decimal("1E+1000")], TEXT, ["1" + "0" * 1000]),
    "a tiny decimal": ([Decimal("1E-20")], FLOAT, [1e-20]),
    "a decimal without end": ([Decimal("Infinity"), Decimal("1.5")], FLOAT, [float("inf"), 1.5]),
    "NaN and text": (["007", float("nan")], TEXT, ["007", None]),
    "dates": ([date(1, 1, 1), None], NAIVE, [datetime(1, 1, 1), None]),
    "date-times": ([datetime(9999, 12, 31, 23, 59)], NAIVE, [datetime(9999, 12, 31, 23, 59)]),
    "moments": (
        [datetime(2024, 5, 1, 12, tzinfo=PARIS), None],
        MOMENT,
        [datetime(2024, 5, 1, 10, tzinfo=UTC), None],
    ),
    "date-times with and without a zone": (
        [datetime(2024, 5, 1), datetime(2024, 5, 1, tzinfo=UTC)],
        TEXT,
        ["2024-05-01T00:00:00", "2024-05-01T00:00:00+00:00"],
    ),
    "times and intervals": ([time(12, 30), timedelta(hours=1)], TEXT, ["12:30:00", "1:00:00"]),
    "a UUID": ([UUID(int=7)], TEXT, ["00000000-0000-0000-0000-000000000007"]),
    "JSON and arrays": (
        [{"é": [1, None]}, ["a", Decimal("1.5"), Decimal("1E+3")], None],
        TEXT,
        ['{"é": [1, null]}', '["a", "1.5", "1000"]', None],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_values_keep_their_meaning_in_one_chunk(case: str) -> None:
    values, expected_type, expected = CASES[case]
    array = column(values)
    assert (array.type, array.to_pylist()) == (expected_type, expected)


@pytest.mark.parametrize("case", CASES)
def test_the_result_is_the_same_when_every_value_comes_in_its_own_chunk(case: str) -> None:
    values, expected_type, expected = CASES[case]
    array = column(*([value] for value in values))
    assert (array.type, array.to_pylist()) == (expected_type, expected)


def test_whole_numbers_stay_exact_when_text_comes_in_a_later_chunk() -> None:
    """An id column of SQLite: numbers for many rows, then one with leading zeros."""
    assert column([7, 2**60, None], [None], ["007"]).to_pylist() == ["7", str(2**60), None, None, "007"]


def test_a_date_and_a_text_become_text() -> None:
    assert column([date(2024, 5, 1)], ["soon"]).to_pylist() == ["2024-05-01", "soon"]


@pytest.mark.parametrize("value", [b"\xff", bytearray(b"a"), memoryview(b"a")])
def test_bytes_are_refused_by_the_name_of_their_column(value: object) -> None:
    with pytest.raises(QueryError, match="The column 'avatar' holds bytes"):
        Column("avatar").add(["text", value])


SCALARS = st.none() | st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans()


@given(values=st.lists(SCALARS), cut=st.integers(0, 20))
def test_where_the_chunks_are_cut_makes_no_difference(values: list[Any], cut: int) -> None:
    whole, halves = column(values), column(values[:cut], values[cut:])
    assert (halves.type, halves.to_pylist()) == (whole.type, whole.to_pylist())


@given(values=st.lists(st.integers() | st.text(alphabet="0123456789"), min_size=1))
def test_an_id_reads_the_same_whatever_else_is_in_its_column(values: list[int | str]) -> None:
    assert [str(value) for value in column(values).to_pylist()] == [str(value) for value in values]
