"""Personal data leaves the engine masked: `jane@example.com` → `j…@….com`, `Jane` → `J…`. Values: masked_values.py.

Only a text that is an e-mail address, and nothing else, is shown in part; of every other text the first character is
left. Keys that are personal (an e-mail address, a phone number) are masked; ids of the warehouse are shown, they name
the row. Which keys are personal follows from the field that they come from (mapping.is_personal_key); where that field
is not known, from their looks, and then a key that may be a phone number counts as one.
"""

from __future__ import annotations

import json
import re
from typing import Any

TO_BE_CREATED = "new company"

_ADDRESS = re.compile(r"(?P<first>[\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]*@[\w.-]+\.(?P<top>[^\W\d_]{2,24})")
_LOOKS_PERSONAL = re.compile(
    r"@"
    r"|^(?:email|phone)="
    r"|^whatsapp:"
    r"|^\+[\d\s()./-]{6,}$"
    # Digits alone are more often an id of the warehouse's; blanks and brackets are a phone number's.
    r"|^(?=(?:\D*\d){7})(?=.*[\s()])[\d\s()./-]+$"
)
_PREFIXED = ("email", "phone")
_PERSONAL_TEXT = re.compile(
    r"(?P<id>\b[0-9a-f]{24}\b)"  # an id of Kustomer's names a record, and may look like a phone number in part
    r"|[^\s\"'<>,;:]+@[^\s\"'<>,;:]+"
    r"|\+?\(?\d[\d\s()./-]{6,}\d"
)


def mask_text(text: str) -> str:
    """The first character; of a text that is an e-mail address its top-level domain besides."""
    address = _ADDRESS.fullmatch(text)
    if address:
        return f"{address['first']}…@….{address['top']}"
    return f"{text[0]}…" if text else text


def is_address(text: str) -> bool:
    """Whether a text is an e-mail address, and nothing else."""
    return _ADDRESS.fullmatch(text) is not None


def looks_personal(text: str) -> bool:
    """Whether a text may be an address or a telephone number, or has one in it."""
    return _LOOKS_PERSONAL.search(text) is not None


def mask_key(key: str, personal: bool | None = None) -> str:
    """A row's key as it may be shown: `C-17` stays, `email=jane@example.com` → `email=j…@….com`.

    `personal`: whether the field that the key comes from holds personal data; None where that is not known.
    """
    if personal is None:
        personal = looks_personal(key)
    if not personal:
        return key
    field, equals, value = key.partition("=")
    if equals and field in _PREFIXED:
        return f"{field}={mask_text(value)}"
    return mask_text(key)


def scrub(text: str) -> str:
    """Somebody else's words with what looks like an e-mail address or a phone number masked."""
    return _PERSONAL_TEXT.sub(lambda found: found["id"] or mask_text(found.group()), text)


def to_be_created(company: str) -> str:
    """In a plan, in place of the id of a company that an earlier sync is going to create. company: the row's word."""
    return f"{TO_BE_CREATED} {company}"


def shown(value: Any) -> str | None:
    """A value as text for a table: null stays null, text is itself, everything else JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
