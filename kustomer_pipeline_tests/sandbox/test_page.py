"""The page for people at `/`."""

from __future__ import annotations

from kustomer_pipeline.sandbox import Sandbox

from .conftest import Api


def test_the_page_shows_what_is_in_the_org_and_what_was_asked(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme", externalId="A-1")
    sandbox.seed_customer(name="Jane", company=company, tags=["vip"], emails=[{"email": "jane@example.com"}])
    sandbox.faults.set("job_polls", 2)
    api.get("/v1/customers/email=none?x=1")
    page = api.get("/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for text in (
        sandbox.org_id,
        "Jane",
        "jane@example.com",
        "Acme",
        "A-1",
        "vip",
        "999 of 1,000",
        "job_polls=2",
    ):
        assert text in page.text
    assert "GET /v1/customers/email=none?x=1" in page.text
    assert "404" in page.text
    assert sandbox.units() == 1


def test_an_empty_org_says_so(api: Api) -> None:
    assert api.get("/").text.count("None yet.") == 4


def test_everything_is_escaped(api: Api, sandbox: Sandbox) -> None:
    script = "<script>alert(1)</script>"
    company = sandbox.seed_company(name=script, externalId=script)
    sandbox.seed_customer(name=script, externalId=script, tags=["<b>"], company=company)
    api.get("/v1/customers/<script>?<script>")
    page = api.get("/").text
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_it_needs_nothing_from_elsewhere(api: Api) -> None:
    page = api.get("/").text
    for word in ("http://", "https://", "<script", "<link", "@import"):
        assert word not in page


def test_customers_are_shown_a_hundred_at_a_time(api: Api, sandbox: Sandbox) -> None:
    for number in range(101):
        sandbox.seed_customer(name=f"Customer {number:03}")
    first, second = api.get("/").text, api.get("/?start=100").text
    assert "Customer 099" in first
    assert "Customer 100" not in first
    assert '<a href="/?start=100">' in first
    assert "Customer 100" in second
    assert '<a href="/?start=0">' in second
    assert api.get("/?start=x").status == 200
    assert api.get("/?start=5000").status == 200


def test_a_request_without_an_answer_is_shown_as_such(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("gateway_error_after", times=1)
    api.get("/v1/tags")
    assert "502 (gateway_error_after)" in api.get("/").text
