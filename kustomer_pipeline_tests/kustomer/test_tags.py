"""The tags of an org, and who holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import Kustomer, answers, body_of, client_of, company, customer, ok

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
        assert {record.id for record in client.tag_holders("customers", "t1")} == {
            f"c{number}" for number in range(count)
        }


def test_holders_that_are_deleted_or_no_longer_hold_it_are_left_out() -> None:
    people = [holder(1), holder(2, deleted=True), holder(3, tags=["t0"]), holder(4, tags=None)]
    with client_of(lambda request: ok(people)) as client:
        assert [record.id for record in client.tag_holders("customers", "t1")] == ["c1"]


def test_holders_among_companies_are_searched_for_by_company_tags() -> None:
    people = [company("a", tags=["t1"]), company("b", tags=["t2"]), company("c", tags=["t1"], deleted=True)]
    app = Kustomer(lambda request: ok(people, links={"next": None}))
    with client_of(app) as client:
        assert [record.id for record in client.tag_holders("companies", "t1")] == ["a"]
    assert body_of(app.requests[0]) == {
        "queryContext": "company",
        "and": [{"company_tags": {"equals": "t1"}}],
        "sort": [{"company_updated_at": "asc"}],
    }


def test_holders_among_companies_come_from_their_list_where_the_key_may_not_search() -> None:
    def app(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(403)
        return ok([company("a", tags=["t1"]), company("b", tags=[])], links={"next": None})

    kustomer = Kustomer(app)
    with client_of(kustomer) as client:
        assert [record.id for record in client.tag_holders("companies", "t1")] == ["a"]
        assert [record.id for record in client.tag_holders("companies", "t1")] == ["a"]
    assert [request.method for request in kustomer.requests] == ["POST", "GET", "GET"]


def test_a_list_of_companies_that_breaks_off_does_not_pass_for_all_holders() -> None:
    def app(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(403)
        page = parse_qs(request.url.query.decode())["page"][0]
        return ok([company("a", tags=["t1"])], links={"next": "?page=2"}) if page == "1" else httpx.Response(500)

    with client_of(app) as client, pytest.raises(k.UnexpectedAnswerError, match="not all holders"):
        client.tag_holders("companies", "t1")


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
        client.tag_holders("customers", "t1")


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


def test_a_key_that_may_not_list_tags_is_refused_and_that_is_remembered() -> None:
    with client_of(lambda request: httpx.Response(403)) as client:
        assert client.abilities.tags_readable is None
        with pytest.raises(k.PermissionDeniedError):
            client.tags()
        assert client.abilities.tags_readable is False


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


def test_a_list_of_tags_that_goes_round_in_circles_is_not_taken_for_all_of_them() -> None:
    """A tag that is not among them would be made a second time."""
    page = ok([{"type": "tag", "id": "t1", "attributes": {"name": "vip"}}], links={"next": "/v1/tags?page=2"})
    with client_of(lambda request: page) as client, pytest.raises(k.UnexpectedAnswerError, match="to its end"):
        client.tags()


@pytest.mark.parametrize("times_out", [1, 2])
def test_a_search_that_ran_out_of_time_is_not_everybody(times_out: int) -> None:
    """Asked once more; then the list of all says who holds the tag."""
    found, missed = customer("c1", tags=["t1"], updatedAt="2026"), customer("c2", tags=["t1"], updatedAt="2026")
    searches = 0

    def app(request: httpx.Request) -> httpx.Response:
        nonlocal searches
        if request.method == "GET":
            return ok([found, missed], links={"next": None})
        searches += 1
        if searches <= times_out:
            return ok([found], links={"next": None}, meta={"timed_out": True})
        return ok([found, missed], links={"next": None}, meta={"timed_out": False})

    with client_of(app) as client:
        assert [one.id for one in client.tag_holders("customers", "t1")] == ["c1", "c2"]
    assert searches == 2
