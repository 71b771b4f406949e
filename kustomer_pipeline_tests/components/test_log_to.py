"""`log_to`: after every run the warehouse has its log, in every mode, in SQLite and in PostgreSQL."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline import AudienceSync, ObjectSync

from .pipeline import CUSTOMERS, VIP, Pipeline, Run, people

LOG_TO = {"schema": "kustomer_sync"}
NOBODY = ("C-99", None, "Nobody", None, "pro")
JANE_1 = "jane1@private.example"


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Everything here holds in both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'warehouse.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def logged(sync: ObjectSync | AudienceSync = CUSTOMERS, **changes: Any) -> Any:
    """The sync with a log, and whatever else is changed about it."""
    own = {name: getattr(sync, name) for name in type(sync).attributes_of.model_fields}
    return type(sync)(**{**own, "name": sync.name, "log_to": LOG_TO, **changes})


def outcomes(pipeline: Pipeline, run: Run | None = None, table: str = "sync_log") -> list[tuple[str, str]]:
    lines = pipeline.warehouse.log(table, "row_key", "outcome", run=run.run_id if run else None)
    return [(key, outcome) for key, outcome in lines]


def test_a_run_is_logged_record_by_record_and_as_a_whole(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    run = pipeline.run("sync_customers", logged())
    assert run.success
    assert outcomes(pipeline) == [("C-1", "created"), ("C-2", "created"), ("C-3", "created")]
    same = {(pipeline.sandbox.org_id, "customers", run.run_id)}
    for table in ("sync_log", "sync_runs"):
        assert set(pipeline.warehouse.log(table, "org_id", "sync", "run_id")) == same
    assert {row[0] for row in pipeline.warehouse.log("sync_log", "kustomer_id")} == set(pipeline.sandbox.customers)
    columns = ("rows_read", "created", "unchanged", "removed", "api_requests", "interrupted")
    requests = run.metadata("kustomer/customers")["api_requests"]
    assert pipeline.warehouse.log("sync_runs", *columns) == [(3, 3, 0, 0, requests, None)]
    assert pipeline.warehouse.log("rejects", "row_key") == []


def test_unchanged_rows_are_not_logged_and_the_run_is(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    pipeline.run("sync_customers", logged())
    run = pipeline.run("sync_customers", logged())
    assert outcomes(pipeline, run) == []
    assert pipeline.warehouse.log("sync_runs", "rows_read", "unchanged", run=run.run_id) == [(3, 3)]


def test_without_log_to_nothing_is_written(pipeline: Pipeline) -> None:
    pipeline.customers([*people(3), NOBODY])
    pipeline.run("sync_customers", CUSTOMERS)
    inspector = sa.inspect(pipeline.warehouse.engine)
    assert sorted(inspector.get_table_names()) == ["customers", "vips"]
    assert "kustomer_sync" not in inspector.get_schema_names()


@pytest.mark.parametrize(
    "mode, expected",
    [
        ("upsert", [("C-1", "updated"), ("C-2", "created")]),
        ("insert", [("C-1", "skipped"), ("C-2", "created")]),
        ("update", [("C-1", "updated"), ("C-2", "skipped")]),
    ],
)
def test_every_mode_of_records_is_logged(pipeline: Pipeline, mode: str, expected: list[tuple[str, str]]) -> None:
    pipeline.sandbox.seed_customer(externalId="C-1", emails=[{"email": JANE_1}], name="Old")
    pipeline.customers(people(2))
    run = pipeline.run("sync_customers", logged(mode=mode))
    assert run.success
    assert outcomes(pipeline) == expected


def test_every_mode_of_an_audience_is_logged(pipeline: Pipeline) -> None:
    def run_vip(mode: str) -> list[tuple[str, str]]:
        vip = logged(VIP, mode=mode, max_removals={"share": 1})
        run = pipeline.run("sync_vip", vip)
        assert run.success
        return outcomes(pipeline, run)

    pipeline.customers(people(2))
    pipeline.run("sync_customers")
    jane_2 = JANE_1.replace("1", "2")
    pipeline.vips([JANE_1, "stranger@private.example"])
    assert run_vip("add") == [(JANE_1, "updated"), ("stranger@private.example", "skipped")]
    pipeline.vips([jane_2])
    assert run_vip("mirror") == [(JANE_1, "removed"), (jane_2, "updated")]
    assert pipeline.warehouse.log("sync_runs", "removed") == [(0,), (1,)]
    assert run_vip("remove") == [(jane_2, "updated")]
    assert not any(pipeline.sandbox.tag_names(id_) for id_ in pipeline.sandbox.customers)


def test_companies_are_logged(pipeline: Pipeline) -> None:
    pipeline.customers(people(1))
    companies = ObjectSync(
        name="companies",
        object="companies",
        query="select id, name from customers",
        fields={"externalId": "id", "name": "name"},
        match_on=["externalId"],
        log_to=LOG_TO,
    )
    assert pipeline.run("sync_companies", companies).success
    assert pipeline.warehouse.log("sync_log", "sync", "row_key", "outcome") == [("companies", "C-1", "created")]


def test_refused_rows_are_kept_until_they_are_put_right(pipeline: Pipeline) -> None:
    pipeline.sandbox.seed_customer(externalId="C-1")
    pipeline.sandbox.seed_customer(emails=[{"email": JANE_1}])
    pipeline.customers([*people(2), NOBODY])
    sync = logged(max_failure_share=1)
    assert pipeline.run("sync_customers", sync).success
    assert outcomes(pipeline, table="rejects") == [("C-1", "rejected"), ("C-99", "invalid")]
    assert ("C-99", "email is missing") in pipeline.warehouse.log("rejects", "row_key", "reason")

    pipeline.customers([*people(2), ("C-99", "somebody@private.example", "Somebody", None, "pro")])
    pipeline.run("sync_customers", sync)
    assert outcomes(pipeline, table="rejects") == [("C-1", "rejected")]

    pipeline.customers(people(1, start=2))
    pipeline.run("sync_customers", sync)
    assert outcomes(pipeline, table="rejects") == []


def test_a_refused_row_stays_while_a_run_does_not_reach_it(pipeline: Pipeline) -> None:
    pipeline.customers([*people(1), NOBODY])
    pipeline.run("sync_customers", logged(max_failure_share=1))
    pipeline.customers([*people(1), *people(3, start=50), ("C-99", "new@private.example", "Nobody", None, "pro")])
    run = pipeline.run("sync_customers", logged(), config={"limit": 1})
    assert dict(outcomes(pipeline, run))["C-99"] == "deferred"
    assert outcomes(pipeline, table="rejects") == [("C-99", "invalid")]
    pipeline.run("sync_customers", logged())
    assert outcomes(pipeline, table="rejects") == []


def test_a_run_that_fails_for_too_many_bad_rows_is_logged(pipeline: Pipeline) -> None:
    pipeline.customers([*people(1), NOBODY])
    run = pipeline.run("sync_customers", logged())
    assert not run.success
    assert "of 2 rows was refused" in run.failure("kustomer__customers")
    assert outcomes(pipeline) == [("C-1", "created"), ("C-99", "invalid")]


def test_a_run_that_is_stopped_half_way_is_logged(pipeline: Pipeline) -> None:
    pipeline.customers(people(250))
    pipeline.sandbox.faults.set("role_removed", "org.permission.customer.create", after=3)
    run = pipeline.run("sync_customers", logged())
    assert not run.success
    metadata = run.metadata("kustomer/customers")
    [(deferred, interrupted)] = pipeline.warehouse.log("sync_runs", "deferred", "interrupted")
    assert deferred == metadata["deferred"] > 0
    assert interrupted == metadata["stopped_by"]
    lines = dict(outcomes(pipeline))
    assert sum(outcome == "deferred" for outcome in lines.values()) == deferred
    assert len(lines) == 250


def test_what_an_earlier_run_had_sent_is_logged_by_the_run_that_collects_it(pipeline: Pipeline) -> None:
    pipeline.sandbox.faults.set("job_stuck")
    pipeline.customers(people(2))
    first = pipeline.run("sync_customers", logged())
    assert outcomes(pipeline, first) == [("C-1", "deferred"), ("C-2", "deferred")]
    pipeline.sandbox.faults.clear()
    pipeline.sandbox.release_jobs()
    second = pipeline.run("sync_customers", logged())
    assert second.metadata("kustomer/customers")["unchanged"] == 2
    assert outcomes(pipeline, second) == [("C-1", "created"), ("C-2", "created")]


def test_a_run_of_all_syncs_has_a_line_for_each(pipeline: Pipeline) -> None:
    pipeline.customers(people(2))
    pipeline.vips([JANE_1])
    run = pipeline.run("sync_all", logged(), logged(VIP))
    assert run.success
    assert pipeline.warehouse.log("sync_runs", "run_id", "sync") == [(run.run_id, "customers"), (run.run_id, "vip")]
    assert len(outcomes(pipeline)) == 3


def test_no_value_of_a_row_is_logged(pipeline: Pipeline) -> None:
    pipeline.sandbox.seed_customer(externalId="C-1")
    pipeline.sandbox.seed_customer(emails=[{"email": JANE_1}])
    pipeline.customers([*people(3), ("C-90", "no@address@private", "Private", "nonsense", "pro")])
    pipeline.run("sync_customers", logged(max_failure_share=1))
    for table in ("sync_log", "sync_runs", "rejects"):
        written = str(pipeline.warehouse.log(table, "*")).lower()
        assert "c-90" in written or table == "sync_runs"
        for value in ("private", "jane", "nonsense", "7946"):
            assert value not in written


def test_a_missing_right_is_said_and_takes_nothing_from_the_sync(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pipeline.customers(people(2))
    if pipeline.warehouse.has_schemas:
        pipeline.warehouse.execute("grant select on all tables in schema public to reader")
        url = pipeline.warehouse.engine.url.set(username="reader").render_as_string(hide_password=False)
        advice = "the right to create the schema kustomer_sync (once, by somebody who may: create schema kustomer_sync"
    else:
        url = f"sqlite:///file:{tmp_path / 'warehouse.db'}?mode=ro&uri=true"
        advice = "the right to create tables in the schema kustomer_sync"
    monkeypatch.setenv("WAREHOUSE_URL", url)
    run = pipeline.run("sync_customers", logged())
    assert not run.success
    assert not run.retried()
    message = run.failure("kustomer__customers")
    assert message.startswith("The sync is done and recorded, only its log is missing: The warehouse ")
    assert advice in message
    assert run.materialized() == {"kustomer/customers_rows", "kustomer/customers_mapped", "kustomer/customers"}
    assert run.metadata("kustomer/customers")["created"] == 2
    assert run.failed_checks() == {}
    assert len(pipeline.sandbox.customers) == 2
    again = pipeline.run("sync_customers", CUSTOMERS)  # without a log, reading is enough
    assert again.success
    assert again.metadata("kustomer/customers")["unchanged"] == 2


def test_two_reasons_to_fail_are_both_said(pipeline: Pipeline) -> None:
    pipeline.customers([*people(1), NOBODY])
    schema = "kustomer_sync." if pipeline.warehouse.has_schemas else "kustomer_sync_"
    if pipeline.warehouse.has_schemas:
        pipeline.warehouse.execute("create schema kustomer_sync")
    pipeline.warehouse.execute(f"create table {schema}sync_log (id text)")
    message = pipeline.run("sync_customers", logged()).failure("kustomer__customers")
    assert "of 2 rows was refused" in message
    assert f"a table {schema}sync_log that is not the log of the syncs" in message
