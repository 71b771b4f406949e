"""The guide "The first run into an org", followed as it is written, in an org with records and in an empty one."""

import re
from collections.abc import Callable
from math import ceil
from typing import Any

import pytest

from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.markdown import table

from .conftest import ROWS
from .followed import Followed, files_of, id_in

PAGE = "docs/guides/first-run.md"
OF_A_RUN, OF_A_PLAN = "cli-0a1b2c3d4e5f", "cli-1b2c3d4e5f6a"  # the ids that the page shows
FEW = 10

Follow = Callable[[str], Followed]


def counts(shell: Followed, *words: str) -> dict[str, int]:
    """What a plan of one sync counts, by action."""
    [plan] = shell.say("plan", *words, "--json").json["plans"]
    return {action: count for action, count in plan["counts"].items() if count}


def has_tag(shell: Followed, name: str) -> int:
    return sum(name in shell.sandbox.tag_names(id_) for id_ in shell.sandbox.customers)


def quoted(text: str) -> bool:
    """Whether the page has these words of the product."""
    return text in (REPOSITORY / PAGE).read_text(encoding="utf-8")


def test_a_stranger_who_follows_the_page_sees_what_it_says_in_an_org_with_records(follow: Follow) -> None:
    shell = follow(PAGE)
    kustomer = shell.sandbox
    kustomer.declare_custom("customer", planStr={"type": "string"})
    kustomer.seed_company(externalId="A-1", name="Acme of old")
    jane = kustomer.seed_customer(externalId="C-1", emails=[{"email": "jane1@acme.example"}], name="Old")
    by_email = kustomer.seed_customer(emails=[{"email": "jane2@acme.example"}], tags=["vip"])
    kustomer.seed_customer(externalId="X-9", emails=[{"email": "jane3@acme.example"}], tags=["vip"])
    outsider = kustomer.seed_customer(emails=[{"email": "joe@elsewhere.example"}], tags=["vip"])

    doctor = shell.type("kustomer-pipeline doctor")
    assert re.search(r"planStr +is declared", doctor.out)
    assert "\nready" in doctor.out

    said = shell.type("kustomer-pipeline plan")
    assert said.status == 2
    assert "1 to change" in said.out  # the company
    assert f"{ROWS - 3} to create, 2 to change; 1 refused" in said.out
    assert f"{ROWS - 2} to tag" in said.out
    assert "skip" not in said.out
    assert "externalId: null → C" in said.out  # found by its address
    for words in ("has another externalId", "hold the tag because somebody else gave it to them"):
        assert words in said.out
        assert quoted(words)
    assert len(kustomer.customers) == 4

    assert shell.type("kustomer-pipeline run companies").status == 0
    assert [one["name"] for one in kustomer.companies.values()] == ["Acme"]
    run = shell.type("kustomer-pipeline run customers --limit 10")
    assert run.status == 0
    created = len(kustomer.customers) - 4
    assert created == FEW - 3  # of ten rows two have a record, and one is refused
    assert kustomer.customers[jane]["company"] is not None
    assert "What was overwritten" in shell.type("kustomer-pipeline show customers C-1").out

    undone = shell.type(f"kustomer-pipeline undo {OF_A_RUN}", **{key(OF_A_RUN): id_in(run, "undo")})
    assert kustomer.customers[jane]["name"] == "Old"
    assert kustomer.customers[by_email]["externalId"] is None
    assert len(kustomer.customers) == 4 + created
    assert f"{created} records that it created: not deleted" in undone.out
    assert "update" not in counts(shell, "customers")
    assert counts(shell, "customers", "--full-resync")["update"] == 2
    as_shown = files_of(PAGE)["customers/defs.yaml"]
    shell.sync("customers", as_shown.replace("custom.planStr: plan", "custom.planStr: {column: plan, write: if_empty}"))
    assert counts(shell, "customers")["update"] == 2  # it is another sync now

    said = shell.type("kustomer-pipeline plan")
    planned = len(kustomer.customers)
    applied = shell.type(f"kustomer-pipeline apply {OF_A_PLAN}", **{key(OF_A_PLAN): id_in(said, "apply")})
    assert applied.status == 0, applied.beside
    assert len(kustomer.customers) - planned == ROWS - 3 - created
    assert kustomer.customers[jane]["name"] == "Jane 1"
    assert has_tag(shell, "vip") == ROWS + 1

    assert "2 members hold the tag" in shell.type("kustomer-pipeline plan vip --adopt").out
    shell.type("kustomer-pipeline run vip --adopt")
    shell.pipeline.warehouse.execute("delete from marts.vip_customers where email = 'jane2@acme.example'")
    assert counts(shell, "vip") == {"untag": 1, "unchanged": ROWS - 1}
    assert shell.say("run", "vip").status == 0
    assert "vip" not in kustomer.tag_names(by_email)
    assert "vip" in kustomer.tag_names(outsider)

    said = shell.say("plan")
    assert said.out.count("nothing to do") == 3
    assert "1 rejected" in said.out
    assert shell.left == []


