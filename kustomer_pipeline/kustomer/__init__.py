"""The client of Kustomer's API: every request this project sends goes through here.

    KustomerClient → Session (slots, budget, retries, errors) → Transport → Kustomer

What makes it safe: a write is never repeated when its outcome is unknown (AmbiguousWriteError instead),
"does not exist" is never concluded from search, and the org's other users keep their share of the request
budget. What it relies on, and what is not certain, is in docs/kustomer.md.
"""

from .abilities import Abilities
from .address import REGION_OF_POD, base_url_for
from .answers import body_size
from .audit_log import AuditEntry
from .bulk_answers import BulkAnswer, ItemResult
from .calls import SINGULAR
from .client import KustomerClient
from .clock import Clock, SystemClock
from .errors import (
    AmbiguousWriteError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    KustomerError,
    NotFoundError,
    OrgChangedError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitedError,
    SearchTimedOutError,
    ServerError,
    UnexpectedAnswerError,
)
from .identifiers import UNIQUE, ObjectName, canonical, identifiers
from .lists import Page, Walk
from .observer import JobAnswered, Observer, RequestAttempt, Work, WorkEnded
from .observing import Rows
from .probe import Probe
from .records import Record, attributes_of, data_items
from .roles import missing_roles, roles_for
from .session import Usage
from .tags import Tag
from .token import Token
from .transport import Answer
from .wire import Operation, Wire

__all__ = [
    "REGION_OF_POD",
    "SINGULAR",
    "UNIQUE",
    "Abilities",
    "AmbiguousWriteError",
    "Answer",
    "AuditEntry",
    "AuthenticationError",
    "BadRequestError",
    "BulkAnswer",
    "Clock",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "ItemResult",
    "JobAnswered",
    "KustomerClient",
    "KustomerError",
    "NotFoundError",
    "ObjectName",
    "Observer",
    "Operation",
    "OrgChangedError",
    "Page",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "Probe",
    "RateLimitedError",
    "Record",
    "RequestAttempt",
    "Rows",
    "SearchTimedOutError",
    "ServerError",
    "SystemClock",
    "Tag",
    "Token",
    "UnexpectedAnswerError",
    "Usage",
    "Walk",
    "Wire",
    "Work",
    "WorkEnded",
    "attributes_of",
    "base_url_for",
    "body_size",
    "canonical",
    "data_items",
    "identifiers",
    "missing_roles",
    "roles_for",
]
