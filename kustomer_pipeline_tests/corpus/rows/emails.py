"""E-mail addresses as people, forms and exports write them."""

# Characters that look like others are the point of some rows.
# ruff: noqa: RUF001

from __future__ import annotations

import datetime as dt

from ..case import Case, created, invalid

NO_ADDRESS = "is not an e-mail address"
LONGEST = "j" * 64 + "@" + "d" * 61 + "." + "e" * 61 + "." + "f" * 60 + ".info"

ADDRESSES: list[Case] = [
    # ---- none there ----
    invalid("no address", {"email": None}, "email is missing"),
    invalid("an empty address", {"email": ""}, "email is missing"),
    invalid("blanks for an address", {"email": "   "}, "email is missing"),
    invalid("tabs and line ends for an address", {"email": "\t\r\n"}, "email is missing"),
    invalid("a no-break space for an address", {"email": "\u00a0"}, "email is missing"),
    invalid("not a number, as pandas has it", {"email": float("nan")}, "email is missing"),
    *[
        invalid(f"the word {word!r} for an address", {"email": word}, NO_ADDRESS)
        for word in ("null", "NULL", "None", "N/A", "-", "unknown", "nan", "#N/A")
    ],
    # ---- good, once put right ----
    created(
        "capitals and blanks around", {"email": "  Jane.Doe@Capitals.EXAMPLE "}, emails=["jane.doe@capitals.example"]
    ),
    created("a line end behind", {"email": "lineend@mail.example\r\n"}, emails=["lineend@mail.example"]),
    created("a no-break space behind", {"email": "nbsp@mail.example\u00a0"}, emails=["nbsp@mail.example"]),
    created("a plus address", {"email": "jane+news+2024@mail.example"}, emails=["jane+news+2024@mail.example"]),
    created(
        "every sign an address may have",
        {"email": "!#$%&'+-/=?^_`|~@mail.example"},
        emails=["!#$%&'+-/=?^_`|~@mail.example"],
    ),
    created("an asterisk", {"email": "a*b@mail.example"}, emails=["a*b@mail.example"]),
    created("quotes around the name", {"email": '"jane"@mail.example'}, emails=['"jane"@mail.example']),
    created("a formula", {"email": "=cmd@mail.example"}, emails=["=cmd@mail.example"]),
    created(
        "two dots, as some phone companies hand them out",
        {"email": "jane..@mail.example"},
        emails=["jane..@mail.example"],
    ),
    created("a domain with umlauts", {"email": "jane@exämple.example"}, emails=["jane@exämple.example"]),
    created("a domain in Japanese", {"email": "jane@例え.テスト"}, emails=["jane@例え.テスト"]),
    created("a domain in punycode", {"email": "jane@xn--r8jz45g.xn--zckzah"}, emails=["jane@xn--r8jz45g.xn--zckzah"]),
    created("a name in Cyrillic capitals", {"email": "ИВАН@почта.рф"}, emails=["иван@почта.рф"]),
    created("a Turkish capital I", {"email": "İ@mail.example"}, emails=["i̇@mail.example"]),
    created("254 characters", {"email": LONGEST}, emails=[LONGEST]),
    # ---- bad ----
    invalid("255 characters", {"email": LONGEST + "x"}, "email is 255 characters, at most 254"),
    invalid("a name of 65 characters", {"email": "j" * 65 + "@mail.example"}, "more than 64 characters before the @"),
    invalid("a megabyte", {"email": "j" * 2**20 + "@mail.example"}, "characters, at most 254"),
    *[
        invalid(about, {"email": text}, NO_ADDRESS)
        for about, text in {
            "two @": "jane@@mail.example",
            "two @ apart": "jane@doe@mail.example",
            "no @": "jane.mail.example",
            "an @ as a full-width sign": "jane＠mail.example",
            "no name": "@mail.example",
            "no domain": "jane@",
            "no top-level domain": "jane@localhost",
            "a dot at the end": "jane@mail.example.",
            "two dots in the domain": "jane@mail..example",
            "a blank within": "jane doe@mail.example",
            "a blank within quotes": '"jane doe"@mail.example',
            "a line end within": "jane\n@mail.example",
            "a zero-width space within": "jane\u200b@mail.example",
            "a byte order mark in front": "\ufeffbom@mail.example",
            "a right-to-left mark within": "jane@mail\u200f.example",
            "a control character": "jane\x07@mail.example",
            "mailto in front": "mailto:jane@mailto.example",
            "a label in front": "e:jane@mail.example",
            "brackets around": "(jane@mail.example)",
            "a bracket behind": "jane@mail.example)",
            "a PostgreSQL array of one": "{jane@mail.example}",
            "quotes around the whole": '"jane@mail.example"',
            "an apostrophe behind": "jane@mail.example'",
            "asterisks around": "*jane@mail.example*",
            "a question behind": "jane@mail.example?subject=hi",
            "a hash behind": "jane@mail.example#",
            "an ellipsis behind": "jane@mail.example…",
            "a path behind": "jane@mail.example/joe",
            "a port behind": "jane@mail.example:8080",
            "two names, a bar between": "jane@mail.example|joe",
            "a backslash in front": "\\jane@mail.example",
            "two addresses, a comma between": "jane@mail.example, joe@mail.example",
            "two addresses, a semicolon between": "jane@mail.example;joe@mail.example",
            "two addresses, a blank between": "jane@mail.example joe@mail.example",
            "two addresses, a slash between": "jane@mail.example/joe@mail.example",
            "two addresses, a line end between": "jane@mail.example\njoe@mail.example",
            "a name in front": "Jane Doe <jane@mail.example>",
            "angle brackets": "<jane@mail.example>",
            "a name": "Jane Doe",
            "an injection": "' or 1=1; drop table customers; --",
            "a formula without address": "@SUM(1+1)*cmd|' /C calc'!A0",
            "HTML": '<a href="mailto:jane@mail.example">jane</a>',
            "a list that does not end, in the field for one address": '["jane@mail.example"',
        }.items()
    ],
    invalid("JSON, in the field for one address", {"email": '{"email": "jane@mail.example"}'}, "map it to emails"),
    invalid("a number", {"email": 7}, NO_ADDRESS),
    invalid("a boolean", {"email": True}, NO_ADDRESS),
    invalid("a date", {"email": dt.date(2024, 1, 31)}, NO_ADDRESS),
    invalid("bytes", {"email": b"jane@mail.example"}, "has no place in Kustomer (bytes)"),
    invalid("a NUL character", {"email": "ja\x00ne@mail.example"}, "holds a NUL character"),
    invalid("half a character", {"email": "jane\ud83d@mail.example"}, "UTF-8"),
    # ---- the same person twice in the frame ----
    invalid("an address, first time", {"email": "twice@mail.example"}, "email is also on"),
    invalid("an address, again in capitals", {"email": " TWICE@Mail.Example"}, "email is also on"),
    invalid(
        "an address, again in the list", {"emails": '["other@mail.example", "Twice@mail.example"]'}, "email is also on"
    ),
]

