"""Companies: names that are short, long, double or not theirs alone, and what only companies have."""

# Characters that look like others are the point of some rows.
# ruff: noqa: RUF001

from __future__ import annotations

from ..case import Case, created, invalid, rejected, updated

NAMED: list[Case] = [
    *[
        invalid(f"company name: {about}", {"name": cell}, reason)
        for about, cell, reason in (
            ("none", None, "name is missing"),
            ("blank", "  \n", "name is missing"),
            ("one character", "X", "name is 1 character, at least 3"),
            ("two characters", "3M", "name is 2 characters, at least 3"),
            ("257 characters", "x" * 257, "name is 257 characters, at most 256"),
            ("a megabyte", "x" * 2**20, "name is 1048576 characters, at most 256"),
            ("a NUL character", "Ac\x00me", "name holds a NUL character"),
            ("half a character", "Acme \ud83d", "UTF-8"),
        )
    ],
    *[
        created(f"company name: {about}", {"name": text}, name=text)
        for about, text in (
            ("three characters", "IBM"),
            ("256 characters", "x" * 256),
            ("256 characters of four bytes each", "𝕏" * 256),
            ("signs", "A & B, c+d=100% #1 <é>? \"Co.\" 'GmbH' / KG"),
            ("emoji", "🦊🦊🦊"),
            ("the word null", "null"),
            ("a formula", "=1+1"),
            ("HTML", "<b>Bold & Sons</b>"),
            ("right to left", "شركة"),
            ("an address", "info@company.example"),
        )
    ],
    created("two companies of one name: the first", {"name": "Namesake Ltd"}, name="Namesake Ltd"),
    created("two companies of one name: the second", {"name": "Namesake Ltd"}, name="Namesake Ltd"),
    updated(
        "known by its name, gets its id",
        {"externalId": "n-1", "name": "Known Inc"},
        {"name": "Known Inc"},
        externalId="n-1",
    ),
    updated(
        "known by its id, gets another name",
        {"externalId": "n-2", "name": "New Name"},
        {"externalId": "n-2", "name": "Old Name"},
        name="New Name",
    ),
    updated(
        "known by an odd id",
        {"externalId": "a/b?c=%20&d#+ü", "name": "Odd Two"},
        {"externalId": "a/b?c=%20&d#+ü", "name": "Odd One"},
        name="Odd Two",
    ),
    updated(
        "known by an odd name",
        {"externalId": "n-3", "name": "50% off & more #1?"},
        {"name": "50% off & more #1?"},
        externalId="n-3",
    ),
    created(
        "of another's name, which has another id",
        {"externalId": "n-4", "name": "Taken"},
        name="Taken",
        externalId="n-4",
    ),
    created("of a deleted one's id and name", {"externalId": "GONE", "name": "Gone"}, name="Gone", externalId="GONE"),
    rejected(
        "a name that two have, and no id", {"externalId": None, "name": "Twins"}, "more than one record in Kustomer"
    ),
    invalid("an id, first time", {"externalId": "twice"}, "externalId is also on"),
    invalid("an id, second time", {"externalId": " twice"}, "externalId is also on"),
]

DETAILED: list[Case] = [
    created("employees", {"employees": "250"}, employeeCount=250),
    created("no employees", {"employees": 0.0}, employeeCount=0),
    *[
        invalid(f"employees: {cell!r}", {"employees": cell}, f"employeeCount {reason}")
        for cell, reason in (
            ("ten", "is not a number"),
            ("1,000", "is not a number"),
            ("50-100", "is not a number"),
            (">500", "is not a number"),
            (-1, "is below 0"),
            (1.5, "is not a whole number"),
            ("1e400", "is not a finite number"),
        )
    ],
    created("a domain", {"domains": " Acme.EXAMPLE "}, domains=["acme.example"]),
    created("two domains", {"domains": '["a.example", {"domain": "B.example"}]'}, domains=["a.example", "b.example"]),
    *[
        invalid(f"no domain: {text!r}", {"domains": text}, "domains is not a domain name")
        for text in (
            "https://acme.example",
            "@acme.example",
            "acme",
            "a.example, b.example",
            "jane@acme.example",
            "acme.example.",
            "acme.example/about",
            "*.acme.example:443",
            "-acme.example",
            "a_c_m_e.example",
            "192.0.2.1",
            "d" * 64 + ".example",
        )
    ],
    invalid("a domain with umlauts", {"domains": "exämple.example"}, "domains has other characters than ASCII"),
    created("a domain in punycode", {"domains": "xn--exmple-cua.example"}, domains=["xn--exmple-cua.example"]),
    created(
        "ten domains",
        {"domains": [f"d{n}.example" for n in range(10)]},
        domains=[f"d{n}.example" for n in range(10)],
    ),
    invalid("eleven domains", {"domains": [f"d{n}.example" for n in range(11)]}, "domains has 11 items, at most 10"),
    created(
        "the address of a company, twice in the org", {"email": "info@shared.example"}, emails=["info@shared.example"]
    ),
    created("the same address at another company", {"email": "INFO@shared.example"}, emails=["info@shared.example"]),
    invalid("a bad address of a company", {"email": "info@"}, "emails is not an e-mail address"),
    created("a tag", {"tags": "Partner"}, tags=["partner"]),
    rejected("a tag that nobody has made", {"tags": "customer of the year"}, "Kustomer has no tag named"),
]
