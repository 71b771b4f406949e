"""What goes back over the wire: an answer or a refusal in, a status, headers and bytes out.

The rate-limit headers are those of docs/kustomer.md section 3, the envelopes of errors those of section 2.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from starlette.types import Send

from .call import Answer, Call
from .errors import POD, ApiError, envelope, unauthorized

_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    async def send(self, send: Send) -> None:
        """Hand it to the server."""
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        if self.status != 204:
            headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def json_reply(call: Call, answer: Answer, error: ApiError | None = None) -> Reply:
    """An answer of the API."""
    headers = _headers(call, error)
    if answer.payload is None:
        return Reply(answer.status, headers)
    body = _encode(answer.payload).encode()
    headers["Content-Type"] = _JSON
    headers["ETag"] = _weak_etag(body)
    return Reply(answer.status, headers, body)


def error_reply(call: Call, error: ApiError) -> Reply:
    """A refusal, in the form that is switched on."""
    if error.code == "forbidden" and call.fault("missing_role_401"):
        error = unauthorized()
    if call.fault("error_not_json"):
        return html_reply(call, error.status, error)
    shape = str(call.setting("error_envelope", "B"))
    payload: Any = envelope(error, shape=shape, status_as_text=bool(call.fault("error_status_text")))
    return json_reply(call, Answer(error.status, payload), error)


def html_reply(call: Call, status: int, error: ApiError | None = None) -> Reply:
    """What a gateway in front of the API says."""
    text = f"<html><body><h1>{status} {HTTPStatus(status).phrase}</h1></body></html>"
    return Reply(status, {**_headers(call, error), "Content-Type": _HTML}, text.encode())


def _weak_etag(body: bytes) -> str:
    """As was recorded: W/ and the length and a digest of the body."""
    digest = b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).rstrip(b"=").decode()
    return f'W/"{len(body):x}-{digest}"'


def _headers(call: Call, error: ApiError | None) -> dict[str, str]:
    headers = {
        "X-Kustomer-Pod": POD,
        "Cache-Control": "no-cache,private",
        "X-Cache": "Error from cloudfront" if error else "Miss from cloudfront",
        "Via": "1.1 sandbox.cloudfront.net (CloudFront)",
    }
    if call.fault("rate_headers_missing"):
        return headers
    limits, now = call.state.limits, call.now
    limit, remaining = limits.org.limit, limits.org.remaining(now)
    exceeded = error is not None and error.status == 429
    if exceeded and error is not None and error.detail == "search rate limit" and call.fault("search_limit_headers"):
        limit, remaining = limits.search.limit, 0
    headers["X-Ratelimit-Limit"] = str(limit)
    headers["X-Ratelimit-Remaining"] = str(remaining)
    if call.object_budget is not None:
        headers["X-Ratelimit-Object-Limit"], headers["X-Ratelimit-Object-Remaining"] = map(str, call.object_budget)
    if exceeded or call.fault("rate_reset_always"):
        headers.update(_reset_headers(call, max(0.0, limits.org.reset_at(now) - now), exceeded=exceeded))
    return headers


def _reset_headers(call: Call, wait: float, *, exceeded: bool) -> dict[str, str]:
    headers = {}
    values = {"seconds": call.now + wait, "milliseconds": (call.now + wait) * 1000, "wait": wait}
    unit = call.setting("rate_reset", "seconds")
    if unit in values:
        headers["X-Ratelimit-Reset"] = str(-int(-values[unit] // 1))
    retry_after = call.setting("retry_after", None) if exceeded else None
    if retry_after == "seconds":
        headers["Retry-After"] = str(-int(-wait // 1))
    elif retry_after == "date":
        headers["Retry-After"] = formatdate(call.now + wait, usegmt=True)
    return headers
