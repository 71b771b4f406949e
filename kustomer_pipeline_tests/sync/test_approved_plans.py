"""A plan that was approved: exactly that goes, once, while it is young; whatever changed since waits."""

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kustomer_pipeline.sync import (
    Approval,
    AudienceSpec,
    ChangeLimit,
    ObjectSpec,
    Plan,
    PlanNotApplicableError,
    ReasonCode,
    StateStore,
    SyncReport,
    keep_plan,
)
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

Spec = ObjectSpec | AudienceSpec
Rows = list[dict[str, Any]]
REQUIRED = customers(approval=Approval())


def planned(world: World, spec: Spec, rows: Rows, **options: Any) -> Plan:
    """A plan that is kept, as the plan asset and the command line keep it."""
    plan = world.plan(spec, rows, **options)
    with StateStore.open(world.state_url, clock=world.clock) as store:
        keep_plan(plan, store, "a test")
    return plan


def apply(world: World, spec: Spec, rows: Rows, plan: Plan, by: str | None = "jane") -> SyncReport:
    assert plan.id is not None
    return world.run(spec, rows, approve=plan.id, approved_by=by)


def put_off(report: SyncReport, code: ReasonCode) -> int:
    return report.by_code.get(code, 0)


# --- approval: required -------------------------------------------------------------------------------------------


def test_without_an_approved_plan_nothing_is_written(world: World) -> None:
    report = world.run(REQUIRED, people(5))
    assert (report.counts.deferred, put_off(report, ReasonCode.NOT_APPROVED)) == (5, 5)
    assert world.sandbox.customers == {}
    assert world.sandbox.count("POST", "/v1/customers/bulk") == 0


def test_without_an_approved_plan_no_tag_is_made_either(world: World) -> None:
    world.run(customers(), people(3))
    report = world.run(audience(approval=Approval()), members(3))
    assert put_off(report, ReasonCode.NOT_APPROVED) == 3
    assert world.sandbox.tags == {}


def test_what_is_unchanged_needs_no_approval(world: World) -> None:
    world.run(customers(), people(5))
    report = world.run(REQUIRED, people(5))
    assert (report.counts.unchanged, report.requests) == (5, 1)


def test_an_approved_plan_is_applied_and_who_said_so_is_told(world: World) -> None:
    plan = planned(world, REQUIRED, people(5))
    report = apply(world, REQUIRED, people(5), plan)
    assert report.counts.created == 5
    assert f"The plan {plan.id} was applied, approved by jane" in report.notes
    with StateStore.open(world.state_url, clock=world.clock) as store:
        kept = store.plans(report.org_id).get(str(plan.id))
    assert kept is not None
    assert (kept.approved_by, kept.run_id, kept.counts["create"]) == ("jane", report.run_id, 5)
    assert kept.finished_at is not None


def test_rows_that_were_not_planned_wait(world: World) -> None:
    plan = planned(world, REQUIRED, people(3))
    report = apply(world, REQUIRED, people(5), plan)
    assert (report.counts.created, put_off(report, ReasonCode.CHANGED_SINCE_PLAN)) == (3, 2)
    assert len(world.sandbox.customers) == 3


def test_a_row_that_the_warehouse_changed_since_waits(world: World) -> None:
    rows = people(5)
    plan = planned(world, REQUIRED, rows)
    rows[2] = rows[2] | {"plan": "pro"}
    report = apply(world, REQUIRED, rows, plan)
    assert (report.counts.created, put_off(report, ReasonCode.CHANGED_SINCE_PLAN)) == (4, 1)
    again = planned(world, REQUIRED, rows)
    assert apply(world, REQUIRED, rows, again).counts.created == 1


def test_a_record_that_an_agent_changed_since_waits_and_another_field_of_it_does_not_matter(world: World) -> None:
    world.run(customers(), people(4))
    rows = people(4, plan="pro")
    plan = planned(world, REQUIRED, rows)
    world.sandbox.agent_edit(world.id_of("p0@example.com"), custom={"planStr": "gold"})
    world.sandbox.agent_edit(world.id_of("p1@example.com"), name="By an agent")
    report = apply(world, REQUIRED, rows, plan)
    assert (report.counts.updated, put_off(report, ReasonCode.CHANGED_SINCE_PLAN)) == (2, 2)
    assert world.customer("C-0")["custom"]["planStr"] == "gold"
    assert world.customer("C-1")["name"] == "By an agent"


def test_whom_somebody_made_meanwhile_is_not_changed(world: World) -> None:
    plan = planned(world, REQUIRED, people(3))
    world.sandbox.seed_customer(externalId="C-1", name="Made by another tool")
    report = apply(world, REQUIRED, people(3), plan)
    assert (report.counts.created, put_off(report, ReasonCode.CHANGED_SINCE_PLAN)) == (2, 1)
    assert world.customer("C-1")["name"] == "Made by another tool"


