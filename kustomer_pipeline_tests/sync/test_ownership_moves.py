"""Whose a tag is after customers were merged and addresses moved: what this sync gave is taken back, nothing else.

A member is who it is in Kustomer now: customers are merged there, appear there, get other addresses there. Each test
changes Kustomer between two runs, and looks at who holds the tag afterwards.
"""

from __future__ import annotations

import pytest

from kustomer_pipeline.sync import RunOptions, StateStore, run_sync
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.sync.vips import SCOPES, holders, tag, vips
from kustomer_pipeline_tests.world import World, customers, frame_of, members, people


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("full_resync", [False, True])
@pytest.mark.parametrize("order", ["the one that was tagged first", "the other one first"])
def test_a_member_who_was_merged_into_somebody_who_comes_back_is_untagged_when_both_leave(
    tagged: World, scope: str, full_resync: bool, order: str
) -> None:
    """The survivor has the tag from the merged one, to whom this sync gave it; both are in the query for a while."""
    spec = vips(mirror_scope=scope)
    tagged.run(spec, members(9))
    survivor = tagged.id_of("p9@example.com")
    tagged.sandbox.agent_merge(tagged.id_of("p0@example.com"), survivor)
    both = [{"email": "p0@example.com"}, {"email": "p9@example.com"}]
    rows = both if order == "the one that was tagged first" else both[::-1]
    for _ in range(2):
        tagged.run(spec, [*rows, *members(8, start=1)], full_resync=full_resync)
        assert survivor in holders(tagged)
    assert tagged.run(spec, members(8, start=1)).removed == 1
    assert survivor not in holders(tagged)


@pytest.mark.parametrize("first, back", [(0, 9), (9, 0)])
def test_two_members_who_became_one_leave_and_either_of_them_comes_back(tagged: World, first: int, back: int) -> None:
    """Both rows are done with when they have left: that one of them was skipped beside the other says nothing later."""
    tagged.run(vips(), members(10))
    tagged.sandbox.agent_merge(tagged.id_of("p0@example.com"), survivor := tagged.id_of("p9@example.com"))
    rows = [{"email": f"p{n}@example.com"} for n in (first, 9 - first)]
    for _ in range(2):
        tagged.run(vips(), [*rows, *members(8, start=1)], full_resync=True)
    tagged.run(vips(), members(8, start=1))
    assert survivor not in holders(tagged)
    tagged.run(vips(), [{"email": f"p{back}@example.com"}, *members(8, start=1)])
    assert survivor in holders(tagged)


def test_a_row_beside_a_refused_row_of_the_same_member_is_tried_once_it_is_alone(tagged: World) -> None:
    """It was skipped because the other row would tag the member; nobody did, and the other row is gone."""
    one, other = tagged.id_of("p18@example.com"), tagged.id_of("p19@example.com")
    tagged.sandbox.agent_merge(one, other)
    full = [f"agent {n}" for n in range(20)]
    tagged.sandbox.agent_edit(other, tags=full)  # no room for one tag more
    both = [{"email": "p18@example.com"}, {"email": "p19@example.com"}]
    outcomes = list(tagged.run(vips(), [*both, *members(10)]).rows["outcome"][:2])
    assert outcomes == ["rejected", "skipped"]
    tagged.sandbox.agent_edit(other, tags=[])
    tagged.run(vips(), [both[1], *members(10)])
    assert other in holders(tagged)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("full_resync", [False, True])
def test_an_address_that_moved_to_a_member_who_leaves_keeps_the_tag_there_and_nowhere_else(
    tagged: World, scope: str, full_resync: bool
) -> None:
    """The customer who had the address is nobody in the query any more, and must not be forgotten."""
    before, now = tagged.id_of("p3@example.com"), tagged.id_of("p5@example.com")
    tagged.sandbox.agent_edit(before, emails=[{"email": "former@example.com"}])
    tagged.sandbox.agent_edit(now, emails=[{"email": "p5@example.com"}, {"email": "p3@example.com"}])
    rows = [row for row in members(10) if row["email"] != "p5@example.com"]
    tagged.run(vips(mirror_scope=scope), rows, full_resync=full_resync)
    for _ in range(2):
        tagged.run(vips(mirror_scope=scope), rows, full_resync=True)
    assert (now in holders(tagged), before in holders(tagged)) == (True, False)


@pytest.mark.parametrize("full_resync", [False, True])
def test_an_address_that_moved_to_a_customer_whom_an_agent_tagged_leaves_the_agents_tag(
    tagged: World, full_resync: bool
) -> None:
    """The sync gave the tag to the customer who had the address before, and not to the one who has it now."""
    before, now = tagged.id_of("p0@example.com"), tagged.id_of("p15@example.com")
    tagged.sandbox.agent_edit(now, tags=[tag(tagged)])
    tagged.sandbox.agent_edit(before, emails=[{"email": "former@example.com"}])
    tagged.sandbox.agent_edit(now, emails=[{"email": "p15@example.com"}, {"email": "p0@example.com"}])
    for rows in (members(10), members(10), members(9, start=1), members(9, start=1)):
        tagged.run(vips(), rows, full_resync=full_resync)
    assert (now in holders(tagged), before in holders(tagged)) == (True, False)


def test_members_whose_removal_was_lost_are_still_ours(world: World) -> None:
    """The sync gave the tag; the removal never happened; back in mode mirror, whoever leaves is untagged."""
    world.run(customers(), people(4))
    world.run(vips(), members(4))
    removing = vips(mode="remove")
    world.sandbox.faults.set("agent_touch_after_read")  # so that Kustomer refuses the job: another rev
    fuse = oracle.Fuse(-1, transport=InProcess(world.sandbox.app, world.clock))
    with (
        pytest.raises(oracle.Died),
        world.client(transport=fuse) as client,
        StateStore.open(world.state_url, clock=world.clock) as state,
        fuse.lit(),
    ):
        run_sync(
            removing, removing.map(frame_of(removing, members(4))), client=client, state=state, options=RunOptions("r")
        )
    world.sandbox.faults.clear()
    world.hours_pass(1)
    world.run(vips(), members(4))
    world.run(vips(), members(2))
    world.run(vips(), members(2))
    assert sum("vip" in world.sandbox.tag_names(id_) for id_ in world.sandbox.customers) == 2
