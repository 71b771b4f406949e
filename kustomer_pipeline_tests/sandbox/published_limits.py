"""The limits that Kustomer publishes for requests, operation by operation: data, written apart from the sandbox.

From the "Core Resources" OpenAPI file (source S10 of docs/kustomer.md). Lengths count characters. Every array must have
unique items; an object takes no keys but its own, except where it is `closed=False`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Text:
    """Text of a length, or one of a few, or in a form that has a name (published_cases.py has samples of each form)."""

    most: int | None = None
    least: int = 0
    choices: tuple[str, ...] = ()
    form: str | None = None
    null: bool = False


@dataclass(frozen=True)
class Number:
    """Any number, or one of a few, or between two."""

    low: float | None = None
    high: float | None = None
    choices: tuple[float, ...] = ()
    null: bool = False


@dataclass(frozen=True)
class Flag:
    """True or false."""

    null: bool = False


@dataclass(frozen=True)
class Object:
    """An object with these keys."""

    keys: Mapping[str, Limit]
    required: tuple[str, ...] = ()
    closed: bool = True
    null = False


@dataclass(frozen=True)
class Free:
    """An object whose keys are not published: custom attributes, criteria. `kind` names the samples of it."""

    kind: str
    most: int | None = None
    null = False


@dataclass(frozen=True)
class Array:
    """So many items at most, none of them twice."""

    item: Limit
    most: int = 10
    null = False


@dataclass(frozen=True)
class OneOrSeveral:
    """One object, or an array of so many at most."""

    item: Free
    most: int
    null = False


Limit = Text | Number | Flag | Object | Free | Array | OneOrSeveral

_VERIFIED = Flag()
_MOMENT, _MOMENT_OR_NULL = Text(form="date-time"), Text(form="date-time", null=True)
_URI_OR_NULL = Text(form="uri", null=True)
_USES, _LINES = ("home", "work", "other"), ("mobile", "home", "work", "fax", "other")
_NETWORKS = ("twitter", "facebook", "instagram", "linkedin", "pinterest")

EXTERNAL_IDS = Array(Object({"externalId": Text(255, 1), "verified": _VERIFIED}, ("externalId",)))
EMAILS = Array(
    Object({"type": Text(choices=_USES), "email": Text(form="email-relaxed"), "verified": _VERIFIED}, ("email",))
)
PHONES = Array(
    Object({"type": Text(choices=_LINES), "phone": Text(form="phone-number"), "verified": _VERIFIED}, ("phone",))
)
WHATSAPPS = Array(
    Object(
        {"type": Text(choices=("mobile",)), "phone": Text(form="whatsapp-number"), "verified": _VERIFIED}, ("phone",)
    )
)
FACEBOOK_IDS = Array(Object({"pageId": Text(255), "userId": Text(255), "name": Text(255)}, ("pageId", "userId")))
INSTAGRAM_IDS = Array(
    Object(
        {"pageId": Text(255), "threadId": Text(255), "username": Text(255), "instagramId": Text(255)},
        ("pageId", "threadId", "username"),
    )
)
SOCIALS = Array(
    Object(
        {
            "type": Text(choices=_NETWORKS),
            "userid": Text(256),
            "username": Text(256, 1),
            "url": Text(form="uri"),
            "verified": _VERIFIED,
        },
        ("type", "username"),
    )
)
URLS = Array(Object({"type": Text(choices=("website", "blog", "other")), "url": Text(form="url")}, ("url",)))
LOCATIONS = Array(
    Object(
        {
            "type": Text(choices=_USES, null=True),
            "name": Text(null=True),
            **dict.fromkeys(("address", "address2", "address3"), Text(256, null=True)),
            **dict.fromkeys(("latitude", "longitude"), Number(null=True)),
            "countryCode": Text(2, 2, null=True),
            "countryName": Text(64, null=True),
            "regionCode": Text(2, null=True),
            "regionName": Text(128, null=True),
            "cityName": Text(128, null=True),
            "zipCode": Text(30, null=True),
            "areaCode": Text(30, null=True),
        }
    )
)
DOMAINS = Array(Object({"domain": Text(form="domain-name")}, ("domain",)))
TAGS = Array(Text(form="tag"), 20)
CUSTOM = Free("custom", 100)
SENTIMENT = Object(
    {"polarity": Number(choices=(-1, 0, 1)), "confidence": Number(-1, 1)},
    ("polarity", "confidence"),
)

CUSTOMER = Object(
    {
        "name": Text(256, null=True),
        "company": Text(null=True),
        "externalId": Text(256, 1, null=True),
        "username": Text(256, null=True),
        "signedUpAt": _MOMENT_OR_NULL,
        "lastActivityAt": _MOMENT_OR_NULL,
        "lastCustomerActivityAt": _MOMENT_OR_NULL,
        "lastSeenAt": _MOMENT_OR_NULL,
        "birthdayAt": _MOMENT_OR_NULL,
        "createdAt": _MOMENT,
        "importedAt": _MOMENT,
        "avatarUrl": _URI_OR_NULL,
        "externalIds": EXTERNAL_IDS,
        "sharedExternalIds": EXTERNAL_IDS,
        "emails": EMAILS,
        "sharedEmails": EMAILS,
        "phones": PHONES,
        "sharedPhones": PHONES,
        "whatsapps": WHATSAPPS,
        "facebookIds": FACEBOOK_IDS,
        "instagramIds": INSTAGRAM_IDS,
        "socials": SOCIALS,
        "sharedSocials": SOCIALS,
        "urls": URLS,
        "locations": LOCATIONS,
        "locale": Text(16, null=True),
        "timeZone": Text(64, null=True),
        "defaultLang": Text(100, null=True),
        "gender": Text(choices=("m", "f"), null=True),
        "tags": TAGS,
        "sentiment": SENTIMENT,
        "custom": CUSTOM,
        "rev": Number(),
    }
)
COMPANY = Object(
    {
        "name": Text(256, 3),
        "externalId": Text(256),
        "avatarUrl": _URI_OR_NULL,
        "emails": EMAILS,
        "phones": PHONES,
        "whatsapps": WHATSAPPS,
        "socials": SOCIALS,
        "urls": URLS,
        "domains": DOMAINS,
        "locations": LOCATIONS,
        "employeeCount": Number(),
        "tags": TAGS,
        "createdAt": _MOMENT,
        "importedAt": _MOMENT,
        "rev": Number(),
        "custom": CUSTOM,
        "defaultLang": Text(100, null=True),
    },
    ("name",),
)
SEARCH = Object(
    {
        "searchHash": Text(),
        "queryContext": Text(form="context"),
        "includeDeleted": Flag(),
        "timeZone": Text(),
        **{part: OneOrSeveral(Free("criterion"), 20) for part in ("and", "or", "not")},
        "sort": OneOrSeveral(Free("order"), 5),
        "aggs": Free("nothing"),
        "fields": Array(Free("field"), 20),
    }
)
METADATA = Object(
    {
        "standardProperties": Free("nothing"),
        "relationships": Free("nothing", 20),
        "properties": Free("declaration", 100),
        "validations": Array(Text(form="object-id")),
    }
)


def _without(some: Object, *names: str, required: tuple[str, ...] = (), **more: Limit) -> Object:
    keys = {name: limit for name, limit in some.keys.items() if name not in names}
    return Object({**keys, **more}, required)


_COMPANY_UPDATE = _without(COMPANY, "createdAt", "importedAt", externalId=Text(256, null=True), deleted=Flag(null=True))

# What is sent: the body itself, or where the path ends in /bulk each of at most 100 items of an array.
OPERATIONS: Mapping[str, Object] = {
    "POST /v1/customers": CUSTOMER,
    "PUT /v1/customers/{id}": CUSTOMER,
    "PATCH /v1/customers/{id}": CUSTOMER,
    "POST /v1/customers/bulk": CUSTOMER,
    "PUT /v1/customers/bulk": replace(
        _without(CUSTOMER, "whatsapps", "instagramIds", id=Text(), required=("id",)), closed=False
    ),
    "POST /v1/companies": COMPANY,
    "PUT /v1/companies/{id}": _COMPANY_UPDATE,
    "POST /v1/companies/bulk": COMPANY,
    "PUT /v1/companies/bulk": _without(_COMPANY_UPDATE, "whatsapps", "rev", id=Text(), required=("id",)),
    "POST /v1/customers/search": SEARCH,
    "PUT /v1/metadata/customer": METADATA,
}
BULK_ITEMS = 100
