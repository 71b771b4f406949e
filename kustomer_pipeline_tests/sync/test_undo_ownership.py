"""An undo goes change by change, counts what Kustomer has confirmed, and takes whose a tag is back as well."""

from __future__ import annotations

import pytest

from kustomer_pipeline.sync import StateStore, UndoReport, undo_run
from kustomer_pipeline_tests.sync.vips import keys_of_holders, numbers, vips
from kustomer_pipeline_tests.world import World, customers, members, people


def undo(world: World, run_id: str) -> UndoReport:
    with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        return undo_run(run_id, client=client, state=state)


@pytest.fixture
def tagged(world: World) -> World:
    """Ten customers, the first six of them tagged by the run called `tagging`."""
    world.run(customers(), people(10))
    assert world.run(vips(), members(6), run_id="tagging").counts.updated == 6
    return world


# --- change by change ---------------------------------------------------------------------------------------------


def test_an_agents_tag_that_was_given_between_two_audiences_of_a_run_stays(world: World) -> None:
    world.run(customers(), people(3))
    world.run(vips(), members(3), run_id="both")
    mine = world.sandbox.seed_tag("by hand")
    id_ = world.id_of("p0@example.com")
    world.sandbox.agent_edit(id_, tags=[*world.sandbox.customers[id_]["tags"], mine])
    world.run(vips(name="gold", tag="gold"), members(3), run_id="both")
    assert undo(world, "both").restored == 3
    assert world.sandbox.tag_names(id_) == ["by hand"]
    assert (keys_of_holders(world), keys_of_holders(world, "gold")) == (set(), set())


def test_an_agents_edit_between_two_syncs_of_a_run_stays(world: World) -> None:
    """The first sync wrote the plan, an agent the name, the second sync the tag."""
    world.run(customers(), people(1))
    world.run(customers(), people(1, plan="pro"), run_id="both")
    id_ = world.id_of("p0@example.com")
    world.sandbox.agent_edit(id_, name="By an agent")
    world.run(vips(), members(1), run_id="both")
    undo(world, "both")
    after = world.sandbox.customers[id_]
    assert (after["name"], after["custom"]["planStr"], after["tags"]) == ("By an agent", "free", [])


# --- whose a tag is -----------------------------------------------------------------------------------------------


def test_a_member_whom_an_undo_tagged_again_is_untagged_when_the_audience_says_so_again(tagged: World) -> None:
    tagged.run(vips(), members(4), run_id="leaving")
    assert undo(tagged, "leaving").restored == 2
    assert keys_of_holders(tagged) == numbers(*range(6))
    report = tagged.run(vips(), members(4))
    assert (report.removed, report.members) == (2, 6)
    assert keys_of_holders(tagged) == numbers(*range(4))


def test_after_the_undo_of_a_tagging_run_an_agents_own_tag_stays(tagged: World) -> None:
    assert undo(tagged, "tagging").restored == 6
    assert keys_of_holders(tagged) == set()
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.agent_edit(tagged.id_of("p0@example.com"), tags=[vip])
    for rows in (members(6), members(6, start=4), members(6)):
        tagged.run(vips(), rows)
        assert "C-0" in keys_of_holders(tagged)


def test_a_tag_that_somebody_took_away_after_the_run_is_nobodys(tagged: World) -> None:
    """The undo has nothing to write for this member; whose the tag is goes back all the same."""
    id_ = tagged.id_of("p0@example.com")
    tagged.sandbox.agent_edit(id_, tags=[])
    undo(tagged, "tagging")
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.agent_edit(id_, tags=[vip])
    tagged.run(vips(), members(5, start=1))
    assert "C-0" in keys_of_holders(tagged)


def test_a_tag_that_somebody_gave_back_before_the_undo_is_theirs(tagged: World) -> None:
    """Untagged by a run, tagged again by an agent: the undo finds it there, and it is not the sync's to take."""
    tagged.run(vips(), members(5, start=1), run_id="leaving")
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.agent_edit(tagged.id_of("p0@example.com"), tags=[vip])
    undo(tagged, "leaving")
    tagged.run(vips(), members(5, start=1))
    assert "C-0" in keys_of_holders(tagged)


def test_an_undo_that_is_undone_gives_the_tags_back_to_the_sync(tagged: World) -> None:
    undo(tagged, "tagging")
    assert undo(tagged, "undo tagging").restored == 6
    assert keys_of_holders(tagged) == numbers(*range(6))
    assert tagged.run(vips(), members(4)).removed == 2
    assert keys_of_holders(tagged) == numbers(*range(4))


