"""Law 7: keep the reserve, slow down before a 429, wait out the window after one."""

from pathlib import Path

import pytest

from kustomer_pipeline_tests.world import World, customers, people


@pytest.fixture
def small_org(tmp_path: Path) -> World:
    """An org with twenty requests a minute."""
    return World(f"sqlite:///{tmp_path / 'state.db'}", job_seconds=1.0, rate_limit=20)


def test_the_reserve_is_left_to_others(small_org: World) -> None:
    with small_org as world:
        left: list[int] = []
        world.sandbox.hooks.after.append(lambda _: left.append(world.sandbox.budget_left))
        report = world.run(customers(), people(1500))
        assert 1500 == report.counts.created
        assert min(left) >= 4
        assert 0 == world.sandbox.count(status=429)
        assert world.clock.monotonic() > 60


@pytest.mark.parametrize("reset", ["seconds", "milliseconds", "wait", "none"])
def test_a_429_is_waited_out_whatever_its_headers(small_org: World, reset: str) -> None:
    with small_org as world:
        world.sandbox.faults.set("rate_reset", reset)
        world.sandbox.faults.set("too_many_requests", after=3, times=2)
        report = world.run(customers(), people(300))
        assert 300 == report.counts.created
        assert 300 == len(world.sandbox.customers)


def test_somebody_else_spends_the_budget(small_org: World) -> None:
    with small_org as world:
        world.sandbox.faults.set("others_spend", 3)
        assert 300 == world.run(customers(), people(300)).counts.created


def test_without_headers_a_429_is_still_waited_out(small_org: World) -> None:
    with small_org as world:
        world.sandbox.faults.set("rate_headers_missing")
        assert 2500 == world.run(customers(), people(2500)).counts.created
