"""Numbers, booleans, dates and web addresses in every spelling."""

# Characters that look like others are the point of some rows.
# ruff: noqa: RUF001

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd

from ..case import Case, created, invalid

NO_DATE = "custom.joinedAt is not an ISO-8601 date or date-time"
NO_URL = "custom.homeUrl is not an http or https address"
INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))

NUMBERS: list[Case] = [
    *[
        created(f"a number: {about}", {"score": cell}, scoreNum=number)
        for about, cell, number in (
            ("whole", 7, 7),
            ("a float that is whole", 7.0, 7),
            ("text", "12.5", 12.5),
            ("text with blanks", " 12.5\t", 12.5),
            ("a plus", "+3", 3),
            ("below zero", "-3", -3),
            ("no nought in front", "-.5", -0.5),
            ("nothing behind the point", "5.", 5),
            ("scientific notation", "1.5e3", 1500),
            ("very small", "5e-324", 5e-324),
            ("very large", 1.7976931348623157e308, 1.7976931348623157e308),
            ("noughts in front", "007", 7),
            ("a decimal", Decimal("0.10"), 0.1),
            ("a decimal with many digits", Decimal("3.14159265358979323846"), 3.141592653589793),
            ("the largest whole number that is exact", 2**53 - 1, 2**53 - 1),
            ("minus nought", "-0", 0),
        )
    ],
    created("no number", {"score": None}),
    created("blanks for a number", {"score": " "}),
    created("not a number, as floats have it", {"score": float("nan")}),
    created("not a number, as decimals have it", {"score": Decimal("NaN")}),
    *[
        invalid(f"no number: {about}", {"score": cell}, "custom.scoreNum is not a number")
        for about, cell in (
            ("a thousands separator", "1,234"),
            ("a decimal comma", "12,5"),
            ("a blank for a separator", "1 234"),
            ("an apostrophe for a separator", "1'234"),
            ("a no-break space for a separator", "1\u00a0234"),
            ("an underscore", "1_000"),
            ("euros", "€12"),
            ("dollars", "$12.50"),
            ("a currency code", "12 EUR"),
            ("per cent", "12%"),
            ("brackets for below zero", "(12)"),
            ("a minus behind", "12-"),
            ("a minus sign from typesetting", "−12"),
            ("NaN", "NaN"),
            ("infinity", "Infinity"),
            ("hexadecimal", "0x1F"),
            ("a fraction", "½"),
            ("Arabic digits", "١٢"),
            ("full-width digits", "１２"),
            ("words", "twelve"),
            ("N/A", "N/A"),
            ("null", "null"),
            ("a formula", "=1+1"),
            ("a boolean", True),
            ("a date", dt.date(2024, 1, 31)),
        )
    ],
    *[
        invalid(f"a number: {about}", {"score": cell}, f"custom.scoreNum {reason}")
        for about, cell, reason in (
            ("infinite", float("-inf"), "is not a finite number"),
            ("1e400", "1e400", "is not a finite number"),
            ("a decimal beyond any float", Decimal("1E+400"), "is not a finite number"),
            ("a decimal with a million digits", Decimal("1E+1000000"), "is a number too long"),
            ("too large to be exact", 2**53, "is a number too large to be exact"),
            ("too large to be exact, as text", "12345678901234567890", "is a number too large to be exact"),
            ("bytes", b"12", "is of a type that has no place in Kustomer (bytes)"),
            ("a list", [12], "is a list or an object"),
            ("a duration", dt.timedelta(seconds=12), "is of a type that has no place in Kustomer (timedelta)"),
        )
    ],
]

BOOLEANS: list[Case] = [
    *[
        created(f"a boolean: {cell!r}", {"active": cell}, activeBool=value)
        for value, cells in (
            (True, (True, "TRUE", " Yes ", "y", "T", 1, "1", 1.0, Decimal(1), np.bool_(True))),
            (False, (False, "False", "NO", "n", "f", 0, "0", 0.0)),
        )
        for cell in cells
    ],
    created("no boolean", {"active": None}),
    created("an empty boolean", {"active": ""}),
    *[
        invalid(f"no boolean: {cell!r}", {"active": cell}, "custom.activeBool is neither true nor false")
        for cell in ("on", "off", "ja", "oui", "wahr", "2", 2, -1, 0.5, "X", "✓", "null", "None", "true false")
    ],
    invalid("no boolean: a date", {"active": dt.date(2024, 1, 31)}, "custom.activeBool"),
    invalid("no boolean: a bit, as MySQL hands it out", {"active": b"\x01"}, "(bytes)"),
]

