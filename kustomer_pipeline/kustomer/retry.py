"""Whether to send a request again, and when. The whole of it is this table:

    what happened                              | a read                         | a write
    -------------------------------------------+--------------------------------+--------------------------------
    nothing was sent (no connection)           | again, backing off             | again, backing off
    429, Kustomer did not look at it           | again, when the window is over | again, when the window is over
    broken off after sending (time-out, …)     | again, backing off             | AMBIGUOUS
    5xx, 408                                   | again, backing off             | AMBIGUOUS
    2xx that cannot be read                    | again, once                    | AMBIGUOUS
    any other status                           | give up                        | give up

A search is a read, though it is a POST. "Again" ends after `max_attempts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from tenacity.wait import wait_exponential, wait_random

BACK_OFF = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 0.5)


class Kind(Enum):
    """What a request may do to Kustomer's data."""

    READ = auto()
    WRITE = auto()


class Cause(Enum):
    """How an attempt failed."""

    NOT_SENT = auto()
    BROKEN_OFF = auto()
    UNREADABLE = auto()
    STATUS = auto()


class Decision(Enum):
    """What to do about it."""

    BACK_OFF = auto()
    WAIT_FOR_WINDOW = auto()
    AMBIGUOUS = auto()
    GIVE_UP = auto()


@dataclass(frozen=True)
class Failure:
    """One failed attempt; `retry_after` and `reset_in` are seconds from now, where Kustomer named them."""

    cause: Cause
    status: int | None = None
    retry_after: float | None = None
    reset_in: float | None = None


def decide(failure: Failure, attempt: int, kind: Kind, max_attempts: int) -> Decision:
    """The table above; `attempt` counts from 1."""
    decision = _decision_with_patience(failure, attempt, kind)
    again = decision in (Decision.BACK_OFF, Decision.WAIT_FOR_WINDOW)
    return Decision.GIVE_UP if again and attempt >= max_attempts else decision


def seconds_to_wait(failure: Failure, attempt: int, rest_of_window: float, back_off: float) -> float:
    """How long to wait before the next attempt.

    Kustomer's own word comes first. A third 429 in spite of it means that the two clocks differ: wait a window then.
    """
    if failure.status != 429:
        return back_off if failure.retry_after is None else failure.retry_after
    named = failure.retry_after if failure.retry_after is not None else failure.reset_in
    if named is None:
        return rest_of_window
    return max(named, 1.0) if attempt < 3 else max(named, rest_of_window)


def _decision_with_patience(failure: Failure, attempt: int, kind: Kind) -> Decision:
    """The table without its last line: as if attempts were unlimited."""
    if failure.cause is Cause.NOT_SENT:
        return Decision.BACK_OFF
    if failure.status == 429:
        return Decision.WAIT_FOR_WINDOW
    if not _outcome_unknown(failure):
        return Decision.GIVE_UP
    if kind is Kind.WRITE:
        return Decision.AMBIGUOUS
    if failure.cause is Cause.UNREADABLE and attempt > 1:
        return Decision.GIVE_UP
    return Decision.BACK_OFF


def _outcome_unknown(failure: Failure) -> bool:
    if failure.cause in (Cause.BROKEN_OFF, Cause.UNREADABLE):
        return True
    return failure.status is not None and (failure.status >= 500 or failure.status == 408)
