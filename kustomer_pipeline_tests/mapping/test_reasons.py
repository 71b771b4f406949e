"""Why rows are refused, as values: the codes beside the texts, and one line per reason."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pytest

from kustomer_pipeline.mapping import CODES, INVALID, KEY, FieldMapping, ReasonCode, map_frame, reason_lines

from .frames import mapped_frame, objects, plain

FIELDS = [
    FieldMapping("externalId", ("id",)),
    FieldMapping("email", ("email", "alt")),
    FieldMapping("birthdayAt", ("born",)),
]


def mapped_rows() -> pd.DataFrame:
    """One good row, and rows with one reason or more."""
    frame = pd.DataFrame(
        [
            ("C-1", "a@x.com", None, "2000-01-31"),
            ("C-2", "nope", "b@x.com", 2000),
            (None, None, None, None),
            ("C-4", "d@x.com", "worse", None),
            ("C-4", "e@x.com", None, None),
        ],
        columns=["id", "email", "alt", "born"],
        dtype=object,
    )
    return map_frame(frame, FIELDS, object_name="customers", match_on=["externalId"], required=["email"])


def lines(mapped: pd.DataFrame) -> list[tuple[Any, ...]]:
    """(position, key, code, field) of every line."""
    found = reason_lines(mapped)
    return list(zip(found["position"], found["key"], found["code"], plain(found["field"]), strict=True))


def test_every_reason_of_every_invalid_row_is_one_line() -> None:
    assert lines(mapped_rows()) == [
        (1, "C-2", "not_email", "email"),
        (1, "C-2", "not_date", "birthdayAt"),
        (2, "row:3", "missing", "email"),
        (2, "row:3", "missing", "externalId"),
        (3, "C-4", "not_email", "email"),
        (3, "C-4", "duplicate", "externalId"),
        (4, "C-4", "duplicate", "externalId"),
    ]


def test_the_texts_of_the_lines_are_those_for_people() -> None:
    mapped = mapped_rows()
    found = reason_lines(mapped)
    joined = found.groupby("position")["reason"].agg("; ".join)
    assert joined.to_dict() == {row: text for row, text in enumerate(plain(mapped[INVALID])) if text is not None}


def test_a_reason_that_holds_a_semicolon_stays_one_line() -> None:
    mapped = mapped_frame("name", objects(["a list"]))
    assert reason_lines(mapped)["reason"].tolist() == ["name is a list or an object; a single value is needed"]


def test_codes_are_there_exactly_where_the_row_is_invalid() -> None:
    mapped = mapped_rows()
    assert mapped[CODES].isna().tolist() == mapped[INVALID].isna().tolist() == [True, False, False, False, False]
    assert json.loads(mapped[CODES][3])[0] == ["not_email", "email", "email.2 is not an e-mail address"]


def test_rows_without_a_reason_have_no_line() -> None:
    found = reason_lines(mapped_rows().iloc[:1])
    assert len(found) == 0
    assert {"position", "key", "code", "field", "reason"} == set(found.columns)
    assert str(found["position"].dtype) == "int64"


def test_the_lines_survive_parquet() -> None:
    mapped, buffer = mapped_rows(), io.BytesIO()
    mapped.to_parquet(buffer)
    pd.testing.assert_frame_equal(reason_lines(pd.read_parquet(buffer)), reason_lines(mapped))


def test_nothing_to_match_on_is_about_the_row() -> None:
    frame = pd.DataFrame({"id": [None], "email": [None]})
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("email", ("email",))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId", "email"])
    assert lines(mapped) == [(0, "row:1", "unmatched", None)]


def test_a_repeated_key_that_no_identifier_explains_is_about_the_row() -> None:
    frame = pd.DataFrame({"name": ["Acme", "Acme"]})
    mapped = map_frame(frame, [FieldMapping("name", ("name",))], object_name="companies", match_on=["name"])
    assert lines(mapped) == [(0, "Acme", "duplicate", None), (1, "Acme", "duplicate", None)]


@pytest.mark.parametrize(
    "field, cell, code",
    [
        ("name", b"x", ReasonCode.UNREADABLE),
        ("name", "a\0b", ReasonCode.NOT_TEXT),
        ("name", "x" * 257, ReasonCode.TOO_LONG),
        ("gender", "female", ReasonCode.NOT_A_CHOICE),
        ("phone", "1", ReasonCode.NOT_PHONE),
        ("avatarUrl", "x.com", ReasonCode.NOT_URL),
        ("custom.aId", "7", ReasonCode.NOT_ID),
        ("tags", "a&b", ReasonCode.NOT_TAG),
        ("custom.aBool", "ja", ReasonCode.NOT_BOOLEAN),
        ("custom.aNum", "ten", ReasonCode.NOT_NUMBER),
        ("custom.aNum", 2**53, ReasonCode.NOT_EXACT),
        ("custom.aNum", float("inf"), ReasonCode.NOT_FINITE),
        ("sentiment", {"polarity": 0.5, "confidence": 0}, ReasonCode.NOT_WHOLE),
        ("sentiment", {"polarity": 2, "confidence": 0}, ReasonCode.OUT_OF_BOUNDS),
        ("emails", "[", ReasonCode.NOT_JSON),
        ("emails", {"label": "x"}, ReasonCode.UNKNOWN_KEY),
        ("emails", {"type": "home"}, ReasonCode.MISSING_KEY),
        ("emails", [{"email": "a@x.com", "type": "home"}, {"email": "a@x.com", "type": "work"}],
         ReasonCode.CONFLICTING_ITEMS),
        ("emails", [f"a{number}@x.com" for number in range(11)], ReasonCode.TOO_MANY_ITEMS),
    ],
)  # fmt: skip
def test_the_code_says_what_kind_of_reason_it_is(field: str, cell: Any, code: ReasonCode) -> None:
    assert lines(mapped_frame(field, objects(cell))) == [(0, "id-0", code, field)]


def test_a_name_that_is_too_short_has_its_own_code() -> None:
    assert lines(mapped_frame("name", objects("AB"), "companies")) == [(0, "id-0", ReasonCode.TOO_SHORT, "name")]


def test_the_key_of_a_line_is_the_mapped_key() -> None:
    mapped = mapped_rows()
    found = reason_lines(mapped)
    assert found["key"].tolist() == mapped[KEY].iloc[found["position"]].tolist()
