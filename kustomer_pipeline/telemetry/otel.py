"""Spans and metrics by OpenTelemetry's API: whatever the process has configured for them takes them.

    run, plan, undo ─ span ─┬─ span of each attempt at a request   kustomer.requests, http.client.request.duration,
                            │                                      kustomer.budget.remaining, kustomer.budget.limit
                            └─ span of each bulk job               kustomer.job.duration
                    ends    ─ outcomes                             kustomer.rows

Names are those of OpenTelemetry's semantic conventions where there is one, else `kustomer.…`. No attribute holds a row
key, an identifier or an address of a request: there is `url.template`, and no `url.full`. The API is imported when an
observer is made, so that only a process which asks for it needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING

from kustomer_pipeline.kustomer import JobAnswered, RequestAttempt, Work, WorkEnded

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

_NAME = "kustomer_pipeline"
_WORDS = {"run": "sync", "plan": "plan", "undo": "undo", "drift": "drift"}
# Those of the convention, in seconds; and those of bulk jobs, which take seconds to minutes.
_REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
_JOB_SECONDS = [1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, 600]

Attributes = dict[str, str | int | float | bool]


def is_used_here() -> bool:
    """Whether something in this process uses OpenTelemetry: then its providers, if it has any, are meant for us too."""
    return "opentelemetry.trace" in sys.modules


class OpenTelemetry:
    """An observer that makes spans and metrics. The providers are those of the process unless they are given.

    Raises ImportError where the API is not installed.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        from opentelemetry import context, metrics, trace

        self._context, self._trace = context, trace
        self._tracer = trace.get_tracer(_NAME, _version(), tracer_provider)
        self._spans: dict[Work, tuple[Span, Token[Context]]] = {}
        meter = metrics.get_meter(_NAME, _version(), meter_provider)
        self._requests = meter.create_counter("kustomer.requests", "{request}", "Attempts at requests to Kustomer.")
        self._request_seconds = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of attempts at requests to Kustomer.",
            explicit_bucket_boundaries_advisory=_REQUEST_SECONDS,
        )
        self._remaining = meter.create_gauge(
            "kustomer.budget.remaining", "{request}", "Requests that the org has left in this window, as last reported."
        )
        self._limit = meter.create_gauge("kustomer.budget.limit", "{request}", "Requests that the org has per window.")
        self._rows = meter.create_counter("kustomer.rows", "{row}", "Rows of runs by what became of them.")
        self._job_seconds = meter.create_histogram(
            "kustomer.job.duration",
            "s",
            "Duration of bulk jobs, until their results were there.",
            explicit_bucket_boundaries_advisory=_JOB_SECONDS,
        )

    def began(self, work: Work, at: float) -> None:
        """A span, of which everything that is made during the work becomes a part."""
        name = _WORDS[work.kind] if work.kind == "undo" else f"{_WORDS[work.kind]} {work.sync}"
        span = self._tracer.start_span(name, attributes=_of_work(work), start_time=_nanoseconds(at))
        self._spans[work] = span, self._context.attach(self._trace.set_span_in_context(span))

    def ended(self, ended: WorkEnded) -> None:
        """The end of the span; the rows of a run are counted."""
        span, token = self._spans.pop(ended.work)
        self._context.detach(token)
        attributes = _of_org(ended.org_id)
        for name, count in ended.outcomes.items():
            span.set_attribute(f"kustomer.rows.{name}", count)
        span.set_attributes(attributes)
        if ended.error is not None:
            span.set_attribute("error.type", ended.error)
            span.set_status(self._trace.StatusCode.ERROR, ended.error)
        span.end(_nanoseconds(ended.at + ended.seconds))
        if ended.work.kind == "run":
            of_sync = attributes | {"kustomer.sync": ended.work.sync}
            for name, count in ended.outcomes.items():
                self._rows.add(count, of_sync | {"kustomer.row.outcome": name})

    def attempted(self, attempt: RequestAttempt) -> None:
        """A span of the kind that instrumented HTTP clients make, and the numbers."""
        request = _of_request(attempt)
        span = self._tracer.start_span(
            f"{attempt.method} {attempt.template}",
            kind=self._trace.SpanKind.CLIENT,
            attributes=request | _of_server(attempt) | _of_attempt(attempt),
            start_time=_nanoseconds(attempt.at),
        )
        if _is_failure(attempt):
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(_nanoseconds(attempt.at + attempt.seconds))
        org = _of_org(attempt.org_id)
        self._requests.add(1, request | org)
        self._request_seconds.record(attempt.seconds, request | _of_server(attempt))
        if org and attempt.units_left is not None:
            self._remaining.set(attempt.units_left, org)
        if org and attempt.limit is not None:
            self._limit.set(attempt.limit, org)

    def job_answered(self, job: JobAnswered) -> None:
        """A span from the moment it was handed in; its time counts if it was done."""
        kind: Attributes = {"kustomer.object": job.object_name, "kustomer.operation": job.operation}
        results: Attributes = {f"kustomer.job.{name}": count for name, count in job.results.items()}
        span = self._tracer.start_span(
            f"bulk {job.operation} {job.object_name}",
            attributes=kind | {"kustomer.job.items": job.items, "kustomer.job.complete": job.complete} | results,
            start_time=_nanoseconds(job.at),
        )
        span.end(_nanoseconds(job.at + job.seconds))
        if job.complete:
            sync: Attributes = {"kustomer.sync": job.work.sync} if job.work is not None else {}
            self._job_seconds.record(job.seconds, kind | sync | _of_org(job.org_id))

    def close(self) -> None:
        """What was made is with the providers, which send it when they think fit."""


