"""Lists that come in pages (docs/kustomer.md section 4.6): follow `links.next` until it is null.

Of a link only the query is used: host and path stay those of the first page, so that no answer can lead the
API key, or a POST, anywhere else. A server that repeats a page ends the walk, and the walk says that it is
not complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Generic, TypeVar
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
    """Iterating yields the new items of page after page, parsed.

    Afterwards `read` is the number of pages read, and `complete` whether the end was reached.
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
        self._query = query
        self._parse = parse
        self._base_url = base_url
        self._max_pages = max_pages
        self._items_of = items_of
        self.read = 0
        self.complete = False

    def __iter__(self) -> Iterator[list[Item]]:
        query = encode_query(self._query)
        visited, seen = set[str](), set[str]()
        while self.read < self._max_pages:
            visited.add(query)
            call = replace(self._call, path=self._call.path + query)
            count, fresh, following = self._session.ask(call, partial(self._page, query=query, seen=seen))
            self.read += 1
            self.complete = following is None
            yield fresh
            if following is None or following in visited or (count and not fresh):
                return
            query = following

    def _page(self, body: Any, query: str, seen: set[str]) -> tuple[int, list[Item], str | None]:
        items = self._items_of(body)
        fresh = [self._parse(item) for item in items if not _is_known(item, seen)]
        return len(items), fresh, next_query(body, query, len(items), self._base_url)


def next_query(body: Any, query: str, count: int, base_url: str) -> str | None:
    """The query of the next page, None after the last one.

    `links.next` decides where the answer has it, else `meta`, else whether the page was as full as was
    asked for. Raises UnexpectedAnswerError for a link to another host.
    """
    links = body.get("links") if isinstance(body, dict) else None
    if isinstance(links, dict) and "next" in links:
        link = links["next"]
        link = link.get("href") if isinstance(link, dict) else link
        return _query_of(link, base_url) if link else None
    asked = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True, errors="surrogatepass"))
    page, size = _count(asked.get("page")), _count(asked.get("pageSize"))
    if page is None or count == 0:
        return None
    pages = _count(_meta(body).get("totalPages"))
    if page >= pages if pages is not None else size is None or count < size:
        return None
    return encode_query(tuple({**asked, "page": str(page + 1)}.items()))


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
    id = item.get("id")
    if not isinstance(id, str):
        return False
    known = id in seen
    seen.add(id)
    return known


def _meta(body: Any) -> dict[str, Any]:
    meta = body.get("meta") if isinstance(body, dict) else None
    return meta if isinstance(meta, dict) else {}


def _count(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
