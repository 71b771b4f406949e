"""What a body may hold: every limit of docs/kustomer.md sections 4.2, 5, 6 and 9."""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.sandbox import Sandbox

from .conftest import Api

_MOMENT = "2026-01-31T12:00:00.000Z"
_ELEVEN = range(11)


def test_an_unknown_attribute_is_the_recorded_400(api: Api) -> None:
    assert api.post("/v1/customers", {"custom": {"notAnActualAttribute": 1}}).error == {
        "status": 400,
        "source": {"parameter": "notAnActualAttribute"},
        "code": "badparam",
        "title": "Additional properties not allowed",
        "detail": "/properties/custom/additionalProperties",
    }


@pytest.mark.parametrize(
    ("body", "parameter", "detail"),
    [
        ({"firstName": "Jane"}, "firstName", "/additionalProperties"),
        ({"data": {"attributes": {}}}, "data", "/additionalProperties"),
        ({"name": "x" * 257}, "name", "/properties/name/maxLength"),
        ({"name": 7}, "name", "/properties/name/type"),
        (
            {"emails": [{"email": "a@example.com", "id": None}]},
            "id",
            "/properties/emails/items/additionalProperties",
        ),
        ({"emails": [{"email": "jane"}]}, "email", "/properties/emails/items/properties/email/format"),
        ({"emails": None}, "emails", "/properties/emails/type"),
        ([], "body", "/type"),
    ],
)
def test_a_refusal_names_the_key_and_the_place_in_the_schema(api: Api, body: Any, parameter: str, detail: str) -> None:
    error = api.post("/v1/customers", body).error
    assert (error["status"], error["code"]) == (400, "badparam")
    assert error["source"] == {"parameter": parameter}
    assert error["detail"] == detail


