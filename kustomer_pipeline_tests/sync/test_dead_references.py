"""A record that refers to a company or a tag that Kustomer no longer has can still be updated.

Kustomer refuses a write that sends the dead reference back; what is left out is that reference, and nothing else.
"""

from __future__ import annotations

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import RemovalLimit
from kustomer_pipeline_tests.world import World, audience, customers, members, people


@pytest.fixture
def linked(world: World) -> World:
    """Three customers, the first two linked to a company each, by an agent."""
    world.run(customers(), people(3))
    for n in (0, 1):
        company = world.sandbox.seed_company(name=f"Company {n}", externalId=f"A-{n}")
        world.sandbox.agent_edit(world.id_of(f"p{n}@example.com"), company=company)
    return world


def company_of(world: World, external_id: str) -> str | None:
    link = world.customer(external_id)["company"]
    return None if link is None else str(link)


def named(world: World, name: str) -> str:
    return next(id_ for id_, one in world.sandbox.companies.items() if one["name"] == name)


def test_a_customer_of_a_company_that_was_deleted_is_updated(linked: World) -> None:
    linked.sandbox.agent_delete(named(linked, "Company 0"))
    report = linked.run(customers(), people(3, plan="pro"))
    assert (report.counts.updated, report.counts.rejected) == (3, 0)
    assert {one["custom"]["planStr"] for one in linked.sandbox.customers.values()} == {"pro"}
    assert (company_of(linked, "C-0"), company_of(linked, "C-1")) == (None, named(linked, "Company 1"))
    assert linked.run(customers(), people(3, plan="pro")).counts.unchanged == 3


def test_a_customer_of_a_company_that_was_deleted_gets_the_company_of_its_row(linked: World) -> None:
    linked.sandbox.agent_delete(named(linked, "Company 0"))
    spec = customers(fields=(*customers().fields, FieldMapping("company", ("account",), match="externalId")))
    report = linked.run(spec, [{**row, "account": "A-1"} for row in people(3)])
    assert report.rows["outcome"].tolist() == ["updated", "unchanged", "updated"]
    assert {company_of(linked, f"C-{n}") for n in range(3)} == {named(linked, "Company 1")}


def test_a_customer_of_a_company_that_was_deleted_is_tagged_and_untagged(linked: World) -> None:
    spec = audience(max_removals=RemovalLimit(share=1.0))
    linked.sandbox.agent_delete(named(linked, "Company 0"))
    assert linked.run(spec, members(3)).counts.updated == 3
    linked.sandbox.agent_delete(named(linked, "Company 1"))
    report = linked.run(spec, [])
    assert (report.removed, report.removals.refused) == (3, 0)
    assert not any("vip" in linked.sandbox.tag_names(id_) for id_ in linked.sandbox.customers)


def test_a_customer_with_a_tag_that_was_deleted_is_tagged_and_its_other_tags_stay(linked: World) -> None:
    linked.sandbox.faults.set("dead_references_refused")
    living, dead = linked.sandbox.seed_tag("living"), linked.sandbox.seed_tag("dead")
    linked.sandbox.agent_edit(linked.id_of("p0@example.com"), tags=[living, dead])
    linked.sandbox.delete_tag(dead)
    spec = audience(max_removals=RemovalLimit(share=1.0))
    report = linked.run(spec, members(3))
    assert (report.counts.updated, report.counts.rejected) == (3, 0)
    assert set(linked.sandbox.tag_names(linked.id_of("p0@example.com"))) == {"living", "vip"}
    assert linked.run(spec, members(3)).counts.unchanged == 3
    assert linked.run(spec, members(2, start=1)).removed == 1
    assert linked.sandbox.tag_names(linked.id_of("p0@example.com")) == ["living"]


def test_both_are_gone(linked: World) -> None:
    linked.sandbox.faults.set("dead_references_refused")
    dead = linked.sandbox.seed_tag("dead")
    linked.sandbox.agent_edit(linked.id_of("p0@example.com"), tags=[dead])
    linked.sandbox.delete_tag(dead)
    linked.sandbox.agent_delete(named(linked, "Company 0"))
    assert linked.run(audience(), members(1)).counts.updated == 1
    assert linked.sandbox.tag_names(linked.id_of("p0@example.com")) == ["vip"]


def test_a_refusal_for_another_reason_leaves_living_references_alone(linked: World) -> None:
    linked.sandbox.faults.set("item_form_refused", "Person 0 POISON")
    report = linked.run(customers(), [{**people(1)[0], "name": "Person 0 POISON"}, *people(2, start=1, plan="pro")])
    assert (report.counts.updated, report.counts.rejected) == (2, 1)
    assert company_of(linked, "C-0") == named(linked, "Company 0")


def test_what_is_dead_is_looked_for_only_after_a_refusal(linked: World) -> None:
    linked.run(customers(), people(3, plan="pro"))
    assert linked.sandbox.count("GET", "/v1/companies") == 0
