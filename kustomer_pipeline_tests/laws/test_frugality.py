"""DESIGN: units of the org's API budget per record. Requests are exact, so they are counted, not timed."""

import pytest

from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

ROWS = 1000


@pytest.mark.parametrize("faults", [[], ["search_in_refused"]], ids=["in", "no-in"])
def test_first_load_all_new(world: World, faults: list[str]) -> None:
    for fault in faults:
        world.sandbox.faults.set(fault)
    report = world.run(customers(), people(ROWS))
    assert ROWS == report.counts.created
    assert world.sandbox.units() <= 0.05 * ROWS


@pytest.mark.parametrize("faults", [[], ["search_in_refused"]], ids=["in", "no-in"])
def test_first_load_all_exist_already(world: World, faults: list[str]) -> None:
    for row in people(ROWS):
        world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}], name="old")
    for fault in faults:
        world.sandbox.faults.set(fault)
    report = world.run(customers(), people(ROWS))
    assert ROWS == report.counts.updated
    assert world.sandbox.units() <= 0.07 * ROWS


def test_update_of_known_records(world: World) -> None:
    world.run(customers(), people(ROWS))
    report = world.run(customers(), people(ROWS, plan="pro"))
    assert ROWS == report.counts.updated
    assert world.sandbox.units() <= 0.06 * ROWS


def test_unchanged_rows_cost_nothing(world: World) -> None:
    world.run(customers(), people(ROWS))
    report = world.run(customers(), people(ROWS))
    assert ROWS == report.counts.unchanged
    assert ["/v1/auth/tokens/current"] == [record.path for record in world.sandbox.requests]


def test_an_unchanged_audience_costs_nothing(world: World) -> None:
    world.run(customers(), people(ROWS))
    assert ROWS == world.run(audience(), members(ROWS)).counts.updated
    assert world.sandbox.units() <= 0.06 * ROWS
    report = world.run(audience(), members(ROWS))
    assert ROWS == report.counts.unchanged
    assert 1 == world.sandbox.units()


def test_companies_are_not_asked_for_one_by_one(world: World) -> None:
    rows = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(ROWS)]
    assert ROWS == world.run(companies(), rows).counts.created
    assert world.sandbox.units() <= 0.05 * ROWS
    changed = [{**row, "name": row["name"] + " Ltd"} for row in rows]
    assert ROWS == world.run(companies(), changed).counts.updated
    assert world.sandbox.units() <= 0.06 * ROWS
