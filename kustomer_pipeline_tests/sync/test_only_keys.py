"""A run that is asked for certain rows: it looks at them whatever is remembered, and at no others."""

from __future__ import annotations

import pytest

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline.sync import ChangeLimit, RemovalLimit
from kustomer_pipeline_tests.world import World, audience, customers, members, people

ONE = frozenset({"C-1"})


def outcomes(world: World, keys: frozenset[str], rows: list[dict[str, object]]) -> dict[str, list[str]]:
    """The keys by what became of them."""
    found: dict[str, list[str]] = {}
    for key, outcome in world.run(customers(), rows, only_keys=keys).rows[["key", "outcome"]].to_numpy().tolist():
        found.setdefault(outcome, []).append(key)
    return found


def test_a_row_that_has_not_changed_is_looked_at_again(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.agent_edit(world.id_of("p1@example.com"), name="Somebody Else")
    assert world.run(customers(), people(3)).counts.unchanged == 3
    assert outcomes(world, ONE, people(3)) == {"unchanged": ["C-0", "C-2"], "updated": ["C-1"]}
    assert world.customer("C-1")["name"] == "Person 1"


def test_other_rows_that_are_due_wait_and_say_why(world: World) -> None:
    world.run(customers(), people(2))
    report = world.run(customers(), people(4, plan="pro"), only_keys=ONE)
    assert report.rows[["key", "outcome"]].to_numpy().tolist() == [
        ["C-0", "deferred"],
        ["C-1", "updated"],
        ["C-2", "deferred"],
        ["C-3", "deferred"],
    ]
    assert set(report.rows["reason"].dropna()) == {"this run was asked for other rows (only_keys)"}
    later = world.run(customers(), people(4, plan="pro"))
    assert (later.counts.created, later.counts.updated, later.counts.unchanged) == (2, 1, 1)


def test_nothing_is_asked_of_kustomer_for_the_others(world: World) -> None:
    world.run(customers(), people(30))
    one = world.run(customers(), people(30), only_keys=ONE).requests
    assert one <= 2  # whose key it is, and the record


def test_a_row_that_was_refused_for_another_reason_is_tried_with_those_that_were_asked_for(world: World) -> None:
    world.sandbox.seed_customer(externalId="other", emails=[{"email": "p1@example.com"}])
    rows = people(3)
    assert world.run(customers(), rows).counts.rejected == 1
    assert outcomes(world, frozenset({"C-1", "C-2"}), rows) == {"unchanged": ["C-0", "C-2"], "rejected": ["C-1"]}


def test_a_row_whose_record_was_missing_is_looked_for_at_once(world: World) -> None:
    spec = customers(mode="update")
    assert world.run(spec, people(2)).counts.skipped == 2
    world.sandbox.seed_customer(externalId="C-1", emails=[{"email": "p1@example.com"}], name="Old")
    report = world.run(spec, people(2), only_keys=ONE)
    assert (report.counts.updated, report.counts.skipped) == (1, 1)


def test_keys_that_no_row_has_are_told_and_nobody_is_named(world: World) -> None:
    world.run(customers(match_on=("externalId", "email")), people(2))
    keys = frozenset({"C-1", "C-77", "email=jane@private.example"})
    report = world.run(customers(), people(2), only_keys=keys)
    assert report.notes == (
        "2 rows that were asked for are not there: C-77, email=j…@….example (only_keys takes keys as plans and reports "
        "name rows by them)",
    )
    plan = world.plan(customers(), people(2), only_keys=frozenset({"C-77"}))
    assert plan.notes[0].startswith("1 row that was asked for is not there: C-77 ")


def test_an_address_is_the_key_of_its_row_in_capitals_too(world: World) -> None:
    spec = customers(match_on=("email",))
    world.run(spec, people(2))
    report = world.run(spec, people(2, plan="pro"), only_keys=frozenset({"P1@Example.com"}))
    assert (report.counts.updated, report.counts.deferred, report.notes) == (1, 1, ())


def test_with_only_rejected_both_have_to_be_true(world: World) -> None:
    world.sandbox.seed_customer(externalId="other", emails=[{"email": "p1@example.com"}])
    world.run(customers(), people(3))
    report = world.run(customers(), people(3, plan="pro"), only="rejected", only_keys=frozenset({"C-1", "C-2"}))
    assert (report.counts.rejected, report.counts.deferred) == (1, 2)


def test_nobody_leaves_an_audience(world: World) -> None:
    world.run(customers(), people(5))
    spec = audience(max_removals=RemovalLimit(share=1.0))
    world.run(spec, members(4))
    report = world.run(spec, members(2), only_keys=frozenset({"p1@example.com"}))
    assert (report.removed, report.removals.waiting, report.members_now) == (0, 0, 4)
    assert world.plan(spec, members(2), only_keys=frozenset({"p1@example.com"})).counts["untag"] == 0
    assert world.run(spec, members(2)).removed == 2


def test_the_guard_of_mass_changes_judges_what_was_asked_for(world: World) -> None:
    """One row is nobody's accident, although the query would change all of them."""
    spec = customers(max_changes=ChangeLimit(share=0.1))
    world.run(spec, people(150))
    held = world.run(spec, people(150, plan="pro"))
    assert held.changes_held == 150
    report = world.run(spec, people(150, plan="pro"), only_keys=ONE)
    assert (report.counts.updated, report.changes_held) == (1, 0)
    some = frozenset(f"C-{n}" for n in range(120))
    assert world.run(spec, people(150, plan="pro"), only_keys=some).changes_held == 119


def test_a_plan_shows_what_the_run_then_does(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.agent_edit(world.id_of("p1@example.com"), name="Somebody Else")
    plan = world.plan(customers(), people(5), only_keys=ONE)
    assert (plan.counts["update"], plan.counts["create"], plan.counts["defer"]) == (1, 0, 2)
    report = world.run(customers(), people(5), only_keys=ONE)
    assert (report.counts.updated, report.counts.created, report.counts.deferred) == (1, 0, 2)


def test_rows_that_stayed_in_the_warehouse_are_read_when_they_are_asked_for(tmp_path: str) -> None:
    with World(f"sqlite:///{tmp_path}/state.db", in_warehouse=True) as world:
        world.run(customers(), people(3))
        world.sandbox.agent_edit(world.id_of("p1@example.com"), name="Somebody Else")
        assert world.run(customers(), people(3)).counts.unchanged == 3
        assert world.left == 0
        report = world.run(customers(), people(3), only_keys=ONE)
        assert (report.counts.updated, report.counts.unchanged) == (1, 2)
        later = world.run(customers(), people(3))
        assert (later.counts.unchanged, world.left) == (3, 0)


@pytest.mark.parametrize("fault", ["gateway_error_before", "drop_before"])
def test_a_run_that_is_stopped_leaves_the_rest_as_it_was(world: World, fault: str) -> None:
    world.run(customers(), people(3))
    world.sandbox.faults.set(fault)
    with pytest.raises(KustomerError):
        world.run(customers(), people(3, plan="pro"), only_keys=ONE)
    world.sandbox.faults.clear()
    assert world.run(customers(), people(3, plan="pro")).counts.updated == 3


def test_the_share_of_refused_rows_is_of_those_that_were_asked_for(world: World) -> None:
    """Neither the rows that are as they were count, nor invalid ones that nobody asked for."""
    invalid = [{**row, "id": f"X-{n}", "email": "no address"} for n, row in enumerate(people(30))]
    spec = customers(match_on=("email",))
    world.run(spec, people(100))
    world.sandbox.seed_customer(externalId="C-200", emails=[{"email": "other@example.com"}])
    refused, good = ({**people(1)[0], "id": f"C-{n}", "email": f"new{n}@example.com"} for n in (200, 201))
    rows = [*people(100), *invalid, refused, good]
    report = world.run(spec, rows, only_keys=frozenset({"new200@example.com"}))
    assert report.failures == (1, 1)
    report = world.run(spec, rows, only_keys=frozenset({"new201@example.com"}))
    assert (report.failures, report.failure_share) == ((0, 1), 0.0)
