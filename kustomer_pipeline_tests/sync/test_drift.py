"""What a look for drift finds: fields that differ, records that are gone, since when and by whom. It writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from kustomer_pipeline.kustomer import KustomerError, PermissionDeniedError
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox.roles import ALL_ROLES, FOUR_ROLES, without
from kustomer_pipeline.sync import (
    DriftPolicy,
    RowsOutOfDateError,
    RunOptions,
    StateStore,
    What,
    find_drift,
    keys_to_look_at,
)
from kustomer_pipeline.sync.drift import authors
from kustomer_pipeline_tests.sync.drifting import ALL, look, remembered, told
from kustomer_pipeline_tests.world import (
    COMPANY_FIELDS,
    CUSTOMER_FIELDS,
    World,
    companies,
    customers,
    frame_of,
    people,
)

PHONES = (*CUSTOMER_FIELDS, FieldMapping("phone", ("phone",)))


@pytest.fixture
def synced(world: World) -> World:
    """Twenty customers as the warehouse has them; an hour later."""
    world.run(customers(), people(20))
    world.hours_pass(1)
    return world


def id_of(world: World, number: int) -> str:
    return world.id_of(f"p{number}@example.com")


# --- fields -------------------------------------------------------------------------------------------------------


def test_nothing_differs_right_after_a_run(synced: World) -> None:
    report = look(synced, customers(), people(20))
    assert told(report) == []
    assert (report.drifted, report.accepted, report.looked_at, report.requests) == (0, 20, 20, 2)


def test_what_an_agent_changed_is_told_field_by_field(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane", custom={"planStr": "gold"})
    synced.sandbox.agent_edit(id_of(synced, 2), emails=[])
    report = look(synced, customers(), people(20))
    assert told(report) == [
        ("C-1", "changed", "name", "Person 1", "Jane"),
        ("C-1", "changed", "custom.planStr", "free", "gold"),
        ("C-2", "changed", "emails", '[{"email": "p2@example.com"}]', "[]"),
    ]
    assert report.records == {What.CHANGED: 2}
    assert report.fields == {"name": 1, "custom.planStr": 1, "emails": 1}


def test_what_is_not_mapped_and_what_was_added_is_no_drift(synced: World) -> None:
    tag = synced.sandbox.seed_tag("angry")
    emails = [{"email": "p3@example.com"}, {"email": "private@example.com"}]
    synced.sandbox.agent_edit(id_of(synced, 3), emails=emails, tags=[tag], username="jane", custom={"otherStr": "x"})
    synced.sandbox.touch(id_of(synced, 4))
    assert told(look(synced, customers(), people(20))) == []


def test_a_row_that_is_due_anyway_is_no_drift(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    rows = people(20)
    rows[1]["name"] = "Joan"
    report = look(synced, customers(), rows)
    assert (told(report), report.looked_at) == ([], 19)


def test_nulls_and_if_empty_and_moments_are_compared_as_a_patch_compares_them(world: World) -> None:
    fields = (*CUSTOMER_FIELDS[:3], FieldMapping("custom.planStr", ("plan",), write="if_empty"))
    rows = people(3)
    rows[0]["name"] = None
    world.run(customers(fields=fields), rows)
    world.sandbox.agent_edit(id_of(world, 0), name="Jane")
    world.sandbox.agent_edit(id_of(world, 1), custom={"planStr": "gold"})
    world.sandbox.agent_edit(id_of(world, 2), custom={"planStr": None})
    lines = [("C-2", "changed", "custom.planStr", "free", None)]
    assert told(look(world, customers(fields=fields), rows)) == lines


def test_a_link_to_another_company_is_drift(world: World) -> None:
    fields = (*CUSTOMER_FIELDS, FieldMapping("company", ("company",), match="externalId"))
    firms = [world.sandbox.seed_company(externalId=f"A-{n}", name=f"Acme {n}") for n in range(2)]
    rows = [{**row, "company": "A-0"} for row in people(5)]
    world.run(customers(fields=fields), rows)
    world.sandbox.agent_edit(id_of(world, 1), company=firms[1])
    world.sandbox.agent_edit(id_of(world, 2), company=None)
    assert told(look(world, customers(fields=fields), rows)) == [
        ("C-1", "changed", "company", firms[0], firms[1]),
        ("C-2", "changed", "company", firms[0], None),
    ]


def test_companies_are_looked_at_and_a_deleted_one_is_told(world: World) -> None:
    rows = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(6)]
    world.run(companies(), rows)
    ids = {one["externalId"]: id_ for id_, one in world.sandbox.companies.items()}
    world.sandbox.agent_edit(ids["A-1"], name="Renamed")
    world.sandbox.agent_delete(ids["A-2"])
    report = look(world, companies(fields=COMPANY_FIELDS), rows)
    assert told(report) == [
        ("A-1", "changed", "name", "Company 1", "Renamed"),
        ("A-2", "deleted", None, None, None),
    ]


def test_a_record_that_lost_what_it_is_recognised_by_is_told_apart(synced: World) -> None:
    """A run would look for its row, and make it a second time."""
    synced.sandbox.agent_edit(id_of(synced, 1), externalIds=[], externalId=None, emails=[{"email": "new@example.com"}])
    synced.sandbox.agent_edit(id_of(synced, 2), externalIds=[{"externalId": "X-9"}], externalId="X-9")
    report = look(synced, customers(), people(20))
    assert told(report, "key", "what", "field") == [("C-1", "unrecognised", None), ("C-2", "unrecognised", None)]
    [(first,), (second,)] = told(report, "why")
    assert first is not None
    assert "no longer has an identifier" in first
    assert second is not None
    assert "another externalId" in second


# --- which rows ---------------------------------------------------------------------------------------------------


def test_a_sample_is_drawn_by_the_run_and_again_the_same(synced: World) -> None:
    for number in range(20):
        synced.sandbox.agent_edit(id_of(synced, number), name="Jane")
    rows = people(20)
    five = DriftPolicy(sample=5)
    first = told(look(synced, customers(), rows, five, run_id="one"), "key")
    again = told(look(synced, customers(), [*reversed(rows)], five, run_id="one"), "key")
    other = told(look(synced, customers(), rows, five, run_id="two"), "key")
    assert len(first) == len(other) == 5
    assert sorted(first) == sorted(again)
    assert sorted(first) != sorted(other)


def test_every_row_is_drawn_about_as_often_as_any_other(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 7), name="Jane")
    found = sum(look(synced, customers(), people(20), DriftPolicy(5), run_id=f"{n}").drifted for n in range(100))
    assert 10 <= found <= 42  # 25 are likely


def test_of_rows_that_stay_in_the_warehouse_the_keys_are_drawn_from_the_state(tmp_path: Path) -> None:
    """Then their rows leave it for this look: with the same policies, and the row that has changed is no drift."""
    with World(f"sqlite:///{tmp_path / 'state.db'}", in_warehouse=True, job_seconds=2.0) as world:
        spec, rows = customers(), people(50)
        world.run(spec, rows)
        for number in range(50):
            world.sandbox.agent_edit(id_of(world, number), name="Jane")
        rows[7]["plan"] = "pro"
        with StateStore.open(world.state_url, clock=world.clock) as state, world.client() as client:
            org_id = world.sandbox.org_id
            drawn = [keys_to_look_at(spec, state, org_id, 10, seed) for seed in ("one", "one", "two")]
            assert [len(keys) for keys in drawn] == [10, 10, 10]
            assert drawn[0] == drawn[1] != drawn[2]
            assert len(keys_to_look_at(spec, state, org_id, 100, "one")) == 50
            assert world.warehouse is not None
            world.warehouse.write(spec, frame_of(spec, rows))
            left, rest = world.warehouse.read(spec, state, org_id, again=drawn[0])
            mapped = spec.map(left)
            with pytest.raises(RowsOutOfDateError):
                find_drift(spec, mapped, client=client, state=state, rest=rest)
            report = find_drift(
                spec,
                mapped,
                client=client,
                state=state,
                policy=DriftPolicy(10, "accept"),
                options=RunOptions("one"),
                rest=rest,
                drawn=True,
            )
        looked_at = drawn[0] - {"C-7"}
        assert {key for (key,) in told(report, "key")} == looked_at
        assert (report.looked_at, report.accepted) == (len(looked_at), 49)
        assert report.counts["fields_accepted"] == len(looked_at)
        world.run(spec, rows, full_resync=True)
        names = {one["externalId"] for one in world.sandbox.customers.values() if one["name"] == "Jane"}
        assert names == looked_at


def test_all_of_many_costs_a_request_for_a_hundred(world: World) -> None:
    world.run(customers(), people(1_050))
    for number in range(0, 1_050, 100):
        world.sandbox.agent_edit(id_of(world, number), name="Jane")
    report = look(world, customers(), people(1_050))
    assert (report.looked_at, report.records) == (1_050, {What.CHANGED: 11})
    log_requests = world.sandbox.count("GET", "/v1/audit-logs")
    assert (report.requests, log_requests) == (1 + 11 + 11, 11)
    assert report.requests == len(world.sandbox.requests)


# --- gone ---------------------------------------------------------------------------------------------------------


def test_what_became_of_records_that_are_gone_is_found_out(synced: World) -> None:
    other = synced.sandbox.seed_customer(name="Nobody of ours")
    synced.sandbox.agent_delete(id_of(synced, 1))
    synced.sandbox.agent_merge(id_of(synced, 2), id_of(synced, 3))
    target = id_of(synced, 3)
    synced.sandbox.agent_merge(id_of(synced, 4), other)
    synced.hours_pass(1)
    assert told(look(synced, customers(), people(20)), "key", "what", "became") == [
        ("C-1", "deleted", None),
        ("C-2", "merged", target),
        ("C-4", "merged", other),
    ]


def test_a_merge_of_a_moment_ago_is_seen_although_search_lags(synced: World) -> None:
    synced.sandbox.faults.set("search_lag", 60.0)
    synced.sandbox.agent_merge(id_of(synced, 2), id_of(synced, 3))
    assert told(look(synced, customers(), people(20)), "key", "what") == [("C-2", "merged")]


def test_with_a_small_key_what_became_of_a_record_is_told_as_far_as_it_can_be(synced: World) -> None:
    synced.api_key = synced.sandbox.add_api_key(FOUR_ROLES)
    synced.sandbox.agent_delete(id_of(synced, 1))
    synced.sandbox.agent_merge(id_of(synced, 2), id_of(synced, 3))
    synced.sandbox.agent_edit(id_of(synced, 5), name="Jane")
    report = look(synced, customers(), people(20))
    assert told(report, "key", "what") == [("C-1", "gone"), ("C-2", "merged"), ("C-5", "changed")]
    assert synced.sandbox.count("POST", "/v1/customers/search") == 0


def test_an_org_that_does_not_search_for_deleted_ones_fails_nothing(synced: World) -> None:
    synced.sandbox.faults.set("search_forbidden")
    synced.sandbox.agent_delete(id_of(synced, 1))
    assert told(look(synced, customers(), people(20)), "key", "what") == [("C-1", "gone")]


# --- since when, by whom ------------------------------------------------------------------------------------------


def test_since_when_and_by_whom_is_told_for_each_field(synced: World) -> None:
    first = id_of(synced, 1)
    synced.sandbox.agent_edit(first, name="Jane")
    synced.hours_pass(1)
    synced.sandbox.agent_edit(first, custom={"planStr": "gold"})
    synced.hours_pass(1)
    synced.sandbox.agent_edit(first, name="Joan")
    synced.sandbox.touch(first)
    agent = synced.sandbox.state.agent_id
    name, plan = told(look(synced, customers(), people(20)), "field", "since", "by", "edited_at")
    assert name[:1] + name[2:3] == ("name", f"agent {agent}")
    assert plan[2] == f"agent {agent}"
    moments = [at for line in (name, plan) if (at := line[1]) is not None]
    assert moments == sorted(moments)  # the name was another one first, whatever became of it later
    assert len(set(moments)) == 2
    assert name[3] is not None
    assert name[3] > moments[1]


def test_another_key_is_told_from_an_agent_and_from_this_one(synced: World) -> None:
    other = synced.sandbox.add_api_key()
    ids = [id_of(synced, number) for number in range(3)]
    for key, number in ((other, 1), (synced.sandbox.api_key, 2)):
        with synced.client(key) as client:
            client.run(client.write_one("customers", "update", {"id": ids[number], "name": "Jane", "company": None}))
    synced.sandbox.agent_delete(ids[0])
    found = told(look(synced, customers(), people(20)), "key", "by")
    assert [(key, str(by).rsplit(" ", 1)[0]) for key, by in found] == [
        ("C-0", "agent"),
        ("C-1", "other key"),
        ("C-2", "this key"),
    ]


@pytest.mark.parametrize("told_roles", [True, False], ids=["roles listed", "only refused"])
def test_without_the_role_it_is_not_known_and_nothing_fails(synced: World, told_roles: bool) -> None:
    roles = without(ALL_ROLES, "org.permission.audit_logs.read")
    synced.api_key = synced.sandbox.add_api_key(roles if told_roles else [*roles, "org.other"])
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    report = look(synced, customers(), people(20))
    assert told(report, "key", "field", "since", "by") == [("C-1", "name", None, None)]
    assert told(report, "edited_at") != [(None,)]
    assert ["org.permission.audit_logs.read" in note for note in report.notes] == [True]
    assert synced.sandbox.count("GET", "/v1/audit-logs") == (0 if told_roles else 1)


def test_who_it_was_is_asked_for_the_last_edited_of_many(synced: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authors, "LOOK_UPS", 3)
    for number in range(5):
        synced.sandbox.agent_edit(id_of(synced, number), name="Jane")
        synced.hours_pass(0.1)
    synced.sandbox.agent_delete(id_of(synced, 9))
    report = look(synced, customers(), people(20))
    known = [key for key, by in told(report, "key", "by") if by is not None]
    assert known == ["C-3", "C-4", "C-9"]
    assert synced.sandbox.count("GET", "/v1/audit-logs") == 3
    assert any("3 others" in note for note in report.notes)


# --- it only looks ------------------------------------------------------------------------------------------------


def test_a_report_writes_nothing_here_or_there(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    synced.sandbox.agent_delete(id_of(synced, 2))
    there, here = dict(synced.sandbox.customers), remembered(synced)
    look(synced, customers(), people(20))
    assert dict(synced.sandbox.customers) == there
    assert remembered(synced) == here
    assert {one.method for one in synced.sandbox.requests} <= {"GET", "POST"}
    assert {one.path for one in synced.sandbox.requests if one.method == "POST"} <= {"/v1/customers/search"}


def test_a_run_that_sends_meanwhile_is_no_drift(synced: World) -> None:
    """What it wrote after the state was read, and before Kustomer was, is not somebody else's."""
    rows = people(20)
    rows[3]["name"] = "Joan"
    synced.sandbox.agent_edit(id_of(synced, 5), name="Jane")
    report = look(synced, customers(), people(20), before_reading=lambda: synced.run(customers(), rows))
    assert synced.customer("C-3")["name"] == "Joan"
    assert told(report, "key") == [("C-5",)]


