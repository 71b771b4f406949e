"""Did it land as it was sent, and `only: rejected`: what a run reads again, and what it leaves for the next."""

import dagster as dg
import pytest

from kustomer_pipeline.sandbox import RequestRecord

from .pipeline import CUSTOMERS, VIP, Pipeline, Run, people

LANDED = "kustomer/customers:landed_as_sent"
READ = ("GET", "/v1/customers/")


def landed(run: Run) -> tuple[bool, int, int]:
    """Passed, records read again, drifted."""
    check = run.checks()[LANDED]
    metadata = check.metadata
    checked, drifted = metadata["records_read_again"].value, metadata["drifted"].value
    assert isinstance(checked, int)
    assert isinstance(drifted, int)
    return check.passed, checked, drifted


def a_business_rule(pipeline: Pipeline, **attributes: object) -> None:
    """Something in Kustomer changes every customer as soon as a bulk job is over."""

    def change(request: RequestRecord) -> None:
        if request.method == "GET" and request.path.endswith("/batches"):
            for id_ in list(pipeline.sandbox.customers):
                pipeline.sandbox.agent_edit(id_, **attributes)

    pipeline.sandbox.hooks.after.append(change)


def test_what_landed_as_it_was_sent_passes(pipeline: Pipeline) -> None:
    pipeline.customers(people(60))
    run = pipeline.run("sync_customers")
    assert landed(run) == (True, 50, 0)
    assert run.checks()[LANDED].description is None
    pipeline.sandbox.clear_requests()
    again = pipeline.run("sync_customers")
    assert landed(again) == (True, 0, 0)  # nothing was written, nothing is read
    assert pipeline.sandbox.count(*READ) == 0


def test_what_did_not_land_as_it_was_sent_warns_and_the_run_succeeds(pipeline: Pipeline) -> None:
    a_business_rule(pipeline, name="Somebody Else")
    pipeline.customers(people(3))
    run = pipeline.run("sync_customers")
    assert run.success
    assert landed(run) == (False, 3, 3)
    assert run.failed_checks() == {LANDED: "WARN"}
    check = run.checks()[LANDED]
    assert "3 of 3 records are not as sent when read again" in (check.description or "")
    assert "full_resync sends the warehouse's values again" in (check.description or "")
    [table] = [value for value in check.metadata.values() if isinstance(value, dg.TableMetadataValue)]
    ids = set(pipeline.sandbox.customers)
    assert {record.data["kustomer_id"] for record in table.records} == ids
    lines = sorted((record.data["key"], record.data["field"], record.data["sent"]) for record in table.records)
    assert lines == [(f"C-{n}", "name", "J… (13)") for n in (1, 2, 3)]
    assert {record.data["found"] for record in table.records} == {"S… (13)"}


def test_full_resync_repairs_what_drifted(pipeline: Pipeline) -> None:
    a_business_rule(pipeline, name="Somebody Else")
    pipeline.customers(people(2))
    pipeline.run("sync_customers")
    pipeline.sandbox.hooks.after.clear()
    run = pipeline.run("sync_customers", config={"full_resync": True})
    assert landed(run) == (True, 2, 0)
    assert {one["name"] for one in pipeline.sandbox.customers.values()} == {"Jane Private1", "Jane Private2"}


def test_values_that_differ_are_shown_when_somebody_asks(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_SHOW_VALUES", "1")
    a_business_rule(pipeline, name="Somebody Else")
    pipeline.customers(people(1))
    table = pipeline.run("sync_customers").checks()[LANDED].metadata["differences"]
    assert isinstance(table, dg.TableMetadataValue)
    assert (table.records[0].data["sent"], table.records[0].data["found"]) == ("Jane Private1", "Somebody Else")


@pytest.mark.parametrize("read_back", [0, 2])
def test_read_back_says_how_many(pipeline: Pipeline, read_back: int) -> None:
    pipeline.customers(people(5))
    run = pipeline.run("sync_customers", CUSTOMERS.model_copy(update={"read_back": read_back}))
    assert landed(run) == (True, read_back, 0)
    assert pipeline.sandbox.count(*READ) == (1 if read_back else 0)


def test_an_audience_is_read_again_too(pipeline: Pipeline) -> None:
    pipeline.customers(people(2))
    pipeline.run("sync_customers")
    a_business_rule(pipeline, tags=[])
    pipeline.vips(["jane1@private.example"])
    run = pipeline.run("sync_vip")
    assert run.failed_checks() == {"kustomer/vip:landed_as_sent": "WARN"}
    pipeline.sandbox.hooks.after.clear()
    assert pipeline.run("sync_vip", VIP, config={"full_resync": True}).failed_checks() == {}


def test_a_sample_that_cannot_be_read_is_said(pipeline: Pipeline) -> None:
    def forbid(request: RequestRecord) -> None:
        if request.path.endswith("/batches"):
            pipeline.sandbox.faults.set("role_removed", "org.permission.customer.read")

    pipeline.sandbox.hooks.after.append(forbid)
    pipeline.customers(people(2))
    run = pipeline.run("sync_customers")
    assert run.success
    assert run.failed_checks() == {LANDED: "WARN"}
    assert (run.checks()[LANDED].description or "").startswith("The records could not be read again: ")
    assert "customer.read" in (run.checks()[LANDED].description or "")


# --- only: rejected ----------------------------------------------------------------------------------------------


def test_only_rejected_attempts_the_rows_that_were_refused(pipeline: Pipeline) -> None:
    sync = CUSTOMERS.model_copy(update={"max_failure_share": 1.0})
    pipeline.customers([*people(2), ("C-99", None, "Nobody", None, "pro")])
    pipeline.run("sync_customers", sync)
    changed = [(*row[:2], "Changed", *row[3:]) for row in people(2)]
    pipeline.customers([*changed, *people(1, start=50), ("C-99", "new@private.example", "Nobody", None, "pro")])

    run = pipeline.run("sync_customers", sync, config={"only": "rejected"})
    assert run.success
    metadata = run.metadata("kustomer/customers")
    assert (metadata["created"], metadata["deferred"], metadata["updated"]) == (1, 3, 0)
    assert {one["externalId"] for one in pipeline.sandbox.customers.values()} == {"C-1", "C-2", "C-99"}

    rest = pipeline.run("sync_customers", sync).metadata("kustomer/customers")
    assert (rest["created"], rest["updated"], rest["unchanged"]) == (1, 2, 1)


@pytest.mark.parametrize("value", ["accepted", "Rejected", True, ""])
def test_only_knows_no_other_rows(pipeline: Pipeline, value: object) -> None:
    pipeline.customers(people(1))
    with pytest.raises(dg.DagsterInvalidConfigError, match="config:only"):
        pipeline.run("sync_customers", config={"only": value})
    assert pipeline.sandbox.units() == 0
