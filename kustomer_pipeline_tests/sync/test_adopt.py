"""Coming from another tool: the tags that it gave are taken over, and only what differs is written."""

from typing import Any

from kustomer_pipeline_tests.world import World, audience, customers, members, people


def tagged(world: World) -> set[str]:
    return {id_ for id_ in world.sandbox.customers if "vip" in world.sandbox.tag_names(id_)}


def org_of_another_tool(world: World, count: int = 10) -> list[str]:
    """Customers whom another tool has made and tagged, one field of each third of them out of date."""
    tag = world.sandbox.seed_tag("vip")
    return [
        world.sandbox.seed_customer(
            externalId=row["id"],
            emails=[{"email": row["email"]}],
            name=row["name"],
            custom={"planStr": "free" if number % 3 else "old"},
            tags=[tag],
        )
        for number, row in enumerate(people(count))
    ]


def test_a_first_run_writes_only_what_differs(world: World) -> None:
    ids = org_of_another_tool(world)
    before = {id_: dict(one) for id_, one in world.sandbox.customers.items()}
    report = world.run(customers(), people(10))
    assert (report.counts.updated, report.counts.unchanged, report.counts.created) == (4, 6, 0)
    written = [id_ for id_, one in world.sandbox.customers.items() if one != before[id_]]
    assert written == [id_ for number, id_ in enumerate(ids) if number % 3 == 0]


def test_without_adopting_the_tags_of_another_tool_are_left_alone(world: World) -> None:
    ids = org_of_another_tool(world)
    plan = world.plan(audience(), members(10))
    assert any("10 members hold the tag because somebody else gave it" in note for note in plan.notes)
    world.run(audience(), members(10))
    world.run(audience(), members(8))
    assert tagged(world) == set(ids)


def test_adopted_members_lose_the_tag_when_they_leave(world: World) -> None:
    ids = org_of_another_tool(world)
    plan = world.plan(audience(), members(10), adopt=True)
    assert plan.counts["tag"] == plan.counts["untag"] == 0
    assert "10 members hold the tag because somebody else gave it to them: they would be this sync's from now on" in (
        plan.notes
    )
    report = world.run(audience(), members(10), adopt=True)
    assert any("they are this sync's from now on" in note for note in report.notes)
    assert world.sandbox.count("PUT") == 0
    assert world.run(audience(), members(8)).removed == 2
    assert tagged(world) == set(ids[:8])


def test_a_plan_of_adopting_changes_nothing(world: World) -> None:
    ids = org_of_another_tool(world)
    world.plan(audience(), members(10), adopt=True)
    world.run(audience(), members(10))
    world.run(audience(), members(8))
    assert tagged(world) == set(ids)


def test_members_whom_the_sync_has_seen_unchanged_are_adopted_too(world: World) -> None:
    """The first run came before anybody thought of adopting."""
    ids = org_of_another_tool(world)
    assert world.run(audience(), members(10)).counts.unchanged == 10
    world.run(audience(), members(10), adopt=True)
    world.run(audience(), members(8))
    assert tagged(world) == set(ids[:8])


def test_who_holds_the_tag_and_is_no_member_is_not_adopted(world: World) -> None:
    ids = org_of_another_tool(world)
    world.run(audience(), members(5), adopt=True)
    world.run(audience(), members(4))
    assert tagged(world) == {*ids[:4], *ids[5:]}


def test_a_lost_state_is_made_good_by_adopting(world: World, tmp_path: Any) -> None:
    world.run(customers(), people(10))
    world.run(audience(), members(10))
    world.state_url = f"sqlite:///{tmp_path / 'new.db'}"
    plan = world.plan(audience(), members(8))
    assert any("8 members hold the tag because somebody else gave it" in note for note in plan.notes)
    assert any(note.startswith("2 holders of the tag are not in the query, and not known as") for note in plan.notes)
    world.run(audience(), members(10), adopt=True)
    assert world.run(audience(), members(8)).removed == 2


def test_after_a_lost_state_holders_are_counted_although_none_is_in_the_query(world: World, tmp_path: Any) -> None:
    world.run(customers(), people(12))
    world.run(audience(), members(10))
    world.state_url = f"sqlite:///{tmp_path / 'new.db'}"
    plan = world.plan(audience(), members(2, start=10))
    assert any(note.startswith("10 holders of the tag are not in the query") for note in plan.notes)


def test_who_is_known_is_not_counted_and_costs_nothing(world: World) -> None:
    world.run(customers(), people(12))
    world.run(audience(), members(10))
    plan = world.plan(audience(), members(12))
    assert not any("holders of the tag" in note for note in plan.notes)
    assert world.sandbox.count("POST") == 0


def test_a_mirror_of_the_whole_tag_plans_to_untag_them_and_does_not_search_twice(world: World) -> None:
    org_of_another_tool(world)
    plan = world.plan(audience(mirror_scope="tag"), members(2))
    assert plan.removals.waiting + plan.removals.held == 8
    assert not any("holders of the tag" in note for note in plan.notes)
    searches = [one for one in world.sandbox.requests if "search" in one.path]
    assert len(searches) == 2  # the rows by e-mail address, the holders by tag
