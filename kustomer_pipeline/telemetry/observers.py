"""Several observers as one that can do no harm: what one of them raises is said once, and goes no further."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from kustomer_pipeline.kustomer import JobAnswered, Observer, RequestAttempt, Work, WorkEnded

log = logging.getLogger(__name__)


class Observers:
    """Tells each of them everything."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)
        self._failed: set[Observer] = set()

    def began(self, work: Work, at: float) -> None:
        """A run, a plan or an undo begins."""
        self._each(lambda one: one.began(work, at))

    def ended(self, ended: WorkEnded) -> None:
        """It has ended."""
        self._each(lambda one: one.ended(ended))

    def attempted(self, attempt: RequestAttempt) -> None:
        """A request was tried once."""
        self._each(lambda one: one.attempted(attempt))

    def job_answered(self, job: JobAnswered) -> None:
        """A bulk job is over."""
        self._each(lambda one: one.job_answered(job))

    def close(self) -> None:
        """Nothing more will be told."""
        self._each(lambda one: one.close())

    def _each(self, tell: Callable[[Observer], None]) -> None:
        for one in self._observers:
            try:
                tell(one)
            except Exception as error:  # whatever it is, the run goes on; its words may quote what it was told
                if one not in self._failed:
                    self._failed.add(one)
                    name, kind = type(one).__name__, type(error).__name__
                    log.warning("%s missed something of this run (%s); the run goes on", name, kind)
