"""The HTTP side: a request comes in, is recorded, paid for, checked, answered; or meets a fault on the way.

    read → fault before? → key → budget → route → role → searches → body → endpoint → fault after? → answer

The answer is worked out under the org's lock, without awaiting; only then the connection is dropped, held or
answered. An answer is held by the running event loop's own time, so that a test's loop can make it cost nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from .answers import Reply, error_reply, html_reply, json_reply
from .call import Answer, Call
from .errors import ApiError, forbidden, too_large, too_many_requests, unauthorized, wrong_region
from .page import Exchange, LastBodies, Page
from .roles import ROLES, allows, without
from .routes import find_route
from .state import SandboxState

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

    response: Reply | None
    hold_seconds: float = 0.0


class App:
    """The sandbox as an ASGI application: the page for people, at `/` and what `Page` serves, and the API.

    drop: closes the connection of a request without an answer.
    """

    def __init__(self, state: SandboxState, *, drop: Drop | None = None) -> None:
        self._state = state
        self._drop = drop
        self._page = Page(state)
        self._bodies = LastBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        body = await _body(receive)
        if body is None:
            return
        if Page.serves(scope["method"], scope["path"]):
            await self._shown(scope, body).send(send)
            return
        with self._state.lock:
            exchange, outcome = self._work(scope, body)
        try:
            await self._send(scope, receive, send, outcome)
        finally:
            exchange.seconds = self._state.clock() - exchange.at

    async def _send(self, scope: Scope, receive: Receive, send: Send, outcome: _Outcome) -> None:
        if outcome.hold_seconds and await _gone_within(outcome.hold_seconds, receive):
            return
        if outcome.response is not None:
            await outcome.response.send(send)
        elif self._drop is None:
            raise DroppedConnection("the sandbox dropped the connection")
        else:
            self._drop(scope)
            await _gone_within(10.0, receive)  # so that the server has noticed before this ends without an answer

    def _shown(self, scope: Scope, body: bytes) -> Reply:
        """What the page says to a browser."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host, port = scope.get("server") or ("", None)
        if scope["method"] == "POST":
            return self._page.submit(scope["path"], body, headers, (host, port))
        return self._page.show(scope["path"], scope["query_string"].decode("latin-1"), headers, (host, port))

    def _work(self, scope: Scope, body: bytes) -> tuple[Exchange, _Outcome]:
        state = self._state
        raw_path = scope.get("raw_path") or scope["path"].encode()
        text_query = scope["query_string"].decode("latin-1")
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        now = state.now()
        before = state.log[-1] if state.log else None
        record = Exchange(
            scope["method"],
            raw_path.decode("latin-1"),
            text_query,
            len(body),
            body if state.keep_bodies else None,
            now,
            number=before.number + 1 if isinstance(before, Exchange) else 1,
        )
        state.log.append(record)
        fired = Counter(state.faults.fired)
        query = dict(parse_qsl(text_query, keep_blank_values=True)) if text_query else {}
        call = Call(state, record, query, headers.get(b"content-type", ""), body, now)
        for hook in state.hooks.before:
            hook(record)
        outcome = _fault_before(call) or self._answered(call, headers.get(b"authorization", ""))
        record.status = outcome.response.status if outcome.response else None
        record.faults = tuple(sorted(state.faults.fired - fired))
        self._bodies.keep(record, body, outcome.response.body if outcome.response else None)
        return record, outcome

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
        response = error_reply(call, error) if error else json_reply(call, answer)
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
    elsewhere = call.fault("wrong_region")
    if elsewhere:
        pod, _, status = str(elsewhere.value).partition(",")
        raise wrong_region(pod, int(status or 401))
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
        return _Outcome(html_reply(call, 504), held.value)
    broken = call.fault("gateway_error_before")
    if broken:
        call.record.fault = "gateway_error_before"
        return _Outcome(html_reply(call, broken.value))
    return None


def _fault_after(call: Call) -> _Outcome | None:
    """The fault instead of, or (without a response) upon the answer that was worked out."""
    for name in ("drop_after", "timeout_after", "gateway_error_after"):
        fault = call.fault(name)
        if fault:
            call.record.fault = name
            if name == "gateway_error_after":
                return _Outcome(html_reply(call, fault.value))
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


async def _body(receive: Receive) -> bytes | None:
    """The whole body, None when the client left before it was sent."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


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
