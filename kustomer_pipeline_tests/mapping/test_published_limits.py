"""The catalogue of fields lets nothing through that Kustomer's published schemas refuse, whatever operation writes it.

The schemas are the table that the sandbox is measured with as well; neither side knows of the other.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kustomer_pipeline.mapping import (
    field_names,
    field_type,
    list_attributes,
    nullable_fields,
    reason_lines,
    required_fields,
)
from kustomer_pipeline.mapping.kinds import FieldType, Limits, Operation
from kustomer_pipeline_tests.sandbox.published_cases import NOT_IN_FORM
from kustomer_pipeline_tests.sandbox.published_limits import (
    COMPANY,
    CUSTOMER,
    OPERATIONS,
    Array,
    Flag,
    Free,
    Limit,
    Number,
    Object,
    OneOrSeveral,
    Text,
)

from .frames import mapped_frame, objects

PUBLISHED = {"customers": CUSTOMER, "companies": COMPANY}
EVERY_FIELD = [(object_name, name) for object_name in PUBLISHED for name in field_names(object_name)]
# What the catalogue calls the values of a form.
VALUES = {
    "email-relaxed": "email",
    "phone-number": "phone",
    "whatsapp-number": "phone",
    "uri": "url",
    "url": "url",
    "domain-name": "domain",
    "date-time": "datetime",
    "tag": "tag",
}


def wider(limits: Limits, published: Limit, where: str) -> Iterator[str]:
    """Where the catalogue allows more than is published."""
    match published:
        case Text(form=str() as form):
            if limits.value != VALUES[form]:
                yield f"{where}: {limits.value} is not {form}"
        case Text():
            longest = max(map(len, limits.choices), default=limits.max_length)
            if published.most is not None and (longest is None or longest > published.most):
                yield f"{where}: up to {longest} characters"
            if (limits.min_length or 0) < published.least:
                yield f"{where}: from {limits.min_length} characters"
            if published.choices and not (limits.choices and set(limits.choices) <= set(published.choices)):
                yield f"{where}: {limits.choices}"
        case Number():
            low = min(published.choices) if published.choices else published.low
            high = max(published.choices) if published.choices else published.high
            whole = limits.value == "integer"
            if limits.value not in ("number", "integer") or (published.choices and not whole):
                yield f"{where}: {limits.value}"
            if low is not None and (limits.minimum is None or limits.minimum < low):
                yield f"{where}: from {limits.minimum}"
            if high is not None and (limits.maximum is None or limits.maximum > high):
                yield f"{where}: up to {limits.maximum}"
        case Flag():
            if limits.value != "boolean":
                yield f"{where}: {limits.value}"
        case Object() | Array() | Free() | OneOrSeveral():
            yield f"{where}: single values in place of objects"


def wider_field(field: FieldType, published: Limit) -> Iterator[str]:
    """The same of a field of the catalogue, key by key where its values are objects."""
    match published:
        case Array(item=Object() as item, most=most) | Array(item=Text() as item, most=most):
            if (field.max_items or most + 1) > most:
                yield f"{field.name}: {field.max_items} items"
            yield from _wider_items(field, item)
        case Object():
            yield from _wider_items(field, published)
        case _:
            yield from wider(field, published, field.name)


def _wider_items(field: FieldType, item: Object | Text) -> Iterator[str]:
    if isinstance(item, Text):
        yield from wider(field, item, field.name)
        return
    yield from (f"{field.name}: {key} is unknown" for key in field.items.keys() - item.keys.keys())
    if field.items:
        needed = {key for key, limits in field.items.items() if limits.required}
        yield from (f"{field.name}: {key} may be missing" for key in set(item.required) - needed)
    for key, limits in field.items.items():
        yield from wider(limits, item.keys[key], f"{field.name}.{key}")


@pytest.mark.parametrize("object_name, name", EVERY_FIELD)
def test_no_field_allows_more_than_is_published(object_name: str, name: str) -> None:
    field = field_type(object_name, name)
    assert list(wider_field(field, PUBLISHED[object_name].keys[field.attribute])) == []


@pytest.mark.parametrize("object_name", PUBLISHED)
def test_every_list_is_compared_item_by_item_so_that_none_goes_out_twice(object_name: str) -> None:
    lists = {name for name, limit in PUBLISHED[object_name].keys.items() if isinstance(limit, Array)}
    assert set(list_attributes(object_name)) == lists


@pytest.mark.parametrize("object_name, kind, operation", [
    ("customers", "create", "POST /v1/customers/bulk"),
    ("customers", "create", "POST /v1/customers"),
    ("customers", "update", "PUT /v1/customers/bulk"),
    ("customers", "update", "PATCH /v1/customers/{id}"),
    ("companies", "create", "POST /v1/companies/bulk"),
    ("companies", "create", "POST /v1/companies"),
    ("companies", "update", "PUT /v1/companies/bulk"),
    ("companies", "update", "PUT /v1/companies/{id}"),
])  # fmt: skip
def test_null_goes_only_where_the_operation_takes_it(object_name: str, kind: Operation, operation: str) -> None:
    keys = OPERATIONS[operation].keys
    assert nullable_fields(object_name, kind) == {
        name for name in (field_type(object_name, field).attribute for field in field_names(object_name))
        if name in keys and keys[name].null
    }  # fmt: skip


@pytest.mark.parametrize("object_name", PUBLISHED)
def test_what_a_creation_needs_is_required_of_a_row(object_name: str) -> None:
    assert set(PUBLISHED[object_name].required) <= set(required_fields(object_name))


@pytest.mark.parametrize("form, object_name, field", [
    ("email-relaxed", "customers", "email"),
    ("email-relaxed", "customers", "sharedEmails"),
    ("phone-number", "customers", "phone"),
    ("whatsapp-number", "customers", "whatsapps"),
    ("uri", "customers", "avatarUrl"),
    ("url", "customers", "urls"),
    ("domain-name", "companies", "domains"),
    ("date-time", "customers", "birthdayAt"),
])  # fmt: skip
def test_what_is_not_in_its_form_is_refused_with_a_reason(form: str, object_name: str, field: str) -> None:
    """A blank is a null, and a date alone is read as midnight: neither goes out as it is."""
    wrong = [text for text in NOT_IN_FORM[form] if text and not text.startswith("2026-01-31")]
    found = reason_lines(mapped_frame(field, objects(*wrong), object_name))
    assert len(found) == len(wrong) > 0
