"""Bulk jobs (docs/kustomer.md section 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .conftest import Api


@pytest.fixture
def slow(clock: ManualClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, job_seconds=10.0) as running:
        yield running


def _items(count: int) -> list[dict[str, Any]]:
    return [{"_clientRef": f"row-{number}", "externalId": f"C-{number}"} for number in range(count)]


def test_the_submit_is_answered_with_201_and_repeats_what_was_sent(api: Api, sandbox: Sandbox) -> None:
    reply = api.post("/v1/customers/bulk", _items(2))
    assert reply.status == 201
    attributes = reply.attributes
    assert reply.data["type"] == "bulk"
    assert reply.data["links"] == {"self": f"/v1/bulk/{reply.data['id']}"}
    assert (attributes["status"], attributes["completed"], attributes["ids"]) == ("queued", False, [])
    assert attributes["context"] == "api.sobjects.customers.bulk-create"
    assert attributes["v2"] is True
    called = attributes["payload"]["api"]
    assert called["data"] == _items(2)
    assert (called["method"], called["path"], called["service"]) == ("POST", "/v1/customers", "sobjects")
    assert called["user"]["org"] == sandbox.org_id
    assert called["user"]["userType"] == "machine"


def test_a_job_goes_from_queued_over_running_to_complete_and_works_only_then(slow: Sandbox, clock: ManualClock) -> None:
    api = Api(slow)
    job = api.post("/v1/customers/bulk", _items(2)).data["id"]
    seen = []
    for _ in range(3):
        attributes = api.get(f"/v1/bulk/{job}").attributes
        batch = api.batches(job)[0]
        seen.append((attributes["status"], batch["status"], attributes["completed"], len(slow.customers)))
        clock.advance(5)
    assert seen == [
        ("queued", "queued", False, 0),
        ("running", "scheduled", False, 0),
        ("complete", "complete", True, 2),
    ]
    assert api.get(f"/v1/bulk/{job}").attributes["batches"] == {"complete": 1, "total": 1}


def test_the_work_is_done_when_it_is_due_though_nobody_polls(slow: Sandbox, clock: ManualClock) -> None:
    api = Api(slow)
    api.post("/v1/customers/bulk", _items(1))
    clock.advance(9)
    assert api.get("/v1/customers/externalId=C-0").status == 404
    clock.advance(100)
    created = api.get("/v1/customers/externalId=C-0").attributes
    assert created["createdAt"] == "2026-09-21T14:13:30.000Z"


def test_each_item_has_its_own_result(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(emails=[{"email": "jane@example.com"}])
    (batch,) = api.bulk(
        "POST",
        "/v1/customers/bulk",
        [
            {"_clientRef": "a", "externalId": "C-1"},
            {"_clientRef": "b", "emails": [{"email": "JANE@example.com"}]},
            {"_clientRef": "c", "externalId": "C-1"},
            {"_clientRef": "d", "company": "0" * 24},
        ],
    )
    created = api.get("/v1/customers/externalId=C-1").data["id"]
    assert batch["results"] == [
        {"_clientRef": "a", "objectId": created, "status": "created"},
        {"_clientRef": "b", "status": "error", "error": "duplicate detected"},
        {"_clientRef": "c", "status": "error", "error": "duplicate detected"},
        {"_clientRef": "d", "status": "error", "error": "Company not found"},
    ]
    assert (batch["successCount"], batch["failureCount"]) == (1, 3)
    assert batch["objectIds"] == [created]
    assert len(batch["errors"]) == 3
    assert batch["completedAt"] == "2026-09-21T14:13:20.000Z"


def test_without_client_refs_there_are_no_results_only_ids_and_errors(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(externalId="C-1")
    (batch,) = api.bulk("POST", "/v1/customers/bulk", [{"externalId": "C-1"}, {"externalId": "C-2"}])
    assert "results" not in batch
    assert len(batch["objectIds"]) == 1
    assert batch["errors"] == [{"id": None, "data": {"error": "duplicate detected"}}]


def test_an_update_names_kustomers_id_and_fails_for_one_that_is_not_there(api: Api, sandbox: Sandbox) -> None:
    customer, gone = sandbox.seed_customer(name="Jane"), sandbox.seed_customer()
    sandbox.agent_delete(gone)
    items = [
        {"_clientRef": "a", "id": customer, "name": "Jo"},
        {"_clientRef": "b", "id": "0" * 24, "name": "Jo"},
        {"_clientRef": "c", "id": gone, "name": "Jo"},
        {"_clientRef": "d", "id": customer, "rev": 1, "name": "Jill"},
        {"_clientRef": "e", "id": customer, "rev": 2, "name": "June"},
    ]
    (batch,) = api.bulk("PUT", "/v1/customers/bulk", items)
    assert [(r["_clientRef"], r["status"]) for r in batch["results"]] == [
        ("a", "updated"),
        ("b", "error"),
        ("c", "error"),
        ("d", "error"),
        ("e", "updated"),
    ]
    assert "not found" in batch["results"][1]["error"]
    assert "conflict" in batch["results"][3]["error"]
    assert sandbox.customers[customer]["name"] == "June"
    assert api.put("/v1/customers/bulk", [{"externalId": "C-1", "name": "Jo"}]).status == 400


def test_a_bulk_update_without_the_company_keeps_it(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    customer = sandbox.seed_customer(company=company)
    api.bulk("PUT", "/v1/customers/bulk", [{"id": customer, "name": "Jane"}])
    assert sandbox.customers[customer]["company"] == company
    api.bulk("PUT", "/v1/customers/bulk", [{"id": customer, "company": None}])
    assert sandbox.customers[customer]["company"] is None


def test_a_request_without_items_is_a_job_with_nothing_to_do(api: Api) -> None:
    for method, path in (("POST", "customers"), ("PUT", "customers"), ("POST", "companies"), ("PUT", "companies")):
        submitted = api.ask(method, f"/v1/{path}/bulk", [])
        assert (submitted.status, submitted.attributes["status"]) == (201, "complete")
        assert api.batches(submitted.data["id"]) == []


def test_a_bulk_update_of_customers_leaves_unnamed_keys_to_each_item(api: Api, sandbox: Sandbox) -> None:
    """Kustomer's schema names neither whatsapps nor instagramIds there, and forbids nothing."""
    first, second, third = (sandbox.seed_customer() for _ in range(3))
    instagram = {"pageId": "1", "threadId": "2", "username": "jane"}
    items = [
        {"_clientRef": "a", "id": first, "whatsapps": [{"phone": "+15551234567"}], "instagramIds": [instagram]},
        {"_clientRef": "b", "id": second, "name": "Jane", "shoeSize": 41},
        {"_clientRef": "c", "id": third, "whatsapps": None},
    ]
    (batch,) = api.bulk("PUT", "/v1/customers/bulk", items)
    assert [(result["status"], result.get("error")) for result in batch["results"]] == [
        ("updated", None),
        ("error", "Additional properties not allowed"),
        ("error", "Invalid type"),
    ]
    assert sandbox.customers[first]["whatsapps"][0]["phone"] == "whatsapp:+15551234567"
    assert sandbox.customers[first]["instagramIds"] == [instagram]
    assert sandbox.customers[second]["name"] is None