def key(word: str) -> str:
    """As a name of Python's."""
    return word.replace("-", "_")


def test_in_an_empty_org_the_plan_of_all_has_the_numbers_of_the_run(follow: Follow) -> None:
    shell = follow(PAGE)
    said = shell.say("plan")
    assert said.out.count("to create") == 2
    assert not re.search(r"refused|to change|skip", said.out)
    assert f"{ROWS} to tag" in said.out
    assert shell.say("run", "companies").status == 0
    assert shell.say("run", "customers", "--limit", str(FEW)).status == 0
    assert shell.say("apply", id_in(shell.say("plan"), "apply")).status == 0
    assert (len(shell.sandbox.companies), len(shell.sandbox.customers)) == (1, ROWS)
    assert has_tag(shell, "vip") == ROWS
    again = shell.say("run", "--json").json["syncs"]
    assert [one["report"]["requests"] for one in again] == [1, 1, 1]


def test_all_plans_of_one_run_fill_an_empty_org(follow: Follow) -> None:
    """Customers of a company that the same plan creates, and members whom it creates, too."""
    shell = follow(PAGE)
    assert shell.say("apply", id_in(shell.say("plan"), "apply")).status == 0
    assert (len(shell.sandbox.companies), len(shell.sandbox.customers)) == (1, ROWS)
    [company] = shell.sandbox.companies
    assert {one["company"] for one in shell.sandbox.customers.values()} == {company}
    assert shell.say("plan").status == 0


def test_customers_before_their_company_are_rejected_and_members_before_customers_skipped(follow: Follow) -> None:
    shell = follow(PAGE)
    assert counts(shell, "customers") == {"reject": ROWS}
    assert counts(shell, "vip") == {"skip": ROWS}


def seeded(shell: Followed, rows: int, **more: Any) -> None:
    """Customers of the warehouse's, as another tool has left them."""
    for n in range(1, rows + 1):
        shell.sandbox.seed_customer(externalId=f"C-{n}", emails=[{"email": f"jane{n}@acme.example"}], **more)


def test_the_guard_of_changes_holds_nothing_in_a_first_run(follow: Follow) -> None:
    shell = follow(PAGE)
    seeded(shell, ROWS, name="Old")
    assert shell.say("run", "companies", "customers").status == 0
    assert {one["name"] for one in shell.sandbox.customers.values()} == {f"Jane {n}" for n in range(1, ROWS + 1)}


@pytest.mark.parametrize("scope", ["owned", "tag"])
def test_the_guard_of_removals_holds_in_a_first_run_only_for_whoever_holds_the_tag(follow: Follow, scope: str) -> None:
    shell = follow(PAGE)
    shell.sync("vip", files_of(PAGE)["vip/defs.yaml"], mirror_scope=scope)
    seeded(shell, 4, tags=["vip"])
    shell.pipeline.warehouse.execute("delete from marts.vip_customers where email <> 'jane1@acme.example'")
    said = shell.say("plan", "vip")
    assert ("--approve-removals removals-3-" in said.out) == (scope == "tag")
    assert shell.say("run", "vip").status == 0
    assert has_tag(shell, "vip") == 4


def test_what_it_costs_is_what_was_measured() -> None:
    measured = {row[0]: row for row in table((REPOSITORY / "README.md").read_text(encoding="utf-8"), "work")}
    shown = table((REPOSITORY / PAGE).read_text(encoding="utf-8"), "first load of 100,000 customers")
    for row, work in zip(
        shown, ("first load, all new", "first load, all exist", "four-role key, all new"), strict=True
    ):
        units, a_minute = float(measured[work][3]), int(measured[work][5].replace(",", ""))
        assert [cell.replace(",", "") for cell in row[1:]] == [f"{units * 100_000:.0f}", str(ceil(100_000 / a_minute))]
