"""Many jobs under way at once: what that gains, and what must not come of it.

Rows flow: while jobs run, the next rows are resolved and written; a record is never in two jobs at once; what an early
job refuses is settled while later ones run; and so many rows are under way at most, however many the frame has.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from kustomer_pipeline.sandbox.jobs import Job
from kustomer_pipeline.sandbox.roles import FOUR_ROLES
from kustomer_pipeline.sandbox.state import RequestRecord
from kustomer_pipeline.sync import RemovalLimit, SyncReport
from kustomer_pipeline.sync.apply.executor import ROWS_UNDER_WAY
from kustomer_pipeline.sync.reconcile import WAVE_ROWS
from kustomer_pipeline.sync.rows import DesiredRow
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.world import World, audience, customers, members, people

CONCURRENCY = 32  # requests of a client under way at once, unless told otherwise


@pytest.fixture
def busy(world: World) -> World:
    """Kustomer as it is: answers take a tenth of a second, jobs five seconds."""
    world.latency = 0.1
    world.jobs_take(5.0)
    return world


def jobs(world: World) -> list[Job]:
    """The bulk jobs so far, in the order in which they were submitted."""
    with world.sandbox.state.lock:
        world.sandbox.state.now()
        return list(world.sandbox.state.jobs.jobs.values())


def size(job: Job) -> int:
    return sum(len(batch.items) for batch in job.batches)


def most_at_once(world: World, *, rows: bool = False) -> int:
    """How many jobs (or rows in them) Kustomer had to do at once, at most."""
    events = []
    for job in jobs(world):
        weight = size(job) if rows else 1
        ended = max(batch.completed_at or batch.due for batch in job.batches)
        events += [(job.submitted, weight), (ended, -weight)]
    most = now = 0
    for _, change in sorted(events):
        now += change
        most = max(most, now)
    return most


def records_in_two_jobs_at_once(world: World) -> list[str]:
    """Records that a job was to change while another job was to change them too."""
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for job in jobs(world):
        ended = max(batch.completed_at or batch.due for batch in job.batches)
        for batch in job.batches:
            for item in batch.items:
                if "id" in item:
                    spans[item["id"]].append((job.submitted, ended))
    return [
        record_id
        for record_id, found in spans.items()
        if any(later[0] < earlier[1] for earlier, later in pairwise(sorted(found)))
    ]


# --- what it gains ------------------------------------------------------------------------------------------------


def test_fifty_jobs_of_five_seconds_do_not_take_fifty_times_five_seconds(busy: World) -> None:
    report = busy.run(customers(), people(5000))
    assert report.counts.created == 5000
    assert most_at_once(busy) >= 8
    assert report.seconds <= 40


def test_updates_flow_while_their_records_are_read(busy: World) -> None:
    busy.run(customers(), people(5000))
    with busy.sandbox.state.lock:
        busy.sandbox.state.jobs.jobs.clear()
    report = busy.run(customers(), people(5000, plan="pro"))
    assert report.counts.updated == 5000
    assert most_at_once(busy) >= 8
    assert report.seconds <= 40
    first_write = next(one.at for one in busy.sandbox.requests if one.method == "PUT")
    last_read = max(one.at for one in busy.sandbox.requests[:-10] if "," in one.path)
    assert first_write < last_read, "nothing waits until everything is read"


@pytest.mark.parametrize("roles", [None, FOUR_ROLES], ids=["in bulk", "one by one"])
def test_many_requests_are_under_way_and_never_more_than_allowed(busy: World, roles: Sequence[str] | None) -> None:
    if roles:
        busy.api_key = busy.sandbox.add_api_key(roles)
    transports: list[InProcess] = []
    telling = busy.client

    def client() -> Any:
        transports.append(InProcess(busy.sandbox.app, busy.clock, busy.latency))
        return telling(transport=transports[-1])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(busy, "client", client)
        assert busy.run(customers(), people(600)).counts.created == 600
    assert 4 <= transports[0].most_in_flight <= CONCURRENCY


def test_six_hundred_single_writes_do_not_take_six_hundred_answers_of_time(busy: World) -> None:
    """The org's budget says how fast it goes, not the way there and back."""
    busy.latency = 0.5
    busy.api_key = busy.sandbox.add_api_key(FOUR_ROLES)
    report = busy.run(customers(), people(600))
    assert report.counts.created == 600
    assert report.seconds <= 1.2 * 600 / (0.8 * 1000 / 60)


