"""Law 7 with four processes: the parts of a sync in shards, each in a process of its own, leave others the reserve.

Real processes, sockets and databases; only time is in a hurry, for the org as for all of them.
"""

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import RunOptions, StateStore, SyncReport, in_shard, run_sync, shard_number
from kustomer_pipeline_tests.killed import HastyClock
from kustomer_pipeline_tests.world import customers, frame_of, people

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["kustomer_pipeline_tests.killed"])

OF = 4
ROWS = 6_000
LIMIT, RESERVE = 100, 20
PATIENCE = 90.0
WINDOW = 60.0


@dataclass(frozen=True)
class CommonClock(HastyClock):
    """Time in a hurry since a moment that all processes are told."""

    since: float

    def time(self) -> float:
        """Seconds since the epoch, all of them in a hurry."""
        return self.since + (time.time() - self.since) * self.HASTE


@pytest.fixture
def clock() -> CommonClock:
    return CommonClock(time.time())


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def sandbox(clock: CommonClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock.time, job_seconds=2.0, rate_limit=LIMIT) as sandbox:
        yield sandbox


def run_part(number: int, url: str, api_key: str, state_url: str, clock: CommonClock, parent: Connection) -> None:
    """Runs in a process of its own."""
    whole = customers()
    rows = [row for row in people(ROWS) if shard_number(row["id"], whole.match_on, OF) == number]
    spec = in_shard(whole, number, OF)
    mapped = spec.map(frame_of(spec, rows))
    with (
        KustomerClient(base_url=url, api_key=api_key, clock=clock, rate_reserve=RESERVE / LIMIT) as client,
        StateStore.open(state_url, clock=clock) as store,
    ):
        options = RunOptions(f"run of part {number}", read_back=0)
        parent.send(run_sync(spec, mapped, client=client, state=store, options=options))


def test_together_they_never_touch_the_reserve(sandbox: Sandbox, state: str, clock: CommonClock) -> None:
    left: list[int] = []
    sandbox.hooks.after.append(lambda _: left.append(sandbox.budget_left))
    pipes, runs = [], []
    for number in range(OF):
        pipe, theirs = processes.Pipe()
        arguments = (number, sandbox.url, sandbox.api_key, state, clock, theirs)
        runs.append(processes.Process(target=run_part, args=arguments))
        runs[-1].start()
        pipes.append(pipe)
    reports: list[SyncReport] = []
    for pipe, process in zip(pipes, runs, strict=True):
        assert pipe.poll(PATIENCE), "no answer"
        reports.append(pipe.recv())
        process.join(PATIENCE)
    assert [report.interrupted for report in reports] == [None] * OF
    assert sum(report.counts.created for report in reports) == ROWS == len(sandbox.customers)
    assert min(left) >= RESERVE
    assert sandbox.count(status=429) == 0
    began = [one.at for one in sandbox.requests]
    windows = Counter(int((at - sandbox.state.limits.org.anchor) // WINDOW) for at in began)
    assert len(windows) >= 2, "the budget was never in the way: this test would pass without leases"
    assert sum(report.requests for report in reports) == len(began)
