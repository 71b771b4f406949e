"""What the attributes of a customer, a company and a tag may be: docs/kustomer.md sections 4.2, 5 and 6, as tables.

Null is refused wherever it is not named. Which of the attributes an operation takes is in bodies.py; the check of
`custom` needs the org's metadata and is in custom.py.
"""

from __future__ import annotations

from typing import Any

from .validation import Schema

TAG_PATTERN = r"^[0-9a-zA-ZÀ-ÿ_/<>\-.]{1}[0-9a-zA-ZÀ-ÿ _/<>\-.]{0,63}$"
MAX_BULK_ITEMS = 100
MAX_CLIENT_REF = 255


def text(maximum: int | None = None, minimum: int | None = None, **more: Any) -> Schema:
    """Text that may not be null."""
    schema: Schema = {"type": "string", **more}
    if maximum is not None:
        schema["maxLength"] = maximum
    if minimum is not None:
        schema["minLength"] = minimum
    return schema


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": (schema["type"], "null")}


def _choice(*values: str) -> Schema:
    return text(enum=values)


def _list(properties: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    items = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "array", "maxItems": 10, "uniqueItems": True, "items": items}


_NUMBER: Schema = {"type": "number"}
_VERIFIED: Schema = {"type": "boolean"}
_DATE_TIME = text(format="date-time")

_EXTERNAL_IDS = _list({"externalId": text(255, 1), "verified": _VERIFIED}, ("externalId",))
_EMAILS = _list(
    {"email": text(format="email-relaxed"), "type": _choice("home", "work", "other"), "verified": _VERIFIED},
    ("email",),
)
_PHONES = _list(
    {
        "phone": text(format="phone-number"),
        "type": _choice("mobile", "home", "work", "fax", "other"),
        "verified": _VERIFIED,
    },
    ("phone",),
)
_WHATSAPPS = _list(
    {"phone": text(format="whatsapp-number"), "type": _choice("mobile"), "verified": _VERIFIED}, ("phone",)
)
_FACEBOOK_IDS = _list({"pageId": text(255), "userId": text(255), "name": text(255)}, ("pageId", "userId"))
_INSTAGRAM_IDS = _list(
    {"pageId": text(255), "threadId": text(255), "username": text(255), "instagramId": text(255)},
    ("pageId", "threadId", "username"),
)
_SOCIALS = _list(
    {
        "type": _choice("twitter", "facebook", "instagram", "linkedin", "pinterest"),
        "username": text(256, 1),
        "userid": text(256),
        "url": text(format="uri"),
        "verified": _VERIFIED,
    },
    ("type", "username"),
)
_URLS = _list({"url": text(format="url"), "type": _choice("website", "blog", "other")}, ("url",))
_LOCATIONS = _list(
    {
        "type": or_null(_choice("home", "work", "other")),
        "name": or_null(text()),
        "address": or_null(text(256)),
        "address2": or_null(text(256)),
        "address3": or_null(text(256)),
        "latitude": or_null(_NUMBER),
        "longitude": or_null(_NUMBER),
        "countryCode": or_null(text(2, 2)),
        "countryName": or_null(text(64)),
        "regionCode": or_null(text(2)),
        "regionName": or_null(text(128)),
        "cityName": or_null(text(128)),
        "zipCode": or_null(text(30)),
        "areaCode": or_null(text(30)),
    },
    (),
)
_TAGS: Schema = {
    "type": "array",
    "maxItems": 20,
    "uniqueItems": True,
    "items": text(64, 1, pattern=TAG_PATTERN),
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
    "name": or_null(text(256)),
    "company": or_null(text()),
    "externalId": or_null(text(256, 1)),
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
    "username": or_null(text(256)),
    "avatarUrl": or_null(text(format="uri")),
    "locale": or_null(text(16)),
    "timeZone": or_null(text(64)),
    "defaultLang": or_null(text(100)),
    "gender": or_null(_choice("m", "f")),
    "birthdayAt": or_null(_DATE_TIME),
    "signedUpAt": or_null(_DATE_TIME),
    "lastActivityAt": or_null(_DATE_TIME),
    "lastCustomerActivityAt": or_null(_DATE_TIME),
    "lastSeenAt": or_null(_DATE_TIME),
    "createdAt": _DATE_TIME,
    "importedAt": _DATE_TIME,
    "sentiment": _SENTIMENT,
    "rev": _NUMBER,
}

COMPANY: dict[str, Schema] = {
    "name": text(256, 3),
    "externalId": text(256),
    "avatarUrl": or_null(text(format="uri")),
    "emails": _EMAILS,
    "phones": _PHONES,
    "whatsapps": _WHATSAPPS,
    "socials": _SOCIALS,
    "urls": _URLS,
    "locations": _LOCATIONS,
    "domains": _list({"domain": text(format="domain-name")}, ("domain",)),
    "employeeCount": _NUMBER,
    "tags": _TAGS,
    "custom": _CUSTOM,
    "createdAt": _DATE_TIME,
    "importedAt": _DATE_TIME,
    "rev": _NUMBER,
    "defaultLang": or_null(text(100)),
}

ATTRIBUTES: dict[str, dict[str, Schema]] = {"customer": CUSTOMER, "company": COMPANY}

TAG: Schema = {
    "type": "object",
    "properties": {"name": text(64, 1, pattern=TAG_PATTERN), "color": or_null(text())},
    "required": ("name",),
    "additionalProperties": False,
}

MERGE: Schema = {
    "type": "object",
    "properties": {"source": text(format="object-id"), "target": text(format="object-id")},
    "required": ("source", "target"),
    "additionalProperties": False,
}

METADATA: Schema = {
    "type": "object",
    "properties": {
        "properties": {"type": "object", "maxProperties": 100},
        "standardProperties": {"type": "object"},
        "relationships": {"type": "object", "maxProperties": 20},
        "validations": {"type": "array", "maxItems": 10, "uniqueItems": True, "items": text(format="object-id")},
    },
    "additionalProperties": False,
}

_TRACKED: dict[str, Schema] = {"trackingId": text(), "sessionId": text()}
_IDENTITY: dict[str, Schema] = {
    **_TRACKED,
    **{name: text() for name in ("name", "company", "externalId", "username", "locale", "timeZone", "email", "phone")},
    "remember": {"type": "boolean"},
    "signedUpAt": _DATE_TIME,
    "birthdayAt": _DATE_TIME,
    "gender": _choice("m", "f"),
    "location": _LOCATIONS["items"],
    "tags": {"type": "array", "items": text()},
    "custom": {"type": "object"},
}
_EVENT: dict[str, Schema] = {**_TRACKED, "name": text(), "meta": {"type": "object"}}

IDENTITY_EVENT: Schema = {
    "type": "object",
    "properties": {
        "identity": {"type": "object", "properties": _IDENTITY, "additionalProperties": False},
        "event": {"type": "object", "properties": _EVENT, "required": ("name",), "additionalProperties": False},
    },
    "required": ("identity", "event"),
    "additionalProperties": False,
}
