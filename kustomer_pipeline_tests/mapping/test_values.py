"""One value at a time: what each field type takes, what it makes of it, and what it refuses."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

import numpy as np
import pandas as pd
import phonenumbers
import pytest

from kustomer_pipeline.mapping import field_names, field_type

from .frames import mapped_column, objects, wired

ZONE = dt.timezone(dt.timedelta(hours=5, minutes=30))
HEX = "5b3bddb67f8469003df370a4"

GOOD: list[tuple[str, Any, Any]] = [
    ("name", "Zoë 👩‍🚀", "Zoë 👩‍🚀"),
    ("name", " padded ", " padded "),
    ("name", 7, "7"),
    ("name", 7.0, "7"),
    ("name", 7.5, "7.5"),
    ("name", True, "true"),
    ("name", decimal.Decimal("12.50"), "12.5"),
    ("name", decimal.Decimal("1E+3"), "1000"),
    ("name", dt.date(2024, 1, 31), "2024-01-31"),
    ("name", "x" * 256, "x" * 256),
    ("name", "👩" * 256, "👩" * 256),
    ("externalId", 7, "7"),
    ("externalId", "007", "007"),
    ("externalId", "7.0", "7.0"),
    ("externalId", " C-7 ", "C-7"),
    ("externalId", decimal.Decimal("7.000"), "7"),
    ("externalId", 2**70, str(2**70)),
    ("externalId", uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ("email", " Jane@X.Com ", "jane@x.com"),
    ("email", "o'brien+tag@sub.example.co.uk", "o'brien+tag@sub.example.co.uk"),
    ("email", "ü@exämple.com", "ü@exämple.com"),
    ("phone", "+14155552671", "+14155552671"),
    ("phone", " +44 20 7946 0958 ", "+442079460958"),
    ("phone", "+44 (0)20 7946 0958", "+442079460958"),
    ("custom.aStr", "x" * 1024, "x" * 1024),
    ("custom.aTxt", "two\nlines", "two\nlines"),
    ("custom.aTree", "a.b.c", "a.b.c"),
    ("custom.aNum", 12.5, 12.5),
    ("custom.aNum", " 12.5 ", 12.5),
    ("custom.aNum", "+3", 3.0),
    ("custom.aNum", "-.5e2", -50.0),
    ("custom.aNum", decimal.Decimal("0.10"), 0.1),
    ("custom.aNum", 2**53 - 1, 2.0**53 - 1),
    ("custom.aNum", 1e300, 1e300),
    ("custom.aBool", True, True),
    ("custom.aBool", "T", True),
    ("custom.aBool", " No ", False),
    ("custom.aBool", 0, False),
    ("custom.aBool", 1.0, True),
    ("custom.aBool", "y", True),
    ("custom.aAt", dt.date(2024, 1, 31), "2024-01-31T00:00:00.000Z"),
    ("custom.aAt", dt.datetime(2024, 1, 31, 8, 30, 1, 999999), "2024-01-31T08:30:01.999Z"),
    ("custom.aAt", dt.datetime(2024, 1, 31, 8, 30, tzinfo=ZONE), "2024-01-31T03:00:00.000Z"),
    ("custom.aAt", "2024-02-29", "2024-02-29T00:00:00.000Z"),
    ("custom.aAt", "2024-01-31 08:30", "2024-01-31T08:30:00.000Z"),
    ("custom.aAt", "2024-01-31T08:30:00.1234567Z", "2024-01-31T08:30:00.123Z"),
    ("custom.aAt", "2024-01-31T08:30:00-0130", "2024-01-31T10:00:00.000Z"),
    ("custom.aAt", "2024-01-31 08:30:00+02", "2024-01-31T06:30:00.000Z"),
    ("custom.aAt", "1066-10-14T09:00:00Z", "1066-10-14T09:00:00.000Z"),
    ("custom.aAt", "0001-01-01", "0001-01-01T00:00:00.000Z"),
    ("custom.aAt", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ("custom.aUrl", " https://x.com/a%20b?q=1#f ", "https://x.com/a%20b?q=1#f"),
    ("custom.aUrl", "HTTP://user:pass@[::1]:8080", "HTTP://user:pass@[::1]:8080"),
    ("custom.aId", HEX.upper(), HEX),
    ("company", 7.0, "7"),
    ("gender", " F ", "f"),
    ("locale", "en_US", "en_US"),
    ("tags", "vip, gold ,vip,", "vip,gold"),
    ("tags", '["vip","big spender"]', "vip,big spender"),
    ("tags", ["vip", " gold "], "vip,gold"),
    ("tags", HEX, HEX),
    ("tags", "Àé_/<>-.", "Àé_/<>-."),
    ("tags", ",".join(f"t{n}" for n in range(20)), ",".join(f"t{n}" for n in range(20))),
    ("sentiment", {"polarity": 1, "confidence": 0.5}, '{"confidence":0.5,"polarity":1}'),
]  # fmt: skip

BAD: list[tuple[str, Any, str]] = [
    ("name", "x" * 257, "name is 257 characters, at most 256"),
    ("name", "a\0b", "name holds a NUL character"),
    ("name", "\ud800", "name holds characters that UTF-8 cannot encode"),
    ("name", b"bytes", "name is of a type that has no place in Kustomer (bytes); cast it in the query"),
    ("name", dt.timedelta(1),
     "name is of a type that has no place in Kustomer (timedelta); cast it in the query"),
    ("name", ["a"], "name is a list or an object; a single value is needed"),
    ("name", {"a": 1}, "name is a list or an object; a single value is needed"),
    ("name", decimal.Decimal("Infinity"), "name is not a finite number"),
    ("name", 1e300, "name is a number too large to be exact; cast it to text in the query"),
    ("name", decimal.Decimal("1E+999999"), "name is a number too long to be an id or a quantity"),
    ("name", 10**5000, "name is a number too long to be an id or a quantity"),
    ("username", "x" * 257, "username is 257 characters, at most 256"),
    ("locale", "x" * 17, "locale is 17 characters, at most 16"),
    ("timeZone", "x" * 65, "timeZone is 65 characters, at most 64"),
    ("defaultLang", "x" * 101, "defaultLang is 101 characters, at most 100"),
    ("externalId", "x" * 257, "externalId is 257 characters, at most 256"),
    ("externalIds", "x" * 256, "externalIds is 256 characters, at most 255"),
    ("custom.aStr", "x" * 1025, "custom.aStr is 1025 characters, at most 1024"),
    ("custom.aTxt", "x" * 1025, "custom.aTxt is 1025 characters, at most 1024"),
    *[("email", text, "email is not an e-mail address") for text in (
        "jane", "jane@x", "@x.com", "jane@", "a@b@x.com", "jane @x.com", "jane@x .com", "jane@x..com",
        "jane@.com", "Jane <jane@x.com>", "jane@x.com,joe@x.com", "jane\u200b@x.com", "ja\nne@x.com",
        "jane@x.com.")],
    ("email", "j" * 249 + "@x.com", "email is 255 characters, at most 254"),
    *[("phone", text, "phone is not a phone number (set default_region for national numbers)") for text in (
        "415 555 2671", 4155552671, "+1", "+0123456789", "abc", "+1 800 FLOWERS", "+14155552671 ext 5",
        "+1234567890123456", "-", "+49" + "1" * 300)],
    *[("custom.aNum", text, "custom.aNum is not a number") for text in (
        "1,234", "12 3", "nan", "inf", "0x1f", "1_000", "½", "\u0661", "true", "1e5000")],
    ("custom.aNum", True, "custom.aNum is not a number"),
    ("custom.aNum", dt.date(2024, 1, 1), "custom.aNum is not a number"),
    ("custom.aNum", float("inf"), "custom.aNum is not a finite number"),
    ("custom.aNum", "1e400", "custom.aNum is not a finite number"),
    ("custom.aNum", 2**53, "custom.aNum is a number too large to be exact; cast it to text in the query"),
    ("custom.aNum", "12345678901234567890.12",
     "custom.aNum is a number too large to be exact; cast it to text in the query"),
    ("custom.aNum", "9007199254740993",
     "custom.aNum is a number too large to be exact; cast it to text in the query"),
    *[("custom.aBool", cell, "custom.aBool is neither true nor false") for cell in ("2", 2, "on", "ja", 0.5)],
    *[("custom.aAt", text,
       "custom.aAt is not an ISO-8601 date or date-time between the years 1 and 9999") for text in (
        "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-31T24:00", "2024-01-31T08:60",
        "2024-01-31T08:30:60", "31.01.2024", "01/31/2024", "20240131", "0000-01-01", "10000-01-01", "now",
        "2024-01-31T08", "2024-01-31T08:30+24:00", "0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00",
        "1706690000")],
    ("custom.aAt", dt.datetime(1, 1, 1, tzinfo=ZONE), "custom.aAt is outside the years 1 to 9999"),
    *[("custom.aUrl", text,
       "custom.aUrl is not an http or https address (other than ASCII characters must be %-encoded)")
      for text in (
        "x.com", "ftp://x.com", "https://", "https:///path", "http://x.com/a b", "http://x.com/é",
        "http://x.com/%zz", "javascript:alert(1)", "http://x.com:port")],
    *[("custom.aId", text, "custom.aId is not a Kustomer id (24 hex digits)") for text in (
        "7", HEX + "0", "g" * 24)],
    ("gender", "female", "gender is not one of m, f"),
    ("tags", "a&b", "tags holds a name with characters that tags cannot have "
     "(letters, digits, space, _ / < > - . can)"),
    ("tags", "x" * 65, "tags holds a name of 65 characters, at most 64"),
    ("tags", ",".join(f"t{n}" for n in range(21)), "tags has 21 names, at most 20"),
    ("tags", "[1]", "tags is not a list of names"),
    ("tags", "[", "tags is not valid JSON"),
    ("tags", {"a": 1}, "tags holds a name with characters that tags cannot have "
     "(letters, digits, space, _ / < > - . can)"),
    ("sentiment", "[]", "sentiment is not a JSON object"),
    ("sentiment", {"polarity": 2, "confidence": 0}, "sentiment polarity is above 1"),
    ("sentiment", {"polarity": 0.5, "confidence": 0}, "sentiment polarity is not a whole number"),
    ("sentiment", {"polarity": 0}, "sentiment has no confidence"),
    ("sentiment", {"polarity": 0, "confidence": -1.5}, "sentiment confidence is below -1"),
]  # fmt: skip


def numbered(cases: list[tuple[str, Any, Any]]) -> list[str]:
    """Names of the cases without their values, some of which no terminal can print."""
    return [f"{field}-{number}" for number, (field, _, _) in enumerate(cases)]


@pytest.mark.parametrize("field, cell, expected", GOOD, ids=numbered(GOOD))
def test_a_good_value_is_normalised(field: str, cell: Any, expected: Any) -> None:
    assert mapped_column(field, objects(cell)) == ([expected], [None])


@pytest.mark.parametrize("field, cell, expected", GOOD, ids=numbered(GOOD))
def test_normalising_twice_changes_nothing(field: str, cell: Any, expected: Any) -> None:
    assert mapped_column(field, objects(expected)) == ([expected], [None])


@pytest.mark.parametrize("field, cell, reason", BAD, ids=numbered(BAD))
def test_a_bad_value_is_null_and_its_row_says_why(field: str, cell: Any, reason: str) -> None:
    values, reasons = mapped_column(field, objects(cell))
    assert values == [None]
    assert reasons == [reason]


@pytest.mark.parametrize("object_name", ["customers", "companies"])
def test_blank_and_null_cells_are_null_in_every_field(object_name: str) -> None:

    nulls = objects(
        None,
        float("nan"),
        pd.NA,
        pd.NaT,
        "",
        " \t\u3000",
        decimal.Decimal("NaN"),
        np.datetime64("NaT"),
        np.nan,
    )
    for field in (*field_names(object_name), *(f"custom.a{s}" for s in ("Str", "Num", "At", "Bool", "Url", "Id"))):
        values, reasons = mapped_column(field, nulls, object_name)
        assert values == [None] * len(nulls), field
        expected = "externalId is missing" if field == "externalId" else None
        assert reasons == [expected] * len(nulls), field


@pytest.mark.parametrize("object_name", ["customers", "companies"])
def test_text_limits_hold_to_the_character_in_every_field(object_name: str) -> None:
    for name in field_names(object_name):
        field = field_type(object_name, name)
        if field.value not in ("text", "externalId") or field.max_length is None:
            continue
        most, least = "x" * field.max_length, "x" * (field.min_length or 1)
        assert mapped_column(name, objects(most, least), object_name) == ([most, least], [None, None])
        _, reasons = mapped_column(name, objects(most + "x"), object_name)
        assert reasons == [f"{name} is {field.max_length + 1} characters, at most {field.max_length}"]


def test_company_names_have_three_characters_at_least() -> None:
    _, reasons = mapped_column("name", objects("ab", "a", "abc"), "companies")
    assert reasons == ["name is 2 characters, at least 3", "name is 1 character, at least 3", None]


def test_employee_count_is_a_whole_number() -> None:
    values, reasons = mapped_column("employeeCount", objects(5, "7", 8.0, 2.5, -1), "companies")
    assert values == [5, 7, 8, None, None]
    assert reasons == [None, None, None, "employeeCount is not a whole number", "employeeCount is below 0"]


@pytest.mark.parametrize(
    "match, cell, reason",
    [
        ("externalId", "x" * 257, "company is 257 characters, at most 256"),
        ("name", "ab", "company is 2 characters, at least 3"),
        ("id", "ACC-1", "company is not a Kustomer id (24 hex digits)"),
        ("id", HEX, None),
        ("name", "Acme", None),
        (None, "ACC-1", None),
    ],
)
def test_a_company_link_is_checked_by_what_it_matches(match: str | None, cell: str, reason: str | None) -> None:
    assert mapped_column("company", objects(cell), match=match)[1] == [reason]


def test_national_numbers_are_read_in_the_default_region() -> None:
    cells = objects("(415) 555-2671", 4155552671, "+442079460958", "020 7946 0958", "911")
    values, reasons = mapped_column("phone", cells, default_region="US", duplicates="allow")
    assert values == ["+14155552671", "+14155552671", "+442079460958", None, None]
    assert reasons == [None, None, None, "phone is not a phone number", "phone is not a phone number"]


def test_e164_numbers_never_reach_the_phone_library(monkeypatch: pytest.MonkeyPatch) -> None:

    seen: list[str] = []
    parse = phonenumbers.parse

    def counted(text: str, region: str | None = None) -> phonenumbers.PhoneNumber:
        seen.append(text)
        return parse(text, region)

    monkeypatch.setattr(phonenumbers, "parse", counted)
    mapped_column("phone", objects(*[f"+1415555{n:04}" for n in range(1000)]), default_region="US")
    assert seen == []
    cells = objects(*["415 555 2671"] * 500, "+14155552672")
    mapped_column("phone", cells, default_region="US", duplicates="allow")
    assert seen == ["415 555 2671"]


def test_the_wire_has_plain_python_values() -> None:
    assert wired("custom.aNum", 7, 7.5, None) == [{"custom": {"aNum": n}} for n in (7, 7.5, None)]
    assert [type(row["custom"]["aNum"]) for row in wired("custom.aNum", 7, 7.5)] == [int, float]
    assert [type(row["custom"]["aBool"]) for row in wired("custom.aBool", True, "f")] == [bool, bool]
    assert type(wired("employeeCount", 7, object_name="companies")[0]["employeeCount"]) is int
    assert type(wired("name", "Jane")[0]["name"]) is str
    assert wired("sentiment", '{"polarity":1,"confidence":1}', None) == [
        {"sentiment": {"polarity": 1, "confidence": 1}},
        {"sentiment": None},
    ]
