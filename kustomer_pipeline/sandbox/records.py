"""Customers and companies as values: what a write makes of a record, and which of its values are unique.

Pure: nothing here is changed in place, so that the search index can keep a record as it was.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from .custom import merge_custom
from .times import iso, parse_date_time

Json = dict[str, Any]

WHATSAPP = "whatsapp:"
"""What a WhatsApp number begins with in Kustomer's answers (docs/kustomer.md section 4.2)."""

_LISTS = [
    "externalIds", "sharedExternalIds", "emails", "sharedEmails", "phones", "sharedPhones", "whatsapps",
    "sharedWhatsapps", "facebookIds", "instagramIds", "socials", "sharedSocials", "urls", "locations",
]  # fmt: skip
_DATES = {
    "birthdayAt", "signedUpAt", "lastActivityAt", "lastCustomerActivityAt", "lastSeenAt", "createdAt",
    "importedAt",
}  # fmt: skip
# What Kustomer adds to an item that was sent without it.
_ITEM_DEFAULTS: dict[str, Json] = {
    "externalIds": {"verified": True},
    "sharedExternalIds": {"verified": True},
    "emails": {"type": "home", "verified": False},
    "sharedEmails": {"type": "home", "verified": False},
    "phones": {"type": "home", "verified": False},
    "sharedPhones": {"type": "home", "verified": False},
    "whatsapps": {"type": "mobile", "verified": False},
    "socials": {"verified": False},
    "sharedSocials": {"verified": False},
}
_NOT_ATTRIBUTES = {"id", "_clientRef", "rev", "company", "custom", "tags", "externalId", "externalIds"}

