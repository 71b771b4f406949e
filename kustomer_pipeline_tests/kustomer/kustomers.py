"""Tiny Kustomers: `app(request) -> response` for httpx's MockTransport, and a client that waits for its own answers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Coroutine
from typing import Any, Self

import httpx

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline_tests.simulated import SimulatedClock

KEY = "eyJhbGciOi.SECRET.kZ9"
BASE_URL = "https://acme.api.kustomerapp.com"
App = Callable[[httpx.Request], httpx.Response]
AsyncApp = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


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


class Blocking:
    """A client whose coroutines are run at once, each by itself: `client.token()` is `client.run(client.token())`."""

    def __init__(self, client: KustomerClient) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *args, **kwargs: self.client.run(found(*args, **kwargs))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()


def client_of(app: App | AsyncApp, *, clock: SimulatedClock | None = None, **settings: Any) -> Blocking:
    """A client whose Kustomer is `app`."""
    return Blocking(
        KustomerClient(
            **{
                "base_url": BASE_URL,
                "api_key": KEY,
                "clock": clock or SimulatedClock(),
                "transport": httpx.MockTransport(app),
                **settings,
            }
        )
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