_GOOD_CUSTOMERS: list[dict[str, Any]] = [
    {
        "name": "x" * 256,
        "username": "x" * 256,
        "locale": "x" * 16,
        "timeZone": "x" * 64,
        "defaultLang": "x" * 100,
    },
    {"externalId": "x" * 256},
    {"externalIds": [{"externalId": "x" * 255, "verified": True}]},
    {"externalIds": [{"externalId": f"C-{n}"} for n in range(10)]},
    {"emails": [{"email": f"a{n}@example.com", "type": "work", "verified": False} for n in range(10)]},
    {"phones": [{"phone": f"+1555123456{n}", "type": "fax"} for n in range(10)]},
    {"whatsapps": [{"phone": "+447911123456", "type": "mobile"}]},
    {
        "socials": [
            {
                "type": "linkedin",
                "username": "jane",
                "userid": "7",
                "url": "https://x.example",
                "verified": True,
            }
        ]
    },
    {"urls": [{"url": "https://example.com/a?b", "type": "blog"}]},
    {"locations": [{"type": "home", "address": "x" * 256, "latitude": 1.5, "countryCode": "DE", "zipCode": None}]},
    {"gender": "f"},
    {"gender": None},
    {"avatarUrl": "https://example.com/a.png"},
    {"birthdayAt": _MOMENT, "signedUpAt": _MOMENT, "lastActivityAt": _MOMENT, "lastSeenAt": _MOMENT},
    {"lastCustomerActivityAt": _MOMENT, "importedAt": "2026-01-31T12:00:00+05:30"},
    {"sentiment": {"polarity": -1, "confidence": 0.5}},
    {"facebookIds": [{"pageId": "x" * 255, "userId": "7", "name": "Jane"}, {"pageId": "1", "userId": "7"}]},
    {"instagramIds": [{"pageId": "1", "threadId": "2", "username": "x" * 255, "instagramId": "3"}]},
    {"locations": [{"type": None, "latitude": None, "longitude": None, "name": None, "areaCode": None}]},
    {"whatsapps": [{"phone": "whatsapp:+447911123456"}]},
    {"tags": [f"tag {n}" for n in range(20)]},
    {"tags": ["Ünïcode_/<>-.x", "9", "x" * 64]},
    {"custom": {f"name{n}Str": "x" for n in range(100)}},
]
_BAD_CUSTOMERS: list[dict[str, Any]] = [
    {"username": "x" * 257},
    {"locale": "x" * 17},
    {"timeZone": "x" * 65},
    {"defaultLang": "x" * 101},
    {"externalId": ""},
    {"externalId": "x" * 257},
    {"externalId": 7},
    {"externalIds": [{"externalId": "x" * 256}]},
    {"externalIds": [{"verified": True}]},
    {"externalIds": [{"externalId": f"C-{n}"} for n in _ELEVEN]},
    {"externalIds": [{"externalId": "C-1"}, {"externalId": "C-1"}]},
    {"emails": [{"email": f"a{n}@example.com"} for n in _ELEVEN]},
    {"emails": [{"email": "a@example.com"}, {"email": "a@example.com"}]},
    {"emails": [{"email": "a@example.com", "type": "private"}]},
    {"emails": [{"email": "a b@example.com"}]},
    {"emails": [{"email": "a@example"}]},
    {"emails": ["a@example.com"]},
    {"emails": "a@example.com"},
    {"phones": [{"phone": f"+155512345{n:02}"} for n in _ELEVEN]},
    {"phones": [{"phone": "5551234567"}]},
    {"phones": [{"phone": "+1 555 123 4567"}]},
    {"phones": [{"phone": "+15551234567", "type": "car"}]},
    {"whatsapps": [{"phone": "+15551234567", "type": "home"}]},
    {"sharedWhatsapps": []},
    {"whatsapps": [{"phone": "447911123456"}]},
    {"whatsapps": [{"phone": "whatsapp:+447911123456"}, {"phone": "+447911123456"}]},
    {"phones": [{"phone": "+15551234567"}, {"phone": "+15551234567"}]},
    {"sharedPhones": [{"phone": "5551234567"}]},
    {"socials": [{"type": "twitter", "username": "jane"}, {"type": "twitter", "username": "jane"}]},
    {"socials": [{"type": "twitter", "username": "jane", "userid": "x" * 257}]},
    {"socials": [{"type": "twitter", "username": "jane", "userid": None}]},
    {"socials": [{"type": "twitter", "username": "jane", "url": None}]},
    {"socials": [{"type": "twitter", "username": "jane", "url": "x"}]},
    {"urls": [{"url": "https://example.com"}, {"url": "https://example.com"}]},
    {"locations": [{"zipCode": "1"}, {"zipCode": "1"}]},
    {"locations": [{"type": "office"}]},
    {"facebookIds": ["1"]},
    {"facebookIds": [{"pageId": "1"}]},
    {"facebookIds": [{"pageId": "1", "userId": "x" * 256}]},
    {"facebookIds": [{"pageId": "1", "userId": "2", "id": "3"}]},
    {"instagramIds": [{"pageId": "1", "threadId": "2"}]},
    {"instagramIds": [{"pageId": "1", "threadId": "2", "username": None}]},
    {"socials": [{"type": "myspace", "username": "jane"}]},
    {"socials": [{"type": "twitter", "username": ""}]},
    {"socials": [{"type": "twitter", "username": "x" * 257}]},
    {"socials": [{"username": "jane"}]},
    {"urls": [{"url": "example"}]},
    {"urls": [{"url": "mailto:jane@example.com"}]},
    {"urls": [{"url": "https://"}]},
    {"locations": [{"latitude": 1}, {"latitude": 1.0}]},
    {"urls": [{"url": "https://example.com", "type": "shop"}]},
    {"locations": [{"address": "x" * 257}]},
    {"locations": [{"countryCode": "DEU"}]},
    {"locations": [{"countryName": "x" * 65}]},
    {"locations": [{"regionCode": "ABC"}]},
    {"locations": [{"regionName": "x" * 129}]},
    {"locations": [{"cityName": "x" * 129}]},
    {"locations": [{"zipCode": "x" * 31}]},
    {"locations": [{"areaCode": "x" * 31}]},
    {"locations": [{"latitude": "1.5"}]},
    {"locations": [{"street": "x"}]},
    {"gender": "x"},
    {"avatarUrl": "a.png"},
    {"birthdayAt": "1990-05-17"},
    {"birthdayAt": "1990-05-17T00:00:00"},
    {"birthdayAt": "1990-13-17T00:00:00Z"},
    {"birthdayAt": 642902400},
    {"updatedAt": _MOMENT},
    {"sentiment": {"polarity": 2, "confidence": 0}},
    {"sentiment": {"polarity": 1, "confidence": 1.1}},
    {"sentiment": {"polarity": 1}},
    {"sentiment": {"confidence": 0.5}},
    {"sentiment": {"polarity": 1, "confidence": 0, "mood": 1}},
    *({name: None} for name in ("createdAt", "importedAt", "sentiment", "rev")),
    *({name: None} for name in ("emails", "phones", "tags", "externalIds", "socials", "locations", "facebookIds")),
    {"rev": "1"},
    {"deleted": True},
    {"id": "0" * 24},
    {"_clientRef": "a"},
    {"tags": [f"tag {n}" for n in range(21)]},
    {"tags": ["vip", "vip"]},
    {"tags": ["x" * 65]},
    {"tags": [""]},
    {"tags": [" vip"]},
    {"tags": ["R&D"]},
    {"tags": ["a,b"]},
    {"tags": ["vip\n"]},
    {"tags": [7]},
    {"custom": {f"name{n}Str": "x" for n in range(101)}},
    {"custom": []},
    {"custom": None},
]


