"""The sandbox inside a Python process: an org, served or not, what was asked of it, its budget, faults and jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from .app import App
from .faults import Faults, FaultsInput
from .limits import SEARCH_LIMIT
from .people import People
from .roles import ALL_ROLES
from .server import Server, loopback_socket, make_server, url_of
from .state import Hooks, RequestRecord, SandboxState
from .times import Clock

_NOWHERE = "http://127.0.0.1:1"


class Sandbox(People):
    """A local Kustomer org that runs in a thread, on a free port of this machine; or, not served, within the caller.

    >>> with Sandbox(job_seconds=0.0) as sandbox:
    ...     customer_id = sandbox.seed_customer(externalId="C-1", emails=[{"email": "jane@example.com"}])
    ...     run_something_against(sandbox.url, sandbox.api_key)
    ...     assert sandbox.units() <= 5

    clock: gives epoch seconds (`ManualClock()` for tests that never sleep); job_seconds: how long a bulk job
    takes, 0 = done by the next request; rate_limit: requests a minute for the org; faults: name → value,
    `True` or a `Fault`, or the command line's texts; seed: of the generator behind faults with a probability;
    serve: False for no thread and no socket: `app` is called instead, and nothing listens at `url`.
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
        serve: bool = True,
    ) -> None:
        super().__init__(
            SandboxState(
                org_name=org_name,
                api_key=api_key,
                clock=clock,
                job_seconds=job_seconds,
                rate_limit=rate_limit,
                faults=Faults(faults, seed=seed),
            )
        )
        self._running: tuple[Server, threading.Thread] | None = None
        self._serve = serve
        self._url = "" if serve else _NOWHERE
        self._app = App(self.state)

    # ---- running ----

    def __enter__(self) -> Self:
        if self._serve:
            self._start()
        return self

    def _start(self) -> None:
        listener = loopback_socket("127.0.0.1", 0)
        server = make_server(self.state)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        self._url = url_of(listener)
        self._running = (server, thread)
        thread.start()  # the socket listens already: requests wait until the server takes them

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
        """The base URL, without /v1; one at which nothing listens when it is not served."""
        if not self._url:
            raise RuntimeError("the sandbox does not run yet: use it in a with statement")
        return self._url

    @property
    def app(self) -> App:
        """The sandbox as an ASGI application over the same org, to be called without a server.

        A dropped connection is then a `DroppedConnection` error.
        """
        return self._app

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

    # ---- bulk jobs ----

    def jobs_take(self, seconds: float) -> None:
        """Let the bulk jobs that are submitted from now on take so many seconds."""
        with self.state.lock:
            self.state.jobs.seconds = seconds

    def release_jobs(self) -> int:
        """Let the bulk jobs go on that are stuck in the queue; how many there were."""
        return self._locked(self.state.jobs.release)
