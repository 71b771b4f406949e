"""What a request body may hold: the tables of docs/kustomer.md sections 4.2 (customers), 5 (companies), 6
(tags).

`additionalProperties` is false at every level, and null is refused wherever it is not named. The check of `custom`
needs the org's metadata and is in custom.py.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .validation import Schema

TAG_PATTERN = r"^[0-9a-zA-ZÀ-ÿ_/<>\-.]{1}[0-9a-zA-ZÀ-ÿ _/<>\-.]{0,63}$"
MAX_BULK_ITEMS = 100
MAX_CLIENT_REF = 255


def _text(maximum: int | None = None, minimum: int | None = None, **more: Any) -> Schema:
    """Text that may not be null."""
    schema: Schema = {"type": "string", **more}
    if maximum is not None:
        schema["maxLength"] = maximum
    if minimum is not None:
        schema["minLength"] = minimum
    return schema


def _or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": (schema["type"], "null")}


def _choice(*values: str) -> Schema:
    return _text(enum=values)


def _list(properties: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    items = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "array", "maxItems": 10, "uniqueItems": True, "items": items}


_NUMBER: Schema = {"type": "number"}
_VERIFIED: Schema = {"type": "boolean"}
_DATE_TIME = _text(format="date-time")

_EXTERNAL_IDS = _list({"externalId": _text(255, 1), "verified": _VERIFIED}, ("externalId",))
_EMAILS = _list(
    {"email": _text(format="email-relaxed"), "type": _choice("home", "work", "other"), "verified": _VERIFIED},
    ("email",),
)
_PHONES = _list(
    {
        "phone": _text(format="phone-number"),
        "type": _choice("mobile", "home", "work", "fax", "other"),
        "verified": _VERIFIED,
    },
    ("phone",),
)
_WHATSAPPS = _list(
    {"phone": _text(format="whatsapp-number"), "type": _choice("mobile"), "verified": _VERIFIED}, ("phone",)
)
_FACEBOOK_IDS = _list({"pageId": _text(255), "userId": _text(255), "name": _text(255)}, ("pageId", "userId"))
_INSTAGRAM_IDS = _list(
    {"pageId": _text(255), "threadId": _text(255), "username": _text(255), "instagramId": _text(255)},
    ("pageId", "threadId", "username"),
)
_SOCIALS = _list(
    {
        "type": _choice("twitter", "facebook", "instagram", "linkedin", "pinterest"),
        "username": _text(256, 1),
        "userid": _text(256),
        "url": _text(format="uri"),
        "verified": _VERIFIED,
    },
    ("type", "username"),
)
_URLS = _list({"url": _text(format="uri"), "type": _choice("website", "blog", "other")}, ("url",))
_LOCATIONS = _list(
    {
        "type": _or_null(_choice("home", "work", "other")),
        "name": _or_null(_text()),
        "address": _or_null(_text(256)),
        "address2": _or_null(_text(256)),
        "address3": _or_null(_text(256)),
        "latitude": _or_null(_NUMBER),
        "longitude": _or_null(_NUMBER),
        "countryCode": _or_null(_text(2, 2)),
        "countryName": _or_null(_text(64)),
        "regionCode": _or_null(_text(2)),
        "regionName": _or_null(_text(128)),
        "cityName": _or_null(_text(128)),
        "zipCode": _or_null(_text(30)),
        "areaCode": _or_null(_text(30)),
    },
    (),
)
_TAGS: Schema = {
    "type": "array",
    "maxItems": 20,
    "uniqueItems": True,
    "items": _text(64, 1, pattern=TAG_PATTERN),
}
_CUSTOM: Schema = {"type": "object", "maxProperties": 100}
_SENTIMENT: Schema = {
    "type": "object",
    "properties": {
        "polarity": {"type": "number", "enum": (-1, 0, 1)},
        "confidence": {"type": "number", "minimum": -1, "maximum": 1},
    },
    "required": ("polarity", "confidence"),
    "additionalProperties": False,
}

CUSTOMER: dict[str, Schema] = {
    "name": _or_null(_text(256)),
    "company": _or_null(_text()),
    "externalId": _or_null(_text(256, 1)),
    "externalIds": _EXTERNAL_IDS,
    "sharedExternalIds": _EXTERNAL_IDS,
    "emails": _EMAILS,
    "sharedEmails": _EMAILS,
    "phones": _PHONES,
    "sharedPhones": _PHONES,
    "whatsapps": _WHATSAPPS,
    "facebookIds": _FACEBOOK_IDS,
    "instagramIds": _INSTAGRAM_IDS,
    "socials": _SOCIALS,
    "sharedSocials": _SOCIALS,
    "urls": _URLS,
    "locations": _LOCATIONS,
    "tags": _TAGS,
    "custom": _CUSTOM,
    "username": _or_null(_text(256)),
    "avatarUrl": _or_null(_text(format="uri")),
    "locale": _or_null(_text(16)),
    "timeZone": _or_null(_text(64)),
    "defaultLang": _or_null(_text(100)),
    "gender": _or_null(_choice("m", "f")),
    "birthdayAt": _or_null(_DATE_TIME),
    "signedUpAt": _or_null(_DATE_TIME),
    "lastActivityAt": _or_null(_DATE_TIME),
    "lastCustomerActivityAt": _or_null(_DATE_TIME),
    "lastSeenAt": _or_null(_DATE_TIME),
    "createdAt": _DATE_TIME,
    "importedAt": _DATE_TIME,
    "sentiment": _SENTIMENT,
    "rev": _NUMBER,
}

COMPANY: dict[str, Schema] = {
    "name": _text(256, 3),
    "externalId": _text(256),
    "avatarUrl": _or_null(_text(format="uri")),
    "emails": _EMAILS,
    "phones": _PHONES,
    "whatsapps": _WHATSAPPS,
    "socials": _SOCIALS,
    "urls": _URLS,
    "locations": _LOCATIONS,
    "domains": _list({"domain": _text(format="domain-name")}, ("domain",)),
    "employeeCount": _NUMBER,
    "tags": _TAGS,
    "custom": _CUSTOM,
    "createdAt": _DATE_TIME,
    "importedAt": _DATE_TIME,
    "rev": _NUMBER,
    "defaultLang": _or_null(_text(100)),
}

ATTRIBUTES: dict[str, dict[str, Schema]] = {"customer": CUSTOMER, "company": COMPANY}

# What an update of a company may not name (docs/kustomer.md section 5): one at a time, and in bulk.
_NOT_IN_COMPANY_UPDATES = ("createdAt", "importedAt")
_NOT_IN_BULK_COMPANY_UPDATES = (*_NOT_IN_COMPANY_UPDATES, "whatsapps", "rev")

TAG: Schema = {
    "type": "object",
    "properties": {"name": _text(64, 1, pattern=TAG_PATTERN), "color": _or_null(_text())},
    "required": ("name",),
    "additionalProperties": False,
}

MERGE: Schema = {
    "type": "object",
    "properties": {"source": _text(format="object-id"), "target": _text(format="object-id")},
    "required": ("source", "target"),
    "additionalProperties": False,
}

METADATA: Schema = {
    "type": "object",
    "properties": {"properties": {"type": "object"}},
    "required": ("properties",),
    "additionalProperties": False,
}


@cache
def body_schema(
    kind: str, *, create: bool, bulk: bool = False, client_ref: bool = False, lenient: bool = False
) -> Schema:
    """The schema of one record in a request.

    A bulk update needs the `id`; updates of companies take less than their creation, and only they know
    `deleted` (docs/kustomer.md section 5). lenient: null is accepted for every scalar but a company's name.
    """
    properties = dict(ATTRIBUTES[kind])
    if kind == "company" and not create:
        for name in _NOT_IN_BULK_COMPANY_UPDATES if bulk else _NOT_IN_COMPANY_UPDATES:
            del properties[name]
        properties |= _company_update()
    if bulk and not create:
        properties["id"] = _text(minimum=1)
    if client_ref:
        properties["_clientRef"] = _text(MAX_CLIENT_REF, 1)
    if lenient:
        properties = _with_nulls(kind, properties)
    return _object(kind, properties, create=create, needs_id=bulk and not create)


@cache
def agent_schema(kind: str, *, create: bool) -> Schema:
    """What people may set in Kustomer itself: everything, with null for every scalar."""
    properties = dict(ATTRIBUTES[kind])
    if kind == "company" and not create:
        properties |= _company_update()
    return _object(kind, _with_nulls(kind, properties), create=create, needs_id=False)


def _company_update() -> dict[str, Schema]:
    return {"externalId": _or_null(COMPANY["externalId"]), "deleted": _or_null({"type": "boolean"})}


def _object(kind: str, properties: dict[str, Schema], *, create: bool, needs_id: bool) -> Schema:
    required: tuple[str, ...] = ("name",) if kind == "company" and create else ()
    if needs_id:
        required = ("id",)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _with_nulls(kind: str, properties: dict[str, Schema]) -> dict[str, Schema]:
    never = {"id", "_clientRef", "rev"} | ({"name"} if kind == "company" else set())
    return {
        name: _or_null(schema) if name not in never and schema["type"] in ("string", "number") else schema
        for name, schema in properties.items()
    }
