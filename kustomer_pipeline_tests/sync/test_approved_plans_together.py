"""Plans that were made together, applied one after the other: what the earlier one creates is there by then."""

from __future__ import annotations

from typing import Any

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import StateStore, keep_plan
from kustomer_pipeline_tests.world import World, companies, customers, people

LINKED = (*customers().fields, FieldMapping("company", ("account",), match="externalId"))


def rows(count: int, company: str = "A-1") -> list[dict[str, Any]]:
    return [{**row, "account": company} for row in people(count)]


def planned(world: World) -> str:
    """The id of a plan of five customers of a company that an earlier plan creates."""
    firms = world.plan(companies(), [{"id": "A-1", "name": "Acme"}, {"id": "A-2", "name": "Other"}])
    plan = world.plan(customers(fields=LINKED), rows(5), expected=firms.creates)
    assert plan.counts["create"] == 5
    assert plan.changes.loc[plan.changes["field"] == "company", "after"].unique().tolist() == ["new company A-1"]
    assert plan.id is not None
    with StateStore.open(world.state_url, clock=world.clock) as store:
        keep_plan(plan, store, "a test")
    world.run(companies(), [{"id": "A-1", "name": "Acme"}, {"id": "A-2", "name": "Other"}])
    return plan.id


def test_customers_of_a_company_that_the_plan_before_creates(world: World) -> None:
    report = world.run(customers(fields=LINKED), rows(5), approve=planned(world))
    assert (report.counts.created, report.counts.deferred) == (5, 0)
    [acme] = [id_ for id_, one in world.sandbox.companies.items() if one["externalId"] == "A-1"]
    assert {one["company"] for one in world.sandbox.customers.values()} == {acme}


def test_another_company_than_was_planned_waits(world: World) -> None:
    """Both are new: it is not enough that some company was to be created."""
    report = world.run(customers(fields=LINKED), rows(5, "A-2"), approve=planned(world))
    assert (report.counts.created, report.counts.deferred) == (0, 5)