@pytest.mark.parametrize(
    "items",
    [
        [{"_clientRef": "a"}, {}],
        [{"_clientRef": "a"}, {"_clientRef": "a"}],
        [{"_clientRef": ""}],
        [{"_clientRef": "x" * 256}],
        [{"_clientRef": 7}],
        [{}] * 101,
        {},
        [{"name": "fine"}, {"name": 7}],
        [{"name": "fine"}, "Jane"],
        [{"id": "0" * 24}],
    ],
)
def test_one_bad_item_refuses_the_whole_request(api: Api, sandbox: Sandbox, items: Any) -> None:
    assert api.post("/v1/customers/bulk", items).status == 400
    assert len(sandbox.customers) == 0


def test_client_refs_may_be_255_long_and_a_request_100_items(api: Api, sandbox: Sandbox) -> None:
    items = _items(100)
    items[0]["_clientRef"] = "x" * 255
    (batch,) = api.bulk("POST", "/v1/customers/bulk", items)
    assert batch["successCount"] == 100


def test_one_body_for_many_ids(api: Api, sandbox: Sandbox) -> None:
    customers = [sandbox.seed_customer() for _ in range(2)]
    path = f"/v1/customers/bulk?ids={','.join(customers)}"
    (batch,) = api.bulk("PUT", path, {"locale": "en"})
    assert "results" not in batch
    assert {sandbox.customers[customer]["locale"] for customer in customers} == {"en"}
    assert api.put(path, {"_clientRef": "a", "locale": "en"}).status == 400
    assert api.put(path, [{"locale": "en"}]).status == 400
    assert api.put(f"/v1/customers/bulk?ids={','.join(['0' * 24] * 101)}", {}).status == 400
    assert api.put("/v1/customers/bulk?ids=", {}).status == 400


def test_customers_are_deleted_by_ids(api: Api, sandbox: Sandbox) -> None:
    customers = [sandbox.seed_customer() for _ in range(2)]
    submitted = api.delete(f"/v1/customers/bulk?ids={','.join(customers)}")
    assert submitted.status == 201
    assert submitted.attributes["ids"] == customers
    assert submitted.attributes["payload"]["api"]["data"] == {}
    assert len(sandbox.customers) == 0
    assert api.delete("/v1/customers/bulk").status == 400


def test_companies_are_written_in_bulk_too(api: Api, sandbox: Sandbox) -> None:
    (batch,) = api.bulk("POST", "/v1/companies/bulk", [{"_clientRef": "a", "name": "Acme", "externalId": "A-1"}])
    company = batch["results"][0]["objectId"]
    (batch,) = api.bulk("PUT", "/v1/companies/bulk", [{"_clientRef": "a", "id": company, "name": "Acme Ltd"}])
    assert batch["results"] == [{"_clientRef": "a", "objectId": company, "status": "updated"}]
    assert sandbox.companies[company]["name"] == "Acme Ltd"
    api.bulk("PUT", f"/v1/companies/bulk?ids={company}", {"deleted": True})
    assert sandbox.companies[company]["deleted"] is True


def test_a_bulk_update_of_companies_knows_no_rev(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    assert api.put("/v1/companies/bulk", [{"id": company, "rev": 1}]).status == 400


def test_an_unknown_job_is_a_404(api: Api) -> None:
    assert api.get(f"/v1/bulk/{'0' * 24}").status == 404
    assert api.get(f"/v1/bulk/{'0' * 24}/batches").status == 404


def test_jobs_do_their_work_in_the_order_in_which_they_fall_due(slow: Sandbox, clock: ManualClock) -> None:
    api = Api(slow)
    customer = slow.seed_customer(name="Jane")
    api.put("/v1/customers/bulk", [{"id": customer, "name": "first"}])
    clock.advance(1)
    api.put("/v1/customers/bulk", [{"id": customer, "name": "second"}])
    clock.advance(60)
    assert slow.customers[customer]["name"] == "second"
    assert slow.customers[customer]["rev"] == 3


def test_one_bulk_request_costs_one_unit(api: Api, sandbox: Sandbox) -> None:
    api.post("/v1/customers/bulk", _items(100))
    assert sandbox.units() == 1
