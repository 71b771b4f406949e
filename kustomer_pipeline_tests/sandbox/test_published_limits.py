"""The sandbox takes what Kustomer's published schemas take, and refuses what they refuse: thousands of requests.

The requests are made from a table (published_limits.py) that knows nothing of the sandbox. Where the sandbox means to
differ, docs/sandbox.md says so and why.
"""

from __future__ import annotations

import http.client
import json
import re
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .published_cases import RECORD_ID, Case, cases
from .published_limits import OPERATIONS

# The beginning of a line of docs/sandbox.md → which cases it is about.
DIFFERENCES = {
    "`company` of a customer": r"company: \d+ (characters|of .)",
    "24 hexadecimal digits among `tags`": r"tags\[\]: the id of no tag",
    "A WhatsApp number with and without": r"whatsapps: a number twice",
    "`_clientRef` in an item": r"_clientRef: .*",
    "The criteria of a search": r"(and|or|not): no attribute",
}
HEADING = "## Where it judges otherwise than the published schemas"


@dataclass(frozen=True)
class Judged:
    """A case and the status of the answer."""

    case: Case
    status: int

    @property
    def agrees(self) -> bool:
        return (self.status < 400) == self.case.taken


class _Judge:
    """Sends bodies to a sandbox on one connection; whatever needs an id gets a record of its own."""

    def __init__(self, sandbox: Sandbox, clock: ManualClock) -> None:
        self._sandbox, self._clock = sandbox, clock
        self._connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=30)
        self._headers = {"Authorization": f"Bearer {sandbox.api_key}", "Content-Type": "application/json"}
        self._records = 0

    def status(self, method: str, path: str, body: Any) -> int:
        self._clock.advance(1.0)  # 100 searches a minute
        kind = "company" if "companies" in path else "customer"
        if "{id}" in path:
            path = path.replace("{id}", self._new(kind))
        for item in body if isinstance(body, list) else ():
            if isinstance(item, dict) and item.get("id") == RECORD_ID:
                item["id"] = self._new(kind)
        self._connection.request(method, path, json.dumps(body).encode(), self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        self._connection.close()

    def _new(self, kind: str) -> str:
        self._records += 1
        seed = self._sandbox.seed_company if kind == "company" else self._sandbox.seed_customer
        return seed(name=f"Record {self._records}")


@cache
def judged(operation: str) -> list[Judged]:
    """Every case of the operation, sent to an empty org of its own."""
    method, path = operation.split(" ")
    clock = ManualClock()
    sandbox = Sandbox(clock=clock, rate_limit=1_000_000, faults={"rev_ignored": True})
    with sandbox, closing(_Judge(sandbox, clock)) as judge:
        return [Judged(case, judge.status(method, path, case.value)) for case in cases(operation)]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_judges_as_published_but_for_what_is_named(operation: str) -> None:
    unnamed = [
        (one.case.what, one.status, str(one.case.value)[:200])
        for one in judged(operation)
        if not one.agrees and not any(re.fullmatch(about, one.case.what) for about in DIFFERENCES.values())
    ]
    assert unnamed == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_is_either_taken_or_a_bad_one(operation: str) -> None:
    assert {one.status for one in judged(operation)} <= {200, 201, 400}


def test_at_least_995_of_1000_requests_are_judged_alike() -> None:
    agree = [one.agrees for operation in OPERATIONS for one in judged(operation)]
    assert len(agree) > 5_000
    assert sum(agree) / len(agree) >= 0.995


def test_every_difference_is_there_and_explained(repository: Path) -> None:
    differing = [one.case.what for operation in OPERATIONS for one in judged(operation) if not one.agrees]
    text = (repository / "docs" / "sandbox.md").read_text(encoding="utf-8")
    lines = text.partition(HEADING)[2].partition("\n## ")[0].splitlines()
    for beginning, about in DIFFERENCES.items():
        assert any(re.fullmatch(about, what) for what in differing), beginning
        assert any(line.startswith(f"| {beginning}") for line in lines), beginning
