"""Rows whose form Kustomer refuses, and with them the whole request they are in: every good row lands all the same."""

from __future__ import annotations

import random

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import ReasonCode
from kustomer_pipeline_tests.world import World, companies, customers, people

SPEC = customers(fields=(*customers().fields, FieldMapping("custom.noteStr", ("note",))))


def with_bad_rows(count: int, bad: set[int], plan: str = "free") -> list[dict[str, str]]:
    """Rows of which some hold a text that Kustomer refuses."""
    return [{**row, "note": "POISON" if n in bad else "fine"} for n, row in enumerate(people(count, plan=plan))]


def some(count: int, of: int) -> set[int]:
    return set(random.Random(7).sample(range(of), count))


def test_a_load_with_many_bad_rows_lands_all_good_ones_in_the_first_run(world: World) -> None:
    """One row in forty, so that hardly any request is without one."""
    world.sandbox.faults.set("item_form_refused")
    bad = some(100, of=4000)
    report = world.run(SPEC, with_bad_rows(4000, bad))
    assert (report.counts.created, report.counts.rejected) == (3900, 100)
    assert report.by_code == {ReasonCode.REFUSED_FORM: 100}
    rejected = report.rows.loc[report.rows["outcome"] == "rejected", "key"]
    assert set(rejected) == {f"C-{n}" for n in bad}
    assert {one["externalId"] for one in world.sandbox.customers.values()} == {
        f"C-{n}" for n in range(4000) if n not in bad
    }


def test_updates_with_many_bad_rows_land_all_good_ones_in_the_first_run(world: World) -> None:
    world.run(SPEC, with_bad_rows(600, set()))
    world.sandbox.faults.set("item_form_refused")
    bad = some(15, of=600)
    report = world.run(SPEC, with_bad_rows(600, bad, plan="pro"))
    assert (report.counts.updated, report.counts.rejected) == (585, 15)
    plans = {one["externalId"]: one["custom"]["planStr"] for one in world.sandbox.customers.values()}
    assert {key for key, plan in plans.items() if plan == "free"} == {f"C-{n}" for n in bad}


def test_rows_that_were_refused_before_are_sent_last_and_apart(world: World) -> None:
    """What is wrong with them costs the new rows nothing."""
    world.sandbox.faults.set("item_form_refused")
    bad = some(5, of=100)
    world.run(SPEC, with_bad_rows(100, bad))
    report = world.run(SPEC, with_bad_rows(400, bad))
    assert (report.counts.created, report.counts.rejected, report.counts.unchanged) == (300, 5, 95)
    posts = [one for one in world.sandbox.requests if (one.method, one.path) == ("POST", "/v1/customers/bulk")]
    assert [one.status == 400 for one in posts[:4]] == [False, False, False, True]
    assert {one.status for one in posts[4:]} == {400}


def test_a_row_that_is_mended_lands(world: World) -> None:
    world.sandbox.faults.set("item_form_refused")
    world.run(SPEC, with_bad_rows(100, {3, 50}))
    report = world.run(SPEC, with_bad_rows(100, {50}))
    assert (report.counts.created, report.counts.rejected, report.counts.unchanged) == (1, 1, 98)


@pytest.mark.parametrize("bad", [{0}, {0, 1, 2}, {99}, set(range(0, 100, 20))])
def test_an_org_that_takes_no_revision_and_bad_rows_in_the_first_request(world: World, bad: set[int]) -> None:
    """What the org takes is found out on single rows: a bad one proves nothing."""
    world.run(SPEC, with_bad_rows(500, set()))
    world.sandbox.faults.set("bulk_rev_refused")
    world.sandbox.faults.set("item_form_refused")
    report = world.run(SPEC, with_bad_rows(500, bad, plan="pro"))
    assert (report.counts.updated, report.counts.rejected) == (500 - len(bad), len(bad))
    assert sum(one["custom"]["planStr"] == "pro" for one in world.sandbox.customers.values()) == 500 - len(bad)


def test_what_the_org_takes_is_remembered_by_the_next_run(world: World) -> None:
    world.run(SPEC, with_bad_rows(300, set()))
    world.sandbox.faults.set("bulk_rev_refused")
    assert world.run(SPEC, with_bad_rows(300, set(), plan="pro")).counts.updated == 300
    assert world.run(SPEC, with_bad_rows(300, set(), plan="max")).counts.updated == 300
    assert world.sandbox.count("PUT", "/v1/customers/bulk") == 3
    assert world.sandbox.count("PUT", "/v1/customers/bulk", status=400) == 0


def test_bad_rows_among_updates_take_no_revision_from_the_good_ones(world: World) -> None:
    """The org takes revisions: an agent's edit in mid-run is not written over, whatever else is in the request."""
    world.run(SPEC, with_bad_rows(100, set()))
    world.sandbox.faults.set("item_form_refused")
    world.run(SPEC, with_bad_rows(100, {5}, plan="pro"))
    puts = [one for one in world.sandbox.requests if (one.method, one.path) == ("PUT", "/v1/customers/bulk")]
    taken = [item for one in puts if one.status != 400 for item in one.json()]
    assert len(taken) == 99
    assert all("rev" in item for item in taken)


def test_companies_of_bad_form_cost_nobody_else_anything(world: World) -> None:
    spec = companies(fields=(*companies().fields, FieldMapping("custom.noteStr", ("note",))))
    rows = [{"id": f"A-{n}", "name": f"Company {n}", "note": "fine"} for n in range(300)]
    world.run(spec, rows)
    world.sandbox.faults.set("item_form_refused")
    changed = [{**row, "note": "POISON" if n in (0, 150) else "better"} for n, row in enumerate(rows)]
    report = world.run(spec, changed)
    assert (report.counts.updated, report.counts.rejected) == (298, 2)
