"""Bulk jobs: what was submitted, and what became of each item."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..jobs import Batch, Job
from ..state import SandboxState
from .html import Child, Html, chip, code, element, joined, link, pretty, quiet
from .links import record_link, user_name
from .parts import Row, facts, moment, not_found, pager, section, table
from .visit import PAGE_SIZE, Sheet, Visit

_NAMES = ["Submitted", "Job", "Status", "Batches", "Items", "Done", "Refused", "Id"]
_PLURALS = {"customer": "customers", "company": "companies"}
_STATUS_KINDS = {"complete": "good", "running": "warn", "created": "good", "updated": "good", "deleted": "good"}


@dataclass(frozen=True)
class _Result:
    """What became of an item."""

    status: str
    object_id: str | None = None
    error: str | None = None


def jobs_page(visit: Visit) -> Sheet:
    """The list of jobs, newest first."""
    jobs = visit.state.jobs.jobs
    chosen = islice(reversed(jobs.values()), visit.start, visit.start + PAGE_SIZE)
    rows = [job_row(visit, job) for job in chosen]
    return Sheet("Bulk jobs", section("Bulk jobs", table(_NAMES, rows), pager(visit, len(rows), count=len(jobs))))


def job_row(visit: Visit, job: Job) -> Row:
    """A job in a list."""
    status = job.status(visit.now)
    done = sum(len(batch.object_ids) for batch in job.batches)
    refused = sum(len(batch.errors) for batch in job.batches)
    return Row(
        moment(job.submitted),
        link(_title(job), f"/jobs/{job.id}"),
        chip(status, _STATUS_KINDS.get(status, "")),
        f"{sum(batch.completed_at is not None for batch in job.batches)} of {len(job.batches)}",
        len(_submitted(job)),
        done,
        chip(str(refused), "bad") if refused else 0,
        code(job.id),
        kind="bad" if refused else "",
    )


def job_page(visit: Visit, job_id: str) -> Sheet:
    """One job: its batches, its items, and the result of each."""
    job = visit.state.jobs.jobs.get(job_id)
    if job is None:
        return not_found("bulk job")
    status = job.status(visit.now)
    held = "for ever" if job.stuck else f"for {job.polls_left} more polls" if job.polls_left else None
    values: list[tuple[str, Child]] = [
        ("Id", code(job.id)),
        ("Status", chip(status, _STATUS_KINDS.get(status, ""))),
        ("Submitted", joined(moment(job.submitted), " by ", user_name(visit.state, job.by))),
    ]
    if held and not job.complete:
        values.append(("Held in the queue", held))
    batches = (
        Row(code(batch.id), job.batch_status(batch, visit.now), _when(job, batch), len(batch.object_ids),
            _refused(batch))
        for batch in job.batches
    )  # fmt: skip
    return Sheet(
        _title(job),
        joined(
            section(_title(job), facts(values)),
            section("Batches", table(["Id", "Status", "Due, or done at", "Done", "Refused"], batches)),
            section("Items", quiet("What really became of them, whatever the faults make of it in the answers."),
                    _items(visit.state, job)),
        ),
    )  # fmt: skip


def _title(job: Job) -> str:
    return f"{job.operation} {_PLURALS[job.kind]}"


def _when(job: Job, batch: Batch) -> Html:
    if batch.completed_at is not None:
        return moment(batch.completed_at)
    return joined("not before it is let go") if job.held else moment(batch.due)


def _refused(batch: Batch) -> Child:
    """How many items were refused; why, where the list of items cannot say it."""
    unnamed = [str(error["error"]) for error in batch.errors if not {"id", "_clientRef"} & error.keys()]
    return joined(len(batch.errors), (element("div", text, class_="problem") for text in unnamed))


def _submitted(job: Job) -> list[Any]:
    """The items as they came: a list of them, or ids with one body for all (or none, for a deletion)."""
    if job.ids:
        return [{"id": record_id, **job.echo} for record_id in job.ids]
    return list(job.echo)


def _items(state: SandboxState, job: Job) -> Html:
    items = _submitted(job)
    results = _results(job, items)
    rows = []
    for number, (item, result) in enumerate(zip(items, results, strict=True), start=1):
        refused = result.status == "refused"
        rows.append(
            Row(
                number,
                item.get("_clientRef"),
                chip(result.status, "bad" if refused else _STATUS_KINDS.get(result.status, "")),
                record_link(state, job.kind, result.object_id) if result.object_id else None,
                result.error,
                element("details", element("summary", "as it was sent"), pretty(item)),
                kind="bad" if refused else "",
            )
        )
    return table(["Number", "_clientRef", "Result", "Record", "Error", "Item"], rows)


def _results(job: Job, items: list[Any]) -> list[_Result]:
    """The result of each item, in their order. The batches have them by `_clientRef` or by id; creates without a
    `_clientRef` have only the ids of what was made, so that of those nobody can say which item is which.
    """
    done = {"create": "created", "update": "updated", "delete": "deleted"}[job.operation]
    waiting = _Result("not yet")
    if job.has_refs:
        by_ref = {result["_clientRef"]: result for batch in job.batches for result in batch.results}
        return [_of_ref(by_ref[ref]) if (ref := item["_clientRef"]) in by_ref else waiting for item in items]
    if job.operation == "create":
        finished = sum(len(batch.object_ids) + len(batch.errors) for batch in job.batches)
        refused = any(batch.errors for batch in job.batches)
        ids = [object_id for batch in job.batches for object_id in batch.object_ids]
        if finished == len(items) and not refused:
            return [_Result(done, object_id) for object_id in ids]
        return [_Result("not known: sent without _clientRef") if number < finished else waiting
                for number in range(len(items))]  # fmt: skip
    succeeded = {object_id for batch in job.batches for object_id in batch.object_ids}
    errors = {error["id"]: str(error["error"]) for batch in job.batches for error in batch.errors if "id" in error}
    return [
        _Result("refused", item["id"], errors[item["id"]]) if item["id"] in errors
        else _Result(done, item["id"]) if item["id"].lower() in succeeded or item["id"] in succeeded
        else waiting
        for item in items
    ]  # fmt: skip


def _of_ref(result: dict[str, Any]) -> _Result:
    if result["status"] == "error":
        return _Result("refused", error=str(result["error"]))
    return _Result(str(result["status"]), result.get("objectId"))
