"""A plan says what the run then does: the same numbers, in every case in which they once differed."""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, Plan, RemovalLimit, SyncReport
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

WIDE = RemovalLimit(share=1.0)
Rows = list[dict[str, Any]]


def of_plan(plan: Plan) -> dict[str, int]:
    """What goes, and how many removals are held."""
    held = {"untag": 0, "held": plan.removals_held} if plan.removals_held else {}
    return {name: count for name, count in {**plan.counts, **held}.items() if count}


def of_run(report: SyncReport) -> dict[str, int]:
    counts = report.counts
    audience = "tag" if report.removals.members or report.sync == "vip" else "update"
    found = {
        "create": counts.created,
        audience: counts.updated,
        "untag": report.removed,
        "unchanged": counts.unchanged,
        "skip": counts.skipped,
        "invalid": counts.invalid,
        "reject": counts.rejected,
        "defer": counts.deferred,
        "held": report.removals_held,
    }
    return {name: count for name, count in found.items() if count}


def alike(world: World, spec: ObjectSpec | AudienceSpec, rows: Rows) -> None:
    """The plan says what the run does."""
    plan = world.plan(spec, rows)
    assert of_run(world.run(spec, rows)) == of_plan(plan)


@pytest.fixture
def tagged(world: World) -> World:
    """Twenty customers, all tagged by the audience."""
    world.run(customers(), people(20))
    assert world.run(audience(max_removals=WIDE), members(20)).counts.updated == 20
    return world


def test_the_tag_was_deleted_in_kustomer(tagged: World) -> None:
    """Nobody looks at the tags while nothing changes; with one new member everybody is due."""
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.delete_tag(vip)
    tagged.run(customers(), people(21))
    alike(tagged, audience(), members(20))
    assert of_plan(tagged.plan(audience(), members(21))) == {"tag": 21}
    alike(tagged, audience(), members(21))


def test_the_tag_is_another_one_now(tagged: World) -> None:
    alike(tagged, audience(tag="gold", max_removals=WIDE), members(12))


def test_the_tag_was_made_anew(tagged: World) -> None:
    (vip,) = tagged.sandbox.tags
    tagged.sandbox.delete_tag(vip)
    tagged.sandbox.seed_tag("vip")
    alike(tagged, audience(), members(20))


def test_two_rows_are_one_record(world: World) -> None:
    world.sandbox.seed_customer(emails=[{"email": "p0@example.com"}, {"email": "p1@example.com"}])
    alike(world, customers(match_on=("email",)), people(5))


def test_two_members_are_one_record(world: World) -> None:
    world.sandbox.seed_customer(emails=[{"email": "p0@example.com"}, {"email": "p1@example.com"}])
    alike(world, audience(), members(5))


@pytest.mark.parametrize("scope", ["owned", "tag"])
@pytest.mark.parametrize("limit", [WIDE, RemovalLimit()])
def test_members_leave_and_come(tagged: World, scope: str, limit: RemovalLimit) -> None:
    tagged.run(customers(), people(25))
    tagged.sandbox.agent_delete(tagged.id_of("p3@example.com"))
    tagged.sandbox.agent_merge(tagged.id_of("p4@example.com"), tagged.id_of("p5@example.com"))
    spec = audience(mirror_scope=scope, max_removals=limit)
    alike(tagged, spec, [{"email": "p4@example.com"}, *members(10, start=8), *members(4, start=21)])


def test_those_who_would_lose_nothing_are_not_held(tagged: World) -> None:
    """Three of the four who left the query are no longer in Kustomer: only one would lose its tag."""
    for n in (0, 1, 2):
        tagged.sandbox.agent_delete(tagged.id_of(f"p{n}@example.com"))
    spec = audience(max_removals=RemovalLimit(share=1.0, count=1))
    plan = tagged.plan(spec, members(16, start=4))
    assert (plan.counts["untag"], plan.removals_held) == (1, 0)
    report = tagged.run(spec, members(16, start=4))
    assert (report.removed, report.removals_held) == (1, 0)


def test_a_member_who_could_not_be_settled(tagged: World) -> None:
    rows = [*members(10), {"email": "no address"}]
    plan = tagged.plan(audience(max_removals=WIDE), rows)
    report = tagged.run(audience(max_removals=WIDE), rows)
    assert (plan.counts["untag"], plan.removals.waiting) == (report.removed, report.removals.waiting) == (0, 10)


@pytest.mark.parametrize("mode", ["upsert", "insert", "update"])
def test_customers_of_every_kind(world: World, mode: str) -> None:
    world.run(customers(), people(6))
    world.sandbox.seed_customer(externalId="C-77", emails=[{"email": "p8@example.com"}])
    world.sandbox.agent_delete(world.id_of("p0@example.com"))
    world.sandbox.agent_edit(world.id_of("p2@example.com"), name="By an agent", custom={"planStr": "pro"})
    rows = [*people(4, plan="pro"), *people(6, start=4)]
    rows[9]["email"] = "no address"
    alike(world, customers(mode=mode), rows)


def test_companies(world: World) -> None:
    rows = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(6)]
    world.run(companies(), rows[:3])
    world.sandbox.seed_company(name="Company 4")
    alike(world, companies(), [{**rows[0], "name": "Company 0 Ltd"}, *rows[1:]])


def test_a_list_to_remove(tagged: World) -> None:
    spec = audience(name="no-vip", mode="remove")
    plan = tagged.plan(spec, [*members(5), {"email": "who@example.com"}])
    report = tagged.run(spec, [*members(5), {"email": "who@example.com"}])
    assert (plan.counts["untag"], plan.counts["skip"]) == (report.counts.updated, report.counts.skipped) == (5, 1)
