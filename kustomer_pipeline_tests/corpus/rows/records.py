"""Rows that meet a record: who it is, what stays, what may be emptied."""

# Characters that look like others are the point of some rows.
# ruff: noqa: RUF001

from __future__ import annotations

from typing import Any

from ..case import Case, created, invalid, rejected, skipped, updated

NO_ID = {"externalId": None}


def person(email: str, **more: Any) -> dict[str, Any]:
    """A customer that is there already."""
    return {"emails": [{"email": email}], **more}


# upsert, match_on externalId then email.
MATCHES: list[Case] = [
    updated(
        "found by the address in another case",
        {**NO_ID, "email": "CASE@there.example", "name": "Jane"},
        person("case@there.example"),
        name="Jane",
    ),
    updated(
        "found by an address that Kustomer holds in capitals",
        {**NO_ID, "email": "upper@there.example", "name": "Jane"},
        person("UPPER@There.Example"),
        name="Jane",
        emails=["UPPER@There.Example"],
    ),
    updated(
        "found by the id, with another address",
        {"externalId": "known", "email": "new@there.example"},
        person("old@there.example", externalId="known"),
        emails=["old@there.example", "new@there.example"],
    ),
    updated(
        "found by the address, gets its id",
        {"externalId": "fresh", "email": "fresh@there.example"},
        person("fresh@there.example"),
        externalId="fresh",
    ),
    Case(
        "as it is already",
        {**NO_ID, "email": "same@there.example", "name": "Jane"},
        "unchanged",
        there=person("same@there.example", name="Jane"),
    ),
    Case(
        "null leaves what is there",
        {**NO_ID, "email": "null@there.example", "name": None, "plan": " "},
        "unchanged",
        there=person("null@there.example", name="Jane", custom={"planStr": "pro"}),
    ),
    updated(
        "the word null does not",
        {**NO_ID, "email": "word@there.example", "name": "null"},
        person("word@there.example", name="Jane"),
        name="null",
    ),
    updated(
        "the name in another case",
        {**NO_ID, "email": "jane@there.example", "name": "JANE"},
        person("jane@there.example", name="Jane"),
        name="JANE",
    ),
    updated(
        "another address in the list",
        {**NO_ID, "email": "x1@there.example", "emails": ["x2@there.example"]},
        person("x1@there.example", sharedEmails=[{"email": "s@there.example"}]),
        emails=["x1@there.example", "x2@there.example"],
    ),
    updated(
        "one tag more, those of agents stay",
        {**NO_ID, "email": "tags@there.example", "tags": "vip"},
        person("tags@there.example", tags=["agent"]),
        tags=["agent", "vip"],
    ),
    updated(
        "nineteen tags, and one more",
        {**NO_ID, "email": "t19@there.example", "tags": "vip"},
        person("t19@there.example", tags=[f"t{n}" for n in range(19)]),
        tags=[*(f"t{n}" for n in range(19)), "vip"],
    ),
    Case(
        "twenty tags, this one among them",
        {**NO_ID, "email": "t20@there.example", "tags": "t3"},
        "unchanged",
        there=person("t20@there.example", tags=[f"t{n}" for n in range(20)]),
    ),
    rejected(
        "twenty tags, and one more",
        {**NO_ID, "email": "t21@there.example", "tags": "vip"},
        "tags would hold 21 entries, Kustomer takes 20",
        person("t21@there.example", tags=[f"t{n}" for n in range(20)]),
    ),
    rejected(
        "ten addresses, and one more",
        {"externalId": "ten", "email": "eleventh@there.example"},
        "emails would hold 11 entries, Kustomer takes 10",
        {"externalId": "ten", "emails": [{"email": f"ten{n}@there.example"} for n in range(10)]},
    ),
    rejected(
        "the id of one, the address of another: the one",
        {"externalId": "one", "email": "other@there.example"},
        "its email belongs to another record",
        person("one@there.example", externalId="one"),
    ),
    rejected(
        "the id of one, the address of another: the other",
        {"externalId": "two", "email": "one@there.example"},
        "has another externalId",
        person("other@there.example", externalId="other"),
    ),
    rejected(
        "two rows for one record: by its id",
        {"externalId": "both", "email": "both1@there.example"},
        "the same record in Kustomer",
        person("both@there.example", externalId="both"),
    ),
    rejected(
        "two rows for one record: by its address",
        {**NO_ID, "email": "both@there.example"},
        "the same record in Kustomer",
    ),
    rejected(
        "a second address that is another's",
        {"emails": ["list1@there.example"]},
        "has another externalId",
        person("list1@there.example", externalId="list1"),
    ),
    rejected(
        "a phone of another",
        {"phone": "+442079460301"},
        "Kustomer refused it",
        person("phone@there.example", externalId="phone", phones=[{"phone": "+442079460301"}]),
    ),
    rejected(
        "an account of another",
        {"socials": '{"type": "linkedin", "username": "taken"}'},
        "Kustomer refused it",
        person("social@there.example", socials=[{"type": "linkedin", "username": "taken"}]),
    ),
]

# Kustomer itself refuses the whole request for these: they must be told from the good ones around them.
REFUSED_BY_KUSTOMER: list[Case] = [
    rejected("a choice that is none", {"level": "platinum"}, "Kustomer refused it"),
    created("a choice", {"level": "gold"}, levelStr="gold"),
    rejected("a record of Kustomer that is not there", {"other": "507f1f77bcf86cd799439011"}, "Kustomer refused it"),
    invalid("a record of Kustomer that cannot be", {"other": "507f1f77"}, "custom.otherId is not a Kustomer id"),
    rejected("an attribute that nobody declared", {"nobody": "507f1f77bcf86cd799439011"}, "Kustomer refused it"),
    rejected("more than a request may hold", {f"huge{n}": "𝕏" * 1024 for n in range(30)}, "Kustomer refused it"),
    created(
        "nearly as much as a request may hold",
        {f"huge{n}": "é" * 1024 for n in range(30)},
        **{f"huge{n}Str": "é" * 1024 for n in range(30)},
    ),
]

