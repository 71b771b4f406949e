"""How a run finds out who its rows are: the cheapest way for so many rows, this org, this key; and it changes its mind.

Search takes 20 criteria a request and 80 requests a minute; the list shows 100 records a page; a create that Kustomer
refuses tells that the record is there; a look-up by path asks for one identifier.
"""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people


@pytest.fixture
def dear(world: World) -> World:
    """A Kustomer as the contract allows: no `in`; answers take a tenth of a second, jobs five."""
    world.sandbox.faults.set("search_in_refused")
    world.latency = 0.1
    world.jobs_take(5.0)
    return world


def seed(world: World, count: int, start: int = 0) -> None:
    """Customers whom somebody else made."""
    for row in people(count, start):
        world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}], name="old")


def company_rows(count: int, start: int = 0, suffix: str = "") -> list[dict[str, Any]]:
    """Warehouse rows of companies."""
    return [{"id": f"A-{n}", "name": f"Company {n}{suffix}"} for n in range(start, start + count)]


def pages(world: World, object_name: str = "customers") -> int:
    """How many pages of the list were read."""
    asked = [one for one in world.sandbox.requests if one.method == "GET" and one.path == f"/v1/{object_name}"]
    return sum("externalId" not in one.query and "filter" not in one.query for one in asked)


def searches(world: World) -> int:
    """How many searches were sent."""
    return world.sandbox.count("POST", "/v1/customers/search")


def look_ups(world: World) -> int:
    """How many records were looked up by path."""
    return sum("=" in one.path or "externalId=" in one.query for one in world.sandbox.requests)


# --- the cheapest way ---------------------------------------------------------------------------------------------


def test_a_load_as_large_as_the_org_reads_the_list_once(dear: World) -> None:
    seed(dear, 5000)
    report = dear.run(customers(), people(5000))
    assert report.counts.updated == 5000
    assert pages(dear) <= 55
    assert searches(dear) <= 10
    assert dear.sandbox.units() <= 0.045 * 5000


def test_a_load_into_an_empty_org_just_creates(dear: World) -> None:
    assert dear.run(customers(), people(5000)).counts.created == 5000
    assert (pages(dear) <= 2, look_ups(dear)) == (True, 0)
    assert dear.sandbox.units() <= 0.025 * 5000


def test_a_load_of_new_rows_into_a_full_org_just_creates(dear: World) -> None:
    """The probe says that nobody is there: neither the whole list nor searches are worth it."""
    seed(dear, 20_000, start=50_000)
    assert dear.run(customers(), people(5000)).counts.created == 5000
    assert pages(dear) <= 2
    assert dear.sandbox.units() <= 0.027 * 5000


def test_five_hundred_rows_into_fifty_thousand_are_searched_for(dear: World) -> None:
    """The whole list would be five hundred pages."""
    seed(dear, 50_000)
    report = dear.run(customers(), people(500))
    assert report.counts.updated == 500
    assert pages(dear) <= 2
    assert dear.sandbox.units() <= 100
    report = dear.run(customers(name="others"), people(500, start=49_750))  # half of them are new
    assert (report.counts.updated, report.counts.created) == (250, 250)
    assert pages(dear) <= 2
    assert dear.sandbox.units() <= 100


def test_a_handful_of_rows_is_asked_for_and_nothing_else(dear: World) -> None:
    seed(dear, 20_000)
    assert dear.run(customers(), people(3)).counts.updated == 3
    assert pages(dear) == 0
    assert dear.sandbox.units() <= 15


def test_known_records_are_read_by_their_ids(dear: World) -> None:
    dear.run(customers(), people(2000))
    assert dear.run(customers(), people(2000, plan="pro")).counts.updated == 2000
    assert (pages(dear), searches(dear), look_ups(dear)) == (0, 0, 0)
    assert dear.sandbox.units() <= 0.035 * 2000


# --- it changes its mind ------------------------------------------------------------------------------------------


def test_the_first_hundred_exist_and_the_others_do_not(dear: World) -> None:
    """What the probe shows makes the rest look like updates; creates show that they are none."""
    seed(dear, 100)
    seed(dear, 20_000, start=50_000)
    report = dear.run(customers(), people(5000))
    assert (report.counts.updated, report.counts.created) == (100, 4900)
    assert dear.sandbox.units() <= 0.025 * 5000 + 200, "no more than the list of all is staked on a wrong guess"


