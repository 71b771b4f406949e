"""Requests to the API: the list of them, and one with its bodies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from urllib.parse import parse_qsl, unquote

from ..state import RequestRecord, SandboxState
from .exchanges import Exchange
from .html import Child, Html, chip, code, element, joined, link, pretty_body, quiet
from .links import spaced
from .parts import Row, facts, moment, not_found, pager, section, table
from .visit import PAGE_SIZE, Sheet, Visit

_NAMES = ["No.", "At (UTC)", "Request", "Status", "Faults", "Bytes", "Units", "Took"]
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_STATUSES = {
    "": "any",
    "2xx": "2xx: done",
    "errors": "all errors",
    "4xx": "4xx",
    "429": "429: too many requests",
    "5xx": "5xx",
    "none": "no answer",
}


def requests_page(visit: Visit) -> Sheet:
    """The list of requests, newest first."""
    found = (each for each in reversed(visit.state.log) if isinstance(each, Exchange) and _is_asked_for(visit, each))
    rows = [request_row(each) for each in islice(found, visit.start, visit.start + PAGE_SIZE)]
    more = next(found, None) is not None
    filtered = any(visit.asked(name) for name in ("method", "path", "status"))
    empty = quiet("No request is like that.") if filtered and not rows else table(_NAMES, rows)
    kept = visit.state.log.maxlen
    note = quiet(f"The last {kept:,} are kept.") if kept else None
    return Sheet("Requests", section("Requests", _filters(visit), empty, pager(visit, len(rows), more=more), note))


def last_requests(state: SandboxState, count: int) -> Html:
    """The newest few."""
    found = (each for each in reversed(state.log) if isinstance(each, Exchange))
    return table(_NAMES, (request_row(each) for each in islice(found, count)), tall=True)


def request_row(exchange: Exchange) -> Row:
    """A request in a list."""
    return Row(
        link(str(exchange.number), f"/requests/{exchange.number}"),
        moment(exchange.at),
        link(code(_line(exchange)), f"/requests/{exchange.number}"),
        _status(exchange),
        (joined(chip(name, "warn"), " ") for name in exchange.faults),
        f"{exchange.body_bytes:,}",
        int(exchange.counted),
        _duration(exchange),
        kind=_kind(exchange),
    )


def request_page(visit: Visit, number: str) -> Sheet:
    """One request: what came, what was answered."""
    exchange = _numbered(visit.state, number)
    if exchange is None:
        return not_found("request of that number, or it is forgotten already")
    sent = exchange.sent if exchange.sent is not None else exchange.body
    query = parse_qsl(exchange.query, keep_blank_values=True)
    values: list[tuple[str, Child]] = [
        ("At", moment(exchange.at)),
        ("Status", _status(exchange)),
        ("Took", _duration(exchange) or "not over yet"),
        ("Units of the budget", int(exchange.counted)),
        ("Faults", joined(chip(name, "warn") for name in exchange.faults) or "none"),
        ("Bytes sent", f"{exchange.body_bytes:,}"),
    ]
    path = unquote(exchange.path)
    around = [
        link("the request before", f"/requests/{exchange.number - 1}")
        if _numbered(visit.state, str(exchange.number - 1)) else None,
        link("the request after", f"/requests/{exchange.number + 1}")
        if _numbered(visit.state, str(exchange.number + 1)) else None,
    ]  # fmt: skip
    parts = [
        section(
            f"Request {exchange.number}",
            element("p", code(_line(exchange))),
            quiet("That is ", code(path)) if path != exchange.path else None,
            facts(values),
            quiet(spaced([way for way in around if way is not None], " \u00b7 ")),
        ),
        section("Query", table(["Name", "Value"], (Row(code(name), value) for name, value in query)))
        if query else None,
        section("What was sent", _body(sent, exchange.body_bytes)),
        section("What was answered", _body(exchange.answer, None)),
    ]  # fmt: skip
    return Sheet(f"Request {exchange.number}", joined(parts))


def _numbered(state: SandboxState, number: str) -> Exchange | None:
    log = state.log
    if not log or not (number.isascii() and number.isdigit() and len(number) <= 12):
        return None
    first = log[0]
    place = int(number) - first.number if isinstance(first, Exchange) else -1
    found: RequestRecord | None = log[place] if 0 <= place < len(log) else None
    return found if isinstance(found, Exchange) else None


def _filters(visit: Visit) -> Html:
    if visit.refresh:
        chosen = [f"{name} {visit.asked(name)}" for name in ("method", "path", "status") if visit.asked(name)]
        shown = ", ".join(chosen) or "all requests"
        return quiet(f"Shown: {shown}. Stop the refreshing to choose others.")
    methods = (_option(name, name or "any", visit.asked("method")) for name in ("", *_METHODS))
    statuses = (_option(name, text, visit.asked("status")) for name, text in _STATUSES.items())
    return element(
        "form",
        element("label", "Method", element("select", methods, name="method")),
        element("label", "Status", element("select", statuses, name="status")),
        element(
            "label",
            "Path or query holds",
            element("input", name="path", value=visit.asked("path"), type="search"),
            class_="wide",
        ),
        element("button", "Filter", class_="first"),
        link("all", "/requests") if any(visit.query.values()) else None,
        class_="row",
        action="/requests",
    )


def _option(value: str, text: str, chosen: str) -> Html:
    return element("option", text, value=value, selected=value == chosen)


def _is_asked_for(visit: Visit, exchange: Exchange) -> bool:
    method, path, status = (visit.asked(name) for name in ("method", "path", "status"))
    if method and exchange.method != method.upper():
        return False
    if path and path.lower() not in f"{exchange.path}?{exchange.query}".lower():
        return False
    return not status or status in _status_words(exchange.status)


def _status_words(status: int | None) -> Iterator[str]:
    """What a status may be asked for by: itself, its class, and whether it is an error."""
    if status is None:
        yield from ("none", "errors")
        return
    yield from (str(status), f"{status // 100}xx")
    if status >= 400:
        yield "errors"


def _line(exchange: Exchange) -> str:
    query = f"?{exchange.query}" if exchange.query else ""
    return f"{exchange.method} {exchange.path}{query}"


def _status(exchange: Exchange) -> Html:
    text = "no answer" if exchange.status is None else str(exchange.status)
    return chip(text, _kind(exchange) or "good")


def _kind(exchange: Exchange) -> str:
    if exchange.status == 429:
        return "warn"
    return "bad" if exchange.status is None or exchange.status >= 400 else ""


def _duration(exchange: Exchange) -> str | None:
    return None if exchange.seconds is None else f"{exchange.seconds * 1000:,.0f} ms"


def _body(body: bytes | None, expected: int | None) -> Html:
    if body is None and expected != 0:
        return quiet("Not kept: only the bodies of the last requests are, and a dropped connection has no answer.")
    return pretty_body(body) if body else quiet("No body.")
