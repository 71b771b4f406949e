"""The handle that tests hold: `Sandbox`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kustomer_pipeline.sandbox import ApiError, DroppedConnection, ManualClock, RequestRecord, Sandbox

from .conftest import Api


def test_every_sandbox_is_a_new_org_on_a_port_of_its_own() -> None:
    with Sandbox() as one, Sandbox() as other:
        assert one.org_id != other.org_id
        assert one.url != other.url
        assert one.url.startswith("http://127.0.0.1:")
        assert one.api_key != other.api_key
        one.seed_customer()
        assert len(other.customers) == 0


def test_the_org_can_be_looked_at_after_the_server_has_stopped() -> None:
    with Sandbox() as sandbox:
        Api(sandbox).post("/v1/customers", {"name": "Jane"})
    assert [customer["name"] for customer in sandbox.customers.values()] == ["Jane"]
    with pytest.raises(ConnectionRefusedError):
        Api(sandbox).get("/v1/tags")


def test_it_has_no_url_before_it_runs() -> None:
    with pytest.raises(RuntimeError, match="with statement"):
        Sandbox().url  # noqa: B018  # reading it is the test


def test_requests_are_recorded_with_query_size_and_status(api: Api, sandbox: Sandbox) -> None:
    api.post("/v1/customers", {"name": "Zoë"})
    api.get("/v1/customers?page=2&pageSize=5")
    api.get("/")
    created, listed = sandbox.requests
    assert (created.method, created.path, created.status) == ("POST", "/v1/customers", 201)
    assert created.json() == {"name": "Zoë"}
    assert created.body_bytes == len(b'{"name": "Zo\\u00eb"}')
    assert (listed.query, listed.body_bytes) == ("page=2&pageSize=5", 0)
    assert (sandbox.units(), sandbox.count("GET"), sandbox.count(path="/v1/cust", status=201)) == (2, 1, 1)
    sandbox.clear_requests()
    assert sandbox.requests == []
    assert sandbox.budget_left == 998


def test_customers_and_companies_are_as_the_api_returns_them_with_none_where_nothing_is_set_and_the_company(
    api: Api, sandbox: Sandbox
) -> None:
    company = sandbox.seed_company(name="Acme", tags=["b2b"])
    customer = sandbox.seed_customer(name="Jane", company=company, tags=["vip"])
    reply = api.get(f"/v1/customers/{customer}")
    shown = sandbox.customers[customer]
    repeated = ("firstName", "companyName", "recentLocation", "progressiveStatus")
    answered = {name: value for name, value in reply.attributes.items() if name not in repeated}
    assert {name: value for name, value in shown.items() if value is not None and name not in repeated} == {
        **answered,
        "company": company,
    }
    assert (shown["externalId"], shown["emails"]) == (None, [])
    sandbox.faults.set("unset_as_null")
    assert sandbox.companies[company] == {**api.get(f"/v1/companies/{company}").attributes, "company": None}
    assert sandbox.tag_names(customer) == ["vip"]
    assert sandbox.tag_names(company) == ["b2b"]
    assert [tag["name"] for tag in sandbox.tags.values()] == ["b2b", "vip"]


def test_what_is_looked_at_is_a_copy(sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(emails=[{"email": "jane@example.com"}])
    before = sandbox.customers[customer]
    before["emails"].clear()
    assert len(sandbox.customers[customer]["emails"]) == 1
    snapshot = dict(sandbox.customers)
    sandbox.agent_edit(customer, name="Jane")
    assert snapshot != dict(sandbox.customers)


def test_deleted_customers_are_not_there_and_deleted_companies_are_marked(sandbox: Sandbox) -> None:
    customer, company = sandbox.seed_customer(), sandbox.seed_company(name="Acme")
    sandbox.agent_delete(customer)
    sandbox.agent_delete(company)
    assert customer not in sandbox.customers
    assert sandbox.companies[company]["deleted"] is True


def test_seeding_and_edits_cost_nothing_but_obey_the_rules(sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(externalId="C-1", company=sandbox.seed_company(name="Acme"))
    sandbox.agent_edit(customer, name="Jane")
    assert sandbox.customers[customer]["company"] is not None
    with pytest.raises(ApiError, match="conflict"):
        sandbox.seed_customer(externalId="C-1")
    with pytest.raises(ApiError, match="badparam"):
        sandbox.seed_customer(firstName="Jane")
    with pytest.raises(KeyError):
        sandbox.touch("0" * 24)
    assert sandbox.units() == 0
    assert sandbox.budget_left == 1000


def test_how_long_jobs_take_can_be_changed_for_those_to_come(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    sandbox.jobs_take(10.0)
    slow = api.post("/v1/customers/bulk", [{"externalId": "C-1"}]).data["id"]
    sandbox.jobs_take(0.0)
    quick = api.post("/v1/customers/bulk", [{"externalId": "C-2"}]).data["id"]
    assert [api.get(f"/v1/bulk/{job}").attributes["status"] for job in (slow, quick)] == ["queued", "complete"]
    clock.advance(10)
    assert api.get(f"/v1/bulk/{slow}").attributes["status"] == "complete"


def test_an_agent_merges_customers_and_the_new_revision_is_known(sandbox: Sandbox) -> None:
    source, target = sandbox.seed_customer(externalId="C-1"), sandbox.seed_customer(externalId="C-2")
    assert sandbox.agent_merge(source, target) == sandbox.customers[target]["rev"] == 2
    assert set(sandbox.customers) == {target}


def test_a_look_at_a_customer_is_a_copy(sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(emails=[{"email": "jane@example.com"}])
    sandbox.customers[customer]["emails"][0]["email"] = "changed"
    sandbox.customers[customer]["urls"].append("changed")
    assert sandbox.customers[customer]["emails"][0]["email"] == "jane@example.com"
    assert sandbox.customers[sandbox.seed_customer()]["urls"] == []


def test_hooks_see_each_request_and_may_change_the_org(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(name="Jane")
    seen: list[tuple[str, int | None]] = []

    def before(record: RequestRecord) -> None:
        if record.method == "PUT":
            sandbox.agent_edit(customer, username="agent")

    sandbox.hooks.before.append(before)
    sandbox.hooks.after.append(lambda record: seen.append((record.method, record.status)))
    assert api.get(f"/v1/customers/{customer}").attributes["rev"] == 1
    assert api.put(f"/v1/customers/{customer}", {"name": "Jo", "rev": 1}).status == 409
    assert seen == [("GET", 200), ("PUT", 409)]


def test_a_manual_clock_serves_a_client_too() -> None:
    clock = ManualClock(1000.0)
    clock.sleep(5)
    assert clock() == clock.time() == clock.monotonic() == 1005.0
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)


# ---- without a server ----


def _call(sandbox: Sandbox, path: str) -> list[dict[str, Any]]:
    """One request straight to the ASGI application: the messages it sent."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    key = f"Bearer {sandbox.api_key}".encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"authorization", key)],
        "server": ("sandbox", 80),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(sandbox.app(scope, receive, send))
    return sent


def test_it_is_an_asgi_application_without_a_server() -> None:
    sandbox = Sandbox()
    assert _call(sandbox, "/v1/tags")[0]["status"] == 200
    assert sandbox.units() == 1


def test_without_a_server_a_dropped_connection_is_an_error() -> None:
    sandbox = Sandbox(faults={"drop_before": True})
    with pytest.raises(DroppedConnection):
        _call(sandbox, "/v1/tags")
