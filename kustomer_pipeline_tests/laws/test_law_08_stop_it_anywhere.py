"""Law 8: kill the process at any instruction; the next run repeats nothing and loses nothing.

Real processes, killed with SIGKILL by the server in the middle of a request: before its work, or after its work
and before its answer. Every request of a run is such a moment.
"""

import contextlib
import multiprocessing
import sqlite3
from collections.abc import Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, SyncReport
from kustomer_pipeline_tests import killed
from kustomer_pipeline_tests.world import audience, customers, members, people

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["kustomer_pipeline_tests.killed"])


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(job_seconds=0.05) as sandbox:
        yield sandbox


def run(sandbox: Sandbox, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]], state: str) -> SyncReport:
    report: SyncReport = killed.run(spec, rows, sandbox.url, sandbox.api_key, state)
    assert report.adds_up
    assert report.interrupted is None
    return report


def run_and_kill(
    sandbox: Sandbox, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]], state: str, request: int, when: str
) -> bool:
    """Kill the run at its n-th request. False if it had fewer."""
    arguments = (spec, rows, sandbox.url, sandbox.api_key, state)
    process = processes.Process(target=killed.run, args=arguments)
    seen = [0]

    def kill(_: object) -> None:
        seen[0] += 1
        if seen[0] == request + 1:
            process.kill()
            wait([process.sentinel])  # the answer goes nowhere: the process is dead before it could be sent

    hooks = sandbox.hooks.before if when == "before" else sandbox.hooks.after
    hooks.append(kill)
    process.start()
    process.join()
    hooks.remove(kill)
    return process.exitcode == -9


def later(state: Path) -> None:
    """An hour passes for the journal: a job that was lost on the way is not waited for any longer."""
    with contextlib.closing(sqlite3.connect(state)) as connection, connection:
        connection.execute("update bulk_jobs set created_at = datetime(created_at, '-1 hours')")
        connection.execute("update sync_rows set lost_at = datetime(lost_at, '-1 hours')")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("request_number", range(10))
def test_customers_are_created_once_wherever_the_run_is_killed(
    sandbox: Sandbox, tmp_path: Path, request_number: int, when: str
) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    for row in people(5):
        sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}], name="old")
    rows = people(250)
    assert run_and_kill(sandbox, customers(), rows, state, request_number, when)
    run(sandbox, customers(), rows, state)
    assert 250 == len(sandbox.customers)
    landed = {one["externalId"]: (one["name"], one["custom"]["planStr"]) for one in sandbox.customers.values()}
    assert {row["id"]: (row["name"], row["plan"]) for row in rows} == landed
    later(tmp_path / "state.db")
    assert 250 == run(sandbox, customers(), rows, state).counts.unchanged
    sandbox.clear_requests()
    assert 250 == run(sandbox, customers(), rows, state).counts.unchanged
    assert 1 == sandbox.units()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("request_number", range(8))
def test_a_mirrored_audience_ends_right_wherever_the_run_is_killed(
    sandbox: Sandbox, tmp_path: Path, request_number: int, when: str
) -> None:
    state = f"sqlite:///{tmp_path / 'state.db'}"
    run(sandbox, customers(), people(40), state)
    run(sandbox, audience(), members(30), state)
    assert run_and_kill(sandbox, audience(), members(30, start=4), state, request_number, when)
    run(sandbox, audience(), members(30, start=4), state)
    tagged = {one["externalId"] for id_, one in sandbox.customers.items() if "vip" in sandbox.tag_names(id_)}
    assert {f"C-{n}" for n in range(4, 34)} == tagged
    later(tmp_path / "state.db")
    run(sandbox, audience(), members(30, start=4), state)
    sandbox.clear_requests()
    assert 30 == run(sandbox, audience(), members(30, start=4), state).counts.unchanged
    assert 1 == sandbox.units()
