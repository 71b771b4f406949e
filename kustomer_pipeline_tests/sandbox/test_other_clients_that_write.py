"""The requests of other people's clients that write to Kustomer, as they are known to send them, and what they read of
the answers.
"""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.sandbox import Sandbox

from .conftest import Api, Reply

# ---- the generated client (LarisLab/kustomer-client) ----

_TEXT, _NUMBER, _BOOLEAN, _ITEMS = str, (int, float), bool, list


def _lacking(value: dict[str, Any], needed: dict[str, Any]) -> list[str]:
    """The keys that its types require and that are not there, or not of that type."""
    return [name for name, kind in needed.items() if not isinstance(value.get(name), kind)]


_CUSTOMER = {
    "name": _TEXT, "displayName": _TEXT, "externalIds": _ITEMS, "emails": _ITEMS, "phones": _ITEMS, "tags": _ITEMS,
    "createdAt": _TEXT, "updatedAt": _TEXT, "modifiedAt": _TEXT, "verified": _BOOLEAN, "rev": _NUMBER,
    "conversationCounts": dict, "recentLocation": dict, "satisfactionLevel": dict, "smoochIds": _ITEMS,
}  # fmt: skip


def test_the_generated_client_sends_a_content_type_with_everything_and_reads_what_its_types_require(
    api: Api, sandbox: Sandbox
) -> None:
    json_type = {"Content-Type": "application/json", "Accept": "application/json"}
    created = api.ask("POST", "/v1/customers", {"name": "Jane", "externalId": None, "gender": None}, headers=json_type)
    path = f"/v1/customers/{created.data['id']}"
    for reply in (created, api.ask("GET", path, headers=json_type), api.ask("PATCH", path, {}, headers=json_type)):
        assert _lacking(reply.attributes, _CUSTOMER) == []
        assert _lacking(reply.data, {"type": _TEXT, "id": _TEXT, "relationships": dict, "links": dict}) == []
    assert api.ask("DELETE", path, headers=json_type).status == 204
    log = api.ask("GET", "/v1/audit-logs?filter[objectType]=customer&count=10", headers=json_type)
    required = {"eventName": _TEXT, "eventVerb": _TEXT, "org": _TEXT, "changes": dict, "expiresAt": _TEXT}
    assert [_lacking(entry["attributes"], required) for entry in log.data] == [[], [], []]


@pytest.mark.parametrize("path", ["companies", "conversations", "customers", "klasses", "messages", "notes"])
def test_the_generated_clients_lists_have_their_envelope(api: Api, path: str) -> None:
    page = api.get(f"/v1/{path}?page=1&pageSize=25").json
    assert (page["meta"]["page"], page["meta"]["pageSize"], page["data"]) == (1, 25, [])
    assert {"self", "first", "prev", "next"} <= set(page["links"])


@pytest.mark.parametrize("path", ["conversations", "messages", "notes"])
def test_the_generated_clients_lists_of_a_customer_are_empty(api: Api, sandbox: Sandbox, path: str) -> None:
    assert api.get(f"/v1/customers/{sandbox.seed_customer()}/{path}").data == []
    assert api.get(f"/v1/customers/{'0' * 24}/{path}").status == 404


def test_the_generated_client_finds_no_custom_objects(api: Api) -> None:
    assert api.get("/v1/klasses/order/externalId=7").error["source"] == {"parameter": "externalId"}
    assert api.get(f"/v1/klasses/order/{'0' * 24}").status == 404
    assert api.post("/v1/klasses/order/bulk", [{"title": "Order 7"}]).status == 404


# ---- RudderStack (rudderlabs/rudder-transformer) ----


def _rudder_identify(api: Api, user: str, email: str, payload: dict[str, Any]) -> Reply:
    """Looked up by e-mail, then by external id, as it is; updated or created."""
    for lookup in (f"email={email}", f"externalId={user}"):
        found = api.get(f"/v1/customers/{lookup}")
        if found.status == 200:
            return api.put(f"/v1/customers/{found.data['id']}?replace=false", payload)
        assert found.status == 404
    return api.post("/v1/customers", payload)


