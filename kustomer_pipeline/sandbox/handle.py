"""The sandbox inside a Python process: a running server, and a way to look into its org and change it."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from starlette.applications import Starlette

from .app import create_app
from .custom import Properties
from .faults import Faults, FaultsInput
from .limits import SEARCH_LIMIT
from .records import Json, full_attributes
from .roles import ALL_ROLES
from .schema import body_schema
from .server import Server, loopback_socket, make_server, url_of
from .state import Hooks, RequestRecord, SandboxState
from .store import WriteOptions
from .times import Clock
from .validation import validate

_Result = TypeVar("_Result")


class Records(Mapping[str, Json]):
    """Record id → its attributes as the API returns them, and `company` (an id or None). A live view; each
    value a copy.
    """

    def __init__(self, state: SandboxState, kind: str) -> None:
        self._state = state
        self._kind = kind

    def __getitem__(self, record_id: str) -> Json:
        with self._state.lock:
            self._state.now()
            record = self._state.store.records[self._kind][record_id]
            if record.deleted and self._kind == "customer":
                raise KeyError(record_id)
            return copy.deepcopy({**full_attributes(record), "company": record.company})

    def __iter__(self) -> Iterator[str]:
        with self._state.lock:
            self._state.now()
            store = self._state.store
            return iter(list(store.live["customer"] if self._kind == "customer" else store.records["company"]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<{len(self)} {self._kind} records>"


class Sandbox:
    """A local Kustomer org that runs in a thread, on a free port of this machine.

    >>> with Sandbox(job_seconds=0.0) as sandbox:
    ...     customer_id = sandbox.seed_customer(externalId="C-1", emails=[{"email": "jane@example.com"}])
    ...     run_something_against(sandbox.url, sandbox.api_key)
    ...     assert sandbox.units() <= 5

    clock: gives epoch seconds (`ManualClock()` for tests that never sleep); job_seconds: how long a bulk job
    takes, 0 = done by the next request; rate_limit: requests a minute for the org; faults: name → value,
    `True` or a `Fault`, or the command line's texts; seed: of the generator behind faults with a probability.
    """

    def __init__(
        self,
        *,
        faults: FaultsInput = None,
        job_seconds: float = 0.0,
        rate_limit: int = 1000,
        clock: Clock = time.time,
        api_key: str | None = None,
        org_name: str = "sandbox",
        seed: int = 0,
    ) -> None:
        self.state = SandboxState(
            org_name=org_name,
            api_key=api_key,
            clock=clock,
            job_seconds=job_seconds,
            rate_limit=rate_limit,
            faults=Faults(faults, seed=seed),
        )
        self.customers: Mapping[str, Json] = Records(self.state, "customer")
        """The customers that are not deleted."""
        self.companies: Mapping[str, Json] = Records(self.state, "company")
        """All companies: like the API, also those with `deleted` true."""
        self._running: tuple[Server, threading.Thread] | None = None
        self._url = ""

    # ---- running ----

    def __enter__(self) -> Self:
        listener = loopback_socket("127.0.0.1", 0)
        server = make_server(self.state)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        self._url = url_of(listener)
        self._running = (server, thread)
        thread.start()  # the socket listens already: requests wait until the server takes them
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server; connections that are open are closed. The org can still be looked at."""
        if self._running is not None:
            server, thread = self._running
            server.stop()
            thread.join()
            self._running = None

    @property
    def url(self) -> str:
        """The base URL, without /v1."""
        if not self._url:
            raise RuntimeError("the sandbox does not run yet: use it in a with statement")
        return self._url

    @property
    def app(self) -> Starlette:
        """The sandbox as an ASGI application, to be called without a server.

        A dropped connection is then a `DroppedConnection` error.
        """
        return create_app(self.state)

    @property
    def api_key(self) -> str:
        """A key with every role."""
        return self.state.key.secret

    @property
    def org_id(self) -> str:
        """24 hexadecimal digits, new for every sandbox."""
        return self.state.org_id

    @property
    def faults(self) -> Faults:
        """The faults; may be changed at any time."""
        return self.state.faults

    @property
    def hooks(self) -> Hooks:
        """Functions that are called with each request, in the server's thread."""
        return self.state.hooks

    def add_api_key(self, roles: Iterable[str] = ALL_ROLES) -> str:
        """A new key with these roles."""
        with self.state.lock:
            return self.state.add_key(tuple(roles)).secret

    # ---- what was asked ----

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request to the API so far, oldest first (the page at `/` is none)."""
        with self.state.lock:
            return list(self.state.log)

    def clear_requests(self) -> None:
        """Forget the requests so far; budgets stay as they are."""
        with self.state.lock:
            self.state.log.clear()

    def units(self) -> int:
        """The requests so far that counted against the org's budget."""
        return sum(record.counted for record in self.requests)

    def count(self, method: str | None = None, path: str = "", *, status: int | None = None) -> int:
        """The requests so far with this method, beginning of the path, and status."""
        return sum(
            (method is None or record.method == method)
            and record.path.startswith(path)
            and (status is None or record.status == status)
            for record in self.requests
        )

    @property
    def budget_left(self) -> int:
        """What is left of the org's budget in this window."""
        with self.state.lock:
            return self.state.limits.org.remaining(self.state.clock())

    def spend(self, units: int) -> None:
        """Other users of the org spend so many units (at most what is left)."""
        with self.state.lock:
            now = self.state.clock()
            self.state.limits.org.take(now, units=min(units, self.state.limits.org.remaining(now)))

    def spend_searches(self, searches: int = SEARCH_LIMIT) -> None:
        """The default key spends so many searches (at most what is left)."""
        with self.state.lock:
            now, key = self.state.clock(), self.state.key.id
            limit = self.state.limits.search
            limit.take(now, key, units=min(searches, limit.remaining(now, key)))

    # ---- what is in the org ----

    @property
    def tags(self) -> dict[str, Json]:
        """Tag id → name, color, deleted."""
        with self.state.lock:
            self.state.now()
            return {
                tag.id: {"name": tag.name, "color": tag.color, "deleted": tag.deleted_at is not None}
                for tag in self.state.store.tags.by_id.values()
            }

    def tag_names(self, record_id: str) -> list[str]:
        """The names of the tags of a customer or company."""
        attributes = self.customers.get(record_id) or self.companies[record_id]
        return [self.tags[tag_id]["name"] for tag_id in attributes["tags"]]

    def seed_customer(self, **body: Any) -> str:
        """Put a customer into the org as an agent would; costs nothing. The body is that of POST
        /v1/customers.
        """
        return self._create("customer", body)

    def seed_company(self, **body: Any) -> str:
        """Put a company into the org as an agent would; costs nothing. The body is that of POST
        /v1/companies.
        """
        return self._create("company", body)

    def seed_tag(self, name: str, color: str | None = None) -> str:
        """Put a tag into the org."""
        return self._locked(
            lambda now: self.state.store.tags.create(name, color=color, by=self.state.agent_id, now=now).id
        )

    def delete_tag(self, tag_id: str) -> None:
        """Delete a tag in the settings; records keep its id."""
        self._locked(lambda now: self.state.store.tags.delete(tag_id, now))

    def declare_custom(self, resource: str, **properties: Json) -> None:
        """Declare custom attributes: `declare_custom("customer", planStr={"type": "string", "enumeration":
        […]})`.
        """
        declared: Properties = properties
        self._locked(lambda now: self.state.store.metadata.declare(resource, declared, now))

    def agent_edit(self, record_id: str, **attributes: Any) -> int:
        """An agent changes attributes of a customer or company in the UI: the new `rev`. Costs nothing.

        The link to a company stays unless `company` is among the attributes.
        """
        return self._locked(lambda now: self._agent_edit(record_id, attributes, now))

    def touch(self, record_id: str) -> int:
        """Activity on the record, a message say, that changes no attribute: the new `rev`."""
        kind = self._kind(record_id)
        return self._locked(lambda now: self.state.store.touch(kind, record_id, now=now).rev)

    def agent_delete(self, record_id: str) -> None:
        """An agent deletes a customer or company in the UI."""
        if self._kind(record_id) == "company":
            self.agent_edit(record_id, deleted=True)
        else:
            by = self.state.agent_id
            self._locked(lambda now: self.state.store.delete("customer", record_id, by=by, now=now))

    def release_jobs(self) -> int:
        """Let the bulk jobs go on that are stuck in the queue; how many there were."""
        return self._locked(self.state.jobs.release)

    def _kind(self, record_id: str) -> str:
        with self.state.lock:
            if self.state.store.find("customer", record_id):
                return "customer"
            if self.state.store.find("company", record_id):
                return "company"
        raise KeyError(record_id)

    def _create(self, kind: str, body: Json) -> str:
        validate(body, body_schema(kind, create=True))
        store, by = self.state.store, self.state.agent_id
        return self._locked(lambda now: store.create(kind, body, by=by, now=now, options=WriteOptions()).id)

    def _agent_edit(self, record_id: str, attributes: Json, now: float) -> int:
        kind = self._kind(record_id)
        validate(attributes, body_schema(kind, create=False))
        options = WriteOptions()
        by = self.state.agent_id
        return self.state.store.update(kind, record_id, attributes, by=by, now=now, options=options).rev

    def _locked(self, work: Callable[[float], _Result]) -> _Result:
        with self.state.lock:
            return work(self.state.now())