@pytest.mark.parametrize("body", _GOOD_CUSTOMERS)
def test_a_customer_within_the_limits_is_accepted(api: Api, body: dict[str, Any]) -> None:
    created = api.post("/v1/customers", body)
    assert created.status == 201, created.text


@pytest.mark.parametrize("body", _BAD_CUSTOMERS)
def test_a_customer_beyond_a_limit_is_refused(api: Api, sandbox: Sandbox, body: dict[str, Any]) -> None:
    assert api.post("/v1/customers", body).status == 400
    customer = sandbox.seed_customer()
    assert api.put(f"/v1/customers/{customer}", body).status == 400
    assert api.post("/v1/customers/bulk", [{"name": "Jane"}, body]).status == 400
    assert len(sandbox.customers) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": "abc", "employeeCount": 12, "domains": [{"domain": f"a{n}.acme.example"} for n in range(10)]},
        {"name": "Acme", "avatarUrl": None, "defaultLang": None, "whatsapps": [{"phone": "+15551234567"}]},
        {"name": "x" * 256, "externalId": "x" * 256, "avatarUrl": "https://a.example/x", "defaultLang": "en"},
        {
            "name": "Acme",
            "emails": [{"email": "a@acme.example"}],
            "phones": [{"phone": "+15551234567"}],
            "tags": ["b2b"],
        },
        {"name": "Acme", "createdAt": _MOMENT, "importedAt": _MOMENT, "custom": {"sizeNum": 3}, "rev": 1},
    ],
)
def test_a_company_within_the_limits_is_accepted(api: Api, body: dict[str, Any]) -> None:
    created = api.post("/v1/companies", body)
    assert created.status == 201, created.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "ab"},
        {"name": "x" * 257},
        {"name": None},
        {"name": "Acme", "externalId": None},
        {"name": "Acme", "employeeCount": None},
        {"name": "Acme", "createdAt": None},
        {"name": "Acme", "domains": [{"domain": f"a{n}.acme.example"} for n in _ELEVEN]},
        {"name": "Acme", "domains": [{"domain": "acme.example"}, {"domain": "acme.example"}]},
        {"name": "Acme", "domains": [{"domain": "not a domain"}]},
        {"name": "Acme", "externalId": "x" * 257},
        {"name": "Acme", "domains": ["acme.example"]},
        {"name": "Acme", "employeeCount": "12"},
        {"name": "Acme", "deleted": True},
        {"name": "Acme", "company": "0" * 24},
        {"name": "Acme", "emails": [{"email": f"a{n}@example.com"} for n in _ELEVEN]},
        {"name": "Acme", "tags": ["a,b"]},
    ],
)
def test_a_company_beyond_a_limit_is_refused(api: Api, sandbox: Sandbox, body: dict[str, Any]) -> None:
    assert api.post("/v1/companies", body).status == 400
    assert api.post("/v1/companies/bulk", [{"name": "Fine"}, body]).status == 400
    assert len(sandbox.companies) == 0


@pytest.mark.parametrize("name", ["createdAt", "importedAt"])
def test_an_update_of_a_company_takes_no_times(api: Api, sandbox: Sandbox, name: str) -> None:
    company = sandbox.seed_company(name="Acme")
    refused = api.put(f"/v1/companies/{company}", {name: _MOMENT})
    assert (refused.status, refused.error["source"]) == (400, {"parameter": name})
    assert api.put(f"/v1/companies/{company}", {"rev": 1, "whatsapps": [{"phone": "+15551234567"}]}).status == 200


@pytest.mark.parametrize(
    "forbidden",
    [{"createdAt": _MOMENT}, {"importedAt": _MOMENT}, {"whatsapps": []}, {"rev": 1}, {"employeeCount": None}],
)
def test_one_forbidden_key_refuses_a_whole_bulk_update_of_companies(
    api: Api, sandbox: Sandbox, forbidden: dict[str, Any]
) -> None:
    company, other = sandbox.seed_company(name="Acme"), sandbox.seed_company(name="Bolt")
    items = [{"id": company, "name": "Acme Ltd"}, {"id": other, **forbidden}]
    assert api.put("/v1/companies/bulk", items).status == 400
    assert api.put(f"/v1/companies/bulk?ids={other}", forbidden).status == 400
    assert sandbox.companies[company]["name"] == "Acme"


