"""The sandbox without a socket and a thread: `Sandbox(serve=False)`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from kustomer_pipeline.sandbox import Sandbox

from ..simulated import InProcess, SimulatedClock


def _run(clock: SimulatedClock, coroutine: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
    """The result, on a loop that lives in the clock's time."""
    with asyncio.Runner(loop_factory=clock.new_loop) as runner:
        return runner.run(coroutine)


async def _ask(sandbox: Sandbox, clock: SimulatedClock, path: str, *, seconds: float | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    async with httpx.AsyncClient(transport=InProcess(sandbox.app, clock), timeout=seconds) as client:
        return await client.get(f"{sandbox.url}{path}", headers=headers)


def test_it_needs_neither_a_socket_nor_a_thread_and_its_url_is_one_where_nothing_listens() -> None:
    before = threading.active_count()
    clock = SimulatedClock()
    with Sandbox(serve=False, clock=clock.time) as sandbox:
        assert threading.active_count() == before
        customer = sandbox.seed_customer(externalId="C-1")
        answer = _run(clock, _ask(sandbox, clock, f"/v1/customers/{customer}"))
        assert answer.json()["data"]["attributes"]["externalId"] == "C-1"
        assert answer.headers["x-ratelimit-remaining"] == "999"
        assert sandbox.units() == 1
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{sandbox.url}/v1/tags")


def test_the_app_and_the_handle_share_one_org() -> None:
    clock = SimulatedClock()
    with Sandbox(serve=False, clock=clock.time) as sandbox:
        assert sandbox.app is sandbox.app
        assert _run(clock, _ask(sandbox, clock, "/v1/customers/email=jane%40example.com")).status_code == 404
        sandbox.seed_customer(emails=[{"email": "jane@example.com"}])
        assert _run(clock, _ask(sandbox, clock, "/v1/customers/email=jane%40example.com")).status_code == 200
        assert [record.status for record in sandbox.requests] == [404, 200]


def test_a_held_answer_costs_simulated_time_only() -> None:
    clock = SimulatedClock()
    with Sandbox(serve=False, clock=clock.time, faults={"timeout_before": 500.0}) as sandbox:
        assert _run(clock, _ask(sandbox, clock, "/v1/tags")).status_code == 504
        assert clock.monotonic() == pytest.approx(500.0, abs=0.1)


def test_a_client_that_gives_up_is_let_go() -> None:
    clock = SimulatedClock()
    with Sandbox(serve=False, clock=clock.time, faults={"timeout_after": 500.0}) as sandbox:
        with pytest.raises(httpx.ReadTimeout):
            _run(clock, _ask(sandbox, clock, "/v1/tags", seconds=30.0))
        assert clock.monotonic() == pytest.approx(30.0, abs=0.1)
        assert sandbox.units() == 1


def test_a_dropped_connection_is_an_error_of_the_transport() -> None:
    clock = SimulatedClock()
    with Sandbox(serve=False, clock=clock.time, faults={"drop_after": True}) as sandbox:
        with pytest.raises(httpx.ReadError):
            _run(clock, _ask(sandbox, clock, "/v1/tags"))
        assert sandbox.requests[0].status is None


def test_it_may_be_entered_and_left_any_number_of_times() -> None:
    sandbox = Sandbox(serve=False)
    for _ in range(2):
        with sandbox:
            assert sandbox.url == "http://127.0.0.1:1"
    assert sandbox.url == "http://127.0.0.1:1"
