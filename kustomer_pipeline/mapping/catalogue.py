"""The writable fields of customers and companies, as data (docs/kustomer.md sections 4.2, 4.3, 5, 6 and 9).

Left out on purpose: `rev` (optimistic locking is the engine's), `deleted` (no column may delete companies).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import item_types
from .kinds import FieldType, ListAttribute, Shape, SubField, Value

MAX_CUSTOM_PROPERTIES = 100
DEFAULT_MAX_ITEMS = 10

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
    nullable: bool = False,
    shape: Shape = "scalar",
    items: Mapping[str, SubField] = MappingProxyType({}),
) -> FieldType:
    return FieldType(
        name=name, attribute=name, shape=shape, value=value, description=description, identifier=identifier,
        min_length=min_length, max_length=max_length, choices=choices, minimum=minimum, nullable=nullable, items=items,
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
_LANGUAGE = _scalar("defaultLang", "language code, such as en_us", max_length=100, nullable=True)
_AVATAR = _scalar("avatarUrl", "address of a picture", "url", nullable=True)
_URLS = _list("urls", "web addresses", "url", item_types.URL, main="url")
_LOCATIONS = _list("locations", "postal addresses", "json", item_types.LOCATION)

_CUSTOMERS = (
    _list("email", "e-mail address", "email", item_types.EMAIL, main="email", attribute="emails", identifier="email"),
    _scalar("name", "full name", max_length=256, nullable=True),
    _list("phone", "phone number", "phone", item_types.PHONE, main="phone", attribute="phones", identifier="phone"),
    _scalar(
        "externalId", "the customer's id in your systems", "externalId",
        min_length=1, max_length=256, identifier="externalId", nullable=True,
    ),
    _scalar("username", "user name", max_length=256, nullable=True),
    _scalar("locale", "locale, such as en_US", max_length=16, nullable=True),
    _AVATAR,
    _scalar("company", "the company the customer belongs to", "externalId", shape="company", nullable=True),
    _list("emails", "e-mail addresses", "email", item_types.EMAIL, main="email", identifier="email"),
    _list("sharedEmails", "e-mail addresses shared with other customers", "email", item_types.EMAIL, main="email"),
    _list("phones", "phone numbers", "phone", item_types.PHONE, main="phone", identifier="phone"),
    _list("sharedPhones", "phone numbers shared with other customers", "phone", item_types.PHONE, main="phone"),
    _list("whatsapps", "WhatsApp numbers", "phone", item_types.WHATSAPP, main="phone", identifier="whatsapp"),
    _list(
        "externalIds", "ids in your systems", "externalId", item_types.EXTERNAL_ID,
        main="externalId", identifier="externalId",
    ),
    _list(
        "sharedExternalIds", "ids shared with other customers", "externalId", item_types.EXTERNAL_ID, main="externalId",
    ),
    _list("socials", "social network accounts", "json", item_types.SOCIAL, identifier="social"),
    _list("sharedSocials", "social network accounts shared with other customers", "json", item_types.SOCIAL),
    _list("facebookIds", "Facebook page and user ids", "json", item_types.FACEBOOK),
    _list("instagramIds", "Instagram page and thread ids", "json", item_types.INSTAGRAM),
    _URLS,
    _LOCATIONS,
    _TAGS,
    _scalar("timeZone", "time zone, such as America/New_York", max_length=64, nullable=True),
    _LANGUAGE,
    _scalar("gender", "gender", choices=("m", "f"), nullable=True),
    _scalar("birthdayAt", "birthday", "datetime", nullable=True),
    _scalar("signedUpAt", "when the customer signed up", "datetime", nullable=True),
    _scalar("lastActivityAt", "last activity", "datetime", nullable=True),
    _scalar("lastCustomerActivityAt", "last activity of the customer", "datetime", nullable=True),
    _scalar("lastSeenAt", "when the customer was last seen", "datetime", nullable=True),
    _CREATED,
    _IMPORTED,
    _scalar("sentiment", "sentiment: polarity and confidence", "json", items=item_types.SENTIMENT),
)  # fmt: skip

_COMPANIES = (
    _scalar("name", "name of the company", min_length=3, max_length=256),
    _scalar(
        "externalId", "the company's id in your systems", "externalId",
        min_length=1, max_length=256, identifier="externalId", nullable=True,
    ),
    _AVATAR,
    _list("emails", "e-mail addresses", "email", item_types.EMAIL, main="email"),
    _list("phones", "phone numbers", "phone", item_types.PHONE, main="phone"),
    _list("whatsapps", "WhatsApp numbers", "phone", item_types.WHATSAPP, main="phone"),
    _list("socials", "social network accounts", "json", item_types.SOCIAL),
    _URLS,
    _LOCATIONS,
    _list("domains", "e-mail domains", "domain", item_types.DOMAIN, main="domain"),
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
# Nullable in an update, and not when the record is made.
NOT_NULLABLE_AT_CREATE: Mapping[str, frozenset[str]] = MappingProxyType(
    {"customers": frozenset(), "companies": frozenset({"externalId"})}
)
# What the column of a company link may hold, and the limits of each.
COMPANY_LINKS: Mapping[str, SubField] = MappingProxyType(
    {
        "externalId": SubField(value="externalId", min_length=1, max_length=256),
        "name": SubField(value="externalId", min_length=3, max_length=256),
        "id": SubField(value="id"),
    }
)

# Items that no single key identifies. A location has no value of its own: only what it is to the customer.
_COMPOSITE_IDENTITIES = {
    "socials": ("type", "username"),
    "sharedSocials": ("type", "username"),
    "facebookIds": ("pageId", "userId"),
    "instagramIds": ("pageId", "threadId"),
    "locations": ("type", "name"),
}


def _list_attribute(field: FieldType) -> ListAttribute:
    identity = _COMPOSITE_IDENTITIES.get(field.attribute) or ((field.main,) if field.main else ())
    writable, most = frozenset(field.items), field.max_items or DEFAULT_MAX_ITEMS
    return ListAttribute(identity, writable, most, by_value=field.attribute != "locations")


LIST_ATTRIBUTES: Mapping[str, Mapping[str, ListAttribute]] = MappingProxyType(
    {
        object_name: MappingProxyType(
            {
                field.attribute: _list_attribute(field)
                for field in fields.values()
                if field.shape == "list" and field.name == field.attribute
            }
        )
        for object_name, fields in FIELDS.items()
    }
)
