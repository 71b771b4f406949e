"""The HTTP side: a request comes in, is recorded, paid for, checked, answered; or meets a fault on the way.

    read → fault before? → key → budget → route → role → searches → body → endpoint → fault after? → answer

The answer is worked out under the org's lock, without awaiting; only then the connection is dropped, held or
answered.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as WebRoute
from starlette.types import Receive, Scope, Send

from .call import Answer, Call
from .errors import ApiError, envelope, forbidden, too_large, too_many_requests, unauthorized
from .page import render_page
from .roles import ROLES, allows, without
from .routes import find_route
from .state import RequestRecord, SandboxState

BODY_LIMIT = 100_000
"""Bytes (docs/kustomer.md section 3: 100 kB)."""

Drop = Callable[[Scope], None]


class DroppedConnection(ConnectionError):
    """Raised instead of an answer when there is no real connection to close (the app runs without the
    server).
    """


@dataclass
class _Outcome:
    """What the client gets: an answer, maybe late, or (None) a closed connection."""

    response: Response | None
    hold_seconds: float = 0.0


def create_app(state: SandboxState, *, drop: Drop | None = None) -> Starlette:
    """The sandbox as an ASGI application. `drop` closes the connection of a request without an answer."""
    return Starlette(
        routes=[
            WebRoute("/", _Page(state), methods=["GET"]),
            WebRoute("/{path:path}", _Api(state, drop), methods=None),
        ]
    )


class _Page:
    """GET /: what is in the org, for people."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = Request(scope).query_params.get("start", "0")
        with self._state.lock:
            html = render_page(self._state, int(start) if start.isascii() and start.isdigit() else 0)
        await HTMLResponse(html)(scope, receive, send)


class _Api:
    """Everything else."""

    def __init__(self, state: SandboxState, drop: Drop | None) -> None:
        self._state = state
        self._drop = drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        with self._state.lock:
            outcome = self._work(request, body)
        if outcome.hold_seconds and await _gone_within(outcome.hold_seconds, receive):
            return
        if outcome.response is not None:
            await outcome.response(scope, receive, send)
        elif self._drop is None:
            raise DroppedConnection("the sandbox dropped the connection")
        else:
            self._drop(scope)
            await _gone_within(10.0, receive)  # so that the server has noticed before this ends without an answer

    def _work(self, request: Request, body: bytes) -> _Outcome:
        state = self._state
        raw_path = request.scope.get("raw_path") or request.url.path.encode()
        now = state.now()
        record = RequestRecord(
            request.method,
            raw_path.decode("latin-1"),
            request.url.query,
            len(body),
            body if state.keep_bodies else None,
            now,
        )
        state.log.append(record)
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        call = Call(state, record, query, request.headers.get("content-type", ""), body, now)
        for hook in state.hooks.before:
            hook(record)
        outcome = _fault_before(call) or self._answered(call, request.headers.get("authorization", ""))
        record.status = outcome.response.status_code if outcome.response else None
        return outcome

    def _answered(self, call: Call, authorization: str) -> _Outcome:
        error: ApiError | None = None
        answer = Answer(500)
        try:
            answer = _answer(call, authorization)
        except ApiError as caught:
            error = caught
        call.record.status = error.status if error else answer.status
        for hook in self._state.hooks.after:
            hook(call.record)
        _agents(call)
        late = _fault_after(call)
        if late is not None and late.response is not None:
            return late
        response = _error_response(call, error) if error else _json_response(call, answer)
        if late is None:
            return _Outcome(response)
        return _Outcome(response if late.hold_seconds else None, late.hold_seconds)


def _answer(call: Call, authorization: str) -> Answer:
    """The endpoint's answer; raises what stands in its way."""
    state = call.state
    scheme, _, secret = authorization.partition(" ")
    call.key = state.keys.get(secret.strip()) if scheme.lower() == "bearer" else None
    if call.key is None or call.fault("unauthorized"):
        raise unauthorized()
    removed = call.fault("role_removed")
    call.roles = without(call.key.roles, removed.value) if removed else call.key.roles
    state.limits.org.take(call.now, units=min(call.setting("others_spend", 0), state.limits.org.remaining(call.now)))
    if call.fault("too_many_requests") or not state.limits.org.take(call.now):
        raise too_many_requests("org rate limit")
    call.record.counted = True
    route, call.variables = find_route(call.record.method, call.record.path)
    if route.action is not None and not allows(call.roles, route.action):
        raise forbidden(ROLES[route.action][0])
    if route.is_search and not state.limits.search.take(call.now, call.key.id):
        raise too_many_requests("search rate limit")
    limit = call.setting("body_limit", BODY_LIMIT)
    if len(call.raw_body) > limit:
        raise too_large(limit)
    if route.takes_body:
        call.read_body()
    return route.answer(call)


