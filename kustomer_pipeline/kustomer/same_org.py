"""Whether Kustomer is still the org that the client began with: what is behind the address, or the key, may change.

Answers name the org that they are of. When one names another, or when what was there a moment ago is unknown, the key
is asked again whose it is: one request, and only then is anything concluded from it. A write names nobody before it is
done; so after a connection that failed, the key is asked before the next write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .errors import OrgChangedError
from .records import related_id


class SameOrg:
    """Watches the answers of a client. `home`: the org it began with, None before that is known."""

    def __init__(self, ask: Callable[[], Awaitable[str]]) -> None:
        self.home: str | None = None
        self._ask = ask
        self._also: set[str] = set()  # what answers of this very org call it besides
        self._losses = 0  # how often a connection failed: who answers next may be somebody else
        self._asked_after = 0  # after so many of them the key was asked
        self._one = asyncio.Lock()

    async def check(self, content: Any) -> None:
        """Look at an answer. Raises OrgChangedError."""
        named = _org_of(content)
        if self.home is None or named is None or named == self.home or named in self._also:
            return
        await self.confirm()
        self._also.add(named)

    def lost(self) -> None:
        """A request did not reach anybody, or its answer did not come."""
        self._losses += 1

    async def before_write(self) -> None:
        """Ask after a connection that failed; the others wait for the answer. Raises KustomerError."""
        if self._asked_after == self._losses:
            return
        async with self._one:
            losses = self._losses
            if self._asked_after != losses:
                await self.confirm()
                self._asked_after = losses

    async def confirm(self) -> None:
        """Ask the key whose it is. Raises OrgChangedError."""
        if self.home is None:
            return
        now = await self._ask()
        if now != self.home:
            raise OrgChangedError(
                f"The API key is of another org by now: it was {self.home} when the run began, and is {now}. The run "
                "has stopped; what it had written in either org is there"
            )


def _org_of(content: Any) -> str | None:
    """The org that an answer names: of its data, or of the first of them."""
    data = content.get("data") if isinstance(content, dict) else None
    first = data[0] if isinstance(data, list) and data else data
    return related_id(first, "org") if isinstance(first, dict) else None
