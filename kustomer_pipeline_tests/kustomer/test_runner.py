"""The client's own loop, for callers that are not asynchronous."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import NoReturn

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import BASE_URL, KEY, client_of, ok, token
from kustomer_pipeline_tests.simulated import SimulatedClock


def client(clock: k.Clock | None = None) -> k.KustomerClient:
    transport = httpx.MockTransport(lambda request: ok(token()))
    return k.KustomerClient(base_url=BASE_URL, api_key=KEY, clock=clock or SimulatedClock(), transport=transport)


def test_coroutines_run_one_after_the_other_on_one_loop() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    with client() as one:
        assert one.run(loop()) is one.run(loop())


def test_a_thread_with_a_running_loop_is_served_by_another_thread() -> None:
    with client() as one:

        async def notebook() -> str:
            return one.run(one.token()).org_id

        assert asyncio.run(notebook()) == "org-1"
        assert one.run(one.token()).org_id == "org-1"


def test_an_error_goes_through_the_other_thread_too() -> None:
    with client() as one:

        async def fails() -> NoReturn:
            raise k.NotFoundError("nothing")

        async def notebook() -> None:
            one.run(fails())

        with pytest.raises(k.NotFoundError):
            asyncio.run(notebook())


def test_on_the_clients_own_loop_the_coroutine_is_to_be_awaited() -> None:
    with client() as one:

        async def nested() -> None:
            one.run(one.token())

        with pytest.raises(RuntimeError, match="await the coroutine"):
            one.run(nested())


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, k.NotFoundError("x")])
def test_whatever_comes_out_nothing_is_left_running_and_the_client_can_be_closed(
    interruption: type[BaseException] | BaseException,
) -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    async def interrupted() -> None:
        waiting = asyncio.ensure_future(endless())
        await asyncio.sleep(1)
        assert not waiting.done()
        raise interruption

    with client() as one:
        with pytest.raises(BaseException) as caught:  # noqa: PT011  # whichever it is
            one.run(interrupted())
        assert caught.type in (interruption, type(interruption))
        assert ended == ["endless"]
        assert one.run(one.token()).org_id == "org-1"


def test_ctrl_c_ends_a_run_at_once() -> None:
    async def long() -> None:
        signal_in = threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT))
        signal_in.start()
        await asyncio.sleep(60)

    with client(k.SystemClock()) as one:
        with pytest.raises(KeyboardInterrupt):
            one.run(long())
        assert one.run(one.token()).org_id == "org-1"


def test_a_closed_client_says_so_and_closing_twice_does_no_harm() -> None:
    one = client()
    one.run(one.token())
    one.close()
    one.close()
    with pytest.raises(RuntimeError, match="closed"):
        one.run(one.token())
    never_used = client()
    never_used.close()


def test_no_more_requests_than_allowed_are_under_way() -> None:
    under_way, most = 0, 0

    async def app(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.1)
        under_way -= 1
        return httpx.Response(404)

    async def many(one: k.KustomerClient) -> None:
        await asyncio.gather(*[one.look_up("customers", "externalId", str(number)) for number in range(100)])

    with client_of(app, concurrency=7) as blocking:
        blocking.run(many(blocking.client))
    assert most == 7


def test_the_first_error_among_many_reads_calls_the_others_off() -> None:
    asked: list[str] = []

    async def app(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        await asyncio.sleep(0.1)
        return httpx.Response(403 if len(asked) > 3 else 404)

    with client_of(app, concurrency=2) as blocking, pytest.raises(k.PermissionDeniedError):
        blocking.get_many("companies", [f"{number:024x}" for number in range(4)])
    assert len(asked) <= 6