def test_the_first_hundred_do_not_exist_and_the_others_do(dear: World) -> None:
    """What the probe shows makes the rest look new; refused creates show that they are not."""
    seed(dear, 7900, start=100)
    report = dear.run(customers(), people(8000))
    assert (report.counts.created, report.counts.updated) == (100, 7900)
    refused = sum(
        len(one.json()) for one in dear.sandbox.requests if one.method == "POST" and one.path == "/v1/customers/bulk"
    )
    assert refused <= 7000, "64 jobs, and the wave that is decided by then, are under way before the first answers come"
    assert dear.sandbox.units() <= 0.045 * 8000 + 130


def test_the_first_hundred_do_not_exist_and_the_others_do_in_a_large_org(dear: World) -> None:
    seed(dear, 1900, start=100)
    seed(dear, 30_000, start=50_000)
    report = dear.run(customers(), people(2000))
    assert (report.counts.created, report.counts.updated) == (100, 1900)
    assert pages(dear) <= 2
    assert dear.sandbox.units() <= 0.14 * 2000, "searches, about a twentieth each, and creates that were refused"


def test_a_few_whom_the_state_has_no_hint_of_are_not_asked_for_as_if_they_were_all(dear: World) -> None:
    """Members whom another sync of the same state has created are known; the list is not read for the others."""
    dear.run(customers(), people(2000))
    report = dear.run(audience(), [*members(150), *members(5, start=5000)])
    assert (report.counts.updated, report.absent) == (150, 5)
    assert pages(dear) == 0
    assert dear.sandbox.units() <= 25


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500])
@pytest.mark.parametrize("search", ["with search", "without"])
def test_an_org_whose_list_cannot_be_read(dear: World, status: int, search: str) -> None:
    """The list is one way of several, and no run needs it."""
    dear.sandbox.faults.set("list_refused", status)
    if search == "without":
        dear.sandbox.faults.set("search_forbidden")
    seed(dear, 60)
    report = dear.run(customers(), people(120))
    assert (report.counts.created, report.counts.updated) == (60, 60)
    assert dear.run(audience(), members(120)).counts.updated == 120
    assert dear.plan(customers(), people(130)).counts["create"] == 10


# --- what is not there --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 3])
def test_without_search_a_load_as_large_as_the_org_reads_the_list(dear: World, after: int) -> None:
    dear.sandbox.faults.set("search_forbidden", after=after)
    seed(dear, 5000)
    report = dear.run(customers(), people(5000))
    assert (report.interrupted, report.counts.updated) == (None, 5000)
    assert pages(dear) <= 55
    assert dear.sandbox.units() <= 0.05 * 5000


def test_without_search_a_handful_of_rows_is_looked_up(dear: World) -> None:
    dear.sandbox.faults.set("search_forbidden")
    seed(dear, 20_000)
    report = dear.run(customers(), people(40))
    assert (report.interrupted, report.counts.updated) == (None, 40)
    assert pages(dear) <= 2
    assert dear.sandbox.units() <= 2 * 40 + 12


def test_without_search_new_rows_are_created(dear: World) -> None:
    dear.sandbox.faults.set("search_forbidden")
    seed(dear, 1000, start=50_000)
    report = dear.run(customers(), people(2000))
    assert (report.interrupted, report.counts.created) == (None, 2000)
    assert dear.sandbox.units() <= 0.04 * 2000


def test_a_search_that_lags_does_not_double_anybody(dear: World) -> None:
    seed(dear, 1000)
    dear.sandbox.faults.set("search_lag", 3600.0)
    report = dear.run(customers(), people(1200))
    assert (report.counts.updated, report.counts.created) == (1000, 200)
    assert len(dear.sandbox.customers) == 1200


@pytest.mark.parametrize("there", [300, 3000, 9000])
def test_whom_a_lagging_search_does_not_show_is_updated(dear: World, there: int) -> None:
    seed(dear, there)
    dear.sandbox.faults.set("search_lag", 3600.0)
    report = dear.run(customers(mode="update"), people(600))
    assert (report.counts.updated, report.counts.skipped) == (min(there, 600), 600 - min(there, 600))


@pytest.mark.parametrize("there", [300, 3000, 9000])
def test_whom_a_lagging_search_does_not_show_is_tagged(dear: World, there: int) -> None:
    seed(dear, there)
    dear.sandbox.faults.set("search_lag", 3600.0)
    report = dear.run(audience(), members(600))
    assert (report.counts.updated, report.counts.skipped) == (min(there, 600), 600 - min(there, 600))


