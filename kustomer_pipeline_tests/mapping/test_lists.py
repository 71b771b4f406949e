"""List fields: shorthand, JSON, several columns, sub-schemas, and what goes on the wire."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kustomer_pipeline.mapping import FieldMapping, field_names, field_type, map_frame, wire_rows

from .frames import mapped_column, objects, reasons, wired

GOOD_ITEMS: list[tuple[str, Any, list[Any]]] = [
    ("emails", "Jane@X.com", [{"email": "jane@x.com"}]),
    ("emails", '{"email":" Jane@X.com","type":"Work","verified":"yes"}',
     [{"email": "jane@x.com", "type": "work", "verified": True}]),
    ("emails", [{"email": "a@x.com"}, {"email": "A@x.com"}, "b@x.com"],
     [{"email": "a@x.com"}, {"email": "b@x.com"}]),
    ("sharedEmails", '["a@x.com","b@x.com"]', [{"email": "a@x.com"}, {"email": "b@x.com"}]),
    ("phones", '[{"phone":"+44 20 7946 0958","type":"fax"}]', [{"phone": "+442079460958", "type": "fax"}]),
    ("sharedPhones", "+14155552671", [{"phone": "+14155552671"}]),
    ("whatsapps", {"phone": "+14155552671", "type": "mobile"}, [{"phone": "+14155552671", "type": "mobile"}]),
    ("externalIds", "[7, 7.0, \"C-8\"]", [{"externalId": "7"}, {"externalId": "C-8"}]),
    ("sharedExternalIds", 7, [{"externalId": "7"}]),
    ("socials",
     {"type": "twitter", "username": "jane", "url": "https://x.com/jane", "userid": 9, "verified": False},
     [{"type": "twitter", "username": "jane", "url": "https://x.com/jane", "userid": "9",
       "verified": False}]),
    ("sharedSocials", [{"type": "linkedin", "username": "jane"}], [{"type": "linkedin", "username": "jane"}]),
    ("facebookIds", {"pageId": "1", "userId": 2}, [{"pageId": "1", "userId": "2"}]),
    ("instagramIds", {"pageId": "1", "threadId": "2", "username": "j"},
     [{"pageId": "1", "threadId": "2", "username": "j"}]),
    ("urls", "https://x.com", [{"url": "https://x.com"}]),
    ("locations", {"type": "home", "zipCode": 12345, "latitude": "52.5", "longitude": -13, "name": None},
     [{"type": "home", "zipCode": "12345", "latitude": 52.5, "longitude": -13}]),
    ("locations", [{"zipCode": "1"}, {"zipCode": "2"}], [{"zipCode": "1"}, {"zipCode": "2"}]),
    ("tags", "vip, gold", ["vip", "gold"]),
]  # fmt: skip

BAD_ITEMS: list[tuple[str, Any, str]] = [
    ("emails", "[", "emails is not valid JSON"),
    ("emails", "[NaN]", "emails is not valid JSON"),
    ("emails", "[" * 100_000, "emails is not valid JSON"),
    ("emails", "{}", "emails item 1 has no email"),
    ("emails", "[[]]", "emails item 1 is not an object"),
    ("emails", "[null]", "emails item 1 is not an object"),
    ("emails", '[{"email":"a@x.com"},{"email":"nope"}]', "emails item 2 email is not an e-mail address"),
    ("emails", '[{"type":"home"}]', "emails item 1 has no email"),
    ("emails", '{"email":"a@x.com","type":"mobile"}', "emails item 1 type is not one of home, work, other"),
    ("emails", '{"email":"a@x.com","label":"x"}',
     "emails item 1 has a key that Kustomer does not know (allowed: email, type, verified)"),
    ("emails", '{"email":"a@x.com","verified":"maybe"}', "emails item 1 verified is neither true nor false"),
    ("emails", '{"email":["a@x.com"]}',
     "emails item 1 email is a list or an object; a single value is needed"),
    ("emails", r'{"email":"\ud800@x.com"}', "emails item 1 email holds characters that UTF-8 cannot encode"),
    ("emails", r'{"email":"\u0000@x.com"}', "emails item 1 email holds a NUL character"),
    ("emails", [{"email": "a@x.com", "type": "home"}, {"email": "a@x.com", "type": "work"}],
     "emails has two items of the same email that differ otherwise"),
    ("emails", [f"a{n}@x.com" for n in range(11)], "emails has 11 items, at most 10"),
    ("emails", {1: object()},
     "emails is of a type that has no place in Kustomer (object); cast it in the query"),
    ("socials", "jane", "socials is not JSON (an object or a list of objects is needed)"),
    ("socials", {"type": "twitter"}, "socials item 1 has no username"),
    ("socials", {"type": "myspace", "username": "j"},
     "socials item 1 type is not one of twitter, facebook, instagram, linkedin, pinterest"),
    ("locations", {"latitude": 90.5}, "locations item 1 latitude is above 90"),
    ("locations", {"countryCode": "DEU"}, "locations item 1 countryCode is 3 characters, at most 2"),
    ("locations", {"countryCode": "D"}, "locations item 1 countryCode is 1 character, at least 2"),
    ("locations", {"zipCode": "1" * 31}, "locations item 1 zipCode is 31 characters, at most 30"),
    ("locations", [{"type": "home", "zipCode": "1"}, {"type": "home", "zipCode": "2"}],
     "locations has two items of the same type and name that differ otherwise"),
    ("urls", "x.com", "urls is not an http or https address (other than ASCII characters must be %-encoded)"),
]  # fmt: skip


def numbered(cases: list[tuple[str, Any, Any]]) -> list[str]:
    return [f"{field}-{number}" for number, (field, _, _) in enumerate(cases)]


@pytest.mark.parametrize("field, cell, items", GOOD_ITEMS, ids=numbered(GOOD_ITEMS))
def test_good_items_reach_the_wire(field: str, cell: Any, items: list[Any]) -> None:
    assert wired(field, cell) == [{field_type("customers", field).attribute: items}]


@pytest.mark.parametrize("field, cell, items", GOOD_ITEMS, ids=numbered(GOOD_ITEMS))
def test_json_items_may_come_as_text_or_as_objects(field: str, cell: Any, items: list[Any]) -> None:
    if not isinstance(cell, str):
        assert wired(field, json.dumps(cell)) == wired(field, cell)
    if isinstance(cell, list):
        assert wired(field, np.array(cell, dtype=object)) == wired(field, cell)


@pytest.mark.parametrize("field, cell, reason", BAD_ITEMS, ids=numbered(BAD_ITEMS))
def test_bad_items_make_the_row_invalid(field: str, cell: Any, reason: str) -> None:
    assert mapped_column(field, objects(cell)) == ([None], [reason])


@pytest.mark.parametrize("cell", ['{"email": "secret@x.com"', '[{"email": secret}]', "{'email': 'secret@x.com'}"])
@pytest.mark.parametrize("field", ["emails", "phones", "locations", "sentiment", "tags"])
def test_the_reason_of_broken_json_shows_no_piece_of_it(field: str, cell: str) -> None:
    _, why = mapped_column(field, objects(cell))
    assert why[0] is not None
    assert "secret" not in why[0]


def test_the_reason_of_what_cannot_become_json_shows_no_piece_of_it() -> None:
    _, why = mapped_column("emails", objects({"email": {"secret"}}, {"email": float("nan"), "secret": object()}))
    assert all(reason is not None and "secret" not in reason for reason in why)


def test_an_address_may_say_no_type() -> None:
    assert wired("locations", {"type": None, "zipCode": "20095"}) == [{"locations": [{"zipCode": "20095"}]}]


def test_empty_json_is_null() -> None:
    assert mapped_column("emails", objects("[]", "[ ]", [])) == ([None] * 3, [None] * 3)


def test_company_domains_are_lower_case_names() -> None:
    assert wired("domains", "Acme.Example", ["a.com", "b.com"], object_name="companies") == [
        {"domains": [{"domain": "acme.example"}]},
        {"domains": [{"domain": "a.com"}, {"domain": "b.com"}]},
    ]
    _, why = mapped_column("domains", objects("jane@acme.example", "https://acme.example", "acme"), "companies")
    assert why == ["domains is not a domain name"] * 3


def test_canonical_json_is_the_same_for_equal_items_and_stays_so() -> None:
    cells = objects('{"type":"home", "email":"A@x.com"}', '[{"email":"a@x.com","type":"home"}]')
    values, _ = mapped_column("emails", cells, duplicates="allow")
    assert values == ['[{"email":"a@x.com","type":"home"}]'] * 2
    assert mapped_column("emails", objects(*values), duplicates="allow") == (values, [None, None])


def test_shorthand_and_json_stand_in_one_column() -> None:
    values, why = mapped_column("emails", objects("a@x.com", {"email": "b@x.com"}, None, "nope", "[nope]"))
    assert values == ["a@x.com", '[{"email":"b@x.com"}]', None, None, None]
    assert why == [None, None, None, "emails is not an e-mail address", "emails is not valid JSON"]


def test_several_columns_and_both_spellings_make_one_list_without_repetitions() -> None:
    frame = pd.DataFrame(
        {
            "main": ["A@x.com", None, None],
            "alt": ["b@x.com", "c@x.com", None],
            "more": ['[{"email":"a@x.com","type":"home"},{"email":"d@x.com"}]', None, None],
        }
    )
    fields = [FieldMapping("email", ("main", "alt")), FieldMapping("emails", ("more",))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["email"])
    assert list(mapped.columns) == ["_key", "email", "email.2", "emails", "_invalid", "_codes"]
    assert mapped["_key"].tolist() == ["a@x.com", "c@x.com", "row:3"]
    assert reasons(mapped) == [None, None, "email is missing"]
    assert wire_rows(mapped, fields, object_name="customers") == [
        {"emails": [{"email": "a@x.com", "type": "home"}, {"email": "b@x.com"}, {"email": "d@x.com"}]},
        {"emails": [{"email": "c@x.com"}]},
        {"emails": None},
    ]


def test_addresses_of_several_columns_are_never_mixed_into_one() -> None:
    old, new = {"type": "home", "address": "1 Altweg", "zipCode": "20095"}, {"type": "home", "address": "9 Hafenweg"}
    frame = pd.DataFrame({"id": ["7"], "a": [json.dumps(old)], "b": [json.dumps(new)], "c": [json.dumps(old)]})
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("locations", ("a", "b", "c"))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert wire_rows(mapped, fields, object_name="customers") == [{"externalId": "7", "locations": [old, new]}]


def test_the_item_limit_counts_the_distinct_items_of_all_columns() -> None:
    columns = [f"c{n}" for n in range(11)]
    frame = pd.DataFrame([[f"a{n}@x.com" for n in range(11)], [f"b{n % 10}@x.com" for n in range(11)]], columns=columns)
    fields = [FieldMapping("email", tuple(columns))]
    assert reasons(map_frame(frame, fields, object_name="customers", match_on=["email"])) == [
        "emails has 11 items, at most 10",
        None,
    ]


def test_the_tag_limit_counts_over_columns() -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "a": [",".join(f"a{n}" for n in range(15))] * 2,
            "b": ["a1,a2", ",".join(f"b{n}" for n in range(6))],
        }
    )
    fields = [FieldMapping("externalId", ("id",)), FieldMapping("tags", ("a", "b"))]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    assert reasons(mapped) == [None, "tags has 21 items, at most 20"]
    assert len(wire_rows(mapped, fields, object_name="customers")[0]["tags"]) == 15


def test_wire_rows_of_a_part_are_the_rows_of_that_part() -> None:
    frame = pd.DataFrame({"id": range(10), "name": [None, "n"] * 5})
    fields = [
        FieldMapping("externalId", ("id",)),
        FieldMapping("name", ("name",)),
        FieldMapping("tags", ("name",)),
    ]
    mapped = map_frame(frame, fields, object_name="customers", match_on=["externalId"])
    part = mapped.loc[[7, 2]]
    assert wire_rows(part, fields, object_name="customers") == [
        {"externalId": "7", "name": "n", "tags": ["n"]},
        {"externalId": "2", "name": None, "tags": None},
    ]
    assert wire_rows(mapped.iloc[:0], fields, object_name="customers") == []


def test_every_list_field_takes_an_item_with_all_its_keys() -> None:
    samples = {
        "email": "a@x.com",
        "phone": "+14155552671",
        "url": "https://x.com",
        "boolean": True,
        "number": 1,
    }
    for object_name in ("customers", "companies"):
        for name in field_names(object_name):
            field = field_type(object_name, name)
            if field.shape != "list" or not field.items:
                continue
            item = {
                key: sub.choices[0] if sub.choices else samples.get(sub.value, "xx.x"[: sub.max_length])
                for key, sub in field.items.items()
            }
            assert wired(name, item, object_name=object_name) == [{field.attribute: [item]}]
