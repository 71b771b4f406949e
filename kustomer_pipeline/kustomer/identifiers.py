"""What identifies a record, and in which form two values are compared. The one definition, for everybody.

    attributes of a record, field → the identifiers it holds, canonical
    a value of the warehouse, field → the same form

E-mail: trimmed, in lower case. Phone: its digits, so that "+1 (212) 555-0003" and "12125550003" are one number
(phones stored without a plus exist, docs/kustomer.md section 4.5). External id: as it is. Name: trimmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from .answers import text

ObjectName = Literal["customers", "companies"]

# Identifiers of which no two records of an org hold the same (docs/kustomer.md sections 4.3 and 5).
UNIQUE: Final[Mapping[ObjectName, tuple[str, ...]]] = {
    "customers": ("externalId", "email", "phone"),
    "companies": ("externalId",),
}
_NOT_A_DIGIT = re.compile(r"[^0-9]+")
# Where a record keeps the values of an identifier: one attribute, and a list of items with a key.
_PLACES: Final[Mapping[str, tuple[str, str | None, str]]] = {
    "email": ("email", "emails", "email"),
    "phone": ("phone", "phones", "phone"),
    "externalId": ("externalId", "externalIds", "externalId"),
    "name": ("name", None, ""),
}


def canonical(field: str, value: str) -> str:
    """The form in which two values of an identifier are compared; empty for a value that identifies nobody.

    A phone may carry WhatsApp's prefix (`whatsapp:+1…`, docs/kustomer.md section 4.2): it is the same number.
    """
    if field == "email":
        return value.strip().lower()
    if field == "phone":
        return _NOT_A_DIGIT.sub("", value)
    return value.strip() if field == "name" else value


def identifiers(attributes: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """Every value of `field` (email, phone, externalId, name) that the record itself holds: canonical, in order, once.

    The shared lists are left out: what is in them does not identify anybody (docs/kustomer.md section 4.3).
    """
    found = dict.fromkeys(canonical(field, value) for value in _values(attributes, field))
    return tuple(value for value in found if value.strip())


def _values(attributes: Mapping[str, Any], field: str) -> Iterator[str]:
    single, many, key = _PLACES[field]
    items = attributes.get(many) if many else None
    for value in (attributes.get(single), *(items if isinstance(items, list) else ())):
        if found := text(value.get(key) if isinstance(value, dict) else value):
            yield found
