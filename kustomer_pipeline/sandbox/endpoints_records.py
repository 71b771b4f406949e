"""Customers and companies, one at a time and in lists (docs/kustomer.md sections 4 and 5)."""

from __future__ import annotations

from typing import Any

from .call import Answer, Call
from .custom import check_custom
from .errors import ApiError, bad_parameter, not_found
from .records import Json, Record
from .schema import ATTRIBUTES, SURELY_NULLABLE, body_schema
from .times import parse_date_time
from .validation import is_id, validate

_LOOKUPS = {"email": "email", "externalId": "externalId", "phone": "phone"}
_SORTS = {"createdAt", "-createdAt", "updatedAt", "-updatedAt"}
_COMPARISONS = {"gt", "gte", "lt", "lte"}


def check_record(
    call: Call, kind: str, body: Any, *, create: bool, bulk: bool = False, client_ref: bool = False
) -> None:
    """Raise the 400 of a body that is not a customer or company."""
    path = "/items" if bulk else ""
    validate(body, body_schema(kind, create=create, bulk=bulk, client_ref=client_ref), path=path)
    if call.fault("strict_nulls"):
        for name, value in body.items():
            if value is None and name in ATTRIBUTES[kind] and name not in SURELY_NULLABLE[kind]:
                raise bad_parameter("Invalid type", name, f"{path}/properties/{name}/type")
    if "custom" in body:
        store = call.state.store
        check_custom(
            body["custom"],
            store.metadata.of(kind),
            declared_only=bool(call.fault("custom_declared_only")),
            exists=store.exists,
            path=path,
        )


# ---- customers ----


def list_customers(call: Call) -> Answer:
    """GET /v1/customers?filter[updatedAt][gte]=…&sort=-updatedAt&page=1&pageSize=100"""
    store = call.state.store
    found = [store.records["customer"][record_id] for record_id in store.live["customer"]]
    for name, value in call.query.items():
        if name.startswith("filter["):
            found = _filtered(found, name, value)
    sort = call.query.get("sort", "createdAt")
    if sort not in _SORTS:
        raise bad_parameter("Not one of the allowed values", "sort")
    found.sort(key=lambda record: str(record.attributes[sort.removeprefix("-")]), reverse=sort.startswith("-"))
    return call.list_answer(found, call.show)


def _filtered(records: list[Record], name: str, value: str) -> list[Record]:
    field, _, comparison = name.removeprefix("filter[").removesuffix("]").partition("][")
    moment = parse_date_time(value)
    if field not in ("createdAt", "updatedAt") or comparison not in _COMPARISONS or moment is None:
        raise bad_parameter("Invalid filter", name)
    kept = []
    for record in records:
        at = parse_date_time(record.attributes[field]) or 0.0
        fine = {"gt": at > moment, "gte": at >= moment, "lt": at < moment, "lte": at <= moment}[comparison]
        if fine:
            kept.append(record)
    return kept


def create_customer(call: Call) -> Answer:
    """POST /v1/customers"""
    return _create(call, "customer")


def get_customer(call: Call) -> Answer:
    """GET /v1/customers/{id}, /{id},{id},…, /email={email}, /externalId={id}, /phone={phone}"""
    (text,) = call.variables
    field, equals, value = text.partition("=")
    if equals and field in _LOOKUPS:
        return _answer_with_company(call, _look_up(call, field, value))
    ids = text.split(",")
    if len(ids) > 1:
        return _several(call, "customer", ids)
    record = call.state.store.find("customer", text)
    if record is None or record.deleted:
        raise not_found("id")
    return _answer_with_company(call, record)


def _look_up(call: Call, field: str, value: str) -> Record:
    wanted = value.strip().lower() if field == "email" else value
    record = call.state.store.owner(_LOOKUPS[field], wanted)
    if record is None:
        raise not_found(field)
    return record


