"""Who changed what (docs/kustomer.md section 10a)."""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox
from kustomer_pipeline.sandbox.audit import KEPT_ENTRIES, AuditLog
from kustomer_pipeline.sandbox.records import Record

from .conftest import Api


def _entries(api: Api, query: str = "") -> list[dict[str, Any]]:
    """The attributes of the entries, newest first."""
    return [entry["attributes"] for entry in api.get(f"/v1/audit-logs{query}").data]


def _changed(entry: dict[str, Any]) -> dict[str, Any]:
    return dict(entry["changes"]["attributes"])


def test_a_write_is_there_with_who_what_when_and_what_changed(api: Api, clock: ManualClock) -> None:
    customer = api.post("/v1/customers", {"name": "Jane", "externalId": "C-1"}).data["id"]
    clock.advance(60)
    api.put(f"/v1/customers/{customer}", {"name": "Jane Doe", "username": "jane"})
    updated, created = _entries(api)
    me = api.get("/v1/users/current").data["id"]
    assert (created["eventName"], created["eventVerb"]) == ("kustomer.customer.create", "create")
    assert _changed(created)["name"] == {"before": None, "after": "Jane"}
    assert (updated["eventName"], updated["objectType"], updated["objectId"]) == (
        "kustomer.customer.update",
        "customer",
        customer,
    )
    assert (updated["userId"], updated["userType"], updated["client"]) == (me, "machine", "api")
    assert _changed(updated) == {
        "name": {"before": "Jane", "after": "Jane Doe"},
        "username": {"before": None, "after": "jane"},
    }
    assert updated["createdAt"] == api.get(f"/v1/customers/{customer}").attributes["updatedAt"]
    assert updated["expiresAt"] > updated["createdAt"]
    entry = api.get("/v1/audit-logs").data[0]
    assert entry["relationships"]["user"]["data"] == {"type": "user", "id": me}


def test_a_link_to_a_company_is_a_change_of_relationships(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    customer = sandbox.seed_customer(company=company)
    api.put(f"/v1/customers/{customer}", {"company": None})
    (updated, *_) = _entries(api)
    assert updated["changes"] == {
        "attributes": {},
        "relationships": {"company": {"before": company, "after": None}},
    }


def test_every_kind_of_write_is_told_apart(api: Api, sandbox: Sandbox) -> None:
    tag = sandbox.seed_tag("vip")
    sandbox.delete_tag(tag)
    company = sandbox.seed_company(name="Acme")
    sandbox.agent_delete(company)
    source, target = sandbox.seed_customer(externalId="C-1"), sandbox.seed_customer(externalId="C-2")
    sandbox.agent_merge(source, target)
    sandbox.touch(target)
    api.bulk("DELETE", f"/v1/customers/bulk?ids={target}", None)
    found = [(entry["eventName"].removeprefix("kustomer."), entry["userType"]) for entry in _entries(api)]
    assert found[::-1] == [
        ("tag.create", "user"),
        ("tag.delete", "user"),
        ("company.create", "user"),
        ("company.delete", "user"),
        ("customer.create", "user"),
        ("customer.create", "user"),
        ("customer.delete", "user"),
        ("customer.merge", "user"),
        ("customer.update", "system"),
        ("customer.delete", "machine"),
    ]
    activity = _entries(api)[1]
    assert (activity["changes"]["attributes"], "userId" in activity) == ({}, False)


def test_a_tag_that_comes_with_a_record_is_an_entry_of_its_own(api: Api) -> None:
    api.post("/v1/customers", {"tags": ["vip"]})
    assert [entry["objectType"] for entry in _entries(api)] == ["customer", "tag"]


def test_a_refused_write_is_not_there(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(externalId="C-1")
    assert api.post("/v1/customers", {"externalId": "C-1"}).status == 409
    assert len(_entries(api)) == 1


def test_entries_are_filtered(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    customer, company = sandbox.seed_customer(), sandbox.seed_company(name="Acme")
    clock.advance(3600)
    since = "2026-09-21T14:30:00Z"
    api.put(f"/v1/customers/{customer}", {"name": "Jane"})
    sandbox.seed_tag("vip")
    me = api.get("/v1/users/current").data["id"]

    def found(query: str) -> list[str]:
        return [entry["eventName"].removeprefix("kustomer.") for entry in _entries(api, f"?{query}")]

    assert found("filter[objectType]=company") == ["company.create"]
    assert found("objectType=company") == ["company.create"]
    assert found(f"filter[objectType]=customer&filter[objectId]={customer}") == ["customer.update", "customer.create"]
    assert found(f"filter[objectType]=customer&filter[objectId]={company}") == []
    assert found("filter[objectType]=company&filter[include]=tag") == ["tag.create", "company.create"]
    assert found(f"filter[userId]={me}") == ["customer.update"]
    assert found(f"filter[start]={since}") == ["tag.create", "customer.update"]
    assert found(f"filter[end]={since}") == ["company.create", "customer.create"]


def test_pages_go_from_new_to_old_between_before_and_after(api: Api, sandbox: Sandbox) -> None:
    for number in range(5):
        sandbox.seed_customer(externalId=f"C-{number}")
    first = api.get("/v1/audit-logs?count=2").json
    pages = [first]
    while pages[-1]["links"]["next"]:
        pages.append(api.get(pages[-1]["links"]["next"]).json)
    ids = [entry["id"] for page in pages for entry in page["data"]]
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    assert ids == [entry["id"] for entry in api.get("/v1/audit-logs").data] == sorted(ids, reverse=True)
    between = api.get(f"/v1/audit-logs?before={ids[0]}&after={ids[3]}").data
    assert [entry["id"] for entry in between] == ids[1:3]


@pytest.mark.parametrize(
    "query",
    [
        "count=0",
        "count=1001",
        "count=x",
        f"before={'0' * 24}",
        f"after={'0' * 24}",
        "before=x&after=y",
        "filter[objectType]=shoe",
        f"filter[objectId]={'0' * 24}",
        "filter[start]=yesterday",
    ],
)
def test_a_query_that_is_none_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/v1/audit-logs?{query}").status == 400


def test_an_entry_expires(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    sandbox.seed_customer()
    clock.advance(89 * 86400)
    assert len(_entries(api)) == 1
    clock.advance(2 * 86400)
    assert _entries(api) == []


def test_only_the_last_entries_are_kept() -> None:
    log = AuditLog()
    record = Record("customer", "0" * 24, {"rev": 1}, None, "a", "a", 0.0)
    for _ in range(KEPT_ENTRIES + 10):
        log.add(None, record)
    numbers = [entry.number for entry in log.newest_first(0.0)]
    assert (len(numbers), numbers[0], numbers[-1]) == (KEPT_ENTRIES, KEPT_ENTRIES + 10, 11)
