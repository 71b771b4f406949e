"""One org: everything the sandbox knows, in memory, behind one lock. Knows nothing of HTTP.

Every `SandboxState` is a new org with a new random id, so that whoever keeps state per org starts afresh with
it.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .faults import Faults
from .jobs import JobBoard
from .limits import Limits
from .records import Json
from .roles import ALL_ROLES
from .search import Search
from .store import Store
from .times import Clock


@dataclass(frozen=True)
class ApiKey:
    """A key is a machine user with a fixed set of roles (docs/kustomer.md section 1.2)."""

    secret: str = field(repr=False)
    id: str
    user_id: str
    name: str
    roles: tuple[str, ...]
    created: float


@dataclass
class RequestRecord:
    """One request as the sandbox saw it, and what became of it."""

    method: str
    path: str
    """As it was sent, still percent-encoded, without the query."""
    query: str
    body_bytes: int
    body: bytes | None = field(repr=False)
    """None when the sandbox was told not to keep bodies."""
    at: float
    status: int | None = None
    """None when the client got no answer."""
    counted: bool = False
    """Whether it cost one unit of the org's budget."""
    fault: str | None = None
    """The fault that kept the answer back or replaced it."""

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none or was not kept."""
        return json.loads(self.body or b"")


@dataclass
class Hooks:
    """Called in the server's thread with each request: `before` its work; `after` it, before the answer."""

    before: list[Callable[[RequestRecord], None]] = field(default_factory=list)
    after: list[Callable[[RequestRecord], None]] = field(default_factory=list)


class SandboxState:
    """The org: records, jobs, keys, limits, faults, and the log of requests.

    `lock` is held while a request is worked on; take it to look from another thread.
    """

    def __init__(
        self,
        *,
        org_name: str = "sandbox",
        api_key: str | None = None,
        clock: Clock = time.time,
        job_seconds: float = 1.0,
        rate_limit: int = 1000,
        faults: Faults | None = None,
        keep_requests: int | None = None,
        keep_bodies: bool = True,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.org_id = secrets.token_hex(12)
        self.org_name = org_name
        self.created = clock()
        self.store = Store()
        self.jobs = JobBoard(self.store, job_seconds)
        self.search = Search(self.store)
        self.limits = Limits(rate_limit, self.created)
        self.faults = faults if faults is not None else Faults()
        self.hooks = Hooks()
        self.keep_bodies = keep_bodies
        self.log: deque[RequestRecord] = deque(maxlen=keep_requests)
        self.keys: dict[str, ApiKey] = {}
        self.agent_id = self.store.new_id(self.created)
        """The user as whom agents edit."""
        self.key = self.add_key(ALL_ROLES, secret=api_key)

    def add_key(self, roles: tuple[str, ...], *, secret: str | None = None) -> ApiKey:
        """A new API key."""
        now = self.clock()
        name = f"key {len(self.keys) + 1}"
        secret = secret or f"sandbox-{secrets.token_urlsafe(24)}"
        key = ApiKey(secret, self.store.new_id(now), self.store.new_id(now), name, roles, now)
        self.keys[key.secret] = key
        return key

    def now(self) -> float:
        """The time, once all work that was due by now is done."""
        now = self.clock()
        self.jobs.settle(now)
        return now

    def org_reference(self) -> Json:
        """The org as a relationship."""
        return {"links": {"self": f"/v1/orgs/{self.org_id}"}, "data": {"type": "org", "id": self.org_id}}
