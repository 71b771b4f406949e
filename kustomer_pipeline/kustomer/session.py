"""One request, done properly: budget before it, retries around it, a typed error after it.

    Call → a free slot → the governor's leave → send → (again, see retry.py) → JSON
                                                                             | KustomerError

Many may be under way at once, `concurrency` at most. Safe to interrupt anywhere: a write leaves this module either
answered, or not sent, or as AmbiguousWriteError.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_never

from .answers import NotJson, from_bytes, to_bytes
from .budget import WINDOW, seconds_to_retry_after, seconds_until_reset
from .calls import TOKEN_PATH, Call, FailedAttempt
from .clock import Clock
from .errors import KustomerError, PermissionDeniedError, UnexpectedAnswerError
from .governor import Governor, Leave
from .observing import UNTOLD, Observing, Tries
from .refusals import ambiguous, denied, error_for
from .retry import BACK_OFF, Cause, Decision, Failure, Kind, decide, seconds_to_wait
from .same_org import SameOrg
from .transport import Answer, BrokenOff, NotSent, Transport

log = logging.getLogger("kustomer_pipeline.kustomer")

_Parsed = TypeVar("_Parsed")
_WORTH_MENTIONING = 5.0  # seconds
LIKELY_LIMIT = 1000  # requests a minute (docs/kustomer.md section 3)


@dataclass(frozen=True)
class Usage:
    """What the client has spent. `limit` and `remaining` are the org's, as last reported (None: not reported)."""

    requests: int
    searches: int
    limit: int | None
    remaining: int | None
    waited_seconds: float


