"""Customers one at a time: what comes back, how they are found (docs/kustomer.md section 4)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .conftest import Api


def test_a_customer_needs_nothing_and_gets_a_display_name(api: Api) -> None:
    created = api.post("/v1/customers", {})
    assert created.status == 201
    assert len(created.attributes["displayName"].split()) == 2
    emails = [{"email": "jane@example.com"}]
    assert api.post("/v1/customers", {"emails": emails}).attributes["displayName"] == "jane@example.com"
    named = api.post("/v1/customers", {"name": "Jane Doe", "emails": [{"email": "j@example.com"}]})
    assert named.attributes["displayName"] == "Jane Doe"


def test_scalars_that_are_not_set_are_absent_and_lists_are_empty(api: Api, sandbox: Sandbox) -> None:
    customer = api.post("/v1/customers", {}).attributes
    assert {"name", "externalId", "timeZone", "birthdayAt", "custom"} & set(customer) == set()
    assert [name for name, value in customer.items() if value is None] == ["progressiveStatus"]  # as recorded
    assert customer["emails"] == customer["tags"] == []
    company = api.post("/v1/companies", {"name": "Acme"}).attributes
    assert {"externalId", "defaultLang", "employeeCount"} & set(company) == set()
    assert None not in company.values()


@pytest.mark.parametrize(
    ("body", "verified"),
    [
        ({}, False),
        ({"name": "Jane"}, False),
        ({"emails": [{"email": "jane@example.com"}]}, True),
        ({"phones": [{"phone": "+12125550003", "verified": False}]}, True),
        ({"externalId": "C-1"}, True),
        ({"whatsapps": [{"phone": "+12125550003"}]}, True),
        ({"socials": [{"type": "twitter", "username": "jane"}]}, True),
    ],
)
def test_a_customer_with_an_identifier_is_verified(api: Api, body: dict[str, object], verified: bool) -> None:
    assert api.post("/v1/customers", body).attributes["verified"] is verified


def test_the_answer_has_the_recorded_shape(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    data = api.post("/v1/customers", {"name": "Jane", "company": company}).data
    assert data["type"] == "customer"
    assert len(data["id"]) == 24
    assert data["links"] == {"self": f"/v1/customers/{data['id']}"}
    assert data["relationships"]["org"]["data"] == {"type": "org", "id": sandbox.org_id}
    assert data["relationships"]["company"]["data"] == {"type": "company", "id": company}
    assert data["relationships"]["company"]["links"] == {"self": f"/v1/companies/{company}"}
    assert data["relationships"]["createdBy"]["data"]["type"] == "user"
    assert "company" not in data["attributes"]
    assert data["attributes"]["deleted"] is False
    assert data["attributes"]["rev"] == 1


# What Kustomer answered in 2020 to the creation of a customer with a name, a username, an e-mail and an external id.
_RECORDED = {
    "name", "displayName", "displayColor", "displayIcon", "externalId", "externalIds", "sharedExternalIds", "username",
    "emails", "sharedEmails", "phones", "sharedPhones", "smoochIds", "whatsapps", "facebookIds", "instagramIds",
    "socials", "sharedSocials", "urls", "locations", "activeUsers", "watchers", "recentLocation", "createdAt",
    "updatedAt", "modifiedAt", "lastActivityAt", "deleted", "lastConversation", "conversationCounts", "preview", "tags",
    "progressiveStatus", "verified", "rev", "recentItems", "satisfactionLevel", "roleGroupVersions", "accessOverride",
    "firstName", "lastName",
}  # fmt: skip


def test_the_attributes_are_the_recorded_ones_but_for_those_that_the_manual_names(api: Api) -> None:
    body = {
        "name": "John Von Doe",
        "username": "john@example.com",
        "emails": [{"type": "home", "email": "john@example.com"}],
        "externalId": "500",
    }
    data = api.post("/v1/customers", body).data
    attributes = data["attributes"]
    assert _RECORDED - set(attributes) == {"lastActivityAt"}
    documented = {"presence", "sharedWhatsapps", "lastMessageIn", "lastMessageOut", "sentiment"}
    assert set(attributes) - _RECORDED == documented
    assert set(data["relationships"]) == {"messages", "createdBy", "modifiedBy", "org"}
    assert (attributes["firstName"], attributes["lastName"]) == ("John", "Von Doe")
    assert attributes["recentLocation"] == {"updatedAt": attributes["createdAt"]}
    none_yet: dict[str, list[str]] = {"sentByTeams": []}
    assert attributes["satisfactionLevel"] == {"firstSatisfaction": none_yet, "lastSatisfaction": none_yet}
    assert attributes["externalIds"] == [{"verified": True, "externalId": "500"}]
    assert attributes["emails"] == [{"type": "home", "verified": False, "email": "john@example.com"}]


def test_a_customer_of_a_company_says_its_name(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    customer = api.post("/v1/customers", {"company": company}).data["id"]
    sandbox.agent_edit(company, name="Acme Ltd")
    assert api.get(f"/v1/customers/{customer}").attributes["companyName"] == "Acme Ltd"


def test_custom_is_absent_when_nothing_is_set(api: Api) -> None:
    created = api.post("/v1/customers", {"custom": {"planStr": "pro"}})
    assert created.attributes["custom"] == {"planStr": "pro"}
    emptied = api.patch(f"/v1/customers/{created.data['id']}", {"custom": {"planStr": None}})
    assert "custom" not in emptied.attributes


def test_the_company_is_absent_when_there_is_none(api: Api) -> None:
    assert "company" not in api.post("/v1/customers", {}).data["relationships"]


def test_times_are_utc_with_milliseconds(api: Api, clock: ManualClock) -> None:
    created = api.post("/v1/customers", {"birthdayAt": "1990-05-17T02:00:00+02:00"}).attributes
    assert created["createdAt"] == created["updatedAt"] == created["modifiedAt"] == "2026-09-21T14:13:20.000Z"
    assert created["birthdayAt"] == "1990-05-17T00:00:00.000Z"


def test_modified_moves_with_edits_and_updated_with_any_activity(
    api: Api, sandbox: Sandbox, clock: ManualClock
) -> None:
    customer = sandbox.seed_customer(name="Jane")
    clock.advance(5)
    assert sandbox.touch(customer) == 2
    touched = sandbox.customers[customer]
    assert touched["updatedAt"] == "2026-09-21T14:13:25.000Z"
    assert touched["modifiedAt"] == "2026-09-21T14:13:20.000Z"
    clock.advance(5)
    edited = api.patch(f"/v1/customers/{customer}", {"name": "Jo"}).attributes
    assert edited["modifiedAt"] == edited["updatedAt"] == "2026-09-21T14:13:30.000Z"


def test_created_at_and_imported_at_may_be_given(api: Api) -> None:
    given = {"createdAt": "2020-01-01T00:00:00Z", "importedAt": "2021-01-01T00:00:00Z"}
    created = api.post("/v1/customers", given).attributes
    assert created["createdAt"] == "2020-01-01T00:00:00.000Z"
    assert created["importedAt"] == "2021-01-01T00:00:00.000Z"


# ---- finding ----


@pytest.mark.parametrize(
    ("field", "stored", "asked"),
    [
        ("email", "jane@example.com", "jane@example.com"),
        ("email", "Jane@Example.com", "jane@example.COM"),
        ("email", "jane+vip@example.com", "jane+vip@example.com"),
        ("externalId", "A/B 7,8=9%", "A/B 7,8=9%"),
        ("externalId", "Zoë", "Zoë"),
        ("phone", "+15551234567", "+15551234567"),
    ],
)
def test_a_customer_is_found_by_its_identifiers_percent_encoded(
    api: Api, sandbox: Sandbox, field: str, stored: str, asked: str
) -> None:
    customer = sandbox.seed_customer(**{f"{field}s": [{field: stored}]})
    assert api.get(f"/v1/customers/{field}={quote(asked, safe='')}").data["id"] == customer


def test_an_unencoded_at_sign_also_works(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(emails=[{"email": "jane@example.com"}])
    assert api.get("/v1/customers/email=jane@example.com").data["id"] == customer


def test_a_lookup_without_a_match_is_the_recorded_404(api: Api) -> None:
    missing = api.get("/v1/customers/externalId=nobody")
    assert missing.status == 404
    assert missing.error == {
        "status": 404,
        "source": {"parameter": "externalId"},
        "code": "notfound",
        "title": "Not Found",
    }


def test_lookups_match_the_case_of_external_ids_and_not_the_shared_lists(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(
        externalId="abc",
        sharedExternalIds=[{"externalId": "S-1"}],
        sharedEmails=[{"email": "family@example.com"}],
        sharedPhones=[{"phone": "+15550000000"}],
    )
    for lookup in ("externalId=ABC", "externalId=S-1", "email=family%40example.com", "phone=%2B15550000000"):
        assert api.get(f"/v1/customers/{lookup}").status == 404


def test_several_ids_in_one_get_give_an_array_of_those_that_exist(api: Api, sandbox: Sandbox) -> None:
    first, second, gone = (sandbox.seed_customer() for _ in range(3))
    sandbox.agent_delete(gone)
    found = api.get(f"/v1/customers/{second},{first},{gone},{'0' * 24}").data
    assert {customer["id"] for customer in found} == {first, second}
    assert api.get(f"/v1/customers/{'0' * 24},{'1' * 24}").data == []
    assert api.get(f"/v1/customers/{first}%2C{second}").data == api.get(f"/v1/customers/{first},{second}").data


def test_include_company_brings_the_company_along(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    customer = sandbox.seed_customer(company=company)
    assert [c["id"] for c in api.get(f"/v1/customers/{customer}?include=company").json["included"]] == [company]
    assert "included" not in api.get(f"/v1/customers/{customer}").json
    other, loner = sandbox.seed_customer(company=company), sandbox.seed_customer()
    several = api.get(f"/v1/customers/{customer},{other},{loner}?include=company").json
    assert [c["id"] for c in several["included"]] == [company]


def test_a_deleted_customer_is_gone_and_frees_its_identifiers(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(externalId="C-1", emails=[{"email": "jane@example.com"}])
    deleted = api.delete(f"/v1/customers/{customer}")
    assert (deleted.status, deleted.text) == (204, "")
    assert api.get(f"/v1/customers/{customer}").status == 404
    assert api.get("/v1/customers/externalId=C-1").status == 404
    assert api.put(f"/v1/customers/{customer}", {"name": "x"}).status == 404
    assert api.delete(f"/v1/customers/{customer}").status == 404
    assert api.get("/v1/customers").data == []
    assert api.post("/v1/customers", {"externalId": "C-1"}).status == 201


def test_lists_are_paged_filtered_and_sorted(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    ids = []
    for number in range(5):
        ids.append(sandbox.seed_customer(name=f"Customer {number}"))
        clock.advance(60)
    first = api.get("/v1/customers?pageSize=2&sort=-createdAt").json
    assert first["meta"] == {"pageSize": 2, "page": 1, "total": 5, "totalPages": 3}
    assert [customer["id"] for customer in first["data"]] == [ids[4], ids[3]]
    assert first["links"]["prev"] is None
    assert first["links"]["next"].startswith("/v1/customers?")
    second = api.get(first["links"]["next"]).json
    last = api.get(second["links"]["next"]).json
    assert [customer["id"] for customer in last["data"]] == [ids[0]]
    assert last["links"]["next"] is None
    since = quote(sandbox.customers[ids[3]]["updatedAt"])
    for operator, expected in {"gt": [4], "gte": [3, 4], "lt": [0, 1, 2], "lte": [0, 1, 2, 3]}.items():
        found = api.get(f"/v1/customers?filter[updatedAt][{operator}]={since}&sort=updatedAt").data
        assert [customer["id"] for customer in found] == [ids[number] for number in expected]


@pytest.mark.parametrize(
    "query",
    [
        "pageSize=x",
        "page=0",
        "page=x",
        "sort=name",
        "filter[name][gte]=2020-01-01T00:00:00Z",
        "filter[createdAt][gte]=yesterday",
        "filter[createdAt][eq]=2020-01-01T00:00:00Z",
    ],
)
def test_a_list_refuses_what_it_does_not_know(api: Api, query: str) -> None:
    assert api.get(f"/v1/customers?{query}").status == 400
