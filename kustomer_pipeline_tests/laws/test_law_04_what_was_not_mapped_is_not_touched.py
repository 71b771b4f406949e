"""Law 4: other tags, e-mails, phones, the company link, other custom attributes, an agent's edits survive."""

from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline_tests.world import World, audience, customers, members, people

SERVER_KEPT = {"rev", "updatedAt", "modifiedAt", "lastActivityAt", "name", "displayName", "custom", "emails", "tags"}


def seed_rich_customer(world: World) -> tuple[str, dict[str, Any]]:
    """A customer with everything an agent may have put there."""
    company = world.sandbox.seed_company(name="Acme", externalId="A-1")
    tag = world.sandbox.seed_tag("angry")
    id_ = world.sandbox.seed_customer(
        externalId="C-0",
        name="By an agent",
        emails=[{"email": "private@example.com", "type": "home", "verified": True}],
        phones=[{"phone": "+442071838750", "type": "mobile"}],
        urls=[{"url": "https://example.com/me", "type": "website"}],
        locations=[{"type": "home", "name": "Home", "zipCode": "N1"}],
        sharedEmails=[{"email": "family@example.com"}],
        tags=[tag],
        company=company,
        locale="en_GB",
        gender="f",
        custom={"noteStr": "likes cats", "planStr": "old", "scoreNum": 3},
    )
    return id_, dict(world.sandbox.customers[id_])


@pytest.mark.parametrize(
    "faults", [[], ["bulk_unlink_company"], ["list_item_extras"], ["bulk_rev_refused"], ["rev_ignored"]]
)
def test_an_update_changes_what_is_mapped_and_nothing_else(world: World, faults: list[str]) -> None:
    id_, before = seed_rich_customer(world)
    for fault in faults:
        world.sandbox.faults.set(fault)
    report = world.run(customers(), people(1))
    assert 1 == report.counts.updated
    world.sandbox.faults.clear()
    after = dict(world.sandbox.customers[id_])
    assert "Person 0" == after["name"]
    assert {"noteStr": "likes cats", "planStr": "free", "scoreNum": 3} == after["custom"]
    emails = [item["email"] for item in after["emails"]]
    assert ["private@example.com", "p0@example.com"] == emails
    assert {"email": "private@example.com", "type": "home", "verified": True}.items() <= after["emails"][0].items()
    assert before["tags"] == after["tags"]
    untouched = before.keys() - SERVER_KEPT
    assert {key: before[key] for key in untouched} == {key: after.get(key) for key in untouched}


@pytest.mark.parametrize("mode", ["add", "mirror", "remove"])
@pytest.mark.parametrize("faults", [[], ["bulk_unlink_company"], ["bulk_rev_refused"]])
def test_a_tag_comes_and_goes_and_everything_else_stays(world: World, mode: str, faults: list[str]) -> None:
    id_, _ = seed_rich_customer(world)
    if mode == "remove":
        world.sandbox.agent_edit(id_, tags=[*world.sandbox.customers[id_]["tags"], world.sandbox.seed_tag("vip")])
    before = dict(world.sandbox.customers[id_])
    for fault in faults:
        world.sandbox.faults.set(fault)
    report = world.run(audience(mode=mode), [{"email": "private@example.com"}])
    assert 1 == report.counts.updated
    after = dict(world.sandbox.customers[id_])
    assert ({"angry"} if mode == "remove" else {"angry", "vip"}) == set(world.sandbox.tag_names(id_))
    untouched = before.keys() - {"rev", "updatedAt", "modifiedAt", "lastActivityAt", "tags"}
    assert {key: before[key] for key in untouched} == {key: after.get(key) for key in untouched}


