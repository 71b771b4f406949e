"""Reading live records, in whatever form Kustomer answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import (
    Kustomer,
    answers,
    client_of,
    company,
    customer,
    ok,
    token,
)
from kustomer_pipeline_tests.simulated import SimulatedClock

IDS = [f"{number:024x}" for number in range(120)]


@pytest.mark.parametrize(
    "field,value,path",
    [
        ("email", "jane@example.com", "/v1/customers/email=jane%40example.com"),
        ("email", " Jane+vip@example.com ", "/v1/customers/email=Jane%2Bvip%40example.com"),
        ("phone", "+15551234567", "/v1/customers/phone=%2B15551234567"),
        ("externalId", "a/b", "/v1/customers/externalId=a%2Fb"),
        ("externalId", "100%25", "/v1/customers/externalId=100%2525"),
        ("externalId", "../x?y#z", "/v1/customers/externalId=..%2Fx%3Fy%23z"),
        ("externalId", "a b;c,d=e&f", "/v1/customers/externalId=a%20b%3Bc%2Cd%3De%26f"),
        ("externalId", "Zoë", "/v1/customers/externalId=Zo%C3%AB"),
        ("externalId", "\ud800", "/v1/customers/externalId=%ED%A0%80"),
    ],
)
def test_an_identifier_is_percent_encoded_completely_and_once(field: str, value: str, path: str) -> None:
    app = Kustomer(lambda request: httpx.Response(404))
    with client_of(app) as client:
        assert client.look_up("customers", field, value) == []
    assert app.paths == [path]
    assert app.requests[0].method == "GET"


@pytest.mark.parametrize(
    "object,field",
    [
        ("customers", "email"),
        ("customers", "phone"),
        ("customers", "externalId"),
        ("companies", "externalId"),
        ("companies", "name"),
    ],
)
@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_identifier_asks_nothing_and_finds_nobody(object: Any, field: str, value: str) -> None:
    app = Kustomer(answers())
    with client_of(app) as client:
        assert client.look_up(object, field, value) == []
        assert client.search(object, field, [value]) == {}
    assert app.requests == []


@pytest.mark.parametrize(
    "field,value,attributes,found",
    [
        ("email", "jane@x.com", {"emails": [{"email": "JANE@x.com", "type": "work"}]}, True),
        ("email", "jane@x.com", {"emails": ["jane@x.com"]}, True),
        (
            "email",
            "jane@x.com",
            {"emails": [{"email": "jan@x.com"}], "sharedEmails": [{"email": "jane@x.com"}]},
            False,
        ),
        ("email", "jane@x.com", {"emails": None}, False),
        ("email", "jane@x.com", {"emails": [{"email": "jane@x.com"}], "deleted": True}, False),
        (
            "email",
            "jane@x.com",
            {"emails": [{"email": "jane@x.com"}], "deletedAt": "2026-01-01T00:00:00.000Z"},
            False,
        ),
        (
            "email",
            "jane@x.com",
            {"emails": [{"email": "jane@x.com"}], "deleted": False, "deletedAt": "2026"},
            True,
        ),
        ("phone", "+15551234567", {"phones": [{"phone": "+1 (555) 123-4567"}]}, True),
        ("phone", "+15551234567", {"phones": [{"phone": "15551234567"}]}, True),
        ("phone", "+15551234567", {"phones": [{"phone": "whatsapp:+15551234567"}]}, True),
        ("phone", "+15551234567", {"phones": [{"phone": "+15551234568"}]}, False),
        ("phone", "+15551234567", {"whatsapps": [{"phone": "+15551234567"}]}, False),
        ("externalId", "7", {"externalId": "7"}, True),
        ("externalId", "7", {"externalId": 7}, True),
        ("externalId", "7", {"externalId": None, "externalIds": [{"externalId": "7"}]}, True),
        (
            "externalId",
            "7",
            {"externalId": "07", "externalIds": [{"externalId": "007", "verified": True}, None]},
            False,
        ),
        ("externalId", "a", {"externalId": "A"}, False),
    ],
)
@pytest.mark.parametrize("flat", [False, True])
def test_a_record_counts_only_if_it_holds_the_identifier_itself(
    field: str, value: str, attributes: dict[str, Any], found: bool, flat: bool
) -> None:
    item = {"id": "c1", "type": "customer", **attributes} if flat else customer("c1", **attributes)
    for response in (ok(item), ok([item]), httpx.Response(200, json=[item]), httpx.Response(200, json=item)):
        with client_of(answers(response)) as client:
            assert [record.id for record in client.look_up("customers", field, value)] == (["c1"] if found else [])


def test_a_record_carries_attributes_company_and_rev() -> None:
    item = customer("c1", externalId="7", rev=35, custom={"planStr": "pro"}, name=None)
    related = {"company": {"data": {"type": "company", "id": "co1"}}, "org": {"data": {"id": "o"}}}
    with client_of(answers(ok({**item, "relationships": related}))) as client:
        (record,) = client.look_up("customers", "externalId", "7")
    expected = {"externalId": "7", "rev": 35, "custom": {"planStr": "pro"}, "name": None}
    assert record == k.Record("customers", "c1", expected, "co1", 35, False)


@pytest.mark.parametrize(
    "item,company_id",
    [
        ({"relationships": {"company": {"data": None, "links": {"self": "/v1/companies/x"}}}}, None),
        ({"relationships": {"company": {"links": {"self": "/v1/companies/co1"}}}}, "co1"),
        ({"relationships": None}, None),
        ({"attributes": {"externalId": "7", "company": "co1"}}, "co1"),
        ({"attributes": {"externalId": "7", "company": {"id": "co1"}}}, "co1"),
        ({"attributes": {"externalId": "7", "company": None}}, None),
    ],
)
def test_the_company_is_read_wherever_the_answer_has_it(item: dict[str, Any], company_id: str | None) -> None:
    with client_of(answers(ok({**customer("c1", externalId="7"), **item}))) as client:
        (record,) = client.look_up("customers", "externalId", "7")
    assert record.company_id == company_id


def test_a_customer_is_not_looked_up_by_just_anything() -> None:
    with client_of(answers()) as client:
        with pytest.raises(ValueError, match="not by name"):
            client.look_up("customers", "name", "Jane")
        with pytest.raises(ValueError, match="not by email"):
            client.look_up("companies", "email", "x@y.z")


# --- many ids


def org_of_customers(
    ids: list[str], *, lists: str = "ok", at_most: int = 10**6, deleted: tuple[str, ...] = ()
) -> Kustomer:
    """A Kustomer whose list of ids works, is refused when one is missing, or does not work at all."""

    def app(request: httpx.Request) -> httpx.Response:
        asked = unquote(request.url.path).rsplit("/", 1)[1].split(",")
        there = [customer(id, deleted=id in deleted) for id in asked if id in ids]
        if len(asked) == 1:
            return ok(there[0]) if there else httpx.Response(404)
        if lists == "none" or len(asked) > at_most:
            return httpx.Response(404 if lists == "none" else 414)
        if lists == "all or nothing" and len(there) < len(asked):
            return httpx.Response(404)
        if lists == "first only":
            return ok(there[0]) if there else httpx.Response(404)
        return ok([*there[: 10 if lists == "ten a page" else None], customer("somebody-else")])

    return Kustomer(app)


def test_a_hundred_customers_cost_one_request() -> None:
    app = org_of_customers(IDS)
    with client_of(app) as client:
        assert list(client.get_many("customers", [*IDS, IDS[0]])) == IDS
    assert [len(path.split(",")) for path in app.paths] == [100, 20]
    assert "," in app.paths[0]


@pytest.mark.parametrize("lists", ["ok", "all or nothing", "none", "first only", "ten a page"])
@pytest.mark.parametrize("missing", [[], [3], [0, 49, 50], list(range(0, 120, 7))])
def test_customers_are_found_and_missed_rightly_however_lists_of_ids_behave(lists: str, missing: list[int]) -> None:
    there = [id for number, id in enumerate(IDS) if number not in missing]
    app = org_of_customers(there, lists=lists, deleted=(IDS[5],))
    with client_of(app) as client:
        assert list(client.get_many("customers", IDS)) == [id for id in there if id != IDS[5]]


def test_lists_that_do_not_work_are_not_tried_for_ever() -> None:
    app = org_of_customers(IDS, lists="none")
    with client_of(app) as client:
        client.get_many("customers", IDS)
    assert len(app.requests) <= len(IDS) + 7


@pytest.mark.parametrize("at_most", [50, 26, 13, 2])
def test_how_many_ids_a_request_takes_is_found_out_once(at_most: int) -> None:
    app = org_of_customers(IDS, at_most=at_most)
    with client_of(app) as client:
        assert len(client.get_many("customers", IDS)) == 120
        del app.requests[:]
        assert len(client.get_many("customers", IDS)) == 120
        lengths = [len(path.split(",")) for path in app.paths]
        assert max(lengths) <= at_most
        assert len(lengths) <= 2 * 120 / at_most
        learned = client.wire.learned()
    again = org_of_customers(IDS, at_most=at_most)
    with client_of(again) as client:
        client.wire.recall(learned)
        assert len(client.get_many("customers", IDS)) == 120
    assert len(again.requests) == len(lengths)


def test_missing_customers_do_not_make_the_lists_shorter() -> None:
    app = org_of_customers(IDS[1:], lists="all or nothing")
    with client_of(app) as client:
        assert len(client.get_many("customers", IDS[:100])) == 99
        del app.requests[:]
        assert len(client.get_many("customers", IDS[1:101])) == 100
    assert len(app.requests) == 1


def test_after_the_first_the_lists_of_ids_go_out_together() -> None:
    ids, clock = [f"{number:024x}" for number in range(2000)], SimulatedClock()
    app = org_of_customers(ids)

    async def slow(request: httpx.Request) -> httpx.Response:
        await clock.sleep(1.0)
        return app(request)

    with client_of(slow, clock=clock) as client:
        assert list(client.get_many("customers", ids)) == ids
    assert len(app.requests) == 20
    assert clock.monotonic() == pytest.approx(2.0)


@pytest.mark.parametrize("id", ["", "..", "a/b", "a,b", "email=jane@x.com", "é"])
def test_what_is_no_id_is_missing_without_a_question(id: str) -> None:
    app = Kustomer(answers())
    with client_of(app) as client:
        assert client.get_many("customers", [id]) == {}
    assert app.requests == []


def test_an_id_that_kustomer_calls_malformed_is_missing_but_a_refusal_of_a_good_one_is_an_error() -> None:
    with client_of(lambda request: httpx.Response(400)) as client:
        assert client.get_many("customers", ["c1"]) == {}
        with pytest.raises(k.BadRequestError):
            client.get_many("customers", [IDS[0]])


def test_a_merged_customer_that_answers_under_another_id_is_missing() -> None:
    with client_of(answers(ok(customer(IDS[1])))) as client:
        assert client.get_many("customers", [IDS[0]]) == {}


# --- companies


class Companies:
    """A Kustomer with companies, a list of them, and perhaps lists of ids."""

    def __init__(self, companies: list[dict[str, Any]], *, lists: bool = False, ignores: bool = False) -> None:
        self.companies, self.lists, self.ignores = companies, lists, ignores

    def __call__(self, request: httpx.Request) -> httpx.Response:
        last = request.url.path.rsplit("/", 1)[1]
        if last != "companies":
            asked = last.split(",")
            there = [item for item in self.companies if item["id"] in asked]
            if len(asked) > 1:
                return ok(there) if self.lists else httpx.Response(404)
            return ok(there[0]) if there else httpx.Response(404)
        query = {key: values[0] for key, values in parse_qs(request.url.query.decode()).items()}
        assert not {"externalId", "filter"} <= set(query), "with both, Kustomer ignores both"
        found = self.companies
        if "externalId" in query and not self.ignores:
            found = [c for c in found if c["attributes"].get("externalId") == query["externalId"]]
        if "filter" in query and not self.ignores:
            found = [c for c in found if query["filter"].lower() in c["attributes"]["name"].lower()]
        page, size = int(query["page"]), int(query["pageSize"])
        more = len(found) > page * size
        return httpx.Response(
            200,
            json={
                "meta": {"page": page, "pageSize": size},
                "links": {"next": f"/v1/companies?page={page + 1}&pageSize={size}" if more else None},
                "data": found[(page - 1) * size : page * size],
            },
        )


def acme(number: int, **attributes: Any) -> dict[str, Any]:
    return company(
        IDS[number % 120] + str(number // 120),
        **{"name": f"Acme {number}", "externalId": f"A-{number}", **attributes},
    )


def test_a_company_is_found_by_its_exact_external_id_only() -> None:
    app = Kustomer(Companies([acme(1), acme(2, deleted=True), acme(3, externalId=None, extenalId="A-3")], ignores=True))
    with client_of(app) as client:
        assert [r.attributes["name"] for r in client.look_up("companies", "externalId", "A-1")] == ["Acme 1"]
        assert [r.attributes["name"] for r in client.look_up("companies", "externalId", "A-3")] == []
        assert client.look_up("companies", "externalId", "A-2") == []
        assert client.look_up("companies", "externalId", "A+9&filter=x") == []
    assert app.paths[-1] == "/v1/companies?externalId=A%2B9%26filter%3Dx&page=1&pageSize=100"


def test_the_misspelt_external_id_of_companies_is_understood() -> None:
    with client_of(answers(ok([company("co1", name="Acme", extenalId="A-3")]))) as client:
        (record,) = client.look_up("companies", "externalId", "A-3")
    assert record.attributes["externalId"] == "A-3"


def test_a_filter_that_is_ignored_costs_pages_and_no_error_of_judgement() -> None:
    with client_of(Kustomer(Companies([acme(number) for number in range(250)], ignores=True))) as client:
        assert [r.attributes["name"] for r in client.look_up("companies", "externalId", "A-205")] == ["Acme 205"]
        assert client.look_up("companies", "externalId", "A-999") == []


def test_all_companies_of_exactly_that_name_are_found() -> None:
    names = ["Acme", "ACME", "Acme Inc", " Acme ", *["Acme x"] * 100, "Acme"]
    app = Companies([acme(number, name=name) for number, name in enumerate(names)])
    with client_of(app) as client:
        found = client.look_up("companies", "name", "Acme ")
    assert [record.attributes["externalId"] for record in found] == ["A-0", "A-3", "A-104"]


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("known", [1, 3, 60, 119])
def test_companies_are_found_by_id_whatever_works(lists: bool, known: int) -> None:
    companies = [acme(number) for number in range(120)]
    app = Kustomer(Companies(companies, lists=lists))
    ids = [item["id"] for item in companies[:known]]
    with client_of(app) as client:
        assert list(client.get_many("companies", [*ids, "nobody"])) == ids
        assert list(client.get_many("companies", ids)) == ids
    assert len(app.requests) <= (8 if known > 3 else 12)


def test_reading_few_of_many_companies_does_not_walk_them_all() -> None:
    companies = [acme(number) for number in range(5000)]
    app = Kustomer(Companies(companies))
    ids = [companies[number]["id"] for number in range(4000, 4020)]
    with client_of(app) as client:
        assert list(client.get_many("companies", ids)) == ids
        assert len(app.requests) <= 1 + 10 + 20
        client.get_many("companies", ids)
        assert len(app.requests) <= 2 * (1 + 10 + 20)


# --- the key


def test_the_token_is_read_once_and_names_org_and_roles() -> None:
    app = Kustomer(answers(ok(token("org.user", "org.permission.bulk.read"))))
    with client_of(app) as client:
        assert client.token() == k.Token("org-1", "sync", ("org.user", "org.permission.bulk.read"))
        assert client.token().org_id == "org-1"
    assert app.paths == ["/v1/auth/tokens/current"]


@pytest.mark.parametrize(
    "roles,read", [(None, ()), ("org", ()), ([{"id": "a"}, {"name": "b"}, 7, None], ("a", "b", "7"))]
)
def test_roles_that_cannot_be_read_are_unknown(roles: object, read: tuple[str, ...]) -> None:
    data = {
        "id": "t",
        "attributes": {"roles": roles},
        "relationships": {"org": {"links": {"self": "/v1/orgs/o2"}}},
    }
    with client_of(answers(ok(data))) as client:
        assert client.token() == k.Token("o2", None, read)


def test_a_token_without_an_org_is_not_accepted() -> None:
    app = answers(ok({"id": "t", "attributes": {}}))
    with client_of(app) as client, pytest.raises(k.UnexpectedAnswerError, match="which org"):
        client.token()
