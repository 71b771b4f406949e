"""Lists that come in pages (docs/kustomer.md section 4.6): follow `links.next` until it is null.

Of a link only the query is used: host and path stay those of the first page, so that no answer can lead the
API key, or a POST, anywhere else. A server that repeats a page ends the walk, and the walk says that it is
not complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Generic, Self, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from .calls import Call
from .errors import UnexpectedAnswerError
from .records import data_items
from .session import Session

Item = TypeVar("Item")
Query = tuple[tuple[str, str], ...]


def encode_query(query: Query) -> str:
    """`?a=b` with every character of the values percent-encoded ("+" too), or nothing for no query."""
    return "?" + urlencode(query, quote_via=quote, safe="", errors="surrogatepass") if query else ""


class Pages(Generic[Item]):
    """Iterating (`async for`) yields the new items of page after page, parsed.

    Afterwards `read` is the number of pages read, and `complete` whether the end was reached. `timed_out`: a page said
    that it is not all that there is (of searches, docs/kustomer.md section 8), so the whole is not complete.
    """

    def __init__(
        self,
        session: Session,
        call: Call,
        query: Query,
        parse: Callable[[dict[str, Any]], Item],
        *,
        base_url: str,
        max_pages: int,
        items_of: Callable[[Any], list[dict[str, Any]]] = data_items,
    ) -> None:
        self._session = session
        self._call = call
        self._parse = parse
        self._base_url = base_url
        self._max_pages = max_pages
        self._items_of = items_of
        self.read = 0
        self.complete = False
        self.timed_out = False
        self._next: str | None = encode_query(query)
        self._visited = set[str]()
        self._seen = set[str]()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Item]:
        query = self._next
        if query is None or query in self._visited or self.read >= self._max_pages:
            raise StopAsyncIteration
        self._visited.add(query)
        call = replace(self._call, path=self._call.path + query)
        count, fresh, following = await self._session.ask(call, partial(self._page, query=query))
        self.read += 1
        self.complete = following is None and not self.timed_out
        # A page of nothing but what was there before means that the server goes round in circles.
        self._next = None if count and not fresh else following
        return fresh

    def _page(self, body: Any, query: str) -> tuple[int, list[Item], str | None]:
        items = self._items_of(body)
        self.timed_out = self.timed_out or _meta(body).get("timed_out") is True
        fresh = [self._parse(item) for item in items if not _is_known(item, self._seen)]
        return len(items), fresh, next_query(body, query, len(items), self._base_url)


def next_query(body: Any, query: str, count: int, base_url: str) -> str | None:
    """The query of the next page, None after the last one.

    `links.next` decides where the answer has it, else `meta` (page of totalPages, or of `pages`, as the batches of a
    bulk job have it: docs/kustomer.md section 7.5), else whether the page was as full as was asked for. Raises
    UnexpectedAnswerError for a link to another host.
    """
    links = body.get("links") if isinstance(body, dict) else None
    if isinstance(links, dict) and "next" in links:
        link = links["next"]
        link = link.get("href") if isinstance(link, dict) else link
        return _query_of(link, base_url) if link else None
    asked = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True, errors="surrogatepass"))
    meta = _meta(body)
    page, size = _count(asked.get("page", meta.get("page"))), _count(asked.get("pageSize", meta.get("limit")))
    if page is None or count == 0:
        return None
    pages = _count(meta.get("totalPages", meta.get("pages")))
    if page >= pages if pages is not None else size is None or count < size:
        return None
    return encode_query(tuple({**asked, "page": str(page + 1)}.items()))


def total_of(body: Any) -> tuple[int | None, int | None]:
    """How many items the whole list has, and how many a page, where the answer tells (docs/kustomer.md section 4.6)."""
    meta = _meta(body)
    total, size = _count(meta.get("total")), _count(meta.get("pageSize"))
    return (total if total is not None and total >= 0 else None), (size if size is not None and size > 0 else None)


def _query_of(link: Any, base_url: str) -> str:
    if not isinstance(link, str):
        raise UnexpectedAnswerError("the link to the next page is not text")
    try:
        parts, home = urlsplit(link), urlsplit(base_url)
    except ValueError:
        raise UnexpectedAnswerError("the link to the next page is not an address") from None
    if (parts.scheme or parts.netloc) and (parts.scheme, parts.netloc) != (home.scheme, home.netloc):
        raise UnexpectedAnswerError("the link to the next page leads to another host, so it is not followed")
    return f"?{parts.query}" if parts.query else ""


def _is_known(item: dict[str, Any], seen: set[str]) -> bool:
    item_id = item.get("id")
    if not isinstance(item_id, str):
        return False
    known = item_id in seen
    seen.add(item_id)
    return known


def _meta(body: Any) -> dict[str, Any]:
    meta = body.get("meta") if isinstance(body, dict) else None
    return meta if isinstance(meta, dict) else {}


def _count(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
