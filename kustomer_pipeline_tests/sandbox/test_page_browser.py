"""The page for people in a real browser: a person switches a fault on, sees what it does, and switches it off."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from kustomer_pipeline.sandbox import Sandbox

from ..ui.stage import browser, new_window

pytestmark = pytest.mark.browser

PHONE = 390


@pytest.fixture(scope="module")
def started(chromium: str) -> Iterator[Browser]:
    """One browser for all tests."""
    with browser(chromium) as running:
        yield running


@pytest.fixture
def page(started: Browser) -> Iterator[Page]:
    """A new window; what the browser complains of is a failure."""
    with new_window(started) as window:
        complaints: list[str] = []
        page = window.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(error.message))
        yield page
        # It also says of a form that was not accepted that its answer was a 400.
        assert [text for text in complaints if "status of 400" not in text] == []


def _client(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.url, headers={"Authorization": f"Bearer {sandbox.api_key}"})


def test_a_person_switches_a_fault_on_sees_it_fire_looks_at_a_job_and_switches_it_off(
    sandbox: Sandbox, page: Page
) -> None:
    sandbox.seed_customer(externalId="taken")
    page.goto(sandbox.url)
    page.get_by_role("link", name="Faults", exact=True).click()
    fault = page.locator("#fault-gateway_error_after")
    fault.locator("summary").click()
    fault.get_by_label("Value").fill("teapot")
    fault.get_by_role("button", name="Switch on").click()
    expect(fault.get_by_role("alert")).to_have_text("A whole number, 400 or more.")
    fault.get_by_label("Value").fill("503")
    fault.get_by_label("Path begins with").fill("/v1/customers/bulk")
    fault.get_by_role("button", name="Switch on").click()
    expect(page).to_have_url(f"{sandbox.url}/faults#fault-gateway_error_after")
    expect(fault.get_by_text("on", exact=True)).to_be_visible()

    items = [{"externalId": name, "_clientRef": f"row of {name}"} for name in ("new", "taken")]
    with _client(sandbox) as client:
        assert client.post("/v1/customers/bulk", json=items).status_code == 503
        assert client.get("/v1/tags").status_code == 200

    page.get_by_role("link", name="Requests", exact=True).click()
    row = page.locator("tr").filter(has_text="POST /v1/customers/bulk")
    expect(row).to_contain_text("503")
    expect(row).to_contain_text("gateway_error_after")
    row.get_by_role("link").first.click()
    expect(page.locator("pre").first).to_contain_text('"externalId": "taken"')
    expect(page.locator("pre").last).to_contain_text("503 Service Unavailable")

    page.get_by_role("link", name="Bulk jobs").click()
    page.get_by_role("link", name="create customers").click()
    refused = page.locator("tr").filter(has_text="duplicate detected")
    expect(refused).to_contain_text("row of taken")
    refused.get_by_text("as it was sent").click()
    expect(refused.locator("pre")).to_contain_text('"externalId": "taken"')
    page.locator("tr").filter(has_text="row of new").get_by_role("link").click()
    expect(page.get_by_text('"externalId": "new"').first).to_be_visible()

    page.get_by_role("link", name="Faults", exact=True).click()
    expect(fault.get_by_text("fired once")).to_be_visible()
    fault.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("None: the sandbox does what")).to_be_visible()
    assert list(sandbox.faults) == []


def test_the_key_is_shown_and_copied_on_a_click(sandbox: Sandbox, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(sandbox.url)
    expect(page.get_by_text(sandbox.api_key)).not_to_be_visible()
    page.get_by_role("button", name="Copy both lines").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    lines = f"KUSTOMER_BASE_URL={sandbox.url}\nKUSTOMER_API_KEY={sandbox.api_key}"
    assert page.evaluate("navigator.clipboard.readText()") == lines
    page.get_by_text("Show the key").click()
    expect(page.get_by_text(sandbox.api_key)).to_be_visible()


def test_the_page_works_without_scripts(sandbox: Sandbox, started: Browser) -> None:
    with started.new_context(java_script_enabled=False) as window:
        page = window.new_page()
        page.goto(sandbox.url)
        expect(page.get_by_role("button", name="Copy both lines")).not_to_be_visible()
        page.get_by_text("Show the key").click()
        expect(page.get_by_text(sandbox.api_key)).to_be_visible()
        page.goto(f"{sandbox.url}/faults")
        page.locator("#fault-job_stuck summary").click()
        page.locator("#fault-job_stuck").get_by_role("button", name="Switch on").click()
        expect(page.locator("#fault-job_stuck").get_by_role("button", name="Switch off")).to_be_visible()
        assert list(sandbox.faults) == ["job_stuck"]


def test_a_page_that_refreshes_itself_shows_what_is_new(sandbox: Sandbox, page: Page) -> None:
    page.goto(f"{sandbox.url}/customers?refresh=1")
    sandbox.seed_customer(name="Jane")
    expect(page.get_by_role("link", name="Jane")).to_be_visible()
    page.get_by_role("link", name="stop").click()
    expect(page).to_have_url(f"{sandbox.url}/customers")


def test_nothing_scrolls_sideways_on_a_phone(sandbox: Sandbox, started: Browser) -> None:
    long = "x" * 64
    company = sandbox.seed_company(name=long, externalId=long)
    below = sandbox.seed_parent(sandbox.seed_company(name=f"{long} below"), company) and company
    customer = sandbox.seed_customer(name=long, emails=[{"email": f"{long}@example.com"}], tags=[long], company=below)
    sandbox.faults.set("gateway_error_after", times=1, path=f"/v1/customers/{long}")
    sandbox.faults.set("masked", ",".join([long, long]))
    with _client(sandbox) as client:
        client.get(f"/v1/customers/{long}{long}?{long}={long}")
        client.post("/v1/customers/bulk", json=[{"externalId": long, "_clientRef": long * 3}])
    (job,) = sandbox.state.jobs.jobs
    paths = ["/", "/customers", f"/customers/{customer}", "/companies", f"/companies/{company}", "/tags", "/jobs"]
    paths += [f"/jobs/{job}", "/requests", "/requests/1", "/requests/2", "/faults", "/customers/0"]
    with new_window(started, width=PHONE, height=844) as window:
        page = window.new_page()
        widths = {}
        for path in paths:
            page.goto(f"{sandbox.url}{path}")
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            widths[path] = page.evaluate("document.documentElement.scrollWidth")
    assert widths == dict.fromkeys(paths, PHONE)
