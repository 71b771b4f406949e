"""Time that passes only when everybody waits, and ways to a sandbox that take none of it.

    SimulatedClock       a clock and event loops that jump to the next timer instead of waiting for it
    InProcess(app, …)    calls an ASGI app (the sandbox's) on the client's own loop, without sockets
    Wired(clock)         real sockets: time stands still while a request is under way

Everything on one loop is deterministic with InProcess: no thread, no socket, no real second.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from typing import Any, TypeVarTuple
from urllib.parse import unquote

import httpx
from starlette.types import ASGIApp, Message

from kustomer_pipeline.sandbox.app import DroppedConnection

_Ts = TypeVarTuple("_Ts")

_SMALLEST_JUMP = 1e-6  # far above the error of a float, so that a jump always arrives
_A_TURN = 1e-9  # what one turn of the loop takes, so that whoever waits for less than a float can tell gets there
_ORDER = 1e-9  # between two timers of the same moment
_PATIENCE = 0.25  # real seconds for an answer over a real socket before the next timer is due all the same


class SimulatedClock:
    """A clock that moves when all coroutines of a loop of its own wait for a timer. May be read from any thread.

    epoch: what `time` shows at first. `slept` keeps what was asked of `sleep`, for tests that count waits.
    """

    def __init__(self, epoch: float = 1_900_000_000.0) -> None:
        self.epoch = epoch
        self.slept: list[float] = []
        self._elapsed = 0.0
        self._wired = 0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._elapsed

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.epoch + self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait on a loop of this clock."""
        self.slept.append(seconds)
        await asyncio.sleep(seconds)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """An event loop that lives in this clock's time."""
        return _Loop(self)

    def advance(self, seconds: float) -> None:
        """Move on, never back; from any thread."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        with self._lock:
            self._elapsed += seconds

    @property
    def stands_still(self) -> bool:
        """Whether somebody waits for the real world."""
        return self._wired > 0

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """For the body, time does not jump: something real is awaited."""
        with self._lock:
            self._wired += 1
        try:
            yield
        finally:
            with self._lock:
                self._wired -= 1


class _Loop(asyncio.SelectorEventLoop):
    """asyncio's own loop with the clock's time and a selector that jumps."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._timers = 0
        super().__init__(_JumpingSelector(clock))

    def time(self) -> float:
        """The clock's."""
        return self._clock.monotonic()

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's own, but timers of the same moment go off in the order in which they were set."""
        self._timers = (self._timers + 1) % 1000
        return super().call_at(when + self._timers * _ORDER, callback, *args, context=context)


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for sockets only when there is something real to wait for; else moves the clock to the next timer."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; with a time-out and nothing ready, the time-out has passed by the clock when this returns."""
        if timeout is None or timeout <= 0:
            self._clock.advance(_A_TURN)
            return super().select(timeout)
        ready = super().select(max(timeout, _PATIENCE) if self._clock.stands_still else 0)
        if not ready:
            self._clock.advance(max(timeout, _SMALLEST_JUMP))
        return ready


class InProcess(httpx.AsyncBaseTransport):
    """A transport that calls an ASGI app in the client's own loop. An answer takes `latency` seconds of the clock.

    The app's DroppedConnection becomes a ReadError, and the request's read time-out counts by the clock: whoever
    holds an answer back longer sees the client leave, and the client gets a ReadTimeout.
    """

    def __init__(self, app: ASGIApp, clock: SimulatedClock, latency: float = 0.0) -> None:
        self.app = app
        self.clock = clock
        self.latency = latency
        self.in_flight = 0
        self.most_in_flight = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, one call of the app."""
        body = await request.aread()
        seconds = request.extensions.get("timeout", {}).get("read")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            async with asyncio.timeout(seconds):
                await self._pass(self.latency / 2)
                answer = await _call(self.app, _scope(request), body)
                await self._pass(self.latency / 2)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        except DroppedConnection as error:
            raise httpx.ReadError(str(error), request=request) from None
        finally:
            self.in_flight -= 1
        return answer

    async def _pass(self, seconds: float) -> None:
        """Time that the wire takes; not a wait of the client's, so not in `slept`."""
        if seconds:
            await asyncio.sleep(seconds)


class Wired(httpx.AsyncBaseTransport):
    """A transport over real sockets, for a sandbox that listens on a port. The clock stands still meanwhile."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=100, max_keepalive_connections=100))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request; its whole answer is read before time goes on."""
        with self._clock.standing_still():
            response = await self._inner.handle_async_request(request)
            try:
                content = b"".join([piece async for piece in response.aiter_raw()])
            finally:
                await response.aclose()
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=httpx.ByteStream(content),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


async def _call(app: ASGIApp, scope: Mapping[str, Any], body: bytes) -> httpx.Response:
    """Call the app once and gather what it sends."""
    status, headers, pieces = 0, list[tuple[bytes, bytes]](), list[bytes]()
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.Event().wait()  # the client leaves by cancelling the call
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        else:
            pieces.append(message.get("body", b""))

    await app(dict(scope), receive, send)
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"".join(pieces)))


def _scope(request: httpx.Request) -> dict[str, Any]:
    path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": unquote(path.decode("ascii"), errors="surrogateescape"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 0),
        "server": (request.url.host, request.url.port or 80),
    }
