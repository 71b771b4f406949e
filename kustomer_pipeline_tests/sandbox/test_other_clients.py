"""The requests of other people's clients that read from Kustomer, as they are known to send them.

A client that was written against Kustomer itself has to get by with the sandbox: what it asks for is there, in the form
that it reads, and its loops end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .conftest import Api


@pytest.fixture
def customers(sandbox: Sandbox, clock: ManualClock) -> list[str]:
    """620 customers, of whom ten at a time have the same time of update."""
    company = sandbox.seed_company(name="Acme")
    ids = []
    for number in range(620):
        ids.append(sandbox.seed_customer(externalId=f"C-{number}", company=company, tags=["vip"]))
        clock.advance(0.1 if number % 10 == 9 else 0)
    sandbox.seed_tag("unused")
    return ids


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


# ---- the Singer tap (singer-io/tap-kustomer) ----


def _singer_search(api: Api, kind: str, since: str, page_size: int) -> Iterator[dict[str, Any]]:
    """A stream: each request asks anew from the last update that was seen; `next` only says whether to go on."""
    following: str | None = "first"
    while following:
        body = {
            "and": [{f"{kind}_updated_at": {"gte": since}}],
            "sort": [{f"{kind}_updated_at": "asc"}],
            "queryContext": kind,
        }
        page = api.post(f"/v1/customers/search?pageSize={page_size}", body).json
        assert isinstance(page["meta"]["total"], int)
        if not page["data"]:
            return
        yield from page["data"]
        since = page["data"][-1]["attributes"]["updatedAt"]
        following = page["links"]["next"]


@pytest.mark.parametrize("page_size", [300, 500])
def test_the_singer_tap_reads_every_customer_by_windows_of_updates(
    api: Api, customers: list[str], page_size: int
) -> None:
    assert api.get("/v1/users/current/").status == 200
    found = list(_singer_search(api, "customer", "2020-01-01T00:00:00.000000Z", page_size))
    assert set(customers) == {record["id"] for record in found}
    assert len(found) < len(customers) + 100  # those at the edge of a window come twice


@pytest.mark.parametrize("kind", ["kobject", "conversation", "message", "note"])
def test_the_singer_taps_streams_of_what_is_not_here_end_empty(api: Api, customers: list[str], kind: str) -> None:
    assert list(_singer_search(api, kind, "2020-01-01T00:00:00.000000Z", 300)) == []


@pytest.mark.parametrize(
    ("stream", "page_size", "count"), [("users", None, 2), ("teams", 300, 0), ("tags", 300, 2), ("shortcuts", 300, 0)]
)
def test_the_singer_taps_lists_are_walked_by_page_until_there_is_no_next(
    api: Api, customers: list[str], stream: str, page_size: int | None, count: int
) -> None:
    number, rows = 1, []
    following: str | None = "first"
    while following:
        size = f"&pageSize={page_size}" if page_size else ""
        page = api.ask("GET", f"/v1/{stream}?page={number}{size}", raw=b"null").json
        rows += page["data"]
        following, number = page["links"]["next"], number + 1
    assert len(rows) == count
    assert all(row["id"] and row["attributes"]["updatedAt"] for row in rows)


# ---- the Meltano tap (MeltanoLabs/tap-kustomer) ----


def _meltano_search(api: Api, kind: str, since: str, until: str) -> Iterator[dict[str, Any]]:
    """A stream: `next` is followed by its query; in place of page 101, which it knows by its text, page 1 is asked for
    again, from the last update that was seen.
    """
    query, last = "", since
    while True:
        body = {
            "and": [{f"{kind}_updated_at": {"gt": since}}, {f"{kind}_updated_at": {"lte": until}}],
            "sort": [{f"{kind}_updated_at": "asc"}],
            "queryContext": kind,
        }
        reply = api.post(f"/v1/customers/search{query}", body)
        assert reply.status == 200, reply.text
        for record in reply.data:
            last = record["attributes"]["updatedAt"]
            yield record
        following = reply.json["links"]["next"]
        if following == "/v1/customers/search?page=101&pageSize=100":
            following = reply.json["links"]["first"]
        if following is None:
            return
        query = f"?{urlsplit(following).query}"
        if query == "?page=1&pageSize=100":
            since = last


@pytest.mark.parametrize("kind", ["customer", "company", "conversation", "message", "note", "kobject"])
def test_the_meltano_taps_searches_end(api: Api, customers: list[str], clock: ManualClock, kind: str) -> None:
    found = [row["id"] for row in _meltano_search(api, kind, "2020-01-01T00:00:00+00:00", _iso(clock()))]
    assert len(found) == len(set(found)) == {"customer": len(customers), "company": 1}.get(kind, 0)


def test_the_meltano_tap_knows_page_101_by_its_text_and_goes_on_from_page_1(
    api: Api, sandbox: Sandbox, clock: ManualClock
) -> None:
    for number in range(10_020):
        sandbox.seed_customer(externalId=f"C-{number}")
        clock.advance(0.001)
    body = {"sort": [{"customer_updated_at": "asc"}], "queryContext": "customer"}
    page = api.post("/v1/customers/search?page=100&pageSize=100", body)
    assert page.json["links"]["next"] == "/v1/customers/search?page=101&pageSize=100"
    assert page.json["links"]["first"] == "/v1/customers/search?page=1&pageSize=100"
    last = page.data[-1]["attributes"]["updatedAt"]
    rest = list(_meltano_search(api, "customer", last, _iso(clock())))
    assert [row["attributes"]["externalId"] for row in rest] == [f"C-{number}" for number in range(10_000, 10_020)]


@pytest.mark.parametrize("path", ["users", "teams", "tags", "shortcuts", "slas", "slas?versions=all"])
def test_the_meltano_taps_lists_end(api: Api, customers: list[str], path: str) -> None:
    following: str | None = f"/v1/{path}"
    while following:
        page = api.get(following).json
        assert all(row["attributes"]["updatedAt"] for row in page["data"])
        assert page.get("included", []) == []
        following = page["links"]["next"]


@pytest.mark.parametrize("resource", ["company", "conversation", "customer", "message"])
def test_the_meltano_tap_reads_the_custom_attributes_of_each_resource(
    api: Api, sandbox: Sandbox, resource: str
) -> None:
    sandbox.declare_custom(resource, planStr={"type": "string", "displayName": "Plan"})
    assert api.get(f"/v1/metadata/{resource}").attributes["properties"]["planStr"]["displayName"] == "Plan"


# ---- PostHog, Merge: copies of everything ----


@pytest.mark.parametrize(
    ("path", "count"),
    [("customers", 620), ("companies", 1), ("tags", 2), ("users", 2), ("teams", 0), ("conversations", 0),
     ("messages", 0), ("notes", 0), ("shortcuts", 0)],
)  # fmt: skip
def test_posthog_follows_next_on_the_same_host_until_there_is_none(
    api: Api, customers: list[str], path: str, count: int
) -> None:
    base, rows = "https://acme.api.kustomerapp.com", []
    following: str | None = f"{base}/v1/{path}?page[size]=100"
    while following:
        assert following.startswith(f"{base}/v1/")
        page = api.get(following.removeprefix(base)).json
        rows += [row["id"] for row in page["data"]]
        link = page["links"]["next"]
        following = urljoin(base, link) if link and page["data"] else None
    assert len(rows) == len(set(rows)) == count


def test_posthog_tells_a_role_that_is_missing_from_a_key_that_is_bad(api: Api, sandbox: Sandbox) -> None:
    api.key = sandbox.add_api_key(roles=["org.permission.tag.read"])
    assert api.get("/v1/customers?page[size]=1").status == 403
    api.key = "wrong"
    assert api.get("/v1/customers?page[size]=1").status == 401
