"""What the answers themselves show, beside what is in them: the forms of errors, the budget, the region.

Nothing of a record is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kustomer_pipeline.kustomer import Answer


@dataclass(frozen=True)
class Budget:
    """What an answer said of the org's budget, and when."""

    at: float
    limit: int | None
    remaining: int | None


class Observer:
    """Listens to a client (Probe.listen)."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.budgets: list[Budget] = []
        self.pod: str | None = None
        self.reset_forms: set[str] = set()
        self.statuses: list[int] = []
        self.error_form: str | None = None  # of the last error that had one

    def __call__(self, answer: Answer) -> None:
        """Take an answer in."""
        headers = answer.headers
        self.statuses.append(answer.status)
        self.pod = headers.get("x-kustomer-pod") or self.pod
        limit, remaining = _number(headers.get("x-ratelimit-limit")), _number(headers.get("x-ratelimit-remaining"))
        self.budgets.append(Budget(self._monotonic(), limit, remaining))
        if (reset := headers.get("x-ratelimit-reset")) is not None:
            self.reset_forms.add(_reset_form(reset))
        if answer.status >= 400:
            self.error_form = _error_form(answer.body)

    @property
    def last_status(self) -> int | None:
        """The status of the last answer."""
        return self.statuses[-1] if self.statuses else None


def _number(text: str | None) -> int | None:
    try:
        return int(float(text)) if text else None
    except (ValueError, OverflowError):
        return None


def _reset_form(text: str) -> str:
    value = _number(text)
    if value is None:
        return "not a number"
    if value > 1e12:
        return "milliseconds since 1970"
    return "seconds since 1970" if value > 1e9 else "seconds to wait"


def _error_form(body: bytes) -> str:
    try:
        content: Any = json.loads(body)
    except ValueError:
        return "not JSON"
    errors = content.get("errors") if isinstance(content, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return "JSON of another form"
    if "message" in first and "status" not in first:
        return "A (code, message)"
    status = first.get("status")
    kind = "text" if isinstance(status, str) else "a number" if isinstance(status, int) else "missing"
    return f"B (JSON:API), status is {kind}"
