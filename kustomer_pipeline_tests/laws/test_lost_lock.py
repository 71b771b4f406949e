"""A run whose lock is lost in its middle stops in order: it writes nothing more, tells what it came to, loses nothing.

The lock of an org is a connection to PostgreSQL, or a file beside SQLite. Either may go while a run is at work, and
then another run may begin beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import RemovalLimit, StateStore, SyncReport, undo_run
from kustomer_pipeline.sync.state import LockLostError
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.laws.test_two_at_once import PATIENCE, Runner, until
from kustomer_pipeline_tests.world import World, audience, customers, members, people

Lose = Callable[[], None]
_LOCK_HOLDERS = "pid in (select pid from pg_locks where locktype = 'advisory' and granted)"


def cut(state_url: str, whose: str) -> None:
    """What a server does that is restarted, or a proxy that closes what is idle."""
    with sa.create_engine(state_url, poolclass=sa.NullPool).connect() as connection:
        found = connection.exec_driver_sql(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            f"where datname = current_database() and pid <> pg_backend_pid() and {whose}"
        )
        assert found.rowcount > 0


@pytest.fixture(params=["its connection is cut", "every connection is cut", "its file is deleted"])
def loss(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Lose]:
    """(URL of the state, how the lock in it is lost)."""
    if request.param == "its file is deleted":

        def delete() -> None:
            for path in tmp_path.glob("*.lock"):
                path.unlink()

        return f"sqlite:///{tmp_path / 'state.db'}", delete
    url = str(request.getfixturevalue("postgres_url"))
    whose = _LOCK_HOLDERS if request.param == "its connection is cut" else "true"
    return url, lambda: cut(url, whose)


@pytest.fixture
def world(loss: tuple[str, Lose]) -> Iterator[World]:
    with World(loss[0], job_seconds=2.0) as world:
        world.latency = 0.1
        yield world


def loses(world: World, lose: Lose, *, when: Callable[[Any], bool]) -> list[float]:
    """The lock is lost after the first request like that. How many seconds later each further write came."""
    since: list[float] = []
    lost: list[float] = []

    def watch(record: Any) -> None:
        if lost and record.method in ("POST", "PUT") and "search" not in record.path:
            since.append(world.clock.time() - lost[0])
        if not lost and when(record):
            lost.append(world.clock.time())
            lose()

    world.sandbox.hooks.after.append(watch)
    return since


def is_write(record: Any) -> bool:
    return record.method in ("POST", "PUT") and record.path.endswith("/bulk")


def is_poll(record: Any) -> bool:
    return bool(record.path.startswith("/v1/bulk/"))


def ends_in_order(report: SyncReport) -> None:
    assert isinstance(report.interrupted, LockLostError)
    assert "another run may be writing by now" in str(report.interrupted)
    assert report.adds_up
    assert report.counts.deferred > 0


@pytest.fixture
def poor(loss: tuple[str, Lose]) -> Iterator[World]:
    """An org with a small budget: writes that were decided long ago wait for it."""
    with World(loss[0], job_seconds=2.0, rate_limit=30) as world:
        world.latency = 0.1
        yield world


@pytest.mark.parametrize("moment", [is_write, is_poll], ids=["after a write", "while jobs run"])
def test_a_run_that_loses_its_lock_stops_and_tells(
    poor: World, loss: tuple[str, Lose], moment: Callable[[Any], bool]
) -> None:
    world = poor
    since = loses(world, loss[1], when=moment)
    report = world.run(customers(), people(1500))
    ends_in_order(report)
    assert max(since, default=0.0) <= 1.5, "the server is asked once a second"
    assert len(world.sandbox.customers) < 1500
    world.sandbox.hooks.after.clear()
    world.clock.advance(60)
    report = world.run(customers(), people(1500))
    assert (report.interrupted, report.counts.rejected + report.counts.deferred) == (None, 0)
    oracle.nobody_twice(world.sandbox)
    assert len(world.sandbox.customers) == 1500


def test_an_audience_that_loses_its_lock_untags_nobody_more(world: World, loss: tuple[str, Lose]) -> None:
    spec = audience(max_removals=RemovalLimit(share=1.0, count=5000))
    world.run(customers(), people(600))
    world.run(spec, members(600))
    loses(world, loss[1], when=is_write)
    report = world.run(spec, members(10))
    assert isinstance(report.interrupted, LockLostError)
    world.sandbox.hooks.after.clear()
    world.clock.advance(60)
    world.run(spec, members(10))
    world.run(spec, members(10))
    assert sum("vip" in world.sandbox.tag_names(id_) for id_ in world.sandbox.customers) == 10


def test_an_undo_that_loses_its_lock_stops_and_tells(world: World, loss: tuple[str, Lose]) -> None:
    world.run(customers(), people(600))
    world.run(customers(), people(600, plan="pro"), run_id="changing")
    loses(world, loss[1], when=is_write)
    with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        report = undo_run("changing", client=client, state=state)
    assert isinstance(report.interrupted, LockLostError)
    assert set(report.rows["outcome"]) <= {"restored", "deferred"}
    assert (report.rows["outcome"] == "restored").sum() == report.restored < 600
    world.sandbox.hooks.after.clear()
    world.clock.advance(60)
    with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        undo_run("changing", client=client, state=state, as_run="once more")
    assert {one["custom"]["planStr"] for one in world.sandbox.customers.values()} == {"free"}


# --- with another run beside it -----------------------------------------------------------------------------------


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(job_seconds=0.05) as sandbox:
        yield sandbox


def test_the_one_that_waited_goes_on_and_the_one_that_lost_the_lock_stops(sandbox: Sandbox, postgres_url: str) -> None:
    """Two real processes on a real PostgreSQL. The jobs of the first are done only after the second has begun."""
    rows = people(150)
    first, second = (Runner(sandbox, customers(), rows, postgres_url) for _ in range(2))
    sandbox.faults.set("job_stuck")
    first.go()
    until(lambda: sandbox.count("POST", "/v1/customers/bulk") == 2)
    second.go()
    until(lambda: sandbox.count("GET", "/v1/auth/") == 2)
    sandbox.faults.clear()
    moment = time.monotonic()
    cut(postgres_url, _LOCK_HOLDERS)
    until(lambda: is_held(postgres_url) and time.monotonic() > moment + 1.5)
    sandbox.release_jobs()
    lost, won = first.answer(), second.answer()
    for runner in (first, second):
        runner.process.join(PATIENCE)
    ends_in_order(lost)
    assert (won.interrupted, won.counts.unchanged) == (None, 150)
    assert sandbox.count("POST", "/v1/customers/bulk") == 2
    assert len(sandbox.customers) == 150


def is_held(state_url: str) -> bool:
    with sa.create_engine(state_url, poolclass=sa.NullPool).connect() as connection:
        return connection.exec_driver_sql(f"select 1 from pg_stat_activity where {_LOCK_HOLDERS}").first() is not None
