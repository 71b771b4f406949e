"""What a request body may hold: the tables of docs/kustomer.md sections 4.2 (customers), 5 (companies), 6
(tags).

`additionalProperties` is false at every level; the check of `custom` needs the org's metadata and is in
custom.py.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .validation import Schema

TAG_PATTERN = r"^[0-9a-zA-ZÀ-ÿ_/<>\-.]{1}[0-9a-zA-ZÀ-ÿ _/<>\-.]{0,63}$"
MAX_BULK_ITEMS = 100
MAX_CLIENT_REF = 255


def _text(maximum: int | None = None, minimum: int | None = None, **more: Any) -> Schema:
    schema: Schema = {"type": ("string", "null"), **more}
    if maximum is not None:
        schema["maxLength"] = maximum
    if minimum is not None:
        schema["minLength"] = minimum
    return schema


def _choice(*values: str) -> Schema:
    return {"type": "string", "enum": values}


def _list(properties: dict[str, Schema], required: tuple[str, ...], *, unique: bool = False) -> Schema:
    items = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "array", "maxItems": 10, "uniqueItems": unique, "items": items}


_NUMBER: Schema = {"type": "number"}
_NULLABLE_NUMBER: Schema = {"type": ("number", "null")}
_VERIFIED: Schema = {"type": "boolean"}
_DATE_TIME = _text(format="date-time")

_EXTERNAL_IDS = _list(
    {"externalId": {"type": "string", "minLength": 1, "maxLength": 255}, "verified": _VERIFIED},
    ("externalId",),
    unique=True,
)
_EMAILS = _list(
    {
        "email": {"type": "string", "format": "email-relaxed"},
        "type": _choice("home", "work", "other"),
        "verified": _VERIFIED,
    },
    ("email",),
    unique=True,
)
_PHONE: Schema = {"type": "string", "format": "phone-number"}
_PHONES = _list(
    {"phone": _PHONE, "type": _choice("mobile", "home", "work", "fax", "other"), "verified": _VERIFIED},
    ("phone",),
)
_WHATSAPPS = _list({"phone": _PHONE, "type": _choice("mobile"), "verified": _VERIFIED}, ("phone",))
_SOCIALS = _list(
    {
        "type": _choice("twitter", "facebook", "instagram", "linkedin", "pinterest"),
        "username": {"type": "string", "minLength": 1, "maxLength": 256},
        "userid": _text(),
        "url": _text(),
        "verified": _VERIFIED,
    },
    ("type", "username"),
)
_URLS = _list({"url": {"type": "string", "format": "uri"}, "type": _choice("website", "blog", "other")}, ("url",))
_LOCATIONS = _list(
    {
        "type": _text(),
        "name": _text(),
        "address": _text(256),
        "address2": _text(256),
        "address3": _text(256),
        "latitude": _NULLABLE_NUMBER,
        "longitude": _NULLABLE_NUMBER,
        "countryCode": _text(2, 2),
        "countryName": _text(64),
        "regionCode": _text(2),
        "regionName": _text(128),
        "cityName": _text(128),
        "zipCode": _text(30),
        "areaCode": _text(30),
    },
    (),
)
# The shape of their items is not documented.
_ANY_LIST: Schema = {"type": "array", "maxItems": 10}
_TAGS: Schema = {
    "type": "array",
    "maxItems": 20,
    "uniqueItems": True,
    "items": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": TAG_PATTERN},
}
_CUSTOM: Schema = {"type": "object", "maxProperties": 100}
_SENTIMENT: Schema = {
    "type": "object",
    "properties": {
        "polarity": {"type": "number", "enum": (-1, 0, 1)},
        "confidence": {"type": "number", "minimum": -1, "maximum": 1},
    },
    "additionalProperties": False,
}

CUSTOMER: dict[str, Schema] = {
    "name": _text(256),
    "company": _text(),
    "externalId": _text(256, 1),
    "externalIds": _EXTERNAL_IDS,
    "sharedExternalIds": _EXTERNAL_IDS,
    "emails": _EMAILS,
    "sharedEmails": _EMAILS,
    "phones": _PHONES,
    "sharedPhones": _PHONES,
    "whatsapps": _WHATSAPPS,
    "facebookIds": _ANY_LIST,
    "instagramIds": _ANY_LIST,
    "socials": _SOCIALS,
    "sharedSocials": _SOCIALS,
    "urls": _URLS,
    "locations": _LOCATIONS,
    "tags": _TAGS,
    "custom": _CUSTOM,
    "username": _text(256),
    "avatarUrl": _text(format="uri"),
    "locale": _text(16),
    "timeZone": _text(64),
    "defaultLang": _text(100),
    "gender": _text(enum=("m", "f")),
    "birthdayAt": _DATE_TIME,
    "signedUpAt": _DATE_TIME,
    "lastActivityAt": _DATE_TIME,
    "lastCustomerActivityAt": _DATE_TIME,
    "lastSeenAt": _DATE_TIME,
    "createdAt": _DATE_TIME,
    "importedAt": _DATE_TIME,
    "sentiment": _SENTIMENT,
    "rev": _NUMBER,
}

COMPANY: dict[str, Schema] = {
    "name": {"type": "string", "minLength": 3, "maxLength": 255},
    "externalId": _text(256),
    "avatarUrl": _text(format="uri"),
    "emails": _EMAILS,
    "phones": _PHONES,
    "whatsapps": _WHATSAPPS,
    "socials": _SOCIALS,
    "urls": _URLS,
    "locations": _LOCATIONS,
    "domains": _list({"domain": {"type": "string", "minLength": 1}}, ("domain",)),
    "employeeCount": _NULLABLE_NUMBER,
    "tags": _TAGS,
    "custom": _CUSTOM,
    "createdAt": _DATE_TIME,
    "importedAt": _DATE_TIME,
    "rev": _NUMBER,
    "defaultLang": _text(100),
}

ATTRIBUTES: dict[str, dict[str, Schema]] = {"customer": CUSTOMER, "company": COMPANY}

# The scalars whose type is written "string|null" (or "m|f|null") in the documentation; of the others the
# documentation does not say, and the switch `strict_nulls` refuses a null there.
SURELY_NULLABLE = {"customer": {"name", "company", "externalId", "gender"}, "company": {"externalId"}}

TAG: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": TAG_PATTERN},
        "color": _text(),
    },
    "required": ("name",),
    "additionalProperties": False,
}

METADATA: Schema = {
    "type": "object",
    "properties": {"properties": {"type": "object"}},
    "required": ("properties",),
    "additionalProperties": False,
}


@cache
def body_schema(kind: str, *, create: bool, bulk: bool = False, client_ref: bool = False) -> Schema:
    """The schema of one record in a request.

    A bulk update needs the `id`; the bulk update of companies knows no `rev` (docs/kustomer.md section 7.5),
    and only an update of a company knows `deleted` (section 5).
    """
    properties = dict(ATTRIBUTES[kind])
    required: tuple[str, ...] = ("name",) if kind == "company" and create else ()
    if kind == "company" and not create:
        properties["deleted"] = {"type": "boolean"}
        if bulk:
            del properties["rev"]
    if bulk and not create:
        properties["id"] = {"type": "string", "minLength": 1}
        required = ("id",)
    if client_ref:
        properties["_clientRef"] = {"type": "string", "minLength": 1, "maxLength": MAX_CLIENT_REF}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
