"""The documented set-up of a key for such syncs has four roles: to read and write customers and companies.

Everything must work with it as with a key that may do all: the same outcomes, the same Kustomer, the same laws. It may
neither follow bulk jobs, nor search, nor list tags; that costs requests, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kustomer_pipeline.kustomer import PermissionDeniedError
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox.roles import ALL_ROLES, FOUR_ROLES, ROLES
from kustomer_pipeline.sync import AudienceSpec, RemovalLimit, StateStore, SyncReport, undo_run
from kustomer_pipeline.sync.state.tables import bulk_jobs
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.fused import run_and_die
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

WIDE = RemovalLimit(share=1.0)
NO_BULK_ROLE = tuple(role for role in ALL_ROLES if role not in ROLES["bulk.read"])
NO_SEARCH_ROLE = tuple(role for role in ALL_ROLES if role not in ROLES["search"])
NO_TAG_ROLE = tuple(role for role in ALL_ROLES if role not in (*ROLES["tag.read"], *ROLES["tag.create"]))
BULK_BUT_NO_SEARCH = (*FOUR_ROLES, "org.user.bulk.read")
SEARCH_BUT_NO_BULK = (*FOUR_ROLES, "org.user.search.read")

KEYS = {
    "four roles": FOUR_ROLES,
    "bulk but no search": BULK_BUT_NO_SEARCH,
    "search but no bulk": SEARCH_BUT_NO_BULK,
    "all but tags": NO_TAG_ROLE,
}


@pytest.fixture
def four(world: World) -> World:
    """A world whose key has the four roles."""
    world.api_key = world.sandbox.add_api_key(FOUR_ROLES)
    return world


@pytest.fixture
def full(tmp_path: Path) -> Iterator[World]:
    """Another world, whose key may do all, to compare with."""
    with World(f"sqlite:///{tmp_path / 'full.db'}", job_seconds=2.0) as full:
        yield full


# --- what is there ------------------------------------------------------------------------------------------------


def pictured(world: World) -> list[Any]:
    """All records as far as they may be alike in two orgs: without ids, with tags and companies by name."""
    sandbox = world.sandbox
    names = {id_: one["name"] for id_, one in sandbox.companies.items()}
    people_there = [
        (
            one.get("externalId"),
            sorted(item["email"] for item in one.get("emails") or ()),
            one.get("name"),
            one.get("custom") or {},
            sorted(sandbox.tag_names(id_)),
            names.get(one.get("company") or ""),
        )
        for id_, one in sandbox.customers.items()
    ]
    companies_there = [
        (one["name"], one.get("externalId"), sorted(sandbox.tag_names(id_)), bool(one.get("deleted")))
        for id_, one in sandbox.companies.items()
    ]
    return [
        sorted(people_there, key=repr),
        sorted(companies_there, key=repr),
        sorted(one["name"] for one in tags(world)),
    ]


def tags(world: World) -> list[Mapping[str, Any]]:
    return [one for one in world.sandbox.tags.values() if not one["deleted"]]


def told(report: SyncReport) -> tuple[Any, ...]:
    """What a run says came of it."""
    assert report.interrupted is None
    removals = report.removals
    return (
        list(report.rows["outcome"]),
        {str(code): count for code, count in report.by_code.items()},
        (removals.removed, removals.held, removals.waiting, removals.refused),
        report.read_back.drifted,
    )


def holders(world: World, tag: str = "vip") -> set[str]:
    """externalIds of the customers that have the tag."""
    return {
        str(one["externalId"]) for id_, one in world.sandbox.customers.items() if tag in world.sandbox.tag_names(id_)
    }


def seed(world: World, count: int, start: int = 0, **more: Any) -> None:
    """Customers whom somebody else made."""
    for row in people(count, start):
        world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}], name="old", **more)


# --- the same as with a key that may do all -----------------------------------------------------------------------

Told = list[Any]


def _modes_of_customers(world: World, mode: str) -> Told:
    seed(world, 4, custom={"noteStr": "by hand"})
    world.sandbox.seed_customer(emails=[{"email": "P6@Example.com"}], name="old")
    world.sandbox.seed_customer(externalId="C-OTHER", emails=[{"email": "p7@example.com"}])
    spec = customers(mode=mode)
    rows = [*people(12), {"id": "C-99", "email": "not an address", "name": "Nobody"}]
    return [
        told(world.run(spec, rows)),
        told(world.run(spec, rows)),
        told(world.run(spec, people(12, plan="pro"))),
        told(world.run(spec, people(12, plan="pro"), full_resync=True)),
    ]


def _modes_of_companies(world: World, mode: str) -> Told:
    world.sandbox.seed_company(name="Company 0", externalId="A-0")
    world.sandbox.seed_company(name="Company 1")
    world.sandbox.seed_company(name="Company 2")
    world.sandbox.seed_company(name="Company 2")
    gone = world.sandbox.seed_company(name="Company 3", externalId="A-3")
    world.sandbox.agent_delete(gone)
    spec = companies(mode=mode)
    rows = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(6)]
    changed = [{**row, "name": f"{row['name']} Ltd"} for row in rows]
    return [told(world.run(spec, rows)), told(world.run(spec, rows)), told(world.run(spec, changed))]


def _links(world: World) -> Told:
    spec = customers(fields=(*customers().fields, FieldMapping("company", ("account",), match="externalId")))
    world.run(companies(), [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(3)])
    rows = [{**row, "account": f"A-{number}"} for number, row in enumerate(people(4))]  # A-3 is not there
    moved = [{**row, "account": "A-2"} for row in people(3)]
    return [told(world.run(spec, rows)), told(world.run(spec, moved))]


def _tags_on_records(world: World) -> Told:
    world.sandbox.seed_tag("gold")
    spec = customers(fields=(*customers().fields, FieldMapping("tags", ("tags",))))
    seed(world, 2)
    rows = [{**row, "tags": "gold"} for row in people(4)]
    return [told(world.run(spec, rows)), told(world.run(spec, rows)), told(world.run(spec, rows, full_resync=True))]


def _audience(world: World, kind: str, **changes: Any) -> Told:
    """Somebody holds the tag by hand, somebody is not there, members come and go."""
    found: Told = []
    if kind == "customers":
        seed(world, 14)
        ids = {str(one["externalId"]): id_ for id_, one in world.sandbox.customers.items()}
        spec = audience(max_removals=WIDE, **changes)
        rows_of: Callable[[int, int], list[dict[str, Any]]] = members
    else:
        ids = {f"C-{n}": world.sandbox.seed_company(name=f"Company {n}", externalId=f"C-{n}") for n in range(14)}
        fields = (FieldMapping("externalId", ("id",)), FieldMapping("name", ("name",)))
        settings = {"object": "companies", "match_on": ("externalId", "name"), "fields": fields}
        spec = audience(max_removals=WIDE, **settings, **changes)

        def rows_of(count: int, start: int) -> list[dict[str, Any]]:
            return [{"id": f"C-{n}", "name": f"Company {n}"} for n in range(start, start + count)]

    tag = world.sandbox.seed_tag("vip")
    world.sandbox.agent_edit(ids["C-0"], tags=[tag])
    world.sandbox.agent_edit(ids["C-13"], tags=[tag, world.sandbox.seed_tag("angry")])
    for count, start in [(6, 0), (6, 0), (6, 3), (20, 8), (20, 8)]:
        found.append(told(world.run(spec, rows_of(count, start))))
        found.append(pictured(world))
    return found


SCENARIOS: dict[str, Callable[[World], Told]] = {
    **{f"customers, {mode}": partial(_modes_of_customers, mode=mode) for mode in ("upsert", "insert", "update")},
    **{f"companies, {mode}": partial(_modes_of_companies, mode=mode) for mode in ("upsert", "insert", "update")},
    "company links": _links,
    "tags on records": _tags_on_records,
    **{
        f"audience of {kind}, {mode}": partial(_audience, kind=kind, mode=mode)
        for kind in ("customers", "companies")
        for mode in ("add", "remove", "mirror")
    },
    "audience of companies, mirror all": partial(_audience, kind="companies", mirror_scope="tag"),
}


@cache
def with_every_role(name: str) -> tuple[Told, list[Any]]:
    """What a scenario tells, and what is there afterwards, with a key that may do all: once for all smaller keys."""
    with TemporaryDirectory() as folder, World(f"sqlite:///{folder}/state.db", job_seconds=2.0) as world:
        return SCENARIOS[name](world), pictured(world)


@pytest.mark.parametrize("roles", KEYS.values(), ids=KEYS.keys())
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_outcomes_and_kustomer_are_the_same_as_with_every_role(
    world: World, scenario: str, roles: tuple[str, ...]
) -> None:
    world.api_key = world.sandbox.add_api_key(roles)
    assert (SCENARIOS[scenario](world), pictured(world)) == with_every_role(scenario)


@pytest.mark.parametrize("kind", ["customers", "companies"])
def test_an_undo_takes_back_the_same(four: World, full: World, kind: str) -> None:
    found = []
    for world in (four, full):
        if kind == "customers":
            seed(world, 5)
            before = pictured(world)
            world.run(customers(), people(8, plan="pro"), run_id="the run")
            world.run(audience(), members(8), run_id="the tags")
        else:
            for n in range(5):
                world.sandbox.seed_company(name="old", externalId=f"A-{n}")
            before = pictured(world)
            world.run(companies(), [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(8)], run_id="the run")
        reports = []
        for run_id in ["the tags"] * (kind == "customers") + ["the run"]:
            with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
                reports.append(undo_run(run_id, client=client, state=state))
        assert [report.interrupted for report in reports] == [None] * len(reports)
        assert all(one in pictured(world)[kind == "companies"] for one in before[kind == "companies"])
        found.append(([(report.restored, sorted(report.rows["outcome"])) for report in reports], pictured(world)))
    assert found[0] == found[1]


@pytest.mark.parametrize("mode", ["upsert", "insert", "update"])
def test_a_plan_of_customers_is_the_same(four: World, full: World, mode: str) -> None:
    plans = []
    for world in (four, full):
        seed(world, 5)
        plan = world.plan(customers(mode=mode), people(9))
        plans.append((plan.counts, plan.changes.drop(columns="kustomer_id").to_dict("records")))
        assert world.sandbox.count("PUT") == 0
    assert plans[0] == plans[1]


def test_a_plan_of_an_audience_whose_tag_is_known_is_the_same(four: World, full: World) -> None:
    plans = []
    for world in (four, full):
        seed(world, 9)
        world.run(audience(max_removals=WIDE), members(5))
        plan = world.plan(audience(max_removals=WIDE), members(5, start=2))
        plans.append((plan.counts, plan.removals_held, plan.removals.members))
    assert plans[0] == plans[1]


# --- nobody twice -------------------------------------------------------------------------------------------------

LOST = ["drop_after", "gateway_error_after", "timeout_after", "drop_before", "gateway_error_before", "timeout_before"]


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_of_a_single_create_doubles_nobody(four: World, fault: str) -> None:
    four.sandbox.faults.set(fault, method="POST", path="/v1/customers", times=3)
    report = four.run(customers(), people(12))
    assert (report.interrupted, report.counts.created) == (None, 12)
    assert len(four.sandbox.customers) == 12
    oracle.nobody_twice(four.sandbox)
    four.clock.advance(3600)
    four.run(customers(), people(12))
    assert four.run(customers(), people(12)).counts.unchanged == 12
    assert four.sandbox.units() == 1


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_of_a_single_update_loses_nothing(four: World, fault: str) -> None:
    four.run(customers(), people(12))
    four.sandbox.faults.set(fault, method="PUT", path="/v1/customers", times=3)
    report = four.run(customers(), people(12, plan="pro"))
    assert (report.interrupted, report.counts.updated) == (None, 12)
    assert {one["custom"]["planStr"] for one in four.sandbox.customers.values()} == {"pro"}
    assert len(four.sandbox.customers) == 12


@pytest.mark.parametrize("fault", LOST)
def test_companies_of_a_name_only_are_not_doubled_by_a_lost_answer(four: World, fault: str) -> None:
    """Kustomer would take a name twice, so that only looking helps."""
    spec = companies(match_on=("name",), fields=companies().fields[1:])
    rows = [{"name": f"Company {n}"} for n in range(8)]
    four.sandbox.faults.set(fault, method="POST", path="/v1/companies", times=2)
    for _ in range(3):
        four.run(spec, rows)
        four.clock.advance(3600)
    assert sorted(one["name"] for one in four.sandbox.companies.values()) == sorted(row["name"] for row in rows)


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_of_a_tag_by_its_name_is_no_loss(four: World, fault: str) -> None:
    seed(four, 6)
    four.sandbox.faults.set(fault, method="PUT", path="/v1/customers", times=2)
    report = four.run(audience(max_removals=WIDE), members(6))
    assert report.interrupted is None
    assert holders(four) == {f"C-{n}" for n in range(6)}
    four.run(audience(max_removals=WIDE), members(2))
    assert holders(four) == {"C-0", "C-1"}


# --- killed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", range(3, 228, 9))
def test_customers_are_written_once_wherever_the_run_is_killed(four: World, moment: int) -> None:
    seed(four, 4)
    rows = people(10)
    run_and_die(four, customers(), rows, moment)
    report = four.run(customers(), rows)
    assert (report.interrupted, report.counts.rejected) == (None, 0)
    assert len(four.sandbox.customers) == 10
    assert {one["custom"]["planStr"] for one in four.sandbox.customers.values()} == {"free"}
    settled(four, rows)


@pytest.mark.parametrize("moment", range(3, 152, 7))
def test_companies_of_a_name_only_are_made_once_wherever_the_run_is_killed(four: World, moment: int) -> None:
    """Kustomer would take a name twice: nothing but the journal and a look keeps them apart."""
    spec = companies(match_on=("name",), fields=companies().fields[1:])
    rows = [{"name": f"Company {n}"} for n in range(8)]
    run_and_die(four, spec, rows, moment)
    for _ in range(2):
        assert four.run(spec, rows).interrupted is None
        four.clock.advance(3600)
    assert sorted(one["name"] for one in four.sandbox.companies.values()) == sorted(row["name"] for row in rows)


@pytest.mark.parametrize("moment", range(3, 184, 5))
def test_an_audience_ends_right_wherever_the_run_is_killed(four: World, moment: int) -> None:
    spec = audience(max_removals=WIDE)
    seed(four, 12)
    four.sandbox.agent_edit(four.id_of("p11@example.com"), tags=[four.sandbox.seed_tag("vip")])
    run_and_die(four, spec, members(6), moment)
    report = four.run(spec, members(6, start=3))
    assert (report.interrupted, report.counts.rejected) == (None, 0)
    four.clock.advance(3600)
    four.run(spec, members(6, start=3))
    assert holders(four) == {f"C-{n}" for n in range(3, 9)} | {"C-11"}


def settled(world: World, rows: list[dict[str, Any]]) -> None:
    """Nothing is left in the journal, and an hour later nothing is left to do."""
    world.clock.advance(3600)
    world.run(customers(), rows)
    assert world.run(customers(), rows).counts.unchanged == len(rows)
    assert world.sandbox.units() == 1
    engine = sa.create_engine(world.state_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert list(connection.execute(sa.select(bulk_jobs))) == []


# --- unchanged costs nothing --------------------------------------------------------------------------------------


def test_unchanged_customers_cost_one_request(four: World) -> None:
    four.run(customers(), people(50))
    assert four.run(customers(), people(50)).counts.unchanged == 50
    assert four.sandbox.units() == 1


@pytest.mark.parametrize("mode", ["add", "remove", "mirror"])
def test_an_unchanged_audience_costs_one_request(four: World, mode: Any) -> None:
    seed(four, 20)
    four.sandbox.seed_tag("vip")
    spec = audience(mode=mode, max_removals=WIDE)
    four.run(spec, members(20))
    assert four.run(spec, members(20)).counts.unchanged == 20
    assert four.sandbox.units() == 1


# --- the tag's id is learnt ---------------------------------------------------------------------------------------


def test_the_id_of_a_tag_is_learnt_from_the_first_answer(four: World) -> None:
    seed(four, 30)
    report = four.run(audience(), members(30))
    assert report.counts.updated == 30
    (tag,) = four.sandbox.tags
    written = [one.json()["tags"] for one in four.sandbox.requests if one.method == "PUT"]
    assert written == [["vip"]] + [[tag]] * 29


def test_the_id_of_a_tag_is_learnt_when_the_first_member_held_it_already(four: World) -> None:
    seed(four, 6)
    tag = four.sandbox.seed_tag("vip")
    for n in (0, 1):
        four.sandbox.agent_edit(four.id_of(f"p{n}@example.com"), tags=[tag, four.sandbox.seed_tag(f"other {n}")])
    report = four.run(audience(max_removals=WIDE), members(6))
    assert list(report.rows["outcome"]) == ["unchanged", "unchanged", *["updated"] * 4]
    four.run(audience(max_removals=WIDE), members(1, start=5))
    assert holders(four) == {"C-0", "C-1", "C-5"}, "whom an agent tagged is not untagged"


def test_a_tag_that_everybody_holds_already_among_the_same_others_is_no_guess(four: World) -> None:
    """Two tags that all members hold: which of them is the audience's, no answer can tell; the wrong one never goes."""
    seed(four, 4)
    both = [four.sandbox.seed_tag("vip"), four.sandbox.seed_tag("other")]
    for id_ in list(four.sandbox.customers):
        four.sandbox.agent_edit(id_, tags=both)
    spec = audience(mode="remove", max_removals=WIDE)
    report = four.run(spec, members(4))
    assert report.interrupted is None
    assert holders(four, "other") == {f"C-{n}" for n in range(4)}


