"""One definition of an identifier and of the form in which two are compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kustomer_pipeline.kustomer import UNIQUE, canonical, identifiers


@pytest.mark.parametrize(
    "field,value,expected",
    [
        ("email", " Jane@X.com\n", "jane@x.com"),
        ("phone", "+1 (212) 555-0003", "12125550003"),
        ("phone", "12125550003", "12125550003"),
        ("phone", "whatsapp:+12125550003", "12125550003"),
        ("phone", "n/a", ""),
        ("externalId", " A-1 ", " A-1 "),
        ("name", " Acme ", "Acme"),
    ],
)
def test_an_identifier_has_one_canonical_form(field: str, value: str, expected: str) -> None:
    assert canonical(field, value) == expected


@given(value=st.text(), field=st.sampled_from(["email", "phone", "externalId", "name"]))
def test_the_canonical_form_of_a_canonical_form_is_itself(value: str, field: str) -> None:
    once = canonical(field, value)
    assert canonical(field, once) == once


@pytest.mark.parametrize(
    "field,attributes,expected",
    [
        (
            "email",
            {"emails": [{"email": "B@x.com"}, {"email": "a@x.com"}, {"email": "b@x.com"}]},
            ("b@x.com", "a@x.com"),
        ),
        ("email", {"email": "C@x.com", "emails": [{"email": "a@x.com"}]}, ("c@x.com", "a@x.com")),
        ("email", {"sharedEmails": [{"email": "a@x.com"}]}, ()),
        ("phone", {"phones": [{"phone": "+1 212"}, {"phone": "1212"}, {"phone": "?"}]}, ("1212",)),
        ("externalId", {"externalId": "7", "externalIds": [{"externalId": "7"}, {"externalId": "8"}]}, ("7", "8")),
        ("externalId", {"externalId": "", "externalIds": None}, ()),
        ("name", {"name": " Acme "}, ("Acme",)),
    ],
)
def test_a_record_is_identified_by_what_it_holds_itself_in_order_and_once(
    field: str, attributes: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert identifiers(attributes, field) == expected


def test_a_name_identifies_no_company_for_sure() -> None:
    assert UNIQUE == {"customers": ("externalId", "email", "phone"), "companies": ("externalId",)}
