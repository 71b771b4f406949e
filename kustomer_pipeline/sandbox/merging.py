"""What a merge makes of two customers: the target has everything, the source is gone (docs/kustomer.md section 4.1)."""

from __future__ import annotations

from typing import Any

from .records import Json, Record, digits
from .times import iso

# The lists that are joined, and what makes two of their items one.
_JOINED: dict[str, tuple[str, ...]] = {
    "emails": ("email",),
    "sharedEmails": ("email",),
    "phones": ("phone",),
    "sharedPhones": ("phone",),
    "whatsapps": ("phone",),
    "externalIds": ("externalId",),
    "sharedExternalIds": ("externalId",),
    "socials": ("type", "username"),
    "sharedSocials": ("type", "username"),
    "facebookIds": ("pageId", "userId"),
    "instagramIds": ("pageId", "threadId"),
    "urls": ("url",),
    "locations": (),
}
_SERVER_KEPT = {"rev", "createdAt", "updatedAt", "modifiedAt", "importedAt", "deleted"}


def merged(source: Record, target: Record, now: float) -> tuple[Json, str | None]:
    """The target's attributes and company after the merge; where both have a value, the target's wins."""
    theirs, attributes = source.attributes, dict(target.attributes)
    for name, value in theirs.items():
        if name in _JOINED:
            attributes[name] = _joined(attributes.get(name, []), value, _JOINED[name])
        elif name in ("tags", "watchers"):
            attributes[name] = list(dict.fromkeys([*attributes.get(name, []), *value]))
        elif name == "custom":
            attributes[name] = {**value, **attributes.get(name, {})}
        elif name not in _SERVER_KEPT:
            attributes.setdefault(name, value)
    if attributes.get("externalIds"):
        attributes["externalId"] = attributes["externalIds"][0]["externalId"]
    stamp = iso(now)
    attributes.update(updatedAt=stamp, modifiedAt=stamp, rev=target.rev + 1)
    return attributes, target.company or source.company


def _joined(mine: list[Json], theirs: list[Json], keys: tuple[str, ...]) -> list[Json]:
    items = {_identity(item, keys): item for item in theirs}
    return [*mine, *(item for identity, item in items.items() if identity not in {_identity(i, keys) for i in mine})]


def _identity(item: Json, keys: tuple[str, ...]) -> Any:
    if not keys:
        return tuple(sorted((name, str(value)) for name, value in item.items()))
    return tuple(_value(key, str(item[key])) for key in keys)


def _value(key: str, text: str) -> str:
    if key == "phone":
        return digits(text)
    return text.lower() if key in ("email", "username") else text
