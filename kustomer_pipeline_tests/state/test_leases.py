"""Shares of the org's requests: together never more than the whole, and given out again when a run is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kustomer_pipeline.sync import StateStore
from kustomer_pipeline.sync.state import LEASE_SECONDS
from kustomer_pipeline_tests.simulated import SimulatedClock

ORG = "org"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: SimulatedClock) -> Iterator[StateStore]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'state.db'}" if sqlite else str(request.getfixturevalue("postgres_url"))
    with StateStore.open(url, clock=clock) as store:
        yield store


def test_who_comes_waits_for_what_the_others_leave(store: StateStore) -> None:
    first, second, third = (store.budget_lease(ORG, name) for name in ("a", "b", "c"))
    assert first.renew() == (1.0, 1.0)
    assert second.renew() == (0.0, 0.5)  # all of it is taken
    assert first.renew() == (0.5, 0.5)
    assert second.renew() == (0.5, 0.5)
    third.renew()
    for lease in (first, second, third):
        share, fair = lease.renew()
    assert share == pytest.approx(fair) == pytest.approx(1 / 3)


def test_what_is_given_back_goes_to_the_others(store: StateStore) -> None:
    first, second = store.budget_lease(ORG, "a"), store.budget_lease(ORG, "b")
    for _ in range(2):
        first.renew(), second.renew()
    first.give_back()
    assert second.renew() == (1.0, 1.0)


def test_what_a_killed_run_had_is_given_out_again_when_its_lease_has_run_out(
    store: StateStore, clock: SimulatedClock
) -> None:
    killed, second = store.budget_lease(ORG, "a"), store.budget_lease(ORG, "b")
    for _ in range(2):
        killed.renew(), second.renew()
    clock.advance(LEASE_SECONDS - 1)
    assert second.renew() == (0.5, 0.5)
    clock.advance(1)
    assert second.renew() == (1.0, 1.0)


def test_orgs_do_not_share(store: StateStore) -> None:
    assert store.budget_lease(ORG, "a").renew() == (1.0, 1.0)
    assert store.budget_lease("another", "b").renew() == (1.0, 1.0)


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["renew", "renew", "renew", "end", "killed", "time"]), st.integers(0, 4)))


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_together_they_are_never_more_than_the_whole(steps: list[Step]) -> None:
    clock = SimulatedClock()
    with StateStore.open("sqlite://", clock=clock) as store:
        held: dict[int, tuple[float, float]] = {}  # who believes to have which share, until when
        for what, who in steps:
            lease = store.budget_lease(ORG, str(who))
            if what == "renew":
                held[who] = (lease.renew()[0], clock.monotonic() + LEASE_SECONDS)
            elif what == "end":
                lease.give_back()
                held.pop(who, None)
            elif what == "time":
                clock.advance(7.0)
            assert sum(share for share, until in held.values() if clock.monotonic() < until) <= 1 + 1e-9
