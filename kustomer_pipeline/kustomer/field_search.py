"""Searching by one field, in the cheapest form that Kustomer takes.

    values ─→ the first batch: `in`, and `or` for those it did not find ─→ does `in` work?
           ─→ the others: `in` of 100 to 400 values, or `or` of at most 20; several batches at once

A batch that is refused is halved: too many values, or one that Kustomer does not like. The sizes of the two forms have
nothing to do with each other. They are kept in `wire`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .answers import body_size
from .concurrently import all_of
from .errors import BadRequestError, PayloadTooLargeError
from .identifiers import ObjectName, canonical, identifiers
from .records import Record
from .search_pages import MAX_RECORDS, SearchPages
from .wire import MAX_BYTES, MAX_CRITERIA, SearchForms

CONTEXTS: Final[dict[ObjectName, str]] = {"customers": "customer", "companies": "company"}
_REFUSED = (BadRequestError, PayloadTooLargeError)
_TRIALS = 3  # of `in` while nobody whom it could find turns up


@dataclass
class _Hits:
    """What one batch brought."""

    records: list[Record] = field(default_factory=list)
    understood: bool = True  # the answer has to do with the question
    whole: bool = True  # no part of the batch was refused
    timed_out: bool = False  # Kustomer says itself that more may match


class FieldSearch:
    """Searches by one field of one object."""

    def __init__(
        self, pages: SearchPages, object_name: ObjectName, name: str, attribute: str, forms: Callable[[], SearchForms]
    ) -> None:
        self._pages = pages
        self._object_name = object_name
        self._name = name
        self._attribute = attribute
        self._current_forms = forms
        self._trial = asyncio.Lock()
        self._taken = {True: 0, False: 0}  # the most values that were taken, by form: `in` or not

    @property
    def _forms(self) -> SearchForms:
        return self._current_forms()

    async def find(self, values: Sequence[str]) -> list[Record]:
        """Records that hold any of the values. Batches of a size that is known to be taken go out together."""
        found: list[Record] = []
        rest = list(values)
        while rest and self._is_trial(len(rest)):
            async with self._trial:
                if self._is_trial(len(rest)):
                    batch, rest = self._cut(rest)
                    found += await self._first_of_its_kind(batch)
        batches = []
        while rest:
            batch, rest = self._cut(rest)
            batches.append(batch)
        use_in = bool(self._forms.in_works)
        for hits in await all_of(self._ask(batch, use_in=use_in) for batch in batches):
            found += hits.records
        return found

    def _is_trial(self, count: int) -> bool:
        """Whether the next batch finds out something: whether `in` works, or whether so many values are taken."""
        if self._forms.in_works is None:
            return count > 1
        use_in = self._forms.in_works
        return min(count, self._size(use_in)) > max(1, self._taken[use_in])

    def _size(self, use_in: bool) -> int:
        forms = self._forms
        return min(forms.in_size, forms.in_ceiling) if use_in else min(forms.criteria, MAX_CRITERIA)

    def _cut(self, values: list[str]) -> tuple[list[str], list[str]]:
        size = self._size(bool(self._forms.in_works))
        return values[:size], values[size:]

    async def _first_of_its_kind(self, batch: Sequence[str]) -> list[Record]:
        if self._forms.in_works is None:
            return await self._try_in(batch)
        return (await self._ask(batch, use_in=self._forms.in_works)).records

    async def _try_in(self, values: Sequence[str]) -> list[Record]:
        """`in` is not documented for these fields: believed if it finds somebody, and `or` nobody else."""
        try:
            hits = await self._one(values, use_in=True)
        except _REFUSED:
            hits = _Hits(understood=False)
        found = by_value(self._name, values, hits.records)
        rest = [value for value in values if value not in found]
        more = (await self._ask(rest, use_in=False)).records if rest else []
        missed = by_value(self._name, rest, more)
        forms = self._forms
        if hits.timed_out:
            return hits.records + more  # whom it missed says nothing of `in`
        forms.tried += 1
        if hits.understood and not found and not missed and forms.tried < _TRIALS:
            return []  # nobody is there: that says nothing of `in`
        forms.in_works = hits.understood and bool(found) and not missed
        return hits.records + more

    async def _ask(self, values: Sequence[str], *, use_in: bool) -> _Hits:
        """One batch, halved as long as it is refused. A single value that is refused has no hits."""
        if len(values) > 1 and body_size(self._body(values, use_in)) > MAX_BYTES:
            return await self._in_halves(values, use_in=use_in)
        try:
            hits = await self._one(values, use_in=use_in)
        except _REFUSED:
            return await self._refused(values, use_in=use_in)
        self._taken[use_in] = max(self._taken[use_in], len(values))
        forms = self._forms
        if use_in and len(values) >= forms.in_size:
            forms.in_size = min(forms.in_ceiling, 2 * forms.in_size)
        return hits

    async def _refused(self, values: Sequence[str], *, use_in: bool) -> _Hits:
        """Too many values, one bad value, or the page size: find out which."""
        if self._pages.smaller():
            return await self._ask(values, use_in=use_in)
        if len(values) == 1:
            return _Hits(whole=False)
        hits = await self._in_halves(values, use_in=use_in)
        if hits.whole:  # both halves went through, so it was refused for its size
            self._shrink(max(1, len(values) // 2), use_in=use_in)
        return _Hits(hits.records, whole=False)

    def _shrink(self, size: int, *, use_in: bool) -> None:
        forms = self._forms
        if use_in:
            forms.in_size, forms.in_ceiling = min(forms.in_size, size), min(forms.in_ceiling, size)
        else:
            forms.criteria = min(forms.criteria, size)

    async def _in_halves(self, values: Sequence[str], *, use_in: bool) -> _Hits:
        half = len(values) // 2
        first = await self._ask(values[:half], use_in=use_in)
        second = await self._ask(values[half:], use_in=use_in)
        return _Hits(first.records + second.records, whole=first.whole and second.whole)

    async def _one(self, values: Sequence[str], *, use_in: bool) -> _Hits:
        """One question and the pages of its answer; whether it was understood shows on the first page."""
        missing = {canonical(self._name, value) for value in values}
        wanted, hits = frozenset(missing), _Hits()
        pages = self._pages.ask(self._object_name, self._body(values, use_in), values)
        async for page in pages:
            self._pages.accepted()
            held = [(record, identifiers(record.attributes, self._name)) for record in page]
            related = [record for record, values_held in held if wanted.intersection(values_held)]
            hits.records += related
            hits.timed_out = pages.timed_out
            for _, values_held in held:
                missing.difference_update(values_held)
            if use_in and self._forms.in_works is None and len(page) > 2 * len(related):
                return _Hits(hits.records, understood=False)
            if pages.read * self._pages.size >= MAX_RECORDS or self._costs_too_much(pages.read, missing):
                break
        return hits

    def _costs_too_much(self, pages_read: int, missing: set[str]) -> bool:
        """A further page costs as much as one look-up. (Many may hold a name: there all pages count.)"""
        return self._name != "name" and pages_read >= len(missing)

    def _body(self, values: Sequence[str], use_in: bool) -> dict[str, Any]:
        context = CONTEXTS[self._object_name]
        if use_in:
            return {"queryContext": context, "and": [{self._attribute: {"in": list(values)}}]}
        return {"queryContext": context, "or": [{self._attribute: {"equals": value}} for value in values]}


def by_value(name: str, values: Sequence[str], records: Iterable[Record]) -> dict[str, list[Record]]:
    """Each value that live records hold exactly → those records."""
    holders: dict[str, dict[str, Record]] = {}
    for record in records:
        if not record.deleted:
            for value in identifiers(record.attributes, name):
                holders.setdefault(value, {})[record.id] = record
    named = {value: holders.get(canonical(name, value)) for value in values}
    return {value: list(found.values()) for value, found in named.items() if found}
