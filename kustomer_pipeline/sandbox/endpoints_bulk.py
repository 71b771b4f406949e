"""Bulk writes: submit up to 100 records in one request, then ask how they fared (docs/kustomer.md 7)."""

from __future__ import annotations

from typing import Any

from .bodies import body_schema
from .call import Answer, Call
from .errors import bad_parameter, forbidden, not_found
from .jobs import Batch, Job, Operation
from .present import job_json, list_json, reference
from .records import Json
from .schema import MAX_BULK_ITEMS
from .times import iso
from .validation import validate
from .written import check_record

_ITEMS = {"type": "array", "maxItems": MAX_BULK_ITEMS}


def bulk_create_customers(call: Call) -> Answer:
    """POST /v1/customers/bulk"""
    return _submit_items(call, "customer", "create")


def bulk_update_customers(call: Call) -> Answer:
    """PUT /v1/customers/bulk, or ?ids=… with one body for all"""
    return _update(call, "customer")


def bulk_delete_customers(call: Call) -> Answer:
    """DELETE /v1/customers/bulk?ids=…"""
    _refuse_if_forbidden(call)
    ids = _ids(call)
    return _submit(call, "customer", "delete", [{"id": record_id} for record_id in ids], echo={}, ids=ids)


def bulk_create_companies(call: Call) -> Answer:
    """POST /v1/companies/bulk"""
    return _submit_items(call, "company", "create")


def bulk_update_companies(call: Call) -> Answer:
    """PUT /v1/companies/bulk, or ?ids=… with one body for all"""
    return _update(call, "company")


def _update(call: Call, kind: str) -> Answer:
    if "ids" not in call.query:
        return _submit_items(call, kind, "update")
    _refuse_if_forbidden(call)
    ids = _ids(call)
    check_record(call, kind, call.body, create=False)
    if kind == "company":
        _check_common(call.body)
    _check_rev(call, [call.body])
    items = [{**call.body, "id": record_id} for record_id in ids]
    return _submit(call, kind, "update", items, echo=call.body, ids=ids)


def _ids(call: Call) -> list[str]:
    ids = [part for part in call.query.get("ids", "").split(",") if part]
    if not ids:
        raise bad_parameter("Required parameter is missing", "ids")
    if len(ids) > MAX_BULK_ITEMS:
        raise bad_parameter("Too many items", "ids")
    return ids


def _refuse_if_forbidden(call: Call) -> None:
    if call.fault("bulk_forbidden"):
        raise forbidden("org.permission.bulk.create")


def _submit_items(call: Call, kind: str, operation: Operation) -> Answer:
    _refuse_if_forbidden(call)
    items = call.body
    validate(items, _ITEMS)
    for item in items:
        check_record(call, kind, item, create=operation == "create", bulk=True, client_ref=True)
    _check_refs(items)
    if operation == "update":
        _check_rev(call, items)
    return _submit(call, kind, operation, items, echo=items, ids=[])


def _check_refs(items: list[Json]) -> None:
    refs = [item["_clientRef"] for item in items if "_clientRef" in item]
    if refs and len(refs) < len(items):
        raise bad_parameter("Either all items have a _clientRef or none", "_clientRef")
    if len(set(refs)) < len(refs):
        raise bad_parameter("Not unique", "_clientRef")


def _check_common(body: Json) -> None:
    """One body for many companies takes no more than an item for one of them."""
    validate(body, {**body_schema("company", create=False, bulk=True), "required": ()})


def _check_rev(call: Call, items: list[Json]) -> None:
    if any("rev" in item for item in items) and call.fault("bulk_rev_refused"):
        raise bad_parameter("Additional properties not allowed", "rev", "/items/additionalProperties")


def _submit(call: Call, kind: str, operation: Operation, items: list[Json], *, echo: Any, ids: list[str]) -> Answer:
    job = call.state.jobs.submit(
        kind,
        operation,
        items,
        echo=echo,
        ids=ids,
        by=call.user_id,
        roles=call.roles,
        now=call.now,
        options=call.write_options(bulk=True),
        batch_size=call.setting("batch_size", MAX_BULK_ITEMS),
        stuck=bool(call.fault("job_stuck")),
        polls=call.setting("job_polls", 0),
        in_queue=bool(call.fault("jobs_in_queue")),
    )
    return Answer(201, {"data": job_json(call.state, job, call.now)})


