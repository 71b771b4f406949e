"""Lists of live records: the whole of them, or those that Kustomer picks by a query.

    page 1 → how many there are → the other pages, several at once → the records that somebody wants

Unlike search this is the live database, 100 records for one unit (docs/kustomer.md sections 4.6 and 5). What nobody
wants is let go page by page, so a walk through a large org takes no more memory than what it looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .calls import READ_ACTIONS, Call
from .concurrently import all_of
from .errors import (
    AuthenticationError,
    BadRequestError,
    KustomerError,
    PermissionDeniedError,
)
from .identifiers import ObjectName, identifiers
from .paging import Pages, Query, encode_query, next_query, total_of
from .records import Record, data_items, parse_record
from .session import Session
from .wire import Wire

PAGE_SIZE = 100
_ANY = 10**9  # pages

Wanted = Mapping[str, Collection[str]]
Keep = Callable[[Record], bool]


@dataclass(frozen=True)
class Walk:
    """What a walk through a list brought: the live records that were wanted, and whether it saw the whole list."""

    records: list[Record]
    pages: int
    complete: bool


@dataclass
class _Progress:
    """A walk under way."""

    keep: Keep
    max_pages: int
    records: dict[int, list[Record]] = field(default_factory=dict)
    pages: int = 0
    seen: int = 0
    total: int | None = None
    last: int = 0  # the highest page that was read
    following: str | None = None  # what comes after it
    firsts: set[str] = field(default_factory=set)  # the first id of every page
    broken: bool = False  # a page could not be read, or the list went round in circles

    def walk(self) -> Walk:
        """What there is, in the order of the pages."""
        # Fewer than there were at first: some were deleted meanwhile, and others moved up past the page being read.
        fewer = self.total is not None and self.seen < self.total
        whole = self.last > 0 and self.following is None and not self.broken and not fewer
        return Walk([one for number in sorted(self.records) for one in self.records[number]], self.pages, whole)


@dataclass(frozen=True)
class Page:
    """One page of a list, as the server gave it."""

    items: list[dict[str, Any]]
    total: int | None
    size: int
    following: str | None  # the query of the next page


class Lists:
    """Reads the lists of customers and companies."""

    def __init__(self, session: Session, base_url: str, wire: Wire, concurrency: int) -> None:
        self._session = session
        self._base_url = base_url
        self._wire = wire
        self._concurrency = concurrency

    def pages(self, object_name: ObjectName, query: Query, max_pages: int) -> Pages[Record]:
        """The records of a list, page after page, deleted ones included."""
        return Pages(
            self._session,
            Call("GET", f"/v1/{object_name}", f"/v1/{object_name}", READ_ACTIONS[object_name]),
            (*query, ("page", "1"), ("pageSize", str(PAGE_SIZE))),
            partial(parse_record, object_name),
            base_url=self._base_url,
            max_pages=max_pages,
        )

    async def page(self, object_name: ObjectName, number: int) -> Page:
        """One page of the whole list, the oldest records first where the list can be sorted."""
        query: Query = (("page", str(number)), ("pageSize", str(PAGE_SIZE)))
        if object_name == "customers" and self._wire.sort_works:
            try:
                return await self._ask(object_name, encode_query((("sort", "createdAt"), *query)))
            except BadRequestError:
                if number > 1:
                    raise  # another order in the middle of a walk would leave some out
                self._wire.sort_works = False
        return await self._ask(object_name, encode_query(query))

    async def walk(
        self,
        object_name: ObjectName,
        wanted: Wanted | None,
        on_total: Callable[[int], object] | None,
        max_pages: int | None,
        *,
        keep: Keep | None = None,
    ) -> tuple[Walk, int | None]:
        """The list without what nobody wants, and the total that it told. See KustomerClient.walk."""
        progress = _Progress(keep or _keeper(wanted), _ANY if max_pages is None else max_pages)
        if progress.max_pages < 1:
            return progress.walk(), progress.total
        first = await self.page(object_name, 1)
        progress.total = first.total
        self._take(object_name, progress, 1, first)
        if on_total is not None and first.total is not None and on_total(first.total) is False:
            return progress.walk(), progress.total
        last = -(-first.total // first.size) if first.total is not None and first.following else 1
        numbers = iter(range(2, min(last, progress.max_pages) + 1))
        workers = min(self._concurrency, max(0, last - 1))
        await all_of(self._work(object_name, progress, numbers) for _ in range(workers))
        await self._follow(object_name, progress)
        return progress.walk(), progress.total

    async def _work(self, object_name: ObjectName, progress: _Progress, numbers: Iterator[int]) -> None:
        """Page after page, beside others who take from the same numbers."""
        for number in numbers:
            if progress.broken:
                return
            await self._read(object_name, progress, number, self.page(object_name, number))

    async def _follow(self, object_name: ObjectName, progress: _Progress) -> None:
        """What came after the last page that was known; or everything, link by link, where no total is told."""
        while progress.following is not None and not progress.broken and progress.last < progress.max_pages:
            page = self._ask(object_name, progress.following)
            await self._read(object_name, progress, progress.last + 1, page)

    async def _read(
        self, object_name: ObjectName, progress: _Progress, number: int, page: Coroutine[Any, Any, Page]
    ) -> None:
        try:
            self._take(object_name, progress, number, await page)
        except (AuthenticationError, PermissionDeniedError):
            raise
        except KustomerError:
            progress.broken = True

    def _take(self, object_name: ObjectName, progress: _Progress, number: int, page: Page) -> None:
        records = [parse_record(object_name, item) for item in page.items]
        if records and records[0].id in progress.firsts:
            progress.broken = True  # the server goes round in circles
        progress.firsts.update(record.id for record in records[:1])
        progress.broken = progress.broken or (not records and page.following is not None)
        progress.pages += 1
        progress.seen += len(records)
        if number > progress.last:
            progress.last, progress.following = number, page.following
        kept = [one for one in records if not one.deleted and progress.keep(one)]
        if kept and not progress.broken:
            progress.records[number] = kept

    async def _ask(self, object_name: ObjectName, query: str) -> Page:
        path = f"/v1/{object_name}"
        call = Call("GET", path + query, path, READ_ACTIONS[object_name])
        return await self._session.ask(call, partial(_parse_page, query=query, base_url=self._base_url))


def _parse_page(body: Any, *, query: str, base_url: str) -> Page:
    items = data_items(body)
    total, size = total_of(body)
    return Page(items, total, size or PAGE_SIZE, next_query(body, query, len(items), base_url))


def _keeper(wanted: Wanted | None) -> Keep:
    if wanted is None:
        return lambda record: True
    sets = {name: frozenset(values) for name, values in wanted.items()}
    return lambda record: any(
        value in values for name, values in sets.items() for value in identifiers(record.attributes, name)
    )
