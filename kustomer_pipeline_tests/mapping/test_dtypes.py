"""Columns of any dtype that pandas, a database driver or Arrow may produce."""

from __future__ import annotations

import datetime as dt
import decimal
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kustomer_pipeline.mapping import FieldMapping, field_names, map_frame, wire_rows

from .frames import mapped_column, mapped_frame, objects, plain

TEXTS: dict[str, Any] = {
    "object": object,
    "str": "str",
    "string": "string",
    "string[python]": "string[python]",
    "string[pyarrow]": "string[pyarrow]",
    "category": "category",
    "arrow string": pd.ArrowDtype(pa.string()),
    "arrow large_string": pd.ArrowDtype(pa.large_string()),
    "arrow dictionary": pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string())),
}
INTEGERS: dict[str, Any] = {
    "Int64": "Int64", "Int8": "Int8", "UInt64": "UInt64", "float64": "float64", "float32": "float32",
    "float16": "float16", "Float64": "Float64", "object": object, "category": "category",
    "Sparse": pd.SparseDtype("float64"), "arrow int32": pd.ArrowDtype(pa.int32()),
    "arrow uint64": pd.ArrowDtype(pa.uint64()), "arrow double": pd.ArrowDtype(pa.float64()),
    "arrow decimal": pd.ArrowDtype(pa.decimal128(10, 2)),
}  # fmt: skip
INSTANTS: dict[str, Any] = {
    **{f"datetime64[{unit}]": f"datetime64[{unit}]" for unit in ("s", "ms", "us", "ns")},
    "datetime64[ns, Europe/Paris]": pd.DatetimeTZDtype("ns", "Europe/Paris"),
    "datetime64[us, UTC]": pd.DatetimeTZDtype("us", "UTC"),
    "object": object,
    "category": "category",
    "arrow timestamp": pd.ArrowDtype(pa.timestamp("us")),
    "arrow timestamp with zone": pd.ArrowDtype(pa.timestamp("ns", "America/New_York")),
}
ANY = {**TEXTS, **INTEGERS, **INSTANTS, "boolean": "boolean", "arrow bool": pd.ArrowDtype(pa.bool_())}
UNFIT: dict[str, pd.Series[Any]] = {
    "timedelta": pd.Series(pd.to_timedelta([1, None], unit="s")),
    "period": pd.Series(pd.PeriodIndex(["2024-01", None], freq="M")),
    "interval": pd.Series(pd.IntervalIndex.from_arrays([0, np.nan], [1, np.nan])),
    "complex": pd.Series([1 + 2j, None]),
    "binary": pd.Series([b"\xff", None], dtype=pd.ArrowDtype(pa.binary())),
    "duration": pd.Series([1, None], dtype=pd.ArrowDtype(pa.duration("s"))),
    "time": pd.Series([dt.time(1), None], dtype=pd.ArrowDtype(pa.time64("us"))),
    "list": pd.Series([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int8()))),
    "struct": pd.Series([{"a": 1}, None], dtype=pd.ArrowDtype(pa.struct({"a": pa.int8()}))),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_every_dtype(name: str) -> None:
    cells = pd.Series(["Zoë 👩‍🚀", None, ""], dtype=object).astype(TEXTS[name])
    assert mapped_column("name", cells) == (["Zoë 👩‍🚀", None, None], [None] * 3)


@pytest.mark.parametrize("name", INTEGERS)
def test_whole_numbers_of_every_dtype(name: str) -> None:
    dtype = INTEGERS[name]
    cells = pd.Series([7, np.nan, 0], dtype="float64")
    cells = cells.astype("Int64").astype(dtype) if name.startswith(("Int", "UInt")) else cells.astype(dtype)
    assert mapped_column("custom.aStr", cells)[0] == ["7", None, "0"]
    assert mapped_column("custom.aNum", cells)[0] == [7.0, None, 0.0]
    assert mapped_column("custom.aBool", cells)[0] == [None, None, False]
    assert mapped_column("employeeCount", cells, "companies") == ([7, None, 0], [None] * 3)
    values, reasons = mapped_column("custom.aAt", cells)
    assert values == [None] * 3
    assert reasons[1] is None
    assert reasons[0] is not None


@pytest.mark.parametrize("name", INSTANTS)
def test_instants_of_every_dtype(name: str) -> None:
    cells = pd.Series(pd.to_datetime(["2024-01-31 08:30:00", "NaT", "1969-12-31 23:59:59"], utc=True)).astype(object)
    if ("[" in name and "," not in name) or name == "arrow timestamp":
        cells = cells.map(lambda moment: moment.tz_localize(None) if moment is not pd.NaT else moment)
    cells = cells.astype(INSTANTS[name])
    expected = ["2024-01-31T08:30:00.000Z", None, "1969-12-31T23:59:59.000Z"]
    assert mapped_column("signedUpAt", cells) == (expected, [None] * 3)
    assert mapped_column("custom.aStr", cells) == (expected, [None] * 3)
    assert mapped_column("custom.aNum", cells)[1] == [
        "custom.aNum is not a number",
        None,
        "custom.aNum is not a number",
    ]


