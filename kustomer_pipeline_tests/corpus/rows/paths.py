"""Identifiers that have to be encoded in a path: found again although Kustomer cannot be searched."""

# Characters that look like others are the point of some rows.

from __future__ import annotations

from ..case import Case, updated
from .records import NO_ID, person

_ODD_IDS = (
    "a/b",
    "a//b",
    "/a",
    "100%",
    "%41",
    "%2F",
    "a,b",
    "a b",
    "a+b",
    "a?b",
    "a#b",
    "a&b=c",
    "email=x",
    "externalId=x",
    "..",
    ".",
    "../../customers",
    "a\\b",
    "🦊",
    "ü",
    "u\u0308",
    "日本",
    ";",
    "'",
    '"',
    "<>",
    "{}",
    "a\nb",
    "a\tb",
    "\x01",
    "\u202e",
    "~",
    "!*'()",
    "i" * 256,
    "null",
    "\u2028",
    "@",
    ":",
    "|",
    "^`",
)
_ODD_ADDRESSES = (
    "plus+tag@path.example",
    "a/b@path.example",
    "50%@path.example",
    "q?q@path.example",
    "h#h@path.example",
    "a&b=c@path.example",
    "o'hara@path.example",
    "ü@exämple.example",
    "名前@例え.テスト",
    "`|~^@path.example",
)

# Seeded, and found again although only look-ups by path are possible.
FOUND_BY_PATH: list[Case] = [
    *[
        updated(
            f"found by the id {text[:20]!r}",
            {"externalId": text, "email": f"path{n}@path.example", "name": "Jane"},
            person(f"path{n}@path.example", externalId=text, name="John"),
            name="Jane",
        )
        for n, text in enumerate(_ODD_IDS)
    ],
    *[
        updated(
            f"found by the address {text!r}",
            {**NO_ID, "email": text.upper(), "name": "Jane"},
            person(text, name="John"),
            name="Jane",
        )
        for text in _ODD_ADDRESSES
    ],
    updated(
        "found by the phone",
        {**NO_ID, "email": "phoned@path.example", "phone": "+44 20 7946 0701"},
        {"phones": [{"phone": "+442079460701"}]},
        emails=["phoned@path.example"],
    ),
]
