"""The page for people: requests to the API, and one with its bodies."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import httpx
import pytest

from kustomer_pipeline.sandbox import App, ManualClock, Sandbox, SandboxState

from .conftest import Api


def _numbers(api: Api, query: str = "") -> list[int]:
    """The numbers of the requests in the list."""
    return [int(number) for number in re.findall(r'href="/requests/(\d+)">\d', api.get(f"/requests{query}").text)]


def _part(page: str, title: str) -> str:
    """The text of a section of a page."""
    return unescape(re.sub(r"<[^>]+>", " ", page.split(f"<h2>{title}</h2>")[1].split("</section>")[0]))


def test_requests_are_listed_newest_first_with_what_became_of_them(api: Api, sandbox: Sandbox) -> None:
    api.post("/v1/customers", {"name": "Jane"})
    api.get("/v1/customers/email=none%40x.com?x=1")
    page = api.get("/requests").text
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr[^>]*><td.*?</tr>", page)]
    number, *_, status, size, units, took, unit = rows[1]
    assert (number, status, size, units, unit) == ("1", "201", str(len(b'{"name": "Jane"}')), "1", "ms")
    assert took == "0"  # the sandbox's time stands still
    assert rows[0][0] == "2"
    assert "GET /v1/customers/email=none%40x.com?x=1" in page
    assert re.findall(r'<tr class="(\w+)">', page) == ["bad"]


def test_too_many_requests_stand_out_from_other_errors(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("too_many_requests", times=1)
    api.get("/v1/tags")
    api.get("/v1/nix")
    api.get("/v1/tags")
    assert re.findall(r'<tr(?: class="(\w+)")?><td', api.get("/requests").text) == ["", "bad", "warn"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?method=POST", [1]),
        ("?method=post", [1]),
        ("?path=EMAIL=", [2]),
        ("?path=page%3D2", [3]),
        ("?status=404", [2]),
        ("?status=2xx", [3, 1]),
        ("?status=4xx", [4, 2]),
        ("?status=429", [4]),
        ("?status=5xx", []),
        ("?status=errors", [5, 4, 2]),
        ("?status=none", [5]),
        ("?method=GET&status=4xx&path=tags", [4]),
        ("?method=&status=&path=", [5, 4, 3, 2, 1]),
    ],
)
def test_requests_are_filtered_by_method_path_and_status(
    api: Api, sandbox: Sandbox, query: str, expected: list[int]
) -> None:
    api.post("/v1/customers", {"name": "Jane"})
    api.get("/v1/customers/email=none%40x.com")
    api.get("/v1/customers?page=2")
    sandbox.faults.set("too_many_requests", times=1)
    api.get("/v1/tags")
    sandbox.faults.set("drop_before", times=1)
    with pytest.raises(ConnectionError):
        api.get("/v1/users/current")
    assert _numbers(api, query) == expected
    if not expected:
        assert "No request is like that." in api.get(f"/requests{query}").text


def test_a_hundred_requests_are_on_a_page_and_a_filter_goes_with_them(api: Api) -> None:
    for number in range(102):
        api.get("/v1/tags" if number else "/v1/customers")
    assert _numbers(api) == list(range(102, 2, -1))
    assert _numbers(api, "?start=100") == [2, 1]
    page = unescape(api.get("/requests?path=tags").text)
    assert 'href="/requests?path=tags&start=100"' in page
    assert _numbers(api, "?path=tags&start=100") == [2]


def test_one_request_is_shown_with_both_bodies_in_lines(api: Api) -> None:
    api.post("/v1/customers?a=1&b=x%20y", {"name": "Jane", "tags": ["vip"]})
    page = api.get("/requests/1").text
    assert '{\n  "name": "Jane",\n  "tags": [\n    "vip"\n  ]\n}' in _part(page, "What was sent")
    assert '"displayName": "Jane"' in _part(page, "What was answered")
    assert "x y" in _part(page, "Query")
    assert "201" in _part(page, "Request 1")


def test_a_path_is_also_shown_as_a_person_reads_it(api: Api) -> None:
    api.get("/v1/customers/email=jane%40example.com")
    assert "That is /v1/customers/email=jane@example.com" in " ".join(
        _part(api.get("/requests/1").text, "Request 1").split()
    )


def test_a_body_that_is_no_json_is_shown_as_it_is(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("gateway_error_after", times=1)
    api.ask("POST", "/v1/customers", raw=b"{\xff")
    page = api.get("/requests/1").text
    assert "{\ufffd" in _part(page, "What was sent")
    assert "<html><body><h1>502 Bad Gateway" in unescape(page)


def test_all_faults_that_fired_for_a_request_are_named(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("unset_as_null")
    sandbox.faults.set("gateway_error_after", times=1)
    customer = sandbox.seed_customer(name="Jane")
    api.get(f"/v1/customers/{customer}")
    api.get(f"/v1/customers/{customer}")
    assert [list(each.faults) for each in sandbox.requests if hasattr(each, "faults")] == [
        ["gateway_error_after", "unset_as_null"],
        ["unset_as_null"],
    ]
    assert "502" in _part(api.get("/requests/1").text, "Request 1")
    assert "gateway_error_after" in _part(api.get("/requests/1").text, "Request 1")


def test_a_request_without_an_answer_says_so(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("drop_after", times=1)
    with pytest.raises(ConnectionError):
        api.post("/v1/customers", {"name": "Jane"})
    page = api.get("/requests/1").text
    assert "no answer" in _part(page, "Request 1")
    assert "Jane" in _part(page, "What was sent")
    assert "a dropped connection has no answer" in _part(page, "What was answered")


def test_requests_are_numbered_from_one_again_when_they_were_forgotten(api: Api, sandbox: Sandbox) -> None:
    api.get("/v1/tags")
    sandbox.clear_requests()
    assert api.get("/requests/1").status == 404
    api.get("/v1/customers")
    assert "GET /v1/customers" in api.get("/requests/1").text


def test_where_no_bodies_are_kept_those_of_the_last_two_hundred_requests_are(clock: ManualClock) -> None:
    state = SandboxState(keep_bodies=False, keep_requests=250, rate_limit=1000, clock=clock)
    pages = asyncio.run(_ask_and_look(App(state), state.key.secret))
    assert state.log[-1].body is None
    assert "Customer 299" in _part(pages["/requests/300"], "What was sent")
    assert "Customer 100" in _part(pages["/requests/101"], "What was answered")
    assert "Not kept" in _part(pages["/requests/100"], "What was sent")
    assert "There is no request" in pages["/requests/50"]
    assert "The last 250 are kept." in pages["/requests"]


async def _ask_and_look(app: App, key: str) -> dict[str, str]:
    """Make three hundred customers; then the pages by their addresses."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        for number in range(300):
            body = {"name": f"Customer {number}"}
            await client.post("/v1/customers", json=body, headers={"Authorization": f"Bearer {key}"})
        paths = ("/requests", "/requests/50", "/requests/100", "/requests/101", "/requests/300")
        return {path: (await client.get(path)).text for path in paths}