def test_fractions_of_a_millisecond_are_cut_also_before_1970() -> None:
    cells = pd.Series(pd.to_datetime(["1969-12-31 23:59:59.999999999", "2024-01-01 00:00:00.000999999"]))
    assert mapped_column("signedUpAt", cells)[0] == ["1969-12-31T23:59:59.999Z", "2024-01-01T00:00:00.000Z"]


def test_instants_outside_the_calendar_are_problems() -> None:
    cells = pd.Series(np.array(["-0001-01-01", "10000-01-01", "9999-12-31", "NaT"], dtype="datetime64[s]"))
    values, reasons = mapped_column("signedUpAt", cells)
    assert values == [None, None, "9999-12-31T00:00:00.000Z", None]
    problem = "signedUpAt is not an ISO-8601 date or date-time between the years 1 and 9999"
    assert reasons == [problem, problem, None, None]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_arrow_dates(kind: pa.DataType) -> None:
    cells = pd.Series([dt.date(2024, 1, 31), None], dtype=pd.ArrowDtype(kind))
    assert mapped_column("birthdayAt", cells) == (["2024-01-31T00:00:00.000Z", None], [None, None])
    assert mapped_column("custom.aStr", cells) == (["2024-01-31", None], [None, None])


@pytest.mark.parametrize("dtype", ["bool", "boolean", object, pd.ArrowDtype(pa.bool_()), "category"])
def test_booleans_of_every_dtype(dtype: Any) -> None:
    cells = pd.Series([True, False]).astype(dtype)
    assert mapped_column("custom.aBool", cells) == ([True, False], [None, None])
    assert mapped_column("name", cells) == (["true", "false"], [None, None])
    assert mapped_column("custom.aNum", cells)[1] == ["custom.aNum is not a number"] * 2


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize("rows", [0, 3])
def test_a_column_of_nulls_only_is_null_whatever_its_dtype(name: str, rows: int) -> None:
    cells = pd.Series([None] * rows, dtype=object).astype(ANY[name])
    for field in (
        *field_names("customers"),
        *(f"custom.a{s}" for s in ("Num", "At", "Bool", "Url", "Id", "Tree")),
    ):
        assert mapped_column(field, cells)[0] == [None] * rows, field


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("field", ["name", "email", "phone", "custom.aNum", "custom.aAt", "custom.aBool", "tags"])
def test_a_dtype_without_a_place_in_kustomer_makes_rows_invalid(name: str, field: str) -> None:
    values, reasons = mapped_column(field, UNFIT[name])
    assert values == [None, None]
    assert reasons[0] is not None
    assert reasons[0].startswith(f"{field} ")
    assert reasons[1] is None


def test_arrow_structs_and_lists_are_json() -> None:
    kind = pa.list_(pa.struct({"email": pa.string(), "type": pa.string()}))
    cells = pd.Series([[{"email": "a@x.com", "type": "home"}], None], dtype=pd.ArrowDtype(kind))
    assert mapped_column("emails", cells) == (['[{"email":"a@x.com","type":"home"}]', None], [None, None])


def test_big_integers_stay_exact_as_ids() -> None:
    for cells in (
        pd.Series([2**63 - 1, None], dtype="Int64"),
        pd.Series([2**64 - 1, None], dtype="UInt64"),
        objects(2**200, None),
        objects(decimal.Decimal(2**63 - 1), "x"),
    ):
        frame = pd.DataFrame({"id": cells})
        mapped = map_frame(
            frame, [FieldMapping("externalId", ("id",))], object_name="customers", match_on=["externalId"]
        )
        assert mapped["externalId"].iloc[0] == str(int(cells.iloc[0]))
    assert mapped_column("externalId", pd.Series([2.0**53, 2.0**53 - 1]))[0] == [None, str(2**53 - 1)]


def test_a_32_bit_float_means_its_shortest_text() -> None:
    cells = pd.Series([0.1], dtype="float32")
    assert mapped_column("custom.aNum", cells)[0] == [0.1]
    assert mapped_column("name", cells)[0] == ["0.1"]


def test_lone_surrogates_are_a_problem_in_python_strings() -> None:
    for cells in (objects("ok", "\udcff"), pd.Series(["ok", "\udcff"], dtype="string[python]")):
        assert mapped_column("name", cells) == (
            ["ok", None],
            [None, "name holds characters that UTF-8 cannot encode"],
        )


def test_an_object_that_cannot_be_read_is_a_problem() -> None:
    class Hostile:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError("no")

    values, reasons = mapped_column("name", objects(Hostile(), "ok"))
    assert values == [None, "ok"]
    assert reasons[0] is not None
    assert reasons[1] is None


def test_a_chunked_column_is_one_column() -> None:
    chunks = pd.concat([pd.Series([f"a{n}@x.com"], dtype="string[pyarrow]") for n in range(3)], ignore_index=True)
    mapped = mapped_frame("emails", chunks.iloc[1:])
    assert plain(mapped["emails"]) == ["a1@x.com", "a2@x.com"]
    assert wire_rows(mapped, [FieldMapping("emails", ("cells",))], object_name="customers")[0]["emails"] == [
        {"email": "a1@x.com"}
    ]


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mapped_column("custom.aNum", objects(1, "x", np.float32("nan"), np.inf, None))
