"""The writable fields of customers and companies, as data (docs/kustomer.md sections 4.2, 4.3, 5, 6 and 9).

Left out on purpose: `rev` (optimistic locking is the engine's), `deleted` (no column may delete companies).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .kinds import FieldType, ListAttribute, Shape, SubField, Value

MAX_CUSTOM_PROPERTIES = 100
EMAIL_MAX_LENGTH = 254  # RFC 5321's limit of an address in an SMTP path
DEFAULT_MAX_ITEMS = 10
# Kustomer states no limit for company domains; this one is ours, so that no runaway cell fills a request.
DOMAINS_MAX_ITEMS = 100

TAG_PATTERN = r"[0-9a-zA-ZÀ-ÿ_/<>\-.][0-9a-zA-ZÀ-ÿ _/<>\-.]{0,63}"

NOT_MAPPABLE: Mapping[str, str] = MappingProxyType(
    {
        "rev": "the engine reads and sends it itself",
        "deleted": "a mapping never deletes records",
    }
)

CUSTOM_SUFFIXES: Mapping[str, tuple[Value, int | None, str]] = MappingProxyType(
    {
        "Str": ("text", 1024, "text"),
        "Txt": ("text", 1024, "text of several lines"),
        "Num": ("number", None, "finite number"),
        "At": ("datetime", None, "date-time"),
        "Bool": ("boolean", None, "true or false"),
        "Url": ("url", None, "http or https address"),
        "Id": ("id", None, "Kustomer id of another object (24 hex digits); configure the attribute first"),
        "Tree": ("text", 1024, "path of a node of the drop-down tree"),
    }
)


def _text(max_length: int | None = None, *, required: bool = False, min_length: int | None = None) -> SubField:
    return SubField(value="text", max_length=max_length, required=required, min_length=min_length)


def _choice(*choices: str, required: bool = False) -> SubField:
    return SubField(value="text", choices=choices, required=required)


_VERIFIED = SubField(value="boolean")
_EXTERNAL_ID = {
    "externalId": SubField(value="externalId", min_length=1, max_length=255, required=True),
    "verified": _VERIFIED,
}
_EMAIL = {
    "email": SubField(value="email", max_length=EMAIL_MAX_LENGTH, required=True),
    "type": _choice("home", "work", "other"),
    "verified": _VERIFIED,
}
_PHONE = {
    "phone": SubField(value="phone", required=True),
    "type": _choice("mobile", "home", "work", "fax", "other"),
    "verified": _VERIFIED,
}
_WHATSAPP = {
    "phone": SubField(value="phone", required=True),
    "type": _choice("mobile"),
    "verified": _VERIFIED,
}
_FACEBOOK = {"pageId": _text(255, required=True), "userId": _text(255, required=True), "name": _text(255)}
_INSTAGRAM = {
    "pageId": _text(255, required=True),
    "threadId": _text(255, required=True),
    "username": _text(255, required=True),
    "instagramId": _text(255),
}
_SOCIAL = {
    "type": _choice("twitter", "facebook", "instagram", "linkedin", "pinterest", required=True),
    "username": _text(256, required=True),
    "userid": _text(),
    "url": SubField(value="url"),
    "verified": _VERIFIED,
}
_URL = {"url": SubField(value="url", required=True), "type": _choice("website", "blog", "other")}
_LOCATION = {
    "type": _choice("home", "work", "other"),
    "name": _text(),
    "address": _text(256),
    "address2": _text(256),
    "address3": _text(256),
    "latitude": SubField(value="number", minimum=-90, maximum=90),
    "longitude": SubField(value="number", minimum=-180, maximum=180),
    "countryCode": _text(2, min_length=2),
    "countryName": _text(64),
    "regionCode": _text(2),
    "regionName": _text(128),
    "cityName": _text(128),
    "zipCode": _text(30),
    "areaCode": _text(30),
}
_DOMAIN = {"domain": SubField(value="domain", required=True, max_length=253)}
_SENTIMENT = {
    "polarity": SubField(value="integer", minimum=-1, maximum=1, required=True),
    "confidence": SubField(value="number", minimum=-1, maximum=1, required=True),
}


def _scalar(
    name: str,
    description: str,
    value: Value = "text",
    *,
    min_length: int | None = None,
    max_length: int | None = None,
    identifier: str | None = None,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    shape: Shape = "scalar",
    items: Mapping[str, SubField] = MappingProxyType({}),
) -> FieldType:
    return FieldType(
        name=name, attribute=name, shape=shape, value=value, description=description, identifier=identifier,
        min_length=min_length, max_length=max_length, choices=choices, minimum=minimum, items=items,
    )  # fmt: skip


def _list(
    name: str,
    description: str,
    value: Value,
    items: Mapping[str, SubField] = MappingProxyType({}),
    *,
    main: str | None = None,
    attribute: str | None = None,
    identifier: str | None = None,
    max_items: int = DEFAULT_MAX_ITEMS,
) -> FieldType:
    plain = items.get(main or "")
    return FieldType(
        name=name, attribute=attribute or name, shape="list", value=value, description=description,
        identifier=identifier, main=main, max_items=max_items,
        # A singular field (email, phone) takes plain values only, within the limits of the item's main key.
        items=items if attribute is None else {},
        min_length=plain.min_length if plain else None,
        max_length=plain.max_length if plain else None,
    )  # fmt: skip


_TAGS = FieldType(
    name="tags", attribute="tags", shape="list", value="tag", max_items=20, min_length=1, max_length=64,
    pattern=TAG_PATTERN, description="tag names or ids; several in one column are separated by commas",
)  # fmt: skip
_CREATED = _scalar("createdAt", "when the record came to be", "datetime")
_IMPORTED = _scalar("importedAt", "when the record was imported; setting it marks the record as imported", "datetime")
_LANGUAGE = _scalar("defaultLang", "language code, such as en_us", max_length=100)
_AVATAR = _scalar("avatarUrl", "address of a picture", "url")
_URLS = _list("urls", "web addresses", "url", _URL, main="url")
_LOCATIONS = _list("locations", "postal addresses", "json", _LOCATION)

_CUSTOMERS = (
    _list("email", "e-mail address", "email", _EMAIL, main="email", attribute="emails", identifier="email"),
    _scalar("name", "full name", max_length=256),
    _list("phone", "phone number", "phone", _PHONE, main="phone", attribute="phones", identifier="phone"),
    _scalar(
        "externalId", "the customer's id in your systems", "externalId",
        min_length=1, max_length=256, identifier="externalId",
    ),
    _scalar("username", "user name", max_length=256),
    _scalar("locale", "locale, such as en_US", max_length=16),
    _AVATAR,
    _scalar("company", "the company the customer belongs to", "externalId", shape="company"),
    _list("emails", "e-mail addresses", "email", _EMAIL, main="email", identifier="email"),
    _list("sharedEmails", "e-mail addresses shared with other customers", "email", _EMAIL, main="email"),
    _list("phones", "phone numbers", "phone", _PHONE, main="phone", identifier="phone"),
    _list("sharedPhones", "phone numbers shared with other customers", "phone", _PHONE, main="phone"),
    _list("whatsapps", "WhatsApp numbers", "phone", _WHATSAPP, main="phone", identifier="whatsapp"),
    _list(
        "externalIds", "ids in your systems", "externalId", _EXTERNAL_ID,
        main="externalId", identifier="externalId",
    ),
    _list(
        "sharedExternalIds", "ids shared with other customers", "externalId", _EXTERNAL_ID, main="externalId",
    ),
    _list("socials", "social network accounts", "json", _SOCIAL, identifier="social"),
    _list("sharedSocials", "social network accounts shared with other customers", "json", _SOCIAL),
    _list("facebookIds", "Facebook page and user ids", "json", _FACEBOOK),
    _list("instagramIds", "Instagram page and thread ids", "json", _INSTAGRAM),
    _URLS,
    _LOCATIONS,
    _TAGS,
    _scalar("timeZone", "time zone, such as America/New_York", max_length=64),
    _LANGUAGE,
    _scalar("gender", "gender", choices=("m", "f")),
    _scalar("birthdayAt", "birthday", "datetime"),
    _scalar("signedUpAt", "when the customer signed up", "datetime"),
    _scalar("lastActivityAt", "last activity", "datetime"),
    _scalar("lastCustomerActivityAt", "last activity of the customer", "datetime"),
    _scalar("lastSeenAt", "when the customer was last seen", "datetime"),
    _CREATED,
    _IMPORTED,
    _scalar("sentiment", "sentiment: polarity and confidence", "json", items=_SENTIMENT),
)  # fmt: skip

_COMPANIES = (
    _scalar("name", "name of the company", min_length=3, max_length=255),
    _scalar(
        "externalId", "the company's id in your systems", "externalId",
        min_length=1, max_length=256, identifier="externalId",
    ),
    _AVATAR,
    _list("emails", "e-mail addresses", "email", _EMAIL, main="email"),
    _list("phones", "phone numbers", "phone", _PHONE, main="phone"),
    _list("whatsapps", "WhatsApp numbers", "phone", _WHATSAPP, main="phone"),
    _list("socials", "social network accounts", "json", _SOCIAL),
    _URLS,
    _LOCATIONS,
    _list("domains", "e-mail domains", "domain", _DOMAIN, main="domain", max_items=DOMAINS_MAX_ITEMS),
    _TAGS,
    _scalar("employeeCount", "number of employees", "integer", minimum=0),
    _LANGUAGE,
    _CREATED,
    _IMPORTED,
)  # fmt: skip

FIELDS: Mapping[str, Mapping[str, FieldType]] = MappingProxyType(
    {
        "customers": MappingProxyType({field.name: field for field in _CUSTOMERS}),
        "companies": MappingProxyType({field.name: field for field in _COMPANIES}),
    }
)
REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType({"customers": ("email",), "companies": ("name",)})
MATCH_ON: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"customers": ("externalId", "email", "phone"), "companies": ("externalId", "name")}
)
# What the column of a company link may hold, and the limits of each.
COMPANY_LINKS: Mapping[str, SubField] = MappingProxyType(
    {
        "externalId": SubField(value="externalId", min_length=1, max_length=256),
        "name": SubField(value="externalId", min_length=3, max_length=255),
        "id": SubField(value="id"),
    }
)

_COMPOSITE_IDENTITIES = {
    "socials": ("type", "username"),
    "sharedSocials": ("type", "username"),
    "facebookIds": ("pageId", "userId"),
    "instagramIds": ("pageId", "threadId"),
    "locations": ("type", "name"),
}


def _list_attribute(field: FieldType) -> ListAttribute:
    identity = _COMPOSITE_IDENTITIES.get(field.attribute) or ((field.main,) if field.main else ())
    return ListAttribute(identity, frozenset(field.items), field.max_items or DEFAULT_MAX_ITEMS)


LIST_ATTRIBUTES: Mapping[str, Mapping[str, ListAttribute]] = MappingProxyType(
    {
        object: MappingProxyType(
            {
                field.attribute: _list_attribute(field)
                for field in fields.values()
                if field.shape == "list" and field.name == field.attribute
            }
        )
        for object, fields in FIELDS.items()
    }
)
