"""The list of faults: every way in which the sandbox can misbehave, or behave as Kustomer might
(docs/sandbox.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FaultKind:
    """A fault by name: what it does, and what its value means."""

    name: str
    group: str
    description: str
    value: type | None = None
    """What the value is; None when the fault takes none."""
    default: Any = None
    """The value when none is given."""
    choices: tuple[str, ...] = ()
    least: float = 0
    """The smallest number that makes sense as a value."""
    most: float = math.inf


def _status(name: str, group: str, description: str, default: int) -> FaultKind:
    """A fault whose value is the status of an error."""
    return FaultKind(name, group, description, int, default, least=400, most=511)


_CONNECTION = "connection"
_ANSWER = "answers"
_ACCESS = "keys and limits"
_BULK = "bulk jobs"
_READ = "reading"
_WRITE = "writing"

_KINDS = [
    FaultKind(
        "drop_before",
        _CONNECTION,
        "the connection is closed before the work: nothing is done, no answer comes",
    ),
    FaultKind("drop_after", _CONNECTION, "the connection is closed after the work: it is done, but no answer comes"),
    FaultKind(
        "timeout_before",
        _CONNECTION,
        "nothing is done, and the answer (504) is held back for so many seconds, or until the client gives up",
        float,
        60.0,
    ),
    FaultKind(
        "timeout_after",
        _CONNECTION,
        "the work is done, and its answer is held back for so many seconds, or until the client gives up",
        float,
        60.0,
    ),
    FaultKind(
        "gateway_error_before",
        _CONNECTION,
        "nothing is done; the answer is this status, in HTML",
        int,
        502,
        least=400,
        most=511,
    ),
    FaultKind(
        "gateway_error_after",
        _CONNECTION,
        "the work is done; the answer is this status, in HTML",
        int,
        502,
        least=400,
        most=511,
    ),
    FaultKind(
        "error_envelope",
        _ANSWER,
        "the shape of error bodies: A (code, message, meta) or B (JSON:API, the default)",
        str,
        "A",
        ("A", "B"),
    ),
    FaultKind("error_status_text", _ANSWER, "`status` in error bodies is text, not a number"),
    FaultKind("error_not_json", _ANSWER, "error bodies are HTML"),
    FaultKind("rate_headers_missing", _ANSWER, "no x-ratelimit headers at all"),
    FaultKind(
        "rate_reset",
        _ANSWER,
        "the unit of x-ratelimit-reset: seconds (since 1970, the default), milliseconds, wait (seconds to wait), none",
        str,
        "none",
        ("seconds", "milliseconds", "wait", "none"),
    ),
    FaultKind(
        "rate_reset_always",
        _ANSWER,
        "x-ratelimit-reset is on every answer, not only when a limit has been reached",
    ),
    FaultKind(
        "retry_after",
        _ANSWER,
        "a 429 also carries Retry-After: seconds or date",
        str,
        "seconds",
        ("seconds", "date"),
    ),
    FaultKind(
        "search_limit_headers",
        _ANSWER,
        "the 429 of a search shows the search limit in x-ratelimit-limit, not the org's",
    ),
    FaultKind(
        "list_item_extras",
        _ANSWER,
        "items of lists come with sub-keys that may not be written: id, externalVerified",
    ),
    FaultKind(
        "masked",
        _ANSWER,
        "the values of these attributes (comma-separated; custom.nameStr for a custom one) come back as *****",
        str,
        "phones,birthdayAt",
    ),
    FaultKind("unset_as_null", _ANSWER, "attributes that are not set are null, not absent"),
    FaultKind("whatsapp_plain", _ANSWER, "WhatsApp numbers come back without the prefix `whatsapp:`"),
    FaultKind("unauthorized", _ACCESS, "the key is not valid (any more): 401"),
    FaultKind(
        "wrong_region",
        _ACCESS,
        "the key belongs to an org of this region, the sandbox is prod1: 401, or 403, to every request",
        str,
        "prod2",
        ("prod2", "prod4", "prod2,403", "prod4,403"),
    ),
    FaultKind("missing_role_401", _ACCESS, "a missing role is a 401, as in the legacy documentation, not a 403"),
    FaultKind(
        "role_removed",
        _ACCESS,
        "the key has lost this role, and every grant above it (with after=N: in the middle of a run)",
        str,
        "org.permission.customer.update",
    ),
    FaultKind("too_many_requests", _ACCESS, "429 whatever the budget (with times=N: a burst)"),
    FaultKind("others_spend", _ACCESS, "other users of the org spend so many units before each request", int, 1),
    FaultKind(
        "object_limit",
        _ACCESS,
        "a key may update one record so many times a minute (default 120): then 429",
        int,
        5,
    ),
    FaultKind("body_limit", _ACCESS, "the largest body in bytes (default 100000)", int, 400_000),
    FaultKind("job_stuck", _BULK, "a job that is submitted stays queued for ever"),
    FaultKind("job_polls", _BULK, "a job that is submitted stays queued for so many polls", int, 3),
    FaultKind(
        "batch_size",
        _BULK,
        "a job that is submitted has batches of so many items, one after the other",
        int,
        10,
        least=1,
    ),
    FaultKind(
        "batches_shape",
        _BULK,
        "the form of GET bulk/{id}/batches: registry (the default: data with attributes, meta with page and pages,"
        " no links), list, data, attributes (data with attributes), list_attributes, paged (data with attributes,"
        " links, one batch a page)",
        str,
        "attributes",
        ("registry", "list", "data", "attributes", "list_attributes", "paged"),
    ),
    FaultKind("batches_limit", _BULK, "at most so many batches on a page of the form registry", int, 1, least=1),
    FaultKind("batches_results_missing", _BULK, "batches have no results at all, although `_clientRef` was sent"),
    FaultKind("jobs_in_queue", _BULK, "a job that is submitted starts only when the jobs before it are done"),
    FaultKind("bulk_forbidden", _BULK, "submitting a bulk job is a 403 whatever the roles"),
    FaultKind("batches_not_found", _BULK, "GET bulk/{id}/batches is a 404 until the job is complete"),
    FaultKind("results_reversed", _BULK, "results come in reverse order"),
    FaultKind("results_shuffled", _BULK, "results come in random order"),
    FaultKind("results_missing", _BULK, "the last so many results of a batch are missing", int, 1),
    FaultKind("item_error_object", _BULK, "the error of an item is an object with code and message, not text"),
    FaultKind(
        "bulk_unlink_company",
        _BULK,
        "a bulk update without `company` takes the link away, as a single one does",
    ),
    FaultKind("bulk_rev_refused", _BULK, "a bulk update with `rev` is a 400"),
    FaultKind(
        "list_refused",
        _READ,
        "the list of all customers, or of all companies: this status",
        int,
        404,
        least=400,
        most=511,
    ),
    FaultKind("list_filters_ignored", _READ, "the list of customers has no filters, as an older client says"),
    FaultKind("page_size_refused", _READ, "a pageSize of 0 or above the maximum: 400"),
    _status("multi_get_refused", _READ, "several customers in one GET: this status", 404),
    FaultKind("multi_get_limit", _READ, "more than so many customers in one GET: 400", int, 50, least=1),
    FaultKind("multi_get_missing_404", _READ, "one missing customer makes the GET of several a 404"),
    FaultKind(
        "merged_source",
        _READ,
        "a customer that was merged into another, by its id: 404 (the default) or deleted (shown with deleted: true)",
        str,
        "deleted",
        ("404", "deleted"),
    ),
    FaultKind("companies_multi_get", _READ, "several companies in one GET work as for customers"),
    FaultKind("deleted_company_hidden", _READ, "deleted companies are in no list, and a 404 by id"),
    FaultKind("search_lag", _READ, "search sees the records as they were so many seconds ago", float, 60.0),
    FaultKind("search_exact", _READ, "search matches e-mails, names and phones exactly, not by their words"),
    FaultKind("search_in_refused", _READ, "the operator `in` is a 400"),
    FaultKind("search_in_ignored", _READ, "a criterion with `in` is ignored"),
    FaultKind("search_or_limit", _READ, "more than so many `or` clauses: 400", int, 10, least=1),
    FaultKind(
        "search_criteria_limit",
        _READ,
        "more than so many criteria in `and`, `or` or `not`, each attribute counted: 400",
        int,
        10,
        least=1,
    ),
    FaultKind("search_context_required", _READ, "a search without `queryContext`: 400"),
    FaultKind("search_page_size", _READ, "the largest page of a search (default 500)", int, 100, least=1),
    FaultKind(
        "search_record_limit", _READ, "how many records the pages of a search reach (default 10000)", int, 50_000
    ),
    FaultKind("search_forbidden", _READ, "search is a 403 whatever the roles"),
    FaultKind(
        "agent_edit_after_read",
        _READ,
        "an agent adds this tag to each customer that was just read",
        str,
        "agent",
    ),
    FaultKind("agent_touch_after_read", _READ, "each customer that was just read gets a new rev from activity"),
    FaultKind("keep_company_on_omit", _WRITE, "a single customer update without `company` keeps the link"),
    FaultKind("rev_ignored", _WRITE, "`rev` in a body is not compared"),
    FaultKind("tags_no_auto_create", _WRITE, "an unknown tag name is refused, not created"),
    FaultKind("tags_post_missing", _WRITE, "POST /v1/tags is a 404"),
    FaultKind("custom_declared_only", _WRITE, "a custom attribute must be declared in the metadata"),
    FaultKind("lenient_nulls", _WRITE, "null is accepted for every scalar but a company's name"),
    FaultKind("item_form_refused", _WRITE, "a write with a value that holds this text is a 400", str, "POISON"),
    FaultKind("untag_refused", _WRITE, "an update that takes a tag away from a record is refused"),
    FaultKind("dead_references_refused", _WRITE, "a deleted tag is refused also on a record that holds it already"),
    FaultKind("rev_conflict", _WRITE, "the next so many updates with `rev` are conflicts, whatever the rev", int, 1),
    FaultKind("hierarchy_busy", _WRITE, "a write of the hierarchy of companies is a 409: another is under way"),
    FaultKind("deleted_company_reserved", _WRITE, "the externalId of a deleted company stays taken"),
]

FAULTS: dict[str, FaultKind] = {kind.name: kind for kind in _KINDS}
"""Every fault by name."""