def test_members_leave_only_as_planned(world: World) -> None:
    world.run(customers(), people(10))
    spec = audience(approval=Approval())
    apply(world, spec, members(6), planned(world, spec, members(6)))
    plan = planned(world, spec, members(4))
    report = apply(world, spec, members(3), plan)  # one more has left since
    assert report.removed == 2
    tagged = {id_ for id_ in world.sandbox.customers if "vip" in world.sandbox.tag_names(id_)}
    assert tagged == {world.id_of(f"p{n}@example.com") for n in range(4)}


def test_an_approved_plan_needs_no_second_approval_of_the_guard(world: World) -> None:
    """Whoever approved it has seen every one of these lines."""
    spec = customers(approval=Approval(), max_changes=ChangeLimit(share=0.1))
    world.run(customers(), people(300))
    rows = people(300, plan="pro")
    plan = planned(world, spec, rows)
    assert plan.held_changes.held == 300
    assert apply(world, spec, rows, plan).counts.updated == 300


# --- which plan ---------------------------------------------------------------------------------------------------


def test_a_plan_is_applied_once(world: World) -> None:
    plan = planned(world, REQUIRED, people(3))
    apply(world, REQUIRED, people(3), plan)
    with pytest.raises(PlanNotApplicableError, match=r"applied already: by the run run-1, .* approved by jane"):
        apply(world, REQUIRED, people(3), plan)


def test_the_same_content_is_another_plan_afterwards(world: World) -> None:
    rows, back = people(3), people(3, plan="pro")
    for wanted in (rows, back, rows):
        plan = planned(world, REQUIRED, wanted)
        assert apply(world, REQUIRED, wanted, plan).counts.deferred == 0
    first = planned(world, REQUIRED, back)
    assert apply(world, REQUIRED, back, first).counts.updated == 3


def test_a_plan_expires(world: World) -> None:
    spec = customers(approval=Approval(max_age=timedelta(hours=2)))
    plan = planned(world, spec, people(3))
    world.hours_pass(2.1)
    with pytest.raises(PlanNotApplicableError, match=r"is 2\.1 hours old, and 2 hours at most"):
        apply(world, spec, people(3), plan)
    assert world.sandbox.customers == {}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(REQUIRED, name="others"), "is one of customers, not of others"),
        (replace(REQUIRED, mode="insert"), "The definition of customers has changed since"),
    ],
)
def test_a_plan_of_another_sync_or_of_another_definition_is_refused(world: World, other: Spec, said: str) -> None:
    plan = planned(world, REQUIRED, people(3))
    with pytest.raises(PlanNotApplicableError, match=said):
        apply(world, other, people(3), plan)
    assert world.sandbox.customers == {}


def test_an_id_that_nobody_knows_is_an_error_and_not_ignored(world: World) -> None:
    for spec in (REQUIRED, customers()):
        with pytest.raises(PlanNotApplicableError, match="There is no plan plan-3-0123456789abcdef of this org"):
            world.run(spec, people(3), approve="plan-3-0123456789abcdef")
    assert world.sandbox.customers == {}


def test_a_plan_can_be_applied_although_nobody_requires_it(world: World) -> None:
    plan = planned(world, customers(), people(3))
    report = apply(world, customers(), people(4), plan)
    assert (report.counts.created, put_off(report, ReasonCode.CHANGED_SINCE_PLAN)) == (3, 1)


def test_an_interrupted_run_can_be_repeated_with_its_plan(world: World) -> None:
    plan = planned(world, REQUIRED, people(250))
    world.sandbox.faults.set("unauthorized", after=6)
    report = apply(world, REQUIRED, people(250), plan)
    assert report.interrupted is not None
    world.sandbox.faults.clear()
    assert apply(world, REQUIRED, people(250), plan).counts.deferred == 0
    assert len(world.sandbox.customers) == 250


def test_applying_a_plan_costs_what_a_run_costs(world: World, tmp_path: Path) -> None:
    """Creates that were planned are not looked for once more."""
    world.sandbox.seed_customer(externalId="somebody")
    plan = planned(world, REQUIRED, people(600))
    applied = apply(world, REQUIRED, people(600), plan)
    with World(f"sqlite:///{tmp_path / 'other.db'}", job_seconds=2.0) as other:
        other.sandbox.seed_customer(externalId="somebody")
        free = other.run(customers(), people(600))
    assert applied.counts.created == free.counts.created == 600
    assert applied.requests <= free.requests


