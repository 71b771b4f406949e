"""The rows behind each request: the engine says whose it is, wherever it asks for rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox.roles import FOUR_ROLES
from kustomer_pipeline.sync import StateStore, undo_run
from kustomer_pipeline_tests.telemetry.watched import Notes, WatchedWorld
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, audience, companies, customers, members, people

BULK, BATCHES = "/v1/customers/bulk", "/v1/bulk/{bulk_id}/batches"


def keys_of(notes: Notes, template: str, method: str | None = None) -> Counter[str]:
    """Row keys of the requests of that kind, and in how many of them each was."""
    of_kind = [one for one in notes.attempts if one.template == template and method in (None, one.method)]
    return Counter(key for one in of_kind for key in one.keys)


def without_rows(notes: Notes) -> set[str]:
    return {f"{one.method} {one.template}" for one in notes.attempts if not one.keys}


def test_each_row_is_in_the_one_request_that_wrote_it_and_in_those_that_asked_for_its_answer(
    watched: WatchedWorld, notes: Notes
) -> None:
    watched.run(customers(), people(250))
    everybody = {f"C-{number}" for number in range(250)}
    assert keys_of(notes, BULK) == Counter(everybody)
    assert keys_of(notes, BATCHES).keys() == everybody
    assert [len(one.keys) for one in notes.attempts if one.template == BULK] == [100, 100, 50]
    assert without_rows(notes) == {"GET /v1/auth/tokens/current", "GET /v1/customers"}


def test_a_search_and_a_read_are_about_the_rows_that_they_asked_for(watched: WatchedWorld, notes: Notes) -> None:
    watched.sandbox.seed_customer(externalId="C-1", emails=[{"email": "p1@example.com"}])
    watched.run(customers(), people(250))
    searches = [one for one in notes.attempts if one.searches]
    assert all(1 <= len(one.keys) <= 20 for one in searches)
    assert keys_of(notes, "/v1/customers/{id}") == {"C-1": 1}
    assert keys_of(notes, BULK, "PUT") == {"C-1": 1}


def test_a_look_up_is_about_the_row_whose_identifier_it_is(watched: WatchedWorld, notes: Notes) -> None:
    watched.sandbox.faults.set("search_forbidden")
    watched.run(customers(mode="update"), people(3))
    assert keys_of(notes, "/v1/customers/externalId={externalId}") == {"C-0": 1, "C-1": 1, "C-2": 1}
    assert keys_of(notes, "/v1/customers/email={email}") == {"C-0": 1, "C-1": 1, "C-2": 1}


def test_single_writes_are_about_one_row_each(watched: WatchedWorld, notes: Notes) -> None:
    watched.api_key = watched.sandbox.add_api_key(FOUR_ROLES)
    watched.run(customers(), people(3))
    assert keys_of(notes, "/v1/customers", "POST") == {"C-0": 1, "C-1": 1, "C-2": 1}


def test_a_company_that_is_looked_for_is_about_the_rows_that_name_it(watched: WatchedWorld, notes: Notes) -> None:
    watched.run(companies(), [{"id": "A-1", "name": "Acme"}])
    notes.attempts.clear()
    spec = customers(fields=(*CUSTOMER_FIELDS, FieldMapping("company", ("company",))))
    watched.run(spec, [{**one, "company": "A-1" if one["id"] != "C-2" else "A-9"} for one in people(4)])
    by_company = [one for one in notes.attempts if one.template.startswith("/v1/companies")]
    found = Counter(key for one in by_company for key in one.keys)
    assert found["C-0"] == found["C-1"] == found["C-3"] >= 1
    assert found["C-2"] >= 1
    assert "A-1" not in found
    assert "A-9" not in found


def test_members_who_leave_go_by_their_key(watched: WatchedWorld, notes: Notes) -> None:
    watched.run(customers(), people(30))
    watched.run(audience(), members(30))
    notes.attempts.clear()
    watched.run(audience(), members(25))
    left = {f"p{number}@example.com": 1 for number in range(25, 30)}
    assert keys_of(notes, BULK) == left
    assert keys_of(notes, "/v1/customers/{ids}") == left


def test_the_sample_that_is_read_again_is_about_its_rows(watched: WatchedWorld, notes: Notes) -> None:
    watched.run(customers(), people(5), read_back=2)
    assert sum(keys_of(notes, "/v1/customers/{ids}").values()) == 2


def test_an_answer_that_an_earlier_run_left_behind_is_about_the_rows_of_its_job(
    watched: WatchedWorld, notes: Notes
) -> None:
    watched.jobs_take(3600)
    watched.run(customers(), people(3))
    notes.attempts.clear()
    watched.hours_pass(0.1)
    watched.run(customers(), people(3))
    asked = [one for one in notes.attempts if one.template in (BATCHES, "/v1/bulk/{bulk_id}")]
    assert {one.keys for one in asked} == {("C-0", "C-1", "C-2")}


def test_a_plan_is_about_the_rows_of_its_frame_and_says_that_it_is_one(watched: WatchedWorld, notes: Notes) -> None:
    watched.sandbox.seed_customer(externalId="C-1", emails=[{"email": "p1@example.com"}])
    watched.plan(customers(), people(3))
    assert keys_of(notes, "/v1/customers/{id}") == {"C-1": 1}
    assert {one.work.kind for one in notes.attempts if one.work} == {"plan"}


def test_an_undo_is_about_the_syncs_and_rows_that_it_takes_back(watched: WatchedWorld, notes: Notes) -> None:
    watched.run(customers(), people(3))
    watched.run(customers(), people(3, plan="pro"), run_id="run-2")
    notes.attempts.clear()
    with watched.client() as client, StateStore.open(watched.state_url, clock=watched.clock) as state:
        undo_run("run-2", client=client, state=state, as_run="run-3")
    assert keys_of(notes, BULK) == {"customers/C-0": 1, "customers/C-1": 1, "customers/C-2": 1}
    assert {(one.work.sync, one.work.run_id, one.work.kind) for one in notes.attempts if one.work} == {
        ("undo_run", "run-3", "undo")
    }
    assert [end.outcomes for end in notes.ends][-1] == {"restored": 3}


def test_every_request_of_a_run_is_told_and_its_units_add_up(watched: WatchedWorld, notes: Notes) -> None:
    watched.sandbox.faults.set("drop_before", probability=0.2)
    watched.sandbox.faults.set("gateway_error_after", probability=0.2)
    for spec, rows in ((customers(), people(150)), (audience(), members(100))):
        notes.attempts.clear()
        report = watched.run(spec, rows)
        mine = [one for one in notes.attempts if one.work is not None and one.work.sync == spec.name]
        assert sum(one.units for one in mine) == report.requests
        assert sum(one.searches for one in mine) == report.searches
        assert mine == notes.attempts


def test_what_became_of_the_rows_is_told_at_the_end(watched: WatchedWorld, notes: Notes) -> None:
    report = watched.run(customers(), [*people(20), {"id": "C-90", "email": "no address"}])
    [end] = notes.ends
    assert (end.work.sync, end.work.run_id, end.work.kind) == ("customers", report.run_id, "run")
    assert end.org_id == report.org_id
    expected: dict[str, Any] = {"created": 20, "invalid": 1}
    assert {name: count for name, count in end.outcomes.items() if count} == expected
    assert sum(end.outcomes.values()) == report.counts.read


def test_a_bulk_job_is_told_with_its_results_and_the_time_it_took(watched: WatchedWorld, notes: Notes) -> None:
    watched.run(customers(), people(120))
    told = [(job.operation, job.items, job.complete, job.results) for job in notes.jobs]
    assert told == [("create", 100, True, {"created": 100}), ("create", 20, True, {"created": 20})]
    assert all(2.0 <= job.seconds < 4.0 for job in notes.jobs)
    assert all(job.work is not None and job.work.sync == "customers" for job in notes.jobs)


def test_a_job_that_nobody_waits_for_any_longer_is_not_complete(watched: WatchedWorld, notes: Notes) -> None:
    watched.jobs_take(3600)
    watched.run(customers(), people(3))
    assert [(job.items, job.complete, job.results) for job in notes.jobs] == [(3, False, {})]
