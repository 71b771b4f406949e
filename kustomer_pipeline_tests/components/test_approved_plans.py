"""`approval: required` through Dagster: nothing goes before a plan is approved, and then exactly that."""

from typing import Any

import pytest

from kustomer_pipeline import AudienceSync, KustomerProject, ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.components.applying import ToApply, applied_here, by_dagster

from .pipeline import CUSTOMERS, VIP, Pipeline, Run, people


def approved(sync: Any, **changes: Any) -> Any:
    return type(sync).model_validate(sync.model_dump(exclude_unset=True) | {"approval": "required"} | changes)


SYNC: ObjectSync = approved(CUSTOMERS)
ROWS = people(5)


def counted(run: Run, *names: str) -> tuple[Any, ...]:
    metadata = run.metadata("kustomer/customers")
    return tuple(metadata[name] for name in names)


def plan_of(pipeline: Pipeline, sync: ObjectSync | AudienceSync = SYNC) -> dict[str, Any]:
    return pipeline.run("plan_all", sync).metadata(f"kustomer/{sync.name}_plan")


def test_a_run_waits_and_says_what_to_do(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    run = pipeline.run("sync_customers", SYNC)
    assert run.success
    assert counted(run, "deferred", "created") == (5, 0)
    assert run.failed_checks() == {}
    report = run.metadata("kustomer/customers")["report"]
    assert (
        "5 rows wait for approval: materialize `kustomer/customers_plan`, read it, and approve it by its id" in report
    )
    assert len(pipeline.sandbox.customers) == 0


def test_the_plan_says_how_it_is_applied_and_the_job_does_exactly_that(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    plan = plan_of(pipeline)
    assert f"plan: {plan['plan_id']}" in plan["plan"]
    assert "A run writes nothing before a plan is approved." in plan["plan"]
    pipeline.customers([*ROWS, *people(7)[5:]])
    run = pipeline.run("apply_plan", SYNC, config={"plan": plan["plan_id"], "by": "Jane"}, op="apply")
    assert run.success
    assert counted(run, "created", "deferred") == (5, 2)
    metadata = run.metadata("kustomer/customers")
    assert f"The plan {plan['plan_id']} was applied, approved by Jane" in metadata["notes"]
    assert "2 rows are not as planned any more" in metadata["report"]
    assert run.checks()["kustomer/customers:rows_accounted_for"].passed
    assert len(pipeline.sandbox.customers) == 5


def test_the_run_config_of_the_sync_takes_the_id_too(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    config = {"approve": plan_of(pipeline)["plan_id"], "approved_by": "Jane"}
    run = pipeline.run("sync_customers", SYNC, config=config)
    assert counted(run, "created", "deferred") == (5, 0)


@pytest.mark.parametrize("job", ["apply_plan", "sync_customers"])
def test_an_id_that_is_wrong_fails_before_anything_is_sent(pipeline: Pipeline, job: str) -> None:
    pipeline.customers(ROWS)
    wrong = "plan-5-0123456789abcdef"
    config, op = ({"plan": wrong}, "apply") if job == "apply_plan" else ({"approve": wrong}, None)
    run = pipeline.run(job, SYNC, config=config, op=op)
    assert not run.success
    assert f"There is no plan {wrong} of this org" in run.failure("apply" if op else "kustomer__customers")
    assert len(pipeline.sandbox.customers) == 0


def test_an_audience_is_approved_in_the_same_way(pipeline: Pipeline) -> None:
    vip = approved(VIP, approval={"max_age": "2h"})
    pipeline.customers(ROWS)
    pipeline.run("sync_customers", CUSTOMERS)
    pipeline.vips([row[1] for row in ROWS[:3]])
    assert pipeline.run("sync_vip", vip).metadata("kustomer/vip")["deferred"] == 3
    plan = plan_of(pipeline, vip)
    assert "within 2 hours" in plan["plan"]
    run = pipeline.run("apply_plan", vip, config={"plan": plan["plan_id"]}, op="apply")
    assert run.metadata("kustomer/vip")["updated"] == 3


def test_where_the_warehouse_compares_a_plan_is_applied_too(pipeline: Pipeline) -> None:
    sync = approved(CUSTOMERS, compare="in_warehouse")
    pipeline.customers(ROWS)
    plan = plan_of(pipeline, sync)
    run = pipeline.run("apply_plan", sync, config={"plan": plan["plan_id"]}, op="apply")
    assert counted(run, "created", "deferred") == (5, 0)
    assert counted(pipeline.run("sync_customers", sync), "unchanged", "deferred") == (5, 0)


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        ("yes", "approval"),
        ({"max_age": "soon"}, "has to be a length of time"),
        ({"max_age": "0m"}, "a plan has to live for a minute at least"),
        (3, "write required, or {max_age: 24h}, which means it too"),
    ],
)
def test_what_is_no_approval_is_an_error_at_load(approval: Any, said: str) -> None:
    with pytest.raises(SyncConfigError, match=said):
        approved(CUSTOMERS, approval=approval)


def test_each_org_has_a_job_of_its_own() -> None:
    eu = approved(CUSTOMERS, name="customers_eu", resource_keys={"kustomer": "kustomer_eu"})
    us = approved(CUSTOMERS, name="customers_us", resource_keys={"kustomer": "kustomer_us"})
    repository = build_definitions([eu, us], KustomerProject(orgs=["eu", "us"])).get_repository_def()
    assert {"apply_plan_eu", "apply_plan_us"} <= {*repository.job_names}


def test_plan_all_counts_on_what_an_earlier_sync_creates(pipeline: Pipeline) -> None:
    """An empty org: the customers are not there yet, and the audience is planned as if they were."""
    pipeline.customers(ROWS)
    pipeline.vips([ROWS[0][1], ROWS[1][1], "stranger@private.example"])
    run = pipeline.run("plan_all")
    assert run.metadata("kustomer/customers_plan")["would_create"] == 5
    plan = run.metadata("kustomer/vip_plan")
    assert (plan["would_tag"], plan["would_skip"]) == (2, 1)
    assert pipeline.run("sync_all").metadata("kustomer/vip")["updated"] == 2


def test_the_id_of_the_run_has_all_done_that_was_planned_in_it(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    pipeline.vips([ROWS[0][1], ROWS[1][1]])
    planned = pipeline.run("plan_all")
    assert f"that of this run, `{planned.run_id}`" in planned.metadata("kustomer/vip_plan")["plan"]
    pipeline.customers(people(7))
    run = pipeline.run("apply_plan", config={"plan": planned.run_id, "by": "Jane"}, op="apply")
    assert run.success
    assert counted(run, "created", "deferred") == (5, 2)
    assert run.metadata("kustomer/vip")["updated"] == 2
    for name in ("customers", "vip"):
        assert "approved by Jane" in run.metadata(f"kustomer/{name}")["notes"]
    again = pipeline.run("apply_plan", config={"plan": planned.run_id}, op="apply")
    assert "has been applied already" in again.failure("apply")
    assert len(pipeline.sandbox.customers) == 5


def test_the_run_of_all_takes_that_id_as_exactly_this(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    pipeline.vips([ROWS[0][1]])
    planned = pipeline.run("plan_all").run_id
    pipeline.vips([ROWS[0][1], ROWS[1][1]])
    of_each = {f"kustomer__{name}": {"approve": planned} for name in ("customers", "vip")}
    run = pipeline.run("sync_all", of_each=of_each)
    assert counted(run, "created", "deferred") == (5, 0)
    assert (run.metadata("kustomer/vip")["updated"], run.metadata("kustomer/vip")["deferred"]) == (1, 1)


def test_a_sync_that_had_nothing_to_do_in_the_plan_does_nothing(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    pipeline.vips([])
    planned = pipeline.run("plan_all").run_id
    pipeline.vips([ROWS[0][1]])
    of_each = {f"kustomer__{name}": {"approve": planned} for name in ("customers", "vip")}
    run = pipeline.run("sync_all", of_each=of_each)
    assert counted(run, "created") == (5,)
    assert (run.metadata("kustomer/vip")["updated"], run.metadata("kustomer/vip")["deferred"]) == (0, 1)


def test_a_plan_that_is_made_again_stays_one_of_the_run_that_made_it_first(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    first, second = (pipeline.run("plan_all", CUSTOMERS).run_id for _ in range(2))
    pipeline.run("plan_all", CUSTOMERS)
    assert pipeline.run("apply_plan", CUSTOMERS, config={"plan": first}, op="apply").success
    again = pipeline.run("apply_plan", CUSTOMERS, config={"plan": second}, op="apply")
    assert "has been applied already" in again.failure("apply")


def test_after_a_plan_that_failed_the_others_wait_and_the_same_id_goes_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.customers(ROWS)
    pipeline.vips([ROWS[0][1]])
    planned = pipeline.run("plan_all").run_id
    with monkeypatch.context() as broken:
        broken.setenv("WAREHOUSE_URL", "sqlite:////nowhere/at.db")
        failed = pipeline.run("apply_plan", config={"plan": planned}, op="apply")
    assert not failed.success
    assert "The plans of vip were not applied. Launch the job with the same id again" in failed.failure("apply")
    assert pipeline.run("apply_plan", config={"plan": planned}, op="apply").success
    assert len(pipeline.sandbox.customers) == 5


def test_a_plan_of_rows_that_another_asset_makes_comes_last_with_what_to_do() -> None:
    """Only Dagster makes them; the others are applied, as far as they come before it."""
    frame = AudienceSync(
        name="gold", tag="gold", source="shop/gold", match_on=["email"], fields={"email": "email"}, mode="add"
    )
    found = [ToApply(CUSTOMERS, None, "plan-1-a"), ToApply(frame, None, "plan-2-b"), ToApply(VIP, None, "plan-3-c")]
    here = applied_here(found)
    assert here == found[:1]
    said = by_dagster(found[len(here) :])
    assert "launch the job sync_gold with `approve: plan-2-b`" in said
    assert said.endswith("apply the same again for the plans of vip")
