"""The guide "A new custom attribute", followed as it is written."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.markdown import code_spans, table

from .conftest import ROWS
from .followed import Followed, files_of

PAGE = "docs/guides/custom-attributes.md"
NEW, LINE = "lifetimeValueNum", "    custom.lifetimeValueNum: ltv       # the new one\n"

Follow = Callable[[str], Followed]


def before_it(follow: Follow) -> Followed:
    """The sync without the attribute; its rows are in Kustomer."""
    shell = follow(PAGE)
    with_it = files_of(PAGE)["customers/defs.yaml"]
    assert LINE in with_it
    shell.sync("customers", with_it.replace(LINE, ""))
    shell.sandbox.declare_custom("customer", planStr={"type": "string"})
    assert shell.say("run", "customers").status == 0
    return shell


def add_it(shell: Followed, line: str = LINE) -> None:
    shell.sync("customers", files_of(PAGE)["customers/defs.yaml"].replace(LINE, line))


def counts(shell: Followed, sync: str = "customers") -> dict[str, int]:
    [plan] = shell.say("plan", sync, "--json").json["plans"]
    return {action: count for action, count in plan["counts"].items() if count}


def values(shell: Followed) -> set[Any]:
    return {one["custom"].get(NEW) for one in shell.sandbox.customers.values()}


def said_of_it(shell: Followed) -> tuple[str, str]:
    """What the doctor finds of the attribute: the level, and its words."""
    findings = json.loads(shell.say("doctor", "--json").out)["findings"]
    [found] = [one for one in findings if one["name"] == f"customer {NEW}"]
    return found["level"], found["says"]


def test_a_stranger_who_follows_the_page_has_the_attribute_and_gets_it_out_again(follow: Follow) -> None:
    shell = before_it(follow)
    add_it(shell)
    assert said_of_it(shell)[0] == "warning"
    shell.sandbox.declare_custom("customer", **{NEW: {"type": "number"}})
    doctor = shell.type("kustomer-pipeline doctor").out
    assert re.search(rf"{NEW} +is declared \(number\)", doctor)

    plan = shell.type("kustomer-pipeline plan customers")
    assert f"{ROWS} to change" in plan.out
    assert "--approve-changes" not in plan.out  # nothing is held
    assert shell.type("kustomer-pipeline run customers --limit 10").status == 0
    assert shell.type("kustomer-pipeline run customers").status == 0
    assert values(shell) == {12.5}

    as_shown = files_of(PAGE)
    shell.sync("customers", as_shown["customers/defs.yaml"].replace(LINE, ""))
    assert counts(shell) == {"unchanged": ROWS}
    assert shell.say("run", "customers").status == 0
    assert values(shell) == {12.5}

    shell.sync("customers", as_shown["customers_without_it/defs.yaml"])
    assert counts(shell) == {"update": ROWS}
    assert shell.say("run", "customers").status == 0
    assert values(shell) == {None}
    assert shell.left == []


def test_an_org_that_takes_declared_attributes_only_refuses_every_row_until_it_is_made(follow: Follow) -> None:
    shell = before_it(follow)
    shell.sandbox.faults.set("custom_declared_only")
    add_it(shell)
    shell.pipeline.warehouse.execute("update crm.customers set full_name = 'Another' where customer_id = 'C-1'")
    said = shell.say("run", "customers")
    assert said.status == 1
    assert f"{ROWS} of {ROWS} rows were refused" in said.beside
    assert NEW in said.out
    assert "Another" not in {one["name"] for one in shell.sandbox.customers.values()}
    shell.sandbox.declare_custom("customer", **{NEW: {"type": "number"}})
    assert shell.say("run", "customers").status == 0
    assert values(shell) == {12.5}
    assert "Another" in {one["name"] for one in shell.sandbox.customers.values()}


def test_an_org_that_takes_any_good_name_takes_it(follow: Follow) -> None:
    shell = before_it(follow)
    add_it(shell)
    assert shell.say("run", "customers").status == 0
    assert values(shell) == {12.5}


@pytest.mark.parametrize("nulls, left", [("keep", 12.5), ("clear", None)])
def test_a_null_leaves_or_clears(follow: Follow, nulls: str, left: float | None) -> None:
    shell = before_it(follow)
    shell.sync("customers", files_of(PAGE)["customers/defs.yaml"], nulls=nulls)
    assert shell.say("run", "customers").status == 0
    shell.pipeline.warehouse.execute("update crm.customers set ltv = null where customer_id = 'C-1'")
    assert shell.say("run", "customers").status == 0
    assert values(shell) == {12.5, left}


@pytest.mark.parametrize(
    "declared, says",
    [
        ({"type": "number"}, "is declared (number)"),
        (None, "is not declared"),
        ({"type": "string"}, "is a string in Kustomer, and its name says Num"),
        ({"type": "number", "deletedAt": "2030-01-01T00:00:00.000Z"}, "was deleted"),
        ({"type": "number", "multi": True}, "takes a list"),
        ({"type": "number", "enumeration": [1, 2, 3]}, "takes 3 values only"),
    ],
)
def test_the_doctor_says_what_the_page_says(follow: Follow, declared: dict[str, Any] | None, says: str) -> None:
    shell = follow(PAGE)
    if declared is not None:
        shell.sandbox.declare_custom("customer", **{NEW: declared})
    assert says in said_of_it(shell)[1]
    listed = [
        one for row in table((REPOSITORY / PAGE).read_text(encoding="utf-8"), "it says") for one in code_spans(row[0])
    ]
    assert says in listed


def test_a_key_that_may_not_read_the_description_is_told(follow: Follow) -> None:
    shell = follow(PAGE)
    shell.sandbox.faults.set("role_removed", "org.permission.metadata.read")
    findings = json.loads(shell.say("doctor", "--json").out)["findings"]
    [found] = [one for one in findings if one["section"] == "attributes"]
    assert "cannot be read with this key" in found["says"]
    assert "org.permission.metadata.read" in found["advice"]


def test_a_name_that_kustomer_cannot_have_is_refused_at_load(follow: Follow) -> None:
    shell = follow(PAGE)
    add_it(shell, "    custom.life_time_value: ltv\n")
    said = shell.say("plan", "customers")
    assert said.status == 1
    assert "custom.life_time_value is not the name of a custom attribute" in said.beside


def test_the_endings_are_those_that_there_are() -> None:
    listed = [code_spans(row[0])[0] for row in table((REPOSITORY / PAGE).read_text(encoding="utf-8"), "ending")]
    of_the_reference = table((REPOSITORY / "docs/fields.md").read_text(encoding="utf-8"), "suffix")
    assert listed == [code_spans(row[0])[0] for row in of_the_reference]
