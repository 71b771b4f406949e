"""Names and ids: every kind of text a column may hold."""

# Characters that look like others are the point of some rows.
# ruff: noqa: RUF001

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from ..case import Case, created, invalid

MEGABYTE = "x" * 2**20

NAMES: list[Case] = [
    created("no name", {"name": None}),
    created("an empty name", {"name": ""}),
    created("only blanks", {"name": "    "}),
    created("only a no-break space", {"name": "\u00a0\t"}),
    created("blanks around", {"name": "  Jane  "}, name="  Jane  "),
    *[
        created(f"a name: {about}", {"name": text}, name=text)
        for about, text in {
            "an address": "jane@name.example",
            "the word null": "null",
            "the word None": "None",
            "the word NULL": "NULL",
            "emoji": "👩‍👩‍👧‍👦 Family 🏳️‍🌈",
            "right to left": "محمد بن سلمان",
            "a right-to-left override": "Jane \u202eeoD",
            "zero-width characters": "Ja\u200bne\u200d Doe",
            "combining characters": "Zoe\u0308",
            "stacked combining characters": "J" + "\u0336\u0337" * 40,
            "HTML": "<script>alert('x')</script><b>Jane</b>",
            "an injection": "Robert'); DROP TABLE customers;--",
            "a formula": "=1+1",
            "a formula that starts a program": "=cmd|' /C calc'!A0",
            "a formula behind a plus": "+1+1",
            "two lines": "Jane\r\nDoe",
            "a tab": "Jane\tDoe",
            "control characters": "Ja\x07n\x1be",
            "a backslash and quotes": 'Jane \\"Doe\\" \\u0000 %s {0} ${x}',
            "a template": "{{ env.HOME }}",
            "a byte order mark": "\ufeffJane",
            "a noncharacter": "Jane\uffff",
            "one character": "J",
            "256 characters": "x" * 256,
            "256 characters of four bytes each": "𝕏" * 256,
            "digits": "0012",
            "a path": "../../etc/passwd",
            "mojibake": "JosÃ©",
        }.items()
    ],
    created("a whole number", {"name": 7}, name="7"),
    created("a float", {"name": 7.0}, name="7"),
    created("a decimal", {"name": Decimal("12.50")}, name="12.5"),
    created("a boolean", {"name": True}, name="true"),
    created("a date", {"name": dt.date(2024, 1, 31)}, name="2024-01-31"),
    created("a decimal that is no number", {"name": Decimal("NaN")}),
    invalid("257 characters", {"name": "x" * 257}, "name is 257 characters, at most 256"),
    invalid("257 characters of four bytes each", {"name": "𝕏" * 257}, "name is 257 characters, at most 256"),
    invalid("300 characters", {"name": "Jane " * 60}, "name is 300 characters, at most 256"),
    invalid("a megabyte", {"name": MEGABYTE}, "name is 1048576 characters, at most 256"),
    invalid("a NUL character", {"name": "Ja\x00ne"}, "name holds a NUL character"),
    invalid("half a character", {"name": "Jane \ud83d"}, "name holds characters that UTF-8 cannot encode"),
    invalid("bytes", {"name": b"\xff\xfe"}, "name is of a type that has no place in Kustomer (bytes)"),
    invalid("a list", {"name": ["Jane", "Doe"]}, "name is a list or an object"),
    invalid("an object", {"name": {"first": "Jane"}}, "name is a list or an object"),
    invalid("a duration", {"name": dt.timedelta(days=1)}, "has no place in Kustomer (timedelta)"),
    invalid("a time of day", {"name": dt.time(8, 30)}, "has no place in Kustomer (time)"),
    invalid("a float too large to be exact", {"name": 1e300}, "name is a number too large to be exact"),
    invalid("infinity", {"name": float("inf")}, "name is not a finite number"),
    invalid("two things at once", {"name": "x" * 257, "email": "bad"}, "; name is 257 characters, at most 256"),
]

OTHER_TEXTS: list[Case] = [
    created(
        "a locale",
        {"locale": "de_CH", "gender": " F ", "username": "jane"},
        locale="de_CH",
        gender="f",
        username="jane",
    ),
    invalid("a locale of 17 characters", {"locale": "de_CH-1996-posix!"}, "locale is 17 characters, at most 16"),
    invalid("a gender in full", {"gender": "female"}, "gender is not one of m, f"),
    invalid("a gender by number", {"gender": 1}, "gender is not one of m, f"),
    invalid("a user name of 257 characters", {"username": "u" * 257}, "username is 257 characters, at most 256"),
    created("a custom text of 1,024 characters", {"plan": "é" * 1024}, planStr="é" * 1024),
    invalid(
        "a custom text of 1,025 characters", {"plan": "x" * 1025}, "custom.planStr is 1025 characters, at most 1024"
    ),
    created("lines in a custom text", {"note": "one\n\n\ttwo\r\n"}, noteTxt="one\n\n\ttwo\r\n"),
    created("a number as custom text", {"plan": 7.5}, planStr="7.5"),
    created("a date as custom text", {"plan": dt.datetime(2024, 1, 31, 8, 30)}, planStr="2024-01-31T08:30:00.000Z"),
    invalid("a list as custom text", {"plan": ["pro"]}, "custom.planStr is a list or an object"),
    created("a path of a tree", {"tree": "a.b.c"}, pathTree="a.b.c"),
]

