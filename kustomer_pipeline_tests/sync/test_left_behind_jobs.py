"""Jobs that an earlier run left behind: looked at together, given up when too old, and never in anybody's way.

How fast the next run is at work whatever was left is in laws/test_recovery_in_bounded_time.py; here is what becomes of
the rows.
"""

from __future__ import annotations

import pytest

from kustomer_pipeline.sync import ReasonCode
from kustomer_pipeline.sync.apply.recovery import GIVE_UP_AFTER, GRACE_SECONDS
from kustomer_pipeline_tests.world import World, customers, people

MINUTES = GIVE_UP_AFTER.total_seconds() / 60


@pytest.fixture
def stuck(world: World) -> World:
    """Twenty jobs of a hundred rows each that Kustomer never finishes."""
    world.latency = 0.1
    world.sandbox.faults.set("job_stuck")
    assert world.run(customers(), people(2000)).counts.deferred == 2000
    world.sandbox.faults.clear("job_stuck")
    return world


def test_all_of_them_together_cost_one_short_wait(stuck: World) -> None:
    for _ in range(3):
        report = stuck.run(customers(), people(2000))
        assert (report.counts.deferred, report.by_code) == (2000, {ReasonCode.QUEUED: 2000})
        assert report.seconds < GRACE_SECONDS + 10
        stuck.clock.advance(60)


def test_other_rows_land_meanwhile(stuck: World) -> None:
    report = stuck.run(customers(), people(2100))
    assert (report.counts.created, report.counts.deferred) == (100, 2000)
    assert report.seconds < 2 * GRACE_SECONDS


def test_they_are_given_up_and_their_rows_land(stuck: World) -> None:
    stuck.clock.advance(60 * (MINUTES + 1))
    report = stuck.run(customers(), people(2000))
    assert (report.counts.created, report.counts.deferred, report.interrupted) == (2000, 0, None)
    assert len(stuck.sandbox.customers) == 2000
    assert report.seconds < 120


def test_when_kustomer_does_them_after_all_nobody_is_there_twice(stuck: World) -> None:
    stuck.clock.advance(60 * (MINUTES + 1))
    stuck.run(customers(), people(2000, plan="pro"))
    stuck.sandbox.release_jobs()
    stuck.clock.advance(60)
    stuck.run(customers(), people(2000, plan="pro"))
    assert len(stuck.sandbox.customers) == 2000
    assert {one["custom"]["planStr"] for one in stuck.sandbox.customers.values()} == {"pro"}


def test_when_kustomer_does_them_in_time_the_answers_are_collected(stuck: World) -> None:
    stuck.sandbox.release_jobs()
    stuck.clock.advance(60)
    report = stuck.run(customers(), people(2000))
    assert report.counts.unchanged == 2000
    assert stuck.sandbox.count("POST", "/v1/customers/bulk") == 0
    assert stuck.sandbox.units() <= 25


def test_a_job_that_is_first_looked_at_late_is_not_looked_at_ever_more_rarely(world: World) -> None:
    """Kustomer finishes each job within two seconds; the run is busy elsewhere, and asks late for the first time."""
    world.latency = 0.1
    world.jobs_take(1.5)
    report = world.run(customers(), people(1000))
    assert report.counts.created == 1000
    assert report.seconds < 15


def test_jobs_that_run_one_after_the_other_are_collected_soon_after_they_are_done(world: World) -> None:
    world.latency = 0.1
    world.jobs_take(2.0)
    world.sandbox.faults.set("jobs_in_queue")
    report = world.run(customers(), people(1000))
    assert report.counts.created == 1000
    assert 20 <= report.seconds < 35
    assert world.sandbox.count("GET", "/v1/bulk/") <= 25
