"""What somebody who examines an org needs beyond the client's own questions: requests of another form, and the answers
as they came.

The same budget, retries and typed errors as everything else goes through here; nothing in a run uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .calls import Call
from .identifiers import ObjectName
from .lists import Lists, Page
from .retry import Kind
from .session import Session
from .transport import Answer

SEARCH_PATH = "/v1/customers/search"


class Probe:
    """Requests of any form. `base_url` and `rate_reserve` are the client's."""

    def __init__(self, session: Session, lists: Lists, base_url: str, rate_reserve: float) -> None:
        self._session = session
        self._lists = lists
        self.base_url = base_url
        self.rate_reserve = rate_reserve

    def listen(self, listener: Callable[[Answer], None]) -> None:
        """From now on `listener` hears of every answer: status, headers, body. It must not keep what is personal."""
        self._session.listener = listener

    async def read(self, path: str, shown: str, action: str) -> Any:
        """The JSON of a GET. `path` is percent-encoded, `shown` names it without identifiers. Raises KustomerError."""
        return await self._session.send(Call("GET", path, shown, action))

    async def search(self, body: dict[str, Any], page_size: int = 100) -> Any:
        """The JSON of the first page of a search. Raises KustomerError."""
        path = f"{SEARCH_PATH}?page=1&pageSize={page_size}"
        return await self._session.send(Call("POST", path, SEARCH_PATH, "search", body=body, search=True))

    async def write(self, method: str, path: str, body: Any, action: str) -> Any:
        """The JSON of a write, sent once. Raises KustomerError, AmbiguousWriteError when its outcome is not known."""
        return await self._session.send(Call(method, path, path, action, Kind.WRITE, body=body))

    async def first_page(self, object_name: ObjectName) -> Page:
        """The first page of a list, asked for as a walk through it would ask. Raises KustomerError."""
        return await self._lists.page(object_name, 1)