LISTS: list[Case] = [
    created(
        "a second address",
        {"emails": "second@list.example", "email": "first@list.example"},
        emails=["first@list.example", "second@list.example"],
    ),
    created(
        "the same address in both columns",
        {"emails": "SAME@list.example", "email": "same@list.example"},
        emails=["same@list.example"],
    ),
    created(
        "JSON text of a list",
        {"emails": '["A1@list.example", "a2@list.example"]', "email": "a1@list.example"},
        emails=["a1@list.example", "a2@list.example"],
    ),
    created(
        "a list, as PostgreSQL hands arrays out",
        {"email": "b0@list.example", "emails": ["b1@list.example"]},
        emails=["b0@list.example", "b1@list.example"],
    ),
    created(
        "an object with a type",
        {"email": "c1@list.example", "emails": {"email": "c2@list.example", "type": "work"}},
        emails=["c1@list.example", {"email": "c2@list.example", "type": "work"}],
    ),
    created("an empty list", {"email": "d1@list.example", "emails": "[]"}, emails=["d1@list.example"]),
    created(
        "a list, in the field for one address",
        {"email": '["L1@list.example", "l2@list.example"]'},
        emails=["l1@list.example", "l2@list.example"],
    ),
    created(
        "an array with a null, in the field for one address",
        {"email": ["m1@list.example", None]},
        emails=["m1@list.example"],
    ),
    created(
        "an address twice in the list",
        {"email": "f1@list.example", "emails": '["f2@list.example","F2@list.example"]'},
        emails=["f1@list.example", "f2@list.example"],
    ),
    created(
        "ten in all",
        {"email": "g0@list.example", "emails": [f"g{n}@list.example" for n in range(1, 10)]},
        emails=[f"g{n}@list.example" for n in range(10)],
    ),
    *[
        invalid(f"emails: {about}", {"emails": cell}, reason)
        for about, cell, reason in (
            ("eleven in all", [f"h{n}@list.example" for n in range(10)], "emails has 11 items, at most 10"),
            ("eleven in the list", [f"i{n}@list.example" for n in range(11)], "emails has 11 items, at most 10"),
            ("a list that does not end", '["jane@list.example"', "emails is not valid JSON"),
            ("single quotes, as Python writes lists", "['jane@list.example']", "emails is not valid JSON"),
            ("a PostgreSQL array as text", "{jane@list.example,joe@list.example}", "emails is not valid JSON"),
            ("a comma too many", '["jane@list.example",]', "emails is not valid JSON"),
            ("NaN in JSON", "[NaN]", "emails is not valid JSON"),
            ("a null in the list", '["jane@list.example", null]', "emails item 2 is not an object"),
            ("an empty object in the list", "[{}]", "emails item 1 has no email"),
            ("a list within a list", '[["jane@list.example"]]', "emails item 1 is not an object"),
            ("a key in another case", '{"Email": "jane@list.example"}', "item 1 has a key that Kustomer does not know"),
            ("no address in the object", '[{"type": "work"}]', "item 1 has no email"),
            ("a type that is none", '{"email": "jane@list.example", "type": "private"}', "item 1 type is not one of"),
            (
                "verified by hearsay",
                '{"email": "jane@list.example", "verified": "maybe"}',
                "item 1 verified is neither",
            ),
            ("a number in the list", "[7]", "item 1 email is not an e-mail address"),
            ("the second is bad", '["fine@list.example", "bad"]', "item 2 email is not an e-mail address"),
            (
                "one address of two types",
                '[{"email":"k@list.example","type":"work"},{"email":"K@list.example","type":"home"}]',
                "has two items of the same email that differ otherwise",
            ),
            ("a hundred thousand brackets", "[" * 100_000, "emails is not valid JSON"),
            ("two addresses, a comma between", "jane@list.example, joe@list.example", NO_ADDRESS),
        )
    ],
]