_UUID = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")

IDS: list[Case] = [
    *[
        created(f"an id: {about}", {"externalId": cell}, externalId=text)
        for about, cell, text in (
            ("a whole number", 7, "7"),
            ("a float", 8.0, "8"),
            ("a float with a fraction", 8.5, "8.5"),
            ("text with noughts", "007", "007"),
            ("text that looks like a float", "7.0", "7.0"),
            ("text in scientific notation", "1E5", "1E5"),
            ("a float in scientific notation", 1e5, "100000"),
            ("a decimal", Decimal("10.00"), "10"),
            ("a decimal in scientific notation", Decimal("1.1E+2"), "110"),
            ("below zero", -5, "-5"),
            ("nought", 0, "0"),
            ("beyond 64 bits", 2**63 + 5, "9223372036854775813"),
            ("far beyond 64 bits", 10**40, "1" + "0" * 40),
            ("beyond what a float holds", 2**53 + 1, "9007199254740993"),
            ("a UUID", _UUID, str(_UUID)),
            (
                "a UUID as text, in braces",
                "{01890A5D-AC96-774B-BCCE-B302099A8058}",
                "{01890A5D-AC96-774B-BCCE-B302099A8058}",
            ),
            ("blanks around", "  C-17 ", "C-17"),
            ("a blank within", "C 17", "C 17"),
            ("a line end within", "C\n17", "C\n17"),
            ("small letters", "abc", "abc"),
            ("the same in capitals, which is another", "ABC", "ABC"),
            ("a slash", "a/b", "a/b"),
            ("a percent sign", "100%", "100%"),
            ("something encoded", "a%2Fb", "a%2Fb"),
            ("a comma", "a,b", "a,b"),
            ("a question mark and a hash", "a?b#c", "a?b#c"),
            ("something like a look-up", "email=x", "email=x"),
            ("two dots", "..", ".."),
            ("emoji", "🦊", "🦊"),
            ("umlauts", "Größe-7", "Größe-7"),
            ("umlauts that are two characters", "Gro\u0308ße-7", "Gro\u0308ße-7"),
            ("the word null", "null", "null"),
            ("the word None", "None", "None"),
            ("a formula", "=1+2", "=1+2"),
            ("quotes", "'\"`", "'\"`"),
            ("JSON", '{"id": 7}', '{"id": 7}'),
            ("256 characters", "i" * 256, "i" * 256),
            ("an address", "id@id.example", "id@id.example"),
            ("a Kustomer id", "5b3bddb67f8469003df370a4", "5b3bddb67f8469003df370a4"),
            ("the dates that spreadsheets make of ids", "1-Mar", "1-Mar"),
        )
    ],
    created("no id, but an address", {"externalId": None, "email": "noid@id.example"}, emails=["noid@id.example"]),
    created(
        "a blank id, but an address", {"externalId": "  ", "email": "blankid@id.example"}, emails=["blankid@id.example"]
    ),
    invalid("neither id nor address", {"externalId": None, "email": None}, "none of externalId, email is there"),
    invalid("257 characters", {"externalId": "i" * 257}, "externalId is 257 characters, at most 256"),
    invalid("a float that lost digits", {"externalId": 1e17}, "externalId is a number too large to be exact"),
    invalid("infinity", {"externalId": float("inf")}, "externalId is not a finite number"),
    invalid("six thousand digits", {"externalId": 10**6000}, "externalId is a number too long"),
    invalid("a NUL character", {"externalId": "C\x0017"}, "externalId holds a NUL character"),
    invalid("half a character", {"externalId": "C\udc00"}, "externalId holds characters that UTF-8 cannot encode"),
    invalid("bytes", {"externalId": b"C-18"}, "externalId is of a type that has no place in Kustomer (bytes)"),
    invalid("an object", {"externalId": {"id": 9}}, "externalId is a list or an object"),
    invalid("an id, first time", {"externalId": "twice"}, "externalId is also on"),
    invalid("an id, again with blanks around", {"externalId": " twice "}, "externalId is also on"),
    invalid("a number", {"externalId": 4711}, "externalId is also on"),
    invalid("the same as text", {"externalId": "4711"}, "externalId is also on"),
    invalid("the same as a float", {"externalId": 4711.0}, "externalId is also on"),
    invalid("a row", {"externalId": "same-row", "email": "same@id.example", "name": "Jane"}, "is also on"),
    invalid("the same row again", {"externalId": "same-row", "email": "same@id.example", "name": "Jane"}, "is also on"),
]
