"""Search finds many records in one request, in any form Kustomer takes, and is only a hint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import (
    Kustomer,
    answers,
    body_of,
    client_of,
    company,
    customer,
    ok,
)

EMAILS = [f"p{number}@example.com" for number in range(700)]
PEOPLE = [customer(f"c{number}", emails=[{"email": email}]) for number, email in enumerate(EMAILS)]


def searchable(
    people: list[dict[str, Any]],
    *,
    in_is: str = "works",
    most_clauses: int = 10**6,
    most_per_page: int = 500,
    bad: str | None = None,
    loose: bool = False,
) -> Kustomer:
    """A search in which `in` works, is refused, is ignored, or finds nobody; `loose` matches domains."""

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
            len(values) > most_clauses
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
@pytest.mark.parametrize("most_clauses", [10**6, 120, 50, 7, 1])
@pytest.mark.parametrize("most_per_page", [500, 100])
def test_everybody_is_found_whatever_kustomer_takes(in_is: str, most_clauses: int, most_per_page: int) -> None:
    app = searchable(PEOPLE, in_is=in_is, most_clauses=most_clauses, most_per_page=most_per_page)
    emails = EMAILS if most_clauses > 10 else EMAILS[:130]
    with client_of(app) as client:
        found = client.search("customers", "email", [*emails, "nobody@example.com", EMAILS[0].upper()])
    assert {value: [r.id for r in records] for value, records in found.items()} == {
        **{email: [f"c{number}"] for number, email in enumerate(emails)},
        EMAILS[0].upper(): ["c0"],
    }


@pytest.mark.parametrize("in_is,most", [("works", 4), ("refused", 5), ("ignored", 5), ("finds nobody", 5)])
def test_many_people_cost_few_searches(in_is: str, most: int) -> None:
    app = searchable(PEOPLE, in_is=in_is)
    with client_of(app) as client:
        assert len(client.search("customers", "email", EMAILS)) == 700
        assert client.usage.searches == len(app.requests) <= most + 1
    assert app.paths[0] == "/v1/customers/search?page=1&pageSize=500"


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
    app = searchable(PEOPLE, in_is="refused", most_clauses=120)
    with client_of(app) as client:
        client.search("customers", "email", EMAILS)
        refused = client.usage.searches
        client.search("customers", "email", EMAILS[:500])
        assert client.usage.searches - refused == 5  # 100 each, none of them in vain


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
        assert client.search_available
        assert client.search("customers", "email", EMAILS[:3]) == {}
        assert not client.search_available
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


# --- who holds a tag


def tagged(
    people: list[dict[str, Any]], *, operators: tuple[str, ...] = ("equals", "in"), ignore: bool = False
) -> Kustomer:
    """A search by tag that shows 10,000 records at most, 500 a page."""

    def app(request: httpx.Request) -> httpx.Response:
        body = body_of(request)
        ((operator, value),) = body["and"][0]["customer_tags"].items()
        if operator not in operators:
            return httpx.Response(400)
        assert value == (["t1"] if operator == "in" else "t1")
        assert body["sort"] == [{"customer_updated_at": "asc"}]
        since = body["and"][1]["customer_updated_at"]["gte"] if len(body["and"]) > 1 else ""
        found = [
            p for p in people if p["attributes"]["updatedAt"] >= since and (ignore or "t1" in p["attributes"]["tags"])
        ]
        page = int(parse_qs(request.url.query.decode())["page"][0])
        shown = found[:10_000]
        following = f"/v1/customers/search?page={page + 1}&pageSize=500" if len(shown) > page * 500 else None
        return ok(shown[(page - 1) * 500 : page * 500], links={"next": following})

    return Kustomer(app)


def holder(number: int, **attributes: Any) -> dict[str, Any]:
    return customer(f"c{number}", **{"tags": ["t0", "t1"], "updatedAt": f"2026-{number // 3:08d}", **attributes})


@pytest.mark.parametrize("operators", [("equals", "in"), ("equals",), ("in",)])
@pytest.mark.parametrize("count", [0, 3, 700, 10_000, 23_456])
def test_every_holder_of_a_tag_is_found_beyond_what_one_search_shows(operators: tuple[str, ...], count: int) -> None:
    app = tagged([holder(number) for number in range(count)], operators=operators)
    with client_of(app) as client:
        assert {record.id for record in client.tag_holders("t1")} == {f"c{number}" for number in range(count)}


def test_holders_that_are_deleted_or_no_longer_hold_it_are_left_out() -> None:
    people = [holder(1), holder(2, deleted=True), holder(3, tags=["t0"]), holder(4, tags=None)]
    with client_of(lambda request: ok(people)) as client:
        assert [record.id for record in client.tag_holders("t1")] == ["c1"]


@pytest.mark.parametrize(
    "app,error",
    [
        (lambda request: httpx.Response(403), k.PermissionDeniedError),
        (lambda request: httpx.Response(400), k.BadRequestError),
        (tagged([holder(number, tags=[]) for number in range(600)], ignore=True), k.UnexpectedAnswerError),
        (tagged([holder(number, updatedAt="2026") for number in range(10_001)]), k.UnexpectedAnswerError),
    ],
)
def test_holders_that_cannot_all_be_known_are_an_error(
    app: Callable[[httpx.Request], httpx.Response], error: type[Exception]
) -> None:
    with client_of(app) as client, pytest.raises(error):
        client.tag_holders("t1")


# --- tags


def tag(id: str, name: str, **attributes: Any) -> dict[str, Any]:
    return {"type": "tag", "id": id, "attributes": {"name": name, **attributes}}


def test_all_pages_of_tags_are_read_without_the_deleted() -> None:
    app = Kustomer(
        answers(
            ok(
                [tag("t1", "vip"), tag("t2", "old", deleted=True)],
                links={"next": "/v1/tags?deleted=false&page=2"},
            ),
            ok([{"id": "t3", "name": "flat"}, tag("t4", "gone", deletedAt="2026")], links={"next": None}),
        )
    )
    with client_of(app) as client:
        assert client.tags() == [k.Tag("t1", "vip", False), k.Tag("t3", "flat", False)]
    assert app.paths == ["/v1/tags?deleted=false&page=1&pageSize=100", "/v1/tags?deleted=false&page=2"]


def test_a_tag_is_created() -> None:
    app = Kustomer(answers(httpx.Response(201, json={"data": tag("t1", "vip")})))
    with client_of(app) as client:
        assert client.create_tag("vip") == k.Tag("t1", "vip", False)
    assert body_of(app.requests[0]) == {"name": "vip"}


@pytest.mark.parametrize("first", [409, 500, httpx.ReadTimeout("t"), 201])
@pytest.mark.parametrize("there,expected", [(["VIP", "vip"], "t1"), (["x", "Vip"], "t1")])
def test_a_tag_that_may_be_there_already_is_looked_for(first: int | Exception, there: list[str], expected: str) -> None:
    response = first if isinstance(first, Exception) else httpx.Response(first)
    listed = ok([tag(f"t{number}", name) for number, name in enumerate(there)])
    app = Kustomer(answers(response, listed))
    with client_of(app) as client:
        assert client.create_tag("vip").id == expected
    assert len(app.requests) == 2


def test_a_lost_tag_that_is_not_there_is_created_once_more_and_then_given_up() -> None:
    lost = httpx.ReadTimeout("t")
    with client_of(answers(lost, ok([]), httpx.Response(201, json={"data": tag("t1", "vip")}))) as client:
        assert client.create_tag("vip").id == "t1"
    with client_of(answers(lost, ok([]), lost, ok([]))) as client, pytest.raises(k.AmbiguousWriteError):
        client.create_tag("vip")
    with client_of(answers(httpx.Response(409), ok([]))) as client, pytest.raises(k.ConflictError):
        client.create_tag("vip")
    with (
        client_of(answers(ok([{"id": "t1"}]))) as client,
        pytest.raises(k.UnexpectedAnswerError, match="tag without"),
    ):
        client.tags()
