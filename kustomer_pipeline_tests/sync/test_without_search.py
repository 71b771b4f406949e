"""A key without the role for searches: whoever was not in Kustomer is found on the day it is."""

from __future__ import annotations

import pytest

from kustomer_pipeline.sandbox.roles import ALL_ROLES
from kustomer_pipeline_tests.world import World, audience, customers, members, people


@pytest.fixture(params=["the key lacks the role", "searches are forbidden"])
def world(world: World, request: pytest.FixtureRequest) -> World:
    if request.param == "the key lacks the role":
        world.api_key = world.sandbox.add_api_key([role for role in ALL_ROLES if "search" not in role])
    else:
        world.sandbox.faults.set("search_forbidden")
    return world


def test_a_member_who_was_missing_is_found_on_a_later_day(world: World) -> None:
    rows = members(3)
    assert world.run(audience(), rows).absent == 3
    id_ = world.sandbox.seed_customer(emails=[{"email": "p1@example.com"}])
    world.hours_pass(24)
    report = world.run(audience(), rows)
    assert (report.counts.updated, report.absent) == (1, 2)
    assert world.sandbox.tag_names(id_) == ["vip"]


def test_a_row_to_update_that_was_missing_is_found_on_a_later_day(world: World) -> None:
    spec = customers(mode="update")
    assert world.run(spec, people(3)).absent == 3
    id_ = world.sandbox.seed_customer(externalId="C-1", name="Old")
    world.hours_pass(24)
    assert world.run(spec, people(3)).counts.updated == 1
    assert world.sandbox.customers[id_]["name"] == "Person 1"


def test_a_whole_audience_that_was_missing_is_found_on_a_later_day(world: World) -> None:
    rows = members(150)
    assert world.run(audience(), rows).absent == 150
    for row in rows:
        world.sandbox.seed_customer(emails=[{"email": row["email"]}])
    world.hours_pass(24)
    assert world.run(audience(), rows).counts.updated == 150
