"""Law 8 in bounded time: whatever an earlier run left behind, the next one is at work within a minute.

Left behind: jobs that are stuck in Kustomer's queue, jobs that Kustomer does not know or has forgotten, jobs of which
only the intent is on disk. They are looked at together, those that are too old are given up, their rows are looked up.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline.sync import ReasonCode, RemovalLimit
from kustomer_pipeline.sync.state.journal import JournalWriter
from kustomer_pipeline.sync.state.tables import bulk_jobs
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.fused import run_and_die
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

SEEDS = int(os.environ.get("KUSTOMER_TEST_EXAMPLES", "3"))  # read here: the tests see no KUSTOMER_ variable
MINUTE = 60.0
Rows = list[dict[str, Any]]


class Died(BaseException):
    """The process is gone."""


@pytest.fixture
def busy(world: World) -> World:
    """Kustomer as it is: answers take a tenth of a second, jobs five seconds."""
    world.latency = 0.1
    world.jobs_take(5.0)
    return world


# --- ways to leave jobs behind ------------------------------------------------------------------------------------


def leave_stuck(world: World, rows: Rows) -> None:
    """The run has waited in vain."""
    world.sandbox.faults.set("job_stuck")
    report = world.run(customers(), rows)
    assert report.counts.deferred == len(rows)
    world.sandbox.faults.clear("job_stuck")


def leave_unknown(world: World, rows: Rows) -> None:
    """Kustomer was never asked to do the jobs that the journal names."""
    leave_stuck(world, rows)
    with world.sandbox.state.lock:
        world.sandbox.state.jobs.jobs.clear()


def leave_forgotten(world: World, rows: Rows) -> None:
    """Kustomer did the jobs, and knows nothing of them any more."""
    leave_stuck(world, rows)
    world.sandbox.release_jobs()
    world.clock.advance(60)
    assert len(world.sandbox.customers) == len(rows)
    with world.sandbox.state.lock:
        world.sandbox.state.jobs.jobs.clear()


def leave_nameless(world: World, rows: Rows) -> None:
    """Only the intent is on disk, and Kustomer has the jobs all the same."""

    def die(*_: Any) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(JournalWriter, "submitted", die)
        with pytest.raises(Died):
            world.run(customers(), rows)


WAYS = {
    "stuck": leave_stuck,
    "unknown": leave_unknown,
    "forgotten": leave_forgotten,
    "without id": leave_nameless,
}
Leave = Callable[[World, Rows], None]


def first_write(world: World, began: float) -> float:
    """Seconds until the run sent its first write."""
    writes = [one for one in world.sandbox.requests if one.method in ("POST", "PUT") and "search" not in one.path]
    return writes[0].at - began


def journal(world: World) -> int:
    """How many jobs the journal holds."""
    engine = sa.create_engine(world.state_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(bulk_jobs)).scalar_one())


def landed(world: World, rows: Rows) -> None:
    """Every row is there once and as it should be."""
    oracle.nobody_twice(world.sandbox)
    by_id = {one["externalId"]: one for one in world.sandbox.customers.values()}
    assert len(by_id) == len(world.sandbox.customers) == len(rows)
    assert [row["id"] for row in rows if oracle.differences(row, by_id[row["id"]], {})] == []


# --- at work within a minute --------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [0, 6, 29])
@pytest.mark.parametrize("leave", WAYS.values(), ids=WAYS.keys())
def test_the_next_run_writes_within_a_minute(busy: World, leave: Leave, minutes: int) -> None:
    leave(busy, people(1000))
    assert journal(busy) >= 1
    busy.clock.advance(60.0 * minutes)
    began = busy.clock.time()
    report = busy.run(customers(), people(1100))
    assert report.interrupted is None
    assert first_write(busy, began) <= MINUTE
    assert {one["externalId"] for one in busy.sandbox.customers.values()} >= {f"C-{n}" for n in range(1000, 1100)}


def test_stuck_jobs_of_twenty_cost_a_look_each(busy: World) -> None:
    leave_stuck(busy, people(2000))
    assert journal(busy) == 20
    busy.clock.advance(600)
    busy.run(customers(), people(2000))
    assert busy.sandbox.count("GET", "/v1/bulk/") <= 2 * 20


def test_rows_of_a_job_in_the_queue_wait_and_are_not_sent_again(busy: World) -> None:
    leave_stuck(busy, people(1000))
    report = busy.run(customers(), people(1000))
    assert report.by_code == {ReasonCode.QUEUED: 1000}
    assert busy.sandbox.count("POST", "/v1/customers/bulk") == 0
    busy.sandbox.release_jobs()
    busy.clock.advance(60)
    report = busy.run(customers(), people(1000))
    assert report.counts.unchanged == 1000
    assert busy.sandbox.count("POST", "/v1/customers/bulk") == 0
    landed(busy, people(1000))


def test_a_stuck_job_older_than_half_an_hour_is_given_up_and_its_rows_land(busy: World) -> None:
    leave_stuck(busy, people(1000))
    busy.clock.advance(31 * 60)
    report = busy.run(customers(), people(1000))
    assert (report.interrupted, report.counts.created, journal(busy)) == (None, 1000, 0)
    landed(busy, people(1000))


def test_a_job_that_was_given_up_and_is_done_later_does_no_harm(busy: World) -> None:
    """Kustomer wakes up after all: what it writes then is what the row said long ago."""
    busy.run(customers(), people(300, plan="free"))
    busy.sandbox.faults.set("job_stuck")
    assert busy.run(customers(), people(300, plan="pro")).counts.deferred == 300
    busy.sandbox.faults.clear("job_stuck")
    busy.clock.advance(31 * 60)
    report = busy.run(customers(), people(300, plan="gold"))
    assert (report.interrupted, report.counts.updated, journal(busy)) == (None, 300, 0)
    assert {one["custom"]["planStr"] for one in busy.sandbox.customers.values()} == {"gold"}
    busy.sandbox.release_jobs()  # their rev is not the current one any more
    busy.clock.advance(60)
    assert {one["custom"]["planStr"] for one in busy.sandbox.customers.values()} == {"gold"}


def test_stuck_updates_that_were_given_up_are_computed_anew(busy: World) -> None:
    busy.run(customers(), people(300, plan="free"))
    busy.sandbox.faults.set("job_stuck")
    busy.run(customers(), people(300, plan="pro"))
    busy.sandbox.faults.clear("job_stuck")
    busy.clock.advance(31 * 60)
    report = busy.run(customers(), people(300, plan="free"))
    assert report.counts.unchanged == 300
    assert {one["custom"]["planStr"] for one in busy.sandbox.customers.values()} == {"free"}


@pytest.mark.parametrize("leave", WAYS.values(), ids=WAYS.keys())
def test_everything_has_landed_after_half_an_hour_whatever_was_left(busy: World, leave: Leave) -> None:
    leave(busy, people(500))
    busy.run(customers(), people(500))
    busy.clock.advance(31 * 60)
    report = busy.run(customers(), people(500))
    assert (report.interrupted, report.counts.rejected + report.counts.deferred) == (None, 0)
    landed(busy, people(500))
    busy.clock.advance(3600)
    busy.run(customers(), people(500))
    assert busy.run(customers(), people(500)).counts.unchanged == 500
    assert (busy.sandbox.units(), journal(busy)) == (1, 0)


def test_twenty_jobs_without_an_answer_do_not_hold_up_the_run_that_sent_them(busy: World) -> None:
    """All of them are waited for together, not one after the other."""
    busy.sandbox.faults.set("job_stuck", times=20)
    began = busy.clock.monotonic()
    report = busy.run(customers(), people(3000))
    assert (report.counts.created, report.counts.deferred) == (1000, 2000)
    assert busy.clock.monotonic() - began <= 400


def test_a_mirrored_audience_recovers_from_stuck_jobs(busy: World) -> None:
    spec = audience(max_removals=RemovalLimit(share=1.0))
    busy.run(customers(), people(400))
    busy.run(spec, members(200))
    busy.sandbox.faults.set("job_stuck")
    assert busy.run(spec, members(200, start=100)).counts.deferred == 100
    busy.sandbox.faults.clear("job_stuck")
    busy.clock.advance(31 * 60)
    began = busy.clock.time()
    report = busy.run(spec, members(200, start=100))
    assert (report.interrupted, report.counts.deferred, report.removed) == (None, 0, 100)
    assert first_write(busy, began) <= MINUTE
    holders = {one["externalId"] for id_, one in busy.sandbox.customers.items() if "vip" in busy.sandbox.tag_names(id_)}
    assert holders == {f"C-{n}" for n in range(100, 300)}


def test_stuck_jobs_of_companies_without_unique_identifiers_are_not_doubled(busy: World) -> None:
    spec = companies(match_on=("name",), fields=companies().fields[1:])
    rows = [{"name": f"Company {n}"} for n in range(150)]
    busy.sandbox.faults.set("job_stuck")
    busy.run(spec, rows)
    busy.sandbox.faults.clear("job_stuck")
    for minutes in (31, 1, 20):
        busy.clock.advance(60.0 * minutes)
        busy.run(spec, rows)
    assert sorted(one["name"] for one in busy.sandbox.companies.values()) == sorted(row["name"] for row in rows)


# --- fourteen times in a row --------------------------------------------------------------------------------------


def killed_fourteen_times(world: World, seed: int, *, pauses: list[float]) -> None:
    """A load of 1,500 rows, killed at random again and again; the warehouse says something else each time."""
    chance = random.Random(seed)
    killed = 0
    for attempt in range(14):
        moment = chance.randint(1, 150)
        killed += run_and_die(world, customers(), people(1500, plan=f"plan {attempt}"), moment) >= moment
        world.clock.advance(chance.choice(pauses))
    assert killed >= 13, "the runs were over before they could be killed"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_fourteen_times_in_a_row_and_run_once_more(busy: World, seed: int) -> None:
    for row in people(1500)[::5]:
        busy.sandbox.seed_customer(
            externalId=row["id"], emails=[{"email": row["email"]}], name="old", custom={"noteStr": row["id"]}
        )
    killed_fourteen_times(busy, seed, pauses=[0.0, 1.0, 20.0, 400.0])
    assert busy.sandbox.units() <= 14 * 75
    rows = people(1500, plan="the last")
    began = busy.clock.time()
    report = busy.run(customers(), rows)
    assert (report.interrupted, report.counts.rejected + report.counts.deferred) == (None, 0)
    landed(busy, rows)
    noted = {
        one["externalId"]: one["custom"]["noteStr"]
        for one in busy.sandbox.customers.values()
        if "noteStr" in one["custom"]
    }
    assert noted == {row["id"]: row["id"] for row in rows[::5]}
    assert first_write(busy, began) <= MINUTE
    assert busy.sandbox.units() <= 150, "a load of 1,500 rows in peace needs about 60"
    assert report.seconds <= 120
    busy.clock.advance(3600)
    busy.run(customers(), rows)
    landed(busy, rows)
    assert busy.run(customers(), rows).counts.unchanged == 1500
    assert (busy.sandbox.units(), journal(busy)) == (1, 0)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_fourteen_times_in_a_row_with_stuck_jobs_among_them(busy: World, seed: int) -> None:
    busy.sandbox.faults.set("job_stuck", probability=0.3)
    killed_fourteen_times(busy, seed, pauses=[0.0, 20.0, 400.0])
    busy.sandbox.faults.clear("job_stuck")
    rows = people(1500, plan="the last")
    began = busy.clock.time()
    report = busy.run(customers(), rows)
    assert (report.interrupted, report.counts.rejected) == (None, 0)
    assert set(report.by_code) <= {ReasonCode.QUEUED}
    assert busy.clock.time() - began <= 150
    busy.clock.advance(31 * 60)
    report = busy.run(customers(), rows)
    assert (report.interrupted, report.counts.rejected + report.counts.deferred) == (None, 0)
    landed(busy, rows)
