"""One call of the API on its way through the sandbox: what was asked, by whom, and the helpers of all
endpoints.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

from .errors import bad_parameter, too_many_requests
from .faults import Fault
from .present import Look, list_json, record_json
from .records import Json, Record
from .state import ApiKey, RequestRecord, SandboxState
from .store import WriteOptions

_MAX_PAGE_SIZE = 100
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `payload` None is an answer without a body."""

    status: int
    payload: Any = None


@dataclass
class Call:
    """A request and the org it is for. `variables` are the decoded parts of the path."""

    state: SandboxState
    record: RequestRecord
    query: dict[str, str]
    content_type: str
    raw_body: bytes
    now: float
    variables: tuple[str, ...] = ()
    body: Any = None
    key: ApiKey | None = None
    roles: tuple[str, ...] = ()
    just_read: list[Record] = field(default_factory=list)
    """Customers in the answer: those that an agent may edit right after (see fault_names.py)."""
    object_budget: tuple[int, int] | None = None
    """How many updates a minute this key has for the record that it updates, and how many are left."""
    _fired: dict[str, Fault | None] = field(default_factory=dict)

    # ---- faults ----

    def fault(self, name: str) -> Fault | None:
        """The fault if it fires for this request; the same answer however often it is asked."""
        if name not in self._fired:
            self._fired[name] = self.state.faults.fire(name, self.record.method, self.record.path)
        return self._fired[name]

    def setting(self, name: str, otherwise: Any) -> Any:
        """The value of the fault if it fires, else `otherwise`."""
        fault = self.fault(name)
        return otherwise if fault is None else fault.value

    # ---- who ----

    @property
    def user_id(self) -> str:
        """The machine user who calls."""
        assert self.key is not None  # every endpoint is behind the key
        return self.key.user_id

    # ---- writing ----

    def write_options(self, *, bulk: bool, replace: bool = False) -> WriteOptions:
        """How this request writes, with the switches as they are now."""
        unlink = bool(self.fault("bulk_unlink_company")) if bulk else not self.fault("keep_company_on_omit")
        return WriteOptions(
            replace=replace,
            unlink_company=unlink,
            ignore_rev=bool(self.fault("rev_ignored")),
            auto_create_tags=not self.fault("tags_no_auto_create"),
            keep_deleted_external_id=bool(self.fault("deleted_company_reserved")),
            refuse_untag=bool(self.fault("untag_refused")),
            refuse_dead_tags=bool(self.fault("dead_references_refused")),
            conflicts=self._conflicts if self.fault("rev_conflict") else None,
        )

    def _conflicts(self) -> bool:
        return self.state.faults.use_up("rev_conflict")

    def agent_options(self) -> WriteOptions:
        """How an agent writes: what is not named stays."""
        return WriteOptions()

    def spend_on_object(self, record_id: str) -> None:
        """Count an update of one record by this key; 429 above the limit per record (docs/kustomer.md section
        3).
        """
        objects, name = self.state.limits.objects, (self.user_id, record_id)
        limit = self.setting("object_limit", objects.limit)
        taken = objects.take(self.now, name, limit=limit)
        self.object_budget = (limit, limit - objects.limit + objects.remaining(self.now, name))
        if not taken:
            raise too_many_requests("object rate limit")

    # ---- answering ----

    def show(self, record: Record) -> Json:
        """A record as this request gets to see it."""
        if record.kind == "customer":
            self.just_read.append(record)
        return record_json(self.state, record, self._look)

    @cached_property
    def _look(self) -> Look:
        masked = str(self.setting("masked", "")).split(",")
        return Look(
            extras=bool(self.fault("list_item_extras")),
            masked=tuple(name for name in masked if name),
            nulls=bool(self.fault("unset_as_null")),
            plain_whatsapps=bool(self.fault("whatsapp_plain")),
        )

    def page(self, *, maximum: int = _MAX_PAGE_SIZE, default: int = 100) -> tuple[int, int]:
        """The page (from 1) and its size that were asked for. A size above the maximum is the maximum, 0 the default:
        other people's clients send both.
        """
        page, size = self._whole_number("page", 1), self._whole_number("pageSize", default)
        if page < 1:
            raise bad_parameter("Too small", "page")
        if not 1 <= size <= maximum and self.fault("page_size_refused"):
            raise bad_parameter(f"Not within 1 and {maximum}", "pageSize")
        return page, min(size or default, maximum)

    def link(self, page_size: int) -> Callable[[int], str]:
        """What gives the link to a page of this list: the page and its size come first, as in recorded links, which
        other people's clients compare as texts.
        """
        others = "".join(
            f"&{quote(name, safe='[]')}={quote(value)}"
            for name, value in self.query.items()
            if name not in ("page", "pageSize")
        )
        return lambda page: f"{self.record.path}?page={page}&pageSize={page_size}{others}"

    def list_answer(
        self,
        records: Sequence[_Item],
        show: Callable[[_Item], Json],
        *,
        reports_total: bool = True,
        descending: bool = False,
        maximum: int = _MAX_PAGE_SIZE,
    ) -> Answer:
        """The page that was asked for out of all `records`, counted from the end when descending."""
        page, size = self.page(maximum=maximum)
        total = len(records)
        start, stop = min((page - 1) * size, total), min(page * size, total)
        on_page = records[total - stop : total - start][::-1] if descending else records[start:stop]
        return Answer(
            200,
            list_json(
                [show(record) for record in on_page],
                link=self.link(size),
                page=page,
                page_size=size,
                total=total,
                reports_total=reports_total,
                last=math.ceil(total / size),
            ),
        )

    def _whole_number(self, name: str, default: int) -> int:
        text = self.query.get(name, str(default))
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise bad_parameter("Not a whole number", name)
        return int(text)

    def read_body(self) -> None:
        """Parse the JSON body; 400 when it is not JSON, or not said to be."""
        if self.content_type.split(";")[0].strip().lower() != "application/json":
            raise bad_parameter("Content-Type must be application/json", "content-type")
        try:
            self.body = json.loads(self.raw_body, parse_constant=_no_constant)
        except ValueError:
            raise bad_parameter("Invalid JSON", "body") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
