"""Drift of an audience: members who no longer have the tag, whose tag it is afterwards, and members who are gone."""

from __future__ import annotations

import pytest

from kustomer_pipeline.sandbox.roles import ALL_ROLES, without
from kustomer_pipeline.sync import What
from kustomer_pipeline.sync.state import StateStore
from kustomer_pipeline_tests.sync.drifting import ACCEPT, FORGET, RECREATE, RESTORE, look, outcomes, told
from kustomer_pipeline_tests.sync.vips import keys_of_holders, numbers, tag, vips
from kustomer_pipeline_tests.world import World, members


def id_of(world: World, number: int) -> str:
    return world.id_of(f"p{number}@example.com")


def owned(world: World, spec_name: str = "vip") -> set[str]:
    """Ids of the records whose tag is the sync's."""
    with StateStore.open(world.state_url, clock=world.clock) as state:
        return set(state.of(world.sandbox.org_id, spec_name, tag(world)).rows.snapshot().owned_ids)


def test_a_member_whose_tag_was_taken_away_is_told_with_who_did_it(tagged: World) -> None:
    angry = tagged.sandbox.seed_tag("angry")
    tagged.sandbox.agent_edit(id_of(tagged, 1), tags=[])
    tagged.sandbox.agent_edit(id_of(tagged, 2), tags=[*tagged.customer("C-2")["tags"], angry])
    report = look(tagged, vips(), members(10))
    assert told(report, "key", "what", "field", "ours", "theirs", "by") == [
        ("p1@example.com", "changed", "tags", "vip", None, f"agent {tagged.sandbox.state.agent_id}")
    ]
    assert "p1@example.com" not in report.table().to_csv()


def test_restore_tags_again_and_the_tag_stays_ours(tagged: World) -> None:
    first = id_of(tagged, 1)
    tagged.sandbox.agent_edit(first, tags=[])
    look(tagged, vips(), members(10), RESTORE)
    assert outcomes(tagged.run(vips(), members(10))) == {"p1@example.com": "updated"}
    assert keys_of_holders(tagged) == numbers(*range(10))
    assert first in owned(tagged)
    rest = [row for row in members(10) if row["email"] != "p1@example.com"]
    assert tagged.run(vips(), rest).removed == 1
    assert keys_of_holders(tagged) == numbers(0, *range(2, 10))


def test_accept_leaves_the_tag_to_whoever_took_it_away(tagged: World) -> None:
    first = id_of(tagged, 1)
    tagged.sandbox.agent_edit(first, tags=[])
    look(tagged, vips(), members(10), ACCEPT)
    assert look(tagged, vips(), members(10)).drifted == 0
    for full in (False, True):
        assert tagged.plan(vips(), members(10), full_resync=full).counts["tag"] == 0
        assert tagged.run(vips(), members(10), full_resync=full).counts.unchanged == 10
    assert keys_of_holders(tagged) == numbers(0, *range(2, 10))
    # Given back by hand it is theirs: the mirror does not take it when the member leaves.
    tagged.sandbox.agent_edit(first, tags=[tag(tagged)])
    assert first not in owned(tagged)
    rest = [row for row in members(10) if row["email"] != "p1@example.com"]
    assert tagged.run(vips(), rest).removed == 0
    assert keys_of_holders(tagged) == numbers(*range(10))
    # A member who left and comes back is a member like any other.
    tagged.sandbox.agent_edit(first, tags=[])
    assert outcomes(tagged.run(vips(), members(10))) == {"p1@example.com": "updated"}
    assert keys_of_holders(tagged) == numbers(*range(10))


