"""Plans of several syncs, made together: what an earlier one would create counts as there for those after it."""

from typing import Any

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import Approval, Plan, StateStore, keep_plan
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, World, audience, companies, customers, members, people

OF_COMPANIES = customers(
    fields=(*CUSTOMER_FIELDS, FieldMapping("company", ("account",), match="externalId")),
)


def together(world: World, making: str, *syncs: tuple[Any, Any]) -> list[Plan]:
    """One plan after the other, each kept, as the job plan_all does it."""
    found = []
    for spec, rows in syncs:
        with StateStore.open(world.state_url, clock=world.clock) as store:
            expected = store.plans(world.sandbox.org_id).created_in(making)
        found.append(world.plan(spec, rows, expected=expected))
        with StateStore.open(world.state_url, clock=world.clock) as store:
            keep_plan(found[-1], store, making)
    return found


def accounts(count: int) -> list[dict[str, Any]]:
    return [{"id": f"A-{n}", "name": f"Account {n}"} for n in range(count)]


def staff(count: int) -> list[dict[str, Any]]:
    return [row | {"account": f"A-{n % 4}"} for n, row in enumerate(people(count))]


def test_an_empty_org_is_planned_as_it_is_filled(world: World) -> None:
    world.sandbox.seed_tag("vip")
    syncs = ((companies(), accounts(3)), (OF_COMPANIES, staff(20)), (audience(), members(8)))
    of_companies, of_customers, of_audience = together(world, "plan_all", *syncs)
    assert of_companies.counts["create"] == 3
    assert (of_customers.counts["create"], of_customers.counts["reject"]) == (15, 5)  # A-3 is in no table
    assert (of_audience.counts["tag"], of_audience.counts["skip"]) == (6, 2)  # two lack their company
    reports = [world.run(spec, rows) for spec, rows in syncs]
    assert [report.counts.created for report in reports] == [3, 15, 0]
    assert reports[2].counts.updated == 6


def test_a_plan_alone_counts_on_nobody(world: World) -> None:
    together(world, "plan_all", (customers(), people(5)))
    [alone] = together(world, "another making", (audience(), members(5)))
    assert (alone.counts["tag"], alone.counts["skip"]) == (0, 5)


def test_whom_an_earlier_plan_creates_nobody_is_asked_about(world: World) -> None:
    world.sandbox.seed_customer(externalId="somebody")
    _, plan = together(world, "plan_all", (customers(), people(50)), (audience(), members(50)))
    assert plan.counts["tag"] == 50
    assert plan.requests <= 3


def test_the_plans_can_be_applied_one_after_the_other(world: World) -> None:
    people_then_vip = (customers(approval=Approval()), audience(approval=Approval()))
    first, second = together(world, "plan_all", (people_then_vip[0], people(9)), (people_then_vip[1], members(4)))
    assert world.run(people_then_vip[0], people(9), approve=first.id).counts.created == 9
    report = world.run(people_then_vip[1], members(5), approve=second.id)
    assert (report.counts.updated, report.counts.deferred) == (4, 1)


def test_nothing_of_anybody_is_kept_for_it(world: World) -> None:
    together(world, "plan_all", (customers(), people(3)))
    with StateStore.open(world.state_url, clock=world.clock) as store, store.engine.connect() as connection:
        kept = [tuple(row) for row in connection.exec_driver_sql("select * from plan_creates")]
    assert kept
    assert not any(word in repr(kept) for word in ("@", "Person", "C-1"))
