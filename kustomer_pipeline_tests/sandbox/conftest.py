"""A running sandbox whose time stands still, and a plain HTTP client for it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.data["attributes"])

    @property
    def error(self) -> dict[str, Any]:
        return dict(self.json["errors"][0])


class Api:
    """Asks the sandbox, with nothing between the test and the wire."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.key: str | None = sandbox.api_key

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30.0,
    ) -> Reply:
        """One request on a connection of its own."""
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            raw = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(urlsplit(self.sandbox.url).netloc, timeout=timeout)
        try:
            connection.request(method, path, raw, {**sent, **(headers or {})})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read().decode())
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> Reply:
        return self.ask("POST", path, body)

    def put(self, path: str, body: Any) -> Reply:
        return self.ask("PUT", path, body)

    def patch(self, path: str, body: Any) -> Reply:
        return self.ask("PATCH", path, body)

    def delete(self, path: str) -> Reply:
        return self.ask("DELETE", path)

    def search(self, body: Any, query: str = "") -> Reply:
        return self.post(f"/v1/customers/search{query}", {"queryContext": "customer", **body})

    def bulk(self, method: str, path: str, body: Any) -> list[dict[str, Any]]:
        """The batches of a bulk job that was submitted and, time standing still, done at once."""
        submitted = self.ask(method, path, body)
        assert submitted.status == 201, submitted.text
        batches = self.batches(submitted.data["id"])
        assert [batch["status"] for batch in batches] == ["complete"] * len(batches)
        return batches

    def batches(self, job: str) -> list[dict[str, Any]]:
        """The batches of a job, each with its attributes and its id."""
        return [{"id": batch["id"], **batch["attributes"]} for batch in self.get(f"/v1/bulk/{job}/batches").data]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[Sandbox]:
    """An empty org; a bulk job is done by the next request."""
    with Sandbox(clock=clock, job_seconds=0.0) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    return Api(sandbox)


def error_of(**source: Any) -> dict[str, Any]:
    """A 400 as it was recorded."""
    return {"status": 400, "code": "badparam", **source}
