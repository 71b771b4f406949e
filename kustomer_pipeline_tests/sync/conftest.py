"""Fixtures of the tests of the engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kustomer_pipeline_tests.sync.vips import vips
from kustomer_pipeline_tests.world import World, customers, members, people


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A sandbox whose jobs take two seconds (of nobody's time), and an empty state."""
    with World(f"sqlite:///{tmp_path / 'state.db'}", job_seconds=2.0) as world:
        yield world


@pytest.fixture
def tagged(world: World) -> World:
    """Twenty customers, the first ten tagged by the audience."""
    world.run(customers(), people(20))
    assert world.run(vips(), members(10)).counts.updated == 10
    return world
