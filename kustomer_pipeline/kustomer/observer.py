"""What an observer of a client hears, as values; whoever wants to know implements `Observer`.

    began(Work) → attempted(RequestAttempt)…, job_answered(JobAnswered)… → ended(WorkEnded)

How it comes to be told is in observing.py. Nothing here holds an identifier, a value of a record or the API key, but
for row keys: whether those are personal says `Work.is_personal`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .identifiers import ObjectName
from .wire import Operation


@dataclass(frozen=True)
class Work:
    """What requests are sent for. `is_personal`: whether a row's key is personal data."""

    sync: str
    run_id: str
    kind: Literal["run", "plan", "undo", "drift"]
    is_personal: Callable[[str], bool] = field(compare=False, repr=False)


@dataclass(frozen=True)
class WorkEnded:
    """What came of it.

    at: when it began, in seconds since the epoch. outcomes: rows by outcome, and what else was counted. error: the type
    of what ended it early, None where nothing did.
    """

    work: Work
    at: float
    seconds: float
    org_id: str | None
    outcomes: Mapping[str, int]
    error: str | None


@dataclass(frozen=True)
class RequestAttempt:
    """One attempt at a request, over.

    at: when it was sent, in seconds since the epoch. seconds: until the answer was there, or it broke. path: as it may
    be shown (paths.py). status: None where no answer came. error: what broke it, in words, and failure in one word
    (not_sent, broken_off, unreadable, called_off). units: 1 if it counts against the org's budget. searches: 1 for a
    search. number: 1 for the first attempt; retry: why the one before it failed. units_left, limit: of the org's
    budget, as last reported. keys: of the rows it was about, as they are.
    """

    at: float
    seconds: float
    method: str
    template: str
    path: str
    host: str
    status: int | None
    error: str | None
    failure: str | None
    units: int
    searches: int
    number: int
    retry: str | None
    units_left: int | None
    limit: int | None
    request_id: str | None
    org_id: str | None
    work: Work | None
    keys: tuple[str, ...]


@dataclass(frozen=True)
class JobAnswered:
    """A bulk job of this client that is waited for no longer.

    at: when it was handed in, in seconds since the epoch. seconds: until its results were there, or nobody waited any
    more (`complete` is false then). results: items by what Kustomer says of them (created, updated, error).
    """

    object_name: ObjectName
    operation: Operation
    items: int
    at: float
    seconds: float
    complete: bool
    results: Mapping[str, int]
    org_id: str | None
    work: Work | None


class Observer(Protocol):
    """Whoever wants to know. Called in the middle of a run: it must neither raise nor wait."""

    def began(self, work: Work, at: float) -> None:
        """A run, a plan or an undo begins; `at` in seconds since the epoch."""
        ...

    def ended(self, ended: WorkEnded) -> None:
        """It has ended, in the context in which it began."""
        ...

    def attempted(self, attempt: RequestAttempt) -> None:
        """A request was tried once."""
        ...

    def job_answered(self, job: JobAnswered) -> None:
        """A bulk job is over, or given up for this run."""
        ...

    def close(self) -> None:
        """The client is closed: nothing more will be told."""
        ...
