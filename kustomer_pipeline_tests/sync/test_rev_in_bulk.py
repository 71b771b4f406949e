"""Whether an org takes `rev` in bulk updates is found out once, and never by a lost answer."""

import pytest

from kustomer_pipeline_tests.world import World, customers, people


@pytest.mark.parametrize("lost", ["drop_before", "gateway_error_before", "drop_after"])
def test_a_lost_answer_says_nothing_about_rev(world: World, lost: str) -> None:
    """PUT 1 (all rows, rev): 400. PUT 2 (one row, rev): its answer is lost. That is no yes."""
    world.run(customers(), people(20))
    world.sandbox.faults.set("bulk_rev_refused")
    world.sandbox.faults.set(lost, times=1, after=1, method="PUT", path="/v1/customers/bulk")
    world.run(customers(), people(20, plan="pro"))
    world.hours_pass(1)
    report = world.run(customers(), people(20, plan="max"))
    assert (report.counts.updated, report.counts.rejected) == (20, 0), report.rows["reason"].dropna().unique()


def test_a_lost_answer_to_the_second_question_does_not_take_rev_away(world: World) -> None:
    """An org that takes rev. PUT 1: refused for a bad row. PUT 2 (the bad row, rev): 400. PUT 3 (it, no rev): lost."""
    world.run(customers(), people(20))
    world.sandbox.faults.set("item_form_refused")
    world.sandbox.faults.set("drop_before", times=1, after=2, method="PUT", path="/v1/customers/bulk")
    rows = people(20, plan="pro")
    rows[0]["name"] = "POISON"
    world.run(customers(), rows)
    world.sandbox.faults.clear()
    world.hours_pass(1)
    world.run(customers(), people(20, plan="max"))
    items = [item for one in world.sandbox.requests if one.method == "PUT" for item in one.json()]
    assert items
    assert all("rev" in item for item in items)
