"""Requests that Kustomer refuses as a whole cost the rows that are to blame, and nobody else."""

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline_tests.world import World, customers, people

SPEC = customers(fields=(*customers().fields, FieldMapping("custom.tierStr", ("tier",))))


def test_one_bad_row_never_costs_the_others(world: World) -> None:
    """The attribute takes two values only, which nobody but Kustomer knows: one row refuses a hundred."""
    world.sandbox.declare_custom("customer", tierStr={"type": "string", "enumeration": ["gold", "silver"]})
    rows = [{**row, "tier": "gold"} for row in people(150)]
    rows[17]["tier"] = rows[101]["tier"] = "lead"
    report = world.run(SPEC, rows)
    assert (report.counts.created, report.counts.rejected) == (148, 2)
    rejected = report.rows[report.rows["outcome"] == "rejected"]
    assert rejected["key"].tolist() == ["C-17", "C-101"]
    assert rejected["reason"].str.contains("tierStr|tier").all()
    assert world.sandbox.count("POST", "/v1/customers/bulk") < 40
    rows[17]["tier"] = "silver"
    report = world.run(SPEC, rows)
    assert (report.counts.created, report.counts.rejected, report.counts.unchanged) == (1, 1, 148)


def test_bodies_stay_below_the_limit_in_bytes(world: World) -> None:
    rows = [{**row, "name": "🎉" * 250, "tier": "x" * 1000} for row in people(120)]
    report = world.run(SPEC, rows)
    assert report.counts.created == 120
    assert world.sandbox.count(status=413) == 0
    assert world.sandbox.count("POST", "/v1/customers/bulk") > 2


def test_a_smaller_limit_than_documented_is_found_by_splitting(world: World) -> None:
    world.sandbox.faults.set("body_limit", 5_000)
    assert world.run(customers(), people(100)).counts.created == 100


@pytest.mark.parametrize(
    "fault",
    ["search_forbidden", "search_in_ignored", "search_in_refused", "search_exact", "search_or_limit", "search_lag"],
)
@pytest.mark.parametrize("existing", [0, 60])
def test_search_is_only_ever_a_help(world: World, fault: str, existing: int) -> None:
    for row in people(existing):
        world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}])
    world.sandbox.faults.set(fault)
    report = world.run(customers(), people(60))
    assert (report.counts.created, report.counts.updated) == (60 - existing, existing)
    assert len(world.sandbox.customers) == 60


@pytest.mark.parametrize(
    "fault", ["multi_get_refused", "multi_get_limit", "multi_get_missing_404", "job_polls", "batch_size"]
)
def test_whatever_is_not_documented_has_a_sure_way(world: World, fault: str) -> None:
    world.run(customers(), people(60))
    world.sandbox.agent_delete(world.id_of("p7@example.com"))
    world.sandbox.faults.set(fault, 5 if fault == "multi_get_limit" else None)
    report = world.run(customers(), people(60, plan="pro"))
    assert (report.counts.created, report.counts.updated) == (1, 59)
    assert {one["custom"]["planStr"] for one in world.sandbox.customers.values()} == {"pro"}


@pytest.mark.parametrize(("job_seconds", "polls_a_job"), [(0.1, 1.2), (2.0, 1.5), (20.0, 2.0)])
def test_jobs_are_not_asked_more_often_than_needed(world: World, job_seconds: float, polls_a_job: float) -> None:
    world.jobs_take(job_seconds)
    assert world.run(customers(), people(2000)).counts.created == 2000
    assert world.sandbox.count("GET", "/v1/bulk/") <= polls_a_job * 20


def test_a_field_that_kustomer_does_not_know_is_found_out_within_a_budget(world: World) -> None:
    """Every row is to blame: after some of them stood alone the others are not asked about one by one."""
    world.sandbox.faults.set("custom_declared_only")
    report = world.run(SPEC, [{**row, "tier": "gold"} for row in people(300)])
    assert report.counts.rejected == 300
    assert world.sandbox.units() < 200
    assert "of whom none was taken alone" in report.rows["reason"].iloc[150:].str.cat()


def test_in_updates_too(world: World) -> None:
    world.run(SPEC, [{**row, "tier": "gold"} for row in people(300)])
    world.sandbox.faults.set("custom_declared_only")
    world.sandbox.clear_requests()
    report = world.run(SPEC, [{**row, "tier": "silver"} for row in people(300, plan="pro")])
    assert report.counts.rejected == 300
    assert world.sandbox.units() < 200


def test_many_who_are_to_blame_do_not_speak_for_those_who_are_not(world: World) -> None:
    """A hundred bad rows in a row, and a few more among good ones."""
    world.sandbox.faults.set("item_form_refused")
    bad = {*range(100), 150, 250, 399}
    rows = [{**row, "note": "POISON" if n in bad else "fine"} for n, row in enumerate(people(400))]
    report = world.run(customers(fields=(*customers().fields, FieldMapping("custom.noteStr", ("note",)))), rows)
    assert (report.counts.created, report.counts.rejected) == (297, 103)
