"""The page for people: the overview at `/`, and what holds for every page."""

from __future__ import annotations

import re

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .conftest import Api

LISTS = ["/", "/customers", "/companies", "/tags", "/jobs", "/requests", "/faults"]


def test_the_overview_shows_what_is_in_the_org_and_what_was_asked(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme", externalId="A-1")
    sandbox.seed_customer(name="Jane", company=company, tags=["vip"], emails=[{"email": "jane@example.com"}])
    sandbox.faults.set("job_polls", 2)
    api.get("/v1/customers/email=none?x=1")
    page = api.get("/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for text in (sandbox.org_id, "Jane", "jane@example.com", "Acme", "vip", "999 of 1,000", "job_polls", "1 to 1 of 1"):
        assert text in page.text
    assert "GET /v1/customers/email=none?x=1" in page.text
    assert "404" in page.text


def test_the_overview_shows_what_is_left_of_each_budget(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    sandbox.add_api_key()
    sandbox.spend(300)
    sandbox.spend_searches(40)
    page = api.get("/").text
    for text in ("700 of 1,000", "60 of 100", "100 of 100", "new in 60 s"):
        assert text in page
    clock.advance(45)
    assert "new in 15 s" in api.get("/").text


def test_the_overview_shows_the_two_lines_of_the_environment_and_the_key_only_when_it_is_opened(
    api: Api, sandbox: Sandbox
) -> None:
    page = api.get("/").text
    assert page.count(f"KUSTOMER_BASE_URL={sandbox.url}\n") == 2
    before, after = page.split("<details>", 1)
    assert sandbox.api_key not in before
    assert f"KUSTOMER_API_KEY={sandbox.api_key}" in after


@pytest.mark.parametrize("path", LISTS)
def test_no_page_costs_a_unit_or_is_in_the_log_of_requests(api: Api, sandbox: Sandbox, path: str) -> None:
    assert api.get(path).status == 200
    assert api.ask("HEAD", path).status == 200
    assert sandbox.requests == []
    assert sandbox.budget_left == 1000


@pytest.mark.parametrize("path", ["/customers", "/companies", "/tags", "/jobs", "/requests"])
def test_an_empty_org_says_so(api: Api, path: str) -> None:
    assert "None yet." in api.get(path).text


@pytest.mark.parametrize(
    "path", ["/customers/0", "/companies/0", "/jobs/0", "/requests/1", "/requests/x", "/tags/0", "/customers/0/1"]
)
def test_what_is_not_there_is_a_404_in_the_same_frame(api: Api, sandbox: Sandbox, path: str) -> None:
    page = api.get(path)
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no " in page.text
    assert '<a href="/faults">Faults</a>' in page.text
    assert sandbox.requests == []


@pytest.mark.parametrize("path", ["/nix", "/v1", "/customer"])
def test_every_other_address_is_the_apis(api: Api, sandbox: Sandbox, path: str) -> None:
    assert api.get(path).json["errors"][0]["status"] == 404
    assert len(sandbox.requests) == 1


def test_everything_is_escaped(api: Api, sandbox: Sandbox) -> None:
    script = "<script>alert(1)</script>"
    company = sandbox.seed_company(name=script, externalId=script)
    customer = sandbox.seed_customer(name=script, externalId=script, tags=["<b>"], company=company)
    sandbox.seed_tag(script)
    tag = sandbox.seed_tag("<i>", color='"><script>alert(1)</script>')
    sandbox.faults.set("item_form_refused", script, path="/v1/<script>")
    api.post("/v1/customers/bulk", [{"name": script, "externalId": "1", "_clientRef": script}])
    api.get("/v1/customers/<script>?<script>=<script>")
    api.ask("POST", "/v1/customers", raw=script.encode())
    (job,) = sandbox.state.jobs.jobs
    paths = [*LISTS, f"/customers/{customer}", f"/companies/{company}", f"/jobs/{job}", "/requests/2", "/requests/3"]
    filters = [
        f"/customers?tag={tag}",
        "/customers?find=<script>",
        "/requests?path=<script>",
        "/companies?tag=<script>",
    ]
    for path in [*paths, *filters]:
        page = api.get(path).text
        assert page.count("<script") == 1, path  # the page's own
        for name in ("<b>", "<i>"):
            assert name not in page, path
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in api.get(f"/customers/{customer}").text


@pytest.mark.parametrize("path", LISTS)
def test_it_needs_nothing_from_elsewhere_and_may_not_load_anything(api: Api, path: str) -> None:
    page = api.get(path)
    assert re.findall(r"<link|@import|\bsrc=|\burl\(", page.text) == []
    assert re.findall(r'(?:href|action)="(?!/)', page.text) == []
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", LISTS)
def test_a_page_refreshes_itself_when_told_to(api: Api, path: str) -> None:
    assert 'http-equiv="refresh"' not in api.get(path).text
    assert f'href="{path}?refresh=2"' in api.get(path).text
    page = api.get(f"{path}?refresh=5").text
    assert '<meta http-equiv="refresh" content="5">' in page
    assert f'href="{path}">stop</a>' in page
    assert 'content="3600"' in api.get(f"{path}?refresh=999999").text


@pytest.mark.parametrize("path", ["/customers", "/requests", "/faults"])
def test_nothing_can_be_typed_into_a_page_that_refreshes_itself(api: Api, path: str) -> None:
    assert "<form" in api.get(path).text
    assert "<form" not in api.get(f"{path}?refresh=2").text


@pytest.mark.parametrize(
    "query", ["start=x", "start=5000", "start=-1", "refresh=x", "refresh=0", "start=%F0%28", "=&&"]
)
def test_a_query_that_makes_no_sense_is_ignored(api: Api, query: str) -> None:
    for path in LISTS:
        page = api.get(f"{path}?{query}")
        assert page.status == 200
        assert 'http-equiv="refresh"' not in page.text
