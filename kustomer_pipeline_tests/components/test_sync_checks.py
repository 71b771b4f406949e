"""What the checks make of a report: each on its own, without a run."""

from typing import Any

import dagster as dg
import pandas as pd
import pytest

from kustomer_pipeline import AudienceSync, ObjectSync
from kustomer_pipeline.components.metadata import report_metadata
from kustomer_pipeline.components.sync_checks import sync_check_results, sync_check_specs
from kustomer_pipeline.sync import Counts, HeldChanges, ReasonCode, Removals, SyncReport
from kustomer_pipeline.sync.report import CHANGE_COLUMNS, REMOVAL_COLUMNS

from .pipeline import CUSTOMERS, VIP, Pipeline, people, plain

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def report(**changes: Any) -> SyncReport:
    """Ten rows, of which the given counts are not unchanged."""
    counts = changes.pop("counts", {})
    values: dict[str, Any] = {
        "sync": "s",
        "run_id": "r",
        "org_id": "o",
        "counts": Counts(read=10, unchanged=10 - sum(counts.values()), **counts),
        "rows": pd.DataFrame(
            {
                "key": pd.array([f"C-{n}" for n in range(10)], dtype="string"),
                "outcome": pd.array(["unchanged"] * 10, dtype="string"),
                "kustomer_id": pd.array([None] * 10, dtype="string"),
                "reason": pd.array([None] * 10, dtype="string"),
            }
        ),
        "requests": 1,
        "searches": 0,
        "budget_left": None,
        "seconds": 1.0,
    }
    return SyncReport(**values | changes)


def results(
    sync: ObjectSync | AudienceSync, of: SyncReport, roles: tuple[str, ...] = ()
) -> dict[str, dg.AssetCheckResult]:
    found = {str(result.check_name): result for result in sync_check_results(sync, of, roles)}
    assert set(found) == {spec.name for spec in sync_check_specs(sync)}
    return found


@pytest.mark.parametrize("sync", [CUSTOMERS, VIP])
def test_a_run_without_anything_to_say_passes_all(sync: ObjectSync | AudienceSync) -> None:
    assert all(result.passed and result.description is None for result in results(sync, report()).values())


def test_rows_that_are_deferred_unasked_warn_and_say_why() -> None:
    deferred = report(counts={"deferred": 4}, by_code={ReasonCode.QUEUED: 3, ReasonCode.STOPPED: 1})
    check = results(CUSTOMERS, deferred)["rows_not_deferred"]
    assert (check.passed, check.severity) == (False, WARN)
    assert (check.description or "").startswith("4 of 10 rows are left for the next run (40.0%).")
    assert plain(check.metadata["reasons"]) == [
        {"why": "sent, and still queued in Kustomer", "rows": 3},
        {"why": "the run was stopped", "rows": 1},
    ]


def test_a_share_of_deferred_rows_can_be_allowed() -> None:
    deferred = report(counts={"deferred": 4}, by_code={ReasonCode.QUEUED: 4})
    patient = CUSTOMERS.model_copy(update={"max_deferred_share": 0.4})
    assert results(patient, deferred)["rows_not_deferred"].passed


@pytest.mark.parametrize("code", [ReasonCode.BEYOND_LIMIT, ReasonCode.NOT_ASKED_FOR, ReasonCode.CHANGES_HELD])
def test_rows_that_are_deferred_because_somebody_asked_for_it_pass(code: ReasonCode) -> None:
    check = results(CUSTOMERS, report(counts={"deferred": 9}, by_code={code: 9}))["rows_not_deferred"]
    assert check.passed
    assert plain(check.metadata["deferred_as_asked_for"]) == 9


@pytest.mark.parametrize("absent, passed", [(5, True), (6, False)])
def test_an_audience_of_which_most_are_not_in_kustomer_warns(absent: int, passed: bool) -> None:
    check = results(VIP, report(counts={"skipped": absent}, by_code={ReasonCode.NOT_IN_KUSTOMER: absent}))[
        "members_found"
    ]
    assert (check.passed, check.severity) == (passed, WARN)
    if not passed:
        assert (check.description or "").startswith("6 of 10 members are not in Kustomer (60.0%).")


