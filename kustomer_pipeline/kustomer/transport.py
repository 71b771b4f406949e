"""Bytes out, bytes in: the only module that knows which HTTP library is used.

method, path, body → Answer(status, headers, body)
                   | NotSent      no connection: Kustomer has not seen the request
                   | BrokenOff    it may have been seen, the answer is lost
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

import httpx

from .address import is_loopback
from .clock import Clock
from .errors import BadRequestError, ConfigurationError

# httpx logs every URL at INFO, and the URL of a look-up holds the customer's e-mail address or phone number.
logging.getLogger("httpx").setLevel(logging.WARNING)

# The time-out is for one step (connect, write, each piece of the answer); an answer that trickles in must end, too.
_STEPS = 4

AsyncTransport = httpx.AsyncBaseTransport


class NotSent(Exception):
    """Nothing of the request left this machine."""


class BrokenOff(Exception):
    """The request was sent, at least in part, and no whole answer came back."""


@dataclass(frozen=True)
class Answer:
    """What came back, whatever the status; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """One pool of connections to one host, `concurrency` at most. The host is pinned, redirects are not followed."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float,
        clock: Clock,
        concurrency: int,
        transport: AsyncTransport | None = None,
    ) -> None:
        self._base_url = base_url
        self._longest = timeout * _STEPS
        self._clock = clock
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {_checked(api_key)}", "User-Agent": _user_agent()},
            timeout=timeout,
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
            follow_redirects=False,
            transport=transport,
            # A proxy from the environment has no business with a Kustomer on this machine.
            trust_env=not is_loopback(base_url),
        )

    async def send(self, method: str, path: str, body: bytes | None) -> Answer:
        """Send it once. `path` starts with / and is percent-encoded already, query included; it is not touched.

        Raises NotSent, BrokenOff; their messages carry no URL and no header.
        """
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        deadline = self._clock.monotonic() + self._longest
        try:
            async with self._http.stream(method, self._base_url + path, content=body, headers=headers) as response:
                return Answer(response.status_code, dict(response.headers), await self._read(response, deadline))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise NotSent(f"no connection to {self._base_url} ({_said(error)})") from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
            raise BadRequestError(f"this request cannot be sent ({type(error).__name__})") from None
        except httpx.TimeoutException:
            raise BrokenOff("no answer in time") from None
        except httpx.HTTPError as error:
            raise BrokenOff(f"the connection broke off ({type(error).__name__})") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _read(self, response: httpx.Response, deadline: float) -> bytes:
        pieces = []
        async for piece in response.aiter_bytes():
            pieces.append(piece)
            if self._clock.monotonic() > deadline:
                raise BrokenOff("the answer trickled in too slowly")
        return b"".join(pieces)


def _said(error: httpx.HTTPError) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _checked(api_key: str) -> str:
    key = api_key.strip()
    if not key:
        raise ConfigurationError("api_key is empty: make a key in Kustomer (Settings > Security > API Keys)")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            "api_key has a character that no key has, such as a space or a line break: copy it again"
        )
    return key


def _user_agent() -> str:
    try:
        version = metadata.version("kustomer-pipeline")
    except metadata.PackageNotFoundError:  # run from a clone that is not installed
        version = "0"
    return f"kustomer-pipeline/{version} (+python-httpx)"
