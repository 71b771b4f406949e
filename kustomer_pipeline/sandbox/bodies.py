"""Which attributes each operation takes (docs/kustomer.md sections 4.2, 5 and 7.5), put together from schema.py.

    operation                     what it takes                                    another key
    POST customers, also in bulk  every attribute                                  400
    PUT and PATCH customers/{id}  every attribute                                  400
    PUT customers/bulk            the same without whatsapps and instagramIds, id  a matter of its item
    POST companies, also in bulk  every attribute; needs a name                    400
    PUT companies/{id}            the same without createdAt, importedAt; deleted  400
    PUT companies/bulk            the same without whatsapps and rev; id           400

The published schema of PUT customers/bulk forbids no other key. The request is accepted with any, and each of its items
is then judged as the update of one customer: `check_unsaid`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .errors import bad_parameter
from .records import digits
from .schema import ATTRIBUTES, COMPANY, MAX_CLIENT_REF, or_null, text
from .validation import Schema, validate

_NOT_IN_UPDATES = {"company": ("createdAt", "importedAt"), "customer": ()}
_NOT_IN_BULK_UPDATES = {"company": ("whatsapps", "rev"), "customer": ("whatsapps", "instagramIds")}


@cache
def body_schema(
    kind: str, *, create: bool, bulk: bool = False, client_ref: bool = False, lenient: bool = False
) -> Schema:
    """The schema of one record in a request. lenient: null is accepted for every scalar but a company's name."""
    properties = dict(ATTRIBUTES[kind])
    if not create:
        properties = _updatable(kind, properties, bulk=bulk)
    if client_ref:
        properties["_clientRef"] = text(MAX_CLIENT_REF, 1)
    if lenient:
        properties = _with_nulls(kind, properties)
    needs_id = bulk and not create
    return _object(kind, properties, create=create, needs_id=needs_id, closed=not (needs_id and kind == "customer"))


@cache
def agent_schema(kind: str, *, create: bool) -> Schema:
    """What people may set in Kustomer itself: everything, with null for every scalar."""
    properties = dict(ATTRIBUTES[kind])
    if kind == "company" and not create:
        properties |= _company_update()
    return _object(kind, _with_nulls(kind, properties), create=create, needs_id=False, closed=True)


def check_unsaid(kind: str, item: dict[str, Any]) -> None:
    """Raise the 400 of a key of a bulk update's item that only the update of one record judges."""
    said = body_schema(kind, create=False, bulk=True, client_ref=True)["properties"]
    unsaid = {name: value for name, value in item.items() if name not in said}
    if unsaid:
        validate(unsaid, body_schema(kind, create=False))
        refuse_number_twice(unsaid)


def refuse_number_twice(body: dict[str, Any], path: str = "") -> None:
    """Raise the 400 of a WhatsApp number that is there twice, with and without its prefix."""
    numbers = [digits(item["phone"]) for item in body.get("whatsapps", ())]
    if len(set(numbers)) < len(numbers):
        raise bad_parameter("Items are not unique", "whatsapps", f"{path}/properties/whatsapps/uniqueItems")


def _updatable(kind: str, properties: dict[str, Schema], *, bulk: bool) -> dict[str, Schema]:
    left_out = _NOT_IN_UPDATES[kind] + (_NOT_IN_BULK_UPDATES[kind] if bulk else ())
    taken = {name: schema for name, schema in properties.items() if name not in left_out}
    if kind == "company":
        taken |= _company_update()
    if bulk:
        taken["id"] = text()
    return taken


def _company_update() -> dict[str, Schema]:
    return {"externalId": or_null(COMPANY["externalId"]), "deleted": or_null({"type": "boolean"})}


def _object(kind: str, properties: dict[str, Schema], *, create: bool, needs_id: bool, closed: bool) -> Schema:
    required: tuple[str, ...] = ("name",) if kind == "company" and create else ()
    if needs_id:
        required = ("id",)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": not closed}


def _with_nulls(kind: str, properties: dict[str, Schema]) -> dict[str, Schema]:
    never = {"id", "_clientRef", "rev"} | ({"name"} if kind == "company" else set())
    return {
        name: or_null(schema) if name not in never and schema["type"] in ("string", "number") else schema
        for name, schema in properties.items()
    }
