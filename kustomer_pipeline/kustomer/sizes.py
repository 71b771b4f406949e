"""How large an org is: the total of a list, or the place where its pages end.

A list of customers tells its total; one of companies does not (docs/kustomer.md section 4.6), so its last page is
looked for: a few units, once.
"""

from __future__ import annotations

import asyncio

from .errors import BadRequestError, NotFoundError, PermissionDeniedError, ServerError, UnexpectedAnswerError
from .identifiers import ObjectName
from .lists import PAGE_SIZE, Lists, Page

_NO_LIST = (BadRequestError, NotFoundError, PermissionDeniedError, ServerError, UnexpectedAnswerError)


class Sizes:
    """How many records an org has, found out once for each object."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._known: dict[ObjectName, int | None] = {}
        self._finding_out = asyncio.Lock()

    def learn(self, object_name: ObjectName, size: int) -> None:
        """A list told."""
        self._known[object_name] = size

    async def size(self, object_name: ObjectName) -> int | None:
        """The number of records. See KustomerClient.org_size."""
        async with self._finding_out:
            if object_name not in self._known:
                try:
                    self._known[object_name] = await self._find_out(object_name)
                except _NO_LIST:
                    self._known[object_name] = None
        return self._known[object_name]

    async def _find_out(self, object_name: ObjectName) -> int:
        """The total where the list tells it; else which page is the last: 1, 4, 16, … and then between."""
        there, number = 0, 1  # pages up to `there` exist
        while True:
            page = await self._page(object_name, number)
            if page is None or not page.items:
                break
            if page.total is not None:
                return page.total
            if not page.following:
                return (number - 1) * PAGE_SIZE + len(page.items)
            there, number = number, number * 4
        return await self._between(object_name, there, number)

    async def _between(self, object_name: ObjectName, there: int, beyond: int) -> int:
        while beyond - there > 1:
            middle = (there + beyond) // 2
            page = await self._page(object_name, middle)
            if page is None or not page.items:
                beyond = middle
            elif not page.following:
                return (middle - 1) * PAGE_SIZE + len(page.items)
            else:
                there = middle
        return there * PAGE_SIZE

    async def _page(self, object_name: ObjectName, number: int) -> Page | None:
        """A page, None where the server refuses one that is past the end."""
        try:
            return await self._lists.page(object_name, number)
        except (BadRequestError, NotFoundError):
            if number == 1:
                raise
            return None
