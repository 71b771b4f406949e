"""A state on SQLite and on a real PostgreSQL, whose clock the tests move."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kustomer_pipeline.sync.state import StateStore
from kustomer_pipeline_tests.simulated import SimulatedClock


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a state database that does not exist yet, or is empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def clock() -> SimulatedClock:
    """The state's clock."""
    return SimulatedClock()


@pytest.fixture
def store(state_url: str, clock: SimulatedClock) -> Iterator[StateStore]:
    """An empty state."""
    with StateStore.open(state_url, clock) as store:
        yield store
