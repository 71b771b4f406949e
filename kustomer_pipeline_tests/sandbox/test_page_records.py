"""The page for people: customers, companies with their hierarchy, tags."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from kustomer_pipeline.sandbox import Sandbox

from .conftest import Api, Reply


def _rows(page: Reply) -> list[str]:
    """The text of each row of the tables."""
    rows = re.findall(r"<tr[^>]*><td.*?</tr>", page.text, re.DOTALL)
    return [re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", row))).strip() for row in rows]


def _json(page: Reply) -> dict[str, object]:
    """The JSON that a page shows last."""
    found = json.loads(unescape(re.findall(r"<pre>(.*?)</pre>", page.text, re.DOTALL)[-1]))
    assert isinstance(found, dict)
    return found


# ---- lists ----


def test_customers_are_shown_a_hundred_at_a_time(api: Api, sandbox: Sandbox) -> None:
    for number in range(101):
        sandbox.seed_customer(name=f"Customer {number:03}")
    for path in ("/", "/customers"):
        first, second = api.get(path).text, api.get(f"{path}?start=100").text
        assert "Customer 099" in first
        assert "Customer 100" not in first
        assert f'<a href="{path}?start=100">' in first
        assert "1 to 100 of 101." in first
        assert "Customer 100" in second
        assert f'<a href="{path}">previous 100</a>' in second


def test_a_customer_is_found_by_any_of_its_identifiers(api: Api, sandbox: Sandbox) -> None:
    jane = sandbox.seed_customer(
        name="Jane", externalId="C-1", emails=[{"email": "jane@example.com"}], phones=[{"phone": "+15550001234"}]
    )
    sandbox.seed_customer(name="Joe", externalId="C-2")
    for text in (jane, "C-1", "Jane@Example.com", "%2B1%20555%20000-1234"):
        assert [row.split()[0] for row in _rows(api.get(f"/customers?find={text}"))] == ["Jane"]
    assert "Nobody has that." in api.get("/customers?find=Jan").text


def test_a_deleted_customer_is_in_no_list_but_has_its_page(api: Api, sandbox: Sandbox) -> None:
    source, target = sandbox.seed_customer(name="Jane", tags=["vip"]), sandbox.seed_customer(name="Jo")
    gone = sandbox.seed_customer(name="Gone", tags=["old"])
    sandbox.agent_merge(source, target)
    sandbox.agent_delete(gone)
    assert [row.split()[0] for row in _rows(api.get("/customers"))] == ["Jo"]
    assert ">deleted</span>" in api.get(f"/customers/{gone}").text
    page = api.get(f"/customers/{source}").text
    assert ">merged</span>" in page
    assert f'href="/customers/{target}"' in page


# ---- one record ----


def test_a_customer_is_shown_whole_with_the_way_to_its_company_and_tags(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    jane = sandbox.seed_customer(name="Jane", company=company, tags=["vip"], custom={"planStr": "pro"})
    page = api.get(f"/customers/{jane}")
    assert _json(page) == api.get(f"/v1/customers/{jane}").data
    (tag,) = sandbox.tags
    for target in (f"/companies/{company}", f"/customers?tag={tag}", f"/requests?path={jane}"):
        assert f'href="{target}"' in page.text
    assert "planStr&quot;: &quot;pro&quot;" in page.text
    assert "by an agent" in page.text


def test_the_name_of_the_key_that_changed_a_record_is_shown(api: Api, sandbox: Sandbox) -> None:
    jane = sandbox.seed_customer(name="Jane")
    api.patch(f"/v1/customers/{jane}", {"name": "Jo"})
    assert "by key 1" in api.get(f"/customers/{jane}").text


def test_a_company_is_shown_whole_with_its_customers_a_few_at_a_time(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme", externalId="A-1")
    for number in range(26):
        sandbox.seed_customer(name=f"Customer {number:02}", company=company)
    page = api.get(f"/companies/{company}")
    assert _json(page) == api.get(f"/v1/companies/{company}").data
    assert "Customer 24" in page.text
    assert "Customer 25" not in page.text
    assert "1 to 25 of 26." in page.text
    assert "Customer 25" in api.get(f"/companies/{company}?start=25").text


# ---- the hierarchy ----


def test_companies_are_shown_below_their_parents(api: Api, sandbox: Sandbox) -> None:
    names = ("Alone", "Shop", "Holding", "Branch")
    alone, shop, holding, branch = (sandbox.seed_company(name=name) for name in names)
    sandbox.seed_parent(shop, holding)
    sandbox.seed_parent(branch, shop)
    sandbox.seed_customer(company=shop)
    rows = _rows(api.get("/companies"))
    assert [row.split(" 2026")[0] for row in rows] == [
        "Alone 0",
        "Holding 1 0",
        "\u2514 Shop Holding 1 1",
        "\u2514 Branch Shop 0",
    ]
    page = api.get(f"/companies/{branch}").text
    above = re.search(r"<dt>Above it</dt><dd>(.*?)</dd>", page)
    assert above is not None
    assert re.findall(r'href="/companies/(\w+)"', above[1]) == [holding, shop]
    assert _rows(api.get(f"/companies/{shop}"))[0].startswith("Branch ")
    assert ">nothing</dd>" in api.get(f"/companies/{alone}").text


def test_a_large_tree_ends_with_the_way_to_the_page_of_its_top(api: Api, sandbox: Sandbox) -> None:
    top = sandbox.seed_company(name="Top")
    for number in range(200):
        sandbox.seed_parent(sandbox.seed_company(name=f"Company {number:03}"), top)
    page = api.get("/companies").text
    assert "Company 198" in page
    assert "Company 199" not in page
    assert "The rest: see" in page
    assert "Company 199" in api.get(f"/companies/{top}").text


def test_companies_at_the_top_are_shown_a_hundred_at_a_time(api: Api, sandbox: Sandbox) -> None:
    for number in range(101):
        sandbox.seed_company(name=f"Company {number:03}")
    assert "Company 099" in api.get("/companies").text
    assert "Company 100" not in api.get("/companies").text
    assert "Company 100" in api.get("/companies?start=100").text


def test_a_deleted_company_is_marked(api: Api, sandbox: Sandbox) -> None:
    company = sandbox.seed_company(name="Acme")
    sandbox.agent_delete(company)
    assert "Acme deleted" in _rows(api.get("/companies"))[0]


# ---- tags ----


def test_tags_are_shown_with_their_holders(api: Api, sandbox: Sandbox) -> None:
    vip = sandbox.seed_tag("vip", color="#ff8800")
    old = sandbox.seed_tag("old", color="none of ours")
    jane = sandbox.seed_customer(name="Jane", tags=["vip", "old"])
    sandbox.seed_customer(name="Joe", tags=["vip"])
    sandbox.seed_company(name="Acme", tags=["vip"])
    sandbox.delete_tag(old)
    page = api.get("/tags")
    assert [re.sub(r" 2026\S+ \S+", "", row) for row in _rows(page)] == [
        f"vip #ff8800 2 1 {vip}",
        f"old deleted none of ours 1 0 {old}",
    ]
    assert page.text.count("<circle") == 1
    assert [row.split()[0] for row in _rows(api.get(f"/customers?tag={vip}"))] == ["Jane", "Joe"]
    assert [row.split()[0] for row in _rows(api.get(f"/companies?tag={vip}"))] == ["Acme"]
    assert "old (deleted)" in api.get(f"/customers/{jane}").text
    assert _rows(api.get("/customers?tag=0")) == []


@pytest.mark.parametrize("change", ["edit", "delete", "merge", "request", "job"])
def test_the_number_of_holders_follows_every_kind_of_change(api: Api, sandbox: Sandbox, change: str) -> None:
    sandbox.seed_tag("vip")
    jane, joe = sandbox.seed_customer(tags=["vip"]), sandbox.seed_customer(tags=["vip"])
    api.search({"and": [{"customer_tags": {"equals": "vip"}}]})  # search has seen all changes so far
    assert " vip 2 0 " in f" {_rows(api.get('/tags'))[0]}"
    if change == "edit":
        sandbox.agent_edit(jane, tags=[])
    elif change == "delete":
        sandbox.agent_delete(jane)
    elif change == "merge":
        sandbox.agent_merge(jane, joe)
    elif change == "request":
        api.patch(f"/v1/customers/{jane}", {"tags": []})
    else:
        api.bulk("PUT", "/v1/customers/bulk", [{"id": jane, "tags": []}])
    assert " vip 1 0 " in f" {_rows(api.get('/tags'))[0]}"
