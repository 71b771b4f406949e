"""Phone numbers: as written at home, abroad, by spreadsheets and by people in a hurry."""

# Characters that look like others are the point of some rows.
# ruff: noqa: RUF001

from __future__ import annotations

from decimal import Decimal

from ..case import Case, created, invalid

NO_NUMBER = "phone is not a phone number"
NO_REGION = "phone is not a phone number (set default_region for national numbers)"

# A sync without default_region.
ABROAD: list[Case] = [
    created("no number", {"phone": None}),
    created("an empty number", {"phone": ""}),
    created("blanks for a number", {"phone": "  "}),
    created("E.164", {"phone": "+14155550101"}, phones=["+14155550101"]),
    created("brackets and a dash", {"phone": " +1 (415) 555-0102 "}, phones=["+14155550102"]),
    created("a plus in brackets", {"phone": "(+44) 20 7946 0101"}, phones=["+442079460101"]),
    created("a nought in brackets", {"phone": "+44 (0)20 7946 0102"}, phones=["+442079460102"]),
    created("dots", {"phone": "+49.30.1234567"}, phones=["+49301234567"]),
    created("no-break spaces and long dashes", {"phone": "+44\u00a020\u00a07946\u20130103"}, phones=["+442079460103"]),
    created("Arabic digits", {"phone": "+٤٤٢٠٧٩٤٦٠١٠٤"}, phones=["+442079460104"]),
    created("full-width digits", {"phone": "＋４４２０７９４６０１０５"}, phones=["+442079460105"]),
    created("an apostrophe, as spreadsheets keep text", {"phone": "'+442079460106"}, phones=["+442079460106"]),
    created("a line end behind", {"phone": "+442079460107\n"}, phones=["+442079460107"]),
    created(
        "a list",
        {"phones": '["+442079460108", {"phone": "+44 20 7946 0109", "type": "fax"}]'},
        phones=["+442079460108", {"phone": "+442079460109", "type": "fax"}],
    ),
    created(
        "a list, in the field for one number",
        {"phone": '["+442079460111", "+44 20 7946 0112"]'},
        phones=["+442079460111", "+442079460112"],
    ),
    created(
        "a number in both columns", {"phone": "+442079460110", "phones": "+44 20 7946 0110"}, phones=["+442079460110"]
    ),
    *[
        invalid(f"phone: {about}", {"phone": cell}, NO_REGION)
        for about, cell in (
            ("national", "020 7946 0111"),
            ("national, as a number", 2079460112),
            ("international without the plus", "442079460113"),
            ("00 for the plus", "0044 20 7946 0114"),
            ("too short", "+44 12"),
            ("too long", "+4420794601150000000"),
            ("a country that is none", "+999 555 0101 22"),
            ("an extension", "+44 20 7946 0116 ext. 5"),
            ("an extension, shorter", "+442079460117 x5"),
            ("an extension, as in a link", "+442079460118;ext=5"),
            ("a link", "tel:+442079460119"),
            ("letters to dial", "+1 800 FLOWERS"),
            ("letters", "n/a"),
            ("a word", "none"),
            ("a remark", "+44 20 7946 0120 (mobile)"),
            ("a dash", "-"),
            ("a nought", "0"),
            ("a plus", "+"),
            ("scientific notation, as a spreadsheet shows it", "4.42079E+11"),
            ("an address", "jane@mail.example"),
            ("a boolean", True),
            ("two numbers, a comma between", "+442079460121, +442079460122"),
            ("two numbers, a slash between", "+442079460123/+442079460124"),
            ("two numbers, a semicolon between", "+442079460125;+442079460126"),
            ("two numbers, a line end between", "+442079460127\n+442079460128"),
        )
    ],
    invalid("phone: a NUL character", {"phone": "+44207946\x000129"}, "phone holds a NUL character"),
    invalid("phones: a pager", {"phones": '{"phone": "+442079460130", "type": "pager"}'}, "type is not one of"),
    invalid("phones: no number in it", {"phones": '{"type": "fax"}'}, "phones item 1 has no phone"),
    invalid("phones: eleven", {"phones": [f"+4420794602{n:02}" for n in range(11)]}, "phones has 11 items, at most 10"),
]

# A sync with default_region: GB.
BRITISH: list[Case] = [
    created("national", {"phone": "020 7946 0201"}, phones=["+442079460201"]),
    created("national in brackets", {"phone": "(020) 7946-0202"}, phones=["+442079460202"]),
    created("national, as a number that has lost its nought", {"phone": 2079460203}, phones=["+442079460203"]),
    created("the same as a float", {"phone": 2079460204.0}, phones=["+442079460204"]),
    created("the same as a decimal", {"phone": Decimal("2079460205.00")}, phones=["+442079460205"]),
    created("international without the plus", {"phone": "442079460206"}, phones=["+442079460206"]),
    created("00 for the plus", {"phone": "0044 20 7946 0207"}, phones=["+442079460207"]),
    created("another country", {"phone": "+1 415 555 0208"}, phones=["+14155550208"]),
    *[
        invalid(f"British phone: {about}", {"phone": cell}, NO_NUMBER)
        for about, cell in (
            ("only a local number", "946 020"),
            ("an emergency number", "999"),
            ("too long", "020 7946 0209 0209 0209"),
            ("letters to dial", "0800 FLOWERS"),
            ("an extension", "020 7946 0210 ext 3"),
            ("an extension after a hash", "020 7946 0219 #3"),
            ("two numbers, a slash between", "020 7946 0211 / 020 7946 0212"),
            ("two numbers, a comma between", "020 7946 0213, 020 7946 0214"),
            ("two numbers, a semicolon between", "020 7946 0215; 020 7946 0216"),
            ("nothing known", "unknown"),
        )
    ],
    invalid("a phone, first time", {"phone": "020 7946 0217"}, "phone is also on"),
    invalid("the same phone in another notation", {"phone": "+44 (0) 20-7946-0217"}, "phone is also on"),
    invalid("the same phone in the list", {"phones": ["0044 2079460217"]}, "phone is also on"),
]