def test_in_mode_remove_a_tag_that_was_given_again_is_drift(tagged: World) -> None:
    spec = vips(name="no_vips", mode="remove")
    tagged.run(spec, members(3))
    assert keys_of_holders(tagged) == numbers(*range(3, 10))
    tagged.sandbox.agent_edit(id_of(tagged, 1), tags=[tag(tagged)])
    tagged.sandbox.agent_edit(id_of(tagged, 2), tags=[tag(tagged)])
    assert told(look(tagged, spec, members(3)), "key", "ours", "theirs") == [
        ("p1@example.com", None, "vip"),
        ("p2@example.com", None, "vip"),
    ]
    look(tagged, spec, members(3), ACCEPT)
    assert tagged.run(spec, members(3), full_resync=True).counts.unchanged == 3
    look(tagged, spec, members(3), RESTORE)
    assert tagged.run(spec, members(3)).counts.updated == 2
    assert keys_of_holders(tagged) == numbers(*range(3, 10))


def test_members_who_are_gone_are_looked_for_again(tagged: World) -> None:
    """Deleted and made anew by somebody else: an unchanged member would never be looked at."""
    tagged.sandbox.agent_delete(id_of(tagged, 1))
    tagged.sandbox.seed_customer(externalId="C-1", emails=[{"email": "p1@example.com"}])
    tagged.sandbox.agent_merge(id_of(tagged, 2), id_of(tagged, 12))
    tagged.sandbox.agent_delete(id_of(tagged, 3))
    report = look(tagged, vips(), members(10), RECREATE)
    assert report.records == {What.MERGED: 2, What.DELETED: 1}
    run = tagged.run(vips(), members(10))
    assert outcomes(run) == {"p1@example.com": "updated", "p3@example.com": "skipped"}
    assert id_of(tagged, 2) in owned(tagged)  # what became of the member has its tag, and whose it was
    rest = [row for row in members(10) if row["email"] != "p2@example.com"]
    assert tagged.run(vips(), rest).removed == 1
    assert "vip" not in tagged.sandbox.tag_names(id_of(tagged, 12))


def test_a_forgotten_member_is_left_out_and_leaves_like_any_other(tagged: World) -> None:
    tagged.sandbox.agent_delete(id_of(tagged, 1))
    look(tagged, vips(), members(10), FORGET)
    tagged.sandbox.seed_customer(externalId="C-1", emails=[{"email": "p1@example.com"}])
    assert outcomes(tagged.run(vips(), members(10), full_resync=True)) == {"p1@example.com": "skipped"}
    rest = [row for row in members(10) if row["email"] != "p1@example.com"]
    assert tagged.run(vips(), rest).removed == 0
    assert outcomes(tagged.run(vips(), members(10))) == {"p1@example.com": "updated"}


def test_an_address_that_moved_makes_a_member_unrecognised_and_tags_nobody(tagged: World) -> None:
    first = id_of(tagged, 1)
    tagged.sandbox.agent_edit(first, emails=[{"email": "new@example.com"}], tags=[])
    report = look(tagged, vips(), members(10), RESTORE)
    assert report.records == {What.UNRECOGNISED: 1}
    assert tagged.run(vips(), members(10)).counts.unchanged == 10


def test_a_tag_that_nobody_can_name_is_said_and_nobody_is_looked_at(world: World) -> None:
    report = look(world, vips(), members(3))
    assert (report.looked_at, report.drifted) == (0, 0)
    assert any("tag" in note for note in report.notes)


@pytest.mark.parametrize("role", ["org.permission.tag.read", "org.permission.tag.create"])
def test_a_key_that_may_not_read_tags_looks_all_the_same(tagged: World, role: str) -> None:
    tagged.api_key = tagged.sandbox.add_api_key(without(ALL_ROLES, role))
    tagged.sandbox.agent_edit(id_of(tagged, 1), tags=[])
    assert told(look(tagged, vips(), members(10)), "key", "ours") == [("p1@example.com", "vip")]


def test_who_is_no_longer_in_the_query_is_not_looked_at(tagged: World) -> None:
    tagged.sandbox.agent_edit(id_of(tagged, 1), tags=[])
    assert look(tagged, vips(), members(5, start=5)).looked_at == 5