def test_an_agents_edits_between_two_runs_survive(world: World) -> None:
    world.run(customers(), people(1))
    id_ = world.id_of("p0@example.com")
    tag = world.sandbox.seed_tag("angry")
    world.sandbox.agent_edit(id_, tags=[tag], locale="fr", custom={"noteStr": "x"})
    emails = world.sandbox.customers[id_]["emails"]
    world.sandbox.agent_edit(id_, emails=[*[{"email": item["email"]} for item in emails], {"email": "new@example.com"}])
    world.run(customers(), people(1, plan="pro"))
    after = world.sandbox.customers[id_]
    assert ["angry"] == world.sandbox.tag_names(id_)
    assert "fr" == after["locale"]
    assert {"noteStr": "x", "planStr": "pro"} == after["custom"]
    assert {"p0@example.com", "new@example.com"} == {item["email"] for item in after["emails"]}


def test_an_agents_edit_between_read_and_write_survives(world: World) -> None:
    """`rev` makes Kustomer refuse the write that was computed from an older record; it is computed again."""
    world.run(customers(), people(30))
    world.sandbox.faults.set("agent_edit_after_read", "angry", path="/v1/customers/", times=1)
    report = world.run(audience(), members(30))
    assert 30 == report.counts.updated
    for id_ in world.sandbox.customers:
        assert {"angry", "vip"} == set(world.sandbox.tag_names(id_))


def test_a_customer_that_never_stands_still_is_deferred_not_overwritten(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.faults.set("agent_touch_after_read")
    report = world.run(customers(), people(3, plan="pro"))
    assert 3 == report.counts.deferred
    world.sandbox.faults.clear()
    assert 3 == world.run(customers(), people(3, plan="pro")).counts.updated


def test_the_company_link_stays_when_it_is_not_mapped_and_moves_when_it_is(world: World) -> None:
    id_, _ = seed_rich_customer(world)
    company = world.sandbox.customers[id_]["company"]
    other = world.sandbox.seed_company(name="Other", externalId="A-2")
    world.sandbox.faults.set("bulk_unlink_company")
    world.run(customers(), people(1))
    assert company == world.sandbox.customers[id_]["company"]
    link = (*customers().fields, FieldMapping("company", ("account",), match="externalId"))
    world.run(customers(fields=link), [{**people(1)[0], "account": None}])
    assert company == world.sandbox.customers[id_]["company"]
    world.run(customers(fields=link), [{**people(1)[0], "account": "A-2"}])
    assert other == world.sandbox.customers[id_]["company"]
    world.run(customers(fields=link, nulls="clear"), [{**people(1)[0], "account": None}])
    assert world.sandbox.customers[id_]["company"] is None


def test_if_empty_fills_and_never_overwrites(world: World) -> None:
    fields = (*customers().fields[:2], FieldMapping("name", ("name",), write="if_empty"))
    seed_rich_customer(world)
    world.sandbox.seed_customer(externalId="C-1")
    world.run(customers(fields=fields), people(2))
    assert "By an agent" == world.customer("C-0")["name"]
    assert "Person 1" == world.customer("C-1")["name"]


def test_masked_values_are_not_written_back(world: World) -> None:
    id_, before = seed_rich_customer(world)
    spec = customers(fields=(*customers().fields, FieldMapping("phone", ("phone",))), match_on=("externalId",))
    world.sandbox.faults.set("masked", "phones")
    report = world.run(spec, [{**people(1)[0], "phone": "+442071838751"}])
    assert 1 == report.counts.rejected
    assert "masked" in report.rows["reason"].iloc[0]
    world.sandbox.faults.clear()
    assert before["phones"] == world.sandbox.customers[id_]["phones"]


def test_drift_is_repaired_by_a_full_resync(world: World) -> None:
    world.run(customers(), people(2))
    world.sandbox.agent_edit(world.id_of("p0@example.com"), name="Drifted")
    assert 2 == world.run(customers(), people(2)).counts.unchanged
    report = world.run(customers(), people(2), full_resync=True)
    assert (1, 1) == (report.counts.updated, report.counts.unchanged)
    assert "Person 0" == world.customer("C-0")["name"]
