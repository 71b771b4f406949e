"""A tag that is renamed, a sync that is renamed: it is told, with numbers, and there is a way to clean up or carry
over.

The tag's name and the folder's name are edited in the YAML file; what was done under the old ones is still in Kustomer.
"""

from __future__ import annotations

import pytest

from kustomer_pipeline.sync import RemovalLimit
from kustomer_pipeline_tests.sync.vips import keys_of_holders, numbers, vips
from kustomer_pipeline_tests.world import World, customers, members, people


def about(notes: tuple[str, ...], words: str) -> list[str]:
    return [note for note in notes if words in note]


@pytest.fixture
def tagged(world: World) -> World:
    """Ten customers, the first six of them tagged by the audience, one more by an agent."""
    world.run(customers(), people(10))
    assert world.run(vips(), members(6)).counts.updated == 6
    (vip,) = world.sandbox.tags
    world.sandbox.agent_edit(world.id_of("p9@example.com"), tags=[vip])
    return world


# --- the tag ------------------------------------------------------------------------------------------------------


def test_another_tag_is_given_and_those_that_hold_the_old_one_are_counted(tagged: World) -> None:
    gold = vips(tag="gold")
    assert len(about(tagged.plan(gold, members(6)).notes, "6 records still hold another tag")) == 1
    report = tagged.run(gold, members(6))
    assert report.counts.updated == 6
    assert len(about(report.notes, "6 records still hold another tag")) == 1
    assert "clean_up" in about(report.notes, "another tag")[0]
    assert (keys_of_holders(tagged, "gold"), keys_of_holders(tagged, "vip")) == (
        numbers(*range(6)),
        numbers(*range(6), 9),
    )


def test_a_clean_up_takes_the_old_tag_from_whom_the_sync_gave_it_and_from_nobody_else(tagged: World) -> None:
    gold = vips(tag="gold", max_removals=RemovalLimit(share=0.2))
    tagged.run(gold, members(6))
    report = tagged.run(gold, members(6), clean_up=True)
    assert (report.removed, report.removals_held) == (6, 0)
    assert (keys_of_holders(tagged, "gold"), keys_of_holders(tagged, "vip")) == (numbers(*range(6)), numbers(9))
    report = tagged.run(gold, members(6))
    assert (about(report.notes, "another tag"), report.counts.unchanged) == ([], 6)


def test_a_clean_up_that_was_interrupted_goes_on(tagged: World) -> None:
    gold = vips(tag="gold")
    tagged.run(gold, members(6))
    tagged.sandbox.faults.set("untag_refused")
    assert tagged.run(gold, members(6), clean_up=True).removals.refused == 6
    tagged.sandbox.faults.clear("untag_refused")
    assert tagged.run(gold, members(6), clean_up=True).removed == 6
    assert keys_of_holders(tagged, "vip") == numbers(9)


def test_back_to_the_old_tag_whoever_left_meanwhile_is_untagged(tagged: World) -> None:
    tagged.run(vips(tag="gold"), members(6))
    report = tagged.run(vips(), members(3))
    assert report.removed == 3
    assert keys_of_holders(tagged, "vip") == numbers(0, 1, 2, 9)


def test_a_tag_in_another_case_is_the_same_tag(tagged: World) -> None:
    report = tagged.run(vips(tag="VIP"), members(6))
    assert (report.counts.unchanged, report.notes) == (6, ())


# --- the sync -----------------------------------------------------------------------------------------------------


def test_an_audience_of_a_new_name_says_what_its_former_name_left(tagged: World) -> None:
    renamed = vips(name="very_important")
    for notes in (tagged.plan(renamed, members(6)).notes, tagged.run(renamed, members(6)).notes):
        (note,) = about(notes, "6 records hold the tag 'vip' because of the sync 'vip'")
        assert "renamed_from: vip" in note


def test_an_audience_that_names_its_former_name_goes_on_as_before(tagged: World) -> None:
    renamed = vips(name="very_important", renamed_from="vip")
    plan = tagged.plan(renamed, members(4))
    assert (plan.counts["tag"], plan.counts["untag"], plan.members) == (0, 2, 6)
    report = tagged.run(renamed, members(4))
    assert (report.counts.unchanged, report.removed, report.members) == (4, 2, 6)
    assert about(report.notes, "because of the sync") == []
    assert keys_of_holders(tagged, "vip") == numbers(0, 1, 2, 3, 9)
    assert tagged.run(renamed, members(4)).counts.unchanged == 4


def test_an_audience_that_goes_by_its_new_name_for_a_while_can_still_take_over(tagged: World) -> None:
    """The line renamed_from was written only after somebody had read the note."""
    tagged.run(vips(name="very_important"), members(5))
    renamed = vips(name="very_important", renamed_from="vip")
    report = tagged.run(renamed, members(4))
    assert (report.counts.unchanged, about(report.notes, "because of the sync")) == (4, [])
    tagged.run(renamed, members(4))
    assert keys_of_holders(tagged, "vip") == numbers(0, 1, 2, 3, 9)


def test_customers_under_a_new_name_are_not_sent_again(tagged: World) -> None:
    renamed = customers(name="people", renamed_from="customers")
    report = tagged.run(renamed, people(10))
    assert report.counts.unchanged == 10
    assert tagged.sandbox.units() == 1
    assert tagged.run(renamed, [*people(1, plan="pro"), *people(9, start=1)]).counts.updated == 1


def test_jobs_that_the_former_name_left_behind_are_collected(tagged: World) -> None:
    tagged.sandbox.faults.set("job_stuck")
    tagged.run(customers(), people(20))
    tagged.sandbox.faults.clear("job_stuck")
    tagged.sandbox.release_jobs()
    tagged.hours_pass(0.1)
    report = tagged.run(customers(name="people", renamed_from="customers"), people(20))
    assert report.counts.unchanged == 20
    assert len(tagged.sandbox.customers) == 20
