"""Law 3: after a time-out, a dropped connection or a 5xx: look up first, then decide."""

import pytest

from kustomer_pipeline.sync import RunOptions, StateStore, run_sync
from kustomer_pipeline_tests.world import World, companies, customers, people

AFTER_THE_WORK = ["drop_after", "gateway_error_after"]
BEFORE_THE_WORK = ["drop_before", "gateway_error_before"]


@pytest.mark.parametrize("job_seconds", [0.0, 2.0, 500.0])
@pytest.mark.parametrize("fault", [*AFTER_THE_WORK, *BEFORE_THE_WORK])
def test_a_submit_without_an_answer_doubles_nobody(world: World, fault: str, job_seconds: float) -> None:
    """Whether the job was taken or not, and whether it runs at once, soon, or long after."""
    world.jobs_take(job_seconds)
    world.sandbox.faults.set(fault, method="POST", path="/v1/customers/bulk", times=1)
    for _ in range(4):
        report = world.run(customers(), people(30))
        world.clock.advance(1000)
    assert 30 == report.counts.unchanged
    assert 30 == len(world.sandbox.customers)


def test_rows_of_an_unanswered_create_that_landed_count_as_created(world: World) -> None:
    world.jobs_take(0.0)
    world.sandbox.faults.set("drop_after", method="POST", path="/v1/customers/bulk", times=1)
    report = world.run(customers(), people(30))
    assert 30 == report.counts.created
    assert 1 == world.sandbox.count("POST", "/v1/customers/bulk")


def test_a_timed_out_submit_is_looked_up(world: World) -> None:
    world.jobs_take(0.0)
    world.sandbox.faults.set("timeout_after", 5, method="POST", path="/v1/customers/bulk", times=1)
    spec = customers()
    with (
        world.client(timeout=0.3) as client,
        StateStore.open(world.state_url, clock=world.clock) as state,
    ):
        given = RunOptions("r")
        report = world.compared(
            spec,
            people(5),
            state,
            lambda mapped, rest: run_sync(spec, mapped, client=client, state=state, options=given, rest=rest),
        )
    assert 5 == report.counts.created
    assert 5 == len(world.sandbox.customers)


@pytest.mark.parametrize("fault", [*AFTER_THE_WORK, *BEFORE_THE_WORK])
def test_an_update_without_an_answer_is_compared_again(world: World, fault: str) -> None:
    world.run(customers(), people(30))
    world.sandbox.faults.set(fault, method="PUT", path="/v1/customers/bulk", times=1)
    report = world.run(customers(), people(30, plan="pro"))
    assert 30 == report.counts.updated
    assert {"pro"} == {one["custom"]["planStr"] for one in world.sandbox.customers.values()}


@pytest.mark.parametrize("fault", AFTER_THE_WORK)
def test_companies_without_a_unique_identifier_wait_before_they_are_created_again(world: World, fault: str) -> None:
    """Only their name tells them apart, and Kustomer takes the same name twice."""
    spec = companies(match_on=("name",), fields=companies().fields[1:])
    rows = [{"name": f"Company {n}"} for n in range(5)]
    world.jobs_take(30.0)
    world.sandbox.faults.set(fault, method="POST", path="/v1/companies/bulk", times=1)
    report = world.run(spec, rows)
    assert 5 == report.counts.deferred
    world.clock.advance(60)
    report = world.run(spec, rows)
    assert 5 == report.counts.created
    assert 5 == len(world.sandbox.companies)


def test_search_that_lags_behind_creates_nobody_twice(world: World) -> None:
    world.sandbox.faults.set("search_lag", 3600)
    rows = people(20)
    for row in rows:
        world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}])
    report = world.run(customers(), rows)
    assert 20 == report.counts.updated
    assert 20 == len(world.sandbox.customers)
