"""An approval of removals lets exactly one set of removals through, and lets it through once."""

from __future__ import annotations

from kustomer_pipeline.sync import RemovalLimit
from kustomer_pipeline_tests.world import World, audience, members

NONE = RemovalLimit(share=0.0, count=0)


def holders(world: World) -> int:
    return sum("vip" in world.sandbox.tag_names(id_) for id_ in world.sandbox.customers)


def test_an_approval_passes_once_however_often_the_same_members_leave(tagged: World) -> None:
    """They leave, they come back, they leave again: the second time somebody has to look again."""
    approved = tagged.plan(audience(), members(3)).removal_plan_id
    assert tagged.run(audience(), members(3), approve_removals=approved).removed == 7
    assert tagged.run(audience(), members(10)).counts.updated == 7
    report = tagged.run(audience(), members(3), approve_removals=approved)
    assert (report.removed, report.removals_held) == (0, 7)
    assert report.removal_plan_id != approved
    assert holders(tagged) == 10
    assert tagged.run(audience(), members(3), approve_removals=report.removal_plan_id).removed == 7


def test_removals_that_are_held_again_and_again_keep_their_id(tagged: World) -> None:
    ids = {tagged.run(audience(), members(3)).removal_plan_id for _ in range(3)}
    assert len(ids) == 1
    assert tagged.plan(audience(), members(3)).removal_plan_id in ids


def test_an_approval_that_was_not_needed_is_not_used_up(tagged: World) -> None:
    """Within the limit nothing is asked, so what was approved stays approved."""
    approved = tagged.plan(audience(), members(3)).removal_plan_id
    report = tagged.run(audience(max_removals=RemovalLimit(share=1.0)), members(9), approve_removals=approved)
    assert report.removed == 1
    again = tagged.run(audience(), members(9))
    assert (again.removed, again.removals_held) == (0, 0)


def test_an_approval_is_used_up_before_anything_of_it_is_sent(tagged: World) -> None:
    """The key is withdrawn in the middle: what is left of the set is asked for anew."""
    approved = tagged.plan(audience(), members(3)).removal_plan_id
    tagged.sandbox.faults.set("unauthorized", method="PUT")
    stopped = tagged.run(audience(), members(3), approve_removals=approved)
    assert stopped.interrupted is not None
    tagged.sandbox.faults.clear("unauthorized")
    report = tagged.run(audience(), members(3), approve_removals=approved)
    assert (report.removed, report.removals_held) == (0, 7)


def test_an_approval_of_one_audience_is_none_of_anothers(tagged: World) -> None:
    other = audience(name="other", tag="other", max_removals=NONE)
    tagged.run(other, members(10))
    approved = tagged.run(audience(max_removals=NONE), members(3)).removal_plan_id
    assert tagged.run(other, members(3), approve_removals=approved).removals_held == 7


def test_a_list_to_remove_is_approved_once(tagged: World) -> None:
    spec = audience(name="no-vip", mode="remove", max_removals=RemovalLimit(count=3))
    approved = tagged.run(spec, members(5)).removal_plan_id
    assert tagged.run(spec, members(5), approve_removals=approved).counts.updated == 5
    (vip,) = tagged.sandbox.tags
    for n in range(5):
        tagged.sandbox.agent_edit(tagged.id_of(f"p{n}@example.com"), tags=[vip])
    report = tagged.run(spec, members(5), approve_removals=approved, full_resync=True)
    assert (report.counts.updated, report.removals_held) == (0, 5)
    assert holders(tagged) == 10


def test_an_approval_of_changes_is_none_of_removals(tagged: World) -> None:
    approved = tagged.plan(audience(), members(3)).removal_plan_id
    report = tagged.run(audience(), members(3), approve_changes=approved)
    assert (report.removed, report.removals_held) == (0, 7)
