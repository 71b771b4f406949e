"""The page for people: bulk jobs, what was submitted, and what became of each item."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .conftest import Api


def _cells(html: str) -> list[list[str]]:
    """The text of each cell of each row."""
    rows = re.findall(r"<tr[^>]*>(<td.*?)</tr>", html, re.DOTALL)
    return [
        [
            re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", cell))).strip()
            for cell in re.findall("<td.*?</td>", row)
        ]
        for row in (row.replace("\n", " ") for row in rows)
    ]


def _items(api: Api, job: str) -> list[list[str]]:
    """Of each item: its number, `_clientRef`, result, record and error."""
    page = api.get(f"/jobs/{job}").text
    return [row[:5] for row in _cells(page.split("<h2>Items</h2>")[1])]


def _submit(api: Api, method: str, path: str, body: Any) -> str:
    return str(api.ask(method, path, body).data["id"])


def test_jobs_are_listed_newest_first_with_how_far_they_are(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    sandbox.jobs_take(10.0)
    sandbox.faults.set("batch_size", 2)
    older = _submit(api, "POST", "/v1/customers/bulk", [{"externalId": "1"}, {"externalId": "1"}, {"externalId": "2"}])
    clock.advance(5)
    newer = _submit(api, "POST", "/v1/companies/bulk", [{"name": "Acme"}])
    assert [row[1:] for row in _cells(api.get("/jobs").text)] == [
        ["create companies", "queued", "0 of 1", "1", "0", "0", newer],
        ["create customers", "running", "1 of 2", "3", "1", "1", older],
    ]
    clock.advance(10)
    assert [row[2] for row in _cells(api.get("/jobs").text)] == ["complete", "complete"]


def test_the_list_of_jobs_has_a_hundred_on_a_page(api: Api) -> None:
    for number in range(101):
        api.post("/v1/customers/bulk", [{"externalId": f"C-{number}"}])
    first, second = api.get("/jobs").text, api.get("/jobs?start=100").text
    assert (len(_cells(first)), len(_cells(second))) == (100, 1)
    assert "1 to 100 of 101." in first


def test_each_item_is_shown_with_its_result(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(externalId="taken")
    job = _submit(
        api, "POST", "/v1/customers/bulk",
        [{"externalId": "new", "_clientRef": "row 1"}, {"externalId": "taken", "_clientRef": "row 2"}],
    )  # fmt: skip
    created = next(customer for customer, shown in sandbox.customers.items() if shown["externalId"] == "new")
    assert _items(api, job) == [
        ["1", "row 1", "created", created, ""],
        ["2", "row 2", "refused", "", "duplicate detected"],
    ]
    page = api.get(f"/jobs/{job}").text
    assert f'href="/customers/{created}"' in page
    assert "&quot;externalId&quot;: &quot;taken&quot;" in page  # what was submitted
    assert "by key 1" in page


def test_faults_do_not_hide_what_became_of_the_items(api: Api, sandbox: Sandbox) -> None:
    for name in ("batches_results_missing", "results_reversed", "batches_not_found"):
        sandbox.faults.set(name)
    job = _submit(api, "POST", "/v1/customers/bulk", [{"externalId": name, "_clientRef": name} for name in "ab"])
    assert [row[:3] for row in _items(api, job)] == [["1", "a", "created"], ["2", "b", "created"]]


def test_updates_and_deletions_without_client_refs_are_told_by_their_ids(api: Api, sandbox: Sandbox) -> None:
    jane, joe = sandbox.seed_customer(name="Jane"), sandbox.seed_customer(name="Joe")
    nobody = "0" * 24
    update = _submit(api, "PUT", "/v1/customers/bulk", [{"id": jane, "name": "Jo"}, {"id": nobody, "name": "X"}])
    assert _items(api, update) == [["1", "", "updated", jane, ""], ["2", "", "refused", nobody, "not found"]]
    common = _submit(api, "PUT", f"/v1/customers/bulk?ids={jane},{nobody}", {"name": "Ann"})
    assert [row[2] for row in _items(api, common)] == ["updated", "refused"]
    deletion = _submit(api, "DELETE", f"/v1/customers/bulk?ids={joe}", None)
    assert _items(api, deletion) == [["1", "", "deleted", joe, ""]]


def test_creates_without_client_refs_are_told_apart_only_when_none_was_refused(api: Api, sandbox: Sandbox) -> None:
    fine = _submit(api, "POST", "/v1/customers/bulk", [{"externalId": "1"}, {"externalId": "2"}])
    assert [row[3] for row in _items(api, fine)] == list(sandbox.customers)
    mixed = _submit(api, "POST", "/v1/customers/bulk", [{"externalId": "1"}, {"externalId": "3"}])
    assert {row[2] for row in _items(api, mixed)} == {"not known: sent without _clientRef"}
    assert "duplicate detected" in api.get(f"/jobs/{mixed}").text


@pytest.mark.parametrize(("fault", "told"), [("job_stuck", "for ever"), ("job_polls", "for 3 more polls")])
def test_a_job_that_is_held_says_so(api: Api, sandbox: Sandbox, fault: str, told: str) -> None:
    sandbox.faults.set(fault)
    job = _submit(api, "POST", "/v1/customers/bulk", [{"externalId": "1"}])
    page = api.get(f"/jobs/{job}").text
    assert f"<dd>{told}</dd>" in page
    assert [row[2] for row in _items(api, job)] == ["not yet"]
    sandbox.release_jobs()
    assert "Held in the queue" not in api.get(f"/jobs/{job}").text


def test_looking_at_a_job_is_not_a_poll(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("job_polls", 1)
    job = _submit(api, "POST", "/v1/customers/bulk", [{"externalId": "1"}])
    for _ in range(3):
        assert "for 1 more polls" in api.get(f"/jobs/{job}").text


def test_a_job_without_items_is_shown_too(api: Api) -> None:
    job = _submit(api, "POST", "/v1/customers/bulk", [])
    assert _items(api, job) == []
