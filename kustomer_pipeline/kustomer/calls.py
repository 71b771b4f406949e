"""A request to Kustomer, and an attempt at it that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .identifiers import ObjectName
from .retry import Failure, Kind
from .transport import Answer

TOKEN_PATH = "/v1/auth/tokens/current"
SINGULAR: Final[Mapping[ObjectName, str]] = {"customers": "customer", "companies": "company"}
READ_ACTIONS: Final[Mapping[ObjectName, str]] = {name: f"{one}.read" for name, one in SINGULAR.items()}


@dataclass(frozen=True)
class Call:
    """A request. `path` is percent-encoded and goes to Kustomer; `shown` goes to logs and errors.

    `action` is what the key must be allowed to do, in the words of roles.py. `names` are the ids and values in it that
    stand for rows: by them an observer is told which rows it is about (observing.py).
    """

    method: str
    path: str
    shown: str
    action: str
    kind: Kind = Kind.READ
    body: Any = None
    search: bool = False
    names: tuple[str, ...] = ()


class FailedAttempt(Exception):
    """One attempt failed; carries what is needed to decide and to tell."""

    def __init__(self, failure: Failure, reason: str, answer: Answer | None = None) -> None:
        super().__init__(reason)
        self.failure, self.reason, self.answer = failure, reason, answer
