"""Values are masked so that nobody learns them, and whoever reviews a change still learns what kind of change it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kustomer_pipeline.mapping import FieldMapping, field_names, field_type
from kustomer_pipeline.sync import ChangeLimit
from kustomer_pipeline.sync.drift import DriftPolicy
from kustomer_pipeline.sync.masked_values import mask, mask_columns, mask_pair, shown_fields
from kustomer_pipeline.sync.masking import shown
from kustomer_pipeline_tests.sync.drifting import look
from kustomer_pipeline_tests.world import World, customers, people

ID = "5f1234567890123456789abc"


@pytest.mark.parametrize(
    ("field", "text", "masked"),
    [
        ("custom.planStr", "free", "f… (4)"),
        ("custom.planStr", "pro", "p… (3)"),
        ("custom.planStr", "Enterprise", "En… (10)"),
        ("custom.planStr", "A", "… (1)"),
        ("custom.noteTxt", "n" * 1024, "nn… (1,024)"),
        ("custom.planStr", "", ""),
        ("custom.planStr", "jane@example.com", "j…@….com"),
        ("custom.planStr", "+44 20 7946 0108", "+… (16)"),
        ("custom.fullNameStr", "Jane Roe-Doe", "J… (12)"),
        ("custom.homeAddressStr", "12 High Street", "1… (14)"),
        ("name", "Jane Roe-Doe", "J… (12)"),
        ("name", "Li", "… (2)"),
        ("username", "jane.roe", "j… (8)"),
        ("gender", "f", "… (1)"),
        ("locale", "en_US", "e… (5)"),
        ("externalId", "C-000017", "C-… (8)"),
        ("email", "jane@example.com", "j…@….com"),
        ("email.2", "jane@example.com", "j…@….com"),
        ("phone", "+442079460108", "+… (13)"),
        ("birthdayAt", "1987-05-17T00:00:00.000Z", "1987"),
        ("custom.birthdayAt", "1987-05-17T00:00:00.000Z", "1987"),
        ("signedUpAt", "2024-05-17T00:00:00.000Z", "2024-05"),
        ("custom.renewalAt", "2024-05-17T00:00:00.000Z", "2024-05"),
        ("custom.renewalAt", "soon, says Jane", "so… (15)"),
        ("custom.activeBool", "true", "true"),
        ("custom.activeBool", "maybe Jane", "ma… (10)"),
        ("custom.ltvNum", "1234.56", "~1200"),
        ("custom.ltvNum", "-1234", "~-1200"),
        ("custom.ltvNum", "0", "0"),
        ("custom.ltvNum", "7", "<10"),
        ("custom.ltvNum", "-7", ">-10"),
        ("custom.ltvNum", "47", "~50"),
        ("custom.ltvNum", "0.731", "~0.7"),
        ("custom.ltvNum", "9.96", "~10"),
        ("custom.ltvNum", "1e21", "~1000000000000000000000"),
        ("custom.ltvNum", "442079460108", "~400000000000"),
        ("custom.mobileNum", "20794", "~20000"),
        ("custom.ltvNum", "Jane Roe", "Ja… (8)"),
        ("employeeCount", "1234", "~1200"),
        ("emails", '[{"email": "jane@example.com"}]', "1 item"),
        ("locations", '[{"address": "12 High Street"}, {"zipCode": "20095"}]', "2 items"),
        ("tags", json.dumps([ID]), "1 item"),
        ("tags", "vip", "vip"),
        ("sentiment", '{"polarity": 1, "confidence": 0.5}', "2 keys"),
        ("company", ID, ID),
        ("company", "Jane Roe Ltd", "Ja… (12)"),
        ("custom.accountId", ID, ID),
        ("(the record)", "written", "w… (7)"),
        (None, "Jane Roe-Doe", "J… (12)"),
    ],
)
def test_a_value_tells_what_kind_it_is(field: str | None, text: str, masked: str) -> None:
    assert mask(text, field) == masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (12, "~10"),
        (1234, "~1000"),
        (1.5, "~2"),
        (Decimal("4111"), "~4000"),
        (np.int64(7), "<10"),
        (float("nan"), "#"),
        (float("inf"), "#"),
        (1j, "… (2)"),
        (datetime(1987, 5, 17, tzinfo=UTC), "1987"),
        (date(1987, 5, 17), "1987"),
        (pd.Timestamp("1987-05-17"), "1987"),
        (["jane@example.com"], "1 item"),
        ({"a": 1, "b": 2}, "2 keys"),
    ],
)
def test_of_a_column_that_is_not_known_everything_counts_as_a_persons(value: Any, masked: str) -> None:
    assert mask(value) == masked


@pytest.mark.parametrize("value", [None, True, False, pd.NA, pd.NaT, np.True_])
def test_nulls_and_booleans_are_shown(value: Any) -> None:
    assert mask(value) is value


@pytest.mark.parametrize(
    ("field", "one", "other", "masked"),
    [
        ("custom.planStr", "silver 1", "silver 2", ("si… (8)", "si… (8), another")),
        ("custom.ltvNum", "1210", "1220", ("~1200", "~1200, another")),
        ("emails", "[1, 2]", "[1, 3]", ("2 items", "2 items, others")),
        ("emails", "[1]", "[3]", ("1 item", "1 item, another")),
        ("name", None, "Jane Roe", (None, "J… (8)")),
        ("custom.planStr", "free", "free", ("f… (4)", "f… (4)")),
        ("custom.planStr", "", "pro", ("", "p… (3)")),
    ],
)
def test_two_values_that_would_look_the_same_are_told_apart(
    field: str, one: str | None, other: str | None, masked: tuple[str | None, str | None]
) -> None:
    assert mask_pair(one, other, field) == masked


TEXTS = st.text(min_size=1, max_size=40).map(str.strip).filter(bool)
FIELDS = st.sampled_from(["name", "username", "phone", "avatarUrl", "custom.fullNameStr", None])


@given(TEXTS, FIELDS)
@example(text='{"":""}', field="phone")
def test_no_more_than_one_character_of_what_is_a_persons_is_shown(text: str, field: str | None) -> None:
    """Whatever it is, and whatever it looks like."""
    said = str(mask(text, field))
    if re.fullmatch(r"[\d,]+ (items?|keys?)", said):  # of a list or an object, in JSON, only its size
        assert isinstance(json.loads(text), list | dict)
        return
    head, dots, rest = said.partition("…")
    assert dots
    assert head in ("", text[0])
    assert len(text) >= 4 or not head
    assert rest == f" ({len(text):,})" or rest.startswith("@….")


LETTERS = st.characters(categories=["L"])


@given(st.text(LETTERS, min_size=2, max_size=60))
def test_of_other_text_two_characters_at_most_are_shown(text: str) -> None:
    said = mask(text, "custom.planStr")
    assert said == f"{text[: 2 if len(text) >= 8 else 1]}… ({len(text):,})"


@given(st.decimals(min_value=10, max_value=10**9, places=2))
def test_a_number_is_never_given_to_the_last_digit(number: Decimal) -> None:
    said = mask(str(number), "custom.ltvNum")
    assert said.startswith("~")
    digits = len(str(int(number)))
    assert said.rstrip("0").lstrip("~") == said.strip("~0")
    assert len(said.strip("~0")) <= (2 if 3 <= digits <= 6 else 1)


def test_every_standard_field_that_is_text_is_a_persons_unless_it_is_said_here() -> None:
    """A field that the catalogue gains is masked like a name until somebody thinks about it."""
    text = "Abcdefghijkl"
    shows_two = {
        name
        for object_name in ("customers", "companies")
        for name in field_names(object_name)
        if field_type(object_name, name).value in ("text", "externalId", "email", "phone", "url", "domain")
        and mask(text, name) != "A… (12)"
    }
    assert shows_two == {"company", "externalId", "locale", "timeZone", "defaultLang"}


def test_only_fields_that_show_all_that_is_mapped_to_them_are_shown() -> None:
    fields = [
        FieldMapping("email", ("a",), show=True),
        FieldMapping("emails", ("b",)),
        FieldMapping("phone", ("c",), show=True),
        FieldMapping("custom.planStr", ("d",), show=True),
        FieldMapping("name", ("e",)),
    ]
    assert shown_fields(fields, "customers") == {"phones", "custom.planStr"}


def test_columns_of_a_table_are_masked_by_the_field_of_each_line() -> None:
    lines = [("custom.ltvNum", "1234", None), ("name", "Jane Roe", "Jane Doe"), ("custom.planStr", "free", "pro")]
    rows = pd.DataFrame(lines, columns=["field", "before", "after"]).astype("string")
    masked = mask_columns(rows, ("before", "after"), {"custom.planStr"})
    assert masked.astype(object).where(masked.notna(), None).to_numpy().tolist() == [
        ["custom.ltvNum", "~1200", None],
        ["name", "J… (8)", "J… (8), another"],
        ["custom.planStr", "free", "pro"],
    ]
    assert mask_columns(rows.iloc[:0], ("before", "after")).empty


SHOWING = tuple(
    FieldMapping(mapping.field, mapping.columns, show=mapping.field == "custom.planStr")
    for mapping in customers().fields
)


def test_a_field_that_is_shown_is_shown_in_a_plan_and_in_what_is_held(world: World) -> None:
    world.run(customers(), people(2))
    spec = customers(fields=SHOWING)
    plan = world.plan(spec, [{**row, "name": "Jane Private"} for row in people(2, plan="gold")])
    assert set(plan.table()["after"]) == {"gold", "J… (12)"}
    assert set(plan.masked(plan.changes.iloc[:1])["key"]) == {"C-0"}
    assert set(plan.table(show_values=True)["after"]) == {"gold", "Jane Private"}


def test_a_report_and_a_look_for_drift_show_it_too(world: World) -> None:
    spec = customers(fields=SHOWING, max_changes=ChangeLimit(share=0.1))
    first = world.run(spec, people(120))
    assert first.read_back.shown == {"custom.planStr"}
    lines = pd.DataFrame(
        [("C-0", "5f", "custom.planStr", "free", "gold"), ("C-0", "5f", "name", "Jane Roe", "Jane Doe")],
        columns=["key", "kustomer_id", "field", "sent", "found"],
    ).astype("string")
    assert replace(first.read_back, rows=lines).table()[["sent", "found"]].to_numpy().tolist() == [
        ["free", "gold"],
        ["J… (8)", "J… (8), another"],
    ]
    held = world.run(spec, people(120, plan="gold")).held_changes
    assert (held.held, set(held.table()["after"])) == (120, {"gold"})
    world.sandbox.agent_edit(world.id_of("p0@example.com"), custom={"planStr": "silver"}, name="Jane Roe")
    table = look(world, spec, people(120), policy=DriftPolicy(sample=None)).table()
    assert dict(zip(table["field"], table["theirs"], strict=True)) == {"custom.planStr": "silver", "name": "J… (8)"}


def test_that_a_field_is_shown_changes_nothing_in_what_is_sent_or_sealed(world: World) -> None:
    hidden, showing = customers(), customers(fields=SHOWING)
    assert hidden.signature == showing.signature
    plans = [world.plan(spec, people(2)) for spec in (hidden, showing)]
    assert plans[0].id == plans[1].id
    assert plans[0].seals == plans[1].seals
    world.run(hidden, people(2))
    assert world.run(showing, people(2)).counts.unchanged == 2


def test_the_form_of_a_plan_is_masked_like_the_value_itself() -> None:
    value = [{"email": "jane@example.com"}]
    assert mask(shown(value), "emails") == mask(value, "emails") == "1 item"
