"""An org in simulated time, with instruments: what a run costs of the org's budget, of time, and of the processor.

    Track (World + others at work + a processor clock around the sandbox) → measured(run) → Figures

An answer takes 100 ms and a bulk job 5 s of simulated time; what the engine itself computes takes none of it, and is
reported beside it.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sync import SyncReport
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.world import World

LATENCY, JOB_SECONDS, RATE_LIMIT, RESERVE = 0.1, 5.0, 1000, 0.2
OURS = RATE_LIMIT * (1 - RESERVE)  # requests a minute
WINDOW = 60.0
OTHERS_BEGIN, OTHERS_A_MINUTE = 15.0, 500

Condition = Literal["on their own", "in a queue", "others take half"]

_PURPOSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("search", re.compile(r"POST /v1/\w+/search")),
    ("list", re.compile(r"GET /v1/(customers|companies)")),
    ("look up", re.compile(r"GET /v1/\w+/(email|phone|externalId)=.*")),
    ("read", re.compile(r"GET /v1/(customers|companies)/[^/]+")),
    ("hand in", re.compile(r"(POST|PUT) /v1/\w+/bulk")),
    ("ask for results", re.compile(r"GET /v1/bulk/.*")),
    ("write one", re.compile(r"(POST|PUT) /v1/(customers|companies)(/[^/]+)?")),
)


@dataclass(frozen=True)
class Figures:
    """One measured run.

    seconds: simulated. in_whole_windows: records a minute, counted by the budget that was used in whole windows of a
    minute only, so that neither the first burst nor the last moments count (None: no whole window). limit: what the
    budget allows at most at these units. processor_ms: of the engine, a record. requests: by what they were for.
    """

    kind: str
    condition: Condition
    rows: int
    deferred: int
    units: int
    seconds: float
    in_whole_windows: float | None
    lowest_remaining: int
    refused: int
    processor_ms: float
    requests: Mapping[str, int] = field(default_factory=dict)

    @property
    def units_per_record(self) -> float:
        return self.units / self.rows

    @property
    def records_a_minute(self) -> float:
        return (self.rows - self.deferred) / self.seconds * 60 if self.seconds else 0.0

    @property
    def limit(self) -> float:
        """Records a minute that the budget allows at these units."""
        return OURS / self.units_per_record if self.units else 0.0


class Track(World):
    """A World with the time of the benchmark, its instruments, and others who use the org too."""

    def __init__(self, state_url: str, condition: Condition = "on their own") -> None:
        super().__init__(state_url, job_seconds=JOB_SECONDS, rate_limit=RATE_LIMIT)
        self.latency = LATENCY
        self.condition: Condition = condition
        self.sandbox.state.keep_bodies = False
        self._app = Timed(self.sandbox.app)
        self._lowest = RATE_LIMIT
        self._others: Others | None = None
        self.sandbox.hooks.before.append(lambda record: self._others_spend(record.at))
        self.sandbox.hooks.after.append(lambda record: self._look_at_budget(record.at))
        if condition == "in a queue":
            self.sandbox.faults.set("jobs_in_queue")

    @contextmanager
    def client(self, api_key: str | None = None, **settings: Any) -> Iterator[KustomerClient]:
        settings.setdefault("transport", InProcess(self._app, self.clock, self.latency))
        with super().client(api_key, rate_reserve=RESERVE, **settings) as client:
            yield client

    def measured(self, kind: str, spec: Any, rows: Sequence[Mapping[str, Any]]) -> Figures:
        """One run, measured. It begins with a window of the budget."""
        self._to_next_window()
        began, computed, answered = self.clock.time(), time.process_time(), self._app.seconds
        self._lowest = RATE_LIMIT
        if self.condition == "others take half":
            self._others = Others(self.sandbox, began + OTHERS_BEGIN)
        report = self.run(spec, rows)
        self._others = None
        computed = time.process_time() - computed - (self._app.seconds - answered)
        return self._figures(kind, report, self.clock.time() - began, computed)

    def _figures(self, kind: str, report: SyncReport, seconds: float, computed: float) -> Figures:
        requests = self.sandbox.requests
        units = self.sandbox.units()
        a_minute = _in_whole_windows([one.at - self.sandbox.state.limits.org.anchor for one in requests])
        rows = report.counts.read
        return Figures(
            kind=kind,
            condition=self.condition,
            rows=rows,
            deferred=report.counts.deferred,
            units=units,
            seconds=seconds,
            in_whole_windows=None if a_minute is None else a_minute * rows / units,
            lowest_remaining=self._lowest,
            refused=self.sandbox.count(status=429),
            processor_ms=computed / rows * 1000,
            requests=dict(Counter(purpose(one.method, one.path) for one in requests).most_common()),
        )

    def _to_next_window(self) -> None:
        limits = self.sandbox.state.limits.org
        self.clock.advance(limits.reset_at(self.clock.time()) - self.clock.time() + 0.001)

    def _others_spend(self, now: float) -> None:
        if self._others is not None:
            self._lowest = min(self._lowest, self._others.spend(now))

    def _look_at_budget(self, now: float) -> None:
        self._lowest = min(self._lowest, self.sandbox.state.limits.org.remaining(now))


class Others:
    """Other users of the org: they spend evenly, each unit at its own moment. What they do not get is not made up."""

    def __init__(self, sandbox: Sandbox, begin: float) -> None:
        self._window = sandbox.state.limits.org
        self._next = begin

    def spend(self, now: float) -> int:
        """Everything that is due by now; the least that was left meanwhile."""
        lowest = RATE_LIMIT
        while self._next <= now:
            self._window.take(self._next)
            lowest = min(lowest, self._window.remaining(self._next))
            self._next += WINDOW / OTHERS_A_MINUTE
        return lowest


class Timed:
    """An app that adds up the processor time within it."""

    def __init__(self, app: ASGIApp) -> None:
        self.seconds = 0.0
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.process_time()
        try:
            await self._app(scope, receive, send)
        finally:
            self.seconds += time.process_time() - began


def purpose(method: str, path: str) -> str:
    """What a request is for."""
    return next((name for name, form in _PURPOSES if form.fullmatch(f"{method} {path}")), "other")


def _in_whole_windows(moments: Sequence[float]) -> float | None:
    """Requests a minute in the windows that lie wholly within the run, the first one not among them."""
    windows = Counter(int(moment // WINDOW) for moment in moments)
    whole = range(min(windows) + 1, max(windows))
    return sum(windows[one] for one in whole) / len(whole) if whole else None
