"""The mapped frame as a whole: columns, keys, required fields, duplicates, errors about the frame."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from kustomer_pipeline.mapping import (
    DuplicateColumnError,
    FieldConfigError,
    FieldMapping,
    MissingColumnError,
    map_frame,
    wire_rows,
)

from .frames import plain, reasons

FIELDS = [
    FieldMapping("externalId", ("id",)),
    FieldMapping("email", ("email",)),
    FieldMapping("name", ("name",)),
]


def customers(rows: Sequence[Sequence[Any]], **options: Any) -> pd.DataFrame:
    """Map rows of (id, email, name)."""
    frame = pd.DataFrame(list(rows), columns=["id", "email", "name"], dtype=object)
    options.setdefault("match_on", ["externalId", "email"])
    return map_frame(frame, FIELDS, object_name="customers", **options)


def test_the_frame_has_a_key_the_fields_and_the_reasons() -> None:
    frame = pd.DataFrame(
        {"id": [1, 2], "n": [1.5, None], "b": [True, None], "at": ["2024-01-31", None], "t": ["vip", None]},
        index=[7, 7],
    )
    fields = [
        FieldMapping("externalId", ("id",)),
        FieldMapping("custom.nNum", ("n",)),
        FieldMapping("custom.bBool", ("b",)),
        FieldMapping("birthdayAt", ("at",)),
        FieldMapping("tags", ("t",)),
    ]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert {name: str(dtype) for name, dtype in mapped.dtypes.items()} == {
        "_key": "string",
        "externalId": "string",
        "custom.nNum": "Float64",
        "custom.bBool": "boolean",
        "birthdayAt": "string",
        "tags": "string",
        "_invalid": "string",
        "_codes": "string",
    }
    assert isinstance(mapped.index, pd.RangeIndex)
    assert plain(mapped["custom.nNum"]) == [1.5, None]
    assert plain(mapped["custom.bBool"]) == [True, None]


def test_the_mapped_frame_survives_parquet() -> None:
    mapped = customers([(1, "a@x.com", "Zoë 👩‍🚀"), (None, None, None), (2, "bad", "x")])
    buffer = io.BytesIO()
    mapped.to_parquet(buffer)
    buffer.seek(0)
    again = pd.read_parquet(buffer)
    pd.testing.assert_frame_equal(again, mapped)
    assert wire_rows(again, FIELDS, object_name="customers") == wire_rows(mapped, FIELDS, object_name="customers")


def test_the_input_is_left_as_it_is() -> None:
    frame = pd.DataFrame({"id": [1.0, None], "email": [" A@x.com", ""], "name": [["x"], {"y": 1}]}, dtype=object)
    before = frame.copy(deep=True)
    map_frame(frame, FIELDS, object_name="customers", match_on=["externalId"])
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("dtype", [object, "string", "Int64", "float64", "category", "datetime64[ns]", "boolean"])
def test_no_rows_keep_the_columns(dtype: Any) -> None:
    frame = pd.DataFrame({name: pd.Series([], dtype=dtype) for name in ("id", "email", "name")})
    mapped = map_frame(frame, FIELDS, object_name="customers", match_on=["externalId"], required=["email"])
    assert list(mapped.columns) == ["_key", "externalId", "email", "name", "_invalid", "_codes"]
    assert len(mapped) == 0
    assert wire_rows(mapped, FIELDS, object_name="customers") == []


def test_a_row_is_named_by_its_first_identifier() -> None:
    mapped = customers([(7.0, "a@x.com", "A"), (None, " B@X.com", "B"), (None, None, "C")])
    assert mapped["_key"].tolist() == ["7", "email=b@x.com", "row:3"]
    assert reasons(mapped) == [None, None, "none of externalId, email is there to match on"]
    mapped = customers([(7.0, "A@x.com", "A")], match_on=["email"])
    assert mapped["_key"].tolist() == ["a@x.com"]


def test_a_phone_names_a_row_in_its_normal_form() -> None:
    frame = pd.DataFrame({"phone": ["(415) 555-2671", "+44 20 7946 0958"]})
    mapped = map_frame(
        frame,
        [FieldMapping("phone", ("phone",))],
        object_name="customers",
        match_on=["phone"],
        default_region="US",
    )
    assert mapped["_key"].tolist() == ["+14155552671", "+442079460958"]


def test_a_company_may_be_named_by_its_name() -> None:
    frame = pd.DataFrame({"id": ["A", None], "name": ["Acme", " Beta Ltd "]})
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("name", ("name",))]
    mapped = map_frame(frame, fields, object_name="companies", match_on=["externalId", "name"], required=["name"])
    assert mapped["_key"].tolist() == ["A", "name=Beta Ltd"]
    assert reasons(mapped) == [None, None]


def test_a_missing_required_field_is_said_once() -> None:
    mapped = customers([(1, None, None), (2, "", None), (3, "bad", None), (4, "a@x.com", None)], required=["email"])
    assert reasons(mapped) == ["email is missing", "email is missing", "email is not an e-mail address", None]
    mapped = customers([(1, None, None)], match_on=["email"], required=["email"])
    assert reasons(mapped) == ["email is missing"]


def test_emails_provide_the_required_email_but_not_the_key() -> None:
    frame = pd.DataFrame({"email": [None, None], "more": ['["a@x.com"]', None]})
    fields = [FieldMapping("email", ("email",)), FieldMapping("emails", ("more",))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["email"], required=["email"])
    assert reasons(mapped) == ["email is missing", "email is missing"]
    fields.append(FieldMapping("externalId", ("id",)))
    mapped = map_frame(
        frame.assign(id=[1, 2]), fields, object_name="customers", match_on=["externalId"], required=["email"]
    )
    assert reasons(mapped) == [None, "email is missing"]


def test_a_required_custom_attribute_is_not_provided_by_another() -> None:
    frame = pd.DataFrame({"id": [1, 2], "a": ["x", None], "b": ["y", "y"]})
    fields = [
        FieldMapping("externalId", ("id",)),
        FieldMapping("custom.aStr", ("a",)),
        FieldMapping("custom.bStr", ("b",)),
    ]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"], required=["custom.aStr"])
    assert reasons(mapped) == [None, "custom.aStr is missing"]


def test_a_required_field_must_be_mapped() -> None:
    with pytest.raises(FieldConfigError, match="phone is required"):
        customers([], required=["phone"])


def test_all_rows_of_a_duplicate_key_are_invalid() -> None:
    mapped = customers([("7", "a@x.com", "A"), ("8", "b@x.com", "B"), (7, "c@x.com", "C")])
    assert reasons(mapped) == ["externalId is also on row 3", None, "externalId is also on row 1"]


def test_rows_that_share_any_identifier_are_invalid_and_name_each_other() -> None:
    mapped = customers(
        [("C-1", "a@x.com", "A"), ("C-2", " A@X.com ", "B"), (None, "b@x.com", "C"), (None, "B@x.com", "D")]
    )
    assert reasons(mapped) == [
        "email is also on row key C-2",
        "email is also on row key C-1",
        "email is also on row 4",
        "email is also on row 3",
    ]


def test_a_reason_names_three_other_rows_at_most() -> None:
    mapped = customers([(f"C-{n}", "a@x.com", "A") for n in range(6)])
    assert reasons(mapped)[0] == "email is also on row key C-1, row key C-2, row key C-3 and 2 more"
    assert reasons(mapped)[5] == "email is also on row key C-0, row key C-1, row key C-2 and 2 more"


def test_identifiers_count_over_columns_spellings_and_inside_json() -> None:
    frame = pd.DataFrame(
        {
            "id": ["1", "2", "3", "4"],
            "email": ["a@x.com", None, "c@x.com", None],
            "alt": ["a@x.com", None, None, None],
            "more": [None, '[{"email":"A@x.com"}]', '["c@x.com"]', '["d@x.com"]'],
            "ids": [None, None, "4", None],
        }
    )
    fields = [
        FieldMapping("externalId", ("id",)),
        FieldMapping("email", ("email", "alt")),
        FieldMapping("emails", ("more",)),
        FieldMapping("externalIds", ("ids",)),
    ]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert reasons(mapped) == [
        "email is also on row key 2",
        "email is also on row key 1",
        "externalId is also on row key 4",
        "externalId is also on row key 3",
    ]


def test_shared_lists_may_repeat() -> None:
    frame = pd.DataFrame({"id": [1, 2], "mail": ["a@x.com"] * 2})
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("sharedEmails", ("mail",))]
    assert reasons(map_frame(frame, fields, object_name="customers", match_on=["externalId"])) == [None, None]


def test_companies_of_one_name_are_told_apart_by_their_ids_only() -> None:
    frame = pd.DataFrame({"id": ["A", "B", None, None], "name": ["Acme", "Acme", "Acme", "Acme"]})
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("name", ("name",))]
    mapped = map_frame(frame, fields, object_name="companies", match_on=["externalId", "name"])
    assert reasons(mapped) == [None, None, "the row key is also on row 4", "the row key is also on row 3"]


def test_a_key_cannot_be_imitated() -> None:
    mapped = customers(
        [("email=a@x.com", "b@x.com", "A"), (None, "a@x.com", "B"), ("row:4", None, "C"), (None, None, "D")]
    )
    assert reasons(mapped)[0] == "the row key is also on row 2"
    assert reasons(mapped)[2] == "the row key is also on row 4"


def test_an_audience_may_name_a_member_twice() -> None:
    mapped = customers([(1, "a@x.com", None), (1, "a@x.com", None)], duplicates="allow")
    assert reasons(mapped) == [None, None]


def test_every_reason_of_a_row_is_given() -> None:
    mapped = customers([("x" * 300, "bad", "y" * 300)])
    assert reasons(mapped) == [
        "externalId is 300 characters, at most 256; email is not an e-mail address; name is 300 characters, at most 256"
    ]
    assert mapped["_key"].tolist() == ["row:1"]


def test_a_missing_column_says_which_and_what_there_is() -> None:
    frame = pd.DataFrame({"ID": [1], "e_mail": ["a@x.com"], 3: ["x"]})
    with pytest.raises(MissingColumnError) as caught:
        map_frame(frame, FIELDS, object_name="customers", match_on=["externalId"])
    assert caught.value.columns == ("id", "email", "name")
    assert str(caught.value) == (
        "the query does not return id (did you mean ID?), email (did you mean e_mail?), name; it returns ID, e_mail, 3"
    )


def test_a_mapped_column_that_comes_twice_is_an_error() -> None:
    frame = pd.DataFrame([[1, "a@x.com", "A", "B", 1, 2]], columns=["id", "email", "name", "name", "other", "other"])
    with pytest.raises(DuplicateColumnError, match="returns name more than once") as caught:
        map_frame(frame, FIELDS, object_name="customers", match_on=["externalId"])
    assert caught.value.columns == ("name",)


def test_one_column_may_feed_two_fields() -> None:
    frame = pd.DataFrame({"id": ["7"], "email": ["a@x.com"]})
    fields = [*FIELDS[:2], FieldMapping("custom.crmStr", ("id",)), FieldMapping("username", ("email",))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert wire_rows(mapped, fields, object_name="customers") == [
        {
            "externalId": "7",
            "emails": [{"email": "a@x.com"}],
            "custom": {"crmStr": "7"},
            "username": "a@x.com",
        }
    ]


def test_wrong_mappings_are_refused_before_the_frame_is_read() -> None:
    with pytest.raises(FieldConfigError):
        map_frame(pd.DataFrame(), FIELDS, object_name="customers", match_on=["name"])


def test_many_rows_of_one_identifier_stay_cheap() -> None:
    """Not timed: a reason per pair would be four hundred million of them."""
    mapped = customers([(n, "a@x.com", None) for n in range(20_000)])
    assert mapped["_invalid"].notna().all()
    assert mapped["_invalid"].str.len().max() < 100
