"""The faults that change how bulk jobs, reading and writing behave."""

from __future__ import annotations

from pathlib import Path

import pytest

from kustomer_pipeline.sandbox import FAULTS, ManualClock, Sandbox

from . import test_faults
from .conftest import Api
from .test_faults import nothing_goes_wrong_in_the_server as nothing_goes_wrong_in_the_server


def _submit(api: Api, count: int = 2) -> str:
    items = [{"_clientRef": f"row-{number}", "externalId": f"C-{number}"} for number in range(count)]
    return str(api.post("/v1/customers/bulk", items).data["id"])


# ---- bulk jobs ----


def test_job_stuck(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    sandbox.faults.set("job_stuck")
    job = _submit(api)
    clock.advance(86400)
    assert api.get(f"/v1/bulk/{job}").attributes["status"] == "queued"
    assert api.get(f"/v1/bulk/{job}/batches").json[0]["status"] == "queued"
    assert len(sandbox.customers) == 0
    assert sandbox.release_jobs() == 1
    assert api.get(f"/v1/bulk/{job}").attributes["status"] == "complete"
    assert len(sandbox.customers) == 2


def test_job_polls(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    sandbox.faults.set("job_polls", 2)
    job = _submit(api)
    clock.advance(86400)
    statuses = [
        api.get(f"/v1/bulk/{job}").attributes["status"],
        api.get(f"/v1/bulk/{job}/batches").json[0]["status"],
    ]
    assert statuses == ["queued", "queued"]
    assert api.get(f"/v1/bulk/{job}").attributes["status"] == "complete"


def test_batch_size(clock: ManualClock) -> None:
    with Sandbox(clock=clock, job_seconds=10.0, faults={"batch_size": 1}) as sandbox:
        api = Api(sandbox)
        job = _submit(api, 2)
        clock.advance(6)
        assert [batch["status"] for batch in api.get(f"/v1/bulk/{job}/batches").json] == [
            "complete",
            "scheduled",
        ]
        attributes = api.get(f"/v1/bulk/{job}").attributes
        assert (attributes["status"], attributes["batches"]) == ("running", {"complete": 1, "total": 2})
        assert len(sandbox.customers) == 1
        clock.advance(6)
        assert api.get(f"/v1/bulk/{job}").attributes["status"] == "complete"


def test_batches_shape(api: Api, sandbox: Sandbox) -> None:
    job = _submit(api)
    plain = api.get(f"/v1/bulk/{job}/batches").json
    inner = {name: value for name, value in plain[0].items() if name != "id"}
    nested = [{"type": "bulk_batch", "id": plain[0]["id"], "attributes": inner}]
    for shape, expected in {
        "list": plain,
        "data": {"data": plain},
        "attributes": {"data": nested},
        "list_attributes": nested,
    }.items():
        sandbox.faults.set("batches_shape", shape)
        assert api.get(f"/v1/bulk/{job}/batches").json == expected


def test_batches_shape_paged(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("batch_size", 1)
    sandbox.faults.set("batches_shape", "paged")
    path: str | None = f"/v1/bulk/{_submit(api, 3)}/batches"
    refs = []
    while path:
        page = api.get(path).json
        assert page["meta"]["total"] == 3
        refs += [result["_clientRef"] for batch in page["data"] for result in batch["attributes"]["results"]]
        path = page["links"]["next"]
    assert refs == ["row-0", "row-1", "row-2"]


def test_batches_not_found(clock: ManualClock) -> None:
    with Sandbox(clock=clock, job_seconds=10.0, faults={"batches_not_found": True}) as sandbox:
        api = Api(sandbox)
        job = _submit(api)
        assert api.get(f"/v1/bulk/{job}/batches").status == 404
        assert api.get(f"/v1/bulk/{job}").status == 200
        clock.advance(10)
        assert api.get(f"/v1/bulk/{job}/batches").status == 200


def test_results_reversed_and_shuffled(api: Api, sandbox: Sandbox) -> None:
    job = _submit(api, 20)

    def refs() -> list[str]:
        return [result["_clientRef"] for result in api.get(f"/v1/bulk/{job}/batches").json[0]["results"]]

    in_order = refs()
    sandbox.faults.set("results_reversed")
    assert refs() == in_order[::-1]
    sandbox.faults.clear()
    sandbox.faults.set("results_shuffled")
    shuffled = refs()
    assert shuffled != in_order
    assert sorted(shuffled) == sorted(in_order)


def test_results_missing(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("results_missing", 2, times=1)
    job = _submit(api, 5)
    batch = api.get(f"/v1/bulk/{job}/batches").json[0]
    assert (len(batch["results"]), batch["successCount"], batch["status"]) == (3, 5, "complete")
    assert len(api.get(f"/v1/bulk/{job}/batches").json[0]["results"]) == 5


def test_item_error_object(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(externalId="C-0")
    sandbox.faults.set("item_error_object")
    result = api.get(f"/v1/bulk/{_submit(api)}/batches").json[0]["results"][0]
    assert result["error"] == {"code": "bad_request", "message": "duplicate detected"}


def test_bulk_unlink_company(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(company=sandbox.seed_company(name="Acme"))
    sandbox.faults.set("bulk_unlink_company")
    api.bulk("PUT", "/v1/customers/bulk", [{"id": customer, "name": "Jane"}])
    assert sandbox.customers[customer]["company"] is None


def test_bulk_rev_refused(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer()
    sandbox.faults.set("bulk_rev_refused")
    refused = api.put("/v1/customers/bulk", [{"id": customer, "rev": 1}])
    assert (refused.status, refused.error["source"]) == (400, {"parameter": "rev"})
    assert api.put("/v1/customers/bulk", [{"id": customer}]).status == 201
    assert api.put(f"/v1/customers/bulk?ids={customer}", {"rev": 1}).status == 400


# ---- reading ----


@pytest.mark.parametrize("status", [404, 400])
def test_multi_get_refused(api: Api, sandbox: Sandbox, status: int) -> None:
    first, second = sandbox.seed_customer(), sandbox.seed_customer()
    sandbox.faults.set("multi_get_refused", status)
    assert api.get(f"/v1/customers/{first},{second}").status == status
    assert api.get(f"/v1/customers/{first}").status == 200


def test_multi_get_limit(api: Api, sandbox: Sandbox) -> None:
    ids = [sandbox.seed_customer() for _ in range(3)]
    sandbox.faults.set("multi_get_limit", 2)
    assert api.get(f"/v1/customers/{','.join(ids)}").status == 400
    assert len(api.get(f"/v1/customers/{','.join(ids[:2])}").data) == 2


def test_multi_get_missing_404(api: Api, sandbox: Sandbox) -> None:
    first, second = sandbox.seed_customer(), sandbox.seed_customer()
    sandbox.faults.set("multi_get_missing_404")
    assert api.get(f"/v1/customers/{first},{second}").status == 200
    assert api.get(f"/v1/customers/{first},{'0' * 24}").status == 404


def test_companies_multi_get(api: Api, sandbox: Sandbox) -> None:
    first, second = sandbox.seed_company(name="Acme"), sandbox.seed_company(name="Bolt")
    sandbox.faults.set("companies_multi_get")
    assert [item["id"] for item in api.get(f"/v1/companies/{first},{second}").data] == [first, second]


def test_deleted_company_hidden(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme", externalId="A-1")
    sandbox.agent_delete(company)
    sandbox.faults.set("deleted_company_hidden")
    assert api.get("/v1/companies").data == []
    assert api.get("/v1/companies?externalId=A-1").data == []
    assert api.get(f"/v1/companies/{company}").status == 404


def test_search_lag(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    sandbox.faults.set("search_lag", 60)
    customer = sandbox.seed_customer(externalId="C-1")
    assert api.search({}).data == []
    clock.advance(60)
    assert len(api.search({}).data) == 1
    sandbox.agent_edit(customer, externalId="C-2")
    (stale,) = api.search({"and": [{"customer_externalId": {"equals": "C-1"}}]}).data
    assert stale["attributes"]["externalId"] == "C-1"
    assert api.get("/v1/customers/externalId=C-1").status == 404
    clock.advance(60)
    assert api.search({"and": [{"customer_externalId": {"equals": "C-1"}}]}).data == []
    sandbox.agent_delete(customer)
    assert len(api.search({}).data) == 1


def test_search_exact(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(emails=[{"email": "jane.doe@example.com"}])
    sandbox.seed_customer(emails=[{"email": "doe.jane@example.com"}])
    sandbox.faults.set("search_exact")
    assert len(api.search({"and": [{"customer_email": {"equals": "Jane.Doe@example.com"}}]}).data) == 1


def test_search_in_refused(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("search_in_refused")
    assert api.search({"and": [{"customer_externalId": {"in": ["C-1"]}}]}).status == 400
    assert api.search({"and": [{"customer_externalId": {"equals": "C-1"}}]}).status == 200


def test_search_in_ignored(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(externalId="C-1")
    sandbox.faults.set("search_in_ignored")
    assert len(api.search({"and": [{"customer_externalId": {"in": ["C-9"]}}]}).data) == 1


def test_search_or_limit(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("search_or_limit", 2)
    clause = {"customer_externalId": {"equals": "C-1"}}
    assert [api.search({"or": [clause] * count}).status for count in (2, 3)] == [200, 400]


def test_search_forbidden(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("search_forbidden")
    assert api.search({}).status == 403


def test_agent_edit_after_read(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(externalId="C-1", tags=["vip"])
    sandbox.faults.set("agent_edit_after_read", "callback", times=1)
    read = api.get("/v1/customers/externalId=C-1").attributes
    assert (read["rev"], len(read["tags"])) == (1, 1)
    assert sandbox.tag_names(customer) == ["vip", "callback"]
    assert api.put(f"/v1/customers/{customer}", {"tags": [], "rev": 1}).status == 409


def test_agent_touch_after_read(api: Api, sandbox: Sandbox) -> None:
    first, second = sandbox.seed_customer(), sandbox.seed_customer()
    sandbox.faults.set("agent_touch_after_read", times=2)
    api.get(f"/v1/customers/{first},{second}")
    api.search({})
    assert [sandbox.customers[customer]["rev"] for customer in (first, second)] == [3, 3]
    assert api.put(f"/v1/customers/{first}", {}).attributes["rev"] == 4


def test_agents_leave_customers_alone_that_search_still_shows_after_their_deletion(
    api: Api, sandbox: Sandbox, clock: ManualClock
) -> None:
    customer = sandbox.seed_customer()
    clock.advance(60)
    sandbox.agent_delete(customer)
    for fault in ("search_lag", "agent_touch_after_read", "agent_edit_after_read"):
        sandbox.faults.set(fault)
    assert [found["id"] for found in api.search({}).data] == [customer]


# ---- writing ----


def test_keep_company_on_omit(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    customer = sandbox.seed_customer(company=company)
    sandbox.faults.set("keep_company_on_omit")
    api.put(f"/v1/customers/{customer}", {"name": "Jane"})
    assert sandbox.customers[customer]["company"] == company


def test_rev_ignored(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer()
    sandbox.touch(customer)
    sandbox.faults.set("rev_ignored")
    assert api.put(f"/v1/customers/{customer}", {"rev": 1}).status == 200
    (batch,) = api.bulk("PUT", "/v1/customers/bulk", [{"_clientRef": "a", "id": customer, "rev": 1}])
    assert batch["results"][0]["status"] == "updated"


def test_tags_no_auto_create(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_tag("vip")
    sandbox.faults.set("tags_no_auto_create")
    assert api.post("/v1/customers", {"tags": ["vip"]}).status == 201
    assert api.post("/v1/customers", {"tags": ["vpi"]}).error["source"] == {"parameter": "tags"}
    (batch,) = api.bulk("POST", "/v1/customers/bulk", [{"_clientRef": "a", "tags": ["vpi"]}])
    assert batch["results"] == [{"_clientRef": "a", "status": "error", "error": "Tag not found"}]


def test_tags_post_missing(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("tags_post_missing")
    assert api.post("/v1/tags", {"name": "vip"}).status == 404
    assert api.get("/v1/tags").status == 200


def test_custom_declared_only(api: Api, sandbox: Sandbox) -> None:
    sandbox.declare_custom("customer", planStr={"type": "string"})
    sandbox.faults.set("custom_declared_only")
    assert api.post("/v1/customers", {"custom": {"planStr": "pro"}}).status == 201
    assert api.post("/v1/customers", {"custom": {"otherStr": "pro"}}).status == 400


def test_strict_nulls(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("strict_nulls")
    assert api.post("/v1/customers", {"name": None, "externalId": None, "gender": None, "company": None}).status == 201
    assert api.post("/v1/customers", {"username": None}).error["source"] == {"parameter": "username"}


def test_deleted_company_reserved(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme", externalId="A-1")
    sandbox.faults.set("deleted_company_reserved")
    api.put(f"/v1/companies/{company}", {"deleted": True})
    assert api.post("/v1/companies", {"name": "Acme", "externalId": "A-1"}).status == 409


def test_every_fault_has_a_test() -> None:
    """By name: a test is named after the fault, or names it."""
    source = "".join(Path(path).read_text(encoding="utf-8") for path in (__file__, test_faults.__file__))
    assert [name for name in FAULTS if f"test_{name}" not in source and f'"{name}"' not in source] == []
