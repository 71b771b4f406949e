"""Each question that the documentation leaves open, answered both ways."""

from typing import Any

import pytest

from kustomer_pipeline.sandbox import FOUR_ROLES, Fault

from .conftest import Doctor

FAULTS: list[tuple[dict[str, Any], str, str, Any]] = [
    # faults, finding, its mark, its value
    ({}, "errors", "ok", "B (JSON:API), status is a number"),
    ({"error_status_text": True}, "errors", "ok", "B (JSON:API), status is text"),
    ({"error_envelope": "A"}, "errors", "ok", "A (code, message)"),
    ({"error_not_json": True}, "errors", "ok", "not JSON"),
    ({"list_refused": Fault(404, path="/v1/customers")}, "list of customers", "warning", {"works": False}),
    ({}, "list of customers", "ok", {"works": True, "total": 4, "page_size": 100, "sort": True}),
    ({}, "list by time", "ok", True),
    ({"multi_get_refused": 404}, "ids in one GET", "warning", {"works": False, "at_most": 100, "taken": 0}),
    ({}, "ids in one GET", "ok", {"works": True, "at_most": 100, "taken": 4}),
    ({}, "missing ids", "ok", "left out"),
    ({"multi_get_missing_404": True}, "missing ids", "ok", "refused"),
    ({}, "attributes not set", "ok", "absent"),
    ({"unset_as_null": True}, "attributes not set", "ok", "null"),
    ({}, "WhatsApp numbers", "ok", {"prefix": True}),
    ({"whatsapp_plain": True}, "WhatsApp numbers", "ok", {"prefix": False}),
    ({}, "companies in one GET", "ok", False),
    ({"companies_multi_get": True}, "companies in one GET", "ok", True),
    ({}, "companies by filter", "ok", "any part of the name"),
    ({}, "externalId and filter", "ok", {"ignored": True}),
    ({}, "search with in, email", "ok", {"in": True, "values_a_search": 100}),
    ({"search_in_refused": True}, "search with in, email", "ok", {"in": False, "values_a_search": 20}),
    ({"search_lag": 3600.0}, "search with in, phone", "unknown", None),
    ({}, "search page size", "ok", 500),
    ({}, "search criteria", "ok", {"more": False}),
    ({"search_criteria_limit": 10}, "search criteria", "warning", {"at_most": "below 20"}),
    ({}, "search by e-mail", "ok", {"loose": True}),
    ({"search_exact": True}, "search by e-mail", "ok", {"loose": False}),
    ({}, "search queryContext", "ok", False),
    ({}, "search by company_externalId", "ok", False),
    ({}, "search by tag", "ok", {"equals": True, "in": True}),
    ({"search_in_refused": True}, "search by tag", "ok", {"equals": True, "in": False}),
    ({"search_forbidden": True}, "search", "unknown", None),
    ({}, "look-up by e-mail", "ok", {"any_case": True}),
    ({}, "look-up by phone", "ok", {"with plus": True, "without plus": True}),
    ({}, "reset header", "ok", []),
    ({"rate_reset_always": True}, "reset header", "ok", ["seconds since 1970"]),
    ({"rate_reset_always": True, "rate_reset": "wait"}, "reset header", "ok", ["seconds to wait"]),
    ({"rate_reset_always": True, "rate_reset": "milliseconds"}, "reset header", "ok", ["milliseconds since 1970"]),
    ({"rate_headers_missing": True}, "limit", "unknown", None),
]


@pytest.mark.parametrize("faults,name,level,value", FAULTS)
def test_what_the_org_does_is_found_out(
    doctor: Doctor, faults: dict[str, Any], name: str, level: str, value: object
) -> None:
    for fault, setting in faults.items():
        given = setting if isinstance(setting, Fault) else Fault(setting)
        doctor.sandbox.faults.set(fault, given.value, path=given.path)
    finding = doctor.look().finding(name)
    assert finding["level"] == level
    if value is not None:
        assert finding["value"] == value


@pytest.mark.parametrize("legacy,status", [(False, 403), (True, 401)])
def test_the_status_of_a_missing_role_is_asked_for_where_one_is_missing(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, legacy: bool, status: int
) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", doctor.sandbox.add_api_key(FOUR_ROLES))
    if legacy:
        doctor.sandbox.faults.set("missing_role_401", True)
    assert doctor.look().finding("missing role")["value"] == status


def test_how_many_ids_a_get_takes_is_found_out_without_a_request_for_each(doctor: Doctor) -> None:
    for n in range(100):
        doctor.sandbox.seed_customer(externalId=f"M-{n}", emails=[{"email": f"many{n}@private.example"}])
    doctor.sandbox.faults.set("multi_get_limit", 50)
    answer = doctor.look()
    assert answer.finding("ids in one GET")["value"] == {"works": True, "at_most": 50, "taken": 50}
    assert doctor.sandbox.units() <= 60


def test_an_in_that_is_ignored_is_not_taken_for_one_that_works(doctor: Doctor) -> None:
    for n in range(20):
        doctor.sandbox.seed_customer(externalId=f"M-{n}", emails=[{"email": f"many{n}@private.example"}])
    doctor.sandbox.faults.set("search_in_ignored")
    finding = doctor.look().finding("search with in, externalId")
    assert finding["value"] == {"in": False, "values_a_search": 20}


def test_deleted_companies_in_lists_are_noticed(doctor: Doctor) -> None:
    gone = next(iter(doctor.sandbox.companies))
    doctor.sandbox.agent_edit(gone, deleted=True)
    assert doctor.look().finding("deleted companies")["value"] == "shown"
    doctor.sandbox.faults.set("deleted_company_hidden", True)
    assert doctor.look().finding("deleted companies")["level"] == "unknown"


def test_deleted_tags_are_counted(doctor: Doctor) -> None:
    doctor.sandbox.delete_tag(doctor.sandbox.seed_tag("old"))
    value = doctor.look().finding("tags")["value"]
    assert value == {"listed": 1, "deleted_shown": 1, "deleted_despite_filter": 0}


def test_who_was_untouched_for_two_years_is_searched_for(doctor: Doctor) -> None:
    first, *others = doctor.sandbox.customers
    doctor.clock.advance(3 * 365 * 86_400)
    for one in others:
        doctor.sandbox.touch(one)
    answer = doctor.look()
    assert answer.finding("search for old records")["value"] == {"found": False}
    assert answer.finding("search reach")["value"]["total"] == 3
    assert first not in answer.text


def test_what_others_spend_is_measured(doctor: Doctor) -> None:
    doctor.sandbox.spend(300)
    doctor.sandbox.faults.set("others_spend", 2)
    finding = doctor.look().finding("others")
    assert finding["value"]["gone_before"] in (300, 302)
    assert finding["value"]["meanwhile"] >= 2 * 20


def test_others_who_leave_little_are_a_warning(doctor: Doctor) -> None:
    doctor.sandbox.spend(600)
    assert doctor.look().finding("others")["level"] == "warning"


def test_an_empty_org_leaves_open_what_only_records_show(doctor: Doctor) -> None:
    for one in list(doctor.sandbox.customers):
        doctor.sandbox.agent_delete(one)
    answer = doctor.look()
    says = {one["says"] for one in answer.content["findings"] if one["name"] == "not looked at"}
    assert "the org has no customers, so there are no records to ask with" in says
    assert answer.status == 0
