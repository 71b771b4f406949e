"""What is told of syncs: their files, attributes, tags, and what the state holds of them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kustomer_pipeline import resources
from kustomer_pipeline.sync import StateStore
from kustomer_pipeline.sync.state import Job, RememberedRow, RunLine
from kustomer_pipeline.sync.state.tables import RUN_COUNTS

from .conftest import CUSTOMERS, VIP, Doctor


def store_of(doctor: Doctor) -> StateStore:
    return StateStore.open(f"sqlite:///{doctor.state}", clock=doctor.clock)


@pytest.mark.parametrize("strict", ["", "1"])
def test_a_file_that_does_not_load_is_named_with_its_line(
    doctor: Doctor, strict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_STRICT", strict)
    doctor.sync("customers", CUSTOMERS.replace("object: customers", "object: people"))
    answer = doctor.look()
    finding = answer.finding("syncs" if strict else "customers")
    assert finding["level"] == "problem"
    assert "customers/defs.yaml:4" in finding["says"]
    assert answer.finding("key")["level"] == "ok"
    assert strict or answer.finding("syncs")["value"] == ["vip"]
    assert answer.status == 2


def test_what_is_remembered_of_a_sync_that_does_not_load_is_no_former_syncs(doctor: Doctor) -> None:
    with store_of(doctor) as store, store.of(doctor.sandbox.org_id, "customers").transaction() as tx:
        tx.rows.put([RememberedRow("C-1", "accepted")], "run-1")
    doctor.sync("customers", CUSTOMERS.replace("object: customers", "object: people"))
    assert "former syncs" not in [one["name"] for one in doctor.look().content["findings"]]


def test_only_the_syncs_that_are_named_are_looked_at(doctor: Doctor) -> None:
    answer = doctor.look("vip")
    assert answer.finding("syncs")["value"] == ["vip"]
    assert not any("customers" in one["name"] for one in answer.content["findings"] if one["section"] == "key")


def test_a_sync_that_there_is_none_of_is_a_problem(doctor: Doctor) -> None:
    assert "there is no sync nobody; there are customers, vip" in doctor.look("nobody").finding("syncs")["says"]


@pytest.mark.parametrize(
    "described,level,value",
    [
        ({"type": "string"}, "ok", "string"),
        ({"type": "number"}, "warning", "number"),
        ({"type": "string", "deletedAt": "2026-01-01T00:00:00.000Z"}, "warning", "deleted"),
        ({"type": "string", "multi": True}, "warning", "list"),
        ({"type": "string", "enumeration": ["a", "b"]}, "warning", {"enumeration": 2}),
    ],
)
def test_a_custom_attribute_is_compared_with_the_orgs_description(
    doctor: Doctor, described: dict[str, Any], level: str, value: object
) -> None:
    doctor.sandbox.declare_custom("customer", planStr=described)
    finding = doctor.look().finding("customer planStr")
    assert (finding["level"], finding["value"]) == (level, value)


def test_a_custom_attribute_that_nobody_declared_is_a_warning(doctor: Doctor) -> None:
    doctor.sync("customers", CUSTOMERS.replace("custom.planStr", "custom.otherStr"))
    assert doctor.look().finding("customer otherStr")["value"] == "missing"


def test_a_tag_that_is_not_there_yet_is_no_warning(doctor: Doctor) -> None:
    doctor.sync("vip", VIP.replace("tag: vip", "tag: new one"))
    finding = doctor.look().finding("tag of vip")
    assert (finding["level"], finding["value"]["id"]) == ("ok", None)


@pytest.mark.parametrize("made_anew", [True, False])
def test_a_tag_that_is_another_than_remembered_is_a_warning(doctor: Doctor, made_anew: bool) -> None:
    with store_of(doctor) as store:
        store.org(doctor.sandbox.org_id).set_fact("tag:vip", "1" * 24)
    if not made_anew:
        for tag in list(doctor.sandbox.tags):
            doctor.sandbox.delete_tag(tag)
    finding = doctor.look().finding("tag of vip")
    assert finding["level"] == "warning"
    assert finding["value"]["remembered"] == "1" * 24


def test_what_the_state_holds_is_told(doctor: Doctor) -> None:
    counts = dict.fromkeys(RUN_COUNTS, 0) | {"removals_held": 7}
    now = datetime.fromtimestamp(doctor.clock.time(), UTC)
    with store_of(doctor) as store, store.of(doctor.sandbox.org_id, "vip").transaction() as tx:
        tx.runs.add(RunLine("run-1", now, now, counts, 1.0))
        tx.journal.intend(Job("job-1", "update", "customers", ()), "run-1")
    doctor.clock.advance(3600)
    answer = doctor.look()
    assert answer.finding("held by vip")["value"] == {"removals_held": 7, "changes_held": 0}
    left = answer.finding("jobs left behind")
    assert "60 minutes ago" in left["says"]
    assert "gives them up" in left["advice"]
    assert answer.finding("customers")["value"] == {"rows": 0}


@pytest.mark.parametrize("results", [True, False])
def test_the_newest_job_that_the_state_remembers_shows_the_form_of_batches(doctor: Doctor, results: bool) -> None:
    if not results:
        doctor.sandbox.faults.set("batches_results_missing")
    with store_of(doctor) as store, store.of(doctor.sandbox.org_id, "vip").transaction() as tx:
        tx.journal.intend(Job("job-1", "update", "customers", (), bulk_id=submitted(doctor)), "run-1")
    doctor.clock.advance(60)
    finding = doctor.look().finding("bulk batches")
    assert finding["value"] == {"form": "data with meta", "results": results, "links": False}
    assert finding["level"] == ("ok" if results else "warning")


def submitted(doctor: Doctor) -> str:
    """A job of one record, handed in by somebody else."""
    record = next(iter(doctor.sandbox.customers))
    with resources.KustomerResource().client() as client:
        return client.run(client.submit_bulk("customers", "update", [{"_clientRef": "1", "id": record, "name": "X"}]))


def test_what_is_remembered_of_the_org_is_told_and_compared(doctor: Doctor) -> None:
    learned = {"ids": {"customers": [True, 100, 100]}, "search": {"customers.email": [False, 20, 100, 400]}}
    with store_of(doctor) as store:
        store.org(doctor.sandbox.org_id).set_fact("wire", json.dumps(learned))
    finding = doctor.look().finding("remembered")
    assert finding["level"] == "warning"
    assert finding["value"]["different"] == {"search with in, customers.email": [False, True]}
    assert "search with in, customers.email is remembered as False, and was True now" in finding["says"]


def test_what_is_remembered_rightly_is_no_warning(doctor: Doctor) -> None:
    with store_of(doctor) as store:
        store.org(doctor.sandbox.org_id).set_fact("wire", json.dumps({"search_page_size": 500, "sort": True}))
    assert doctor.look().finding("remembered")["level"] == "ok"


def test_the_doctor_stops_asking_when_it_has_spent_enough(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kustomer_pipeline.doctor.engine.MOST_REQUESTS", 20)
    answer = doctor.look()
    assert 20 <= answer.content["requests"] < 25
    assert "at most 20 requests" in answer.finding("search by e-mail")["says"]


def test_an_error_in_the_middle_is_one_finding_and_the_others_go_on(doctor: Doctor) -> None:
    doctor.sandbox.faults.set("gateway_error_before", 502, path="/v1/companies")
    answer = doctor.look()
    assert answer.finding("list of companies")["level"] == "unknown"
    assert answer.finding("search page size")["value"] == 500


def test_a_mistake_of_the_doctors_own_is_one_finding_and_no_stack_trace(doctor: Doctor) -> None:
    with store_of(doctor) as store:
        store.org(doctor.sandbox.org_id).set_fact("wire", "no JSON")
    finding = doctor.look().finding("remembered")
    assert (finding["level"], finding["advice"]) == ("unknown", "Please report it.")


def test_the_rows_of_an_asset_are_not_asked_for(doctor: Doctor) -> None:
    doctor.sync("vip", VIP.replace("query: ", "source: analytics/members # "))
    finding = doctor.look().finding("query of vip")
    assert finding["level"] == "ok"
    assert "made by the asset analytics/members" in finding["says"]