# ---- polling ----


def get_job(call: Call) -> Answer:
    """GET /v1/bulk/{id}"""
    job = _job(call)
    payload = {"data": job_json(call.state, job, call.now)}
    call.state.jobs.polled(job, call.now)
    return Answer(200, payload)


def get_batches(call: Call) -> Answer:
    """GET /v1/bulk/{id}/batches"""
    job = _job(call)
    if not job.complete and call.fault("batches_not_found"):
        call.state.jobs.polled(job, call.now)
        raise not_found("id")
    batches = [_batch_attributes(call, job, batch) for batch in job.batches]
    call.state.jobs.polled(job, call.now)
    return Answer(200, _shaped(call, job, batches))


def _job(call: Call) -> Job:
    job = call.state.jobs.jobs.get(call.variables[0])
    if job is None:
        raise not_found("id")
    return job


def _batch_attributes(call: Call, job: Job, batch: Batch) -> Json:
    complete = batch.completed_at is not None
    attributes: Json = {
        "id": batch.id,
        "status": job.batch_status(batch, call.now),
        "objectIds": batch.object_ids,
        "successCount": len(batch.object_ids),
        "failureCount": len(batch.errors),
        "errors": [_with_error(call, item) for item in batch.errors],
        "completedAt": iso(batch.completed_at) if batch.completed_at is not None else None,
    }
    if job.has_refs and not call.fault("batches_results_missing"):
        attributes["results"] = _results(call, batch) if complete else []
    return attributes


def _results(call: Call, batch: Batch) -> list[Json]:
    results = [_with_error(call, item) for item in batch.results]
    missing = call.setting("results_missing", 0)
    if missing:
        results = results[: max(0, len(results) - missing)]
    if call.fault("results_reversed"):
        results.reverse()
    if call.fault("results_shuffled"):
        call.state.faults.shuffle(results)
    return results


def _with_error(call: Call, item: Json) -> Json:
    if "error" not in item or not call.fault("item_error_object"):
        return item
    return {**item, "error": {"code": "bad_request", "message": item["error"]}}


# ---- the forms of the answer ----


def _shaped(call: Call, job: Job, batches: list[Json]) -> Any:
    shape = call.setting("batches_shape", "registry")
    if shape == "registry":
        return _registry(call, job, batches)
    for batch in batches:
        batch["errors"] = [{name: value for name, value in error.items() if name != "id"} for error in batch["errors"]]
    if shape == "list":
        return batches
    if shape == "data":
        return {"data": batches}
    nested = [_nested(batch) for batch in batches]
    if shape == "list_attributes":
        return nested
    if shape == "attributes":
        return {"data": nested}
    page, size = call.page(default=1)
    return list_json(
        nested[(page - 1) * size : page * size],
        link=call.link(size),
        page=page,
        page_size=size,
        total=len(nested),
        reports_total=True,
        last=-(-len(nested) // size),
    )


def _nested(batch: Json) -> Json:
    attributes = {name: value for name, value in batch.items() if name != "id"}
    return {"type": "bulk_batch", "id": batch["id"], "attributes": attributes}


def _registry(call: Call, job: Job, batches: list[Json]) -> Json:
    """The form of Kustomer's registry: errors as id and data, pages without links (docs/kustomer.md section 7.5)."""
    limit = max(1, call.setting("batches_limit", MAX_BULK_ITEMS))
    page, _ = call.page()
    data = []
    for batch in batches[(page - 1) * limit : page * limit]:
        errors = [
            {"id": error.get("id"), "data": {name: value for name, value in error.items() if name != "id"}}
            for error in batch["errors"]
        ]
        data.append(
            {
                **_nested({**batch, "errors": errors}),
                "relationships": {
                    "org": call.state.org_reference(),
                    "bulk": reference("bulk", "bulk", job.id),
                },
                "links": {"self": f"/v1/bulk/{job.id}/batches/{batch['id']}"},
            }
        )
    meta = {"page": page, "pages": -(-len(batches) // limit), "count": len(batches), "limit": limit}
    return {"data": data, "meta": meta}