@pytest.mark.parametrize("there", [300, 3000])
def test_companies_that_a_lagging_search_does_not_show_are_not_made_twice(dear: World, there: int) -> None:
    for row in company_rows(there):
        dear.sandbox.seed_company(name=row["name"])
    dear.sandbox.faults.set("search_lag", 3600.0)
    spec = companies(match_on=("name",), fields=companies().fields[1:])
    dear.run(spec, company_rows(600))
    names = sorted(one["name"] for one in dear.sandbox.companies.values())
    assert names == sorted(row["name"] for row in company_rows(max(there, 600)))


# --- companies: their list tells no total -------------------------------------------------------------------------


def test_companies_as_many_as_the_org_has(dear: World) -> None:
    for row in company_rows(3000):
        dear.sandbox.seed_company(name=row["name"], externalId=row["id"])
    report = dear.run(companies(), company_rows(3000, suffix=" Ltd"))
    assert report.counts.updated == 3000
    assert dear.sandbox.units() <= 0.08 * 3000


def test_new_companies_into_an_empty_org(dear: World) -> None:
    assert dear.run(companies(), company_rows(3000)).counts.created == 3000
    assert dear.sandbox.units() <= 0.03 * 3000


def test_new_companies_into_a_full_org_read_its_list_once(dear: World) -> None:
    """Names are not unique, so that no create proves anything."""
    for row in company_rows(2000, start=50_000):
        dear.sandbox.seed_company(name=row["name"], externalId=row["id"])
    assert dear.run(companies(), company_rows(2000)).counts.created == 2000
    assert pages(dear, "companies") <= 35
    assert dear.sandbox.units() <= 0.06 * 2000


def test_a_few_companies_of_a_large_org_are_looked_up(dear: World) -> None:
    for row in company_rows(20_000):
        dear.sandbox.seed_company(name=row["name"], externalId=row["id"])
    assert dear.run(companies(), company_rows(20, suffix=" Ltd")).counts.updated == 20
    assert pages(dear, "companies") <= 2
    assert dear.sandbox.units() <= 4 * 20


def test_links_to_companies_are_found_in_their_list_or_one_by_one(dear: World) -> None:
    for row in company_rows(400):
        dear.sandbox.seed_company(name=row["name"], externalId=row["id"])
    spec = customers(fields=(*customers().fields, FieldMapping("company", ("account",), match="externalId")))
    rows = [{**row, "account": f"A-{number % 400}"} for number, row in enumerate(people(2000))]
    assert dear.run(spec, rows).counts.created == 2000
    assert dear.sandbox.units() <= 0.025 * 2000 + 30


def test_links_to_companies_that_come_in_later_waves_are_found(dear: World) -> None:
    for row in company_rows(1000):
        dear.sandbox.seed_company(name=row["name"], externalId=row["id"])
    spec = customers(fields=(*customers().fields, FieldMapping("company", ("account",), match="externalId")))
    rows = [{**row, "account": f"A-{number // 4}"} for number, row in enumerate(people(4000))]
    report = dear.run(spec, rows)
    assert (report.counts.created, report.counts.rejected) == (4000, 0)
    linked = [dear.sandbox.companies[one["company"]]["externalId"] for one in dear.sandbox.customers.values()]
    assert sorted(linked) == sorted(row["account"] for row in rows)


# --- what a plan says of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("there", "rows"), [(0, 3000), (3000, 3000), (1500, 3000)])
def test_a_plan_says_about_what_the_run_costs_beyond_it(dear: World, there: int, rows: int) -> None:
    seed(dear, there)
    plan = dear.plan(customers(), people(rows))
    assert (plan.counts["create"], plan.counts["update"]) == (rows - there, there)
    assert dear.sandbox.count("PUT") == 0
    said = plan.estimate.units
    dear.run(customers(), people(rows))
    units = dear.sandbox.units()
    assert 0.5 * units <= said <= 1.5 * units


def test_a_plan_knows_how_long_it_takes_at_the_present_budget(dear: World) -> None:
    plan = dear.plan(customers(), people(5000))
    assert plan.estimate.seconds == pytest.approx(plan.estimate.units / (800 / 60), rel=0.05)
    assert str(plan.estimate).startswith(f"about {plan.estimate.units} requests, about ")


@pytest.mark.parametrize(("there", "most"), [(0, 10), (300, 12)])
def test_a_plan_of_a_few_new_rows_does_not_look_each_up_in_a_small_org(dear: World, there: int, most: int) -> None:
    seed(dear, there)
    rows = [{**row, "id": f"N-{n}", "email": f"new{n}@example.com"} for n, row in enumerate(people(25))]
    assert dear.plan(customers(), rows).counts["create"] == 25
    assert len(dear.sandbox.requests) <= most
