"""Search finds many records in one request, in any form Kustomer takes, and is only a hint."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kustomer_pipeline_tests.kustomer.kustomers import (
    Kustomer,
    answers,
    body_of,
    client_of,
    company,
    customer,
    ok,
)
from kustomer_pipeline_tests.simulated import SimulatedClock

EMAILS = [f"p{number}@example.com" for number in range(700)]
PEOPLE = [customer(f"c{number}", emails=[{"email": email}]) for number, email in enumerate(EMAILS)]


def searchable(
    people: list[dict[str, Any]],
    *,
    in_is: str = "works",
    most_clauses: int = 20,
    most_in: int = 10**6,
    most_per_page: int = 500,
    bad: str | None = None,
    loose: bool = False,
) -> Kustomer:
    """A search in which `in` works, is refused, is ignored, or finds nobody; `loose` matches domains.

    `or` takes 20 criteria (docs/kustomer.md section 8), or less.
    """

    def matches(person: dict[str, Any], values: list[str]) -> bool:
        email = person["attributes"]["emails"][0]["email"]
        domains = {value.split("@")[1] for value in values}
        return email.split("@")[1] in domains if loose else email.lower() in {value.lower() for value in values}

    def app(request: httpx.Request) -> httpx.Response:
        query = {key: int(values[0]) for key, values in parse_qs(request.url.query.decode()).items()}
        body = body_of(request)
        assert body["queryContext"] == "customer"
        assert len(request.content) < 100_000
        use_in = "and" in body
        if use_in:
            values = body["and"][0]["customer_email"]["in"]
        else:
            values = [clause["customer_email"]["equals"] for clause in body["or"]]
        if (
            len(values) > (most_in if use_in else most_clauses)
            or query["pageSize"] > most_per_page
            or bad in values
            or (use_in and in_is == "refused")
        ):
            return httpx.Response(400)
        found = people if use_in and in_is == "ignored" else [p for p in people if matches(p, values)]
        if use_in and in_is == "finds nobody":
            found = []
        if use_in and in_is == "finds some":
            found = found[::2]
        start, size = (query["page"] - 1) * query["pageSize"], query["pageSize"]
        more = len(found) > start + size
        following = f"/v1/customers/search?page={query['page'] + 1}&pageSize={size}" if more else None
        return ok(found[start : start + size], links={"next": following})

    return Kustomer(app)


@pytest.mark.parametrize("in_is", ["works", "refused", "ignored", "finds nobody", "finds some"])
@pytest.mark.parametrize("most_in", [10**6, 120, 7])
@pytest.mark.parametrize("most_clauses", [20, 10, 7, 1])
@pytest.mark.parametrize("most_per_page", [500, 100])
def test_everybody_is_found_whatever_kustomer_takes(
    in_is: str, most_in: int, most_clauses: int, most_per_page: int
) -> None:
    app = searchable(PEOPLE, in_is=in_is, most_in=most_in, most_clauses=most_clauses, most_per_page=most_per_page)
    emails = EMAILS[:130]
    with client_of(app) as client:
        found = client.search("customers", "email", [*emails, "nobody@example.com", EMAILS[0].upper()])
    assert {value: [r.id for r in records] for value, records in found.items()} == {
        **{email: [f"c{number}"] for number, email in enumerate(emails)},
        EMAILS[0].upper(): ["c0"],
    }


@pytest.mark.parametrize("in_is,most", [("works", 5), ("refused", 36), ("ignored", 36), ("finds nobody", 36)])
def test_many_people_cost_few_searches(in_is: str, most: int) -> None:
    app = searchable(PEOPLE, in_is=in_is)
    with client_of(app) as client:
        assert client.search_batch("customers", "email") == 20
        assert len(client.search("customers", "email", EMAILS)) == 700
        assert client.usage.searches == len(app.requests) <= most
        assert client.search_batch("customers", "email") == (400 if in_is == "works" else 20)
    assert app.paths[0] == "/v1/customers/search?page=1&pageSize=500"


def test_no_search_ever_asks_for_more_than_twenty_criteria() -> None:
    app = searchable(PEOPLE, in_is="refused")
    with client_of(app) as client:
        client.search("customers", "email", EMAILS)
    assert max(len(body_of(request).get("or", ())) for request in app.requests) == 20
    assert sum("and" in body_of(request) for request in app.requests) == 1


def test_that_or_takes_few_criteria_does_not_make_in_smaller() -> None:
    app = searchable(PEOPLE, most_clauses=5)
    with client_of(app) as client:
        client.search("customers", "email", [*EMAILS[:5], *[f"nobody{number}@example.com" for number in range(300)]])
        client.search("customers", "email", EMAILS)
        assert client.search_batch("customers", "email") == 400


def test_batches_go_out_together_and_within_the_limit_of_searches() -> None:
    clock = SimulatedClock()
    app = searchable(PEOPLE, in_is="refused")

    async def slow(request: httpx.Request) -> httpx.Response:
        await clock.sleep(1.0)
        return app(request)

    with client_of(slow, clock=clock) as client:
        client.search("customers", "email", EMAILS)  # 1 for `in`, then 35: the first alone, the others at once
        assert clock.monotonic() == pytest.approx(4.0, abs=0.5)
        client.search("customers", "email", [f"x{number}@example.com" for number in range(100 * 20)])
        assert clock.monotonic() > 60
        assert client.usage.searches == 136


def test_what_searches_take_is_known_to_the_next_client() -> None:
    app = searchable(PEOPLE, in_is="refused", most_clauses=10, most_per_page=100)
    with client_of(app) as client:
        client.search("customers", "email", EMAILS[:60])
        learned = client.wire.learned()
    again = searchable(PEOPLE, in_is="refused", most_clauses=10, most_per_page=100)
    with client_of(again) as client:
        client.wire.recall(json.loads(json.dumps(learned)))
        assert len(client.search("customers", "email", EMAILS[:60])) == 60
    assert [len(body_of(request)["or"]) for request in again.requests] == [10] * 6


@pytest.mark.parametrize("in_is", ["works", "refused", "ignored", "finds nobody", "finds some"])
def test_whether_in_works_is_found_out_once_for_a_field(in_is: str) -> None:
    app = searchable(PEOPLE, in_is=in_is)
    with client_of(app) as client:
        client.search("customers", "email", EMAILS[:10])
        tried = len(app.requests)
        assert tried <= 2
        client.search("customers", "email", EMAILS[10:20])
    assert [("and" in body_of(request)) for request in app.requests[tried:]] == [in_is == "works"]


def test_the_number_of_clauses_that_is_taken_is_found_out_once() -> None:
    app = searchable(PEOPLE, in_is="refused", most_clauses=10)
    with client_of(app) as client:
        client.search("customers", "email", EMAILS[:200])
        refused = client.usage.searches
        client.search("customers", "email", EMAILS[:500])
        assert client.usage.searches - refused == 50  # 10 each, none of them in vain


def test_a_search_for_people_who_are_not_there_says_nothing_of_in() -> None:
    app = searchable(PEOPLE)
    with client_of(app) as client:
        client.search("customers", "email", ["nobody@example.com", "noone@example.com"])
        client.search("customers", "email", EMAILS[:20])
        assert client.search_batch("customers", "email") > 20


def test_one_value_that_kustomer_refuses_costs_only_itself() -> None:
    with client_of(searchable(PEOPLE, bad=EMAILS[33])) as client:
        found = client.search("customers", "email", EMAILS[:120])
        assert set(found) == set(EMAILS[:120]) - {EMAILS[33]}
        before = client.usage.searches
        client.search("customers", "email", EMAILS[200:600])
        assert client.usage.searches - before <= 4  # and the batches are as large as before


def test_a_loose_match_is_compared_here_and_does_not_lead_through_all_pages() -> None:
    app = searchable(PEOPLE * 20, loose=True)
    with client_of(app) as client:
        found = client.search("customers", "email", [EMAILS[0], EMAILS[699], "p@example.com"])
    assert found.keys() <= {EMAILS[0], EMAILS[699]}
    assert EMAILS[0] in found
    assert len(app.requests) <= 1 + 3


def test_a_body_stays_below_the_limit_of_100_kb() -> None:
    long = [f"{'x' * 1000}{number}@example.com" for number in range(300)]
    with client_of(searchable([customer("c", emails=[{"email": long[299]}])])) as client:
        assert list(client.search("customers", "email", long)) == [long[299]]


@pytest.mark.parametrize("refusal", [[403], [404], [401, 200]])
def test_a_key_that_may_not_search_is_remembered(refusal: list[int]) -> None:
    token = {"data": {"id": "t", "relationships": {"org": {"data": {"id": "o"}}}}}
    app = Kustomer(answers(*[httpx.Response(status, json=token) for status in refusal]))
    with client_of(app) as client:
        assert client.abilities.search
        assert client.search("customers", "email", EMAILS[:3]) == {}
        assert not client.abilities.search
        assert client.search("customers", "phone", ["+1", "+2"]) == {}
    assert len(app.requests) == len(refusal)


def test_deleted_people_are_not_found_and_two_holders_of_a_name_both_are() -> None:
    data = [company("a", name="Acme"), company("b", name="Acme"), company("c", name="Acme", deleted=True)]
    app = Kustomer(lambda request: ok(data))
    with client_of(app) as client:
        found = client.search("companies", "name", ["Acme"])
    assert [record.id for record in found["Acme"]] == ["a", "b"]
    assert body_of(app.requests[0]) == {
        "queryContext": "company",
        "or": [{"company_name": {"equals": "Acme"}}],
    }


def test_external_ids_of_companies_are_not_searchable_and_unknown_fields_are_a_mistake() -> None:
    with client_of(answers()) as client:
        assert client.search("companies", "externalId", ["A-1"]) == {}
        with pytest.raises(ValueError, match="cannot be searched"):
            client.search("companies", "phone", ["+1"])


def test_an_in_that_ran_out_of_time_decides_nothing() -> None:
    """Whom it missed says nothing of `in`: it is tried again with the next values."""

    def app(request: httpx.Request) -> httpx.Response:
        body = body_of(request)
        if "and" in body:
            return ok([customer("c1", externalId="A")], links={"next": None}, meta={"timed_out": True})
        return ok([customer("c2", externalId="B")], links={"next": None})

    with client_of(app) as client:
        assert set(client.search("customers", "externalId", ["A", "B"])) == {"A", "B"}
        assert client.wire.searches("customers", "externalId").in_works is None


def test_page_101_is_never_asked_for() -> None:
    pages = 0

    def app(request: httpx.Request) -> httpx.Response:
        nonlocal pages
        pages += 1
        record = customer(f"c{pages}", tags=["t1"], updatedAt=f"{2000 + min(pages, 100)}")
        more = {"meta": {"totalPages": 17_821}, "links": {"next": f"/v1/customers/search?page={pages + 1}"}}
        return ok([record], **(more if pages <= 100 else {"links": {"next": None}}))

    asked = Kustomer(app)
    with client_of(asked) as client:
        client.tag_holders("customers", "t1")
    assert not [path for path in asked.paths if "page=101" in path]
    assert pages == 101  # the next window began at the last time
