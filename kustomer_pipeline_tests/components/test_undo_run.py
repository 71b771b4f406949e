"""The job `undo_run`: what a run overwrote comes back, what somebody changed since stays, and both are said."""

from typing import Any

import dagster as dg
import pytest

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.resources import StateResource
from kustomer_pipeline.sync import StateError

from .conftest import Project
from .pipeline import CUSTOMERS, VIP, Pipeline, people
from .test_load_errors import VIP as VIP_YAML

WITH_LINKS = ObjectSync(
    name="customers",
    object="customers",
    query="select *, 'NEW' as account, 'gold' as level from customers",
    fields={
        "externalId": "id",
        "email": "email",
        "name": "name",
        "tags": "level",
        "company": "account",
        "custom.planStr": "plan",
    },
    match_on=["externalId"],
)


def seeded(pipeline: Pipeline, count: int) -> list[str]:
    """Customers as they were before: a name, a tag, a company and a plan of their own. Their ids."""
    company = pipeline.sandbox.seed_company(externalId="OLD", name="Old")
    pipeline.sandbox.seed_company(externalId="NEW", name="New")
    silver, _ = pipeline.sandbox.seed_tag("silver"), pipeline.sandbox.seed_tag("gold")
    return [
        pipeline.sandbox.seed_customer(
            externalId=f"C-{n}",
            emails=[{"email": f"jane{n}@private.example"}],
            name="Before",
            tags=[silver],
            company=company,
            custom={"planStr": "free"},
        )
        for n in range(1, count + 1)
    ]


def now(pipeline: Pipeline, id_: str) -> tuple[Any, ...]:
    one = pipeline.sandbox.customers[id_]
    company = pipeline.sandbox.companies[one["company"]]["name"]
    return one["name"], sorted(pipeline.sandbox.tag_names(id_)), company, one["custom"]["planStr"]


BEFORE = ("Before", ["silver"], "Old", "free")
AFTER = ("Jane Private1", ["gold", "silver"], "New", "pro")


def test_what_the_run_changed_comes_back(pipeline: Pipeline) -> None:
    [id_] = seeded(pipeline, 1)
    pipeline.customers(people(1))
    run = pipeline.run("sync_customers", WITH_LINKS)
    assert now(pipeline, id_) == AFTER
    undo = pipeline.run("undo_run", WITH_LINKS, config={"run_id": run.run_id})
    assert undo.success
    assert now(pipeline, id_) == BEFORE
    metadata = undo.output("undo")
    assert (metadata["undone_run"], metadata["records_restored"]) == (run.run_id, 1)
    assert metadata["fields_changed_since"] == metadata["records_created_not_deleted"] == 0
    assert metadata["fields_restored"] == len(metadata["rows"]) == 4
    assert {(row["sync"], row["key"], row["outcome"]) for row in metadata["rows"]} == {("customers", "C-1", "restored")}
    assert any("records restored: 1" in message for message in undo.logs)


def test_what_an_agent_changed_since_stays_and_is_named(pipeline: Pipeline) -> None:
    ids = seeded(pipeline, 2)
    pipeline.customers(people(2))
    run = pipeline.run("sync_customers", WITH_LINKS)
    pipeline.sandbox.agent_edit(ids[0], name="An Agent's")
    undo = pipeline.run("undo_run", WITH_LINKS, config={"run_id": run.run_id})
    assert undo.success
    assert now(pipeline, ids[0]) == ("An Agent's", *BEFORE[1:])
    assert now(pipeline, ids[1]) == BEFORE
    metadata = undo.output("undo")
    assert (metadata["records_restored"], metadata["fields_changed_since"]) == (2, 1)
    [changed] = [row for row in metadata["rows"] if row["outcome"] == "changed since"]
    assert (changed["key"], changed["field"]) == ("C-1", "name")
    assert changed["reason"]


def test_created_records_are_named_and_not_deleted(pipeline: Pipeline) -> None:
    pipeline.customers(people(2))
    run = pipeline.run("sync_customers")
    undo = pipeline.run("undo_run", config={"run_id": run.run_id})
    assert undo.success
    assert len(pipeline.sandbox.customers) == 2
    assert undo.output("undo")["records_created_not_deleted"] == 2
    assert "not deleted" in (build_definitions([CUSTOMERS]).resolve_job_def("undo_run").description or "")


def test_all_syncs_of_a_run_are_taken_back(pipeline: Pipeline) -> None:
    ids = seeded(pipeline, 2)
    pipeline.customers(people(2))
    pipeline.vips(["jane1@private.example"])
    run = pipeline.run("sync_all", WITH_LINKS, VIP)
    assert run.success
    assert "vip" in pipeline.sandbox.tag_names(ids[0])
    undo = pipeline.run("undo_run", WITH_LINKS, VIP, config={"run_id": f" {run.run_id}\n"})
    assert undo.success
    assert [now(pipeline, id_) for id_ in ids] == [BEFORE, BEFORE]
    assert undo.output("undo")["records_restored"] == 2  # a record that two syncs wrote is one record


def test_an_undo_can_be_undone(pipeline: Pipeline) -> None:
    [id_] = seeded(pipeline, 1)
    pipeline.customers(people(1))
    run = pipeline.run("sync_customers", WITH_LINKS)
    undo = pipeline.run("undo_run", WITH_LINKS, config={"run_id": run.run_id})
    assert pipeline.run("undo_run", WITH_LINKS, config={"run_id": undo.run_id}).success
    assert now(pipeline, id_) == AFTER


