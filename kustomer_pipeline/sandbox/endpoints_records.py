"""Customers and companies, one at a time and in lists (docs/kustomer.md sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence

from .call import Answer, Call
from .errors import ApiError, bad_parameter, not_found
from .ordering import COMPARISONS, Key, within
from .present import merge_json
from .records import Json, Record, digits
from .schema import MERGE
from .times import parse_date_time
from .validation import is_id, validate
from .written import check_record

_LOOKUPS = {"email": "email", "externalId": "externalId", "phone": "phone"}
_SORTS = {"createdAt", "-createdAt", "updatedAt", "-updatedAt"}
_TIMES = ("createdAt", "updatedAt")


# ---- customers ----


def list_customers(call: Call) -> Answer:
    """GET /v1/customers?filter[updatedAt][gte]=…&sort=-updatedAt&page=1&pageSize=100"""
    _maybe_no_list(call)
    store = call.state.store
    sort = call.query.get("sort", "createdAt")
    if sort not in _SORTS:
        raise bad_parameter("Not one of the allowed values", "sort")
    given = {} if call.fault("list_filters_ignored") else call.query
    filters = [_filter(name, value) for name, value in given.items() if name.startswith("filter[")]
    orders = {field: order.keys() for field, order in store.customers_by.items()}
    chosen: Sequence[Key] = orders[sort.removeprefix("-")]
    for field, comparison, moment in filters:
        if field == sort.removeprefix("-"):
            chosen = within(chosen, comparison, moment)
        else:
            ids = {record_id for _, record_id in within(orders[field], comparison, moment)}
            chosen = [key for key in chosen if key[1] in ids]
    customers = store.records["customer"]
    return call.list_answer(chosen, lambda key: call.show(customers[key[1]]), descending=sort.startswith("-"))


def _filter(name: str, value: str) -> tuple[str, str, float]:
    field, _, comparison = name.removeprefix("filter[").removesuffix("]").partition("][")
    moment = parse_date_time(value)
    if field not in _TIMES or comparison not in COMPARISONS or moment is None:
        raise bad_parameter("Invalid filter", name)
    return field, comparison, moment


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
    if record is None or not _readable(call, record):
        raise not_found("id")
    return _answer_with_company(call, record)


def _readable(call: Call, record: Record) -> bool:
    """Whether it is found by its id: not when it is deleted, but perhaps when it was merged away."""
    if not record.deleted:
        return True
    return record.id in call.state.store.merged and call.setting("merged_source", "404") == "deleted"


def _look_up(call: Call, field: str, value: str) -> Record:
    wanted = value
    if field == "email":
        wanted = value.strip().lower()
    elif field == "phone":
        wanted = digits(value)
    record = call.state.store.owner(_LOOKUPS[field], wanted)
    if record is None:
        raise not_found(field)
    return record


def _maybe_no_list(call: Call) -> None:
    refused = call.fault("list_refused")
    if refused:
        raise ApiError(refused.value, "notfound" if refused.value == 404 else "badparam", "No list of all")


def _several(call: Call, kind: str, ids: list[str]) -> Answer:
    refused = call.fault("multi_get_refused")
    if refused:
        raise ApiError(refused.value, "notfound" if refused.value == 404 else "badparam", "Invalid id", "id")
    limit = call.setting("multi_get_limit", None)
    if limit is not None and len(ids) > limit:
        raise bad_parameter("Too many ids", "id")
    found = [call.state.store.find(kind, record_id) for record_id in dict.fromkeys(ids)]
    live = [record for record in found if record is not None and _readable(call, record)]
    if call.fault("multi_get_missing_404") and len(live) < len(found):
        raise not_found("id")
    payload = {"data": [call.show(record) for record in live], "links": {"self": call.record.path}}
    return Answer(200, _including(call, payload, live))


def _answer_with_company(call: Call, record: Record) -> Answer:
    return Answer(200, _including(call, {"data": call.show(record)}, [record]))


def _including(call: Call, payload: Json, records: list[Record]) -> Json:
    """The answer, with ?include=company also the companies of these customers."""
    if "company" in call.query.get("include", "").split(","):
        ids = dict.fromkeys(record.company for record in records if record.company)
        companies = [call.state.store.find("company", company) for company in ids]
        if companies:
            payload["included"] = [call.show(company) for company in companies if company is not None]
    return payload


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


def merge_customers(call: Call) -> Answer:
    """POST /v1/customers/merges {"source": id, "target": id}: not to be undone"""
    validate(call.body, MERGE)
    source, target = call.body["source"].lower(), call.body["target"].lower()
    call.state.store.merge(source, target, by=call.user_id, now=call.now)
    return Answer(201, {"data": merge_json(call.state, source, target)})


# ---- companies ----


def list_companies(call: Call) -> Answer:
    """GET /v1/companies?externalId=… or ?filter=<name>; with both, both are ignored. No total."""
    store = call.state.store
    companies = store.records["company"]
    external_id, name = call.query.get("externalId"), call.query.get("filter")
    ids: Sequence[str] = store.company_ids
    if external_id is None and name is None:
        _maybe_no_list(call)
    if external_id is not None and name is None:
        ids = [record.id for record in store.companies_with(external_id)]
    elif name is not None and external_id is None:
        ids = [i for i in ids if name.lower() in str(companies[i].attributes["name"]).lower()]
    if call.fault("deleted_company_hidden"):
        ids = [i for i in ids if not companies[i].deleted]
    return call.list_answer(ids, lambda record_id: call.show(companies[record_id]), reports_total=False)


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
