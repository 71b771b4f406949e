"""Personal data leaves the engine masked: `jane@example.com` → `j…@….com`, `Jane` → `J…`.

Keys that are identifiers of a person (e-mail, phone) are masked; ids of the warehouse are shown, they name the row.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd

_PERSONAL_KEY = re.compile(r"@|^(?:email|phone)=|^\+\d{6,}$")


def mask_text(text: str) -> str:
    """The first character, and for an e-mail address its top-level domain."""
    if not text:
        return text
    local, at, domain = text.partition("@")
    if at and local and "." in domain:
        return f"{local[0]}…@….{domain.rsplit('.', 1)[1]}"
    return f"{text[0]}…"


def mask(value: Any) -> Any:
    """A value as it may be shown: null, true and false stay, text is shortened, numbers are hidden."""
    if value is None or value is pd.NA or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return "#"
    return mask_text(str(value))


def mask_key(key: str) -> str:
    """A row's key as it may be shown: `C-17` stays, `email=jane@example.com` → `email=j…@….com`."""
    if not _PERSONAL_KEY.search(key):
        return key
    field, equals, value = key.partition("=")
    if equals and field in {"email", "phone"}:
        return f"{field}={mask_text(value)}"
    return mask_text(key)


_PERSONAL_TEXT = re.compile(r"[^\s\"'<>,;:]+@[^\s\"'<>,;:]+|\+?\d[\d\s().-]{6,}\d")


def scrub(text: str) -> str:
    """Somebody else's words with what looks like an e-mail address or a phone number masked."""
    return _PERSONAL_TEXT.sub(lambda found: mask_text(found.group()), text)


def shown(value: Any) -> str | None:
    """A value as text for a table: null stays null, text is itself, everything else JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
