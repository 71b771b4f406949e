"""What makes two things the same: one canonical form of an identifier, list items, and keys that are personal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from kustomer_pipeline.kustomer.identifiers import canonical
from kustomer_pipeline.mapping import FieldMapping, is_personal_key, list_attributes, map_frame, nullable_fields
from kustomer_pipeline.mapping.keys import canonical_column

from .frames import mapped_frame, objects, plain, reasons


@pytest.mark.parametrize("attribute", ["phones", "sharedPhones", "whatsapps"])
@pytest.mark.parametrize("other", ["12125550003", "+1 (212) 555-0003", "whatsapp:+12125550003", "whatsapp:12125550003"])
def test_one_phone_number_is_one_item_however_it_is_written(attribute: str, other: str) -> None:
    compare = list_attributes("customers")[attribute]
    assert compare.key({"phone": other}) == compare.key({"phone": "+12125550003", "type": "mobile"})


def test_two_phones_without_a_digit_are_not_one() -> None:
    compare = list_attributes("customers")["phones"]
    assert compare.key({"phone": "unknown"}) != compare.key({"phone": "secret"})


@pytest.mark.parametrize("object_name", ["customers", "companies"])
def test_only_an_address_has_no_value_of_its_own(object_name: str) -> None:
    attributes = list_attributes(object_name)
    assert [name for name, attribute in attributes.items() if not attribute.by_value] == ["locations"]
    assert attributes["locations"].identity == ("type", "name")


@pytest.mark.parametrize(
    "field, cells",
    [("email", [" Jane@X.com", "J\u0130M@X.com"]), ("phone", ["+1 (212) 555-0003", "+442079460958"])],
)
def test_the_frame_compares_in_the_canonical_form(field: str, cells: list[str]) -> None:
    values = mapped_frame(field, objects(*cells))[field]
    one_by_one = [canonical(field, value) for value in values]
    assert canonical_column(field, values.array.__arrow_array__()).to_pylist() == one_by_one


def test_a_number_in_a_column_and_the_same_in_json_are_on_two_rows() -> None:
    frame = pd.DataFrame({"id": ["1", "2"], "phone": ["+1 212 555 0003", '[{"phone":"+12125550003"}]']})
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("phones", ("phone",))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert reasons(mapped) == ["phones is also on row key 2", "phones is also on row key 1"]


@pytest.mark.parametrize(
    "key, match_on, personal",
    [
        ("C-17", ["externalId", "email"], False),
        ("12125550003", ["externalId"], False),  # an id of ten digits is an id, whatever it looks like
        ("+12125550003", ["phone"], True),
        ("12125550003", ["phone", "email"], True),
        ("jane@x.com", ["email"], True),
        ("jane@x.com", ["externalId"], True),
        ("email=jane@x.com", ["externalId", "email"], True),
        ("phone=+12125550003", ["externalId", "phone"], True),
        ("externalId=C-17", ["email", "externalId"], False),
        ("name=Acme", ["externalId", "name"], False),
        ("name=Acme", ["name"], False),
        ("row:17", ["email"], False),
        ("row:17", ["phone"], False),
        ("id=5b3bddb67f8469003df370a4", ["email"], False),
        ("id=jane@x.com", ["email"], True),  # an address like any other
    ],
)
def test_the_field_that_a_key_comes_from_says_whether_it_is_personal(
    key: str, match_on: Sequence[str], personal: bool
) -> None:
    assert is_personal_key(key, match_on) is personal


@pytest.mark.parametrize(
    "ids, match_on",
    [
        (["12125550003", "12125550004"], ["externalId"]),
        (["jane@x.com", "joe@x.com"], ["externalId"]),
        (["C-1", "C-2"], ["externalId"]),
        ([None, None], ["externalId", "email"]),
    ],
)
def test_a_reason_names_a_key_only_where_the_key_column_shows_it(ids: list[Any], match_on: list[str]) -> None:
    frame = pd.DataFrame({"id": ids, "email": ["a@x.com", "a@x.com"]}, dtype=object)
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("email", ("email",))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=match_on)
    other = plain(mapped["_key"])[1]
    shown = "row 2" if is_personal_key(other, match_on) else f"row key {other}"
    assert reasons(mapped)[0] == f"email is also on {shown}"


def test_the_fields_that_a_null_empties_are_those_of_kustomers_contract() -> None:
    assert nullable_fields("customers") == {
        "name", "company", "externalId", "avatarUrl", "username", "locale", "timeZone", "defaultLang", "gender",
        "birthdayAt", "signedUpAt", "lastActivityAt", "lastCustomerActivityAt", "lastSeenAt",
    }  # fmt: skip
    assert nullable_fields("companies") == {"externalId", "avatarUrl", "defaultLang"}
