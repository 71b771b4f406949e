"""The sandbox as a server on a loopback address: uvicorn, with connections that can be dropped."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
from typing import Any

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import App
from .state import SandboxState


class SandboxError(Exception):
    """The sandbox cannot start; the text says why and what to do."""


class Connections:
    """The open connections by the client's address, so that one can be closed in the middle of a request."""

    def __init__(self) -> None:
        self._transports: dict[Any, asyncio.Transport] = {}

    def protocol(self, *args: Any, **kwargs: Any) -> asyncio.Protocol:
        """What uvicorn makes for each connection."""
        return _Protocol(self._transports, *args, **kwargs)

    def drop(self, scope: Scope) -> None:
        """Close the connection of a request at once: nothing more is sent."""
        transport = self._transports.get(tuple(scope["client"]))
        if transport is not None:
            transport.abort()


class _Protocol(H11Protocol):
    def __init__(self, transports: dict[Any, asyncio.Transport], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._transports = transports
        self._peer: Any = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # uvicorn's own is narrower than asyncio's too: its transports can always be written to.
        super().connection_made(transport)
        self._peer = tuple(transport.get_extra_info("peername")[:2])
        self._transports[self._peer] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transports.pop(self._peer, None)
        super().connection_lost(exc)


def loopback_socket(host: str, port: int) -> socket.socket:
    """A listening socket on this machine only. Raises SandboxError for another host or a port in use."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        ip = None
    if ip is None or not ip.is_loopback:
        raise SandboxError(
            f"{host} is not a loopback address. The sandbox is for this machine only: use 127.0.0.1, localhost or ::1."
        )
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only for sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SandboxError(
                f"Port {port} of {host} is in use. Stop what runs there,"
                " or choose another with --port (0 = any free one)."
            ) from None
        raise SandboxError(f"Cannot listen on port {port} of {host}: {error.strerror}.") from None
    return listener


def url_of(listener: socket.socket) -> str:
    """The base URL of a listening socket, without /v1."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """A uvicorn server that another thread can stop at once, not at the next tick."""

    _loop: asyncio.AbstractEventLoop | None = None
    _stopped: asyncio.Event

    async def main_loop(self) -> None:
        """Tick as uvicorn does, until stopped."""
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        ticks = 0
        while not await self.on_tick(ticks):
            ticks = (ticks + 1) % 864_000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything at once; uvicorn would wait for requests that are being held back."""
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        while self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks)

    def stop(self) -> None:
        """Close the open connections and end; safe from any thread, before, while and after it runs."""
        self.should_exit = True
        self.force_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._stopped.set)


def make_server(state: SandboxState) -> Server:
    """A uvicorn server of the org; run it with `server.run(sockets=[loopback_socket(…)])`."""
    connections = Connections()
    config = uvicorn.Config(
        App(state, drop=connections.drop),
        http=connections.protocol,  # type: ignore[arg-type]  # any factory of protocols will do
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,  # logging is the business of whoever runs this
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
    )
    return Server(config)
