"""Changing customers: what a write keeps, replaces, clears, refuses (docs/kustomer.md 4.3, 4.4, 10)."""

from __future__ import annotations

import pytest

from kustomer_pipeline.sandbox import Sandbox

from .conftest import Api


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_update_changes_only_what_is_in_it(api: Api, sandbox: Sandbox, method: str) -> None:
    customer = sandbox.seed_customer(
        name="Jane",
        username="jane",
        emails=[{"email": "jane@example.com"}],
        tags=["vip"],
        custom={"aStr": "1", "bStr": "2"},
    )
    reply = api.ask(method, f"/v1/customers/{customer}", {"name": "Jo", "custom": {"aStr": "3"}})
    assert reply.status == 200
    assert reply.attributes["name"] == "Jo"
    assert reply.attributes["username"] == "jane"
    assert [item["email"] for item in reply.attributes["emails"]] == ["jane@example.com"]
    assert sandbox.tag_names(customer) == ["vip"]
    assert reply.attributes["custom"] == {"aStr": "3", "bStr": "2"}
    assert reply.attributes["rev"] == 2


def test_a_list_is_replaced_as_a_whole(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(
        emails=[{"email": "a@example.com"}, {"email": "b@example.com"}], tags=["one", "two"]
    )
    reply = api.put(f"/v1/customers/{customer}", {"emails": [{"email": "c@example.com"}], "tags": ["three"]})
    assert [item["email"] for item in reply.attributes["emails"]] == ["c@example.com"]
    assert sandbox.tag_names(customer) == ["three"]
    emptied = api.put(f"/v1/customers/{customer}", {"emails": [], "tags": []})
    assert emptied.attributes["emails"] == emptied.attributes["tags"] == []
    assert api.get("/v1/customers/email=a%40example.com").status == 404


def test_null_clears_a_scalar(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(name="Jane", username="jane", birthdayAt="1990-01-01T00:00:00Z")
    cleared = api.put(f"/v1/customers/{customer}", {"name": None, "username": None, "birthdayAt": None})
    assert {"name", "username", "birthdayAt"} & set(cleared.attributes) == set()


def test_replace_true_loses_everything_that_is_not_sent(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    customer = sandbox.seed_customer(externalId="C-1", name="Jane", tags=["vip"], custom={"aStr": "1"}, company=company)
    reply = api.put(f"/v1/customers/{customer}?replace=true", {"username": "jane"})
    assert reply.data["id"] == customer
    assert reply.attributes["username"] == "jane"
    assert {"name", "externalId"} & set(reply.attributes) == set()
    assert reply.attributes["tags"] == []
    assert "custom" not in reply.attributes
    assert "company" not in reply.data["relationships"]
    assert api.put(f"/v1/customers/{customer}?replace=perhaps", {}).status == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_update_without_the_company_unlinks_it(api: Api, sandbox: Sandbox, method: str) -> None:
    company = sandbox.seed_company(name="Acme")
    customer = sandbox.seed_customer(company=company)
    api.ask(method, f"/v1/customers/{customer}", {"name": "Jane", "company": company})
    assert sandbox.customers[customer]["company"] == company
    api.ask(method, f"/v1/customers/{customer}", {"name": "Jane"})
    assert sandbox.customers[customer]["company"] is None


def test_null_unlinks_the_company(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(company=sandbox.seed_company(name="Acme"))
    api.put(f"/v1/customers/{customer}", {"company": None})
    assert sandbox.customers[customer]["company"] is None


def test_the_company_must_be_the_id_of_one_that_is_there(api: Api, sandbox: Sandbox) -> None:
    deleted = sandbox.seed_company(name="Gone Ltd")
    sandbox.agent_delete(deleted)
    for company in ("Acme", "0" * 24, deleted, sandbox.seed_customer()):
        refused = api.post("/v1/customers", {"company": company})
        assert refused.status == 400
        assert refused.error["source"] == {"parameter": "company"}


def test_external_id_is_the_first_of_external_ids(api: Api, sandbox: Sandbox) -> None:
    def ids(reply_attributes: dict[str, object]) -> tuple[object, list[str]]:
        items = reply_attributes["externalIds"]
        assert isinstance(items, list)
        return reply_attributes.get("externalId"), [item["externalId"] for item in items]

    created = api.post("/v1/customers", {"externalId": "A"})
    path = f"/v1/customers/{created.data['id']}"
    assert ids(created.attributes) == ("A", ["A"])
    items = [{"externalId": "B"}, {"externalId": "A"}]
    assert ids(api.put(path, {"externalIds": items}).attributes) == ("B", ["B", "A"])
    assert ids(api.put(path, {"externalId": "A"}).attributes) == ("A", ["A"])
    assert ids(api.put(path, {"externalId": "C", "externalIds": items}).attributes) == ("C", ["C", "B", "A"])
    assert ids(api.put(path, {"externalId": None}).attributes) == ("B", ["B", "A"])
    assert ids(api.put(path, {"externalIds": []}).attributes) == (None, [])


# ---- revisions ----


def test_every_change_makes_a_new_revision(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(name="Jane")
    assert api.put(f"/v1/customers/{customer}", {"name": "Jo"}).attributes["rev"] == 2
    assert sandbox.agent_edit(customer, name="Jill") == 3
    assert sandbox.touch(customer) == 4


def test_a_revision_that_is_sent_must_be_the_current_one(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(name="Jane")
    sandbox.touch(customer)
    refused = api.put(f"/v1/customers/{customer}", {"name": "Jo", "rev": 1})
    assert (refused.status, refused.error["code"]) == (409, "conflict")
    assert sandbox.customers[customer]["name"] == "Jane"
    assert api.put(f"/v1/customers/{customer}", {"name": "Jo", "rev": 2}).attributes["rev"] == 3


# ---- unique identifiers ----

_UNIQUE = [
    ({"externalId": "C-1"}, {"externalIds": [{"externalId": "C-1"}]}),
    ({"externalIds": [{"externalId": "C-0"}, {"externalId": "C-1"}]}, {"externalId": "C-1"}),
    (
        {"emails": [{"email": "jane@example.com"}]},
        {"emails": [{"email": "JANE@example.com", "verified": True}]},
    ),
    ({"phones": [{"phone": "+15551234567"}]}, {"phones": [{"phone": "+15551234567", "type": "work"}]}),
    ({"whatsapps": [{"phone": "+15551234567"}]}, {"whatsapps": [{"phone": "+15551234567"}]}),
    (
        {"socials": [{"type": "twitter", "username": "jane"}]},
        {"socials": [{"type": "twitter", "username": "Jane"}]},
    ),
]


@pytest.mark.parametrize(("theirs", "mine"), _UNIQUE)
def test_an_identifier_belongs_to_one_customer(
    api: Api, sandbox: Sandbox, theirs: dict[str, object], mine: dict[str, object]
) -> None:
    sandbox.seed_customer(**theirs)
    other = sandbox.seed_customer()
    assert api.post("/v1/customers", mine).status == 409
    refused = api.put(f"/v1/customers/{other}", mine)
    assert refused.status == 409
    assert sandbox.customers[other]["rev"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"sharedEmails": [{"email": "family@example.com"}]},
        {"sharedPhones": [{"phone": "+15551234567"}]},
        {"sharedExternalIds": [{"externalId": "S-1"}]},
        {"sharedSocials": [{"type": "twitter", "username": "jane"}]},
    ],
)
def test_shared_lists_may_be_shared(api: Api, body: dict[str, object]) -> None:
    assert [api.post("/v1/customers", body).status for _ in range(2)] == [201, 201]


def test_kinds_of_identifiers_do_not_clash(api: Api) -> None:
    assert api.post("/v1/customers", {"phones": [{"phone": "+15551234567"}]}).status == 201
    assert api.post("/v1/customers", {"whatsapps": [{"phone": "+15551234567"}]}).status == 201
    assert api.post("/v1/customers", {"socials": [{"type": "twitter", "username": "jane"}]}).status == 201
    assert api.post("/v1/customers", {"socials": [{"type": "facebook", "username": "jane"}]}).status == 201


def test_an_identifier_that_is_given_up_is_free(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(emails=[{"email": "jane@example.com"}])
    api.put(f"/v1/customers/{customer}", {"emails": []})
    assert api.post("/v1/customers", {"emails": [{"email": "jane@example.com"}]}).status == 201