# ---- faults on the way ----


def _fault_before(call: Call) -> _Outcome | None:
    if call.fault("drop_before"):
        call.record.fault = "drop_before"
        return _Outcome(None)
    held = call.fault("timeout_before")
    if held:
        call.record.fault = "timeout_before"
        return _Outcome(_html_response(call, 504), held.value)
    broken = call.fault("gateway_error_before")
    if broken:
        call.record.fault = "gateway_error_before"
        return _Outcome(_html_response(call, broken.value))
    return None


def _fault_after(call: Call) -> _Outcome | None:
    """The fault instead of, or (without a response) upon the answer that was worked out."""
    for name in ("drop_after", "timeout_after", "gateway_error_after"):
        fault = call.fault(name)
        if fault:
            call.record.fault = name
            if name == "gateway_error_after":
                return _Outcome(_html_response(call, fault.value))
            return _Outcome(None, fault.value if name == "timeout_after" else 0.0)
    return None


def _agents(call: Call) -> None:
    """Agents at work in the org change the records between the read that was just answered and the next
    write.
    """
    state = call.state
    if not call.just_read or (call.record.method != "GET" and not call.record.path.endswith("/search")):
        return
    touched, edited = call.fault("agent_touch_after_read"), call.fault("agent_edit_after_read")
    for record in call.just_read:
        current = state.store.records["customer"][record.id]
        if current.deleted:
            continue  # search with a lag still shows it
        if touched:
            current = state.store.touch("customer", record.id, now=call.now)
        if edited:
            body = {"tags": [*current.attributes.get("tags", ()), edited.value]}
            state.store.update(
                "customer", record.id, body, by=state.agent_id, now=call.now, options=call.agent_options()
            )


async def _gone_within(seconds: float, receive: Receive) -> bool:
    """Wait until the client has gone, at most so long; whether it has."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return False
    return True


# ---- answers ----


def _headers(call: Call, error: ApiError | None = None) -> dict[str, str]:
    """The rate-limit headers (docs/kustomer.md section 3) and what recorded answers also carry."""
    headers = {"X-Kustomer-Pod": "sandbox", "Cache-Control": "no-cache,private"}
    if call.fault("rate_headers_missing"):
        return headers
    limits, now = call.state.limits, call.now
    limit, remaining = limits.org.limit, limits.org.remaining(now)
    exceeded = error is not None and error.status == 429
    if exceeded and error is not None and error.detail == "search rate limit" and call.fault("search_limit_headers"):
        limit, remaining = limits.search.limit, 0
    headers["X-Ratelimit-Limit"] = str(limit)
    headers["X-Ratelimit-Remaining"] = str(remaining)
    wait = max(0.0, limits.org.reset_at(now) - now)
    if exceeded or call.fault("rate_reset_always"):
        unit = call.setting("rate_reset", "seconds")
        values = {"seconds": now + wait, "milliseconds": (now + wait) * 1000, "wait": wait}
        if unit in values:
            headers["X-Ratelimit-Reset"] = str(-int(-values[unit] // 1))
    if exceeded:
        retry_after = call.setting("retry_after", None)
        if retry_after == "seconds":
            headers["Retry-After"] = str(-int(-wait // 1))
        elif retry_after == "date":
            headers["Retry-After"] = formatdate(now + wait, usegmt=True)
    return headers


def _json_response(call: Call, answer: Answer, error: ApiError | None = None) -> Response:
    if answer.payload is None:
        return Response(status_code=answer.status, headers=_headers(call, error))
    content = json.dumps(answer.payload, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, answer.status, _headers(call, error), media_type="application/json; charset=utf-8")


def _error_response(call: Call, error: ApiError) -> Response:
    if error.status == 403 and call.fault("missing_role_401"):
        error = unauthorized()
    if call.fault("error_not_json"):
        return _html_response(call, error.status, error)
    shape = str(call.setting("error_envelope", "B"))
    payload: Any = envelope(error, shape=shape, status_as_text=bool(call.fault("error_status_text")))
    return _json_response(call, Answer(error.status, payload), error)


def _html_response(call: Call, status: int, error: ApiError | None = None) -> Response:
    text = f"<html><body><h1>{status} {HTTPStatus(status).phrase}</h1></body></html>"
    return HTMLResponse(text, status, _headers(call, error))
