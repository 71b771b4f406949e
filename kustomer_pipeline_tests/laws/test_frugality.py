"""Units of the org's API budget per record, as docs/architecture.md promises them: requests are exact, so they are
counted.

Search takes 20 criteria a request, and `in` does not work: the dearest Kustomer that the contract allows.
"""

import pytest

from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

ROWS = 3000


@pytest.fixture
def dear(world: World) -> World:
    """A Kustomer without `in`."""
    world.sandbox.faults.set("search_in_refused")
    return world


def seed(world: World, count: int) -> None:
    for row in people(count):
        world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}], name="old")


def test_first_load_all_new(dear: World) -> None:
    report = dear.run(customers(), people(ROWS))
    assert report.counts.created == ROWS
    assert dear.sandbox.units() <= 0.025 * ROWS


def test_first_load_all_exist_already(dear: World) -> None:
    seed(dear, ROWS)
    report = dear.run(customers(), people(ROWS))
    assert report.counts.updated == ROWS
    assert dear.sandbox.units() <= 0.045 * ROWS


def test_update_of_known_records(dear: World) -> None:
    dear.run(customers(), people(ROWS))
    report = dear.run(customers(), people(ROWS, plan="pro"))
    assert report.counts.updated == ROWS
    assert dear.sandbox.units() <= 0.035 * ROWS


def test_an_audience_of_known_customers(dear: World) -> None:
    dear.run(customers(), people(ROWS))
    report = dear.run(audience(), members(ROWS))
    assert report.counts.updated == ROWS
    assert dear.sandbox.units() <= 0.035 * ROWS
    assert dear.run(audience(), members(ROWS)).counts.unchanged == ROWS
    assert dear.sandbox.units() == 1


def test_unchanged_rows_cost_nothing(world: World) -> None:
    world.run(customers(), people(ROWS))
    report = world.run(customers(), people(ROWS))
    assert report.counts.unchanged == ROWS
    assert [record.path for record in world.sandbox.requests] == ["/v1/auth/tokens/current"]


def test_companies_are_not_asked_for_one_by_one(dear: World) -> None:
    rows = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(1000)]
    assert dear.run(companies(), rows).counts.created == 1000
    assert dear.sandbox.units() <= 0.05 * 1000
    changed = [{**row, "name": row["name"] + " Ltd"} for row in rows]
    assert dear.run(companies(), changed).counts.updated == 1000
    assert dear.sandbox.units() <= 0.06 * 1000


def test_few_rows_into_a_large_org_are_searched_for(dear: World) -> None:
    """A walk through ten thousand customers would cost a hundred requests."""
    seed(dear, 10_000)
    report = dear.run(customers(), people(300))
    assert report.counts.updated == 300
    assert dear.sandbox.count("GET", "/v1/customers?") == 0
    assert dear.sandbox.units() <= 60


def test_a_load_as_large_as_the_org_walks_through_its_list(dear: World) -> None:
    seed(dear, 5000)
    dear.run(customers(), people(5000))
    assert dear.sandbox.count("POST", "/v1/customers/search") <= 6
