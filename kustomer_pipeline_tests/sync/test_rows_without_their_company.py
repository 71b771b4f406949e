"""`missing: send_without`: a row whose company Kustomer does not have is sent without the link, which comes later."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline.mapping import FieldConfigError, FieldMapping, check_fields
from kustomer_pipeline.sync import ReasonCode
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, World, audience, companies, customers, members, people

LINK = FieldMapping("company", ("company",), missing="send_without")
SPEC = customers(fields=(*CUSTOMER_FIELDS, LINK))
ACME = [{"id": "ACME", "name": "Acme"}]
WHICH = "which Kustomer does not have: sync the companies, and the next run links them"


def rows(count: int, company: str | None = "ACME", **changes: Any) -> list[dict[str, Any]]:
    return [{**row, "company": company} for row in people(count, **changes)]


def linked(world: World) -> list[str | None]:
    """The names of the companies, in the order of the customers."""
    ids = [world.customer(f"C-{n}").get("company") for n in range(len(world.sandbox.customers))]
    return [world.sandbox.companies[id_]["name"] if id_ else None for id_ in ids]


def test_a_row_is_sent_without_its_company_and_gets_the_link_when_it_is_there(world: World) -> None:
    first = world.run(SPEC, rows(2))
    assert (first.counts.created, first.notes) == (2, (f"2 records were written without their company, {WHICH}",))
    assert first.by_code == {ReasonCode.WITHOUT_COMPANY: 2}
    assert linked(world) == [None, None]
    world.run(companies(), ACME)
    second = world.run(SPEC, rows(2))
    assert (second.counts.updated, second.notes) == (2, ())
    assert linked(world) == ["Acme", "Acme"]
    third = world.run(SPEC, rows(2))
    assert (third.counts.unchanged, third.requests) == (2, 1)


def test_while_the_company_is_missing_nothing_is_written_and_it_is_said(world: World) -> None:
    world.run(SPEC, rows(3))
    for _ in range(2):
        report = world.run(SPEC, rows(3))
        assert (report.counts.unchanged, report.counts.updated) == (3, 0)
        assert report.notes == (f"3 records are still without their company, {WHICH}",)
        assert world.sandbox.count("POST", "/v1/customers/bulk") == 0
        assert world.sandbox.count("PUT") == world.sandbox.count("PATCH") == 0


def test_only_the_rows_without_a_company_are_looked_at_again(world: World) -> None:
    world.run(companies(), ACME)
    mixed = [*rows(20), *rows(1, "NOBODY", start=20), *rows(1, None, start=21)]
    assert world.run(SPEC, mixed).counts.created == 22
    report = world.run(SPEC, mixed)
    assert report.counts.unchanged == 22
    assert report.notes == (f"1 record is still without its company, {WHICH}",)
    assert report.rows["key"][report.rows["reason"].notna()].tolist() == ["C-20"]


def test_other_changes_of_such_a_row_go(world: World) -> None:
    world.run(SPEC, rows(1))
    report = world.run(SPEC, rows(1, plan="pro"))
    assert (report.counts.updated, report.notes) == (1, (f"1 record was written without its company, {WHICH}",))
    assert world.customer("C-0")["custom"]["planStr"] == "pro"


def test_a_link_that_the_record_has_stays_while_the_new_company_is_missing(world: World) -> None:
    world.run(companies(), ACME)
    world.run(SPEC, rows(1))
    world.run(SPEC, rows(1, "OTHER", plan="pro"))
    assert linked(world) == ["Acme"]
    world.run(companies(), [*ACME, {"id": "OTHER", "name": "Other"}])
    world.run(SPEC, rows(1, "OTHER", plan="pro"))
    assert linked(world) == ["Other"]


def test_unless_it_is_said_such_a_row_is_refused(world: World) -> None:
    for missing in (None, "reject"):
        spec = customers(fields=(*CUSTOMER_FIELDS, replace(LINK, missing=missing)))
        report = world.run(spec, rows(1))
        assert (report.counts.rejected, report.by_code) == (1, {ReasonCode.UNKNOWN_COMPANY: 1})
    assert world.sandbox.customers == {}


def test_rows_that_were_refused_go_when_the_sync_says_so_and_no_other_row_counts_as_changed(world: World) -> None:
    refusing = customers(fields=(*CUSTOMER_FIELDS, replace(LINK, missing=None)))
    mixed = [*rows(5, None), *rows(1, start=5)]
    world.run(refusing, mixed)
    report = world.run(SPEC, mixed)
    assert (report.counts.created, report.counts.unchanged) == (1, 5)
    back = world.run(refusing, mixed)
    assert (back.counts.rejected, back.counts.unchanged) == (1, 5)


def test_two_companies_of_one_name_are_no_missing_company(world: World) -> None:
    """Nobody guesses, whatever becomes of missing ones."""
    for _ in range(2):
        world.sandbox.seed_company(name="Acme")
    spec = customers(fields=(*CUSTOMER_FIELDS, replace(LINK, match="name")))
    report = world.run(spec, [*rows(1, "Acme"), *rows(1, "Nobody", start=1)])
    assert report.rows["outcome"].tolist() == ["rejected", "created"]


def test_a_plan_says_how_many_would_go_without_and_the_run_does_the_same(world: World) -> None:
    plan = world.plan(SPEC, rows(2))
    assert (plan.counts["create"], plan.notes) == (2, (f"2 records would be written without their company, {WHICH}",))
    assert "company" not in plan.changes["field"].tolist()
    assert world.run(SPEC, rows(2)).counts.created == 2
    again = world.plan(SPEC, rows(2))
    assert (again.counts["unchanged"], again.counts["update"], again.id) == (2, 0, None)


def test_the_log_says_it_once(world: World, tmp_path: Path) -> None:
    world.run(SPEC, rows(1))
    for _ in range(3):
        world.run(SPEC, rows(1))
    with closing(sqlite3.connect(tmp_path / "state.db")) as state:
        log = state.execute("select outcome, reason_code from sync_log order by id").fetchall()
    assert log == [("created", None), ("unchanged", "without_company")]


@pytest.mark.parametrize("fault", ["gateway_error_after", "drop_after"])
def test_a_create_whose_answer_is_lost_is_linked_later_like_any_other(world: World, fault: str) -> None:
    world.sandbox.faults.set(fault, path="/v1/customers/bulk", times=1)
    with suppress(KustomerError):
        world.run(SPEC, rows(2))
    world.sandbox.faults.clear()
    world.hours_pass(1)
    world.run(SPEC, rows(2))
    world.run(companies(), ACME)
    world.run(SPEC, rows(2))
    assert linked(world) == ["Acme", "Acme"]
    assert len(world.sandbox.customers) == 2


def test_a_job_that_an_earlier_run_left_behind_does_not_settle_such_a_row(world: World) -> None:
    world.sandbox.faults.set("job_stuck")
    assert world.run(SPEC, rows(1)).counts.deferred == 1
    world.sandbox.faults.clear("job_stuck")
    world.sandbox.release_jobs()
    world.clock.advance(60)
    assert world.run(SPEC, rows(1)).counts.unchanged == 1
    world.run(companies(), ACME)
    world.run(SPEC, rows(1))
    assert linked(world) == ["Acme"]


def test_where_the_warehouse_compares_only_such_rows_leave_it(tmp_path: Path) -> None:
    with World(f"sqlite:///{tmp_path}/state.db", in_warehouse=True) as world:
        mixed = [*rows(5, None), *rows(1, start=5)]
        world.run(SPEC, mixed)
        world.run(SPEC, mixed)
        assert world.left == 1
        world.run(companies(), ACME)
        assert world.run(SPEC, mixed).counts.updated == 1
        world.run(SPEC, mixed)
        assert world.left == 0


def test_it_does_nothing_to_an_audience(world: World) -> None:
    world.run(SPEC, rows(2))
    assert world.run(audience(), members(2)).counts.updated == 2


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        (FieldMapping("name", ("n",), missing="reject"), "name: missing belongs to company only"),
        (FieldMapping("company", ("n",), missing="ignore"), "use reject or send_without"),  # type: ignore[arg-type]
        (FieldMapping("company", ("n",), match="id", missing="send_without"), "by match: id"),
    ],
)
def test_what_makes_no_sense_is_said_before_a_row_is_read(mapping: FieldMapping, reason: str) -> None:
    with pytest.raises(FieldConfigError, match=reason):
        check_fields([FieldMapping("email", ("e",)), mapping], "customers", ["email"])
