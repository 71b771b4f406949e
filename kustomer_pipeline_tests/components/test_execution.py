"""Whole runs, as Dagster records them: against a warehouse in SQLite and the sandbox as Kustomer."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from kustomer_pipeline import ObjectSync

from .pipeline import CUSTOMERS, Pipeline, people, plain

FULL = {"kustomer/customers_rows", "kustomer/customers_mapped", "kustomer/customers"}


def test_a_first_run_creates_everybody_and_says_so(pipeline: Pipeline) -> None:
    pipeline.customers(people(30))
    run = pipeline.run("sync_customers")
    assert run.success
    assert run.materialized() == FULL
    assert run.failed_checks() == {}
    assert len(run.checks()) == 11
    assert len(pipeline.sandbox.customers) == 30
    metadata = run.metadata("kustomer/customers")
    assert {key: metadata[key] for key in ("rows_read", "created", "updated", "unchanged", "invalid")} == {
        "rows_read": 30,
        "created": 30,
        "updated": 0,
        "unchanged": 0,
        "invalid": 0,
    }
    # At most the look at whose key it is, before the run, is not part of it.
    assert pipeline.sandbox.units() == metadata["api_requests"]
    assert metadata["units_per_record"] == round(metadata["api_requests"] / 30, 4)
    assert metadata["org"] == pipeline.sandbox.org_id
    assert "refused_rows" not in metadata


def test_a_second_run_sends_nothing(pipeline: Pipeline) -> None:
    pipeline.customers(people(30))
    pipeline.run("sync_customers")
    run = pipeline.run("sync_customers")
    assert run.metadata("kustomer/customers")["unchanged"] == 30
    pipeline.sandbox.clear_requests()
    pipeline.run("sync_customers", config={"full_resync": True})
    assert pipeline.sandbox.units() > 1


def test_the_value_of_a_sync_has_one_line_per_row(pipeline: Pipeline) -> None:
    pipeline.customers([*people(2), ("C-9", None, "No Email", None, "pro")])
    run = pipeline.run("sync_customers", CUSTOMERS.model_copy(update={"max_failure_share": 0.5}))
    value = run.result.asset_value(dg.AssetKey(["kustomer", "customers"]))
    assert isinstance(value, pd.DataFrame)
    assert list(value.columns) == ["key", "outcome", "kustomer_id", "reason"]
    assert list(zip(value["key"], value["outcome"], strict=True)) == [
        ("C-1", "created"),
        ("C-2", "created"),
        ("C-9", "invalid"),
    ]


def test_frames_are_described_by_rows_columns_and_a_masked_preview(pipeline: Pipeline) -> None:
    pipeline.customers(people(7))
    run = pipeline.run("sync_customers")
    metadata = run.metadata("kustomer/customers_rows")
    assert metadata["dagster/row_count"] == 7
    assert [column.name for column in metadata["dagster/column_schema"].columns] == [
        "id",
        "email",
        "name",
        "phone",
        "plan",
    ]
    assert metadata["query"].strip() == "```sql\nselect * from customers order by id\n```"
    assert len(metadata["preview"]) == 5
    assert metadata["preview"][0] == {
        "id": "… (3)",
        "email": "j…@….example",
        "name": "J… (13)",
        "phone": "0… (13)",
        "plan": "… (3)",
    }
    mapped = run.metadata("kustomer/customers_mapped")
    assert mapped["invalid_rows"] == 0
    first = mapped["preview"][0]
    assert (first["_key"], first["email"], first["custom.planStr"], first["_invalid"]) == (
        "C-1",
        "j…@….example",
        "p… (3)",
        None,
    )


def test_values_are_shown_when_somebody_asks_for_them(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_SHOW_VALUES", "1")
    pipeline.customers(people(1))
    run = pipeline.run("plan_all", CUSTOMERS)
    assert run.metadata("kustomer/customers_rows")["preview"][0]["email"] == "jane1@private.example"
    assert "`name`: Jane Private1" in run.metadata("kustomer/customers_plan")["plan"]


def test_a_field_that_is_shown_is_shown_everywhere_and_no_other(pipeline: Pipeline) -> None:
    showing = ObjectSync(
        name="customers",
        object="customers",
        query=CUSTOMERS.sql,
        fields={**CUSTOMERS.fields, "custom.planStr": {"column": "plan", "show": True}},
        match_on=["externalId", "email"],
        default_region="GB",
    )
    pipeline.sandbox.seed_customer(externalId="C-1", emails=[{"email": "jane1@private.example"}], name="J. P.")
    pipeline.customers(people(2))
    run = pipeline.run("plan_all", showing)
    metadata = run.metadata("kustomer/customers_plan")
    assert "custom.planStr: nothing → pro" in metadata["changes"][0]["what changes"]
    assert "`custom.planStr`: pro" in metadata["plan"]
    assert run.metadata("kustomer/customers_mapped")["preview"][0]["custom.planStr"] == "pro"
    assert "private" not in str(metadata).lower()


def test_a_few_bad_rows_warn_and_the_run_succeeds(pipeline: Pipeline) -> None:
    pipeline.customers([*people(20), ("C-99", None, "Nobody", None, "pro")])
    run = pipeline.run("sync_customers")
    assert run.success
    assert run.failed_checks() == {
        "kustomer/customers_mapped:required_fields": "WARN",
        "kustomer/customers:all_rows_accepted": "WARN",
    }
    assert (
        run.checks()["kustomer/customers_mapped:required_fields"].description
        == "1 of 21 rows is left out for this (4.8%)"
    )
    examples = run.checks()["kustomer/customers_mapped:required_fields"].metadata["examples"]
    assert plain(examples) == [{"row": "C-99", "reason": "email is missing"}]
    refused = run.metadata("kustomer/customers")["refused_rows"]
    assert refused == [{"key": "C-99", "outcome": "invalid", "reason": "email is missing"}]
    assert len(pipeline.sandbox.customers) == 20


def test_too_many_bad_rows_fail_the_run_after_everything_is_recorded(pipeline: Pipeline) -> None:
    pipeline.customers([*people(18), ("C-98", None, "Nobody", None, "pro"), ("C-99", "joe", "Joe", None, "pro")])
    run = pipeline.run("sync_customers")
    assert not run.success
    assert run.materialized() == FULL
    assert run.failed_checks() == {
        "kustomer/customers_mapped:required_fields": "WARN",
        "kustomer/customers_mapped:fields_valid": "WARN",
        "kustomer/customers:all_rows_accepted": "ERROR",
    }
    assert run.failure("kustomer__customers").startswith(
        "2 of 20 rows were refused (10.0%), more than the 5.0% that max_failure_share allows. "
        "The others have been sent."
    )
    assert run.failure("kustomer__customers").strip().endswith("Most often: email is missing (1 of them).")
    assert not run.retried()
    assert len(pipeline.sandbox.customers) == 18


def test_a_row_exactly_at_the_share_is_still_a_warning(pipeline: Pipeline) -> None:
    pipeline.customers([*people(19), ("C-99", None, "Nobody", None, "pro")])
    run = pipeline.run("sync_customers")
    assert run.success
    assert run.failed_checks()["kustomer/customers:all_rows_accepted"] == "WARN"


def test_duplicates_are_a_check_of_their_own(pipeline: Pipeline) -> None:
    first, *others = people(50)
    pipeline.customers([first, *others, ("C-99", first[1], "Twin", None, "pro")])
    run = pipeline.run("sync_customers")
    check = run.checks()["kustomer/customers_mapped:row_keys_unique"]
    assert not check.passed
    assert check.metadata["rows"].value == 2
    examples = check.metadata["examples"]
    assert plain(examples) == [
        {"row": "C-1", "reason": "email is also on row key C-99"},
        {"row": "C-99", "reason": "email is also on row key C-1"},
    ]


def test_a_row_that_kustomer_refuses_is_rejected_with_its_reason(pipeline: Pipeline) -> None:
    pipeline.sandbox.seed_customer(externalId="C-1")
    pipeline.sandbox.seed_customer(emails=[{"email": "jane1@private.example"}])
    pipeline.customers(people(20))
    run = pipeline.run("sync_customers")
    assert run.success
    assert run.metadata("kustomer/customers")["rejected"] == 1
    [refused] = run.metadata("kustomer/customers")["refused_rows"]
    assert (refused["key"], refused["outcome"]) == ("C-1", "rejected")
    assert refused["reason"]


def test_a_limit_leaves_the_rest_for_the_next_run(pipeline: Pipeline) -> None:
    pipeline.customers(people(10))
    run = pipeline.run("sync_customers", config={"limit": 3})
    assert run.success
    metadata = run.metadata("kustomer/customers")
    assert (metadata["created"], metadata["deferred"]) == (3, 7)
    assert pipeline.run("sync_customers").metadata("kustomer/customers")["created"] == 7


@pytest.mark.parametrize("config", [{"limit": "many"}, {"full_sync": True}])
def test_run_config_that_makes_no_sense_is_refused_before_anything_runs(
    pipeline: Pipeline, config: dict[str, Any]
) -> None:
    pipeline.customers(people(3))
    with pytest.raises(dg.DagsterError, match=next(iter(config))):
        pipeline.run("sync_customers", config=config)
    assert pipeline.sandbox.units() == 0


def test_a_limit_of_nothing_is_refused_before_anything_is_sent(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    run = pipeline.run("sync_customers", config={"limit": 0})
    assert not run.success
    assert pipeline.sandbox.units() == 0


def test_a_plan_shows_the_changes_and_makes_none(pipeline: Pipeline) -> None:
    pipeline.sandbox.seed_customer(externalId="C-1", emails=[{"email": "jane1@private.example"}], name="J. P.")
    pipeline.customers(people(3))
    before = dict(pipeline.sandbox.customers)
    run = pipeline.run("plan_all", CUSTOMERS)
    assert run.success
    assert run.materialized() == {"kustomer/customers_rows", "kustomer/customers_mapped", "kustomer/customers_plan"}
    metadata = run.metadata("kustomer/customers_plan")
    assert (metadata["would_create"], metadata["would_update"], metadata["unchanged"]) == (2, 1, 0)
    assert [line["row"] for line in metadata["changes"]] == ["C-1", "C-2", "C-3"]
    assert "name: J… (5) → J… (13)" in metadata["changes"][0]["what changes"]
    assert metadata["changes"][1]["what changes"] == "create"
    assert dict(pipeline.sandbox.customers) == before
    value = run.result.asset_value(dg.AssetKey(["kustomer", "customers_plan"]))
    assert "Jane Private1" in value["after"].tolist()


def test_an_audience_that_lost_most_members_untags_nobody_until_approved(pipeline: Pipeline) -> None:
    pipeline.customers(people(10))
    pipeline.vips(f"jane{n}@private.example" for n in range(1, 11))
    assert pipeline.run("sync_all").success

    pipeline.vips(["jane1@private.example"])
    run = pipeline.run("sync_vip")
    assert run.success  # the additions went, and the check is red
    assert run.failed_checks() == {"kustomer/vip:removals_within_limit": "ERROR"}
    metadata = run.metadata("kustomer/vip")
    assert (metadata["removed"], metadata["removals_held"], metadata["members"]) == (0, 9, 10)
    plan_id = metadata["removal_plan_id"]
    assert f"approve_removals: {plan_id}" in metadata["what_to_do"]
    assert tagged(pipeline) == 10

    planned = pipeline.run("plan_all").metadata("kustomer/vip_plan")
    assert (planned["would_untag"], planned["removal_plan_id"]) == (9, plan_id)

    approved = pipeline.run("sync_vip", config={"approve_removals": plan_id})
    assert approved.success
    assert approved.failed_checks() == {}
    assert approved.metadata("kustomer/vip")["removed"] == 9
    assert tagged(pipeline) == 1


def tagged(pipeline: Pipeline) -> int:
    return sum(pipeline.sandbox.tag_names(id_) == ["vip"] for id_ in pipeline.sandbox.customers)


def test_an_empty_audience_is_a_held_removal_too(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    pipeline.vips(f"jane{n}@private.example" for n in range(1, 4))
    pipeline.run("sync_all")
    pipeline.vips([])
    run = pipeline.run("sync_vip")
    assert run.success
    assert run.metadata("kustomer/vip")["removals_held"] == 3
    assert run.metadata("kustomer/vip_rows")["dagster/row_count"] == 0


def test_an_empty_table_is_no_failure(pipeline: Pipeline) -> None:
    run = pipeline.run("sync_customers")
    assert run.success
    assert run.failed_checks() == {}
    metadata = run.metadata("kustomer/customers")
    assert (metadata["rows_read"], metadata["units_per_record"]) == (0, 0.0)


def test_who_comes_after_a_failed_sync_does_not_run(pipeline: Pipeline) -> None:
    pipeline.customers([("C-1", None, "Nobody", None, "pro")])
    pipeline.vips(["jane1@private.example"])
    run = pipeline.run("sync_all")
    assert not run.success
    assert "kustomer/customers" in run.materialized()
    assert "kustomer/vip" not in run.materialized()
    assert pipeline.run("sync_vip").success  # on its own it does


def test_a_run_that_is_stopped_half_way_records_what_it_did(pipeline: Pipeline) -> None:
    pipeline.customers(people(250))
    pipeline.sandbox.faults.set("role_removed", "org.permission.customer.create", after=3)
    run = pipeline.run("sync_customers")
    assert not run.success
    assert run.materialized() == FULL
    metadata = run.metadata("kustomer/customers")
    assert metadata["deferred"] > 0
    assert metadata["rows_read"] == 250
    assert "customer.create" in metadata["stopped_by"]
    assert "Stopped half-way" in run.failure("kustomer__customers")
    assert "the next run continues" in run.failure("kustomer__customers")
    assert run.checks()["kustomer/customers:rows_accounted_for"].passed
    assert not run.retried()


def test_progress_is_logged(pipeline: Pipeline) -> None:
    pipeline.customers(people(5))
    run = pipeline.run("sync_customers")
    assert any("5 of 5 records" in message for message in run.logs)


def only_failure(run: Any) -> str:
    """The run failed in the sync asset, nothing of it was recorded as done, and it was not tried again."""
    assert not run.success
    assert "kustomer/customers" not in run.materialized()
    assert not run.retried()
    return str(run.failure("kustomer__customers"))


def test_a_wrong_key_says_what_to_do(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", "secret-but-wrong")
    pipeline.customers(people(3))
    assert "KUSTOMER_API_KEY" in only_failure(pipeline.run("sync_customers"))
    assert "secret-but-wrong" not in pipeline.event_log()


def test_a_missing_key_names_the_variable(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUSTOMER_API_KEY")
    pipeline.customers(people(3))
    assert "KUSTOMER_API_KEY is not set" in only_failure(pipeline.run("sync_customers"))


def test_a_missing_role_is_named(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", pipeline.sandbox.add_api_key(["org.permission.customer.read"]))
    pipeline.customers(people(3))
    assert "org.permission.customer.create" in only_failure(pipeline.run("sync_customers"))


def test_a_server_that_is_down_is_a_readable_failure(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_BASE_URL", "http://127.0.0.1:9")
    pipeline.customers(people(3))
    assert "no connection" in only_failure(pipeline.run("sync_customers"))


def test_no_place_for_the_state_is_a_readable_failure(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUSTOMER_STATE_URL")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    pipeline.customers(people(3))
    assert "set DAGSTER_HOME" in only_failure(pipeline.run("sync_customers"))


def test_a_missing_table_is_a_readable_failure(pipeline: Pipeline) -> None:
    pipeline.warehouse.execute("drop table customers")
    run = pipeline.run("sync_customers")
    assert run.materialized() == set()
    assert "no such table: customers" in run.failure("kustomer__customers_rows")
    assert not run.retried()


def test_a_column_that_the_query_does_not_return_is_named(pipeline: Pipeline) -> None:
    sync = CUSTOMERS.model_copy(update={"query": "select id, email, name, phone from customers"})
    pipeline.customers(people(3))
    run = pipeline.run("sync_customers", sync)
    assert run.materialized() == {"kustomer/customers_rows"}
    assert "plan" in run.failure("kustomer__customers_mapped")


def test_no_warehouse_url_names_the_variable(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_URL")
    assert "WAREHOUSE_URL is not set" in pipeline.run("sync_customers").failure("kustomer__customers_rows")


def test_the_shipped_syncs_run_on_the_demo_warehouse(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kustomer_pipeline.definitions import defs
    from kustomer_pipeline.demo.seed import seed

    monkeypatch.setenv("WAREHOUSE_URL", f"sqlite:///{seed(tmp_path / 'demo.db')}")
    result = defs.resolve_job_def("sync_all").execute_in_process(instance=pipeline.instance)
    assert result.success
    assert len(pipeline.sandbox.companies) == 40
    assert len(pipeline.sandbox.customers) > 1900
    linked = sum(customer["company"] is not None for customer in pipeline.sandbox.customers.values())
    assert linked > 1500
    assert sum("vip" in pipeline.sandbox.tag_names(id_) for id_ in pipeline.sandbox.customers) > 130


def test_a_run_that_was_stopped_says_what_it_had_done(pipeline: Pipeline) -> None:
    """An error's own words ("nothing was changed") are about the request that failed."""
    pipeline.customers(people(1500))
    pipeline.sandbox.faults.set("gateway_error_before", after=14)
    run = pipeline.run("sync_customers")
    assert not run.success
    told = run.failure("kustomer__customers")
    created = run.metadata("kustomer/customers")["created"]
    assert 0 < created < 1500
    assert told.startswith(f"Stopped half-way: {created:,} created before that; ")
    assert "bulk jobs had been sent of which nobody knows yet what came" in told
    assert "the next run continues with them" in told


@pytest.mark.parametrize("jobs", [0, 3])
def test_jobs_that_were_sent_and_not_collected_are_told(pipeline: Pipeline, jobs: int) -> None:
    """The key is revoked in mid-run: nobody knows what came of the jobs, and "nothing was written" would be wrong."""
    pipeline.customers(people(1500))
    pipeline.sandbox.faults.set("unauthorized", after=14 if jobs else 0)
    run = pipeline.run("sync_customers")
    told = run.failure("kustomer__customers")
    there = len(pipeline.sandbox.customers)
    if not jobs:
        assert there == 0
        assert "had been sent of which nobody knows" not in told
        return
    assert there > run.metadata("kustomer/customers")["created"]
    assert "had been sent of which nobody knows yet what came" in told
    assert "nothing had been written" not in told
    assert "sent of which it is not known what came" in run.metadata("kustomer/customers")["report"]
