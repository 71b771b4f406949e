"""Law 8, harder: processes that are killed at any instant, several times in a row, with the state in either database.

Two ways to die by SIGKILL: after a random delay, spread over the length of a whole run, and by its own hand at the
n-th moment (a statement, a commit, a request about to go out, an answer just in). Afterwards one run in peace lands
everything, nothing is there twice, no job is left behind, and the run after that costs one request.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, RemovalLimit, RunOptions, StateStore, SyncReport, run_sync
from kustomer_pipeline.sync.state.tables import bulk_jobs
from kustomer_pipeline_tests import killed, oracle
from kustomer_pipeline_tests.world import audience, companies, customers, mapped_rows, members, people

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["kustomer_pipeline_tests.killed"])

KILLS = int(os.environ.get("KUSTOMER_TEST_EXAMPLES", "5"))  # read here: the tests see no KUSTOMER_ variable
ENOUGH = {"moment": 3, "delay": 1}  # of those; how many a delay hits depends on how busy the machine is

Rows = list[dict[str, Any]]
Spec = ObjectSpec | AudienceSpec


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(job_seconds=0.02, rate_limit=1_000_000) as sandbox:
        yield sandbox


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return str(request.getfixturevalue("postgres_url"))


# --- the processes --------------------------------------------------------------------------------------------


def run_until(spec: Spec, rows: Rows, url: str, api_key: str, state_url: str, moment: int | None) -> SyncReport:
    """One run that kills its own process at the n-th moment. Runs in a process of its own."""
    fuse = oracle.Fuse(moment, die=lambda: os.kill(os.getpid(), signal.SIGKILL))
    client = KustomerClient(base_url=url, api_key=api_key, clock=killed.HastyClock(), transport=fuse)
    with fuse.lit(), client, StateStore.open(state_url) as state:
        mapped, rest = mapped_rows(spec, rows, client, state, state_url)
        return run_sync(spec, mapped, client=client, state=state, options=RunOptions("run"), rest=rest)


def moments_of(spec: Spec, rows: Rows, sandbox: Sandbox, state: str) -> int:
    """How many moments such a run has, without those in which a new state is made; it is over afterwards."""
    StateStore.open(state).close()
    fuse = oracle.Fuse()
    client = KustomerClient(base_url=sandbox.url, api_key=sandbox.api_key, clock=killed.HastyClock(), transport=fuse)
    with fuse.lit(), client, StateStore.open(state) as store:
        mapped, rest = mapped_rows(spec, rows, client, store, state)
        run_sync(spec, mapped, client=client, state=store, options=RunOptions("run"), rest=rest)
    return fuse.moments


def in_a_process(spec: Spec, rows: Rows, sandbox: Sandbox, state: str, moment: int | None) -> Any:
    arguments = (spec, rows, sandbox.url, sandbox.api_key, state, moment)
    process = processes.Process(target=run_until, args=arguments)
    process.start()
    return process


def killed_at_moment(spec: Spec, rows: Rows, sandbox: Sandbox, state: str, moment: int) -> bool:
    process = in_a_process(spec, rows, sandbox, state, moment)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return bool(process.exitcode)


def killed_after(spec: Spec, rows: Rows, sandbox: Sandbox, state: str, seconds: float) -> bool:
    """Killed so long after its first request, which is when a run begins (a process takes its time to start)."""
    process = in_a_process(spec, rows, sandbox, state, None)
    first = len(sandbox.requests)
    while len(sandbox.requests) == first and process.is_alive():
        wait([process.sentinel], timeout=0.002)
    wait([process.sentinel], timeout=seconds)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return bool(process.exitcode)


def in_peace(spec: Spec, rows: Rows, sandbox: Sandbox, state: str) -> SyncReport:
    oracle.hours_pass(state)  # jobs whose ids were lost are over by now
    report = run_until(spec, rows, sandbox.url, sandbox.api_key, state, None)
    assert report.adds_up
    assert report.interrupted is None
    assert 0 == report.counts.rejected + report.counts.deferred, report.rows["reason"].dropna().unique()
    assert 0 == report.read_back.drifted
    return report


def settled(spec: Spec, rows: Rows, sandbox: Sandbox, state: str) -> None:
    """Nothing is left to do or to collect: when a lost job is surely over, one more run costs one request."""
    oracle.hours_pass(state)
    assert len(rows) == in_peace(spec, rows, sandbox, state).counts.unchanged
    sandbox.clear_requests()
    report = in_peace(spec, rows, sandbox, state)
    assert len(rows) == report.counts.unchanged
    assert 1 == sandbox.units(), [(one.method, one.path) for one in sandbox.requests]
    engine = sa.create_engine(state, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert [] == list(connection.execute(sa.select(bulk_jobs)))


def landed(sandbox: Sandbox, rows: Rows) -> None:
    oracle.nobody_twice(sandbox)
    by_id = {one["externalId"]: one for one in sandbox.customers.values()}
    assert len(by_id) == len(sandbox.customers)
    for row in rows:
        assert not oracle.differences(row, by_id[row["id"]], {}), row


def holders(sandbox: Sandbox) -> set[str]:
    return {one["externalId"] for id_, one in sandbox.customers.items() if "vip" in sandbox.tag_names(id_)}


def spread(kills: int, seed: int) -> list[float]:
    """Shares of a run at which to kill: one in each equal part of it, in any order."""
    chance = random.Random(seed)
    shares = [(part + chance.random()) / kills for part in range(kills)]
    chance.shuffle(shares)
    return shares


def in_a_row(shares: list[float], seed: int) -> list[list[float]]:
    """The same kills, one to four in a row."""
    chance = random.Random(seed)
    rows = []
    while shares:
        some = chance.randint(1, 4)
        rows.append(shares[:some])
        shares = shares[some:]
    return rows


# --- the tests ------------------------------------------------------------------------------------------------

# How a run is killed: given a share of its length, whether it was still running then.
Killer = Callable[[Spec, Rows, float], bool]


def killer(how: str, sandbox: Sandbox, state: str, length: float) -> Killer:
    """A way to kill at a share of `length`: seconds or moments of a whole run."""

    def kill(spec: Spec, rows: Rows, share: float) -> bool:
        if how == "moment":
            return killed_at_moment(spec, rows, sandbox, state, 1 + int(share * length))
        return killed_after(spec, rows, sandbox, state, share * length)

    return kill


@pytest.mark.parametrize("how", ["delay", "moment"])
def test_customers_survive_any_number_of_kills(sandbox: Sandbox, state: str, how: str) -> None:
    """A load, then changes and more rows, each killed some times before it may finish."""
    for row in people(20):
        sandbox.seed_customer(emails=[{"email": row["email"]}], tags=[], custom={"noteStr": row["id"]})
    measured = people(130, start=1000)
    began = time.monotonic()
    moments = moments_of(customers(), measured, sandbox, state)
    kill = killer(how, sandbox, state, moments if how == "moment" else time.monotonic() - began)
    kills = 0
    for number, shares in enumerate(in_a_row(spread(KILLS, seed=1), seed=2)):
        rows = [*people(60, plan=f"plan {number}"), *people(70, start=100 * number + 100), *measured]
        for attempt, share in enumerate(shares):
            # Each attempt is another query result: what the last one was about to write may be history already.
            plan = "back" if attempt % 2 else f"plan {number}"
            kills += kill(customers(), [*people(60, plan=plan), *rows[60:]], share)
        in_peace(customers(), rows, sandbox, state)
        landed(sandbox, rows)
        settled(customers(), rows, sandbox, state)
    assert kills >= ENOUGH[how], "the runs were over before they could be killed"
    assert {f"C-{n}" for n in range(20)} == {
        one["custom"]["noteStr"] for one in sandbox.customers.values() if "noteStr" in one["custom"]
    }


@pytest.mark.parametrize("how", ["delay", "moment"])
def test_an_audience_survives_any_number_of_kills(sandbox: Sandbox, state: str, how: str) -> None:
    """Members come and go, every time killed on the way; tagged in the end: the members, and whom an agent tagged."""
    spec = audience(max_removals=RemovalLimit(share=1.0))
    run_until(customers(), people(150), sandbox.url, sandbox.api_key, state, None)
    agents = next(id_ for id_, one in sandbox.customers.items() if one["externalId"] == "C-149")
    sandbox.agent_edit(agents, tags=[sandbox.seed_tag("vip"), sandbox.seed_tag("angry")])
    began = time.monotonic()
    moments = moments_of(spec, members(100, start=20), sandbox, state)
    kill = killer(how, sandbox, state, moments if how == "moment" else time.monotonic() - began)
    chance = random.Random(3)
    kills = 0
    for shares in in_a_row(spread(KILLS, seed=4), seed=5):
        for share in shares:
            kills += kill(spec, members(chance.randint(1, 90), start=chance.randint(0, 50)), share)
        start, count = chance.randint(0, 40), chance.randint(1, 100)
        in_peace(spec, members(count, start), sandbox, state)
        assert {f"C-{n}" for n in range(start, start + count)} | {"C-149"} == holders(sandbox)
        settled(spec, members(count, start), sandbox, state)
    assert kills >= ENOUGH[how], "the runs were over before they could be killed"
    assert {"vip", "angry"} == set(sandbox.tag_names(agents))


@pytest.mark.parametrize("moment", range(8, 68, 6))
def test_companies_without_unique_identifiers_are_not_doubled(sandbox: Sandbox, tmp_path: Path, moment: int) -> None:
    """Only their names tell them apart, and Kustomer would take a name twice."""
    state = f"sqlite:///{tmp_path / 'state.db'}"
    spec = companies(match_on=("name",), fields=companies().fields[1:])
    rows = [{"name": f"Company {n}"} for n in range(120)]
    killed_at_moment(spec, rows, sandbox, state, moment)
    time.sleep(0.05)  # the job of the killed run ends in the sandbox's own time
    run_until(spec, rows, sandbox.url, sandbox.api_key, state, None)
    names = [one["name"] for one in sandbox.companies.values()]
    assert sorted(set(names)) == sorted(names)