def test_a_key_that_may_not_read_is_told_before_anything_is_asked(synced: World) -> None:
    synced.api_key = synced.sandbox.add_api_key(["org.permission.company.read"])
    with pytest.raises(PermissionDeniedError, match=r"org\.permission\.customer\.read"):
        look(synced, customers(), people(20))


def test_kustomer_that_does_not_answer_ends_it_and_nothing_is_written(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    here = remembered(synced)
    synced.sandbox.faults.set("gateway_error_before", 502)
    with pytest.raises(KustomerError):
        look(synced, customers(), people(20), ALL)
    assert remembered(synced) == here


# --- what may be shown --------------------------------------------------------------------------------------------


def test_values_and_personal_keys_are_masked(world: World) -> None:
    spec = customers(match_on=("email",), fields=PHONES[1:])
    rows = [{**row, "phone": f"+1212555000{n}"} for n, row in enumerate(people(3))]
    world.run(spec, rows)
    world.sandbox.agent_edit(id_of(world, 1), name="Jane Doe", phones=[{"phone": "+12125559999"}])
    report = look(world, spec, rows)
    shown = report.table().to_csv()
    for secret in ("Jane Doe", "Person 1", "p1@example.com", "2125559999", "2125550001"):
        assert secret not in shown
        assert secret in report.rows.to_csv()
    assert "Jane Doe" in report.table(show_values=True).to_csv()
