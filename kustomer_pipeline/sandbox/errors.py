"""What the sandbox refuses, and the two envelopes in which Kustomer says so (docs/kustomer.md section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

POD = "prod1"
"""The region in which the sandbox pretends to be, as Kustomer names it in headers and errors."""


@dataclass
class ApiError(Exception):
    """A refusal. Becomes an HTTP error of its own, or the error of one item of a bulk job (`item_text`)."""

    status: int
    code: str
    title: str
    parameter: str | None = None
    detail: str | None = None
    item_text: str | None = None

    def text(self) -> str:
        """The error as a plain string, as the result of a bulk item carries it."""
        return self.item_text or self.title


def bad_parameter(title: str, parameter: str | None = None, detail: str | None = None) -> ApiError:
    """400 in the recorded form."""
    return ApiError(400, "badparam", title, parameter, detail)


def not_found(parameter: str | None = None) -> ApiError:
    """404 in the recorded form."""
    return ApiError(404, "notfound", "Not Found", parameter, item_text="not found")


def duplicate(parameter: str) -> ApiError:
    """409 for an identifier that another record has; in bulk, the item's error is "duplicate detected"."""
    return ApiError(
        409, "conflict", "Object creation failed due to conflict", parameter, item_text="duplicate detected"
    )


def outdated(current: float) -> ApiError:
    """409 for a `rev` that is not the current one."""
    return ApiError(409, "conflict", "Conflict", "rev", f"rev is {current:g}", item_text="conflict: rev does not match")


def method_not_allowed() -> ApiError:
    """405: the path exists, but not with this method."""
    return ApiError(405, "methodnotallowed", "Method Not Allowed")


def unauthorized() -> ApiError:
    """401: no key, or not a key of this org."""
    return ApiError(401, "unauthorized", "Unauthorized")


def wrong_region(pod: str, status: int) -> ApiError:
    """The key belongs to an org of another region (docs/kustomer.md section 1.1): 401, or perhaps 403."""
    title = f"Auth token associated with pod {pod} but request is being handled by {POD}"
    return ApiError(status, "unauthorized" if status == 401 else "wrongpod", title)


def forbidden(role: str) -> ApiError:
    """403: the key is valid but has none of the roles that the action needs."""
    return ApiError(403, "forbidden", "Forbidden", detail=f"missing role {role}")


def too_large(limit: int) -> ApiError:
    """413: the body is above the limit, in bytes."""
    return ApiError(413, "payloadtoolarge", "Payload Too Large", detail=f"at most {limit} bytes")


def too_many_requests(detail: str) -> ApiError:
    """429: a budget is spent."""
    return ApiError(429, "rate_limit", "Too Many Requests", detail=detail)


def envelope(error: ApiError, *, shape: str = "B", status_as_text: bool = False) -> dict[str, Any]:
    """The body of an error answer: shape "B" (JSON:API, as recorded) or "A" (code, message, meta)."""
    if shape == "A":
        code = "bad_request" if error.code == "badparam" else error.code
        return {"errors": [{"code": code, "message": error.title, "meta": {}}]}
    item: dict[str, Any] = {"status": str(error.status) if status_as_text else error.status}
    if error.parameter is not None:
        item["source"] = {"parameter": error.parameter}
    item["code"] = error.code
    item["title"] = error.title
    if error.detail is not None:
        item["detail"] = error.detail
    return {"errors": [item]}