# nulls: clear.
EMPTIED: list[Case] = [
    updated(
        "a null empties",
        {**NO_ID, "email": "c1@clear.example", "name": None},
        person("c1@clear.example", name="Jane"),
        name=None,
    ),
    updated(
        "so does blank text",
        {**NO_ID, "email": "c2@clear.example", "name": "  "},
        person("c2@clear.example", name="Jane"),
        name=None,
    ),
    updated(
        "a custom attribute, the others stay",
        {**NO_ID, "email": "c3@clear.example", "plan": None},
        person("c3@clear.example", custom={"planStr": "pro", "agentStr": "hers"}),
        planStr=None,
    ),
    updated(
        "a number that is no number",
        {**NO_ID, "email": "c4@clear.example", "score": float("nan")},
        person("c4@clear.example", custom={"scoreNum": 7}),
        scoreNum=None,
    ),
    Case(
        "lists keep what agents wrote",
        {**NO_ID, "email": "c5@clear.example", "phone": None},
        "unchanged",
        there=person("c5@clear.example", phones=[{"phone": "+442079460401"}]),
    ),
    invalid(
        "a bad value is no null: it empties nothing",
        {**NO_ID, "email": "c6@clear.example", "score": "1,234"},
        "custom.scoreNum is not a number",
        person("c6@clear.example", custom={"scoreNum": 7}),
    ),
    invalid(
        "the address cannot be emptied",
        {"externalId": "c7", "email": None},
        "email is missing",
        person("c7@clear.example", externalId="c7"),
    ),
    updated(
        "the word null is no null",
        {**NO_ID, "email": "c8@clear.example", "name": "null"},
        person("c8@clear.example", name="Jane"),
        name="null",
    ),
    created("nothing to empty", {"name": None}),
]

# write: if_empty for name, plan, phone.
FILLED: list[Case] = [
    Case(
        "a name stays",
        {**NO_ID, "email": "f1@fill.example", "name": "John"},
        "unchanged",
        there=person("f1@fill.example", name="Jane"),
    ),
    updated(
        "no name is filled",
        {**NO_ID, "email": "f2@fill.example", "name": "Jane"},
        person("f2@fill.example"),
        name="Jane",
    ),
    Case(
        "nought is not empty",
        {**NO_ID, "email": "f3@fill.example", "score": 7},
        "unchanged",
        there=person("f3@fill.example", custom={"scoreNum": 0}),
    ),
    Case(
        "false is not empty",
        {**NO_ID, "email": "f4@fill.example", "active": True},
        "unchanged",
        there=person("f4@fill.example", custom={"activeBool": False}),
    ),
    Case(
        "a phone stays the only one",
        {**NO_ID, "email": "f5@fill.example", "phone": "+442079460502"},
        "unchanged",
        there=person("f5@fill.example", phones=[{"phone": "+442079460501"}]),
    ),
    invalid(
        "a bad value is bad although nobody would send it",
        {**NO_ID, "email": "f6@fill.example", "name": "x" * 257},
        "name is 257 characters",
        person("f6@fill.example", name="Jane"),
    ),
]

# mode: insert and mode: update.
ONLY_NEW: list[Case] = [
    skipped(
        "somebody is there by address",
        {**NO_ID, "email": "IN1@insert.example", "name": "John"},
        "exists already",
        person("in1@insert.example", name="Jane"),
    ),
    skipped(
        "somebody is there by id",
        {"externalId": "in2", "email": "in2b@insert.example"},
        "exists already",
        person("in2@insert.example", externalId="in2"),
    ),
    invalid("nobody, and nothing to go by", {"externalId": " ", "email": ""}, "email is missing"),
    Case(
        "somebody new",
        {"externalId": "in3/ä%", "name": "Jane"},
        "created",
        shows={"externalId": "in3/ä%", "name": "Jane"},
        in_a_full_run="skipped",
    ),
]
ONLY_KNOWN: list[Case] = [
    skipped("nobody", {"externalId": "up1", "email": "up1@update.example"}, "not in Kustomer"),
    skipped("nobody, by an odd id", {"externalId": "../up2?x=%00#"}, "not in Kustomer"),
    updated("somebody", {"externalId": "up3", "name": "Jane"}, {"externalId": "up3"}, name="Jane", emails=None),
    invalid(
        "a bad row of somebody",
        {"externalId": "up4", "name": "x" * 300},
        "name is 300 characters",
        person("up4@update.example", externalId="up4", name="Jane"),
    ),
]

# Kustomer shows the phones masked.
MASKED: list[Case] = [
    rejected(
        "another phone",
        {**NO_ID, "email": "m1@masked.example", "phone": "+442079460602"},
        "shows this record's phones masked",
        person("m1@masked.example", phones=[{"phone": "+442079460601"}]),
    ),
    updated(
        "something else",
        {**NO_ID, "email": "m2@masked.example", "name": "Jane"},
        person("m2@masked.example", phones=[{"phone": "+442079460603"}]),
        name="Jane",
    ),
    Case(
        "no phone is there yet",
        {**NO_ID, "email": "m3@masked.example", "phone": "+442079460604"},
        "updated",
        shows={"phones": ["+442079460604"]},
        there=person("m3@masked.example"),
        in_a_full_run="rejected",
    ),
]
