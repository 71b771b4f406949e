"""The limits of Kustomer's request schemas (docs/kustomer.md sections 4.2 and 5), field by field."""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.mapping import field_names, field_type, list_attributes, nullable_fields, reason_lines

from .frames import mapped_frame, objects, wired

FACEBOOK = {"pageId": "p", "userId": "u"}
INSTAGRAM = {"pageId": "p", "threadId": "t", "username": "jane"}
SOCIAL = {"type": "twitter", "username": "jane"}
FITS: list[tuple[str, str, Any]] = [
    ("companies", "name", "x" * 256),
    ("companies", "domains", [f"d{n}.example" for n in range(10)]),
    ("companies", "domains", "d" * 63 + ".example"),
    ("companies", "domains", "xn--mnchen-3ya.example"),
    ("customers", "email", "j" * 64 + "@x.example"),
    ("customers", "company", "x" * 256),
    *[("customers", "facebookIds", FACEBOOK | {key: "x" * 255}) for key in ("pageId", "userId", "name")],
    *[
        ("customers", "instagramIds", INSTAGRAM | {key: "x" * 255})
        for key in ("pageId", "threadId", "username", "instagramId")
    ],
    ("customers", "socials", SOCIAL | {"userid": "x" * 256}),
    ("customers", "socials", SOCIAL | {"username": "x" * 256}),
    *[("customers", "locations", {key: "x" * 256}) for key in ("address", "address2", "address3")],
    ("customers", "locations", {"name": "x" * 5_000}),
    ("customers", "locations", {"countryName": "x" * 64, "regionName": "x" * 128, "cityName": "x" * 128}),
    ("customers", "locations", {"zipCode": "x" * 30, "areaCode": "x" * 30, "countryCode": "US", "regionCode": "NY"}),
    ("customers", "sentiment", {"polarity": -1, "confidence": 1}),
]
TOO_MUCH: list[tuple[str, str, Any, str]] = [
    ("companies", "name", "x" * 257, "too_long"),
    ("companies", "name", "xx", "too_short"),
    ("companies", "domains", [f"d{n}.example" for n in range(11)], "too_many_items"),
    *[
        ("companies", "domains", domain, "not_domain")
        for domain in ("d" * 64 + ".example", "-d.example", "d-.example", "a_b.example", "192.0.2.1", "münchen.example")
    ],
    ("customers", "email", "j" * 65 + "@x.example", "too_long"),
    ("customers", "sharedEmails", [{"email": "j" * 65 + "@x.example"}], "too_long"),
    *[("customers", "facebookIds", FACEBOOK | {key: "x" * 256}, "too_long") for key in ("pageId", "userId", "name")],
    *[("customers", "facebookIds", {"pageId": "p", "name": "n"}, "missing_key")],
    *[
        ("customers", "instagramIds", INSTAGRAM | {key: "x" * 256}, "too_long")
        for key in ("pageId", "threadId", "username", "instagramId")
    ],
    *[
        ("customers", "instagramIds", {k: v for k, v in INSTAGRAM.items() if k != key}, "missing_key")
        for key in INSTAGRAM
    ],
    ("customers", "socials", SOCIAL | {"userid": "x" * 257}, "too_long"),
    ("customers", "socials", SOCIAL | {"username": "x" * 257}, "too_long"),
    ("customers", "socials", SOCIAL | {"username": ""}, "missing_key"),
    ("customers", "socials", SOCIAL | {"url": "jane"}, "not_url"),
    ("customers", "locations", {"type": "summer"}, "not_a_choice"),
    *[("customers", "locations", {key: "x" * 257}, "too_long") for key in ("address", "address2", "address3")],
    ("customers", "locations", {"countryName": "x" * 65}, "too_long"),
    ("customers", "locations", {"regionName": "x" * 129}, "too_long"),
    ("customers", "locations", {"zipCode": "x" * 31}, "too_long"),
    ("customers", "sentiment", {"polarity": 0.5, "confidence": 0}, "not_whole"),
    ("customers", "sentiment", {"polarity": 0, "confidence": 1.01}, "out_of_bounds"),
    ("customers", "sentiment", {"polarity": 0}, "missing_key"),
]


@pytest.mark.parametrize("object_name, field, cell", FITS, ids=[f"{f}-{n}" for n, (_, f, _) in enumerate(FITS)])
def test_what_kustomer_takes_is_sent(object_name: str, field: str, cell: Any) -> None:
    assert wired(field, cell, object_name=object_name)


@pytest.mark.parametrize(
    "object_name, field, cell, code", TOO_MUCH, ids=[f"{f}-{n}" for n, (_, f, _, _) in enumerate(TOO_MUCH)]
)
def test_what_kustomer_refuses_is_not_sent(object_name: str, field: str, cell: Any, code: str) -> None:
    assert reason_lines(mapped_frame(field, objects(cell), object_name))["code"].tolist() == [code]


@pytest.mark.parametrize("object_name", ["customers", "companies"])
def test_every_list_takes_ten_items_but_tags_twenty(object_name: str) -> None:
    limits = {name: attribute.max_items for name, attribute in list_attributes(object_name).items()}
    assert limits.pop("tags") == 20
    assert set(limits.values()) == {10}


@pytest.mark.parametrize("object_name", ["customers", "companies"])
def test_no_list_goes_out_with_an_item_twice(object_name: str) -> None:
    """One refused list (`uniqueItems`) would have the whole bulk request refused."""
    samples = {
        "email": "a@x.com",
        "phone": "+14155552671",
        "externalId": "7",
        "url": "https://x.com",
        "domain": "x.com",
        "text": "xx",
        "boolean": True,
        "number": 1,
    }
    for name in field_names(object_name):
        field = field_type(object_name, name)
        if field.shape == "list" and field.items:
            item = {
                key: limits.choices[0] if limits.choices else samples[limits.value]
                for key, limits in field.items.items()
            }
            sent = wired(name, [item, dict(item)], object_name=object_name)[0][field.attribute]
            assert len(sent) == 1, name


def test_null_clears_a_companys_external_id_in_updates_only() -> None:
    assert nullable_fields("companies") == {"externalId", "avatarUrl", "defaultLang"}
    assert nullable_fields("companies", "create") == {"avatarUrl", "defaultLang"}
    assert nullable_fields("customers", "create") == nullable_fields("customers", "update")


def test_the_number_of_employees_and_the_dates_of_a_record_are_never_cleared() -> None:
    for object_name, field in (
        ("companies", "employeeCount"),
        ("companies", "name"),
        ("customers", "createdAt"),
        ("customers", "importedAt"),
        ("customers", "sentiment"),
        ("customers", "emails"),
    ):
        assert not field_type(object_name, field).nullable
    assert field_type("customers", "custom.planStr").nullable
