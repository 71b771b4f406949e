"""From bytes to JSON, and what an error body says (docs/kustomer.md section 2.1).

Lenient on purpose: both documented error forms, numbers or text for a status, no body at all, not even JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import BadRequestError

_HARMLESS = re.compile(r"[\w./$\[\]-]{1,80}")
_REQUEST_IDS = ("x-kustomer-request-id", "x-request-id", "x-amz-cf-id")


class NotJson(ValueError):
    """The body cannot be read."""


@dataclass(frozen=True)
class ErrorDetails:
    """What Kustomer said about a refusal; for people to read, never to decide on."""

    codes: tuple[str, ...] = ()
    parameter: str | None = None
    detail: str | None = None

    @property
    def summary(self) -> str:
        """What cannot hold a value of a record: code and attribute, as ` (badparam: emails)`, or nothing."""
        parts = [part for part in (", ".join(self.codes), self.parameter) if part and _HARMLESS.fullmatch(part)]
        return f" ({': '.join(parts)})" if parts else ""


def to_bytes(body: Any) -> bytes:
    """JSON as it goes over the wire. Raises BadRequestError for what JSON cannot hold."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise BadRequestError(
            "the request holds a value that is not JSON (NaN, an infinity, broken text or a Python object)"
        ) from None


def body_size(body: Any) -> int:
    """Bytes that `body` takes as a request; Kustomer takes 100 kB (docs/kustomer.md section 3)."""
    return len(to_bytes(body))


def from_bytes(body: bytes) -> Any:
    """The JSON in an answer; None for an empty body. Raises NotJson."""
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise NotJson from None


def error_details(body: bytes) -> ErrorDetails:
    """What can be learnt from the body of an error; never fails."""
    try:
        content = from_bytes(body)
    except NotJson:
        return ErrorDetails()
    errors = content.get("errors") if isinstance(content, dict) else content
    found = [error for error in (errors if isinstance(errors, list) else [errors]) if isinstance(error, dict)]
    codes = tuple(dict.fromkeys(code for error in found if (code := text(error.get("code")))))
    parameter = next((name for error in found if (name := _parameter(error.get("source")))), None)
    return ErrorDetails(codes, parameter, "; ".join(said for error in found if (said := said_in(error))) or None)


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """What Kustomer calls the request, for its support; header names in lower case."""
    found = next((headers[name] for name in _REQUEST_IDS if headers.get(name)), "")
    return re.sub(r"[^\w=.+/-]", "", found)[:80] or None


def said_in(error: dict[str, Any]) -> str | None:
    """The words of one error object, in either form."""
    words = [said for key in ("title", "message", "detail") if (said := text(error.get(key)))]
    return ": ".join(dict.fromkeys(words)) or text(error.get("code"))


def text(value: Any) -> str | None:
    """Text, or a number as text; None for anything else and for nothing."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _parameter(source: Any) -> str | None:
    if not isinstance(source, dict):
        return None
    return text(source.get("parameter")) or text(source.get("pointer"))
