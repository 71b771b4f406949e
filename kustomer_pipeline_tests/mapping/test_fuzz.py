"""Arbitrary cells in every field: nothing crashes, a row is valid or says why, no reason holds a value."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kustomer_pipeline.mapping import CODES, INVALID, KEY, FieldMapping, field_names, field_type, map_frame, wire_rows

from .frames import objects, plain, reasons

CUSTOM = tuple(f"custom.a{suffix}" for suffix in ("Str", "Txt", "Num", "At", "Bool", "Url", "Id", "Tree"))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**200), max_value=2**200),
    st.floats(),
    st.decimals(),
    st.text(st.characters(codec=None)),
    st.binary(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.complex_numbers(),
    st.fractions(),
    st.sampled_from([pd.NA, pd.NaT, pd.Timestamp("2024-01-31"), object(), int, ..., range(3)]),
    st.emails(),
    st.from_regex(r"\A\+?[0-9 ()-]{3,20}\Z"),
    st.from_regex(r"\A[0-9]{1,4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{4})?\Z"),
    st.from_regex(r"\A[+-]?[0-9]*\.?[0-9]*([eE][0-9]+)?\Z"),
    st.sampled_from(["https://x.com/a", "vip, gold", "{}", "[]", "[null]", '{"email": "a@x.com"}', "+14155552671"]),
)
KEYS = st.sampled_from(
    ["email", "phone", "type", "username", "url", "externalId", "verified", "polarity", "zipCode", "x"]
)
CELLS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3) | st.tuples(inner),
    max_leaves=6,
)
MARK = "Zq7Wk"


def columns_of(object_name: str) -> list[FieldMapping]:
    return [FieldMapping(name, (name,)) for name in (*field_names(object_name), *CUSTOM)]


@settings(max_examples=50)
@given(object_name=st.sampled_from(["customers", "companies"]), cells=st.lists(CELLS, min_size=1, max_size=4))
@example(object_name="customers", cells=["\x1c", "\u0130@x.com"])
def test_any_cell_in_any_field_is_mapped_or_refused(object_name: str, cells: list[Any]) -> None:
    fields = columns_of(object_name)
    frame = pd.DataFrame({mapping.field: objects(*cells) for mapping in fields})
    mapped = map_frame(
        frame, fields, object_name=object_name, match_on=["externalId"], default_region="US", duplicates="allow"
    )
    assert len(mapped) == len(cells)
    assert mapped["_key"].notna().all()
    mapped.to_parquet(io.BytesIO())
    rows = wire_rows(mapped, fields, object_name=object_name)
    json.dumps(rows, allow_nan=False).encode()
    for row, why in zip(rows, reasons(mapped), strict=True):
        assert row["externalId"] is not None or why is not None

    again = map_frame(
        mapped.drop(columns=[KEY, INVALID, CODES]),
        fields,
        object_name=object_name,
        match_on=["externalId"],
        duplicates="allow",
    )
    for name in (mapping.field for mapping in fields):
        assert plain(again[name]) == plain(mapped[name]), name


@settings(max_examples=25)
@given(
    before=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    after=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    wrap=st.sampled_from([str, lambda text: [text], lambda text: {"email": text}, lambda text: {text: 1}, json.dumps]),
)
def test_no_reason_holds_any_part_of_a_value(before: str, after: str, wrap: Any) -> None:
    cell = wrap(before + MARK + after)
    for object_name in ("customers", "companies"):
        fields = columns_of(object_name)
        frame = pd.DataFrame({mapping.field: objects(cell, cell) for mapping in fields})
        mapped = map_frame(frame, fields, object_name=object_name, match_on=["externalId"])
        for why, codes in zip(reasons(mapped), plain(mapped[CODES]), strict=True):
            assert why is not None
            assert MARK.lower() not in (why + codes).lower()


@given(st.lists(st.integers(0, 3), max_size=8))
def test_rows_are_duplicates_exactly_when_an_identifier_repeats(ids: list[int]) -> None:
    frame = pd.DataFrame({"id": pd.Series(ids, dtype="Int64")})
    mapped = map_frame(frame, [FieldMapping("externalId", ("id",))], object_name="customers", match_on=["externalId"])
    assert mapped["_invalid"].notna().tolist() == [ids.count(n) > 1 for n in ids]


@given(st.datetimes(timezones=st.none() | st.timezones()))
def test_date_times_as_objects_and_as_text_mean_the_same(moment: dt.datetime) -> None:
    offset = moment.utcoffset()
    if offset is not None and offset.total_seconds() % 60:
        return  # local mean times before 1900: ISO-8601 text cannot say their seconds
    frame = pd.DataFrame({"id": [1, 2], "at": objects(moment, moment.isoformat())})
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("signedUpAt", ("at",))]
    one, other = plain(map_frame(frame, fields, object_name="customers", match_on=["externalId"])["signedUpAt"])
    assert one == other


def test_every_field_is_fuzzed() -> None:
    assert {mapping.field for mapping in columns_of("customers")} >= set(field_names("customers"))
    assert all(field_type("customers", name).shape == "custom" for name in CUSTOM)
