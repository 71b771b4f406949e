"""Lists that are walked page by page while the org changes (docs/kustomer.md sections 4.1, 4.6 and 5)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox
from kustomer_pipeline.sandbox.ordering import Key, Order

from .conftest import Api


def _walk(api: Api, path: str) -> list[str]:
    """The ids of all pages, by following `next`."""
    ids = []
    following: str | None = path
    while following:
        page = api.get(following).json
        ids += [item["id"] for item in page["data"]]
        following = page["links"]["next"]
    return ids


@pytest.mark.parametrize("sort", ["createdAt", "-createdAt", "updatedAt", "-updatedAt"])
def test_every_order_has_every_customer_once_whatever_was_changed_or_deleted(
    api: Api, sandbox: Sandbox, clock: ManualClock, sort: str
) -> None:
    dice = random.Random(sort)
    ids = []
    for number in range(60):
        when: dict[str, Any] = {"createdAt": f"20{dice.randrange(10, 26)}-01-01T00:00:00Z"} if number % 3 else {}
        ids.append(sandbox.seed_customer(name=f"Customer {number}", **when))
        clock.advance(dice.randrange(3))
        if number % 7 == 0:
            _walk(api, f"/v1/customers?sort={sort}&pageSize=10")
        sandbox.touch(dice.choice(list(sandbox.customers)))
        if number % 5 == 0:
            sandbox.agent_delete(dice.choice(list(sandbox.customers)))
    field = sort.removeprefix("-")
    keys = sorted(((one[field], customer) for customer, one in sandbox.customers.items()), reverse=sort[0] == "-")
    assert _walk(api, f"/v1/customers?sort={sort}&pageSize=7") == [customer for _, customer in keys]
    assert api.get("/v1/customers?pageSize=7").json["meta"]["total"] == len(sandbox.customers)


def test_filters_of_both_times_hold_together(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    ids = []
    for _ in range(4):
        ids.append(sandbox.seed_customer())
        clock.advance(60)
    sandbox.touch(ids[0])
    since = sandbox.customers[ids[2]]["updatedAt"]
    query = f"filter[updatedAt][gte]={since}&filter[createdAt][lt]={since}"
    assert _walk(api, f"/v1/customers?{query}&pageSize=1") == [ids[0]]
    assert _walk(api, f"/v1/customers?filter[updatedAt][gte]={since}&sort=-updatedAt") == [ids[0], ids[3], ids[2]]


def test_a_page_beyond_the_last_is_empty(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer()
    sandbox.seed_company(name="Acme")
    for path in ("/v1/customers?page=2", "/v1/customers?page=2&sort=-createdAt", "/v1/companies?page=2"):
        page = api.get(path).json
        assert (page["data"], page["links"]["next"]) == ([], None)


def test_an_order_is_what_sorting_would_give_however_it_came_about() -> None:
    dice = random.Random(7)
    order, model = Order(), set[Key]()
    for step in range(3000):
        key = (f"{dice.randrange(50):02}", f"{dice.randrange(20):02}")
        before = dice.choice(sorted(model)) if model and dice.random() < 0.6 else None
        after = key if key not in model and dice.random() < 0.8 else None
        model.discard(before or ("", ""))
        model |= {after} if after else set()
        order.move(before, after)
        if step % dice.choice([1, 7, 50]) == 0:
            assert order.keys() == sorted(model)
    assert order.keys() == sorted(model)
