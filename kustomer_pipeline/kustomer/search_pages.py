"""One search and the pages of its answer (docs/kustomer.md section 8): 500 a page, or 100 in an org that refuses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from .calls import Call
from .identifiers import ObjectName
from .paging import Pages
from .records import Record, parse_record
from .session import Session
from .wire import Wire

PATH = "/v1/customers/search"
MAX_RECORDS = 10_000
_MAX_PAGES = 100  # a link to page 101 is given, and must not be followed
_PAGE_SIZE, _OLD_PAGE_SIZE = 500, 100


class SearchPages:
    """Asks one question and gives the pages of its answer; knows which page size this org takes."""

    def __init__(self, session: Session, base_url: str, wire: Wire) -> None:
        self._session = session
        self._base_url = base_url
        self._wire = wire

    @property
    def size(self) -> int:
        """Records a page."""
        return self._wire.search_page_size or _PAGE_SIZE

    def ask(self, object_name: ObjectName, body: dict[str, Any], values: Sequence[str] = ()) -> Pages[Record]:
        """The pages of an answer; iterate to read them. `values`: the identifiers that `body` asks for."""
        return Pages(
            self._session,
            Call("POST", PATH, PATH, "search", body=body, search=True, names=tuple(values)),
            (("page", "1"), ("pageSize", str(self.size))),
            partial(parse_record, object_name),
            base_url=self._base_url,
            max_pages=_MAX_PAGES,
        )

    def accepted(self) -> None:
        """A question with this page size was answered."""
        self._wire.search_page_size = self.size

    def smaller(self) -> bool:
        """Whether a refusal may be due to the page size, which is then smaller from now on."""
        if self._wire.search_page_size is not None:
            return False
        self._wire.search_page_size = _OLD_PAGE_SIZE
        return True