def test_removals_that_kustomer_refuses_fail_the_check_with_their_reasons() -> None:
    rows = pd.DataFrame([["jane@private.example", "5f", "rev is too old"]], columns=list(REMOVAL_COLUMNS))
    check = results(VIP, report(removals=Removals(members=9, refused=1, rows=rows)))["removals_accepted"]
    assert (check.passed, check.severity) == (False, ERROR)
    assert "Kustomer refused to untag 1 member:" in (check.description or "")
    assert plain(check.metadata["refused_removals"]) == [
        {"key": "j…@….example", "kustomer_id": "5f", "reason": "rev is too old"}
    ]


def test_removals_that_wait_are_a_warning_with_the_run_config_that_lets_them_through() -> None:
    waiting = Removals(members=9, waiting=2, plan_id="removals-2-0a1b2c3d4e")
    checks = results(VIP, report(removals=waiting))
    check = checks["removals_accepted"]
    assert (check.passed, check.severity) == (False, WARN)
    assert "2 removals wait" in (check.description or "")
    assert "approve_removals: removals-2-0a1b2c3d4e" in plain(check.metadata["what_to_do"])
    assert "2 of 9 customers seem to have left" in plain(check.metadata["what_to_do"])
    within = checks["removals_within_limit"]
    assert within.passed
    assert "what_to_do" not in within.metadata


def test_held_changes_fail_with_examples_and_the_run_config_that_lets_them_through() -> None:
    examples = pd.DataFrame(
        [["C-1", "update", "5f", "name", "Jane Private", "Jane Changed", None]], columns=list(CHANGE_COLUMNS)
    )
    held = report(counts={"deferred": 10}, held_changes=HeldChanges(600, 1000, "abc", examples))
    check = results(CUSTOMERS, held)["changes_within_limit"]
    assert (check.passed, check.severity) == (False, ERROR)
    assert "600 of the 1,000 records sent before would change at once" in (check.description or "")
    for metadata in (check.metadata, report_metadata(CUSTOMERS, held)):
        assert "kustomer__customers" in plain(metadata["what_to_do"])
        assert "approve_changes: abc" in plain(metadata["what_to_do"])
        assert metadata["change_plan_id"] in ("abc", dg.MetadataValue.text("abc"))
        [example] = plain(metadata["held_examples"])
        assert (example["key"], example["before"], example["after"]) == ("C-1", "J… (12)", "J… (12), another")


def test_held_removals_fail_with_the_run_config_that_lets_them_through() -> None:
    check = results(VIP, report(removals=Removals(members=10, held=9, plan_id="abc")))["removals_within_limit"]
    assert (check.passed, check.severity) == (False, ERROR)
    assert "9 of 10 customers would lose the tag" in plain(check.metadata["what_to_do"])
    assert "approve_removals: abc" in plain(check.metadata["what_to_do"])


def test_a_key_that_makes_the_sync_dearer_warns_and_other_notes_are_a_check_of_their_own() -> None:
    role = "Without org.permission.bulk.read each record costs a request of its own."
    found = results(VIP, report(notes=(role, "The tag was renamed.")), roles=(role,))
    assert (found["key_is_enough"].passed, found["key_is_enough"].severity) == (False, WARN)
    assert found["key_is_enough"].description == role
    assert found["nothing_to_note"].description == "The tag was renamed."
    assert found["nothing_to_note"].severity == WARN


def test_notes_are_in_the_metadata() -> None:
    assert plain(report_metadata(VIP, report(notes=("One.", "Two.")))["notes"]) == "- One.\n- Two."


def test_an_empty_query_where_records_were_sent_is_no_success(pipeline: Pipeline) -> None:
    pipeline.customers(people(5))
    assert pipeline.run("sync_customers", CUSTOMERS).failed_checks() == {}
    pipeline.customers([])
    run = pipeline.run("sync_customers", CUSTOMERS)
    assert run.failed_checks() == {"kustomer/customers:query_returns_rows": "ERROR"}
    said = run.checks()["kustomer/customers:query_returns_rows"].description
    assert said is not None
    assert said.startswith("The query returned no row, where 5 records were sent before")


def test_a_query_that_never_had_rows_is_fine(pipeline: Pipeline) -> None:
    assert pipeline.run("sync_customers", CUSTOMERS).failed_checks() == {}
