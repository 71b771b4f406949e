"""Tiny Kustomers: `app(request) -> response` for httpx's MockTransport, and a clock that nobody waits for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from kustomer_pipeline.kustomer import KustomerClient

KEY = "eyJhbGciOi.SECRET.kZ9"
BASE_URL = "https://acme.api.kustomerapp.com"
App = Callable[[httpx.Request], httpx.Response]


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, epoch: float = 1_800_000_000.0) -> None:
        self.start = epoch
        self.elapsed = 0.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.elapsed

    def time(self) -> float:
        return self.start + self.elapsed

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.elapsed += seconds


class Kustomer:
    """Answers with `app` and keeps the requests."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.app(request)

    @property
    def paths(self) -> list[str]:
        """What went over the wire, byte by byte."""
        return [request.url.raw_path.decode() for request in self.requests]


def client_of(app: App, *, clock: FakeClock | None = None, **settings: Any) -> KustomerClient:
    """A client whose Kustomer is `app`."""
    return KustomerClient(
        **{
            "base_url": BASE_URL,
            "api_key": KEY,
            "clock": clock or FakeClock(),
            "transport": httpx.MockTransport(app),
            **settings,
        }
    )


def answers(*responses: httpx.Response | Exception) -> App:
    """One response after the other; an exception is raised instead."""
    left = list(responses)

    def app(request: httpx.Request) -> httpx.Response:
        response = left.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    return app


def customer(id: str, **attributes: Any) -> dict[str, Any]:
    """A customer as the API shows it."""
    return {"type": "customer", "id": id, "attributes": attributes}


def company(id: str, **attributes: Any) -> dict[str, Any]:
    """A company as the API shows it."""
    return {"type": "company", "id": id, "attributes": attributes}


def ok(data: Any, **more: Any) -> httpx.Response:
    """200 with data."""
    return httpx.Response(200, json={"data": data, **more})


def token(*roles: str) -> dict[str, Any]:
    """What a key reads of itself."""
    return {
        "type": "auth_token",
        "id": "t1",
        "attributes": {"name": "sync", "roles": list(roles)},
        "relationships": {"org": {"data": {"type": "org", "id": "org-1"}}},
    }


def body_of(request: httpx.Request) -> Any:
    """The JSON of a request."""
    return json.loads(request.content)