def test_removing_by_name_removes_only_that_tag(four: World) -> None:
    seed(four, 4)
    tag, other = four.sandbox.seed_tag("vip"), four.sandbox.seed_tag("other")
    four.sandbox.agent_edit(four.id_of("p0@example.com"), tags=[other, tag])
    four.sandbox.agent_edit(four.id_of("p1@example.com"), tags=[tag])
    report = four.run(audience(mode="remove", max_removals=WIDE), members(4))
    assert list(report.rows["outcome"]) == ["updated", "updated", "unchanged", "unchanged"]
    assert (holders(four), holders(four, "other")) == (set(), {"C-0"})


# --- what a person is told ----------------------------------------------------------------------------------------

ROLES_THAT_HELP = ["org.permission.bulk.read", "org.permission.search.create"]


def test_plan_and_report_say_what_it_costs_and_which_roles_would_help(four: World) -> None:
    seed(four, 3)
    plan = four.plan(customers(), people(300))
    report = four.run(customers(), people(300))
    for notes in (plan.notes, report.notes):
        text = "\n".join(notes)
        assert "about 1 request for each new and 2 for each existing record" in text
        assert [role for role in ROLES_THAT_HELP if role not in text] == []
    assert 297 + 3 <= plan.estimate.units <= 297 + 2 * 3 + 5


