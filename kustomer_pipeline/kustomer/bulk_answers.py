"""What Kustomer says about a bulk job (docs/kustomer.md section 7), in every form in which it may say it.

    the JSON of an answer → batches → one result per item, by its _clientRef

Which form the batches have is not certain, so every likely one is understood, and only known words count.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .answers import said_in, text
from .errors import UnexpectedAnswerError
from .records import attributes_of, data_items

Status = Literal["created", "updated", "error"]
_WORDS: dict[str, Status] = {"created": "created", "updated": "updated", "error": "error", "failed": "error"}


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


def batch_items(body: Any) -> list[dict[str, Any]]:
    """The batches in an answer: a list at the top, under data, or under batches; or one batch alone."""
    if isinstance(body, dict) and "data" not in body:
        batches = body.get("batches")
        if isinstance(batches, list):
            return data_items(batches)
        if "status" in body or "results" in body or "attributes" in body:
            return [body]
    return data_items(body)


def parse_batch(item: dict[str, Any]) -> Batch:
    """One batch, flat or with attributes."""
    attributes = attributes_of(item)
    status = attributes.get("status")
    over = status == "complete" if isinstance(status, str) else bool(attributes.get("completedAt"))
    entries = [
        *(_unpacked(entry) for entry in _list(attributes.get("errors"))),
        *_list(attributes.get("results")),  # the last word where both speak of an item
    ]
    results = [result for entry in entries if (result := parse_result(entry)) is not None]
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


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _unpacked(entry: Any) -> Any:
    """An error as {id, data} (docs/kustomer.md section 7.5): what is said of the item is in `data`, if it names it."""
    data = entry.get("data") if isinstance(entry, dict) else None
    if not isinstance(data, dict) or "_clientRef" in entry:
        return entry
    return {"status": "error", **entry, **data}


def _error_text(error: Any) -> str | None:
    if isinstance(error, list):
        return "; ".join(said for entry in error if (said := _error_text(entry))) or None
    if isinstance(error, dict):
        return said_in(error) or json.dumps(error, ensure_ascii=False, default=str)
    return text(error)