_ADJECTIVES = [
    "Amber", "Brave", "Calm", "Dapper", "Eager", "Fuzzy", "Golden", "Humble", "Ivory", "Jolly", "Keen",
    "Lively", "Mellow", "Noble", "Opal", "Silver",
]  # fmt: skip
_NOUNS = [
    "Acorn", "Bridge", "Canyon", "Dolphin", "Ember", "Falcon", "Garden", "Harbor", "Island", "Jacket",
    "Kettle", "Lantern", "Scissors", "Walrus",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """One state of a customer or company. `attributes` holds only what is set; `blank` has the rest."""

    kind: str
    id: str
    attributes: Json
    company: str | None
    created_by: str
    modified_by: str
    at: float
    """When this state was written, epoch seconds; also `attributes["updatedAt"]`."""

    @property
    def deleted(self) -> bool:
        """Whether the record is deleted."""
        return bool(self.attributes.get("deleted"))

    @property
    def rev(self) -> int:
        """Grows by one with every change."""
        return int(self.attributes["rev"])


def blank(kind: str) -> Json:
    """The attributes of a record of which nothing is set (docs/kustomer.md sections 4.5 and 5)."""
    if kind == "company":
        return {
            "name": None, "externalId": None, "avatarUrl": None, "domains": [], "emails": [], "phones": [],
            "whatsapps": [], "socials": [], "urls": [], "locations": [], "tags": [], "defaultLang": None,
            "deleted": False,
        }  # fmt: skip
    return {
        "name": None, "displayName": None, "displayColor": "purple", "displayIcon": "scissors",
        "externalId": None,
        **{name: [] for name in _LISTS}, "smoochIds": [],
        "activeUsers": [], "watchers": [], "recentLocation": {}, "locale": None, "timeZone": None,
        "birthdayAt": None, "gender": None, "presence": "offline", "signedUpAt": None, "username": None,
        "avatarUrl": None, "defaultLang": None, "lastActivityAt": None, "lastCustomerActivityAt": None,
        "lastSeenAt": None, "deleted": False, "lastMessageIn": {}, "lastMessageOut": {},
        "lastConversation": {"channels": [], "tags": []},
        "conversationCounts": {"done": 0, "open": 0, "snoozed": 0, "all": 0}, "preview": {}, "tags": [],
        "sentiment": {}, "progressiveStatus": None, "verified": False, "recentItems": [],
        "satisfactionLevel": {"firstSatisfaction": {"sentByTeams": []}, "lastSatisfaction": {"sentByTeams": []}},
        "roleGroupVersions": [], "accessOverride": [],
    }  # fmt: skip


_BLANKS = {"customer": blank("customer"), "company": blank("company")}


_NOT_DIGITS = re.compile(r"[^0-9]")
_SHOWN = {kind: {name: value for name, value in some.items() if value is not None} for kind, some in _BLANKS.items()}
_IDENTIFYING = {"emails", "phones", "externalIds", "whatsapps", "socials"}


def full_attributes(record: Record) -> Json:
    """Every attribute, None where nothing is set, and those that Kustomer works out."""
    return {**_BLANKS[record.kind], **shown_attributes(record)}


def shown_attributes(record: Record) -> Json:
    """The attributes as Kustomer returns them: scalars that are not set are absent, lists are empty (section 4.5)."""
    attributes = {**_SHOWN[record.kind], **record.attributes}
    if record.kind == "customer":
        emails = attributes["emails"]
        attributes["displayName"] = attributes.get("name") or (
            emails[0]["email"] if emails else generated_name(record.id)
        )
        attributes["verified"] = not _IDENTIFYING.isdisjoint(record.attributes)
    return attributes


def repeated_attributes(record: Record, company_name: str | None) -> Json:
    """What a customer in an answer has besides, as in recordings: most of it says again what other attributes say."""
    first, _, last = str(record.attributes.get("name") or "").partition(" ")
    names = {"firstName": first, "lastName": last, "companyName": company_name}
    return {
        "recentLocation": {"updatedAt": record.attributes["createdAt"]},
        "progressiveStatus": None,
        **{name: value for name, value in names.items() if value},
    }


def digits(number: str) -> str:
    """What makes two telephone numbers one: the digits, without plus and prefix."""
    return _NOT_DIGITS.sub("", number)


def with_prefix(number: str) -> str:
    """A WhatsApp number as Kustomer stores it."""
    return number if number.startswith(WHATSAPP) else f"{WHATSAPP}{number}"


def generated_name(record_id: str) -> str:
    """A customer without a name and an e-mail is called something like "Silver Scissors"."""
    number = int(record_id[-6:], 16)
    return f"{_ADJECTIVES[number % len(_ADJECTIVES)]} {_NOUNS[number % len(_NOUNS)]}"


def changed(kind: str, current: Json, body: Json, now: float, *, rev: int) -> Json:
    """The attributes after a write of `body` over `current` ({} for a new record, or to replace one).

    Lists are set as a whole, null clears a scalar, custom attributes merge key by key (docs/kustomer.md
    section 4.4). Tags are left to the store, which knows their ids.
    """
    attributes = dict(current)
    for name, value in body.items():
        if name in _NOT_ATTRIBUTES:
            continue
        if value is None or value == []:
            attributes.pop(name, None)
        elif name in _ITEM_DEFAULTS:
            items = [{**_ITEM_DEFAULTS[name], **item} for item in value]
            if name == "whatsapps":
                items = [{**item, "phone": with_prefix(item["phone"])} for item in items]
            attributes[name] = items
        elif name in _DATES:
            moment = parse_date_time(value)
            attributes[name] = value if moment is None else iso(moment)
        else:
            attributes[name] = value
    if kind == "company":
        _set(attributes, "externalId", body.get("externalId", attributes.get("externalId")))
    elif "externalId" in body or "externalIds" in body:
        _set_external_ids(attributes, body)
    if body.get("custom"):
        _set(attributes, "custom", merge_custom(attributes.get("custom", {}), body["custom"]))
    stamp = iso(now)
    attributes.setdefault("createdAt", stamp)
    return {**attributes, "updatedAt": stamp, "modifiedAt": stamp, "rev": rev}


def _set(attributes: Json, name: str, value: Any) -> None:
    if value in (None, [], {}):
        attributes.pop(name, None)
    else:
        attributes[name] = value


def _set_external_ids(attributes: Json, body: Json) -> None:
    """`externalId` is the first of `externalIds`: writing it puts it in the first place, for the one that was
    there.
    """
    given: list[Json] = body["externalIds"] if "externalIds" in body else attributes.get("externalIds", [])
    items = [{**_ITEM_DEFAULTS["externalIds"], **item} for item in given]
    if "externalId" in body:
        primary = body["externalId"]
        old = attributes.get("externalId") if "externalIds" not in body else None
        if primary is not None:
            same = [item for item in items if item["externalId"] == primary]
            items = (same or [{"externalId": primary, "verified": True}]) + [
                item for item in items if item["externalId"] not in (primary, old)
            ]
        elif "externalIds" not in body:
            items = items[1:]
    _set(attributes, "externalIds", items)
    _set(attributes, "externalId", items[0]["externalId"] if items else None)


def identifiers(kind: str, attributes: Json) -> Iterator[tuple[Hashable, ...]]:
    """The values that no other record may have: (field, value…), e-mails in lower case, numbers as digits (4.3, 5).

    The shared lists are not among them.
    """
    if kind == "company":
        if attributes.get("externalId") is not None:
            yield ("companyExternalId", attributes["externalId"])
        return
    for item in attributes.get("emails", ()):
        yield ("email", item["email"].strip().lower())
    for item in attributes.get("phones", ()):
        yield ("phone", digits(item["phone"]))
    for item in attributes.get("whatsapps", ()):
        yield ("whatsapp", digits(item["phone"]))
    for item in attributes.get("socials", ()):
        yield ("social", item["type"], item["username"].lower())
    for item in attributes.get("externalIds", ()):
        yield ("externalId", item["externalId"])
