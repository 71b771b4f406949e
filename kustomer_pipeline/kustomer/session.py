"""One request, done properly: budget before it, retries around it, a typed error after it.

    Call → wait for the budget → send → (again, see retry.py) → JSON
                                                              | KustomerError

Safe to interrupt anywhere: a write leaves this module either answered, or not sent, or as
AmbiguousWriteError.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_never

from .answers import NotJson, from_bytes, to_bytes
from .budget import Budget, SearchBudget, seconds_to_retry_after, seconds_until_reset, whole_number
from .calls import TOKEN_PATH, Call, FailedAttempt
from .clock import Clock
from .errors import KustomerError, UnexpectedAnswerError
from .refusals import ambiguous, denied, error_for
from .retry import BACK_OFF, Cause, Decision, Failure, decide, seconds_to_wait
from .transport import BrokenOff, NotSent, Transport

log = logging.getLogger("kustomer_pipeline.kustomer")

_Parsed = TypeVar("_Parsed")
_WORTH_MENTIONING = 5.0  # seconds


@dataclass(frozen=True)
class Usage:
    """What the client has spent. `limit` and `remaining` are the org's, as last reported (None: not
    reported).
    """

    requests: int
    searches: int
    limit: int | None
    remaining: int | None
    waited_seconds: float


class Session:
    """Sends calls and counts them."""

    def __init__(self, transport: Transport, *, reserve: float, clock: Clock, max_attempts: int) -> None:
        self._transport = transport
        self._clock = clock
        self._max_attempts = max_attempts
        self._budget = Budget(reserve)
        self._searches = SearchBudget(reserve)
        self._sent = 0
        self._searched = 0
        self._waited = 0.0

    @property
    def usage(self) -> Usage:
        """What has been spent so far."""
        budget = self._budget
        return Usage(self._sent, self._searched, budget.limit, budget.remaining, self._waited)

    def send(self, call: Call) -> Any:
        """The JSON of a 2xx answer (None when it has no body). Everything else is raised as a
        KustomerError.
        """
        body = None if call.body is None else to_bytes(call.body)
        retrying = Retrying(
            sleep=self._wait,
            stop=stop_never,  # the table in retry.py decides
            wait=self._seconds_before_next,
            retry=retry_if_exception(lambda error: isinstance(error, FailedAttempt)),
            before_sleep=lambda state: self._settle(call, state),
        )
        return retrying(self._attempt, call, body)

    def ask(self, call: Call, parse: Callable[[Any], _Parsed]) -> _Parsed:
        """`send`, and understand: an UnexpectedAnswerError of `parse` says what was asked."""
        try:
            return parse(self.send(call))
        except UnexpectedAnswerError as error:
            error.method, error.path = call.method, call.shown
            raise

    def _settle(self, call: Call, state: RetryCallState) -> None:
        """Raise if there is no next attempt, else say that there is one."""
        failed = _failed(state)
        decision = decide(failed.failure, state.attempt_number, call.kind, self._max_attempts)
        if decision is Decision.AMBIGUOUS:
            raise ambiguous(call, failed) from None
        if decision is Decision.GIVE_UP:
            raise self._given_up(call, failed) from None
        log.warning(
            "%s %s: %s; attempt %d of %d follows in %.1f s", call.method, call.shown, failed.reason,
            state.attempt_number + 1, self._max_attempts, state.upcoming_sleep,
        )  # fmt: skip

    def _attempt(self, call: Call, body: bytes | None) -> Any:
        self._wait_for_budget(call)
        try:
            answer = self._transport.send(call.method, call.path, body)
        except NotSent as error:
            raise FailedAttempt(Failure(Cause.NOT_SENT), str(error)) from None
        except BrokenOff as error:
            self._count(call)
            raise FailedAttempt(Failure(Cause.BROKEN_OFF), str(error)) from None
        self._count(call)
        reset_in = seconds_until_reset(answer.headers, self._clock.time())
        self._observe(call, answer.headers, reset_in)
        log.debug("%s %s: %d", call.method, call.shown, answer.status)
        if not 200 <= answer.status < 300:
            retry_after = seconds_to_retry_after(answer.headers, self._clock.time())
            failure = Failure(Cause.STATUS, answer.status, retry_after, reset_in)
            raise FailedAttempt(failure, f"Kustomer answered {answer.status}", answer)
        try:
            return from_bytes(answer.body)
        except NotJson:
            raise FailedAttempt(Failure(Cause.UNREADABLE, answer.status), "the answer is not JSON", answer) from None

    def _count(self, call: Call) -> None:
        now = self._clock.monotonic()
        self._sent += 1
        self._budget.sent(now)
        if call.search:
            self._searched += 1
            self._searches.sent(now)

    def _observe(self, call: Call, headers: Mapping[str, str], reset_in: float | None) -> None:
        limit = whole_number(headers, "x-ratelimit-limit")
        if call.search and limit is not None and self._budget.limit not in (None, limit):
            return  # these headers speak of the limit for searches, not of the org's
        self._budget.observe(
            self._clock.monotonic(),
            limit=limit,
            remaining=whole_number(headers, "x-ratelimit-remaining"),
            reset_in=reset_in,
        )

    def _wait_for_budget(self, call: Call) -> None:
        now = self._clock.monotonic()
        seconds = self._budget.delay(now)
        if call.search:
            seconds = max(seconds, self._searches.delay(now))
        if seconds <= 0:
            return
        if seconds > _WORTH_MENTIONING:
            log.info("waiting %.0f s for the request budget: the reserve is left to the org's others", seconds)
        self._wait(seconds)

    def _seconds_before_next(self, state: RetryCallState) -> float:
        rest = self._budget.rest_of_window(self._clock.monotonic())
        return seconds_to_wait(_failed(state).failure, state.attempt_number, rest, BACK_OFF(state))

    def _wait(self, seconds: float) -> None:
        self._waited += seconds
        self._clock.sleep(seconds)

    def _given_up(self, call: Call, failed: FailedAttempt) -> KustomerError:
        if failed.failure.status == 401 and call.path != TOKEN_PATH and self._key_is_good():
            return denied(call, failed)
        return error_for(call, failed)

    def _key_is_good(self) -> bool:
        """A missing role was a 401 once (docs/kustomer.md section 12): any good key may read itself."""
        try:
            self.send(Call("GET", TOKEN_PATH, TOKEN_PATH, "token.read"))
        except KustomerError:
            return False
        return True


def _failed(state: RetryCallState) -> FailedAttempt:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, FailedAttempt)  # `retry_if_exception` lets nothing else through
    return error
