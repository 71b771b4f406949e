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
    assert api.batches(job)[0]["status"] == "queued"
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
        api.batches(job)[0]["status"],
    ]
    assert statuses == ["queued", "queued"]
    assert api.get(f"/v1/bulk/{job}").attributes["status"] == "complete"


def test_batch_size(clock: ManualClock) -> None:
    with Sandbox(clock=clock, job_seconds=10.0, faults={"batch_size": 1}) as sandbox:
        api = Api(sandbox)
        job = _submit(api, 2)
        clock.advance(6)
        assert [batch["status"] for batch in api.batches(job)] == [
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
    assert set(api.get(f"/v1/bulk/{job}/batches").json) == {"data", "meta"}
    plain = api.batches(job)
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


def test_batches_limit(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("batch_size", 2)
    sandbox.faults.set("batches_limit", 2)
    job = _submit(api, 6)
    pages = [api.get(f"/v1/bulk/{job}/batches?page={page}").json for page in (1, 2, 3)]
    assert [page["meta"] for page in pages] == [{"page": n, "pages": 2, "count": 3, "limit": 2} for n in (1, 2, 3)]
    refs = [
        [result["_clientRef"] for batch in page["data"] for result in batch["attributes"]["results"]] for page in pages
    ]
    assert refs == [["row-0", "row-1", "row-2", "row-3"], ["row-4", "row-5"], []]
    assert api.get(f"/v1/bulk/{job}/batches").json == pages[0]


def test_batches_results_missing(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("batches_results_missing")
    job = _submit(api)
    for shape in ("registry", "list"):
        sandbox.faults.set("batches_shape", shape)
        answer = api.get(f"/v1/bulk/{job}/batches").json
        attributes = answer["data"][0]["attributes"] if shape == "registry" else answer[0]
        assert "results" not in attributes
        assert (attributes["successCount"], len(attributes["objectIds"])) == (2, 2)


def test_jobs_in_queue(clock: ManualClock) -> None:
    with Sandbox(clock=clock, job_seconds=10.0, faults={"jobs_in_queue": True}) as sandbox:
        api = Api(sandbox)
        jobs = [str(api.post("/v1/customers/bulk", [{"externalId": f"C-{n}"}]).data["id"]) for n in range(3)]

        def statuses() -> list[str]:
            return [api.get(f"/v1/bulk/{job}").attributes["status"] for job in jobs]

        clock.advance(10)
        assert statuses() == ["complete", "queued", "queued"]
        clock.advance(6)
        assert statuses() == ["complete", "running", "queued"]
        clock.advance(4)
        assert (statuses(), len(sandbox.customers)) == (["complete", "complete", "queued"], 2)
        clock.advance(100)
        assert statuses() == ["complete"] * 3
        late = api.post("/v1/customers/bulk", [{"externalId": "C-4"}]).data["id"]
        clock.advance(10)
        assert api.get(f"/v1/bulk/{late}").attributes["status"] == "complete"


def test_bulk_forbidden(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer()
    sandbox.faults.set("bulk_forbidden")
    assert api.post("/v1/customers/bulk", [{}]).status == 403
    assert api.put("/v1/customers/bulk", [{"id": customer}]).status == 403
    assert api.put(f"/v1/customers/bulk?ids={customer}", {}).status == 403
    assert api.delete(f"/v1/customers/bulk?ids={customer}").status == 403
    assert api.post("/v1/companies/bulk", [{"name": "Acme"}]).status == 403
    assert api.put(f"/v1/customers/{customer}", {"name": "Jane"}).status == 200


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
        return [result["_clientRef"] for result in api.batches(job)[0]["results"]]

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
    batch = api.batches(job)[0]
    assert (len(batch["results"]), batch["successCount"], batch["status"]) == (3, 5, "complete")
    assert len(api.batches(job)[0]["results"]) == 5


def test_item_error_object(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(externalId="C-0")
    sandbox.faults.set("item_error_object")
    result = api.batches(_submit(api))[0]["results"][0]
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


@pytest.mark.parametrize("status", [404, 405])
def test_list_refused(api: Api, sandbox: Sandbox, status: int) -> None:
    sandbox.seed_company(name="Acme", externalId="A-1")
    sandbox.faults.set("list_refused", status)
    assert api.get("/v1/customers").status == status
    assert api.get("/v1/companies").status == status
    assert len(api.get("/v1/companies?filter=Acme").data) == 1
    assert len(api.get("/v1/companies?externalId=A-1").data) == 1


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
    clauses = [{"customer_externalId": {"equals": f"C-{number}"}} for number in range(3)]
    assert [api.search({"or": clauses[:count]}).status for count in (2, 3)] == [200, 400]
    assert api.search({"and": clauses}).status == 200


def test_search_criteria_limit(api: Api, sandbox: Sandbox) -> None:
    clauses = [{"customer_externalId": {"equals": f"C-{number}"}} for number in range(51)]
    sandbox.faults.set("search_criteria_limit", 50)
    assert [api.search({"or": clauses[:count]}).status for count in (50, 51)] == [200, 400]
    sandbox.faults.set("search_criteria_limit", 2)
    for part in ("and", "or", "not"):
        assert [api.search({part: clauses[:count]}).status for count in (2, 3)] == [200, 400]
        several = {f"customer_custom_s{number}Str": {"equals": "x"} for number in range(3)}
        assert [api.search({part: form}).status for form in (several, [several])] == [400, 400]


def test_merged_source(api: Api, sandbox: Sandbox) -> None:
    source, target = sandbox.seed_customer(externalId="C-1"), sandbox.seed_customer()
    deleted = sandbox.seed_customer()
    sandbox.agent_merge(source, target)
    sandbox.agent_delete(deleted)
    assert api.get(f"/v1/customers/{source}").status == 404
    sandbox.faults.set("merged_source", "deleted")
    assert api.get(f"/v1/customers/{source}").attributes["deleted"] is True
    found = {item["id"]: item["attributes"]["deleted"] for item in api.get(f"/v1/customers/{source},{target}").data}
    assert found == {source: True, target: False}
    assert api.get(f"/v1/customers/{deleted}").status == 404
    sandbox.faults.set("merged_source", "404")
    assert api.get(f"/v1/customers/{source}").status == 404


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


def test_lenient_nulls(api: Api, sandbox: Sandbox) -> None:
    assert api.post("/v1/customers", {"importedAt": None}).error["source"] == {"parameter": "importedAt"}
    sandbox.faults.set("lenient_nulls")
    assert api.post("/v1/customers", {"importedAt": None, "createdAt": None, "name": None}).status == 201
    assert api.post("/v1/companies", {"name": "Acme", "employeeCount": None, "externalId": None}).status == 201
    assert api.post("/v1/companies", {"name": None}).status == 400
    assert api.post("/v1/customers", {"emails": None}).status == 400


def test_item_form_refused(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("item_form_refused")
    customer, company = sandbox.seed_customer(), sandbox.seed_company(name="Acme")
    poisoned: dict[str, object] = {"name": "Jane POISON Doe"}
    refused = api.post("/v1/customers", poisoned)
    assert (refused.status, refused.error["source"]) == (400, {"parameter": "name"})
    assert api.put(f"/v1/customers/{customer}", poisoned).status == 400
    assert api.put(f"/v1/companies/{company}", poisoned).status == 400
    assert api.post("/v1/customers/bulk", [{"name": "Jane"}, poisoned]).status == 400
    assert api.put("/v1/customers/bulk", [{"id": customer, "custom": {"noteStr": "POISON"}}]).status == 400
    assert api.post("/v1/customers", {"emails": [{"email": "POISON@example.com"}]}).status == 400
    assert api.post("/v1/customers", {"name": "Jane"}).status == 201
    sandbox.faults.set("item_form_refused", "Jane")
    assert api.post("/v1/customers", {"name": "Jane"}).status == 400


def test_untag_refused(api: Api, sandbox: Sandbox) -> None:
    customer, other = sandbox.seed_customer(tags=["vip"]), sandbox.seed_customer(tags=["vip"])
    sandbox.faults.set("untag_refused")
    items = [
        {"_clientRef": "a", "id": customer, "tags": ["new"]},
        {"_clientRef": "b", "id": other, "tags": ["vip", "new"]},
    ]
    (batch,) = api.bulk("PUT", "/v1/customers/bulk", items)
    assert [result["status"] for result in batch["results"]] == ["error", "updated"]
    assert api.put(f"/v1/customers/{customer}", {"tags": []}).error["source"] == {"parameter": "tags"}
    assert api.put(f"/v1/customers/{customer}", {"name": "Jane"}).status == 200
    assert sandbox.tag_names(customer) == ["vip"]


def test_dead_references_refused(api: Api, sandbox: Sandbox) -> None:
    tag = sandbox.seed_tag("old")
    customer = sandbox.seed_customer(tags=[tag])
    sandbox.delete_tag(tag)
    assert api.put(f"/v1/customers/{customer}", {"tags": [tag]}).status == 200
    sandbox.faults.set("dead_references_refused")
    items = [{"_clientRef": "a", "id": customer, "tags": [tag]}, {"_clientRef": "b", "id": customer, "tags": []}]
    (batch,) = api.bulk("PUT", "/v1/customers/bulk", items)
    assert [result["status"] for result in batch["results"]] == ["error", "updated"]


def test_rev_conflict(api: Api, sandbox: Sandbox) -> None:
    customers = [sandbox.seed_customer() for _ in range(3)]
    sandbox.faults.set("rev_conflict", 3)
    items = [{"_clientRef": customer, "id": customer, "rev": 1} for customer in customers[:2]]
    (batch,) = api.bulk("PUT", "/v1/customers/bulk", [*items, {"_clientRef": "c", "id": customers[2]}])
    assert [result["status"] for result in batch["results"]] == ["error", "error", "updated"]
    assert api.put(f"/v1/customers/{customers[0]}", {"rev": 1}).status == 409
    assert api.put(f"/v1/customers/{customers[0]}", {"rev": 1}).status == 200
    sandbox.faults.set("rev_conflict")
    assert [api.put(f"/v1/customers/{customers[0]}", {"rev": 2}).status for _ in range(2)] == [409, 200]


def test_list_filters_ignored(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer()
    query = "/v1/customers?filter[updatedAt][gt]=2100-01-01T00:00:00Z"
    assert api.get(query).data == []
    sandbox.faults.set("list_filters_ignored")
    assert len(api.get(query).data) == 1


def test_search_context_required(api: Api, sandbox: Sandbox) -> None:
    assert api.post("/v1/customers/search", {}).status == 200
    sandbox.faults.set("search_context_required")
    assert api.post("/v1/customers/search", {}).error["source"] == {"parameter": "queryContext"}
    assert api.post("/v1/customers/search", {"queryContext": "customer"}).status == 200


def test_search_page_size(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("search_page_size")
    assert api.search({}, "?pageSize=500").json["meta"]["pageSize"] == 100


def test_search_record_limit(api: Api, sandbox: Sandbox) -> None:
    assert api.search({}, "?pageSize=500&page=21").status == 400
    sandbox.faults.set("search_record_limit")
    assert [api.search({}, f"?pageSize=500&page={page}").status for page in (21, 100, 101)] == [200, 200, 400]
    sandbox.faults.set("search_record_limit", 3)
    for _ in range(5):
        sandbox.seed_customer()
    assert [len(api.search({}, f"?pageSize=2&page={page}").json.get("data", [])) for page in (1, 2, 3)] == [2, 1, 0]


def test_page_size_refused(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_tag("vip")
    assert api.get("/v1/tags?pageSize=300").json["meta"]["pageSize"] == 100
    assert api.get("/v1/tags?pageSize=0").json["meta"]["pageSize"] == 100
    sandbox.faults.set("page_size_refused")
    assert [api.get(f"/v1/tags?pageSize={size}").status for size in (0, 1, 100, 101)] == [400, 200, 200, 400]
    assert [api.get(f"/v1/users?pageSize={size}").status for size in (500, 501)] == [200, 400]
    assert [api.search({}, f"?pageSize={size}").status for size in (500, 501)] == [200, 400]


def test_hierarchy_busy(api: Api, sandbox: Sandbox) -> None:
    parent, child = sandbox.seed_company(name="Acme"), sandbox.seed_company(name="Bolt")
    sandbox.faults.set("hierarchy_busy", times=1)
    refused = api.post(f"/v1/kedge/{child}/parent", {"parentId": parent})
    assert (refused.status, refused.error["code"]) == (409, "conflict")
    assert api.post(f"/v1/kedge/{child}/parent", {"parentId": parent}).status == 201


def test_deleted_company_reserved(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme", externalId="A-1")
    sandbox.faults.set("deleted_company_reserved")
    api.put(f"/v1/companies/{company}", {"deleted": True})
    assert api.post("/v1/companies", {"name": "Acme", "externalId": "A-1"}).status == 409


def test_every_fault_has_a_test() -> None:
    """By name: a test is named after the fault, or names it."""
    source = "".join(Path(path).read_text(encoding="utf-8") for path in (__file__, test_faults.__file__))
    assert [name for name in FAULTS if f"test_{name}" not in source and f'"{name}"' not in source] == []