def test_rudderstack_identifies_once_to_create_and_then_to_update(api: Api, sandbox: Sandbox) -> None:
    payload = {
        "name": "Jane Doe",
        "externalId": "user-1",
        "emails": [{"type": "home", "email": "jane@example.com"}],
        "phones": [{"type": "home", "phone": "+15551234567"}],
        "urls": [{"url": "https://example.com"}],
        "locations": [{"type": "home", "address": "1 Main Street Springfield  12345"}],
    }
    assert _rudder_identify(api, "user-1", "jane@example.com", payload).status == 201
    assert _rudder_identify(api, "user-1", "jane@example.com", {**payload, "name": "Jane"}).status == 200
    assert _rudder_identify(api, "user-1", "other@example.com", {"name": "Jane Roe"}).status == 200
    assert [customer["name"] for customer in sandbox.customers.values()] == ["Jane Roe"]


def test_rudderstack_tracks_an_event_of_a_customer_who_is_known(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(externalId="user-1", name="Jane")
    before = sandbox.customers[customer]
    event = {
        "name": "Order-Completed",
        "sessionId": "s-1",
        "trackingId": "t-1",
        "meta": {"totalNum": 7, "paid": "true"},
    }
    tracked = api.post("/v1/tracking/identityEvent", {"identity": {"externalId": "user-1"}, "event": event})
    assert tracked.status == 201
    assert tracked.data["relationships"]["customer"]["data"] == {"type": "customer", "id": customer}
    assert sandbox.customers[customer]["rev"] == before["rev"] + 1
    assert sandbox.customers[customer]["name"] == "Jane"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"identity": {"externalId": "nobody"}, "event": {"name": "Seen"}}, 404),
        ({"identity": {"externalId": "user-1"}, "event": {}}, 400),
        ({"identity": {"shoeSize": "7"}, "event": {"name": "Seen"}}, 400),
        ({"event": {"name": "Seen"}}, 400),
    ],
)
def test_an_event_of_nobody_or_of_no_form_is_refused(
    api: Api, sandbox: Sandbox, body: dict[str, Any], status: int
) -> None:
    sandbox.seed_customer(externalId="user-1")
    assert api.post("/v1/tracking/identityEvent", body).status == status


# ---- Pipedream (PipedreamHQ/pipedream) ----


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("customers", "displayName"),
        ("tags", "name"),
        ("users", "displayName"),
        ("teams", "name"),
        ("routing/queues", "displayName"),
        ("conversations", "name"),
        ("klasses", "name"),
    ],
)
def test_pipedreams_choices_are_asked_for_in_growing_pages_of_which_the_first_has_no_size(
    api: Api, sandbox: Sandbox, path: str, label: str
) -> None:
    sandbox.seed_customer(name="Jane", tags=["vip"])
    for page in range(3):
        answer = api.get(f"/v1/{path}?page={page + 1}&pageSize={100 * page}")
        assert all(item["id"] and item["attributes"][label] for item in answer.data)


def test_pipedream_creates_and_updates_a_customer(api: Api, sandbox: Sandbox) -> None:
    created = api.post("/v1/customers", {"name": "Jane", "emails": [{"email": "jane@example.com"}], "tags": ["vip"]})
    assert api.put(f"/v1/customers/{created.data['id']}", {"name": "Jane Doe"}).attributes["name"] == "Jane Doe"


# ---- Fides (ethyca/fides), DataGrail: requests of people about their data ----


def test_fides_finds_a_person_by_e_mail_and_by_phone_and_deletes_them(api: Api, sandbox: Sandbox) -> None:
    assert api.get("/v1/audit-logs?count=1").status == 200
    customer = sandbox.seed_customer(emails=[{"email": "jane@example.com"}], phones=[{"phone": "+15551234567"}])
    for lookup in ("email=jane@example.com", "phone=+15551234567"):
        assert api.get(f"/v1/customers/{lookup}").data["id"] == customer
    assert api.delete(f"/v1/customers/{customer}").status == 204
    for lookup in ("email=jane@example.com", "phone=+15551234567"):
        assert api.get(f"/v1/customers/{lookup}").status == 404
    found = api.search({"includeDeleted": True}).data
    assert [(record["id"], record["attributes"]["deleted"]) for record in found] == [(customer, True)]


def test_datagrail_checks_a_key_without_roles(api: Api, sandbox: Sandbox) -> None:
    api.key = sandbox.add_api_key(roles=[])
    assert api.get("/v1/auth/tokens/current").status == 200