def _several(call: Call, kind: str, ids: list[str]) -> Answer:
    refused = call.fault("multi_get_refused")
    if refused:
        raise ApiError(refused.value, "notfound" if refused.value == 404 else "badparam", "Invalid id", "id")
    limit = call.setting("multi_get_limit", None)
    if limit is not None and len(ids) > limit:
        raise bad_parameter("Too many ids", "id")
    found = [call.state.store.find(kind, record_id) for record_id in dict.fromkeys(ids)]
    live = [record for record in found if record is not None and not record.deleted]
    if call.fault("multi_get_missing_404") and len(live) < len(found):
        raise not_found("id")
    return Answer(200, {"data": [call.show(record) for record in live], "links": {"self": call.record.path}})


def _answer_with_company(call: Call, record: Record) -> Answer:
    payload: Json = {"data": call.show(record)}
    if "company" in call.query.get("include", "").split(",") and record.company:
        company = call.state.store.find("company", record.company)
        if company is not None:
            payload["included"] = [call.show(company)]
    return Answer(200, payload)


def put_customer(call: Call) -> Answer:
    """PUT /v1/customers/{id}?replace=false: as PATCH, or with replace=true everything that is not sent is
    lost.
    """
    replace = call.query.get("replace", "false")
    if replace not in ("true", "false"):
        raise bad_parameter("Not one of the allowed values", "replace")
    return _update(call, "customer", replace=replace == "true")


def patch_customer(call: Call) -> Answer:
    """PATCH /v1/customers/{id}"""
    return _update(call, "customer")


def delete_customer(call: Call) -> Answer:
    """DELETE /v1/customers/{id}"""
    (record_id,) = call.variables
    call.state.store.delete("customer", record_id, by=call.user_id, now=call.now)
    return Answer(204)


# ---- companies ----


def list_companies(call: Call) -> Answer:
    """GET /v1/companies?externalId=… or ?filter=<name>; with both, both are ignored. No total."""
    store = call.state.store
    external_id, name = call.query.get("externalId"), call.query.get("filter")
    found = list(store.records["company"].values())
    if external_id is not None and name is None:
        found = store.companies_with(external_id)
    elif name is not None and external_id is None:
        found = [record for record in found if name.lower() in str(record.attributes["name"]).lower()]
    if call.fault("deleted_company_hidden"):
        found = [record for record in found if not record.deleted]
    return call.list_answer(found, call.show, reports_total=False)


def create_company(call: Call) -> Answer:
    """POST /v1/companies"""
    return _create(call, "company")


def get_company(call: Call) -> Answer:
    """GET /v1/companies/{id}"""
    (text,) = call.variables
    if "," in text and call.fault("companies_multi_get"):
        return _several(call, "company", text.split(","))
    record = call.state.store.find("company", text)
    if record is None or (record.deleted and call.fault("deleted_company_hidden")):
        raise not_found("id")
    return Answer(200, {"data": call.show(record)})


def put_company(call: Call) -> Answer:
    """PUT /v1/companies/{id}; with {"deleted": true} the company is deleted."""
    return _update(call, "company")


# ---- both ----


def _create(call: Call, kind: str) -> Answer:
    check_record(call, kind, call.body, create=True)
    options = call.write_options(bulk=False)
    record = call.state.store.create(kind, call.body, by=call.user_id, now=call.now, options=options)
    return Answer(201, {"data": call.show(record)})


def _update(call: Call, kind: str, *, replace: bool = False) -> Answer:
    (record_id,) = call.variables
    store = call.state.store
    if not is_id(record_id) or store.find(kind, record_id) is None:
        raise not_found("id")
    check_record(call, kind, call.body, create=False)
    call.spend_on_object(record_id)
    options = call.write_options(bulk=False, replace=replace)
    record = store.update(kind, record_id, call.body, by=call.user_id, now=call.now, options=options)
    return Answer(200, {"data": call.show(record)})
