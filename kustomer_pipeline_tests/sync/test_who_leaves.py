"""Who leaves a mirrored audience: whoever holds its tag and is nobody in the query, and nobody else.

A member is who it is in Kustomer now: customers are merged there, appear there, get other addresses there. Each test
changes Kustomer between two runs, and looks at who holds the tag afterwards.
"""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import SyncReport
from kustomer_pipeline_tests.sync.vips import SCOPES, holders, tag, vips
from kustomer_pipeline_tests.world import World, customers, members, people


def leaves(report: SyncReport) -> tuple[int, int, int]:
    """(removed, held, waiting)."""
    return report.removed, report.removals_held, report.removals.waiting


# --- customers that are merged in Kustomer ------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
def test_a_member_who_was_merged_into_somebody_else_stays(tagged: World, scope: str) -> None:
    """The survivor holds the tag and the member's address, under an id that the sync has never seen."""
    survivor = tagged.sandbox.seed_customer(externalId="other", emails=[{"email": "other@example.com"}])
    tagged.sandbox.agent_merge(tagged.id_of("p0@example.com"), survivor)
    spec = vips(mirror_scope=scope)
    for _ in range(3):
        assert leaves(tagged.run(spec, members(10))) == (0, 0, 0)
        assert survivor in holders(tagged)
        tagged.hours_pass(2)
    assert len(holders(tagged)) == 10


@pytest.mark.parametrize("scope", SCOPES)
def test_a_merged_member_who_leaves_later_is_untagged(tagged: World, scope: str) -> None:
    survivor = tagged.sandbox.seed_customer(externalId="other", emails=[{"email": "other@example.com"}])
    tagged.sandbox.agent_merge(tagged.id_of("p0@example.com"), survivor)
    spec = vips(mirror_scope=scope)
    assert leaves(tagged.run(spec, members(9, start=1))) == (1, 0, 0)
    assert holders(tagged) == {tagged.id_of(f"p{n}@example.com") for n in range(1, 10)}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_merged_member_who_stays_a_while_and_then_leaves_is_untagged(tagged: World, scope: str) -> None:
    survivor = tagged.sandbox.seed_customer(externalId="other", emails=[{"email": "other@example.com"}])
    tagged.sandbox.agent_merge(tagged.id_of("p0@example.com"), survivor)
    spec = vips(mirror_scope=scope)
    tagged.run(spec, members(10))
    assert leaves(tagged.run(spec, members(9, start=1))) == (1, 0, 0)
    assert survivor not in holders(tagged)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("survivor", ["p0", "p1"])
@pytest.mark.parametrize("stays", ["p0", "p1"])
def test_two_members_were_merged_and_the_address_of_one_leaves(
    tagged: World, survivor: str, stays: str, scope: str
) -> None:
    """They are one customer now, and it is still in the query."""
    source = "p1" if survivor == "p0" else "p0"
    kept = tagged.id_of(f"{survivor}@example.com")
    tagged.sandbox.agent_merge(tagged.id_of(f"{source}@example.com"), kept)
    spec = vips(mirror_scope=scope)
    rows = [{"email": f"{stays}@example.com"}, *members(8, start=2)]
    for _ in range(3):
        assert leaves(tagged.run(spec, rows)) == (0, 0, 0)
        assert kept in holders(tagged)
        tagged.hours_pass(2)
    assert leaves(tagged.run(spec, rows[1:])) == (1, 0, 0), "then the other address leaves as well"
    assert kept not in holders(tagged)


@pytest.mark.parametrize("scope", SCOPES)
def test_two_members_were_merged_and_both_leave(tagged: World, scope: str) -> None:
    kept = tagged.id_of("p1@example.com")
    tagged.sandbox.agent_merge(tagged.id_of("p0@example.com"), kept)
    report = tagged.run(vips(mirror_scope=scope), members(8, start=2))
    assert leaves(report) == (1, 0, 0)
    assert kept not in holders(tagged)
    assert tagged.run(vips(mirror_scope=scope), members(8, start=2)).removed == 0


def test_a_member_who_is_merged_while_the_run_goes_on_stays(tagged: World) -> None:
    """The merge comes after the row's record was read, before it is decided who leaves."""
    survivor = tagged.sandbox.seed_customer(externalId="other", emails=[{"email": "other@example.com"}])
    merged: list[str] = []

    def merge(record: Any) -> None:
        if record.path.startswith("/v1/bulk/") and not merged:
            merged.append(tagged.id_of("p0@example.com"))
            tagged.sandbox.agent_merge(merged[0], survivor)

    tagged.sandbox.hooks.after.append(merge)
    tagged.run(vips(mirror_scope="tag"), [*members(10), {"email": "p12@example.com"}])
    assert len(merged) == 1
    tagged.hours_pass(2)
    tagged.run(vips(mirror_scope="tag"), [*members(10), {"email": "p12@example.com"}])
    assert survivor in holders(tagged)
    assert len(holders(tagged)) == 11


# --- customers that appear, and addresses that move ---------------------------------------------------------------


def test_a_member_who_appeared_within_the_hour_keeps_the_tag_of_an_agent(tagged: World) -> None:
    """Last time Kustomer did not have the row, so it is not looked for again yet; by now somebody has made it."""
    spec = vips(mirror_scope="tag")
    rows = [*members(10), {"email": "late@example.com"}]
    assert tagged.run(spec, rows).absent == 1
    late = tagged.sandbox.seed_customer(emails=[{"email": "late@example.com"}], tags=[tag(tagged)])
    for _ in range(3):
        assert leaves(tagged.run(spec, rows)) == (0, 0, 0)
        assert late in holders(tagged)
        tagged.hours_pass(0.9)
    assert tagged.run(spec, rows).counts.unchanged == 11