def test_an_audience_says_that_the_list_of_tags_is_missing(four: World) -> None:
    seed(four, 3)
    text = "\n".join(four.run(audience(), members(3)).notes)
    assert "org.permission.tag.read" in text


def test_a_full_key_is_told_nothing(full: World) -> None:
    assert full.plan(customers(), people(3)).notes == ()
    assert full.run(customers(), people(3)).notes == ()


# --- what it costs ------------------------------------------------------------------------------------------------


def test_new_records_cost_about_one_unit_each(four: World) -> None:
    assert four.run(customers(), people(300)).counts.created == 300
    assert four.sandbox.units() <= 1.2 * 300


def test_existing_records_cost_about_two_units_each(four: World) -> None:
    seed(four, 300)
    assert four.run(customers(), people(300)).counts.updated == 300
    assert four.sandbox.units() <= 2.3 * 300


def test_existing_records_of_a_large_org_cost_about_two_units_each(four: World) -> None:
    seed(four, 300)
    seed(four, 20_000, start=1000)
    assert four.run(customers(), people(300)).counts.updated == 300
    assert four.sandbox.units() <= 2.3 * 300


def test_new_records_of_a_large_org_cost_about_one_unit_each(four: World) -> None:
    seed(four, 5_000, start=1000)
    assert four.run(customers(), people(300)).counts.created == 300
    assert four.sandbox.units() <= 1.2 * 300