def test_the_next_sync_does_not_bring_back_what_was_undone(pipeline: Pipeline) -> None:
    [id_] = seeded(pipeline, 1)
    pipeline.customers(people(1))
    run = pipeline.run("sync_customers", WITH_LINKS)
    pipeline.run("undo_run", WITH_LINKS, config={"run_id": run.run_id})
    assert pipeline.run("sync_customers", WITH_LINKS).metadata("kustomer/customers")["unchanged"] == 1
    assert now(pipeline, id_) == BEFORE
    pipeline.run("sync_customers", WITH_LINKS, config={"full_resync": True})
    assert now(pipeline, id_) == AFTER


def test_keys_are_masked_and_the_table_is_short(pipeline: Pipeline) -> None:
    pipeline.customers(people(120))
    pipeline.run("sync_customers")
    by_email = ObjectSync(
        name="by_email",
        object="customers",
        query="select email, 'Changed' as name from customers",
        fields={"email": "email", "name": "name"},
        match_on=["email"],
    )
    run = pipeline.run("sync_by_email", by_email)
    undo = pipeline.run("undo_run", by_email, config={"run_id": run.run_id})
    metadata = undo.output("undo")
    assert (metadata["records_restored"], len(metadata["rows"])) == (120, 100)
    assert {row["key"] for row in metadata["rows"]} == {"j…@….example"}
    assert "private" not in str(metadata).lower()


def undone(pipeline: Pipeline, run_id: str) -> str:
    """The message of an undo that fails before it changes anything."""
    before = dict(pipeline.sandbox.customers)
    run = pipeline.run("undo_run", config={"run_id": run_id})
    assert not run.success
    assert not run.retried()
    assert dict(pipeline.sandbox.customers) == before
    return run.failure("undo")


def test_a_run_that_is_not_known_is_said(pipeline: Pipeline) -> None:
    pipeline.customers(people(1))
    pipeline.run("sync_customers")
    assert "No run 00000000-dead has written to this org" in undone(pipeline, "00000000-dead")


def test_a_run_whose_before_values_are_gone_is_said(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_UNDO_DAYS", "0")
    pipeline.sandbox.seed_customer(externalId="C-1", emails=[{"email": "jane1@private.example"}], name="Before")
    pipeline.customers(people(1))
    run = pipeline.run("sync_customers")
    assert run.metadata("kustomer/customers")["updated"] == 1
    message = undone(pipeline, run.run_id)
    assert f"Run {run.run_id} can't be undone" in message
    assert "KUSTOMER_UNDO_DAYS" in message


def test_a_run_without_run_id_is_refused_before_anything_runs(pipeline: Pipeline) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="run_id"):
        pipeline.run("undo_run")
    assert pipeline.sandbox.units() == 0


def test_a_missing_role_is_named(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    [id_] = seeded(pipeline, 1)
    pipeline.customers(people(1))
    run = pipeline.run("sync_customers", WITH_LINKS)
    monkeypatch.setenv("KUSTOMER_API_KEY", pipeline.sandbox.add_api_key(["org.permission.customer.read"]))
    assert "customer.update" in undone(pipeline, run.run_id)
    assert now(pipeline, id_) == AFTER


def test_an_undo_that_is_stopped_half_way_says_so_and_goes_on_next_time(pipeline: Pipeline) -> None:
    [id_] = seeded(pipeline, 1)
    pipeline.customers(people(1))
    run = pipeline.run("sync_customers", WITH_LINKS)
    pipeline.sandbox.faults.set("role_removed", "org.permission.customer.update", method="PUT")
    undo = pipeline.run("undo_run", WITH_LINKS, config={"run_id": run.run_id})
    assert not undo.success
    assert "Stopped half-way" in undo.failure("undo")
    assert "launch the job again with the same run id" in undo.failure("undo")
    assert "customer.update" in undo.output("undo")["stopped_by"]
    pipeline.sandbox.faults.clear()
    assert pipeline.run("undo_run", WITH_LINKS, config={"run_id": run.run_id}).success
    assert now(pipeline, id_) == BEFORE


def test_the_job_comes_with_the_defs_folder_too(project: Project) -> None:
    project.write("vip/defs.yaml", VIP_YAML)
    assert project.load().resolve_job_def("undo_run").name == "undo_run"


def test_no_sync_takes_its_name() -> None:
    with pytest.raises(SyncConfigError, match="cannot be named 'undo_run': undo_run is the job that undoes one"):
        VIP.model_validate({**VIP.model_dump(), "name": "undo_run"})


# --- how long a run can be undone ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text, days", [(None, 30), ("", 30), (" 7 ", 7), ("0", 0)])
def test_the_days_come_from_the_environment(text: str | None, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if text is not None:
        monkeypatch.setenv("KUSTOMER_UNDO_DAYS", text)
    assert StateResource().days_to_undo() == days
    assert StateResource(undo_days=3).days_to_undo() == 3


@pytest.mark.parametrize("text", ["-1", "a month", "1.5", "999999", "٣"])
def test_days_that_are_no_number_are_refused_before_anything_is_sent(
    text: str, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_UNDO_DAYS", text)
    with pytest.raises(StateError, match="KUSTOMER_UNDO_DAYS is"):
        StateResource().days_to_undo()
    pipeline.customers(people(1))
    run = pipeline.run("sync_customers")
    assert "set it to a number of days, such as 30, or to 0 to keep nothing" in run.failure("kustomer__customers")
    assert len(pipeline.sandbox.customers) == 0
