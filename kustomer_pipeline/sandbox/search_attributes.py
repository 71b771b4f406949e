"""What can be searched for: the attributes of customers and companies, and the kinds of objects beside them.

Those of customers are the ones of docs/kustomer.md section 8, with `id` and `companyId`, which are documented for the
archive; companies have the times that other people's clients ask for. What depends on conversations has no value here,
as there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .custom import suffix_of
from .records import Record

Values = Callable[[Record], Iterable[Any]]


@dataclass(frozen=True)
class Attribute:
    """A searchable attribute: its type (docs/kustomer.md section 8) and its values in a record."""

    type: str
    """string (analysed), exact (not analysed), list, datetime, number, boolean."""
    values: Values


def _items(name: str, *keys: str) -> Values:
    return lambda record: [item[key] for item in record.attributes.get(name, ()) for key in keys if item.get(key)]


def _plain(*names: str) -> Values:
    """The first of these attributes that is set."""

    def values(record: Record) -> Iterable[Any]:
        value = next((record.attributes[name] for name in names if record.attributes.get(name) is not None), None)
        if value is None:
            return ()
        return value if isinstance(value, list) else (value,)

    return values


def _custom(name: str) -> Values:
    def values(record: Record) -> Iterable[Any]:
        value = record.attributes.get("custom", {}).get(name)
        if value is None:
            return ()
        return value if isinstance(value, list) else (value,)

    return values


def _always(value: Any) -> Values:
    return lambda record: (value,)


def _nothing(record: Record) -> Iterable[Any]:
    return ()


def _id(record: Record) -> Iterable[Any]:
    return (record.id,)


def _company(record: Record) -> Iterable[Any]:
    return (record.company,) if record.company else ()


def _imported(record: Record) -> Iterable[Any]:
    return ("importedAt" in record.attributes,)


def _sentiment(record: Record) -> Iterable[Any]:
    polarity = record.attributes.get("sentiment", {}).get("polarity")
    return () if polarity is None else ({1: "happy", 0: "indifferent", -1: "unhappy"}[polarity],)


def _any_text(record: Record) -> Iterable[Any]:
    parts = (
        _plain("name"),
        _plain("username"),
        _items("emails", "email"),
        _items("sharedEmails", "email"),
        _items("phones", "phone"),
        _items("externalIds", "externalId"),
        _items("urls", "url"),
    )
    return [value for values in parts for value in values(record)]


_PLACE = ("address", "address2", "address3", "zipCode", "cityName", "regionName", "countryName")
_DATES = {
    "created_at": Attribute("datetime", _plain("createdAt")),
    "updated_at": Attribute("datetime", _plain("updatedAt")),
    "modified_at": Attribute("datetime", _plain("modifiedAt")),
    "imported": Attribute("boolean", _imported),
    "imported_at": Attribute("datetime", _plain("importedAt")),
}

ATTRIBUTES: dict[str, dict[str, Attribute]] = {
    "customer": {
        "id": Attribute("exact", _id),
        "companyId": Attribute("exact", _company),
        "any_text": Attribute("string", _any_text),
        "name": Attribute("string", _plain("name")),
        "gender": Attribute("list", _plain("gender")),
        "presence": Attribute("list", _always("offline")),
        "email": Attribute("string", _items("emails", "email")),
        "shared_email": Attribute("string", _items("sharedEmails", "email")),
        "phone": Attribute("string", _items("phones", "phone")),
        "shared_phone": Attribute("string", _items("sharedPhones", "phone")),
        "urls": Attribute("string", _items("urls", "url")),
        "address": Attribute("string", _items("locations", *_PLACE)),
        "locale": Attribute("string", _plain("locale")),
        "activity_at": Attribute("datetime", _plain("lastActivityAt", "updatedAt")),
        "last_seen_at": Attribute("datetime", _plain("lastSeenAt")),
        "signed_up_at": Attribute("datetime", _plain("signedUpAt")),
        "last_message_sent_at": Attribute("datetime", _nothing),
        "last_message_out_sent_at": Attribute("datetime", _nothing),
        "last_message_unresponded_to_sent_at": Attribute("datetime", _nothing),
        "last_message_at": Attribute("datetime", _nothing),
        "externalId": Attribute("exact", _items("externalIds", "externalId")),
        "shared_externalId": Attribute("exact", _items("sharedExternalIds", "externalId")),
        **_DATES,
        "created_by": Attribute("list", lambda record: (record.created_by,)),
        "modified_by": Attribute("list", lambda record: (record.modified_by,)),
        "satisfaction_avg_score": Attribute("number", _nothing),
        "satisfaction_avg_rating": Attribute("number", _nothing),
        "conversations_count": Attribute("number", _always(0)),
        "status": Attribute("list", _nothing),
        "progressive_status": Attribute("list", _nothing),
        "active_users": Attribute("list", _nothing),
        "watchers": Attribute("list", _plain("watchers")),
        "tags": Attribute("list", _plain("tags")),
        "sentiment": Attribute("list", _sentiment),
        "social_type": Attribute("list", _items("socials", "type")),
        "social_userid": Attribute("exact", _items("socials", "userid")),
        "social_username": Attribute("exact", _items("socials", "username")),
        "shared_social_type": Attribute("list", _items("sharedSocials", "type")),
        "shared_social_userid": Attribute("exact", _items("sharedSocials", "userid")),
        "shared_social_username": Attribute("exact", _items("sharedSocials", "username")),
        "default_lang": Attribute("exact", _plain("defaultLang")),
    },
    "company": {
        "id": Attribute("exact", _id),
        "any_text": Attribute("string", _any_text),
        "name": Attribute("string", _plain("name")),
        "tags": Attribute("list", _plain("tags")),
        "default_lang": Attribute("exact", _plain("defaultLang")),
        **_DATES,
    },
}
ARCHIVE_ATTRIBUTES = {"id", "companyId", "any_text", "created_at", "updated_at"}
"""Those that a search of the archive knows."""

OTHER_KINDS = ("conversation_time", "conversation", "message", "note", "kobject", "work_session", "work_item")
"""What can be searched for in Kustomer and is not here: a criterion on it is fulfilled by nothing."""

_CUSTOM_TYPES = {
    "Str": "exact", "Txt": "string", "Num": "number", "At": "datetime", "Bool": "boolean", "Url": "exact",
    "Id": "exact", "Tree": "exact",
}  # fmt: skip


def attribute(kind: str, name: str) -> Attribute | None:
    """The attribute `<kind>_<name>` of search; `custom_planStr` for a custom attribute. None if there is
    none.
    """
    if name.startswith("custom_"):
        suffix = suffix_of(name.removeprefix("custom_"))
        return Attribute(_CUSTOM_TYPES[suffix], _custom(name.removeprefix("custom_"))) if suffix else None
    return ATTRIBUTES[kind].get(name)


def other_kind(full_name: str) -> str | None:
    """The kind of object that is not here and whose attribute this is: `conversation` of `conversation_status`."""
    return next((kind for kind in OTHER_KINDS if full_name.startswith(f"{kind}_")), None)
