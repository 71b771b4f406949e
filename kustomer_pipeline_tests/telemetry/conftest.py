"""Fixtures of the tests of what is observed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kustomer_pipeline.telemetry import RequestLog
from kustomer_pipeline_tests.telemetry.watched import Notes, WatchedWorld


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def watched(tmp_path: Path, notes: Notes) -> Iterator[WatchedWorld]:
    """A world of which notes are taken."""
    with WatchedWorld(f"sqlite:///{tmp_path / 'state.db'}", notes) as world:
        yield world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the log is kept."""
    return tmp_path / "home" / "kustomer_requests"


@pytest.fixture
def logged(tmp_path: Path, folder: Path) -> Iterator[WatchedWorld]:
    """A world whose requests are logged."""
    with WatchedWorld(f"sqlite:///{tmp_path / 'state.db'}", RequestLog(folder)) as world:
        yield world
