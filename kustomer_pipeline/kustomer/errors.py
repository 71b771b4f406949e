"""What can go wrong with Kustomer, by cause, because each cause asks for something else to be done.

    KustomerError
     ├─ ConfigurationError        the address, the key or a setting cannot be right; nothing was sent
     ├─ AuthenticationError       401: the API key is wrong, expired, or not allowed from here
     ├─ PermissionDeniedError     402, 403 (401 with a good key): `roles` are those that would do
     ├─ NotFoundError             404
     ├─ ConflictError             409: an identifier is taken, or somebody changed the record meanwhile
     ├─ BadRequestError           400, 422 and the other 4xx: Kustomer refused the request as it is
     ├─ PayloadTooLargeError      413, 414: send less at once
     ├─ RateLimitedError          429 again and again, until patience ran out; nothing was done
     ├─ ServerError               5xx to a read, again and again
     ├─ ConnectionFailedError     nothing was sent, or a read kept breaking off
     ├─ AmbiguousWriteError       a write that may or may not have happened: look before repeating it
     └─ UnexpectedAnswerError     an answer this client does not understand
         └─ SearchTimedOutError   a search that says that it did not find everybody

A message never carries an identifier, a value of a record, the body of an answer or the API key. What
Kustomer said about a refused request is in `detail`, for those who decide whether it may be shown.
"""

from __future__ import annotations


class KustomerError(Exception):
    """The root of the tree above. Every attribute but the message may be unknown (None or empty).

    status, request_id: of the answer. method, path: of the request, identifiers left out of the path.
    codes, parameter, detail: from the error body (docs/kustomer.md section 2.1); for people, never to
    decide on.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        method: str | None = None,
        path: str | None = None,
        codes: tuple[str, ...] = (),
        parameter: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.request_id = request_id
        self.method = method
        self.path = path
        self.codes = codes
        self.parameter = parameter
        self.detail = detail

    def __str__(self) -> str:
        where = f"{self.method} {self.path}" if self.method else ""
        if self.status is not None:
            where += f" answered {self.status}"
        if self.request_id:
            where += f" (request {self.request_id})"
        return f"{where}: {self.message}" if where else self.message


class ConfigurationError(KustomerError):
    """A setting cannot be right; the message names the parameter."""


class AuthenticationError(KustomerError):
    """Kustomer does not accept the API key."""


class PermissionDeniedError(KustomerError):
    """The key is good and lacks a role; `roles` are those of which any one would do (empty: not known)."""

    roles: tuple[str, ...] = ()


class OrgChangedError(KustomerError):
    """The key is of another org than it was when the client began."""


class NotFoundError(KustomerError):
    """There is no such thing, or it is outside what the key may see."""


class ConflictError(KustomerError):
    """An identifier is taken, or the record's `rev` has moved on (docs/kustomer.md sections 4.3 and 10)."""


class BadRequestError(KustomerError):
    """Kustomer refused the request as it is; repeating it changes nothing."""


class PayloadTooLargeError(KustomerError):
    """The request is larger than Kustomer takes (100 kB for most; docs/kustomer.md section 3)."""


class RateLimitedError(KustomerError):
    """Still 429 after waiting out several windows. Nothing was done."""


class ServerError(KustomerError):
    """Kustomer kept failing while reading."""


class ConnectionFailedError(KustomerError):
    """Kustomer could not be reached: nothing was sent, or a read kept breaking off. Nothing was changed."""


class AmbiguousWriteError(KustomerError):
    """A write was sent and its outcome is unknown. It may have happened: look it up before repeating it."""


class UnexpectedAnswerError(KustomerError):
    """An answer of a form that is in no version of the API this client knows."""


class SearchTimedOutError(UnexpectedAnswerError):
    """Search gave up in the middle and says so: what it found is not everybody (docs/kustomer.md section 8)."""