def test_ownership_follows_also_when_the_answer_to_the_undo_was_lost(tagged: World) -> None:
    tagged.run(vips(), members(4), run_id="leaving")
    tagged.sandbox.faults.set("drop_after", method="PUT", path="/v1/customers/bulk", times=1)
    undo(tagged, "leaving")
    assert keys_of_holders(tagged) == numbers(*range(6))
    assert tagged.run(vips(), members(4)).removed == 2
    assert keys_of_holders(tagged) == numbers(*range(4))


# --- counted after the answer -------------------------------------------------------------------------------------


def test_what_kustomer_does_not_let_the_undo_write_is_not_restored(tagged: World) -> None:
    tagged.sandbox.faults.set("role_removed", "org.permission.customer.update", method="PUT")
    report = undo(tagged, "tagging")
    assert report.restored == 0
    assert "restored" not in set(report.rows["outcome"])
    assert report.interrupted is not None
    assert keys_of_holders(tagged) == numbers(*range(6))


def test_what_kustomer_refuses_row_by_row_is_not_restored_and_the_rest_is(tagged: World) -> None:
    world = tagged
    world.run(customers(), people(10, plan="pro"), run_id="changing")
    world.sandbox.declare_custom("customer", planStr={"type": "string", "enumeration": ["pro", "max"]})
    report = undo(world, "changing")
    assert (report.restored, set(report.rows["outcome"])) == (0, {"rejected"})
    assert report.rows["reason"].str.contains("Kustomer refused it").all()
    assert {one["custom"]["planStr"] for one in world.sandbox.customers.values()} == {"pro"}


def test_an_undo_whose_jobs_do_not_end_says_so(tagged: World) -> None:
    tagged.sandbox.faults.set("job_stuck")
    report = undo(tagged, "tagging")
    assert (report.restored, set(report.rows["outcome"])) == (0, {"deferred"})
    tagged.sandbox.faults.clear("job_stuck")
    tagged.sandbox.release_jobs()
    tagged.hours_pass(0.1)
    report = undo(tagged, "tagging")
    assert keys_of_holders(tagged) == set()
    assert set(report.rows["outcome"]) == {"restored"}


# --- what was taken back is not taken back once more --------------------------------------------------------------


def test_a_tag_that_an_agent_gives_after_an_undo_stays_when_the_same_is_undone_again(tagged: World) -> None:
    undo(tagged, "tagging")
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.agent_edit(tagged.id_of("p0@example.com"), tags=[vip])
    report = undo(tagged, "tagging")
    assert (report.restored, set(report.rows["outcome"])) == (0, {"restored"})
    assert report.rows["reason"].unique().tolist() == ["an earlier undo has settled it"]
    assert keys_of_holders(tagged) == {"C-0"}


def test_what_the_undo_found_taken_away_already_is_settled_too(tagged: World) -> None:
    id_, (vip,) = tagged.id_of("p0@example.com"), tagged.sandbox.tags
    tagged.sandbox.agent_edit(id_, tags=[])
    undo(tagged, "tagging")
    tagged.sandbox.agent_edit(id_, tags=[vip])
    undo(tagged, "tagging")
    assert keys_of_holders(tagged) == {"C-0"}


def test_what_a_later_run_gave_is_not_the_earlier_runs_to_take_back(tagged: World) -> None:
    """Tagged, untagged, tagged again: the last of them is what counts, and the first is not it."""
    tagged.run(vips(), members(5, start=1))
    tagged.run(vips(), members(6), run_id="again")
    report = undo(tagged, "tagging")
    assert keys_of_holders(tagged) == {"C-0"}
    assert report.restored == 5
    assert undo(tagged, "again").restored == 1
    assert keys_of_holders(tagged) == set()


def test_what_a_later_run_wrote_stays_though_it_looks_the_same(world: World) -> None:
    world.run(customers(), people(1))
    for plan, run_id in (("pro", "first"), ("max", "second"), ("pro", "third")):
        world.run(customers(), people(1, plan=plan), run_id=run_id)
    assert undo(world, "first").rows["outcome"].tolist() == ["changed since"]
    assert world.customer("C-0")["custom"]["planStr"] == "pro"


