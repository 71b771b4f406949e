"""How an observer of a client is told: what requests are for, and each attempt at one.

    client.on_behalf_of(work)      a run, a plan or an undo of a sync begins, and ends
      client.about(rows)           which rows the requests of its body are about
        Session → Tries            one request, attempt by attempt
                    └→ Observer.attempted(RequestAttempt)

`about` holds for whatever is awaited in its body, in tasks that are started there too, and for nobody else: it is kept
per task. Rows come as a sequence of keys (every request of the body is about all of them), or as a mapping from what
requests name (ids, values that are searched for) to keys: then each request is about the rows of those that it names,
and one that names nobody (a page of a list) is about nobody in particular.

Nobody observes by default, and nothing of all this is made then.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property

from .answers import request_id_of
from .bulk_answers import BulkAnswer
from .calls import Call, FailedAttempt
from .clock import Clock
from .identifiers import ObjectName
from .observer import JobAnswered, Observer, RequestAttempt, Work, WorkEnded
from .paths import shown_path, template_of
from .retry import Cause
from .transport import Answer
from .wire import Operation

Rows = Sequence[str] | Mapping[str, Sequence[str]]
Known = tuple[int | None, int | None]  # of the org's budget: its limit, and what is left


@dataclass
class Ending:
    """What the body of `on_behalf_of` says of how the work ends."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None

    def came_to(self, outcomes: Mapping[str, int], interrupted: BaseException | None = None) -> None:
        """What was counted, and what ended it early, if anything did."""
        self.outcomes = outcomes
        self.error = type(interrupted).__name__ if interrupted is not None else None


@dataclass(eq=False)
class _Context:
    """What requests that are made here are for."""

    work: Work | None = None
    rows_of: Callable[[], Rows] = tuple

    @cached_property
    def rows(self) -> Rows:
        return self.rows_of()

    def keys(self, names: Collection[str]) -> tuple[str, ...]:
        rows = self.rows
        if isinstance(rows, Mapping):
            return tuple(dict.fromkeys(key for name in names for key in rows.get(name, ())))
        return tuple(dict.fromkeys(rows))


_NOTHING = _Context()
_context: ContextVar[_Context] = ContextVar("kustomer_request_context", default=_NOTHING)


class Observing:
    """An observer of one client, and what is known for it."""

    def __init__(self, observer: Observer, clock: Clock, host: str) -> None:
        self.org_id: str | None = None
        self._observer = observer
        self._clock = clock
        self._host = host

    @contextmanager
    def on_behalf_of(self, work: Work) -> Iterator[Ending]:
        """See KustomerClient.on_behalf_of."""
        at, since, ending = self._clock.time(), self._clock.monotonic(), Ending()
        before = _context.set(_Context(work))
        self._observer.began(work, at)
        try:
            yield ending
        except BaseException as error:
            ending.error = type(error).__name__
            raise
        finally:
            seconds = self._clock.monotonic() - since
            self._observer.ended(WorkEnded(work, at, seconds, self.org_id, ending.outcomes, ending.error))
            _context.reset(before)

    @contextmanager
    def about(self, rows: Callable[[], Rows]) -> Iterator[None]:
        """See KustomerClient.about."""
        before = _context.set(_Context(_context.get().work, rows))
        try:
            yield
        finally:
            _context.reset(before)

    def tries(self, call: Call) -> Tries:
        """The attempts at a request that is about to be made here."""
        return _ToldTries(self._observer, self._clock, self._host, call, self)

    def job_answered(
        self, object_name: ObjectName, operation: Operation, items: int, since: float, answer: BulkAnswer
    ) -> None:
        """See KustomerClient.job_answered."""
        seconds = self._clock.monotonic() - since
        at, work = self._clock.time() - seconds, _context.get().work
        results = Counter[str](result.status for result in answer.results.values())
        job = JobAnswered(object_name, operation, items, at, seconds, answer.complete, results, self.org_id, work)
        self._observer.job_answered(job)

    def close(self) -> None:
        """Nothing more will be told."""
        self._observer.close()


class Tries:
    """The attempts at one request; nobody wants to know of these."""

    def sending(self) -> None:
        """It is sent now."""

    def answered(self, answer: Answer, known: Known, failed: FailedAttempt | None) -> None:
        """An answer came, which may be a failure."""

    def broke(self, error: BaseException, known: Known) -> None:
        """No answer came."""

    def again(self, reason: str) -> None:
        """The next attempt follows, because of what became of this one."""


UNTOLD: Tries = Tries()


class _ToldTries(Tries):
    """The attempts at one request, told to an observer."""

    def __init__(self, observer: Observer, clock: Clock, host: str, call: Call, of: Observing) -> None:
        self._observer = observer
        self._clock = clock
        self._host = host
        self._call = call
        self._of = of
        self._context = _context.get()
        self._number = 0
        self._retry: str | None = None
        self._at = self._since = 0.0

    def sending(self) -> None:
        self._number += 1
        self._at, self._since = self._clock.time(), self._clock.monotonic()

    def answered(self, answer: Answer, known: Known, failed: FailedAttempt | None) -> None:
        unreadable = failed is not None and failed.failure.cause is Cause.UNREADABLE
        error, failure = (str(failed), "unreadable") if unreadable else (None, None)
        self._tell(known, 1, answer.status, error, failure, request_id_of(answer.headers))

    def broke(self, error: BaseException, known: Known) -> None:
        if isinstance(error, FailedAttempt):
            sent = error.failure.cause is Cause.BROKEN_OFF
            self._tell(known, int(sent), None, str(error), error.failure.cause.name.lower(), None)
        else:
            word = "called off" if isinstance(error, asyncio.CancelledError) else type(error).__name__
            self._tell(known, 0, None, word, "called_off", None)

    def again(self, reason: str) -> None:
        self._retry = reason

    def _tell(
        self,
        known: Known,
        units: int,
        status: int | None,
        error: str | None,
        failure: str | None,
        request_id: str | None,
    ) -> None:
        call, (limit, units_left) = self._call, known
        self._observer.attempted(
            RequestAttempt(
                at=self._at,
                seconds=self._clock.monotonic() - self._since,
                method=call.method,
                template=template_of(call.path),
                path=shown_path(call.path),
                host=self._host,
                status=status,
                error=error,
                failure=failure,
                units=units,
                searches=units * call.search,
                number=self._number,
                retry=self._retry,
                units_left=units_left,
                limit=limit,
                request_id=request_id,
                org_id=self._of.org_id,
                work=self._context.work,
                keys=self._context.keys(call.names),
            )
        )