def test_nothing_to_do_has_no_plan_to_approve(world: World) -> None:
    world.run(customers(), people(3))
    assert planned(world, REQUIRED, people(3)).id is None


def test_what_is_kept_of_a_plan_holds_no_value(world: World) -> None:
    planned(world, audience(approval=Approval()), members(3))
    planned(world, REQUIRED, people(3))
    with StateStore.open(world.state_url, clock=world.clock) as store, store.engine.connect() as connection:
        for table in ("plans", "plan_seals"):
            kept = [tuple(row) for row in connection.exec_driver_sql(f"select * from {table}")]
            assert kept
            assert not any(word in repr(kept) for word in ("@", "Person", "C-1"))


# --- a plan and what a run does of it (D26) -----------------------------------------------------------------------

N = 6
VALUES = st.sampled_from([None, "free", "pro"])
EVENT = st.sampled_from(["edit", "delete", "create", "warehouse"])
EVENTS = st.lists(st.tuples(EVENT, st.integers(0, N - 1)), max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    known=st.lists(VALUES, min_size=N, max_size=N),
    wanted=st.lists(VALUES, min_size=N, max_size=N),
    events=EVENTS,
)
def test_what_is_done_is_what_was_planned_and_the_rest_waits(
    known: list[str | None], wanted: list[str | None], events: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, World(f"sqlite:///{folder}/state.db", job_seconds=1.0) as world:
        for n, value in enumerate(known):
            if value is not None:
                email = [{"email": f"p{n}@example.com"}]
                world.sandbox.seed_customer(externalId=f"C-{n}", emails=email, custom={"planStr": value})
        rows = [row | {"plan": wanted[n]} for n, row in enumerate(people(N))]
        plan = planned(world, REQUIRED, rows)
        if plan.id is None:
            return
        touched = {f"C-{n}" for _, n in events}
        for what, n in events:
            _happens(world, rows, what, n)
        before = {id_: dict(one) for id_, one in world.sandbox.customers.items()}
        report = apply(world, REQUIRED, rows, plan)
        in_plan = set(plan.changes["key"])
        done = set(report.rows["key"][report.rows["outcome"].isin(["created", "updated"])])
        assert in_plan - touched <= done <= in_plan
        for id_, one in world.sandbox.customers.items():
            if one.get("externalId") not in done:
                assert one == before[id_]


def _happens(world: World, rows: Rows, what: str, n: int) -> None:
    found = [id_ for id_, one in world.sandbox.customers.items() if one.get("externalId") == f"C-{n}"]
    if what == "warehouse":
        rows[n] = rows[n] | {"plan": "gold"}
    elif what == "edit" and found:
        world.sandbox.agent_edit(found[0], custom={"planStr": "by an agent"})
    elif what == "delete" and found:
        world.sandbox.agent_delete(found[0])
    elif what == "create" and not found:
        world.sandbox.seed_customer(externalId=f"C-{n}", custom={"planStr": "of another tool"})


# --- what creates do not prove ------------------------------------------------------------------------------------


def test_applying_a_plan_makes_no_company_twice(world: World) -> None:
    """Kustomer takes a name twice; the plan could prove the absence of the first rows only."""
    spec = companies(match_on=("name",), fields=companies().fields[1:], approval=Approval())
    rows = [{"name": f"Company {n}"} for n in range(300)]
    for row in rows:
        world.sandbox.seed_company(name=row["name"])
    world.sandbox.faults.set("search_lag", 1e9)
    world.sandbox.faults.set("list_refused")
    plan = planned(world, spec, rows)
    report = apply(world, spec, rows, plan)
    assert len(world.sandbox.companies) == 300
    assert report.counts.created == 0


def test_a_plan_is_applied_with_what_it_was_told(world: World) -> None:
    """A plan with full_resync looks at rows that have not changed: so does the run that applies it."""
    world.run(customers(), people(5))
    world.sandbox.agent_edit(world.id_of("p1@example.com"), name="Somebody else")
    plan = planned(world, REQUIRED, people(5), full_resync=True)
    assert apply(world, REQUIRED, people(5), plan).counts.updated == 1
    assert world.customer("C-1")["name"] == "Person 1"


def test_nothing_is_cleaned_up_without_approval(world: World) -> None:
    world.run(customers(), people(5))
    world.run(audience(), members(5))
    world.run(audience(tag="other", approval=Approval()), members(5), clean_up=True)
    assert all("vip" in world.sandbox.tag_names(id_) for id_ in world.sandbox.customers)


def test_that_a_plan_was_applied_is_no_warning(world: World) -> None:
    report = apply(world, REQUIRED, people(3), planned(world, REQUIRED, people(3)))
    assert report.notes == report.news
