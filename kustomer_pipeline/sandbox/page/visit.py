"""One look at the page: what was asked for, of which org, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from ..state import SandboxState
from .holders import Holders, HoldersBook
from .html import Html

PAGE_SIZE = 100


@dataclass(frozen=True)
class Visit:
    """What every page is made of. The org's lock is held while it is used."""

    state: SandboxState
    book: HoldersBook
    now: float
    path: str
    address: str
    """The sandbox's URL as this browser knows it."""
    token: str
    """To be sent back by a form."""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def holders(self) -> Holders:
        """Who holds a tag, who belongs to a company."""
        return self.book.of(self.state.store)

    @property
    def start(self) -> int:
        """The number of the first row of a list, from 0."""
        return self._number("start") or 0

    @property
    def refresh(self) -> int | None:
        """Seconds after which the page is to be loaded again; None for not at all."""
        seconds = self._number("refresh")
        return min(seconds, 3600) if seconds else None

    def asked(self, name: str) -> str:
        """What the query says of this; empty for nothing."""
        return self.query.get(name, "").strip()

    def link(self, **changes: str | int | None) -> str:
        """This page with another query: None takes a name away."""
        asked = {**self.query, **changes}
        query = urlencode({name: value for name, value in asked.items() if value not in (None, "")})
        return f"{self.path}?{query}" if query else self.path

    def _number(self, name: str) -> int | None:
        text = self.asked(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


@dataclass(frozen=True)
class Sheet:
    """What a page shows between its head and its end."""

    title: str
    body: Html
    status: int = 200
    may_refresh: bool = True
    """False where something is typed in."""
