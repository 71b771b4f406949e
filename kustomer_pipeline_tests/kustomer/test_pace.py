"""When bulk jobs are looked at: when they are likely done, as learnt from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline.kustomer.bulk import BulkJobs
from kustomer_pipeline.kustomer.pace import JobPace
from kustomer_pipeline.kustomer.waiting import JobWaiter
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.simulated import InProcess, SimulatedClock

Takes = Callable[[int, float, list[float]], float]


class Jobs(BulkJobs):
    """`count` jobs, one handed in every `interval` seconds, awaited all at once; a look takes 0.1 s."""

    def __init__(self, count: int, interval: float, done_at: Takes, patience: float = 10_000.0) -> None:
        self.clock = SimulatedClock()
        self.looks: list[list[float]] = [[] for _ in range(count)]
        self.done: list[float] = []
        self.late: dict[int, float] = {}
        self.interval, self.done_at, self.patience = interval, done_at, patience
        self.waiter = JobWaiter(self, self.clock)
        loop = self.clock.new_loop()
        try:
            loop.run_until_complete(self._all(count))
        finally:
            loop.close()

    @property
    def looks_a_job(self) -> float:
        return sum(map(len, self.looks)) / len(self.looks)

    async def answer(self, bulk_id: str, expected: int) -> k.BulkAnswer:
        number, now = int(bulk_id), self.clock.monotonic()
        self.looks[number].append(now)
        await asyncio.sleep(0.1)
        complete = self.done[number] <= now
        if complete:
            self.late[number] = now - self.done[number]
        return k.BulkAnswer(complete, {})

    async def _all(self, count: int) -> None:
        await asyncio.gather(*[self._one(number) for number in range(count)])

    async def _one(self, number: int) -> None:
        await asyncio.sleep(number * self.interval)
        at = self.clock.monotonic()
        self.done.append(self.done_at(number, at, self.done))
        await self.waiter.results(str(number), 1, at, at + self.patience)


def alone(seconds: float) -> Takes:
    return lambda number, at, done: at + seconds


def queued(seconds: float) -> Takes:
    return lambda number, at, done: max(at, done[-1] if done else 0.0) + seconds


@pytest.mark.parametrize("seconds", [0.2, 1.0, 5.0, 30.0])
@pytest.mark.parametrize("interval", [0.02, 0.085])
def test_jobs_on_their_own_cost_about_one_look_each_and_are_seen_soon(seconds: float, interval: float) -> None:
    jobs = Jobs(150, interval, alone(seconds))
    assert jobs.looks_a_job <= 1.2
    assert sum(jobs.late.values()) / 150 <= 1.5 + 0.2 * seconds


@pytest.mark.parametrize("seconds", [1.0, 5.0, 20.0])
def test_jobs_one_after_the_other_cost_about_one_look_each_too(seconds: float) -> None:
    jobs = Jobs(80, 0.085, queued(seconds))
    assert jobs.looks_a_job <= 1.55
    assert sum(jobs.late.values()) / 80 <= 0.5 + 0.6 * seconds


def test_a_job_is_never_looked_at_more_often_than_every_half_second() -> None:
    for jobs in (Jobs(60, 0.085, queued(3.0)), Jobs(60, 0.085, alone(7.0))):
        for looks in jobs.looks:
            assert all(later - earlier >= 0.499 for earlier, later in pairwise(looks))


def test_a_job_that_is_looked_at_late_is_not_looked_at_ever_more_rarely() -> None:
    pace = JobPace()
    pace.submitted("a", at=0.0, now=0.0)
    pauses, now = [], 50.0  # the first look came when the budget allowed it
    for _ in range(5):
        pace.looking("a")
        pace.looked("a", now, complete=False)
        pauses.append(pace.next_look("a", now).at - now)
        now += pauses[-1]
    assert pauses[0] == pytest.approx(0.5)
    assert max(pauses) < 3


def test_a_late_look_that_finds_a_job_done_does_not_make_for_late_looks() -> None:
    pace = JobPace()
    for number in range(10):
        at = 100.0 * number
        pace.submitted("a", at, at)
        pace.looking("a")
        pace.looked("a", at + 90, complete=True)
    pace.submitted("b", 1000.0, 1000.0)
    assert pace.next_look("b", 1000.0).at <= 1001


def test_a_job_behind_one_that_is_not_done_is_not_asked_for() -> None:
    pace = JobPace()
    pace.submitted("a", 0.0, 0.0)
    pace.submitted("b", 0.1, 0.1)
    pace.looking("a")
    pace.looked("a", 2.0, complete=False)
    assert pace.next_look("b", 2.0).behind
    assert pace.next_look("b", 2.0).at > 2.0
    pace.looking("a")
    pace.looked("a", 3.0, complete=True)
    assert not pace.next_look("b", 3.2).behind
    assert pace.next_look("b", 3.2).at <= 3.2


@pytest.mark.parametrize("stuck", [{0}, {50}, {10, 20, 30}])
def test_a_stuck_job_does_not_keep_the_others_waiting_for_long(stuck: set[int]) -> None:
    jobs = Jobs(100, 0.085, lambda number, at, done: at + (10**6 if number in stuck else 5), patience=120.0)
    assert set(jobs.late) == set(range(100)) - stuck
    assert max(jobs.late.values()) < 45
    assert all(len(jobs.looks[number]) < 25 for number in stuck)


def test_a_job_of_an_earlier_run_that_is_stuck_keeps_nobody_waiting() -> None:
    pace = JobPace()
    pace.submitted("old", at=0.0, now=1000.0)
    pace.submitted("new", at=1000.0, now=1000.0)
    pace.looking("old")
    pace.looked("old", 1000.0, complete=False)
    assert not pace.next_look("new", 1001.0).behind


def test_jobs_that_become_slower_or_faster_are_learnt_anew() -> None:
    slower = Jobs(300, 0.085, lambda number, at, done: at + (5 if number < 150 else 12))
    assert slower.looks_a_job <= 1.2
    assert max(slower.late.values()) < 10
    faster = Jobs(300, 0.5, lambda number, at, done: at + (12 if number < 100 else 3))
    assert faster.looks_a_job <= 1.2
    assert faster.late[299] < 3


# --- the client waits by it


def items(job: int) -> list[dict[str, object]]:
    return [{"_clientRef": str(number), "externalId": f"{job}-{number}"} for number in range(10)]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def sandbox(clock: SimulatedClock) -> Sandbox:
    return Sandbox(serve=False, clock=clock.time, job_seconds=5.0)


@pytest.fixture
def client(sandbox: Sandbox, clock: SimulatedClock) -> k.KustomerClient:
    return k.KustomerClient(
        base_url=sandbox.url, api_key=sandbox.api_key, clock=clock, transport=InProcess(sandbox.app, clock, 0.1)
    )


async def write(client: k.KustomerClient, job: int, patience: float = 300.0) -> k.BulkAnswer:
    bulk_id = await client.submit_bulk("customers", "create", items(job))
    now = client.clock.monotonic()
    return await client.bulk_results(bulk_id, 10, now, now + patience)


def test_many_jobs_are_awaited_at_once(client: k.KustomerClient, sandbox: Sandbox) -> None:
    async def all_jobs() -> list[k.BulkAnswer]:
        return await asyncio.gather(*[write(client, job) for job in range(40)])

    with client:
        answers = client.run(all_jobs())
    assert all(answer.complete and len(answer.results) == 10 for answer in answers)
    assert sandbox.count("GET", "/v1/bulk") <= 46
    assert client.clock.monotonic() < 7


def test_at_the_deadline_a_job_is_not_complete_and_is_looked_at_once_more(
    client: k.KustomerClient, sandbox: Sandbox
) -> None:
    sandbox.faults.set("job_stuck")
    with client:
        answer = client.run(write(client, 1, patience=20.0))
        assert answer == k.BulkAnswer(False, {})
        assert client.clock.monotonic() == pytest.approx(20.2, abs=0.2)
        assert sandbox.count("GET", "/v1/bulk") < 12
        sandbox.release_jobs()
        late = client.run(client.bulk_results(next(iter(sandbox.state.jobs.jobs)), 10, 0.0, client.clock.monotonic()))
        assert late.complete is False or len(late.results) == 10


def test_a_job_that_kustomer_does_not_know_is_not_waited_for(client: k.KustomerClient) -> None:
    with client, pytest.raises(k.NotFoundError):
        client.run(client.bulk_results("0" * 24, 10, 0.0, 300.0))


def test_when_waiting_for_a_job_is_called_off_the_others_go_on(client: k.KustomerClient, sandbox: Sandbox) -> None:
    sandbox.faults.set("job_stuck", times=1)

    async def first_called_off() -> k.BulkAnswer:
        first = asyncio.ensure_future(write(client, 1))
        await asyncio.sleep(1)
        second = asyncio.ensure_future(write(client, 2))
        await asyncio.sleep(1)
        first.cancel()
        return await second

    with client:
        assert client.run(first_called_off()).complete
    assert client.clock.monotonic() < 9
