"""Two runs at the same time, with nothing of Dagster's between them: two machines, or a terminal beside a schedule.

Real processes on one state database, SQLite and PostgreSQL. Only the org's lock makes them take turns; it must be
there from the first moment (a database that neither has opened before) and gone with the process that held it.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, RemovalLimit, RunOptions, StateStore, SyncReport, run_sync
from kustomer_pipeline.sync.state.tables import bulk_jobs, schema_version
from kustomer_pipeline_tests import killed, oracle
from kustomer_pipeline_tests.world import audience, companies, customers, frame_of, members, people

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["kustomer_pipeline_tests.killed"])

Rows = list[dict[str, Any]]
Spec = ObjectSpec | AudienceSpec
PATIENCE = 60.0


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(job_seconds=0.05) as sandbox:
        yield sandbox


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return str(request.getfixturevalue("postgres_url"))


def run_here(spec: Spec, rows: Rows, url: str, api_key: str, state_url: str, parent: Connection) -> None:
    """One run, begun when the parent says so; the report goes to the parent. Runs in a process of its own."""
    mapped = spec.map(frame_of(spec, rows))
    parent.send("ready")
    parent.recv()
    with (
        KustomerClient(base_url=url, api_key=api_key, clock=killed.HastyClock()) as client,
        StateStore.open(state_url) as state,
    ):
        parent.send(run_sync(spec, mapped, client=client, state=state, options=RunOptions("run")))


class Runner:
    """A run in a process of its own, waiting for its start."""

    def __init__(self, sandbox: Sandbox, spec: Spec, rows: Rows, state: str) -> None:
        self.pipe, theirs = processes.Pipe()
        arguments = (spec, rows, sandbox.url, sandbox.api_key, state, theirs)
        self.process = processes.Process(target=run_here, args=arguments)
        self.process.start()
        theirs.close()
        assert "ready" == self.answer()

    def answer(self) -> Any:
        assert self.pipe.poll(PATIENCE), "no answer"
        return self.pipe.recv()

    def go(self) -> None:
        self.pipe.send("go")

    def report(self) -> SyncReport:
        report = self.answer()
        self.process.join(PATIENCE)
        assert 0 == self.process.exitcode
        assert isinstance(report, SyncReport)
        assert report.adds_up
        assert report.interrupted is None
        assert 0 == report.counts.rejected + report.counts.deferred, report.rows["reason"].dropna().unique()
        return report


def at_once(sandbox: Sandbox, state: str, *runs: tuple[Spec, Rows]) -> list[SyncReport]:
    runners = [Runner(sandbox, spec, rows, state) for spec, rows in runs]
    for runner in runners:
        runner.go()
    return [runner.report() for runner in runners]


def costs_one_request(sandbox: Sandbox, spec: Spec, rows: Rows, state: str) -> None:
    sandbox.clear_requests()
    report: SyncReport = killed.run(spec, rows, sandbox.url, sandbox.api_key, state)
    assert len(rows) == report.counts.unchanged
    assert 1 == sandbox.units()


def landed(sandbox: Sandbox, rows: Rows) -> None:
    oracle.nobody_twice(sandbox)
    by_id = {one["externalId"]: one for one in sandbox.customers.values()}
    assert len(rows) == len(sandbox.customers)
    assert not [row for row in rows if oracle.differences(row, by_id[row["id"]], {})]


def holders(sandbox: Sandbox) -> set[str]:
    return {one["externalId"] for id_, one in sandbox.customers.items() if "vip" in sandbox.tag_names(id_)}


def test_the_same_sync_twice_at_once_writes_once(sandbox: Sandbox, state: str) -> None:
    """The second one finds everything as it should be, in the state: it costs one request."""
    for row in people(10):
        sandbox.seed_customer(externalId=row["id"], name="old")
    rows = people(230)
    first, second = sorted(at_once(sandbox, state, *[(customers(), rows)] * 2), key=lambda one: one.counts.unchanged)
    assert (220, 10) == (first.counts.created, first.counts.updated)
    assert 230 == second.counts.unchanged
    assert 1 == second.requests
    assert 4 == sandbox.count("POST", "/v1/customers/bulk") + sandbox.count("PUT", "/v1/customers/bulk")
    landed(sandbox, rows)
    costs_one_request(sandbox, customers(), rows, state)
    with sa.create_engine(state, poolclass=sa.NullPool).connect() as connection:
        assert 1 == len(list(connection.execute(sa.select(schema_version))))


def test_companies_at_once_are_not_doubled(sandbox: Sandbox, state: str) -> None:
    """Kustomer would take their names twice."""
    spec = companies(match_on=("name",), fields=companies().fields[1:])
    rows = [{"name": f"Company {n}"} for n in range(120)]
    reports = at_once(sandbox, state, *[(spec, rows)] * 2)
    assert [0, 120] == sorted(report.counts.created for report in reports)
    assert 120 == len(sandbox.companies)


def test_two_query_results_of_one_sync_at_once_end_as_one_of_them(sandbox: Sandbox, state: str) -> None:
    """Which one came second nobody can say beforehand; but no row is left between the two."""
    old, new = people(60, plan="free"), people(60, plan="pro")
    killed.run(customers(), people(60, plan="none"), sandbox.url, sandbox.api_key, state)
    at_once(sandbox, state, (customers(), old), (customers(), new))
    plans = {one["custom"]["planStr"] for one in sandbox.customers.values()}
    assert plans in ({"free"}, {"pro"})
    landed(sandbox, old if plans == {"free"} else new)
    costs_one_request(sandbox, customers(), old if plans == {"free"} else new, state)


def test_customers_and_their_audience_at_once(sandbox: Sandbox, state: str) -> None:
    """They write to the same records; neither takes back what the other did."""
    spec = audience(max_removals=RemovalLimit(share=1.0))
    killed.run(customers(), people(150), sandbox.url, sandbox.api_key, state)
    for number, plan in enumerate(["pro", "max"]):
        rows, here = people(150, plan=plan), members(80, start=40 * number)
        first, second = at_once(sandbox, state, (customers(), rows), (spec, here))
        assert 150 == first.counts.updated
        assert (80, 40 * number) == (second.counts.updated + second.counts.unchanged, second.removed)
        landed(sandbox, rows)
        assert {f"C-{n}" for n in range(40 * number, 40 * number + 80)} == holders(sandbox)
    costs_one_request(sandbox, customers(), rows, state)
    costs_one_request(sandbox, spec, here, state)


def test_three_syncs_open_a_new_database_at_once(sandbox: Sandbox, state: str) -> None:
    """Nobody was there to create the tables: one of them does, and the others wait for it."""
    other = customers(name="other", match_on=("externalId",), fields=(customers().fields[0], customers().fields[1]))
    rows = people(30)
    at_once(
        sandbox,
        state,
        (customers(), rows),
        (other, people(30, start=30)),
        (companies(), [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(30)]),
    )
    oracle.nobody_twice(sandbox)
    assert (60, 30) == (len(sandbox.customers), len(sandbox.companies))
    with sa.create_engine(state, poolclass=sa.NullPool).connect() as connection:
        assert 1 == len(list(connection.execute(sa.select(schema_version))))


@pytest.mark.parametrize("job", ["done by then", "still in the queue"])
def test_one_is_killed_while_the_other_waits_for_its_lock(sandbox: Sandbox, state: str, job: str) -> None:
    """The lock dies with its holder; the one that waited collects what the dead one left, and doubles nothing."""
    rows = people(150)
    holder, waiter = (Runner(sandbox, customers(), rows, state) for _ in range(2))
    sandbox.faults.set("job_stuck")
    holder.go()
    until(lambda: sandbox.count("GET", "/v1/bulk/") > 1)
    waiter.go()
    until(lambda: sandbox.count("GET", "/v1/auth/") == 2)
    asked = sandbox.count("GET", "/v1/bulk/")
    until(lambda: sandbox.count("GET", "/v1/bulk/") > asked + 1)
    assert 2 == sandbox.count("POST", "/v1/customers/bulk"), "the other does not wait"
    if job == "done by then":
        sandbox.release_jobs()
    holder.process.kill()
    holder.process.join(PATIENCE)
    assert -9 == holder.process.exitcode
    sandbox.faults.clear()
    if job == "still in the queue":
        asked = sandbox.count("GET", "/v1/bulk/")
        until(lambda: sandbox.count("GET", "/v1/bulk/") > asked + 1)  # this is the other one asking
        sandbox.release_jobs()
    report = waiter.report()
    assert 150 == report.counts.unchanged
    assert 2 == sandbox.count("POST", "/v1/customers/bulk")
    landed(sandbox, rows)
    costs_one_request(sandbox, customers(), rows, state)
    with sa.create_engine(state, poolclass=sa.NullPool).connect() as connection:
        assert [] == list(connection.execute(sa.select(bulk_jobs)))


def until(happened: Callable[[], bool]) -> None:
    """Wait for what other processes do."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