def _of_work(work: Work) -> Attributes:
    return {"kustomer.sync": work.sync, "kustomer.run.id": work.run_id, "kustomer.work": work.kind}


def _of_org(org_id: str | None) -> Attributes:
    return {"kustomer.org.id": org_id} if org_id is not None else {}


def _of_request(attempt: RequestAttempt) -> Attributes:
    """What spans and metrics of requests are told apart by."""
    found: Attributes = {"http.request.method": attempt.method, "url.template": attempt.template}
    if attempt.status is not None:
        found["http.response.status_code"] = attempt.status
    if attempt.failure is not None:
        found["error.type"] = attempt.failure
    elif attempt.status is not None and attempt.status >= 400:
        found["error.type"] = str(attempt.status)
    return found


def _of_server(attempt: RequestAttempt) -> Attributes:
    address, colon, port = attempt.host.rpartition(":")
    if colon and port.isdecimal():
        return {"server.address": address.strip("[]"), "server.port": int(port)}
    return {"server.address": attempt.host.strip("[]"), "server.port": 443}


def _of_attempt(attempt: RequestAttempt) -> Attributes:
    """What only a span tells."""
    found: Attributes = {"kustomer.units": attempt.units, "kustomer.request.rows": len(attempt.keys)}
    if attempt.number > 1:
        found["http.request.resend_count"] = attempt.number - 1
    optional: Mapping[str, str | int | None] = {
        "kustomer.retry.reason": attempt.retry,
        "kustomer.budget.remaining": attempt.units_left,
        "kustomer.request.id": attempt.request_id,
    }
    return found | {name: value for name, value in optional.items() if value is not None}


def _is_failure(attempt: RequestAttempt) -> bool:
    """That nobody has an identifier that was looked up is an answer, not a failure."""
    if attempt.status == 404 and attempt.method == "GET":
        return False
    return attempt.failure is not None or attempt.status is None or attempt.status >= 400


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def _version() -> str:
    try:
        return metadata.version("kustomer-pipeline")
    except metadata.PackageNotFoundError:  # run from a clone that is not installed
        return "0"