def test_a_member_who_appeared_within_the_hour_is_tagged_after_it(tagged: World) -> None:
    rows = [*members(10), {"email": "late@example.com"}]
    tagged.run(vips(), rows)
    late = tagged.sandbox.seed_customer(emails=[{"email": "late@example.com"}])
    tagged.run(vips(), rows)
    tagged.hours_pass(1.1)
    assert tagged.run(vips(), rows).counts.updated == 1
    assert late in holders(tagged)


@pytest.mark.parametrize("scope", SCOPES)
def test_an_address_that_moved_to_another_customer_takes_its_membership_along(tagged: World, scope: str) -> None:
    """The customer who had it is nobody in the query any more, and the sync had tagged it."""
    before = tagged.id_of("p0@example.com")
    tagged.sandbox.agent_edit(before, emails=[{"email": "former@example.com"}])
    now = tagged.id_of("p15@example.com")
    tagged.sandbox.agent_edit(now, emails=[{"email": "p15@example.com"}, {"email": "p0@example.com"}])
    spec = vips(mirror_scope=scope)
    tagged.run(spec, members(10), full_resync=True)
    tagged.run(spec, members(10))
    assert (now in holders(tagged), before in holders(tagged)) == (True, False)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_member_who_was_deleted_in_kustomer_is_forgotten(tagged: World, scope: str) -> None:
    tagged.sandbox.agent_delete(tagged.id_of("p0@example.com"))
    spec = vips(mirror_scope=scope)
    assert leaves(tagged.run(spec, members(9, start=1))) == (0, 0, 0)
    report = tagged.run(spec, members(9, start=1))
    assert (report.members, report.removals.refused) == (9, 0)


# --- rows that could not be settled -------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
def test_a_member_whose_address_is_malformed_for_a_day_stays(tagged: World, scope: str) -> None:
    """The row is there, and nobody can say that it is not this member's."""
    spec = vips(mirror_scope=scope)
    report = tagged.run(spec, [*members(9, start=1), {"email": "p0 at example.com"}])
    assert (report.counts.invalid, leaves(report)) == (1, (0, 0, 1))
    assert len(holders(tagged)) == 10
    report = tagged.run(spec, members(10))
    assert leaves(report) == (0, 0, 0)
    assert len(holders(tagged)) == 10


def test_a_member_who_is_known_by_another_identifier_stays_while_its_address_is_malformed(world: World) -> None:
    spec = vips(
        match_on=("externalId", "email"),
        fields=(FieldMapping("externalId", ("id",)), FieldMapping("email", ("email",))),
    )
    world.run(customers(), people(10))
    world.run(spec, people(10))
    broken = [{**people(1)[0], "email": "p0 at example.com"}, *people(9, start=1)]
    for rows in (broken, broken[:5], people(10)):
        world.run(spec, rows)
        assert world.id_of("p0@example.com") in holders(world)


def test_nobody_leaves_while_a_row_could_be_two_customers(tagged: World) -> None:
    spec = vips(
        match_on=("externalId", "email"),
        fields=(FieldMapping("externalId", ("id",)), FieldMapping("email", ("email",))),
    )
    rows = [*people(8, start=1), {"id": "C-19", "email": "p18@example.com"}]
    report = tagged.run(spec, rows)
    assert (report.counts.rejected, report.removed) == (1, 0)
    assert len(holders(tagged)) == 10


def test_those_who_left_go_once_everybody_is_settled(tagged: World) -> None:
    report = tagged.run(vips(), [*members(8, start=1), {"email": "p9 at example.com"}])
    assert leaves(report) == (0, 0, 2)
    assert leaves(tagged.run(vips(), members(9, start=1))) == (1, 0, 0)
    assert tagged.id_of("p0@example.com") not in holders(tagged)
    assert len(holders(tagged)) == 9


def test_a_row_that_kustomer_refuses_to_tag_keeps_nobody_from_leaving(tagged: World) -> None:
    """It is known who the row is: nobody who left."""
    full = tagged.id_of("p11@example.com")
    tagged.sandbox.agent_edit(full, tags=[tagged.sandbox.seed_tag(f"t{n}") for n in range(20)])
    report = tagged.run(vips(), [*members(9), {"email": "p11@example.com"}])
    assert (report.counts.rejected, leaves(report)) == (1, (1, 0, 0))


# --- removals that Kustomer refuses -------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES)
def test_removals_that_kustomer_refuses_are_counted_and_have_reasons(tagged: World, scope: str) -> None:
    tagged.sandbox.faults.set("untag_refused")
    spec = vips(mirror_scope=scope)
    report = tagged.run(spec, members(7))
    assert (leaves(report), report.removals.refused, report.members) == ((0, 0, 0), 3, 10)
    assert len(holders(tagged)) == 10
    rows = report.removals.rows
    assert rows["kustomer_id"].tolist() == [tagged.id_of(f"p{n}@example.com") for n in (7, 8, 9)]
    assert rows["reason"].str.contains("Kustomer refused it").all()
    tagged.sandbox.faults.clear("untag_refused")
    report = tagged.run(spec, members(7))
    assert (report.removed, report.removals.refused) == (3, 0)
    assert len(holders(tagged)) == 7


def test_removals_whose_job_does_not_end_are_told_and_collected_by_the_next_run(tagged: World) -> None:
    tagged.sandbox.faults.set("job_stuck")
    report = tagged.run(vips(), members(7))
    assert (report.removed, report.removals.refused) == (0, 3)
    tagged.sandbox.faults.clear("job_stuck")
    tagged.sandbox.release_jobs()
    tagged.hours_pass(0.1)
    report = tagged.run(vips(), members(7))
    assert report.removals.refused == 0
    assert len(holders(tagged)) == 7
    assert tagged.run(vips(), members(7)).members == 7
