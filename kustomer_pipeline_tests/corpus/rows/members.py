"""Members of an audience: who is found, who is not, who cannot take one tag more."""

from __future__ import annotations

from ..case import Case, invalid, rejected, skipped, updated
from .records import person

NOBODY = {"email": None, "externalId": None, "phone": None}

MEMBERS: list[Case] = [
    updated(
        "by address in another case",
        {**NOBODY, "email": " Ann@Member.Example "},
        person("ann@member.example"),
        tags=["vip"],
    ),
    updated("by id, a number", {**NOBODY, "externalId": 4711.0}, {"externalId": "4711"}, tags=["vip"]),
    updated("by an odd id", {**NOBODY, "externalId": "a/b?c=%20#,é"}, {"externalId": "a/b?c=%20#,é"}, tags=["vip"]),
    updated("by phone", {**NOBODY, "phone": "020 7946 0801"}, {"phones": [{"phone": "+442079460801"}]}, tags=["vip"]),
    updated(
        "other tags stay",
        {**NOBODY, "email": "tags@member.example"},
        person("tags@member.example", tags=["agent", "VIP lounge"]),
        tags=["agent", "VIP lounge", "vip"],
    ),
    updated(
        "a tag that was deleted stays too",
        {**NOBODY, "email": "retired@member.example"},
        person("retired@member.example", tags=["retired"]),
        tags=["retired", "vip"],
    ),
    Case(
        "a member already",
        {**NOBODY, "email": "was@member.example"},
        "unchanged",
        there=person("was@member.example", tags=["vip"]),
    ),
    skipped("nobody", {**NOBODY, "email": "nobody@member.example"}, "not in Kustomer"),
    skipped("nobody, by an id that begins as another's", {**NOBODY, "externalId": "471"}, "not in Kustomer"),
    skipped("the same again", {**NOBODY, "email": "ANN@member.example"}, "the same member as an earlier row"),
    rejected(
        "id and address of two people",
        {**NOBODY, "externalId": "4712", "email": "tags@member.example"},
        "belong to different records",
        {"externalId": "4712"},
    ),
    rejected(
        "twenty tags already",
        {**NOBODY, "email": "full@member.example"},
        "has 20 tags already",
        person("full@member.example", tags=[f"t{n}" for n in range(20)]),
    ),
    invalid("nothing to go by", NOBODY, "none of externalId, email, phone is there"),
    invalid(
        "blanks to go by", {"email": " ", "externalId": "", "phone": "\t"}, "none of externalId, email, phone is there"
    ),
    invalid("a bad address", {**NOBODY, "email": "ann@@member.example"}, "email is not an e-mail address"),
    invalid(
        "a bad phone beside a good address",
        {**NOBODY, "email": "badphone@member.example", "phone": "n/a"},
        "phone is not a phone number",
        person("badphone@member.example"),
    ),
    invalid(
        "two addresses in one cell", {**NOBODY, "email": "ann@member.example, joe@member.example"}, "is not an e-mail"
    ),
]
