"""The catalogue: every writable field of docs/kustomer.md sections 4.2, 5, 6 and 9; looking fields up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline.mapping import (
    FieldConfigError,
    FieldMapping,
    UnknownFieldError,
    check_fields,
    field_names,
    field_type,
    list_attributes,
    required_fields,
)
from kustomer_pipeline.mapping.reference import reference

CUSTOMER_FIELDS = {
    "name", "company", "externalId", "externalIds", "sharedExternalIds", "email", "emails",
    "sharedEmails", "phone", "phones", "sharedPhones", "whatsapps", "facebookIds", "instagramIds",
    "socials", "sharedSocials", "urls", "locations", "tags", "username", "avatarUrl", "locale",
    "timeZone", "defaultLang", "gender", "birthdayAt", "signedUpAt", "lastActivityAt",
    "lastCustomerActivityAt", "lastSeenAt", "createdAt", "importedAt", "sentiment",
}  # fmt: skip
COMPANY_FIELDS = {
    "name", "externalId", "avatarUrl", "emails", "phones", "whatsapps", "socials", "urls", "locations",
    "domains", "employeeCount", "tags", "createdAt", "importedAt", "defaultLang",
}  # fmt: skip


def test_every_writable_field_of_kustomer_is_there() -> None:
    assert set(field_names("customers")) == CUSTOMER_FIELDS
    assert set(field_names("companies")) == COMPANY_FIELDS


@pytest.mark.parametrize("object_name", ["customers", "companies"])
def test_every_field_says_what_it_is_and_where_it_goes(object_name: str) -> None:
    for name in field_names(object_name):
        field = field_type(object_name, name)
        assert field.name == name
        assert field.description
        assert field.custom_key is None
        if field.shape == "list":
            assert field.attribute in list_attributes(object_name)
            assert field.max_items == list_attributes(object_name)[field.attribute].max_items
        else:
            assert field.attribute == name
        hash(field)


def test_the_reference_page_is_the_catalogue(repository: Path) -> None:
    assert (repository / "docs" / "fields.md").read_text(encoding="utf-8") == reference()


def test_the_reference_page_names_every_field() -> None:
    text = reference()
    for name in CUSTOMER_FIELDS | COMPANY_FIELDS:
        assert f"| `{name}` |" in text


def test_fields_that_kustomer_keeps_unique_name_the_space_they_share() -> None:
    spaces = {name: field_type("customers", name).identifier for name in field_names("customers")}
    assert {name: space for name, space in spaces.items() if space} == {
        "externalId": "externalId",
        "externalIds": "externalId",
        "email": "email",
        "emails": "email",
        "phone": "phone",
        "phones": "phone",
        "whatsapps": "whatsapp",
        "socials": "social",
    }
    spaces = {name: field_type("companies", name).identifier for name in field_names("companies")}
    assert {name: space for name, space in spaces.items() if space} == {"externalId": "externalId"}


def test_required_fields() -> None:
    assert required_fields("customers") == ("email",)
    assert required_fields("companies") == ("name",)


def test_email_and_emails_are_the_same_attribute() -> None:
    assert field_type("customers", "email").attribute == "emails"
    assert field_type("customers", "emails").attribute == "emails"
    assert field_type("customers", "phone").attribute == "phones"


@pytest.mark.parametrize(
    "attribute, one, other, same",
    [
        ("emails", {"email": " Jane@X.com"}, {"email": "jane@x.com", "type": "work"}, True),
        ("phones", {"phone": "+14155552671"}, {"phone": "+14155552672"}, False),
        ("externalIds", {"externalId": "a"}, {"externalId": "A"}, False),
        ("socials", {"type": "twitter", "username": "j"}, {"type": "facebook", "username": "j"}, False),
        ("locations", {"type": "home", "zipCode": "1"}, {"type": "home", "zipCode": "2"}, True),
        ("locations", {"zipCode": "1"}, {"zipCode": "2"}, False),
        ("locations", {"zipCode": "1", "name": None}, {"zipCode": "1"}, True),
        ("urls", {"url": "https://x.com"}, {"url": "https://x.com", "type": "blog"}, True),
        ("tags", "vip", "vip", True),
        ("tags", "vip", "VIP", False),
        ("emails", {"email": ["odd"]}, {"email": ["odd"]}, True),
    ],
)
def test_list_items_compare_by_what_identifies_them(attribute: str, one: Any, other: Any, same: bool) -> None:
    compare = list_attributes("customers")[attribute]
    assert (compare.key(one) == compare.key(other)) is same
    hash(compare.key(one))


def test_only_keys_that_kustomer_takes_are_writable() -> None:
    assert list_attributes("customers")["emails"].writable == {"email", "type", "verified"}
    assert list_attributes("customers")["tags"].writable == frozenset()
    assert list_attributes("companies")["domains"].identity == ("domain",)


@pytest.mark.parametrize(
    "field, value",
    [
        ("custom.planStr", "text"),
        ("custom.noteTxt", "text"),
        ("custom.ltvNum", "number"),
        ("custom.renewsAt", "datetime"),
        ("custom.activeBool", "boolean"),
        ("custom.siteUrl", "url"),
        ("custom.orderId", "id"),
        ("custom.regionTree", "text"),
        ("custom.plan2bStr", "text"),
    ],
)
def test_the_suffix_of_a_custom_attribute_is_its_type(field: str, value: str) -> None:
    for object_name in ("customers", "companies"):
        kind = field_type(object_name, field)
        assert (kind.value, kind.shape, kind.attribute) == (value, "custom", "custom")
        assert kind.custom_key == field.removeprefix("custom.")


@pytest.mark.parametrize(
    "object_name, field, hint",
    [
        ("customers", "emial", "did you mean email"),
        ("customers", "external_id", "did you mean externalId"),
        ("customers", "AvatarURL", "did you mean avatarUrl"),
        ("companies", "email", "emails"),
        ("companies", "company", "allowed: name"),
        ("customers", "custom", "custom.<name><type>"),
        ("customers", "custom.plan", "Str, Txt, Num, At, Bool, Url, Id, Tree"),
        ("customers", "custom.life_time_valueNum", "did you mean custom.lifeTimeValueNum"),
        ("companies", "custom.plan-2Str", "did you mean custom.plan2Str"),
        ("companies", "custom.PlanStr", "did you mean custom.planStr"),
        ("customers", "custom.planstr", "did you mean custom.planStr"),
        ("customers", "custom.Str", "custom attribute"),
        ("customers", "custom.a bStr", "custom attribute"),
        ("customers", "custom.", "custom attribute"),
        ("customers", "", "allowed: email"),
        ("customers", "rev", "the engine"),
        ("companies", "deleted", "never deletes"),
    ],
)
def test_an_unknown_field_says_what_is_meant_or_allowed(object_name: str, field: str, hint: str) -> None:
    with pytest.raises(UnknownFieldError) as caught:
        field_type(object_name, field)
    assert hint in str(caught.value)
    assert caught.value.field == field


def test_an_unknown_object_says_which_there_are() -> None:
    with pytest.raises(FieldConfigError, match="customers or companies"):
        field_names("contacts")


def fields(*mappings: FieldMapping) -> list[FieldMapping]:
    return [FieldMapping("email", ("email",)), *mappings]


@pytest.mark.parametrize(
    "mappings, match_on, field, hint",
    [
        ([], ["email"], "fields", "no field"),
        (fields(FieldMapping("nmae", ("n",))), ["email"], "nmae", "did you mean name"),
        (fields(FieldMapping("name", ("a", "b"))), ["email"], "name", "one column"),
        (fields(FieldMapping("custom.aStr", ("a", "b"))), ["email"], "custom.aStr", "one column"),
        (fields(FieldMapping("phone", ("a", "a"))), ["email"], "phone", "same column twice"),
        (fields(FieldMapping("name", ())), ["email"], "name", "no column"),
        (fields(FieldMapping("name", ("",))), ["email"], "name", "no column"),
        (fields(FieldMapping("name", ("n",), match="id")), ["email"], "name", "company only"),
        (fields(FieldMapping("company", ("c",), match="email")), ["email"], "company",
         "externalId, name, id"),
        (fields(FieldMapping("custom.aStr", ("a",)), FieldMapping("custom.aStr", ("b",))), ["email"],
         "custom.aStr", "twice"),
        (fields(FieldMapping("name", ("n",), write="never")), ["email"], "name", "overwrite or if_empty"),  # type: ignore[arg-type]  # the mistake under test
        (fields(), [], "match_on", "no field"),
        (fields(), ["name"], "name", "externalId, email, phone"),
        (fields(), ["externalId"], "externalId", "no column is mapped"),
        (fields(), ["email", "email"], "match_on", "twice"),
        (fields(*[FieldMapping(f"custom.a{n}Str", ("a",)) for n in range(101)]), ["email"], "custom",
         "at most 100"),
    ],
)  # fmt: skip
def test_mappings_that_cannot_work_are_refused_at_load(
    mappings: list[FieldMapping], match_on: list[str], field: str, hint: str
) -> None:
    with pytest.raises(FieldConfigError, match=hint) as caught:
        check_fields(mappings, "customers", match_on)
    assert caught.value.field == field
    assert isinstance(caught.value, ValueError)


def test_mappings_that_can_work_pass() -> None:
    check_fields(
        fields(
            FieldMapping("externalId", ("id",), write="if_empty"),
            FieldMapping("phone", ("mobile", "home")),
            FieldMapping("company", ("account",), match="name"),
            *[FieldMapping(f"custom.a{n}Num", ("a",)) for n in range(100)],
        ),
        "customers",
        ["externalId", "email", "phone"],
        default_region="GB",
    )
    check_fields([FieldMapping("name", ("n",))], "companies", ["name"])


def test_a_default_region_must_be_a_country() -> None:
    with pytest.raises(FieldConfigError, match="US or GB"):
        check_fields(fields(), "customers", ["email"], default_region="uk")
