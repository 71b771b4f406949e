"""The link of a customer to a company: there or not, odd, blank, deleted, or one of two."""

from __future__ import annotations

from ..case import Case, created, invalid, rejected

COMPANY_LINKS: list[Case] = [
    created("a company", {"company": "ACME"}, company="Acme"),
    created("a company by a number", {"company": 7.0}, company="Seven"),
    created("a company by an odd id", {"company": " a/b & c=%20?#+ü "}, company="Odd"),
    created("no company", {"company": None}),
    created("a blank company", {"company": "  "}),
    rejected("a company that is not there", {"company": "NOBODY"}, "Kustomer has no company with this externalId"),
    rejected("the id in another case", {"company": "acme"}, "Kustomer has no company with this externalId"),
    rejected("the name in place of the id", {"company": "Acme"}, "Kustomer has no company with this externalId"),
    rejected("a company that was deleted", {"company": "GONE"}, "Kustomer has no company with this externalId"),
    rejected("the word null", {"company": "null"}, "Kustomer has no company with this externalId"),
    invalid("257 characters", {"company": "c" * 257}, "company is 257 characters, at most 256"),
    invalid("a list", {"company": ["ACME"]}, "company is a list or an object"),
    invalid("a NUL character", {"company": "AC\x00ME"}, "company holds a NUL character"),
]
COMPANY_NAMES: list[Case] = [
    created("by name", {"company": " Acme "}, company="Acme"),
    created("by a name with signs", {"company": "A & B, c+d=100% #1 <é>?"}, company="A & B, c+d=100% #1 <é>?"),
    rejected("a name that two have", {"company": "Twins"}, "more than one record in Kustomer"),
    rejected("a part of a name", {"company": "Acm"}, "Kustomer has no company with this name"),
    rejected("the name in another case", {"company": "ACME"}, "Kustomer has no company with this name"),
    rejected("a deleted one's name", {"company": "Gone"}, "Kustomer has no company with this name"),
    invalid("two characters", {"company": "AB"}, "company is 2 characters, at least 3"),
]
COMPANY_IDS: list[Case] = [
    invalid("no id of Kustomer's", {"company": "ACME"}, "company is not a Kustomer id"),
    rejected("an id of nobody", {"company": "507f1f77bcf86cd799439011"}, "Kustomer refused it"),
    created("none", {"company": ""}),
]
