"""A world whose requests are observed, and an observer that keeps what it hears."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kustomer_pipeline.kustomer import JobAnswered, KustomerClient, Observer, RequestAttempt, Work, WorkEnded
from kustomer_pipeline_tests.world import World


class Notes:
    """Keeps everything."""

    def __init__(self) -> None:
        self.begun: list[Work] = []
        self.ends: list[WorkEnded] = []
        self.attempts: list[RequestAttempt] = []
        self.jobs: list[JobAnswered] = []
        self.closed = 0

    def began(self, work: Work, at: float) -> None:
        self.begun.append(work)

    def ended(self, ended: WorkEnded) -> None:
        self.ends.append(ended)

    def attempted(self, attempt: RequestAttempt) -> None:
        self.attempts.append(attempt)

    def job_answered(self, job: JobAnswered) -> None:
        self.jobs.append(job)

    def close(self) -> None:
        self.closed += 1


class WatchedWorld(World):
    """A world with an observer."""

    def __init__(self, state_url: str, observer: Observer, **settings: Any) -> None:
        super().__init__(state_url, job_seconds=2.0, **settings)
        self.observer = observer

    @contextmanager
    def client(self, api_key: str | None = None, **settings: Any) -> Iterator[KustomerClient]:
        """A client of the org that is observed."""
        with super().client(api_key, **{"observer": self.observer, **settings}) as client:
            yield client
