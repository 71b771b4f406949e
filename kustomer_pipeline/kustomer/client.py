"""The Kustomer API as this project needs it.

KustomerClient ─ Reader, Searcher, Tags, BulkJobs   what to ask, and how to read the answers
               └ Session                            budget, retries, errors
                 └ Transport                        bytes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from .address import base_url_for
from .bulk import BulkAnswer, BulkJobs, Operation
from .clock import Clock, SystemClock
from .errors import ConfigurationError
from .lookup import Reader
from .records import ObjectName, Record
from .search import Searcher
from .session import Session, Usage
from .tags import Tag, Tags
from .token import Token, read_token
from .transport import Transport


class KustomerClient:
    """One API key at work in one org. A context manager; not thread-safe.

    base_url: the host, without /v1 (see base_url_for). rate_reserve: the share of the org's request budget
    that is left to others, 0 to below 1. timeout: seconds for each step of a request. max_attempts: for one
    request. clock and transport are for tests.

    Every method raises KustomerError (errors.py draws the tree), and spends units of the org's budget:
    `usage`.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        rate_reserve: float = 0.2,
        timeout: float = 30.0,
        clock: Clock | None = None,
        transport: Any = None,
        max_attempts: int = 6,
    ) -> None:
        if not 0 <= rate_reserve < 1:
            raise ConfigurationError("KUSTOMER_RATE_RESERVE is a share: set it from 0 to below 1, such as 0.2")
        if timeout <= 0 or max_attempts < 1:
            raise ConfigurationError("timeout must be above 0 seconds, and max_attempts at least 1")
        self._base_url = base_url_for(base_url=base_url)
        clock = clock or SystemClock()
        self._clock = clock
        self._transport = Transport(self._base_url, api_key, timeout=timeout, clock=clock, transport=transport)
        self._session = Session(self._transport, reserve=rate_reserve, clock=clock, max_attempts=max_attempts)
        self._reader = Reader(self._session, self._base_url)
        self._searcher = Searcher(self._session, self._base_url)
        self._tags = Tags(self._session, self._searcher, self._base_url)
        self._bulk = BulkJobs(self._session, self._base_url)
        self._token: Token | None = None

    def __repr__(self) -> str:
        return f"KustomerClient(base_url={self._base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @property
    def clock(self) -> Clock:
        """The clock by which this client waits; whoever waits for its jobs waits by the same."""
        return self._clock

    @property
    def usage(self) -> Usage:
        """What was spent so far: every request that was sent counts, retries too."""
        return self._session.usage

    @property
    def search_available(self) -> bool:
        """False once Kustomer has said that this key may not search; `search` finds nothing from then on."""
        return self._searcher.available

    def token(self) -> Token:
        """The org and the roles of the key (docs/kustomer.md section 1.3). One request, once."""
        if self._token is None:
            self._token = read_token(self._session)
        return self._token

    def get_many(self, object: ObjectName, ids: Sequence[str]) -> dict[str, Record]:
        """Live records by their Kustomer ids; ids that are missing or deleted are absent.

        One unit for 50 customers in the good case. For companies no list of ids is documented: it is tried
        once, and if it does not work the cheaper of single reads and the list of all companies is taken.
        """
        return self._reader.get_many(object, ids)

    def look_up(self, object: ObjectName, field: str, value: str) -> list[Record]:
        """The live records that hold exactly this identifier: the sure way to know, at one unit.

        customers by externalId, email or phone; companies by externalId or name (exactly, several may have
        it). An empty value finds nobody and asks nothing. Raises BadRequestError for a value that Kustomer
        calls malformed.
        """
        return self._reader.look_up(object, field, value)

    def search(self, object: ObjectName, field: str, values: Sequence[str]) -> dict[str, list[Record]]:
        """Value → the live records that hold exactly it, for many values at one unit. A hint only.

        Values without a hit are absent, which does not mean that nobody has them: the index lags behind,
        and forgets after two years. customers by email, phone or externalId; companies by name. Empty if
        the key may not search.
        """
        return self._searcher.search(object, field, values)

    def walk_companies(self, max_pages: int) -> tuple[list[Record], bool]:
        """Live companies from the list, 100 a page, one unit each, and whether those are all."""
        return self._reader.walk_companies(max_pages)

    def tag_holders(self, tag_id: str) -> list[Record]:
        """The live customers that search knows to hold the tag; past 10,000 by windows of time.

        Raises PermissionDeniedError if the key may not search.
        """
        return self._tags.holders(tag_id)

    def tags(self) -> list[Tag]:
        """Every tag that is not deleted."""
        return self._tags.all()

    def create_tag(self, name: str) -> Tag:
        """The tag of that name, created if it is not there (in whatever case)."""
        return self._tags.create(name)

    def submit_bulk(self, object: ObjectName, operation: Operation, items: Sequence[Mapping[str, Any]]) -> str:
        """Hand in a bulk job of 1 to 100 items, each with its own _clientRef; the id to ask for results with.

        Sent once. Raises AmbiguousWriteError when it is not known whether the job exists: look up, then
        decide.
        """
        return self._bulk.submit(object, operation, items)

    def bulk_answer(self, bulk_id: str, expected: int = 0) -> BulkAnswer:
        """Where a job stands, and the results so far. One unit, more only where the answer leaves doubts.

        expected: how many items were handed in; without it the batches' own word has to do. Raises
        NotFoundError when Kustomer does not know the job (any more).
        """
        return self._bulk.answer(bulk_id, expected)