DATES: list[Case] = [
    *[
        created(f"a date: {about}", {"joined": cell}, joinedAt=text)
        for about, cell, text in (
            ("no zone", dt.datetime(2024, 1, 31, 8, 30, 1, 999_999), "2024-01-31T08:30:01.999Z"),
            ("a zone", dt.datetime(2024, 1, 31, 8, 30, tzinfo=INDIA), "2024-01-31T03:00:00.000Z"),
            ("only a date", dt.date(2024, 1, 31), "2024-01-31T00:00:00.000Z"),
            ("pandas'", pd.Timestamp("2024-01-31 08:30", tz="Europe/Berlin"), "2024-01-31T07:30:00.000Z"),
            ("numpy's", np.datetime64("2024-01-31T08:30"), "2024-01-31T08:30:00.000Z"),
            ("text", "2024-01-31", "2024-01-31T00:00:00.000Z"),
            ("text with a blank", "2024-01-31 08:30", "2024-01-31T08:30:00.000Z"),
            ("text with a zone, as PostgreSQL writes it", "2024-01-31 08:30:00.5+02", "2024-01-31T06:30:00.500Z"),
            ("small letters", "2024-01-31t08:30:00z", "2024-01-31T08:30:00.000Z"),
            ("a comma for the fraction", "2024-01-31T08:30:00,25Z", "2024-01-31T08:30:00.250Z"),
            ("UTC in words", "2024-01-31 08:30:00 UTC", "2024-01-31T08:30:00.000Z"),
            ("nanoseconds", "2024-01-31T08:30:00.123456789Z", "2024-01-31T08:30:00.123Z"),
            ("a leap day", "2024-02-29", "2024-02-29T00:00:00.000Z"),
            ("the Middle Ages", dt.date(1066, 10, 14), "1066-10-14T00:00:00.000Z"),
            ("the first year", "0001-01-01", "0001-01-01T00:00:00.000Z"),
            ("the last millisecond", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        )
    ],
    created("a birthday", {"birthday": dt.date(1990, 5, 17)}, birthdayAt="1990-05-17T00:00:00.000Z"),
    created("no date", {"joined": pd.NaT}),
    created("an empty date", {"joined": " "}),
    *[
        invalid(f"no date: {text}", {"joined": text}, NO_DATE)
        for text in (
            "2023-02-29",
            "2024-02-31",
            "2024-13-01",
            "2024-00-10",
            "0000-00-00",
            "0000-00-00 00:00:00",
            "0000-01-01",
            "10000-01-01",
            "01/31/2024",
            "31.01.2024",
            "31/01/24",
            "2024/01/31",
            "20240131",
            "2024-1-31",
            "Jan 31, 2024",
            "2024-W05-3",
            "2024-031",
            "2016-12-31T23:59:60Z",
            "2024-01-31T24:00:00Z",
            "2024-01-31T08:60",
            "08:30",
            "2024-01-31T08:30:00+25:00",
            "2024-01-31 08:30 CET",
            "2024-01-31 08:30 PM",
            "infinity",
            "now",
            "today",
            "-0044-03-15",
            "1706690000",
            "1706690000000",
            "null",
            "9999-12-31T23:59:59-01:00",
            "２０２４-01-31",
        )
    ],
    invalid("no date: epoch seconds", {"joined": 1706690000}, "custom.joinedAt"),
    invalid("no date: epoch seconds as a float", {"joined": 1706690000.5}, "custom.joinedAt"),
    invalid("no date: a day number of a spreadsheet", {"joined": 45322}, "custom.joinedAt"),
    invalid("no date: a boolean", {"joined": False}, "custom.joinedAt"),
    invalid(
        "no date: before the year 1 in UTC",
        {"joined": dt.datetime(1, 1, 1, tzinfo=INDIA)},
        "custom.joinedAt is outside the years 1 to 9999",
    ),
    invalid("no date: a time of day", {"joined": dt.time(8, 30)}, "has no place in Kustomer (time)"),
]

WEB_ADDRESSES: list[Case] = [
    *[
        created(f"an address: {text!r}", {"home": text}, homeUrl=text.strip())
        for text in (
            " https://x.example/a%20b?q=1&r=2#top ",
            "HTTP://X.EXAMPLE",
            "http://user:secret@x.example:8080/",
            "https://xn--exmple-cua.example/",
            "http://[::1]/",
            "https://x.example/?" + "q" * 2000,
        )
    ],
    created("no address", {"home": ""}),
    *[
        invalid(f"no address: {text!r}", {"home": text}, NO_URL)
        for text in (
            "x.example",
            "www.x.example/a",
            "//x.example/a",
            "javascript:alert(1)",
            "data:text/html,<b>x</b>",
            "ftp://x.example/a",
            "file:///etc/passwd",
            "mailto:jane@x.example",
            "https://",
            "https:///a",
            "http//x.example",
            "https://x.example/a b",
            "https://x.example/é",
            "https://exämple.example/",
            "https://x.example/%zz",
            "https://x.example/a\nb",
            "http://x.example:port/",
            "https://x.example/<script>",
            "C:\\home\\jane",
            "null",
            "https://x.example https://y.example",
        )
    ],
    invalid("no address: a number", {"home": 7}, NO_URL),
    created("a picture", {"avatarUrl": "https://x.example/jane.png"}, avatarUrl="https://x.example/jane.png"),
    invalid("no picture", {"avatarUrl": "jane.png"}, "avatarUrl is not an http or https address"),
    created("a web site with an asterisk", {"urls": "https://x.example/*"}, urls=["https://x.example/*"]),
    created("a web site", {"urls": "https://x.example/jane"}, urls=["https://x.example/jane"]),
    created(
        "web sites with types",
        {"urls": [{"url": "https://x.example/b", "type": "blog"}, "https://x.example/c"]},
        urls=[{"url": "https://x.example/b", "type": "blog"}, "https://x.example/c"],
    ),
    invalid(
        "a web site of an unknown type", {"urls": '{"url": "https://x.example", "type": "shop"}'}, "type is not one of"
    ),
]
