"""Bulk jobs: up to 100 records for one unit of the budget (docs/kustomer.md section 7).

    items → submit → bulk id → batches → one result per item, by its _clientRef

An accepted job is not done, and a complete job is not a success: only an item's own result says what became
of it. Which form the batches have is not documented, so every likely one is understood, and only known
words count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from .answers import said_in, text
from .calls import Call
from .errors import AmbiguousWriteError, NotFoundError, UnexpectedAnswerError
from .paging import Pages
from .records import ObjectName, attributes_of, data_items
from .retry import Kind
from .session import Session

Operation = Literal["create", "update"]
Status = Literal["created", "updated", "error"]
MAX_ITEMS = 100
_METHODS: dict[str, str] = {"create": "POST", "update": "PUT"}
_SINGULAR = {"customers": "customer", "companies": "company"}
_BULK_ID = re.compile(r"[0-9A-Za-z_-]+")
_WORDS: dict[str, Status] = {"created": "created", "updated": "updated", "error": "error", "failed": "error"}
_EMPTY_ANSWERS_BEFORE_ASKING = 3


@dataclass(frozen=True)
class ItemResult:
    """What became of one item. `error` is Kustomer's text and may quote values of the record."""

    ref: str
    status: Status
    object_id: str | None
    error: str | None


@dataclass(frozen=True)
class BulkAnswer:
    """Where a job stands. Results by _clientRef, as far as they are known.

    `complete` means that no more results will come; an item without one has to be looked up.
    """

    complete: bool
    results: dict[str, ItemResult]


@dataclass(frozen=True)
class Batch:
    """One batch of a job."""

    complete: bool
    results: dict[str, ItemResult] = field(default_factory=dict)


class BulkJobs:
    """Submits jobs and asks about them."""

    def __init__(self, session: Session, base_url: str) -> None:
        self._session = session
        self._base_url = base_url
        self._empty_answers: dict[str, int] = {}

    def submit(self, object: ObjectName, operation: Operation, items: Sequence[Mapping[str, Any]]) -> str:
        """Hand in a job; its id. See KustomerClient.submit_bulk."""
        _check(items)
        path = f"/v1/{object}/bulk"
        action = f"{_SINGULAR[object]}.{operation}"
        body = self._session.send(Call(_METHODS[operation], path, path, action, Kind.WRITE, body=list(items)))
        bulk_id = parse_bulk_id(body)
        if bulk_id is None:
            raise AmbiguousWriteError(
                "Kustomer accepted a bulk job but did not name it: look its records up before sending again",
                method=_METHODS[operation],
                path=path,
            )
        return bulk_id

    def answer(self, bulk_id: str, expected: int) -> BulkAnswer:
        """Where the job stands. See KustomerClient.bulk_answer."""
        try:
            batches = self._batches(bulk_id)
        except NotFoundError:  # no batches yet, or none any more: the job itself knows
            batches = []
            if not self._job_is_complete(bulk_id):
                return BulkAnswer(False, {})
            return BulkAnswer(True, self._results_now(bulk_id))
        results = merged(batches)
        if expected and len(results) >= expected:
            return BulkAnswer(True, results)
        if not self._worth_asking(bulk_id, batches):
            return BulkAnswer(False, results)
        if batches and not expected:
            return BulkAnswer(True, results)
        if not self._job_is_complete(bulk_id):
            return BulkAnswer(False, results)
        return BulkAnswer(True, results | self._results_now(bulk_id))  # the last batch may have ended in between

    def _worth_asking(self, bulk_id: str, batches: list[Batch]) -> bool:
        """Whether the job may be over: every batch is, or again and again there is none to be seen."""
        if batches:
            return all(batch.complete for batch in batches)
        self._empty_answers[bulk_id] = self._empty_answers.get(bulk_id, 0) + 1
        return self._empty_answers[bulk_id] >= _EMPTY_ANSWERS_BEFORE_ASKING

    def _results_now(self, bulk_id: str) -> dict[str, ItemResult]:
        try:
            return merged(self._batches(bulk_id))
        except NotFoundError:
            return {}

    def _batches(self, bulk_id: str) -> list[Batch]:
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
        return [batch for page in pages for batch in page]

    def _job_is_complete(self, bulk_id: str) -> bool:
        path = f"/v1/bulk/{quote(bulk_id, safe='')}"
        return self._session.ask(Call("GET", path, path, "bulk.read"), job_is_complete)


def batch_items(body: Any) -> list[dict[str, Any]]:
    """The batches in an answer: a list at the top, under data, or under batches; or one batch alone."""
    if isinstance(body, dict) and "data" not in body:
        listed = body.get("batches")
        if isinstance(listed, list):
            return data_items(listed)
        if "status" in body or "results" in body or "attributes" in body:
            return [body]
    return data_items(body)


def parse_batch(item: dict[str, Any]) -> Batch:
    """One batch, flat or with attributes."""
    attributes = attributes_of(item)
    status = attributes.get("status")
    over = status == "complete" if isinstance(status, str) else bool(attributes.get("completedAt"))
    listed = [entry for key in ("errors", "results") for entry in _listed(attributes.get(key))]
    results = [result for entry in listed if (result := parse_result(entry)) is not None]
    return Batch(over, {result.ref: result for result in results})


def parse_result(entry: Any) -> ItemResult | None:
    """The result of one item; None where the item is not named or nothing certain is said of it."""
    if not isinstance(entry, dict):
        return None
    ref = text(entry.get("_clientRef"))
    if ref is None:
        return None
    error = _error_text(entry.get("error", entry.get("errors")))
    word = entry.get("status")
    status = _WORDS.get(word.lower()) if isinstance(word, str) else None
    if status is None and error is not None:
        status = "error"
    if status is None:
        return None
    if status == "error":
        return ItemResult(ref, status, None, error or "refused without a reason")
    return ItemResult(ref, status, text(entry.get("objectId")), None)


def merged(batches: Sequence[Batch]) -> dict[str, ItemResult]:
    """The results of all batches."""
    return {ref: result for batch in batches for ref, result in batch.results.items()}


def job_is_complete(body: Any) -> bool:
    """Whether a job says that it is over and all its batches are."""
    items = data_items(body)
    if len(items) != 1:
        raise UnexpectedAnswerError("the answer is not one bulk job")
    attributes = attributes_of(items[0])
    batches = attributes.get("batches")
    if isinstance(batches, dict) and "total" in batches and batches.get("complete") != batches["total"]:
        return False
    return attributes.get("status") == "complete" or (
        attributes.get("status") is None and attributes.get("completed") is True
    )


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


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _error_text(error: Any) -> str | None:
    if isinstance(error, list):
        return "; ".join(said for entry in error if (said := _error_text(entry))) or None
    if isinstance(error, dict):
        return said_in(error) or json.dumps(error, ensure_ascii=False, default=str)
    return text(error)