def test_tagging_known_customers_costs_about_one_unit_each(four: World) -> None:
    four.run(customers(), people(300))
    assert four.run(audience(), members(300)).counts.updated == 300
    assert four.sandbox.units() <= 1.2 * 300


# --- what turns out in mid-run ------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [3, 8])
@pytest.mark.parametrize("role", ["bulk.read", "search", "tag.read"])
def test_a_role_that_is_lost_in_mid_run_makes_it_dearer_and_nothing_else(world: World, role: str, after: int) -> None:
    seed(world, 250)
    world.sandbox.faults.set("role_removed", ROLES[role][0], after=after)
    report = world.run(customers(), people(500))
    assert (report.interrupted, report.counts.created, report.counts.updated) == (None, 250, 250)
    assert len(world.sandbox.customers) == 500
    oracle.nobody_twice(world.sandbox)
    report = world.run(audience(), members(120))
    assert (report.interrupted, report.counts.updated) == (None, 120)
    assert len(holders(world)) == 120


@pytest.mark.parametrize("after", [0, 2])
def test_bulk_that_is_forbidden_at_run_time_is_done_one_by_one(world: World, after: int) -> None:
    seed(world, 150)
    world.sandbox.faults.set("bulk_forbidden", after=after)
    report = world.run(customers(), people(300))
    assert (report.interrupted, report.counts.created, report.counts.updated) == (None, 150, 150)
    assert len(world.sandbox.customers) == 300
    assert {one["custom"]["planStr"] for one in world.sandbox.customers.values()} == {"free"}


