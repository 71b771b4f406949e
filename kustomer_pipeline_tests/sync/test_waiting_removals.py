"""Members who seem to have left while a row of the audience is refused: nobody knows that it is not one of them.

They keep the tag, and are told; a row that nobody can put right need not keep them for ever: exactly these may be
approved, like removals that the guard holds.
"""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.sync import RemovalLimit
from kustomer_pipeline_tests.sync.vips import SCOPES, holders, tag, vips
from kustomer_pipeline_tests.world import World, members

NOBODY = {"email": "no address"}


@pytest.mark.parametrize("scope", SCOPES)
def test_exactly_those_who_wait_can_be_approved(tagged: World, scope: str) -> None:
    spec, before = vips(mirror_scope=scope), holders(tagged)
    rows: list[Any] = [*members(6), NOBODY]
    plan = tagged.plan(spec, rows)
    report = tagged.run(spec, rows)
    assert (report.removed, report.removals.waiting) == (0, len(before) - 6)
    assert plan.removal_plan_id == report.removal_plan_id is not None
    assert (plan.removals_held, report.removals_held) == (0, 0)
    assert holders(tagged) == before
    approved = tagged.run(spec, rows, approve_removals=report.removal_plan_id)
    assert (approved.removed, approved.removals.waiting) == (len(before) - 6, 0)
    assert holders(tagged) == {tagged.id_of(f"p{n}@example.com") for n in range(6)}


def test_also_when_the_guard_would_hold_so_many(tagged: World) -> None:
    """Who approves by the id has seen the number."""
    spec, rows = vips(max_removals=RemovalLimit(share=1.0, count=1)), [*members(6), NOBODY]
    id_ = tagged.run(spec, rows).removal_plan_id
    assert tagged.run(spec, rows, approve_removals=id_).removals_held == 0
    assert len(holders(tagged)) == 6


def test_others_than_were_approved_wait(tagged: World) -> None:
    spec = vips()
    id_ = tagged.run(spec, [*members(7), NOBODY]).removal_plan_id
    report = tagged.run(spec, [*members(6), NOBODY], approve_removals=id_)
    assert report.removed == 0
    assert report.removals.waiting > 0
    assert report.removal_plan_id != id_


def test_an_approval_passes_once(tagged: World) -> None:
    spec, rows = vips(), [*members(6), NOBODY]
    id_ = tagged.run(spec, rows).removal_plan_id
    tagged.run(spec, rows, approve_removals=id_)
    tagged.run(spec, members(10))
    again = tagged.run(spec, rows, approve_removals=id_)
    assert (again.removed, again.removals.waiting) == (0, 4)


def test_a_plan_uses_no_approval_up(tagged: World) -> None:
    spec, rows = vips(), [*members(6), NOBODY]
    id_ = tagged.plan(spec, rows).removal_plan_id
    planned = tagged.plan(spec, rows, approve_removals=id_)
    assert planned.counts["untag"] == len(holders(tagged)) - 6
    assert tagged.run(spec, rows, approve_removals=id_).removed == planned.counts["untag"]


def test_who_holds_the_tag_from_others_waits_with_them(tagged: World) -> None:
    """mirror_scope: tag."""
    stranger = tagged.sandbox.seed_customer(externalId="S-1", emails=[{"email": "stranger@example.com"}])
    tagged.sandbox.agent_edit(stranger, tags=[tag(tagged)])
    spec, rows = vips(mirror_scope="tag"), [*members(10), NOBODY]
    assert tagged.plan(spec, rows).removals.waiting == 1
    report = tagged.run(spec, rows)
    assert (report.removed, report.removals.waiting) == (0, 1)
    assert stranger in holders(tagged)
    assert tagged.run(spec, rows, approve_removals=report.removal_plan_id).removed == 1
    assert stranger not in holders(tagged)


def test_an_id_of_another_set_is_told_beside_what_waits(tagged: World) -> None:
    report = tagged.run(vips(), [*members(6), NOBODY], approve_removals="removals-1-0123456789")
    [note] = [note for note in report.notes if "let nothing through" in note]
    assert f"what is held has the id {report.removal_plan_id}" in note


def test_a_member_who_is_a_row_under_another_key_stays(tagged: World) -> None:
    """Approved or not, the live record is looked at first."""
    spec = vips()
    tagged.sandbox.agent_edit(tagged.id_of("p9@example.com"), emails=[{"email": "new@example.com"}])
    rows = [*members(6), {"email": "new@example.com"}, NOBODY]
    moved = next(id_ for id_, one in tagged.sandbox.customers.items() if one["emails"][0]["email"] == "new@example.com")
    id_ = tagged.run(spec, rows).removal_plan_id
    tagged.run(spec, rows, approve_removals=id_)
    assert moved in holders(tagged)


def test_with_nobody_who_left_there_is_nothing_to_approve(tagged: World) -> None:
    report = tagged.run(vips(), [*members(20), NOBODY])
    assert (report.removals.waiting, report.removal_plan_id) == (0, None)
