"""The Kustomer API as this project needs it.

KustomerClient ─ Reader, Finder, Lists, Sizes     live records: by id, by identifier, all of them, how many
               ├ Searcher, TagHolders, Tags       search, who holds a tag, the tags themselves
               ├ AuditLog                         who changed a record
               ├ BulkJobs, JobWaiter, SingleWrites  writing
               ├ Wire, Abilities                  what requests, org and key can do
               ├ Probe                            requests of any form, to examine an org
               └ Session                          slots, budget (Governor), retries, errors
                 └ Transport                      bytes
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from .abilities import Abilities
from .address import base_url_for
from .audit_log import AuditEntry, AuditLog
from .bulk import BulkJobs
from .bulk_answers import BulkAnswer
from .clock import Clock, SystemClock
from .errors import ConfigurationError
from .finder import Finder
from .governor import governor_for
from .holders import TagHolders
from .identifiers import ObjectName
from .lists import Lists, Walk
from .lookup import Reader
from .observer import Observer, Work
from .observing import Ending, Observing, Rows
from .probe import Probe
from .records import Record
from .runner import LoopRunner
from .search import Searcher
from .session import Session, Usage
from .singles import SingleWrites
from .sizes import Sizes
from .tags import Tag, Tags
from .token import Token, TokenReader
from .transport import AsyncTransport, Transport
from .waiting import JobWaiter
from .wire import Operation, Wire

_Result = TypeVar("_Result")
_NOTHING = nullcontext()  # may be entered many times

_ALL_GONE = 10  # so many records, and none of them there: that is no coincidence


class KustomerClient:
    """One API key at work in one org. A context manager; asyncio inside.

    base_url: the host, without /v1 (see base_url_for). rate_reserve: the share of the org's request budget that is left
    to others, 0 to below 1. timeout: seconds for each step of a request. max_attempts: for one request. concurrency:
    requests under way at once, at most. observer: hears of every attempt at a request (observing.py), until the client
    is closed. clock and transport are for tests.

    Its coroutines are run with `run`, many at once inside one of them. All raise KustomerError (errors.py draws the
    tree), and spend units of the org's budget: `usage`. Clients of one key share what is known of that budget.
    """

    _observing: Observing | None = None  # as a rule nobody observes

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        rate_reserve: float = 0.2,
        timeout: float = 30.0,
        clock: Clock | None = None,
        transport: AsyncTransport | None = None,
        max_attempts: int = 6,
        concurrency: int = 32,
        observer: Observer | None = None,
    ) -> None:
        if not 0 <= rate_reserve < 1:
            raise ConfigurationError("rate_reserve is a share: set it from 0 to below 1, such as 0.2")
        if timeout <= 0 or max_attempts < 1 or concurrency < 1:
            raise ConfigurationError("timeout must be above 0 seconds, max_attempts and concurrency at least 1")
        base_url = base_url_for(base_url=base_url)
        self._base_url = base_url
        self._clock = clock or SystemClock()
        self._runner = LoopRunner(self._clock)
        self._transport = Transport(
            base_url, api_key, timeout=timeout, clock=self._clock, concurrency=concurrency, transport=transport
        )
        self._wire = Wire()
        self._abilities = Abilities()
        self._session = Session(
            self._transport,
            governor_for(base_url, api_key, self._clock),
            reserve=rate_reserve,
            clock=self._clock,
            max_attempts=max_attempts,
            concurrency=concurrency,
            noted=self._abilities.note,
        )
        if observer is not None:
            self._observing = self._session.observing = Observing(observer, self._clock, urlsplit(base_url).netloc)
        self._lists = Lists(self._session, base_url, self._wire, concurrency)
        self._sizes = Sizes(self._lists)
        self._reader = Reader(self._session, self._lists, self._wire)
        self._finder = Finder(self._session, self._lists)
        self._searcher = Searcher(self._session, base_url, self._wire, self._abilities)
        self._holders = TagHolders(self._searcher, self._lists, self._abilities)
        self._tags = Tags(self._session, base_url)
        self._bulk = BulkJobs(self._session, base_url)
        self._waiter = JobWaiter(self._bulk, self._clock)
        self._singles = SingleWrites(self._session)
        self._audit_log = AuditLog(self._session)
        self._token = TokenReader(self._session, self._abilities)
        self.probe = Probe(self._session, self._lists, base_url, rate_reserve)

    def __repr__(self) -> str:
        return f"KustomerClient(base_url={self._base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def asking_before_writes(self, ask: Callable[[], None]) -> Iterator[None]:
        """For the body, `ask` is called right before each write is sent; what it raises is raised, and nothing sent."""
        self._session.before_write = ask
        try:
            yield
        finally:
            self._session.before_write = None

    def hold_share(self, holder: str, share: float, seconds: float) -> None:
        """For so long this process may send only that share (0 to 1) of the requests that are not left to others.

        holder: a run in this process; what several hold is added up.
        """
        self._session.hold_share(holder, share, seconds)

    def give_back_share(self, holder: str) -> None:
        """The run is over; without any share the process has all of the budget to itself again."""
        self._session.give_back_share(holder)

    def on_behalf_of(self, work: Work) -> AbstractContextManager[Ending]:
        """For the body, requests are sent for this work; it says to what it `came_to`. For an observer."""
        return nullcontext(Ending()) if self._observing is None else self._observing.on_behalf_of(work)

    def about(self, rows: Callable[[], Rows]) -> AbstractContextManager[None]:
        """For the body, requests are about these rows (observing.py). `rows` is called only if somebody observes."""
        return _NOTHING if self._observing is None else self._observing.about(rows)

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """The result of a coroutine, run on the client's loop; by a worker thread where a loop runs already."""
        return self._runner.run(coroutine)

    def close(self) -> None:
        """Close the connections and the loop."""
        try:
            self._runner.close(self._transport.close())
        finally:
            if self._observing is not None:
                self._observing.close()

    @property
    def clock(self) -> Clock:
        """The clock by which this client waits."""
        return self._clock

    @property
    def usage(self) -> Usage:
        """What was spent so far; retries count, too."""
        return self._session.usage

    @property
    def requests_a_second(self) -> float:
        """How many requests a second the org's budget leaves to this client in the long run."""
        return self._session.requests_a_second

    @property
    def abilities(self) -> Abilities:
        """What key and org can do, as far as it has turned out; `token` tells the roles."""
        return self._abilities

    @property
    def wire(self) -> Wire:
        """The limits of requests, documented and found out."""
        return self._wire

    @property
    def jobs_worth_having(self) -> int:
        """How many bulk jobs are worth having under way: as many as keep Kustomer busy, as far as is known."""
        return self._waiter.worth_having

    def search_batch(self, object_name: ObjectName, field: str) -> int:
        """How many values one search asks for at present: 20, or more where `in` works."""
        return self._searcher.batch(object_name, field)

    async def token(self) -> Token:
        """The org and the roles of the key (docs/kustomer.md section 1.3). One request, once."""
        token = await self._token.read()
        if self._observing is not None:
            self._observing.org_id = token.org_id
        return token

    async def get_many(self, object_name: ObjectName, ids: Sequence[str]) -> dict[str, Record]:
        """Live records by their Kustomer ids; ids that are missing or deleted are absent.

        One unit for up to 100 customers, as many as the org takes; for companies the cheapest way that works.
        """
        found = await self._reader.get_many(object_name, ids)
        if not found and len(ids) >= _ALL_GONE:
            await self.confirm_org()
        return found

    async def confirm_org(self) -> None:
        """Ask whether the key is still of the org that it was of, for one unit. Raises OrgChangedError."""
        if self._session.same_org is not None:
            await self._session.same_org.confirm()

    async def get_many_with_deleted(self, object_name: ObjectName, ids: Sequence[str]) -> dict[str, Record]:
        """The same, with records that are deleted and that Kustomer shows all the same."""
        return await self._reader.get_many(object_name, ids, deleted=True)

    async def look_up(self, object_name: ObjectName, field: str, value: str) -> list[Record]:
        """The live records that hold exactly this identifier: the sure way to know, at one unit.

        customers by externalId, email or phone; companies by externalId or name (exactly, several may have it). An
        empty value finds nobody and asks nothing. Raises BadRequestError for a value that Kustomer calls malformed.
        """
        return await self._finder.look_up(object_name, field, value)

    async def search(self, object_name: ObjectName, field: str, values: Sequence[str]) -> dict[str, list[Record]]:
        """Value → the live records that hold exactly it, for many values at one unit. A hint only.

        Values without a hit are absent, which proves nothing: the index lags, and forgets after two years. customers by
        email, phone or externalId; companies by name. Empty if the key may not search.
        """
        return await self._searcher.search(object_name, field, values)

    async def search_with_deleted(self, object_name: ObjectName, field: str, values: Sequence[str]) -> list[Record]:
        """The records that hold one of these values, deleted ones too, as search knows them: 20 values a unit.

        What is not among them proves nothing. Empty if the key may not search, or the org does not take the question.
        """
        return await self._searcher.with_deleted(object_name, field, values)

    async def audit_log(self, object_name: ObjectName, kustomer_id: str) -> list[AuditEntry]:
        """Who wrote a record and when, the newest first, at one unit.

        Raises PermissionDeniedError without the role org.permission.audit_logs.read.
        """
        return await self._audit_log.entries(object_name, kustomer_id)

    async def walk(
        self,
        object_name: ObjectName,
        wanted: Mapping[str, Collection[str]] | None = None,
        on_total: Callable[[int], object] | None = None,
        max_pages: int | None = None,
        keep: Callable[[Record], bool] | None = None,
    ) -> Walk:
        """The live records of the whole list, 100 a page, one unit each.

        wanted: field → canonical values; only records that hold one of them are kept (None: all). keep: the same, asked
        of each record. on_total hears how many there are; if it returns False the walk ends. A walk that was cut short,
        met an unreadable page, or missed some because others were deleted meanwhile is not complete.
        """
        walk, total = await self._lists.walk(object_name, wanted, on_total, max_pages, keep=keep)
        if total is not None:
            self._sizes.learn(object_name, total)
        return walk

    async def org_size(self, object_name: ObjectName) -> int | None:
        """How many records there are: a unit as a rule, a few for companies, once. None where there is no such list."""
        return await self._sizes.size(object_name)

    async def tag_holders(self, object_name: ObjectName, tag_id: str) -> list[Record]:
        """The live records that hold the tag, as search knows them; from the list of all where it does not know all."""
        return await self._holders.find(object_name, tag_id)

    async def tags(self) -> list[Tag]:
        """Every tag that is not deleted. Raises PermissionDeniedError if the key may not list them."""
        return await self._tags.all()

    async def create_tag(self, name: str) -> Tag:
        """The tag of that name, created if it is not there (in whatever case)."""
        return await self._tags.create(name)

    async def write_one(self, object_name: ObjectName, operation: Operation, item: Mapping[str, Any]) -> Record:
        """Create one record, or update the one with the item's id, at one unit; the live record of the answer.

        Sent once. Raises AmbiguousWriteError when its outcome is not known.
        """
        return await self._singles.write(object_name, operation, item)

    async def delete_customer(self, kustomer_id: str) -> None:
        """Delete a customer for good, at one unit. One that is not there any more is no error.

        Raises PermissionDeniedError without the role org.permission.customer.delete.
        """
        await self._singles.delete_customer(kustomer_id)

    async def submit_bulk(
        self, object_name: ObjectName, operation: Operation, items: Sequence[Mapping[str, Any]]
    ) -> str:
        """Hand in a bulk job of 1 to 100 items, each with its own _clientRef; the id to ask for results with.

        Sent once. Raises AmbiguousWriteError when it is not known whether the job exists: look up, then decide.
        """
        return await self._bulk.submit(object_name, operation, items)

    async def bulk_results(self, bulk_id: str, expected: int, submitted_at: float, deadline: float) -> BulkAnswer:
        """Wait for a job and return its results; at the deadline what there is, not complete.

        submitted_at, deadline: seconds of the clock's `monotonic`. Jobs are looked at in the order in which they are
        asked for here, each when it is likely done. Raises NotFoundError when Kustomer does not know it.
        """
        return await self._waiter.results(bulk_id, expected, submitted_at, deadline)

    async def bulk_answer(self, bulk_id: str, expected: int = 0) -> BulkAnswer:
        """Where a job stands, and the results so far. One unit, more only where the answer leaves doubts.

        expected: how many items were handed in; else the batches' own word has to do. Raises NotFoundError.
        """
        return await self._bulk.answer(bulk_id, expected)

    def job_answered(
        self, object_name: ObjectName, operation: Operation, items: int, since: float, answer: BulkAnswer
    ) -> None:
        """For an observer: nobody waits for this job any longer. `since`: when it was handed in, by `monotonic`."""
        if self._observing is not None:
            self._observing.job_answered(object_name, operation, items, since, answer)
