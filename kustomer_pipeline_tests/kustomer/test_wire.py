"""Over real sockets: answers that break off, servers that hang up, and bytes on the wire."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import KEY, Blocking

Behaviour = Callable[[socket.socket], None]


class HurriedClock:
    """The real time, of which sleeping skips what it would take: sockets are waited for, pauses are not."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def advance(self, seconds: float) -> None:
        self.skipped += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped

    def time(self) -> float:
        return time.time() + self.skipped

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()


@contextmanager
def server(*behaviours: Behaviour) -> Iterator[tuple[str, list[bytes]]]:
    """A server on this machine, a behaviour for each connection; gives its URL and what it was sent."""
    received: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            for behave in behaviours:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with closing(connection):
                    connection.settimeout(10)
                    received.append(read_request(connection))
                    behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes up `accept`, which closing does not
            listener.close()
            thread.join(10)


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def says(raw: bytes) -> Behaviour:
    return lambda connection: connection.sendall(raw)


def json_answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def hang_up(connection: socket.socket) -> None:
    """Close without an answer."""


def wait_for_the_client_to_leave(connection: socket.socket) -> None:
    connection.recv(1)


JOB = json_answer("201 Created", b'{"data":{"type":"bulk","id":"b1"}}')
NOBODY = json_answer("404 Not Found", b'{"errors":[{"status":404}]}')
HALF_BODY = JOB[:-10]
HALF_HEAD = b"HTTP/1.1 201 Cre"
HALF_CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"dat\r\n'
NOT_HTTP = b"220 smtp.example.com ESMTP\r\n"
BAD_GZIP = json_answer("200 OK", b"{}").replace(b"Connection", b"Content-Encoding: gzip\r\nConnection")


def client_at(url: str, **settings: Any) -> Blocking:
    return Blocking(k.KustomerClient(**{"base_url": url, "api_key": KEY, "clock": HurriedClock(), **settings}))


BREAKS = [hang_up, says(HALF_BODY), says(HALF_HEAD), says(HALF_CHUNK), says(NOT_HTTP), says(BAD_GZIP)]


@pytest.mark.parametrize("behave", BREAKS)
def test_a_write_whose_answer_breaks_off_is_ambiguous_and_sent_once(behave: Behaviour) -> None:
    with server(behave, says(JOB)) as (url, received), client_at(url) as client:
        with pytest.raises(k.AmbiguousWriteError):
            client.submit_bulk("customers", "create", [{"_clientRef": "1"}])
        assert len(received) == 1


@pytest.mark.parametrize("behave", BREAKS)
def test_a_read_whose_answer_breaks_off_is_repeated(behave: Behaviour) -> None:
    with server(behave, says(NOBODY)) as (url, received), client_at(url) as client:
        assert client.look_up("customers", "externalId", "7") == []
        assert len(received) == client.usage.requests == 2


def test_a_server_that_says_nothing_is_a_time_out() -> None:
    with (
        server(wait_for_the_client_to_leave) as (url, _),
        client_at(url, timeout=0.05) as client,
        pytest.raises(k.AmbiguousWriteError, match="no answer in time"),
    ):
        client.submit_bulk("customers", "create", [{"_clientRef": "1"}])


def test_an_answer_that_trickles_in_ends_too() -> None:
    clock = HurriedClock()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(JOB[:-20])
        clock.advance(500)
        connection.sendall(JOB[-20:-10])
        wait_for_the_client_to_leave(connection)

    with (
        server(trickle) as (url, _),
        client_at(url, clock=clock) as client,
        pytest.raises(k.AmbiguousWriteError, match="trickled in"),
    ):
        client.submit_bulk("customers", "create", [{"_clientRef": "1"}])


def test_nobody_listening_means_that_nothing_was_sent() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with client_at(url, max_attempts=3) as client:
        with pytest.raises(k.ConnectionFailedError, match="Nothing was changed"):
            client.submit_bulk("customers", "create", [{"_clientRef": "1"}])
        assert client.usage.requests == 0


def test_a_redirect_is_not_followed() -> None:
    redirect = b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/v1/x\r\nContent-Length: 0\r\n\r\n"
    with server(says(redirect)) as (url, received), client_at(url) as client:
        with pytest.raises(k.UnexpectedAnswerError):
            client.token()
        assert len(received) == 1


@pytest.mark.parametrize(
    "value,raw",
    [
        ("a+b%2F/ü @x.com", b"a%2Bb%252F%2F%C3%BC%20%40x.com"),
        ("..", b".."),
        ("a\r\nX-Evil: 1", b"a%0D%0AX-Evil%3A%201"),
    ],
)
def test_the_bytes_on_the_wire(value: str, raw: bytes) -> None:
    with server(says(NOBODY)) as (url, received), client_at(url) as client:
        client.look_up("customers", "externalId", value)
    line, *headers = received[0].split(b"\r\n")
    assert line == b"GET /v1/customers/externalId=" + raw + b" HTTP/1.1"
    assert f"Authorization: Bearer {KEY}".encode() in headers


def test_a_proxy_from_the_environment_is_not_used_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with server(says(NOBODY)) as (url, _), client_at(url) as client:
        assert client.look_up("customers", "externalId", "7") == []
