"""Bulk jobs: up to 100 records for one unit of the budget (docs/kustomer.md section 7).

    items → submit → bulk id → answer → one result per item, by its _clientRef

An accepted job is not done, and a complete job is not a success: only an item's own result says what became of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from .answers import text
from .bulk_answers import Batch, BulkAnswer, ItemResult, batch_items, job_is_complete, merged, parse_batch
from .calls import SINGULAR, Call
from .errors import AmbiguousWriteError, NotFoundError, UnexpectedAnswerError
from .identifiers import ObjectName
from .paging import Pages
from .records import data_items
from .retry import Kind
from .session import Session
from .wire import MAX_ITEMS, Operation

METHODS: Final[Mapping[Operation, str]] = {"create": "POST", "update": "PUT"}
_BULK_ID = re.compile(r"[0-9A-Za-z_-]+")
_EMPTY_ANSWERS_BEFORE_ASKING = 3


class BulkJobs:
    """Submits jobs and asks about them."""

    def __init__(self, session: Session, base_url: str) -> None:
        self._session = session
        self._base_url = base_url
        self._empty_answers: dict[str, int] = {}

    async def submit(self, object_name: ObjectName, operation: Operation, items: Sequence[Mapping[str, Any]]) -> str:
        """Hand in a job; its id. See KustomerClient.submit_bulk."""
        _check(items)
        method, path = METHODS[operation], f"/v1/{object_name}/bulk"
        action = f"bulk.{SINGULAR[object_name]}.{operation}"
        body = await self._session.send(Call(method, path, path, action, Kind.WRITE, body=list(items)))
        bulk_id = parse_bulk_id(body)
        if bulk_id is None:
            raise AmbiguousWriteError(
                "Kustomer accepted a bulk job but did not name it: look its records up before sending again",
                method=method,
                path=path,
            )
        return bulk_id

    async def answer(self, bulk_id: str, expected: int) -> BulkAnswer:
        """Where the job stands. See KustomerClient.bulk_answer."""
        answer = await self._answer(bulk_id, expected)
        if answer.complete:
            self._empty_answers.pop(bulk_id, None)
        return answer

    async def _answer(self, bulk_id: str, expected: int) -> BulkAnswer:
        try:
            batches = await self._batches(bulk_id)
        except NotFoundError:  # no batches yet, or none any more: the job itself knows
            if not await self._job_is_complete(bulk_id):
                return BulkAnswer(False, {})
            return BulkAnswer(True, await self._results_now(bulk_id))
        results = merged(batches)
        if expected and len(results) >= expected:
            return BulkAnswer(True, results)
        if not self._worth_asking(bulk_id, batches):
            return BulkAnswer(False, results)
        if batches and not expected:
            return BulkAnswer(True, results)
        if not await self._job_is_complete(bulk_id):
            return BulkAnswer(False, results)
        return BulkAnswer(True, results | await self._results_now(bulk_id))  # the last batch may have ended in between

    def _worth_asking(self, bulk_id: str, batches: list[Batch]) -> bool:
        """Whether the job may be over: every batch is, or again and again there is none to be seen."""
        if batches:
            return all(batch.complete for batch in batches)
        self._empty_answers[bulk_id] = self._empty_answers.get(bulk_id, 0) + 1
        return self._empty_answers[bulk_id] >= _EMPTY_ANSWERS_BEFORE_ASKING

    async def _results_now(self, bulk_id: str) -> dict[str, ItemResult]:
        try:
            return merged(await self._batches(bulk_id))
        except NotFoundError:
            return {}

    async def _batches(self, bulk_id: str) -> list[Batch]:
        path = f"/v1/bulk/{quote(bulk_id, safe='')}/batches"
        pages = Pages(
            self._session,
            Call("GET", path, path, "bulk.read"),
            (),
            parse_batch,
            base_url=self._base_url,
            max_pages=100,
            items_of=batch_items,
        )
        return [batch async for page in pages for batch in page]

    async def _job_is_complete(self, bulk_id: str) -> bool:
        path = f"/v1/bulk/{quote(bulk_id, safe='')}"
        return await self._session.ask(Call("GET", path, path, "bulk.read"), job_is_complete)


def parse_bulk_id(body: Any) -> str | None:
    """The id of a job that was just accepted, None if it cannot be found."""
    try:
        items = data_items(body)
    except UnexpectedAnswerError:
        return None
    bulk_id = text(items[0].get("id")) if items else None
    return bulk_id if bulk_id and _BULK_ID.fullmatch(bulk_id) else None


def _check(items: Sequence[Mapping[str, Any]]) -> None:
    if not 1 <= len(items) <= MAX_ITEMS:
        raise ValueError(f"a bulk request takes 1 to {MAX_ITEMS} items, not {len(items)}")
    refs = [item.get("_clientRef") for item in items]
    if not all(isinstance(ref, str) and 1 <= len(ref) <= 255 for ref in refs) or len(set(refs)) < len(refs):
        raise ValueError("every item of a bulk request needs its own _clientRef of 1 to 255 characters")
