"""An observer that fails harms nobody: not the run, and not the others."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from kustomer_pipeline.telemetry import Observers
from kustomer_pipeline_tests.telemetry.watched import Notes, WatchedWorld
from kustomer_pipeline_tests.world import World, customers, people


class Broken:
    """Raises at every word, and quotes it."""

    def _fail(self, *told: object) -> None:
        raise RuntimeError(f"p1@example.com in {told}")

    began = ended = attempted = job_answered = close = _fail


def test_what_an_observer_raises_is_said_once_by_its_type_and_goes_no_further(
    tmp_path: Path, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    with World(f"sqlite:///{tmp_path / 'other.db'}", job_seconds=2.0) as unwatched:
        expected = unwatched.run(customers(), people(120))
    watched = WatchedWorld(f"sqlite:///{tmp_path / 'state.db'}", Observers([Broken(), notes]))
    with watched as world, caplog.at_level(logging.WARNING, logger="kustomer_pipeline"):
        report = world.run(customers(), people(120))
    assert (report.counts, report.requests) == (expected.counts, expected.requests)
    assert len(notes.attempts) == report.requests
    assert (len(notes.ends), len(notes.jobs), notes.closed) == (1, 2, 1)
    said = [record.getMessage() for record in caplog.records if "Broken" in record.getMessage()]
    assert said == ["Broken missed something of this run (RuntimeError); the run goes on"]
    assert "example.com" not in caplog.text
