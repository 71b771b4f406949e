"""Walking through all records, how many there are, and paging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import (
    BASE_URL,
    Kustomer,
    answers,
    client_of,
    company,
    customer,
    ok,
)
from kustomer_pipeline_tests.simulated import SimulatedClock


def acme(number: int, **attributes: Any) -> dict[str, Any]:
    return company(f"{number:024x}", **{"name": f"Acme {number}", "externalId": f"A-{number}", **attributes})


def jane(number: int, **attributes: Any) -> dict[str, Any]:
    return customer(f"{number:024x}", **{"emails": [{"email": f"P{number}@example.com"}], **attributes})


class Listed:
    """A Kustomer with a list that tells its total, as that of customers does, or does not, as that of companies."""

    def __init__(
        self, items: list[dict[str, Any]], *, total: bool = True, size: int = 100, bad_pages: tuple[int, ...] = ()
    ) -> None:
        self.items, self.total, self.size, self.bad_pages = items, total, size, bad_pages
        self.sorts = True
        self.asked: list[int] = []
        self.before_page: Callable[[int], object] = lambda page: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = {key: values[0] for key, values in parse_qs(request.url.query.decode()).items()}
        page, size = int(query["page"]), min(self.size, int(query["pageSize"]))
        self.asked.append(page)
        self.before_page(page)
        if page in self.bad_pages:
            return httpx.Response(500)
        if "sort" in query and not self.sorts:
            return httpx.Response(400)
        count = len(self.items)
        meta: dict[str, Any] = {"page": page, "pageSize": size}
        if self.total:
            meta |= {"total": count, "totalPages": -(-count // size)}
        sort = f"&sort={query['sort']}" if "sort" in query else ""
        following = f"{request.url.path}?page={page + 1}&pageSize={size}{sort}" if count > page * size else None
        return ok(self.items[(page - 1) * size : page * size], meta=meta, links={"next": following})


PEOPLE = [jane(number) for number in range(1234)]


# --- the whole list


def test_a_walk_sees_everybody_at_a_hundred_a_page_and_asks_for_no_page_past_the_end() -> None:
    app = Kustomer(Listed(PEOPLE))
    with client_of(app) as client:
        walk = client.walk("customers")
    assert [record.id for record in walk.records] == [item["id"] for item in PEOPLE]
    assert (walk.pages, walk.complete) == (13, True)
    assert len(app.requests) == 13
    assert app.paths[0] == "/v1/customers?sort=createdAt&page=1&pageSize=100"


def test_after_the_first_page_the_others_are_read_together() -> None:
    clock, listed = SimulatedClock(), Listed(PEOPLE)

    async def slow(request: httpx.Request) -> httpx.Response:
        await clock.sleep(1.0)
        return listed(request)

    with client_of(slow, clock=clock) as client:
        assert client.walk("customers").complete
    assert clock.monotonic() == pytest.approx(2.0)


def test_of_a_walk_only_the_wanted_are_kept_by_canonical_identifier() -> None:
    people = [*PEOPLE, jane(2000, phones=[{"phone": "+1 (212) 555-0003"}]), jane(2001, deleted=True, externalId="7")]
    wanted = {"email": ["p700@example.com", "nobody@x.com"], "phone": {"12125550003"}, "externalId": {"7"}}
    with client_of(Listed(people)) as client:
        walk = client.walk("customers", wanted)
    assert [record.id for record in walk.records] == [PEOPLE[700]["id"], people[1234]["id"]]
    assert walk.complete


def test_the_total_is_told_before_the_second_page_and_may_end_the_walk() -> None:
    app, totals = Listed(PEOPLE), list[int]()

    def enough(total: int) -> bool:
        totals.append(total)
        return False

    with client_of(app) as client:
        walk = client.walk("customers", on_total=enough)
        assert (totals, app.asked, walk.complete, len(walk.records)) == ([1234], [1], False, 100)
        assert client.walk("customers", on_total=totals.append).complete
        assert client.org_size("customers") == 1234
    assert len(app.asked) == 1 + 13  # the size is known by now


@pytest.mark.parametrize("most,complete", [(0, False), (1, False), (12, False), (13, True), (50, True)])
def test_a_walk_may_be_limited_and_is_then_not_complete(most: int, complete: bool) -> None:
    app = Listed(PEOPLE)
    with client_of(app) as client:
        walk = client.walk("customers", max_pages=most)
    assert (len(app.asked), walk.pages, walk.complete) == (min(most, 13), min(most, 13), complete)


def test_an_org_that_refuses_to_sort_is_read_as_it_is() -> None:
    app = Listed(PEOPLE)
    app.sorts = False
    with client_of(app) as client:
        assert client.walk("customers").complete
        assert len(app.asked) == 14
        assert client.wire.learned()["sort"] is False


def test_a_server_with_smaller_pages_is_believed() -> None:
    app = Listed(PEOPLE, size=50)
    with client_of(app) as client:
        walk = client.walk("customers")
    assert (len(walk.records), walk.pages, walk.complete, len(app.asked)) == (1234, 25, True, 25)


@pytest.mark.parametrize("bad", [2, 7, 13])
def test_a_walk_with_a_page_that_cannot_be_read_is_not_complete(bad: int) -> None:
    with client_of(Listed(PEOPLE, bad_pages=(bad,))) as client:
        walk = client.walk("customers")
    assert not walk.complete
    assert len(walk.records) < 1234


def test_a_walk_whose_first_page_cannot_be_read_is_an_error() -> None:
    with client_of(Listed(PEOPLE, bad_pages=(1,))) as client, pytest.raises(k.ServerError):
        client.walk("customers")


def test_who_is_created_during_a_walk_is_seen_at_its_end() -> None:
    app = Listed(PEOPLE[:])

    def create(page: int) -> None:
        if page == 13:
            app.items += [jane(5000 + number) for number in range(150)]
            app.before_page = lambda page: None

    app.before_page = create
    with client_of(app) as client:
        walk = client.walk("customers")
    assert (len(walk.records), walk.complete) == (1384, True)


def test_a_walk_during_which_somebody_is_deleted_may_have_missed_others_and_says_so() -> None:
    app = Listed(PEOPLE[:])

    def delete(page: int) -> None:
        if page == 5 and len(app.items) == 1234:
            del app.items[0]

    app.before_page = delete
    with client_of(app) as client:
        assert not client.walk("customers").complete


# --- companies: a list without a total


def test_walking_companies_says_whether_it_saw_them_all() -> None:
    companies = [acme(number, deleted=number == 7) for number in range(250)]
    with client_of(Listed(companies, total=False)) as client:
        walk = client.walk("companies", max_pages=3)
        assert (len(walk.records), walk.complete) == (249, True)
        walk = client.walk("companies", max_pages=2)
        assert (len(walk.records), walk.complete) == (199, False)
        assert client.walk("companies", max_pages=0) == k.Walk([], 0, False)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 399, 400, 1601, 12_345])
def test_how_many_companies_there_are_is_found_by_few_pages_and_remembered(count: int) -> None:
    app = Listed([acme(number) for number in range(count)], total=False)
    with client_of(app) as client:
        assert client.org_size("companies") == count
        assert len(app.asked) <= 12
        assert client.org_size("companies") == count
    assert len(set(app.asked)) == len(app.asked)


def test_how_many_customers_there_are_costs_one_unit() -> None:
    app = Listed(PEOPLE)
    with client_of(app) as client:
        assert client.org_size("customers") == 1234
    assert app.asked == [1]


# --- paging


def test_a_page_that_repeats_ends_the_walk_which_is_then_not_complete() -> None:
    page = [acme(number) for number in range(3)]
    app = Kustomer(lambda request: ok(page, links={"next": f"/v1/companies?page={len(app.requests) + 1}"}))
    with client_of(app) as client:
        walk = client.walk("companies", max_pages=50)
    assert (len(walk.records), walk.complete, len(app.requests)) == (3, False, 2)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1/companies?page=2",
        "//evil.example/x",
        "http://acme.api.kustomerapp.com/v1/companies",
        "https://acme.api.kustomerapp.com@evil.example/",
        "https://[",
        7,
        {"href": "https://evil.example"},
    ],
)
def test_a_link_to_another_host_is_never_followed(link: object) -> None:
    app = Kustomer(lambda request: ok([acme(1)], links={"next": link}))
    with client_of(app) as client, pytest.raises(k.UnexpectedAnswerError, match="next page"):
        client.walk("companies", max_pages=5)
    with client_of(app) as client, pytest.raises(k.UnexpectedAnswerError, match="next page"):
        client.look_up("companies", "name", "Acme")
    assert {request.url.host for request in app.requests} == {"acme.api.kustomerapp.com"}


@pytest.mark.parametrize(
    "link",
    [
        "/v1/companies?page=2",
        "?page=2",
        f"{BASE_URL}/v1/companies?page=2",
        "/v1/users?page=2",
        {"href": "/v1/companies?page=2"},
    ],
)
def test_of_a_link_only_the_query_is_used(link: object) -> None:
    app = Kustomer(answers(ok([acme(1)], links={"next": link}), ok([acme(2)], links={"next": None})))
    with client_of(app) as client:
        walk = client.walk("companies", max_pages=5)
    assert (len(walk.records), walk.complete) == (2, True)
    assert app.paths[1] == "/v1/companies?page=2"


@pytest.mark.parametrize(
    "first,pages",
    [
        ({"meta": {"page": 1, "totalPages": 2}}, 2),
        ({"meta": {"page": 1, "totalPages": 1}}, 1),
        ({"meta": None, "links": None}, 1),
        ({"links": {"self": "x"}}, 1),
    ],
)
def test_without_a_next_link_meta_decides_or_else_how_full_the_page_is(first: dict[str, Any], pages: int) -> None:
    app = Kustomer(answers(ok([acme(1)], **first), ok([acme(2)])))
    with client_of(app) as client:
        walk = client.walk("companies", max_pages=5)
    assert (len(walk.records), walk.complete) == (pages, True)
    full = Kustomer(answers(ok([acme(number) for number in range(100)]), ok([acme(100)])))
    with client_of(full) as client:
        assert len(client.walk("companies", max_pages=5).records) == 101
