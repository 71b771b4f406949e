"""Law 6: an empty or half-built query result untags nobody until exactly that is approved; additions still go."""

import pytest

from kustomer_pipeline.sync import RemovalLimit
from kustomer_pipeline_tests.world import World, audience, customers, members, people


@pytest.fixture
def tagged(world: World) -> World:
    """Twenty customers, the first ten tagged by the audience."""
    world.run(customers(), people(20))
    assert 10 == world.run(audience(), members(10)).counts.updated
    return world


def holders(world: World) -> set[str]:
    return {id_ for id_ in world.sandbox.customers if "vip" in world.sandbox.tag_names(id_)}


def test_a_member_who_left_is_untagged(tagged: World) -> None:
    report = tagged.run(audience(), members(9))
    assert 1 == report.removed
    assert 9 == len(holders(tagged))
    assert 0 == tagged.run(audience(), members(9)).removed


def test_an_empty_result_untags_nobody(tagged: World) -> None:
    report = tagged.run(audience(), [])
    assert (0, 10, 10) == (report.removed, report.removals_held, report.members)
    assert report.removal_plan_id is not None
    assert 10 == len(holders(tagged))


def test_additions_go_while_removals_are_held(tagged: World) -> None:
    report = tagged.run(audience(), members(5, start=7))
    assert (2, 7) == (report.counts.updated, report.removals_held)
    assert 12 == len(holders(tagged))


def test_exactly_the_approved_plan_goes_through(tagged: World) -> None:
    plan_id = tagged.plan(audience(), members(3)).removal_plan_id
    assert plan_id is not None
    report = tagged.run(audience(), members(2), approve_removals=plan_id)
    assert (0, 8) == (report.removed, report.removals_held), "the data has changed since: another plan"
    assert plan_id != report.removal_plan_id
    report = tagged.run(audience(), members(3), approve_removals=plan_id)
    assert (7, 0) == (report.removed, report.removals_held)
    assert 3 == len(holders(tagged))


def test_both_limits_hold_on_their_own(tagged: World) -> None:
    by_count = audience(max_removals=RemovalLimit(share=1.0, count=2))
    assert 3 == tagged.run(by_count, members(7)).removals_held
    by_share = audience(max_removals=RemovalLimit(share=0.2, count=1000))
    assert 3 == tagged.run(by_share, members(7)).removals_held
    assert 2 == tagged.run(by_share, members(8)).removed


def test_a_list_to_remove_is_held_by_its_number(tagged: World) -> None:
    spec = audience(name="no-vip", mode="remove", max_removals=RemovalLimit(count=3))
    report = tagged.run(spec, members(5))
    assert (5, 5) == (report.counts.deferred, report.removals_held)
    assert 10 == len(holders(tagged))
    report = tagged.run(spec, members(5), approve_removals=report.removal_plan_id)
    assert 5 == report.counts.updated
    assert 5 == len(holders(tagged))


def test_whom_an_agent_tagged_is_not_untagged(tagged: World) -> None:
    by_hand = tagged.id_of("p15@example.com")
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.agent_edit(by_hand, tags=[vip])
    tagged.run(audience(), [*members(10), {"email": "p15@example.com"}])
    report = tagged.run(audience(), members(10))
    assert 0 == report.removed
    assert by_hand in holders(tagged)


def test_the_scope_tag_untags_whoever_holds_it(tagged: World) -> None:
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.agent_edit(tagged.id_of("p15@example.com"), tags=[vip])
    report = tagged.run(audience(mirror_scope="tag"), members(10))
    assert 1 == report.removed
    assert 10 == len(holders(tagged))


def test_a_member_under_another_email_stays(tagged: World) -> None:
    """The warehouse now knows this member by another address of the same customer."""
    id_ = tagged.id_of("p0@example.com")
    tagged.sandbox.agent_edit(id_, emails=[{"email": "p0@example.com"}, {"email": "other@example.com"}])
    report = tagged.run(audience(), [*members(9, start=1), {"email": "other@example.com"}])
    assert (0, 0) == (report.removed, report.removals_held)
    assert id_ in holders(tagged)
    report = tagged.run(audience(), members(9, start=1))
    assert 1 == report.removed, "ownership went over to the other address"


def test_nobody_leaves_while_somebody_could_not_be_settled(tagged: World) -> None:
    tagged.sandbox.faults.set("job_stuck", times=1)
    report = tagged.run(audience(), [*members(9), {"email": "p12@example.com"}])
    assert (1, 0) == (report.counts.deferred, report.removed)
    assert 10 == len(holders(tagged))
    tagged.sandbox.release_jobs()
    assert 1 == tagged.run(audience(), [*members(9), {"email": "p12@example.com"}]).removed


def test_a_tag_that_was_made_anew_is_given_again(tagged: World) -> None:
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.delete_tag(vip)
    tagged.sandbox.seed_tag("vip")
    report = tagged.run(audience(), members(11))
    assert 11 == report.counts.updated


def test_a_customer_with_twenty_tags_is_rejected_and_the_rest_go(tagged: World) -> None:
    full = tagged.id_of("p11@example.com")
    tagged.sandbox.agent_edit(full, tags=[tagged.sandbox.seed_tag(f"t{n}") for n in range(20)])
    report = tagged.run(audience(), members(13))
    assert (2, 1) == (report.counts.updated, report.counts.rejected)
    assert "has 20 tags already" in report.rows["reason"].dropna().iloc[0]
