"""Whole runs in which a guard holds something back, or somebody should be told something besides the counts."""

from typing import Any

import pytest

from kustomer_pipeline import AudienceSync
from kustomer_pipeline.sandbox import FOUR_ROLES

from .pipeline import CUSTOMERS, VIP, Pipeline, Row, Run, people, plain

CHANGES = "kustomer/customers:changes_within_limit"
COMPANIES = AudienceSync(
    name="accounts",
    tag="key account",
    object="companies",
    query="select email as name from vips",
    fields={"name": "name"},
    mode="mirror",
    max_removals={"share": 1.0},
)


def on_plan(plan: str, count: int = 120) -> list[Row]:
    return [(*row[:4], plan) for row in people(count)]


def counts(run: Run, *names: str) -> tuple[Any, ...]:
    metadata = run.metadata("kustomer/customers")
    return tuple(metadata[name] for name in names)


@pytest.fixture
def loaded(pipeline: Pipeline) -> Pipeline:
    """120 customers, all sent; then the warehouse gives each of them another plan."""
    pipeline.customers(on_plan("free"))
    assert pipeline.run("sync_customers").success
    pipeline.customers(on_plan("pro"))
    return pipeline


# --- max_changes -------------------------------------------------------------------------------------------------


def test_a_mass_change_is_held_until_somebody_approves_it_once(loaded: Pipeline) -> None:
    held = loaded.run("sync_customers")
    assert held.success
    assert held.failed_checks() == {CHANGES: "ERROR"}
    assert counts(held, "updated", "deferred", "changes_held") == (0, 120, 120)
    plan_id = held.metadata("kustomer/customers")["change_plan_id"]
    assert f"approve_changes: {plan_id}" in held.metadata("kustomer/customers")["what_to_do"]
    examples = plain(held.checks()[CHANGES].metadata["held_examples"])
    assert {(one["field"], one["before"], one["after"]) for one in examples} == {("custom.planStr", "f… (4)", "p… (3)")}
    assert loaded.run("plan_all").metadata("kustomer/customers_plan")["change_plan_id"] == plan_id

    approved = loaded.run("sync_customers", config={"approve_changes": plan_id})
    assert approved.failed_checks() == {}
    assert counts(approved, "updated", "changes_held") == (120, 0)

    loaded.customers(on_plan("free"))
    again = loaded.run("sync_customers", config={"approve_changes": plan_id})
    assert counts(again, "updated", "changes_held") == (0, 120)


def test_new_rows_go_while_changes_are_held(loaded: Pipeline) -> None:
    loaded.customers([*on_plan("pro"), *people(3, start=500)])
    assert counts(loaded.run("sync_customers"), "created", "updated", "changes_held") == (3, 0, 120)


def test_changes_that_the_syncs_own_definition_makes_are_not_held(loaded: Pipeline) -> None:
    loaded.customers(on_plan("free"))
    other = CUSTOMERS.model_copy(update={"fields": {**CUSTOMERS.fields, "custom.levelStr": "plan"}})
    run = loaded.run("sync_customers", other)
    assert run.failed_checks() == {}
    assert counts(run, "updated", "changes_held") == (120, 0)


def test_the_limit_can_be_raised(loaded: Pipeline) -> None:
    patient = type(CUSTOMERS)(**{**dict(CUSTOMERS), "max_changes": {"share": 1.0}})
    assert counts(loaded.run("sync_customers", patient), "updated", "changes_held") == (120, 0)


# --- a key with the documented minimum of roles --------------------------------------------------------------------


def test_a_key_with_four_roles_works_and_a_check_says_what_it_costs(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", pipeline.sandbox.add_api_key(FOUR_ROLES))
    pipeline.customers(people(3))
    pipeline.vips(["jane1@private.example"])
    run = pipeline.run("sync_all")
    assert run.success
    assert len(pipeline.sandbox.customers) == 3
    assert run.failed_checks() == {"kustomer/customers:key_is_enough": "WARN", "kustomer/vip:key_is_enough": "WARN"}
    assert "bulk" in (run.checks()["kustomer/customers:key_is_enough"].description or "")
    assert "bulk" in run.metadata("kustomer/customers")["notes"]


# --- audiences of companies ------------------------------------------------------------------------------------------


def test_an_audience_of_companies_is_mirrored(pipeline: Pipeline) -> None:
    ids = {name: pipeline.sandbox.seed_company(name=name, externalId=name) for name in ("Acme", "Bolt")}

    def tagged() -> set[str]:
        tag_ids = {id_ for id_, tag in pipeline.sandbox.tags.items() if tag["name"] == "key account"}
        return {name for name, id_ in ids.items() if tag_ids & set(pipeline.sandbox.companies[id_]["tags"])}

    pipeline.vips(["Acme", "Nobody Ltd"])
    run = pipeline.run("sync_accounts", COMPANIES)
    assert run.success
    assert run.failed_checks() == {}
    assert tagged() == {"Acme"}
    pipeline.vips(["Bolt"])
    assert pipeline.run("sync_accounts", COMPANIES).metadata("kustomer/accounts")["removed"] == 1
    assert tagged() == {"Bolt"}


# --- another tag, another name -------------------------------------------------------------------------------------


def test_a_tag_that_was_changed_is_told_and_can_be_cleaned_up(pipeline: Pipeline) -> None:
    pipeline.customers(people(2))
    pipeline.vips(["jane1@private.example"])
    assert pipeline.run("sync_all").success
    gold = AudienceSync(name="vip", tag="gold", query=VIP.sql, fields={"email": "email"}, mode="mirror")
    run = pipeline.run("sync_vip", gold)
    assert run.failed_checks() == {"kustomer/vip:nothing_to_note": "WARN"}
    [member] = [id_ for id_ in pipeline.sandbox.customers if pipeline.sandbox.tag_names(id_)]
    assert sorted(pipeline.sandbox.tag_names(member)) == ["gold", "vip"]
    assert pipeline.run("sync_vip", gold, config={"clean_up": True}).success
    assert pipeline.sandbox.tag_names(member) == ["gold"]
    assert pipeline.run("sync_vip", gold).failed_checks() == {}


def test_a_sync_that_was_renamed_goes_on_where_it_was(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    pipeline.run("sync_customers")
    renamed = type(CUSTOMERS)(**{**dict(CUSTOMERS), "name": "people", "renamed_from": "customers"})
    assert pipeline.run("sync_people", renamed).metadata("kustomer/people")["unchanged"] == 3


# --- the plan ----------------------------------------------------------------------------------------------------


def test_a_plan_says_what_the_run_would_cost(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    metadata = pipeline.run("plan_all", CUSTOMERS).metadata("kustomer/customers_plan")
    assert metadata["estimated_requests"] >= 1
    assert "request" in metadata["estimate"]


def test_a_plan_takes_the_options_of_a_run(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    run = pipeline.run("plan_all", CUSTOMERS, config={"limit": 1}, op="kustomer__customers_plan")
    metadata = run.metadata("kustomer/customers_plan")
    assert (metadata["would_create"], metadata["would_defer"]) == (1, 2)
