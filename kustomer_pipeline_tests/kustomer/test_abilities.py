"""What key and org can do: from the roles where they tell, corrected by what happens; and what the wire takes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import Kustomer, answers, client_of, customer, ok, token

FOUR = ("org.user.customer.read", "org.user.customer.write", "org.user.company.read", "org.user.company.write")


def test_a_key_with_the_four_documented_roles_writes_and_reads_one_by_one() -> None:
    with client_of(answers(ok(token(*FOUR)))) as client:
        client.token()
        able = client.abilities
    assert all(able.may(f"{one}.{do}") for one in ("customer", "company") for do in ("read", "create", "update"))
    assert (able.bulk("customers"), able.bulk("companies"), able.search) == (False, False, False)
    assert able.tags_readable is None
    lines = able.lines()
    assert len(lines) == 2
    assert "org.permission.bulk.read" in lines[0]
    assert "org.permission.search.create" in lines[1]


@pytest.mark.parametrize("roles", [(), ("org",), ("org.admin",), ("org.permission",)])
def test_what_is_not_surely_missing_is_tried(roles: tuple[str, ...]) -> None:
    with client_of(answers(ok(token(*roles)))) as client:
        assert client.abilities.may("bulk.read") is None
        client.token()
        assert client.abilities.bulk("customers")
        assert client.abilities.search
        assert client.abilities.lines() == []


def test_a_key_that_surely_may_not_search_does_not_ask() -> None:
    app = Kustomer(answers(ok(token(*FOUR))))
    with client_of(app) as client:
        client.token()
        assert client.search("customers", "email", ["a@b.c"]) == {}
    assert len(app.requests) == 1


def test_a_refusal_at_run_time_corrects_what_the_roles_say_and_so_does_success() -> None:
    with client_of(answers(ok(token("org.permission")), httpx.Response(403))) as client:
        client.token()
        assert client.abilities.may("bulk.read") is True
        with pytest.raises(k.PermissionDeniedError):
            client.bulk_answer("b1")
        assert client.abilities.may("bulk.read") is False
        assert not client.abilities.bulk("customers")
    with client_of(answers(ok(token("org.permission.bulk")), ok(customer("c1", externalId="7")))) as client:
        client.token()
        assert client.abilities.may("customer.read") is False
        client.look_up("customers", "externalId", "7")
        assert client.abilities.may("customer.read") is True


# --- the wire


def test_the_size_of_an_item_is_what_it_adds_to_the_body() -> None:
    wire, items = k.Wire(), [{"_clientRef": "1", "name": "Zoë"}, {"_clientRef": "2", "name": "Jane"}]
    assert sum(map(wire.item_size, items)) + 1 == k.body_size(items)
    assert (wire.max_items, wire.max_bytes) == (100, 95_000)


def test_rev_is_taken_until_it_was_refused_and_never_by_bulk_updates_of_companies() -> None:
    wire = k.Wire()
    assert wire.takes_rev("customers", "update")
    assert not wire.takes_rev("companies", "update")
    assert wire.takes_rev("companies", "update", bulk=False)
    assert not wire.takes_rev("customers", "create")
    assert not wire.rev_is_known("customers")
    wire.rev_accepted("customers")
    assert wire.rev_is_known("customers")
    wire.rev_refused("customers")
    assert not wire.takes_rev("customers", "update")


def test_company_updates_take_fewer_keys_than_creates() -> None:
    wire = k.Wire()
    create, single, bulk = (
        wire.writable("companies", operation, in_bulk)  # type: ignore[arg-type]  # the words of Operation
        for operation, in_bulk in (("create", True), ("update", False), ("update", True))
    )
    assert create is not None
    assert single is not None
    assert bulk is not None
    assert create - single == {"createdAt", "importedAt"}
    assert single - bulk == {"whatsapps", "rev"}
    assert bulk - create == {"id", "deleted"}
    assert wire.writable("customers", "update", True) is None


def test_what_was_found_out_goes_through_json_into_the_next_client() -> None:
    wire = k.Wire()
    wire.rev_refused("customers")
    wire.id_lists("customers").works, wire.id_lists("customers").at_most = True, 25
    wire.searches("customers", "email").in_works = False
    wire.sort_works = False
    again = k.Wire()
    again.recall(json.loads(json.dumps(wire.learned())))
    assert again.learned() == wire.learned()


@pytest.mark.parametrize(
    "learned",
    [
        {},
        {"rev": 7, "ids": [], "search": "x", "search_page_size": 7, "sort": None},
        {"rev": {"customers": "no"}, "ids": {"customers": [True]}, "search": {"customers.email": [1, 2]}},
        {"ids": {"customers": [True, 0, 0], "companies": None}, "search": {"people.email": [True, 20, 100, 400]}},
        {"ids": {"customers": [True, 10**9, 5]}},
    ],
)
def test_what_does_not_look_like_it_is_passed_over(learned: dict[str, Any]) -> None:
    wire = k.Wire()
    wire.recall(learned)
    assert wire.learned() == k.Wire().learned()