# --- what must not come of it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("agent_edit_after_read", "angry"),
        ("results_missing", 3),
        ("agent_touch_after_read", True),
        ("results_shuffled", True),
        ("batch_size", 7),
        ("batches_results_missing", True),
    ],
)
def test_a_record_is_never_in_two_jobs_at_once(busy: World, fault: str, value: Any) -> None:
    busy.run(customers(), people(1500))
    if fault.endswith("_after_read"):
        busy.sandbox.faults.set(fault, value, times=5)
    else:
        busy.sandbox.faults.set(fault, value)
    report = busy.run(customers(), people(1500, plan="pro"))
    assert (report.interrupted, report.counts.updated) == (None, 1500)
    assert records_in_two_jobs_at_once(busy) == []
    assert {one["custom"]["planStr"] for one in busy.sandbox.customers.values()} == {"pro"}


def test_two_rows_of_one_member_are_written_once(busy: World) -> None:
    """The second address of each member comes in another wave, while the first is still being written."""
    rows = people(1500)
    for row in rows:
        second = row["email"].replace("@", "+second@")
        emails = [{"email": row["email"]}, {"email": second}]
        busy.sandbox.seed_customer(externalId=row["id"], emails=emails, name="old")
    both = [*members(1500), *({"email": f"p{n}+second@example.com"} for n in range(1500))]
    report = busy.run(audience(max_removals=RemovalLimit(share=1.0)), both)
    assert (report.counts.updated, report.counts.skipped) == (1500, 1500)
    written = [item["id"] for one in busy.sandbox.requests if one.method == "PUT" for item in one.json()]
    assert len(written) == len(set(written)) == 1500


def test_what_an_early_job_refuses_is_settled_while_later_jobs_run(busy: World) -> None:
    """The row is there already, which its create tells; its update goes out long before the slow jobs are done."""
    busy.sandbox.seed_customer(externalId="C-50", emails=[{"email": "p50@example.com"}], name="old")
    busy.sandbox.faults.set("search_lag", 36_000.0, times=8)
    busy.jobs_take(2.0)

    def later_jobs_are_slow(record: RequestRecord) -> None:
        if record.method == "POST" and record.path == "/v1/customers/bulk":
            busy.jobs_take(2.0 if b'"C-50"' in (record.body or b"") else 90.0)

    busy.sandbox.hooks.before.append(later_jobs_are_slow)
    report = busy.run(customers(), people(2000))
    assert (report.counts.created, report.counts.updated) == (1999, 1)
    update = next(one.at for one in busy.sandbox.requests if one.method == "PUT")
    last_done = max(batch.completed_at or batch.due for job in jobs(busy) for batch in job.batches)
    assert last_done - update >= 45
    assert report.seconds <= 250


def test_one_bad_row_in_each_of_many_jobs_costs_only_those_rows(busy: World) -> None:
    """Every request holds a row that Kustomer refuses on form: all of them are halved at once."""
    busy.sandbox.faults.set("item_form_refused", "POISON")
    rows = [{**row, "name": "POISON"} if number % 100 == 7 else row for number, row in enumerate(people(1000))]
    report = busy.run(customers(), rows)
    assert (report.counts.created, report.counts.rejected) == (990, 10)
    oracle.nobody_twice(busy.sandbox)
    assert report.seconds <= 120


def test_jobs_in_a_queue_of_kustomer_s_come_to_their_end(busy: World) -> None:
    """One after the other, five seconds each: what is under way is awaited, however long the queue."""
    busy.sandbox.faults.set("jobs_in_queue")
    report = busy.run(customers(), people(3000))
    assert (report.interrupted, report.counts.created) == (None, 3000)
    assert busy.sandbox.count("GET", "/v1/bulk/") <= 2 * 30


def test_jobs_in_a_long_queue_are_not_given_up_as_stuck(busy: World) -> None:
    busy.sandbox.faults.set("jobs_in_queue")
    busy.jobs_take(15.0)
    report = busy.run(customers(), people(6000))
    assert (report.interrupted, report.counts.created, report.counts.deferred) == (None, 6000, 0)


# --- memory -------------------------------------------------------------------------------------------------------


def test_so_many_rows_are_under_way_at_most(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of two minutes: the frame waits, not the rows of all of it in memory. A third of everything, to be quick."""
    assert ROWS_UNDER_WAY == 10_000
    monkeypatch.setattr("kustomer_pipeline.sync.apply.executor.ROWS_UNDER_WAY", 3_000)
    busy.jobs_take(120.0)
    alive: list[int] = []

    def count(record: RequestRecord) -> None:
        if record.method == "POST" and record.path == "/v1/customers/bulk" and len(jobs(busy)) % 15 == 0:
            alive.append(sum(isinstance(one, DesiredRow) for one in gc.get_objects()))

    busy.sandbox.hooks.before.append(count)
    report: SyncReport = busy.run(customers(), people(9_000))
    assert report.counts.created == 9_000
    assert most_at_once(busy, rows=True) <= 3_000
    assert len(alive) >= 5
    assert max(alive) <= 3_000 + 3 * WAVE_ROWS