def test_runs_that_are_undone_the_newest_first_go_all_the_way_back(world: World) -> None:
    world.run(customers(), people(1))
    for plan, run_id in (("pro", "first"), ("max", "second"), ("pro", "third")):
        world.run(customers(), people(1, plan=plan), run_id=run_id)
    assert [undo(world, run_id).restored for run_id in ("third", "second", "first")] == [1, 1, 1]
    assert world.customer("C-0")["custom"]["planStr"] == "free"


def test_a_run_can_be_undone_again_once_its_undo_was_undone(tagged: World) -> None:
    undo(tagged, "tagging")
    undo(tagged, "undo tagging")
    with tagged.client() as client, StateStore.open(tagged.state_url, clock=tagged.clock) as state:
        assert undo_run("tagging", client=client, state=state, as_run="once more").restored == 6
    assert keys_of_holders(tagged) == set()


# --- whose row it is ----------------------------------------------------------------------------------------------


def test_a_member_who_comes_back_does_not_take_the_place_of_who_has_its_address_now(tagged: World) -> None:
    """The first one's address went to another customer, who is a member by it: both are the sync's after the undo."""
    first, other = tagged.id_of("p0@example.com"), tagged.id_of("p9@example.com")
    tagged.run(vips(), members(5, start=1), run_id="leaving")
    tagged.sandbox.agent_edit(first, emails=[])
    tagged.sandbox.agent_edit(other, emails=[{"email": "p0@example.com"}])
    tagged.run(vips(), members(6))
    assert keys_of_holders(tagged) == {*numbers(*range(1, 6)), "C-9"}
    undo(tagged, "leaving")
    assert keys_of_holders(tagged) == {*numbers(*range(6)), "C-9"}
    tagged.run(vips(), members(5, start=1))
    assert keys_of_holders(tagged) == numbers(*range(1, 6))


# --- what was under way -------------------------------------------------------------------------------------------


def test_what_a_run_sent_and_did_not_wait_for_is_taken_back_once_it_is_done(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.faults.set("job_stuck")
    assert world.run(customers(), people(3, plan="pro"), run_id="stuck").counts.deferred == 3
    report = undo(world, "stuck")
    assert (report.restored, set(report.rows["outcome"])) == (0, {"deferred"})
    world.sandbox.faults.clear()
    world.sandbox.release_jobs()
    world.hours_pass(0.1)
    assert undo(world, "stuck").restored == 3
    assert {one["custom"]["planStr"] for one in world.sandbox.customers.values()} == {"free"}


def test_what_a_later_run_collects_is_still_the_doing_of_the_run_that_sent_it(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.faults.set("job_stuck")
    world.run(customers(), people(3, plan="pro"), run_id="stuck")
    world.sandbox.faults.clear()
    world.sandbox.release_jobs()
    world.hours_pass(0.1)
    assert world.run(customers(), people(3, plan="pro"), run_id="collecting").counts.unchanged == 3
    assert undo(world, "stuck").restored == 3


def test_an_update_whose_answer_was_lost_is_taken_back_too(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.faults.set("drop_after", method="PUT", path="/v1/customers/bulk", times=1)
    assert world.run(customers(), people(3, plan="pro"), run_id="lost").counts.updated == 3
    assert undo(world, "lost").restored == 3
    assert {one["custom"]["planStr"] for one in world.sandbox.customers.values()} == {"free"}


def test_an_audience_whose_answers_were_lost_is_taken_back_and_is_not_ours(world: World) -> None:
    world.run(customers(), people(3))
    world.run(vips(), members(1))
    world.sandbox.faults.set("drop_after", method="PUT", path="/v1/customers/bulk", times=1)
    world.run(vips(), members(3), run_id="lost")
    assert undo(world, "lost").restored == 2
    assert keys_of_holders(world) == {"C-0"}
    assert world.run(vips(), members(1)).removed == 0


def test_the_next_run_collects_what_an_undo_left_behind(tagged: World) -> None:
    """Whose a tag is follows also where the undo did not wait for its job."""
    tagged.run(vips(), members(4), run_id="leaving")
    tagged.sandbox.faults.set("job_stuck")
    undo(tagged, "leaving")
    tagged.sandbox.faults.clear()
    tagged.sandbox.release_jobs()
    tagged.hours_pass(0.1)
    assert tagged.run(vips(), members(4)).removed == 2
    assert keys_of_holders(tagged) == numbers(*range(4))
