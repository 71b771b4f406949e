"""A change that would give a record the identifier of another: a plan sees it, as the run does by trying."""

from __future__ import annotations

from typing import Any

from kustomer_pipeline_tests.world import World, customers, people


def both(world: World, rows: list[dict[str, Any]]) -> tuple[dict[str, int], dict[str, int]]:
    """What a plan and a run make of the rows: (update, create, refused)."""
    plan, spec = world.plan(customers(), rows), customers()
    report = world.run(spec, rows)
    planned = {name: plan.counts[action] for name, action in NAMES.items()}
    return planned, {name: getattr(report.counts, name) for name in NAMES}


NAMES = {"created": "create", "updated": "update", "rejected": "reject"}


def test_an_address_of_a_record_that_is_no_row_any_more(world: World) -> None:
    world.run(customers(), people(3))
    rows = [{**people(3)[0], "email": people(3)[2]["email"]}, people(3)[1]]  # and the third is gone
    for _ in range(2):  # today, and in every plan after
        planned, done = both(world, rows)
        assert planned == done == {"created": 0, "updated": 0, "rejected": 1}
    plan = world.plan(customers(), rows)
    assert plan.id is None
    assert "its email belongs to another record in Kustomer" in plan.changes["reason"].iloc[0]


def test_an_address_that_a_row_gives_up_in_the_same_run_is_no_refusal_of_the_plan(world: World) -> None:
    world.run(customers(), people(2))
    first, second = people(2)
    rows = [{**first, "email": "new@example.com"}, {**second, "email": first["email"]}]
    assert world.plan(customers(), rows).counts["reject"] == 0


def test_what_was_refused_as_new_is_not_planned_as_new_again(world: World) -> None:
    """Nobody is looked for by an externalId that is not in match_on."""
    world.sandbox.seed_customer(externalId="C-0", emails=[{"email": "somebody@example.com"}])
    spec, rows = customers(match_on=("email",)), people(1)
    assert world.plan(spec, rows).counts["create"] == 1
    assert world.run(spec, rows).counts.rejected == 1
    plan = world.plan(spec, rows)
    assert (plan.counts["create"], plan.counts["reject"], plan.id) == (0, 1, None)
    assert world.run(spec, rows).counts.rejected == 1


def test_looking_costs_nothing_where_no_identifier_changes(world: World) -> None:
    world.run(customers(), people(200))
    world.plan(customers(), people(200, plan="pro"))
    assert world.sandbox.count("GET") < 20


def test_it_looks_for_two_hundred_at_most(world: World) -> None:
    world.run(customers(), people(400))
    rows = [{**row, "email": f"new{number}@example.com"} for number, row in enumerate(people(400))]
    plan = world.plan(customers(), rows)
    assert plan.counts["update"] == 400
    looked = [one for one in world.sandbox.requests if "/customers/email=" in one.path]
    assert len(looked) <= 200
