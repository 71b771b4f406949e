"""What bulk updates do: three jobs of one record, and one of a record that is not there."""

from __future__ import annotations

from typing import Any, Final

from kustomer_pipeline.kustomer import BadRequestError, attributes_of
from kustomer_pipeline.kustomer.bulk_answers import batch_items, merged, parse_batch

from ..check_lists import NOBODY
from ..check_rest import batches_finding
from ..findings import Finding, Level
from .subject import Subject

SECTION: Final = "writes"


def same_again(subject: Subject) -> list[Finding]:
    """A job that sends what is there already: how long it takes, and the form of its batches."""
    started = subject.client.clock.monotonic()
    body = _done(subject, [{"_clientRef": "doctor-1", "id": subject.original.id, "company": subject.company}])
    seconds = subject.client.clock.monotonic() - started
    says = f"a job of one record took about {seconds:.1f} s"
    took = Finding(SECTION, "bulk job", Level.OK, says, value={"seconds": round(seconds, 1)})
    return [took, batches_finding(SECTION, body)]


def refused_items(subject: Subject) -> list[Finding]:
    """An outdated `rev`, and a record that is not there: what their results say."""
    rev = subject.now().rev
    items: list[dict[str, Any]] = [{"_clientRef": "doctor-2", "id": NOBODY, "company": None}]
    if rev is not None:
        items.append({"_clientRef": "doctor-3", "id": subject.original.id, "company": subject.company, "rev": rev - 1})
    try:
        body = _done(subject, items)
    except BadRequestError as error:
        says = f"a request with rev is refused as a whole ({error.status}): updates go without it"
        return [Finding(SECTION, "rev in bulk", Level.WARNING, says, value="refused")]
    results = merged([parse_batch(item) for item in batch_items(body)])
    found = [_error_form(body)]
    result = results.get("doctor-3")
    if rev is None or result is None:
        return [*found, Finding(SECTION, "rev in bulk", Level.UNKNOWN, "the batches do not say what became of it")]
    if result.status == "error":
        says = "is compared: an outdated item is refused, read again and decided anew"
        return [*found, Finding(SECTION, "rev in bulk", Level.OK, says, value="compared")]
    says = "is not compared: an edit between a run's read and its write may be overwritten"
    return [*found, Finding(SECTION, "rev in bulk", Level.WARNING, says, value="ignored")]


def without_company(subject: Subject) -> list[Finding]:
    """A bulk update without `company`: does it take the link away?"""
    name = "company left out in bulk"
    if subject.company is None:
        return [Finding(SECTION, name, Level.UNKNOWN, "the record has no company: name one that has")]
    subject.touched.add("company")
    tags = subject.before.get("tags", [])
    _done(subject, [{"_clientRef": "doctor-4", "id": subject.original.id, "tags": tags}])
    unlinked = subject.now().company_id is None
    subject.put_back()
    says = "takes the link away" if unlinked else "keeps the link"
    return [Finding(SECTION, name, Level.OK, f"{says}; company is always sent", value={"unlinks": unlinked})]


def _done(subject: Subject, items: list[dict[str, Any]]) -> Any:
    """The batches of a job, once it is over, as they come."""
    bulk_id = subject.submit(items)
    subject.settle()
    path = f"/v1/bulk/{bulk_id}/batches"
    return subject.client.run(subject.client.probe.read(path, "/v1/bulk/<id>/batches", "bulk.read"))


def _error_form(body: Any) -> Finding:
    """Whether an item's error is text or an object; the text itself may hold values and is not shown."""
    attributes = [attributes_of(item) for item in batch_items(body)]
    results = [one for each in attributes for one in each.get("results") or () if isinstance(one, dict)]
    errors = [one["error"] for one in results if one.get("error")]
    if not errors:
        says = "no result holds one: why an item was refused is not told"
        return Finding(SECTION, "bulk errors", Level.UNKNOWN, says)
    form = "an object" if isinstance(errors[0], dict) else "text"
    return Finding(SECTION, "bulk errors", Level.OK, f"are {form}; both are understood", value=form)