class Session:
    """Sends calls and counts them. `noted` hears what the key turned out to be allowed, and what not."""

    def __init__(
        self,
        transport: Transport,
        governor: Governor,
        *,
        reserve: float,
        clock: Clock,
        max_attempts: int,
        concurrency: int,
        noted: Callable[[str, bool], None],
    ) -> None:
        self._transport = transport
        self._governor = governor
        self._reserve = reserve
        self._clock = clock
        self._max_attempts = max_attempts
        self._noted = noted
        self._slots = asyncio.Semaphore(concurrency)
        # One waits for the budget, the others behind it in a line: nobody is overtaken, and none wakes up in vain.
        self._gate = asyncio.Lock()
        self._search_gate = asyncio.Lock()
        self._sent = 0
        self._searched = 0
        self._waited = 0.0
        self.listener: Callable[[Answer], None] | None = None  # hears of every answer; for the doctor
        self.observing: Observing | None = None  # hears of every attempt
        self.before_write: Callable[[], None] | None = None  # may raise, and the write is not sent
        self.same_org: SameOrg | None = None  # looks at every answer, and may raise

    @property
    def usage(self) -> Usage:
        """What has been spent so far."""
        limit, remaining = self._governor.known
        return Usage(self._sent, self._searched, limit, remaining, self._waited)

    @property
    def requests_a_second(self) -> float:
        """The budget without the reserve, spread over its window; an Enterprise org's where nothing is reported yet."""
        return (self.usage.limit or LIKELY_LIMIT) * (1 - self._reserve) / WINDOW

    def hold_share(self, holder: str, share: float, seconds: float) -> None:
        """For so long `holder` has this share of the budget: see governor.py."""
        now = self._clock.monotonic()
        self._governor.hold_share(holder, share, now, now + seconds)

    def give_back_share(self, holder: str) -> None:
        """It is no longer held."""
        self._governor.give_back_share(holder)

    async def send(self, call: Call) -> Any:
        """The JSON of a 2xx answer (None when it has no body). Everything else is raised as a KustomerError."""
        body = None if call.body is None else to_bytes(call.body)
        tries = UNTOLD if self.observing is None else self.observing.tries(call)

        async def go_on_or_raise(state: RetryCallState) -> None:
            await self._go_on_or_raise(call, state)
            tries.again(_failed(state).reason)

        retrying = AsyncRetrying(
            sleep=self._wait,
            stop=stop_never,  # the table in retry.py decides
            wait=self._seconds_before_next,
            retry=retry_if_exception_type(FailedAttempt),
            before_sleep=go_on_or_raise,
        )
        try:
            answer: Any = await retrying(self._attempt, call, body, tries)
        except PermissionDeniedError:
            self._noted(call.action, False)
            raise
        self._noted(call.action, True)
        if self.same_org is not None and call.path != TOKEN_PATH:
            await self.same_org.check(answer)
        return answer

    async def ask(self, call: Call, parse: Callable[[Any], _Parsed]) -> _Parsed:
        """`send`, and understand: an UnexpectedAnswerError of `parse` says what was asked."""
        body = await self.send(call)
        try:
            return parse(body)
        except UnexpectedAnswerError as error:
            error.method, error.path = call.method, call.shown
            raise

    async def _attempt(self, call: Call, body: bytes | None, tries: Tries) -> Any:
        if call.search:
            await self._wait_for_search()
        if self.same_org is not None and call.kind is Kind.WRITE:
            await self.same_org.before_write()
        async with self._slots:
            leave = await self._wait_for_leave(call)
            self._ask_before_write(call, leave)
            answer = await self._told(self._sent_once(call, body, leave), tries)
        now, epoch = self._clock.monotonic(), self._clock.time()
        self._governor.answered(leave, now, epoch, answer.headers)
        if self.listener is not None:
            self.listener(answer)
        log.debug("%s %s: %d", call.method, call.shown, answer.status)
        try:
            content = _content_of(answer, epoch)
        except FailedAttempt as failed:
            tries.answered(answer, self._governor.known, failed)
            raise
        tries.answered(answer, self._governor.known, None)
        return content

    async def _told(self, sending: Coroutine[Any, Any, Answer], tries: Tries) -> Answer:
        """Send it; whoever observes hears when it went, and that it broke."""
        tries.sending()
        try:
            return await sending
        except BaseException as error:
            tries.broke(error, self._governor.known)
            raise

    def _ask_before_write(self, call: Call, leave: Leave) -> None:
        """Waiting for the budget may have taken minutes: what had to hold when it was decided has to hold now."""
        if self.before_write is None or call.kind is not Kind.WRITE:
            return
        try:
            self.before_write()
        except BaseException:
            self._governor.not_sent(leave)
            raise

    async def _sent_once(self, call: Call, body: bytes | None, leave: Leave) -> Answer:
        try:
            answer = await self._transport.send(call.method, call.path, body)
        except NotSent as error:
            self._org_is_unsure()
            self._governor.not_sent(leave)
            raise FailedAttempt(Failure(Cause.NOT_SENT), str(error)) from None
        except BrokenOff as error:
            self._org_is_unsure()
            self._count(call)
            self._governor.broken_off(leave)
            raise FailedAttempt(Failure(Cause.BROKEN_OFF), str(error)) from None
        except BaseException:  # called off, or it cannot be sent at all: whoever did it knows
            self._governor.broken_off(leave)
            raise
        self._count(call)
        return answer

    def _org_is_unsure(self) -> None:
        if self.same_org is not None:
            self.same_org.lost()

    async def _go_on_or_raise(self, call: Call, state: RetryCallState) -> None:
        """Raise if there is no next attempt, else say that there is one."""
        failed = _failed(state)
        decision = decide(failed.failure, state.attempt_number, call.kind, self._max_attempts)
        if decision is Decision.AMBIGUOUS:
            raise ambiguous(call, failed) from None
        if decision is Decision.GIVE_UP:
            raise await self._given_up(call, failed) from None
        if decision is Decision.WAIT_FOR_WINDOW and failed.answer is not None:
            headers, now = failed.answer.headers, self._clock.monotonic()
            self._governor.refused(now, state.upcoming_sleep, headers, is_search=call.search)
        log.warning(
            "%s %s: %s; attempt %d of %d follows in %.1f s", call.method, call.shown, failed.reason,
            state.attempt_number + 1, self._max_attempts, state.upcoming_sleep,
        )  # fmt: skip

    async def _given_up(self, call: Call, failed: FailedAttempt) -> KustomerError:
        if failed.failure.status == 401 and call.path != TOKEN_PATH and await self._key_is_good():
            return denied(call, failed)
        return error_for(call, failed)

    async def _key_is_good(self) -> bool:
        """A missing role was a 401 once (docs/kustomer.md section 12): any good key may read itself."""
        try:
            await self.send(Call("GET", TOKEN_PATH, TOKEN_PATH, "token.read"))
        except KustomerError:
            return False
        return True

    # --- waiting

    async def _wait_for_search(self) -> None:
        async with self._search_gate:
            while (seconds := self._governor.ask_search(self._clock.monotonic(), self._reserve)) > 0:
                await self._wait_for_budget(seconds, "searches")

    async def _wait_for_leave(self, call: Call) -> Leave:
        async with self._gate:
            while True:
                now = self._clock.monotonic()
                leave = self._governor.ask(now, reserve_share=self._reserve, is_search=call.search)
                if isinstance(leave, Leave):
                    return leave
                await self._wait_for_budget(leave, "requests")

    async def _wait_for_budget(self, seconds: float, of: str) -> None:
        if seconds > _WORTH_MENTIONING:
            log.info("waiting %.0f s for the budget of %s: the reserve is left to the org's others", seconds, of)
        await self._wait(seconds)

    def _seconds_before_next(self, state: RetryCallState) -> float:
        rest = self._governor.rest_of_window(self._clock.monotonic())
        return seconds_to_wait(_failed(state).failure, state.attempt_number, rest, BACK_OFF(state))

    async def _wait(self, seconds: float) -> None:
        self._waited += seconds
        await self._clock.sleep(seconds)

    def _count(self, call: Call) -> None:
        self._sent += 1
        self._searched += call.search


def _content_of(answer: Answer, epoch: float) -> Any:
    """The JSON of a 2xx answer. Raises FailedAttempt."""
    if not 200 <= answer.status < 300:
        retry_after = seconds_to_retry_after(answer.headers, epoch)
        failure = Failure(Cause.STATUS, answer.status, retry_after, seconds_until_reset(answer.headers, epoch))
        raise FailedAttempt(failure, f"Kustomer answered {answer.status}", answer)
    try:
        return from_bytes(answer.body)
    except NotJson:
        raise FailedAttempt(Failure(Cause.UNREADABLE, answer.status), "the answer is not JSON", answer) from None


def _failed(state: RetryCallState) -> FailedAttempt:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, FailedAttempt)  # `retry_if_exception_type` lets nothing else through
    return error
