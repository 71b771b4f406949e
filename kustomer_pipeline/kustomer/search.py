"""Search: many identifiers in one request (docs/kustomer.md section 8). A hint, never a proof of absence.

    values → batches → `in`, or `or` of equals → pages → hits, checked here for exact equality

The index lags behind and forgets after two years, and e-mails are matched as analysed text: what search
returns is compared on the record itself, and what it does not return may well exist. What the documentation
leaves open is tried once and remembered: whether `in` works for a field, how many clauses, which page size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .answers import body_size
from .calls import Call
from .errors import (
    BadRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    UnexpectedAnswerError,
)
from .paging import Pages
from .records import ObjectName, Record, canonical, identifiers, parse_record
from .session import Session

PATH = "/v1/customers/search"
LARGEST_BODY = 95_000  # bytes; Kustomer takes 100 kB
FIRST_BATCH = 50
LARGEST_BATCH = 400
MAX_PAGES = 100
MAX_RECORDS = 10_000
PAGE_SIZE, OLD_PAGE_SIZE = 500, 100
_STALE_AT_MOST = 20  # a few records of a page may have changed since they were indexed
_CONTEXTS: dict[ObjectName, str] = {"customers": "customer", "companies": "company"}
_ATTRIBUTES: dict[tuple[ObjectName, str], str] = {
    ("customers", "email"): "customer_email",
    ("customers", "phone"): "customer_phone",
    ("customers", "externalId"): "customer_externalId",
    ("companies", "name"): "company_name",
}
# An external ID of a company is not among the searchable attributes: such a search has no result.
_NOT_SEARCHABLE = frozenset({("companies", "externalId")})
_REFUSED = (BadRequestError, PayloadTooLargeError)


class SearchPages:
    """Asks one question and gives the pages of its answer; knows which page size this org takes."""

    def __init__(self, session: Session, base_url: str) -> None:
        self._session = session
        self._base_url = base_url
        self._accepted = False
        self.size = PAGE_SIZE

    def ask(self, object: ObjectName, body: dict[str, Any]) -> Pages[Record]:
        """The pages of an answer; iterate to read them."""
        return Pages(
            self._session,
            Call("POST", PATH, PATH, "search", body=body, search=True),
            (("page", "1"), ("pageSize", str(self.size))),
            partial(parse_record, object),
            base_url=self._base_url,
            max_pages=MAX_PAGES,
        )

    def accepted(self) -> None:
        """A question with this page size was answered."""
        self._accepted = True

    def smaller(self) -> bool:
        """Whether a refusal may be due to the page size, which is then smaller from now on."""
        if self._accepted or self.size == OLD_PAGE_SIZE:
            return False
        self.size = OLD_PAGE_SIZE
        return True


class Searcher:
    """Searches, and remembers what works in this org."""

    def __init__(self, session: Session, base_url: str) -> None:
        self._pages = SearchPages(session, base_url)
        self._fields: dict[tuple[str, str], FieldSearch] = {}
        self.available = True

    def search(self, object: ObjectName, field: str, values: Sequence[str]) -> dict[str, list[Record]]:
        """Values → the live records that hold them exactly; values without a hit are absent."""
        asked = [value for value in dict.fromkeys(values) if canonical(field, value).strip()]
        if not self.available or not asked or (object, field) in _NOT_SEARCHABLE:
            return {}
        if (object, field) not in _ATTRIBUTES:
            raise ValueError(f"{object} cannot be searched by {field}")
        by_field = self._fields.setdefault((object, field), FieldSearch(self._pages, object, field))
        try:
            return _by_value(field, values, by_field.find(asked))
        except (PermissionDeniedError, NotFoundError):
            self.available = False
            return {}

    def all_matching(
        self, object: ObjectName, body: dict[str, Any], matches: Callable[[Record], bool]
    ) -> tuple[list[Record], bool]:
        """Every record of a search that really matches, as far as its pages reach; and whether that is all.

        Raises UnexpectedAnswerError if most of the first page does not match: the question was misunderstood.
        """
        try:
            return self._all_matching(object, body, matches)
        except BadRequestError:
            if not self._pages.smaller():
                raise
            return self._all_matching(object, body, matches)

    def _all_matching(
        self, object: ObjectName, body: dict[str, Any], matches: Callable[[Record], bool]
    ) -> tuple[list[Record], bool]:
        pages = self._pages.ask(object, body)
        read, found = 0, list[Record]()
        for page in pages:
            self._pages.accepted()
            read += len(page)
            found += [record for record in page if matches(record)]
            if pages.read == 1 and read > _STALE_AT_MOST and read > 2 * len(found):
                raise UnexpectedAnswerError("search returns others than asked for", method="POST", path=PATH)
            if read >= MAX_RECORDS:
                break
        return found, pages.complete and read < MAX_RECORDS


@dataclass
class _Hits:
    """What one batch brought."""

    records: list[Record] = field(default_factory=list)
    understood: bool = True  # the answer has to do with the question
    whole: bool = True  # no part of the batch was refused


class FieldSearch:
    """Searching by one field: a small state machine that learns the cheapest form Kustomer takes."""

    def __init__(self, pages: SearchPages, object: ObjectName, field: str) -> None:
        self._pages = pages
        self._object = object
        self._field = field
        self._in_works: bool | None = None
        self._size = FIRST_BATCH
        self._ceiling = LARGEST_BATCH

    def find(self, values: Sequence[str]) -> list[Record]:
        """Records that hold any of the values, batch after batch."""
        found: list[Record] = []
        start = 0
        while start < len(values):
            batch = values[start : start + self._size]
            start += len(batch)
            if self._in_works is None and len(batch) > 1:
                found += self._try_in(batch)
            else:
                found += self._ask(batch, use_in=bool(self._in_works)).records
        return found

    def _try_in(self, values: Sequence[str]) -> list[Record]:
        """`in` is not documented for these fields: believed if it finds somebody, and `or` nobody else."""
        try:
            hits = self._one(values, use_in=True)
        except _REFUSED:
            hits = _Hits(understood=False)
        found = _by_value(self._field, values, hits.records)
        rest = [value for value in values if value not in found]
        more = self._ask(rest, use_in=False).records if rest else []
        self._in_works = hits.understood and bool(found) and not _by_value(self._field, rest, more)
        return hits.records + more

    def _ask(self, values: Sequence[str], *, use_in: bool) -> _Hits:
        """One batch, halved as long as it is refused. A single value that is refused has no hits."""
        if len(values) > 1 and body_size(self._body(values, use_in)) > LARGEST_BODY:
            return self._in_halves(values, use_in=use_in)
        try:
            hits = self._one(values, use_in=use_in)
        except _REFUSED:
            return self._refused(values, use_in=use_in)
        if len(values) >= self._size:
            self._size = min(self._ceiling, 2 * self._size)
        return hits

    def _refused(self, values: Sequence[str], *, use_in: bool) -> _Hits:
        """Too many clauses, one bad value, or the page size: find out which."""
        if self._pages.smaller():
            return self._ask(values, use_in=use_in)
        if len(values) == 1:
            return _Hits(whole=False)
        hits = self._in_halves(values, use_in=use_in)
        if hits.whole:  # both halves went through, so it was refused for its size
            self._ceiling = self._size = max(1, len(values) // 2)
        return _Hits(hits.records, whole=False)

    def _in_halves(self, values: Sequence[str], *, use_in: bool) -> _Hits:
        half = len(values) // 2
        first, second = self._ask(values[:half], use_in=use_in), self._ask(values[half:], use_in=use_in)
        return _Hits(first.records + second.records, whole=first.whole and second.whole)

    def _one(self, values: Sequence[str], *, use_in: bool) -> _Hits:
        """One question and the pages of its answer; whether it was understood shows on the first page."""
        missing = {canonical(self._field, value) for value in values}
        wanted, hits = frozenset(missing), _Hits()
        pages = self._pages.ask(self._object, self._body(values, use_in))
        for page in pages:
            self._pages.accepted()
            related = [record for record in page if wanted & identifiers(record, self._field)]
            hits.records += related
            missing -= {value for record in related for value in identifiers(record, self._field)}
            if use_in and self._in_works is None and len(page) > 2 * len(related):
                return _Hits(hits.records, understood=False)
            if pages.read * self._pages.size >= MAX_RECORDS or self._costs_too_much(pages.read, missing):
                break
        return hits

    def _costs_too_much(self, pages_read: int, missing: set[str]) -> bool:
        """A further page costs as much as one look-up. (Many may hold a name: there all pages count.)"""
        return self._field != "name" and pages_read >= len(missing)

    def _body(self, values: Sequence[str], use_in: bool) -> dict[str, Any]:
        context, attribute = _CONTEXTS[self._object], _ATTRIBUTES[self._object, self._field]
        if use_in:
            return {"queryContext": context, "and": [{attribute: {"in": list(values)}}]}
        return {"queryContext": context, "or": [{attribute: {"equals": value}} for value in values]}


def _by_value(field: str, values: Sequence[str], records: Iterable[Record]) -> dict[str, list[Record]]:
    holders: dict[str, dict[str, Record]] = {}
    for record in records:
        if not record.deleted:
            for value in identifiers(record, field):
                holders.setdefault(value, {})[record.id] = record
    named = {value: holders.get(canonical(field, value)) for value in values}
    return {value: list(found.values()) for value, found in named.items() if found}