@pytest.mark.parametrize("after", [0, 2])
def test_search_that_is_forbidden_at_run_time_is_done_without(world: World, after: int) -> None:
    seed(world, 250)
    world.sandbox.faults.set("search_forbidden", after=after)
    report = world.run(customers(), people(500))
    assert (report.interrupted, report.counts.created, report.counts.updated) == (None, 250, 250)
    assert len(world.sandbox.customers) == 500


class Untold(httpx.AsyncBaseTransport):
    """Kustomer does not list the roles of the key."""

    def __init__(self, world: World) -> None:
        self.inner = InProcess(world.sandbox.app, world.clock, world.latency)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        if not request.url.path.endswith("/auth/tokens/current"):
            return answer
        body = json.loads(await answer.aread())
        assert body["data"]["attributes"]["roles"]
        body["data"]["attributes"]["roles"] = []
        return httpx.Response(200, json=body)


@pytest.mark.parametrize("missing_role_401", [False, True])
def test_a_key_that_tells_no_roles_is_found_out(
    four: World, missing_role_401: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing_role_401:
        four.sandbox.faults.set("missing_role_401")
    telling = four.client
    monkeypatch.setattr(four, "client", lambda: telling(transport=Untold(four)))
    seed(four, 40)
    report = four.run(customers(), people(80))
    assert (report.interrupted, report.counts.created, report.counts.updated) == (None, 40, 40)
    report = four.run(audience(), members(30))
    assert (report.interrupted, report.counts.updated) == (None, 30)
    assert holders(four) == {f"C-{n}" for n in range(30)}


def test_a_key_that_may_list_tags_and_not_make_them_makes_one_by_its_name(world: World) -> None:
    """Kustomer takes a name that is no tag yet, and makes the tag."""
    world.api_key = world.sandbox.add_api_key((*FOUR_ROLES, "org.user.tag.read"))
    seed(world, 5)
    report = world.run(audience(), members(5))
    assert (report.interrupted, report.counts.updated) == (None, 5)
    assert [one["name"] for one in tags(world)] == ["vip"]


def test_a_key_without_the_role_to_write_is_refused_before_anything_is_sent(world: World) -> None:
    world.api_key = world.sandbox.add_api_key([role for role in FOUR_ROLES if role != "org.user.customer.write"])
    with pytest.raises(PermissionDeniedError, match=r"org\.permission\.customer\.create"):
        world.run(customers(), people(3))
    assert world.sandbox.units() == 1


def test_the_tag_of_a_former_full_key_is_still_known_to_a_key_with_four_roles(world: World) -> None:
    """The key is replaced by a smaller one: what was learnt with the old one goes on counting."""
    spec: AudienceSpec = audience(max_removals=WIDE)
    world.run(customers(), people(8))
    world.run(spec, members(5))
    world.api_key = world.sandbox.add_api_key(FOUR_ROLES)
    world.run(spec, members(5, start=2))
    assert holders(world) == {f"C-{n}" for n in range(2, 7)}


def test_the_tag_learnt_with_four_roles_is_still_known_to_a_full_key(four: World) -> None:
    spec: AudienceSpec = audience(max_removals=WIDE)
    four.run(customers(), people(8))
    four.run(spec, members(5))
    four.api_key = None
    assert four.run(spec, members(5)).counts.unchanged == 5
    four.run(spec, members(5, start=2))
    assert holders(four) == {f"C-{n}" for n in range(2, 7)}
