"""From the last failed attempt to the error that is raised: typed by cause, and saying what to do next."""

from __future__ import annotations

import re
from typing import TypeVar

from .address import REGION_OF_POD
from .answers import error_details, request_id_of
from .calls import Call, FailedAttempt
from .errors import (
    AmbiguousWriteError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectionFailedError,
    KustomerError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    UnexpectedAnswerError,
)
from .retry import Cause
from .roles import roles_for

_Error = TypeVar("_Error", bound=KustomerError)
_POD = re.compile(rb"pod (prod\d+)")
# At a status that may have many reasons the words must be Kustomer's own: a refused value is quoted in some errors.
_POD_OF_TOKEN = re.compile(rb"(?i)auth token associated with pod (prod\d+)")


def ambiguous(call: Call, failed: FailedAttempt) -> KustomerError:
    """A write of which nobody knows whether it happened."""
    return _error(
        AmbiguousWriteError,
        f"{failed.reason}, so it is not known whether this was done: look it up before sending it again",
        call,
        failed,
    )


def denied(call: Call, failed: FailedAttempt) -> PermissionDeniedError:
    """A good key without the role; the error names the roles that would do."""
    if elsewhere := _of_another_region(failed):
        return _error(PermissionDeniedError, elsewhere, call, failed)
    roles = roles_for(call.action)
    need = f"it needs one of the roles {', '.join(roles)}" if roles else "a role is missing"
    message = (
        f"the API key is not allowed to do this: {need}. Make a new key with that role in "
        "Settings > Security > API Keys (the roles of a key cannot be changed) and set api_key"
    )
    error = _error(PermissionDeniedError, message, call, failed)
    error.roles = roles
    return error


def error_for(call: Call, failed: FailedAttempt) -> KustomerError:
    """Everything else, by status."""
    status = failed.failure.status
    if status is None:
        message = f"{failed.reason}. Nothing was changed; is the address right and the network up?"
        return _error(ConnectionFailedError, message, call, failed)
    if failed.failure.cause is Cause.UNREADABLE or status < 400:
        message = (
            "this is not an answer of Kustomer's API: check the address (base_url), and whether a proxy stands between"
        )
        return _error(UnexpectedAnswerError, message, call, failed)
    if status == 403:
        return denied(call, failed)
    if status < 500 and status not in (408, 429) and (elsewhere := _of_another_region(failed)):
        return _error(AuthenticationError, elsewhere, call, failed)
    kind, message = _BY_STATUS.get(status, _SERVER if status >= 500 or status == 408 else _REFUSED)
    return _error(kind, message, call, failed)


_REFUSED = (BadRequestError, "Kustomer refused this request; sending it again changes nothing")
_SERVER = (ServerError, "Kustomer keeps failing; nothing was changed, try again later")
_TOO_LARGE = (PayloadTooLargeError, "the request is too large: send fewer records at once")
_BY_STATUS: dict[int, tuple[type[KustomerError], str]] = {
    401: (
        AuthenticationError,
        "Kustomer does not accept the API key: it is wrong, expired, of another org or region, or not "
        "allowed from this network. Check api_key (Settings > Security > API Keys) and the address",
    ),
    402: (PermissionDeniedError, "the org's Kustomer plan does not include this"),
    404: (NotFoundError, "there is no such thing, or this key may not see it"),
    409: (ConflictError, "in conflict with what is there: an identifier is taken, or the record has changed"),
    413: _TOO_LARGE,
    414: _TOO_LARGE,
    429: (
        RateLimitedError,
        "the request limit is used up and stays so; nothing was done. Other users of the org's API leave no "
        "room: run at another time, or ask them to slow down",
    ),
}


def _error(kind: type[_Error], message: str, call: Call, failed: FailedAttempt) -> _Error:
    answer = failed.answer
    details = error_details(answer.body if answer else b"")
    return kind(
        message + details.summary,
        status=failed.failure.status,
        request_id=request_id_of(answer.headers) if answer else None,
        method=call.method,
        path=call.shown,
        codes=details.codes,
        parameter=details.parameter,
        detail=details.detail,
    )


def _of_another_region(failed: FailedAttempt) -> str | None:
    """What to do when the answer says that the key belongs to another pod (docs/kustomer.md section 1.1)."""
    pattern = _POD if failed.failure.status in (401, 403) else _POD_OF_TOKEN
    found = pattern.search(failed.answer.body) if failed.answer else None
    if found is None:
        return None
    pod = found[1].decode("ascii")
    region = REGION_OF_POD.get(pod)
    if region is None:
        return f"the API key is of another region (pod {pod}) than this address: give the org's name, not a region"
    return f"the API key is of the region {region} (pod {pod}), this address is of another: set `region` to {region}"