def test_an_update_of_a_company_may_clear_its_external_id(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme", externalId="A-1")
    assert "externalId" not in api.put(f"/v1/companies/{company}", {"externalId": None, "deleted": None}).attributes


def test_null_is_accepted_for_these_attributes_of_a_customer(api: Api) -> None:
    names = (
        "name company externalId avatarUrl username locale timeZone defaultLang gender birthdayAt signedUpAt "
        "lastActivityAt lastCustomerActivityAt lastSeenAt"
    )
    assert api.post("/v1/customers", dict.fromkeys(names.split())).status == 201


# ---- custom attributes ----


@pytest.mark.parametrize(
    "custom",
    [
        {"planStr": "x" * 1024, "notesTxt": "x" * 1024, "lifetimeValueNum": 12.5, "renewalAt": _MOMENT},
        {"activeBool": False, "siteUrl": "https://example.com", "topicTree": "a.b.c"},
        {"planStr": None, "lifetimeValueNum": None, "activeBool": None},
    ],
)
def test_custom_values_fit_the_suffix_of_their_name(api: Api, custom: dict[str, Any]) -> None:
    created = api.post("/v1/customers", {"custom": custom})
    assert created.status == 201
    assert created.attributes.get("custom", {}) == {k: v for k, v in custom.items() if v is not None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("planStr", 7),
        ("planStr", "x" * 1025),
        ("notesTxt", "x" * 1025),
        ("valueNum", "12"),
        ("valueNum", True),
        ("renewalAt", "2026-01-31"),
        ("activeBool", "true"),
        ("siteUrl", "example"),
        ("topicTree", ["a"]),
        ("plan", "x"),
        ("Str", "x"),
        ("PlanStr", "x"),
        ("plan_Str", "x"),
        ("planSTR", "x"),
        ("ownerId", "0" * 24),
    ],
)
def test_custom_values_that_do_not_fit_are_refused(api: Api, name: str, value: Any) -> None:
    refused = api.post("/v1/customers", {"custom": {name: value}})
    assert refused.status == 400
    assert refused.error["source"] == {"parameter": name}


def test_an_id_attribute_must_be_declared_and_name_an_object(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer()
    sandbox.declare_custom("customer", ownerId={"type": "string"}, friendsId={"type": "string", "multi": True})
    assert api.post("/v1/customers", {"custom": {"ownerId": customer}}).status == 201
    assert api.post("/v1/customers", {"custom": {"ownerId": "0" * 24}}).status == 400
    assert api.post("/v1/customers", {"custom": {"ownerId": "jane"}}).status == 400
    assert api.post("/v1/customers", {"custom": {"friendsId": [customer]}}).status == 201
    assert api.post("/v1/customers", {"custom": {"friendsId": customer}}).status == 400


def test_metadata_says_what_is_declared_and_restricts_values(api: Api) -> None:
    declared = {"properties": {"tierStr": {"type": "string", "enumeration": ["gold", "silver"], "displayName": "Tier"}}}
    assert api.put("/v1/metadata/customer", declared).status == 200
    found = api.get("/v1/metadata/customer")
    assert found.data["type"] == "metadata"
    assert found.attributes["properties"]["tierStr"]["enumeration"] == ["gold", "silver"]
    assert api.get("/v1/metadata/company").attributes["properties"] == {}
    assert api.get("/v1/metadata/kobject.order").status == 200
    assert api.get("/v1/metadata/invoice").status == 404
    assert api.put("/v1/metadata/customer", {"properties": {"tier": {}}}).status == 400
    assert (
        api.put("/v1/metadata/customer", {"relationships": {}, "validations": [], "standardProperties": {}}).status
        == 200
    )
    assert api.put("/v1/metadata/customer", {"validations": ["tier"]}).status == 400
    assert api.post("/v1/customers", {"custom": {"tierStr": "gold"}}).status == 201
    assert api.post("/v1/customers", {"custom": {"tierStr": "lead"}}).status == 400


def test_a_declaration_that_was_deleted_does_not_count(api: Api, sandbox: Sandbox) -> None:
    sandbox.declare_custom("customer", ownerId={"deletedAt": _MOMENT})
    assert api.post("/v1/customers", {"custom": {"ownerId": sandbox.seed_customer()}}).status == 400
