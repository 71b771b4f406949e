"""Audiences of companies: the same as those of customers, matched by externalId or name."""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import AudienceSpec, ReasonCode, RemovalLimit
from kustomer_pipeline_tests.world import World, audience

WIDE = RemovalLimit(share=1.0)


def key_accounts(**changes: Any) -> AudienceSpec:
    """The tag vip on companies."""
    settings: dict[str, Any] = {
        "name": "key_accounts",
        "object": "companies",
        "match_on": ("externalId", "name"),
        "fields": (FieldMapping("externalId", ("id",)), FieldMapping("name", ("name",))),
        "max_removals": WIDE,
    }
    return audience(**{**settings, **changes})


def accounts(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Warehouse rows of such an audience."""
    return [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(start, start + count)]


def tagged(world: World, tag: str = "vip") -> set[str]:
    """externalIds (or names) of the companies that have the tag."""
    return {
        one.get("externalId") or one["name"]
        for id_, one in world.sandbox.companies.items()
        if tag in world.sandbox.tag_names(id_)
    }


def numbers(*numbers: int) -> set[str]:
    """externalIds of companies."""
    return {f"A-{n}" for n in numbers}


def company(world: World, external_id: str) -> str:
    """The id of the company with that externalId."""
    return next(id_ for id_, one in world.sandbox.companies.items() if one.get("externalId") == external_id)


@pytest.fixture(params=[False, True], ids=["no lists of ids", "lists of ids"])
def world(world: World, request: pytest.FixtureRequest) -> World:
    """Twenty companies; lists of company ids in one request are not documented, and may work."""
    if request.param:
        world.sandbox.faults.set("companies_multi_get")
    for row in accounts(20):
        domain = {"domain": f"c{row['id'].lower()}.example"}
        world.sandbox.seed_company(name=row["name"], externalId=row["id"], domains=[domain])
    world.sandbox.seed_customer(externalId="C-0", name="Not a company", tags=[world.sandbox.seed_tag("vip")])
    return world


# --- the modes ----------------------------------------------------------------------------------------------------


def test_add_only_adds(world: World) -> None:
    assert world.run(key_accounts(mode="add"), accounts(3)).counts.updated == 3
    assert world.run(key_accounts(mode="add"), accounts(2, start=3)).counts.updated == 2
    assert tagged(world) == numbers(0, 1, 2, 3, 4)


def test_remove_only_removes(world: World) -> None:
    world.run(key_accounts(mode="add"), accounts(5))
    report = world.run(
        key_accounts(name="no_key_accounts", mode="remove"), [*accounts(2), {"id": "X", "name": "Nobody"}]
    )
    assert list(report.rows["outcome"]) == ["updated", "updated", "skipped"]
    assert tagged(world) == numbers(2, 3, 4)


def test_mirror_follows_the_rows(world: World) -> None:
    assert world.run(key_accounts(), accounts(4)).counts.updated == 4
    report = world.run(key_accounts(), accounts(4, start=2))
    assert (report.counts.updated, report.counts.unchanged, report.removed) == (2, 2, 2)
    assert tagged(world) == numbers(2, 3, 4, 5)


def test_nothing_else_of_the_companies_changes(world: World) -> None:
    other = world.sandbox.seed_tag("other")
    world.sandbox.agent_edit(company(world, "A-0"), tags=[other])
    before = {id_: {**one} for id_, one in world.sandbox.companies.items()}
    world.run(key_accounts(), accounts(4))
    world.run(key_accounts(), accounts(4, start=4))
    kept = ("name", "externalId", "domains", "custom", "employeeCount", "deleted")
    after = world.sandbox.companies
    assert {id_: [one.get(name) for name in kept] for id_, one in before.items()} == {
        id_: [one.get(name) for name in kept] for id_, one in after.items()
    }
    assert after[company(world, "A-0")]["tags"] == [other]
    assert world.sandbox.tag_names(next(iter(world.sandbox.customers))) == ["vip"]


def test_whom_somebody_tagged_by_hand_stays_under_owned(world: World) -> None:
    (tag,) = world.sandbox.tags
    world.sandbox.agent_edit(company(world, "A-9"), tags=[tag])
    world.run(key_accounts(), [*accounts(3), *accounts(1, start=9)])
    report = world.run(key_accounts(), accounts(2))
    assert report.removed == 1
    assert tagged(world) == numbers(0, 1, 9)


def test_the_scope_tag_untags_whoever_holds_it(world: World) -> None:
    (tag,) = world.sandbox.tags
    world.run(key_accounts(), accounts(3))
    world.sandbox.agent_edit(company(world, "A-9"), tags=[tag])
    report = world.run(key_accounts(mirror_scope="tag"), accounts(3))
    assert (report.removed, report.members) == (1, 4)
    assert tagged(world) == numbers(0, 1, 2)


def test_the_scope_tag_finds_the_holders_without_search(world: World) -> None:
    (tag,) = world.sandbox.tags
    world.sandbox.faults.set("search_forbidden")
    world.sandbox.agent_edit(company(world, "A-9"), tags=[tag])
    report = world.run(key_accounts(mirror_scope="tag"), accounts(3))
    assert (report.interrupted, report.removed) == (None, 1)
    assert tagged(world) == numbers(0, 1, 2)


# --- the guard ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["owned", "tag"])
def test_an_empty_result_untags_nobody_until_exactly_that_is_approved(world: World, scope: Any) -> None:
    spec = key_accounts(max_removals=RemovalLimit(), mirror_scope=scope)
    world.run(spec, accounts(10))
    report = world.run(spec, [])
    assert (report.removed, report.removals_held, report.members) == (0, 10, 10)
    assert world.plan(spec, []).removal_plan_id == report.removal_plan_id
    assert world.run(spec, accounts(1), approve_removals=report.removal_plan_id).removed == 0
    assert tagged(world) == numbers(*range(10))
    assert world.run(spec, [], approve_removals=report.removal_plan_id).removed == 10
    assert tagged(world) == set()


def test_an_approval_passes_once(world: World) -> None:
    spec = key_accounts(max_removals=RemovalLimit())
    world.run(spec, accounts(10))
    plan_id = world.run(spec, []).removal_plan_id
    assert world.run(spec, [], approve_removals=plan_id).removed == 10
    world.run(spec, accounts(10))
    assert world.run(spec, [], approve_removals=plan_id).removed == 0
    assert tagged(world) == numbers(*range(10))


def test_a_list_to_remove_is_held_by_its_number(world: World) -> None:
    world.run(key_accounts(mode="add"), accounts(10))
    spec = key_accounts(name="no", mode="remove", max_removals=RemovalLimit(count=3))
    report = world.run(spec, accounts(5))
    assert (report.counts.deferred, report.removals_held) == (5, 5)
    assert world.run(spec, accounts(5), approve_removals=report.removal_plan_id).counts.updated == 5
    assert tagged(world) == numbers(*range(5, 10))


def test_additions_go_while_removals_are_held(world: World) -> None:
    spec = key_accounts(max_removals=RemovalLimit())
    world.run(spec, accounts(10))
    report = world.run(spec, accounts(4, start=8))
    assert (report.counts.updated, report.removals_held) == (2, 8)
    assert tagged(world) == numbers(*range(12))


# --- what it costs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["add", "remove", "mirror"])
def test_unchanged_costs_one_request(world: World, mode: Any) -> None:
    world.run(key_accounts(mode=mode), accounts(10))
    assert world.run(key_accounts(mode=mode), accounts(10)).counts.unchanged == 10
    assert world.sandbox.units() == 1


def test_a_plan_changes_nothing_and_says_it_all(world: World) -> None:
    world.run(key_accounts(), accounts(6))
    before = {id_: dict(one) for id_, one in world.sandbox.companies.items()}
    plan = world.plan(key_accounts(), accounts(6, start=4))
    assert (plan.counts["tag"], plan.counts["untag"], plan.counts["unchanged"]) == (4, 4, 2)
    assert {id_: dict(one) for id_, one in world.sandbox.companies.items()} == before
    report = world.run(key_accounts(), accounts(6, start=4))
    assert (report.counts.updated, report.removed) == (4, 4)


def test_many_members_are_not_asked_for_one_by_one(world: World) -> None:
    for row in accounts(500, start=20):
        world.sandbox.seed_company(name=row["name"], externalId=row["id"])
    report = world.run(key_accounts(), accounts(520))
    assert report.counts.updated == 520
    assert world.sandbox.units() <= 0.12 * 520


# --- who is it ----------------------------------------------------------------------------------------------------


def test_members_are_found_by_name_where_they_have_no_external_id(world: World) -> None:
    world.sandbox.seed_company(name="By Name Inc")
    report = world.run(key_accounts(), [{"name": "By Name Inc"}, {"id": "A-3", "name": "Renamed meanwhile"}])
    assert list(report.rows["outcome"]) == ["updated", "updated"]
    assert tagged(world) == {"By Name Inc", "A-3"}


def test_companies_of_one_name_are_nobody_s_guess(world: World) -> None:
    world.sandbox.seed_company(name="Twice Ltd")
    world.sandbox.seed_company(name="Twice Ltd")
    report = world.run(key_accounts(), [{"name": "Twice Ltd"}, *accounts(2)])
    assert list(report.rows["outcome"]) == ["rejected", "updated", "updated"]
    assert report.by_code == {ReasonCode.AMBIGUOUS: 1}
    assert tagged(world) == numbers(0, 1)


def test_nobody_leaves_who_became_ambiguous(world: World) -> None:
    """A second company of the same name turns up: its member is still in the query, and stays."""
    first = world.sandbox.seed_company(name="Twice Ltd")
    world.run(key_accounts(), [{"name": "Twice Ltd"}, *accounts(2)])
    world.sandbox.seed_company(name="Twice Ltd")
    world.run(key_accounts(), [{"name": "Twice Ltd"}, *accounts(1)], full_resync=True)
    assert "vip" in world.sandbox.tag_names(first)


def test_a_name_that_another_company_has_with_another_external_id_is_not_taken(world: World) -> None:
    """Names are not unique: it is another company, and the row's is not there."""
    report = world.run(key_accounts(), [{"id": "A-99", "name": "Company 5"}])
    assert list(report.rows["outcome"]) == ["skipped"]
    assert report.by_code == {ReasonCode.NOT_IN_KUSTOMER: 1}
    assert tagged(world) == set()


@pytest.mark.parametrize("hidden", [False, True])
def test_a_deleted_company_is_no_member(world: World, hidden: bool) -> None:
    if hidden:
        world.sandbox.faults.set("deleted_company_hidden")
    world.run(key_accounts(), accounts(4))
    world.sandbox.agent_delete(company(world, "A-0"))
    world.sandbox.agent_delete(company(world, "A-9"))
    report = world.run(key_accounts(), [*accounts(3, start=1), *accounts(1, start=9)])
    assert report.interrupted is None
    assert list(report.rows["outcome"]) == ["unchanged"] * 3 + ["skipped"]
    assert report.by_code == {ReasonCode.NOT_IN_KUSTOMER: 1}
    world.run(key_accounts(), [*accounts(3, start=1), *accounts(1, start=9)])
    assert world.sandbox.units() == 1


def test_a_company_that_was_deleted_and_made_anew_is_tagged_again(world: World) -> None:
    world.run(key_accounts(), accounts(4))
    world.sandbox.agent_delete(company(world, "A-0"))
    world.sandbox.seed_company(name="Company 0 again", externalId="A-0")
    world.run(key_accounts(), accounts(4), full_resync=True)
    alive = {id_: one for id_, one in world.sandbox.companies.items() if not one.get("deleted")}
    members = {one["externalId"] for id_, one in alive.items() if "vip" in world.sandbox.tag_names(id_)}
    assert members == numbers(0, 1, 2, 3)


def test_a_company_under_another_name_stays(world: World) -> None:
    """The row says the new name; the record is found by its externalId and by what is remembered."""
    world.run(key_accounts(), accounts(4))
    world.sandbox.agent_edit(company(world, "A-0"), name="Renamed")
    report = world.run(key_accounts(), [{"id": "A-0", "name": "Renamed"}, *accounts(3, start=1)])
    assert (report.removed, list(report.rows["outcome"])) == (0, ["unchanged"] * 4)


def test_the_same_company_twice_is_one_member(world: World) -> None:
    world.sandbox.seed_company(name="By Name Inc", externalId="N-1")
    report = world.run(key_accounts(), [{"id": "N-1"}, {"name": "By Name Inc"}])
    assert list(report.rows["outcome"]) == ["updated", "skipped"]
    assert world.run(key_accounts(), [{"name": "By Name Inc"}]).removed == 0
    assert tagged(world) == {"N-1"}


def test_a_company_with_twenty_tags_is_rejected_and_the_rest_go(world: World) -> None:
    full = company(world, "A-1")
    world.sandbox.agent_edit(full, tags=[world.sandbox.seed_tag(f"t{n}") for n in range(20)])
    report = world.run(key_accounts(), accounts(3))
    assert list(report.rows["outcome"]) == ["updated", "rejected", "updated"]
    assert report.by_code == {ReasonCode.TAGS_FULL: 1}


# --- when things go wrong -----------------------------------------------------------------------------------------


def test_a_removal_that_kustomer_refuses_is_counted_and_told(world: World) -> None:
    world.run(key_accounts(), accounts(4))
    world.sandbox.faults.set("untag_refused")
    report = world.run(key_accounts(), accounts(3))
    assert (report.removed, report.removals.refused) == (0, 1)
    assert list(report.removals.rows["key"]) == ["A-3"]
    world.sandbox.faults.clear("untag_refused")
    assert world.run(key_accounts(), accounts(3)).removed == 1


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "gateway_error_after"])
def test_a_lost_answer_is_no_loss(world: World, fault: str) -> None:
    world.run(key_accounts(), accounts(4))
    world.sandbox.faults.set(fault, method="PUT", path="/v1/companies/bulk", times=1)
    world.run(key_accounts(), accounts(4, start=2))
    world.clock.advance(3600)
    world.run(key_accounts(), accounts(4, start=2))
    assert tagged(world) == numbers(2, 3, 4, 5)


def test_an_audience_of_customers_and_one_of_companies_may_share_a_tag(world: World) -> None:
    people = audience(match_on=("externalId",), fields=(FieldMapping("externalId", ("id",)),), max_removals=WIDE)
    world.sandbox.seed_customer(externalId="C-1", name="One")
    world.run(key_accounts(), accounts(3))
    world.run(people, [{"id": "C-1"}])
    assert world.run(people, []).removed == 1
    assert world.run(key_accounts(), accounts(2)).removed == 1
    assert tagged(world) == numbers(0, 1)
