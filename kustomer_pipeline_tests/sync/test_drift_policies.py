"""What is done about drift: ours again, or theirs until the warehouse changes; made again, or left out."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import ChangeLimit, DriftPolicy, Person, StateStore, What, in_shard, shard_number
from kustomer_pipeline_tests.sync.drifting import (
    ACCEPT,
    ALL,
    FORGET,
    RECREATE,
    RESTORE,
    look,
    outcomes,
    remembered,
    told,
)
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, World, customers, people

EDITS: list[dict[str, Any]] = [{"name": "Jane"}, {"name": None}, {"custom": {"planStr": "x"}}, {"emails": []}]
REASON = "deleted in Kustomer; left out until the row changes (on_deleted: forget)"


@pytest.fixture
def synced(world: World) -> World:
    """Ten customers as the warehouse has them."""
    world.run(customers(), people(10))
    return world


def id_of(world: World, number: int) -> str:
    return world.id_of(f"p{number}@example.com")


def rows_with(number: int, **changes: Any) -> list[dict[str, Any]]:
    rows = people(10)
    rows[number].update(changes)
    return rows


# --- restore ------------------------------------------------------------------------------------------------------


def test_restore_sends_ours_with_the_next_run_and_nothing_else(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane", username="jane")
    synced.sandbox.agent_edit(id_of(synced, 2), emails=[{"email": "new@example.com"}])
    report = look(synced, customers(), people(10), RESTORE)
    assert told(report, "key", "done") == [("C-1", "sent again by the next run"), ("C-2", "sent again by the next run")]
    assert synced.customer("C-1")["name"] == "Jane"  # a look writes nothing in Kustomer
    assert synced.plan(customers(), people(10)).counts["update"] == 2
    assert outcomes(synced.run(customers(), people(10))) == {"C-1": "updated", "C-2": "updated"}
    jane = synced.customer("C-1")
    assert (jane["name"], jane["username"]) == ("Person 1", "jane")
    assert [one["email"] for one in synced.customer("C-2")["emails"]] == ["new@example.com", "p2@example.com"]
    assert look(synced, customers(), people(10)).drifted == 0
    assert synced.run(customers(), people(10)).counts.unchanged == 10
    assert len(synced.sandbox.requests) == 1


def test_what_is_put_right_while_it_is_looked_at_is_left_alone(synced: World) -> None:
    first = id_of(synced, 1)
    synced.sandbox.agent_edit(first, name="Jane")

    def put_right() -> None:
        synced.sandbox.agent_edit(first, name="Person 1")

    report = look(synced, customers(), people(10), RESTORE, after_reading=put_right)
    assert told(report, "key", "done") == [("C-1", None)]
    assert synced.run(customers(), people(10)).counts.unchanged == 10


def test_what_a_run_sends_while_it_is_looked_at_is_left_alone(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    newer = rows_with(1, name="Joan")
    report = look(synced, customers(), people(10), RESTORE, after_reading=lambda: synced.run(customers(), newer))
    assert told(report) == []
    assert synced.run(customers(), newer).counts.unchanged == 10


def test_what_changes_once_more_before_the_run_is_decided_on_what_is_there_then(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    synced.sandbox.agent_edit(id_of(synced, 2), name="Jane")
    look(synced, customers(), people(10), RESTORE)
    synced.sandbox.agent_edit(id_of(synced, 1), name="Person 1")
    synced.sandbox.agent_delete(id_of(synced, 2))
    assert outcomes(synced.run(customers(), people(10))) == {"C-2": "created"}
    assert len(synced.sandbox.customers) == 10


def test_more_than_max_changes_allows_is_not_restored(world: World) -> None:
    world.run(customers(), people(150))
    for number in range(120):
        world.sandbox.agent_edit(id_of(world, number), name="Jane")
    guarded = customers(max_changes=ChangeLimit())
    report = look(world, guarded, people(150), RESTORE)
    assert (report.records, report.counts["restored"]) == ({What.CHANGED: 120}, 0)
    assert any("max_changes" in note for note in report.notes)
    assert world.run(guarded, people(150)).counts.unchanged == 150


def test_more_than_max_changes_allows_is_not_left_out(world: World) -> None:
    world.run(customers(), people(150))
    for number in range(120):
        world.sandbox.agent_delete(id_of(world, number))
    guarded = customers(max_changes=ChangeLimit())
    report = look(world, guarded, people(150), FORGET)
    assert (report.away, report.counts["forgotten"]) == (120, 0)
    assert any("still see" in note for note in report.notes)
    assert look(world, guarded, people(150), FORGET).looked_at == 150


def test_a_sync_that_only_creates_restores_nothing(world: World) -> None:
    spec = customers(mode="insert")
    world.run(spec, people(3))
    world.sandbox.agent_edit(id_of(world, 1), name="Jane")
    report = look(world, spec, people(3), RESTORE)
    assert (report.drifted, report.counts["restored"]) == (1, 0)
    assert any("insert" in note for note in report.notes)


@pytest.mark.parametrize("policy", [RESTORE, ACCEPT, RECREATE, FORGET], ids=["restore", "accept", "recreate", "forget"])
def test_nobody_is_made_twice_because_a_record_is_not_recognised(synced: World, policy: DriftPolicy) -> None:
    """Who would be looked for anew is not found, and would be created beside the record that it was."""
    synced.sandbox.agent_edit(id_of(synced, 1), externalIds=[], externalId=None, emails=[{"email": "new@example.com"}])
    here = remembered(synced)
    report = look(synced, customers(), people(10), policy)
    assert report.records == {What.UNRECOGNISED: 1}
    assert remembered(synced) == here
    assert synced.run(customers(), people(10)).counts.unchanged == 10
    assert len(synced.sandbox.customers) == 10


def test_looking_does_not_wait_for_a_run_of_others(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    with StateStore.open(synced.state_url, clock=synced.clock) as state, state.lock(synced.sandbox.org_id):
        assert look(synced, customers(), people(10)).drifted == 1


# --- accept -------------------------------------------------------------------------------------------------------


def test_what_is_accepted_is_theirs_whatever_else_changes(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    report = look(synced, customers(), people(10), ACCEPT)
    assert told(report, "key", "field", "done") == [("C-1", "name", "left to Kustomer")]
    again = look(synced, customers(), people(10))
    assert (again.drifted, again.left_to_them) == (0, 1)
    assert synced.run(customers(), people(10)).counts.unchanged == 10
    assert synced.run(customers(), people(10), full_resync=True).counts.unchanged == 10
    rows = rows_with(1, plan="pro")
    plan = synced.plan(customers(), rows)
    assert [(key, field) for key, field in plan.changes[["key", "field"]].itertuples(index=False)] == [
        ("C-1", "custom.planStr")
    ]
    report_of_run = synced.run(customers(), rows)
    assert outcomes(report_of_run) == {"C-1": "updated"}
    assert report_of_run.read_back.drifted == 0
    jane = synced.customer("C-1")
    assert (jane["name"], jane["custom"]) == ("Jane", {"planStr": "pro"})
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane Doe")  # the field is theirs, whatever they make of it
    assert look(synced, customers(), rows).drifted == 0
    assert synced.run(customers(), rows, full_resync=True).counts.unchanged == 10


@pytest.mark.parametrize(
    ("edit", "field", "change"),
    [
        ({"name": "Jane"}, "name", {"name": "Joan"}),
        ({"name": None}, "name", {"name": "Joan"}),
        ({"custom": {"planStr": "gold"}}, "custom.planStr", {"plan": "pro"}),
        ({"emails": [{"email": "x@example.com"}]}, "emails", {"email": "joan@example.com"}),
        ({"emails": []}, "emails", {"email": "joan@example.com"}),
    ],
    ids=["a scalar", "an emptied one", "a custom attribute", "another address", "no address"],
)
def test_when_the_warehouse_changes_ours_goes_again_and_goes_on(
    synced: World, edit: dict[str, Any], field: str, change: dict[str, Any]
) -> None:
    before = synced.customer("C-1")
    synced.sandbox.agent_edit(id_of(synced, 1), **edit)
    theirs = synced.customer("C-1")
    assert told(look(synced, customers(), people(10), ACCEPT), "field") == [(field,)]
    other = {"plan": "pro"} if "plan" not in change else {"name": "Joan"}
    synced.run(customers(), rows_with(1, **other))
    attribute = field.partition(".")[0]
    assert synced.customer("C-1").get(attribute) == (
        theirs.get(attribute) if attribute != "custom" else {"planStr": "gold"}
    )
    rows = rows_with(1, **other, **change)
    assert outcomes(synced.run(customers(), rows)) == {"C-1": "updated"}
    assert look(synced, customers(), rows).drifted == 0
    # What the warehouse said when it was accepted is news again when it says so again.
    back = rows_with(1, **other)
    synced.sandbox.agent_edit(synced_id(synced), **edit)
    assert look(synced, customers(), rows).left_to_them == 0
    assert outcomes(synced.run(customers(), back)) == {"C-1": "updated"}
    now = synced.customer("C-1")
    assert look(synced, customers(), back).drifted == 0
    if field == "emails":
        assert "p1@example.com" in [one["email"] for one in now["emails"]]
    else:
        assert now.get(attribute) == before.get(attribute)


def synced_id(world: World) -> str:
    return next(id_ for id_, one in world.sandbox.customers.items() if one.get("externalId") == "C-1")


def test_a_company_link_that_is_accepted_stays(world: World) -> None:
    spec = customers(fields=(*CUSTOMER_FIELDS, FieldMapping("company", ("company",), match="externalId")))
    firms = [world.sandbox.seed_company(externalId=f"A-{n}", name=f"Acme {n}") for n in range(3)]
    rows = [{**row, "company": "A-0"} for row in people(3)]
    world.run(spec, rows)
    world.sandbox.agent_edit(id_of(world, 1), company=firms[1])
    assert look(world, spec, rows, ACCEPT).counts["fields_accepted"] == 1
    rows[1]["plan"] = "pro"
    world.run(spec, rows)
    assert world.customer("C-1")["company"] == firms[1]
    rows[1]["company"] = "A-2"
    world.run(spec, rows)
    assert world.customer("C-1")["company"] == firms[2]


def test_another_policy_takes_back_what_was_accepted(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    look(synced, customers(), people(10), ACCEPT)
    assert told(look(synced, customers(), people(10), RESTORE), "key", "field") == [("C-1", "name")]
    assert outcomes(synced.run(customers(), people(10))) == {"C-1": "updated"}
    assert synced.customer("C-1")["name"] == "Person 1"


def test_what_is_accepted_goes_with_the_row_to_another_name_and_into_shards(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    look(synced, customers(), people(10), ACCEPT)
    renamed = customers(name="people", renamed_from="customers")
    assert synced.plan(renamed, rows_with(1, plan="pro"), full_resync=True).counts["update"] == 1
    synced.run(renamed, people(10), full_resync=True)
    assert synced.customer("C-1")["name"] == "Jane"
    parts = [in_shard(replace(renamed, renamed_from=None), number, 2) for number in range(2)]
    with StateStore.open(synced.state_url, clock=synced.clock) as state:
        found = [
            state.of(synced.sandbox.org_id, "people").theirs.of(["C-1"]),
            *(state.of(synced.sandbox.org_id, part.name).theirs.of(["C-1"]) for part in parts),
        ]
    assert [len(marks) for marks in found] == [1, 0, 0]
    for part in parts:
        rows = [row for row in people(10) if _is_of(part, row["id"])]
        synced.run(part, rows, full_resync=True)
    assert synced.customer("C-1")["name"] == "Jane"


def _is_of(part: Any, key: str) -> bool:
    return bool(shard_number(key, part.match_on, part.shard.of) == part.shard.number)


def test_whoever_is_forgotten_leaves_nothing_of_it(synced: World) -> None:
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    look(synced, customers(), people(10), ACCEPT)
    person = Person("customers", keys=frozenset([("customers", "C-1")]))
    with StateStore.open(synced.state_url, clock=synced.clock) as state:
        assert state.of(synced.sandbox.org_id, "customers").theirs.of(["C-1"]) != {}
        state.traces(synced.sandbox.org_id).remove(person)
        assert state.of(synced.sandbox.org_id, "customers").theirs.of(["C-1"]) == {}


# --- deleted, merged ----------------------------------------------------------------------------------------------


def test_recreate_makes_a_deleted_record_again_once(synced: World) -> None:
    synced.sandbox.agent_delete(id_of(synced, 1))
    report = look(synced, customers(), people(10), RECREATE)
    assert told(report, "key", "what", "done") == [("C-1", "deleted", "looked for again by the next run")]
    assert synced.plan(customers(), people(10)).counts["create"] == 1
    assert outcomes(synced.run(customers(), people(10))) == {"C-1": "created"}
    assert synced.customer("C-1")["name"] == "Person 1"
    assert look(synced, customers(), people(10), RECREATE).drifted == 0
    assert synced.run(customers(), people(10)).counts.unchanged == 10
    assert len(synced.sandbox.customers) == 10


def test_who_was_merged_is_not_made_a_second_time(synced: World) -> None:
    other = synced.sandbox.seed_customer(name="Nobody of ours")
    third = id_of(synced, 3)
    synced.sandbox.agent_merge(id_of(synced, 1), other)
    synced.sandbox.agent_merge(id_of(synced, 2), third)
    look(synced, customers(), people(10), RECREATE)
    report = synced.run(customers(), people(10))
    assert outcomes(report) == {"C-1": "updated", "C-2": "rejected"}
    assert synced.sandbox.customers[other]["name"] == "Person 1"
    assert len(synced.sandbox.customers) == 9
    reasons = dict(zip(report.rows["key"], report.rows["reason"], strict=True))
    assert third in reasons["C-2"]


def test_who_was_made_again_by_hand_is_not_made_a_second_time(synced: World) -> None:
    synced.sandbox.agent_delete(id_of(synced, 1))
    look(synced, customers(), people(10), RECREATE)
    synced.sandbox.seed_customer(externalId="C-1", emails=[{"email": "p1@example.com"}], name="Jane")
    assert outcomes(synced.run(customers(), people(10))) == {"C-1": "updated"}
    assert len(synced.sandbox.customers) == 10


def test_forget_leaves_the_row_out_until_it_changes(synced: World) -> None:
    synced.sandbox.agent_delete(id_of(synced, 1))
    report = look(synced, customers(), people(10), FORGET)
    assert told(report, "key", "done") == [("C-1", "left out from now on")]
    for full in (False, True):
        run = synced.run(customers(), people(10), full_resync=full)
        assert (run.counts.skipped, run.counts.unchanged) == (1, 9)
        assert [reason for reason in run.rows["reason"].tolist() if isinstance(reason, str)] == [REASON]
        plan = synced.plan(customers(), people(10), full_resync=full)
        assert (plan.counts["skip"], plan.counts["unchanged"], plan.counts["create"]) == (1, 9, 0)
    synced.hours_pass(2)  # rows that Kustomer did not have are looked for after an hour; this one is not
    assert synced.run(customers(), people(10)).counts.skipped == 1
    assert len(synced.sandbox.requests) == 1
    assert look(synced, customers(), people(10)).drifted == 0
    rows = rows_with(1, plan="pro")
    assert synced.plan(customers(), rows).counts["create"] == 1
    assert outcomes(synced.run(customers(), rows)) == {"C-1": "created"}
    assert synced.run(customers(), people(10)).counts.updated == 1  # as it was: it is wanted all the same by now


def test_a_field_more_in_the_definition_is_no_change_of_the_row(synced: World) -> None:
    synced.sandbox.agent_delete(id_of(synced, 1))
    look(synced, customers(), people(10), FORGET)
    more = customers(fields=(*CUSTOMER_FIELDS, FieldMapping("username", ("id",))))
    run = synced.run(more, people(10))
    assert outcomes(run)["C-1"] == "skipped"
    assert run.counts.updated == 9
    fewer = customers(fields=CUSTOMER_FIELDS[:3])
    assert outcomes(synced.run(fewer, people(10)))["C-1"] == "skipped"


def test_who_was_left_out_comes_back_under_another_policy_as_a_whole(synced: World) -> None:
    synced.sandbox.agent_delete(id_of(synced, 1))
    look(synced, customers(), people(10), FORGET)
    synced.run(customers(), people(10))
    assert look(synced, customers(), people(10), RECREATE).counts["recreated"] == 1
    assert outcomes(synced.run(customers(), people(10))) == {"C-1": "created"}
    synced.sandbox.agent_edit(id_of(synced, 1), name="Jane")
    assert told(look(synced, customers(), people(10)), "key", "field") == [("C-1", "name")]  # no field was left


def test_who_is_deleted_while_it_is_looked_at_waits_for_the_next_look(synced: World) -> None:
    first, second = id_of(synced, 1), id_of(synced, 2)
    synced.sandbox.agent_edit(first, name="Jane")
    synced.sandbox.agent_delete(second)

    def meanwhile() -> None:
        synced.sandbox.agent_delete(first)

    both = DriftPolicy(None, "restore", "recreate")
    report = look(synced, customers(), people(10), both, after_reading=meanwhile)
    assert told(report, "key", "what", "done") == [
        ("C-1", "changed", None),
        ("C-2", "deleted", "looked for again by the next run"),
    ]
    assert outcomes(synced.run(customers(), people(10))) == {"C-2": "created"}
    assert told(look(synced, customers(), people(10), both), "key", "what") == [("C-1", "deleted")]
    assert outcomes(synced.run(customers(), people(10))) == {"C-1": "created"}


def test_a_state_in_postgresql_remembers_the_same(postgres_url: str) -> None:
    with World(postgres_url, job_seconds=2.0) as world:
        world.run(customers(), people(10))
        world.sandbox.agent_edit(id_of(world, 1), name="Jane")
        world.sandbox.agent_edit(id_of(world, 2), custom={"planStr": "gold"})
        world.sandbox.agent_delete(id_of(world, 3))
        done = look(world, customers(), people(10), DriftPolicy(None, "accept", "forget")).counts
        assert (done["fields_accepted"], done["forgotten"]) == (2, 1)
        rows = rows_with(2, plan="pro")
        run = world.run(customers(), rows, full_resync=True)
        assert (run.counts.unchanged, run.counts.skipped, run.counts.updated) == (8, 1, 1)
        assert (world.customer("C-1")["name"], world.customer("C-2")["custom"]) == ("Jane", {"planStr": "pro"})
        assert look(world, customers(), rows, DriftPolicy(None, "restore", "recreate")).counts["recreated"] == 1
        assert outcomes(world.run(customers(), rows)) == {"C-1": "updated", "C-3": "created"}


# --- all of it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_after_a_look_and_a_run_everything_is_ours_again_but_what_is_a_question(world: World, seed: int) -> None:
    """Agents at random; an oracle that knows the rows and the live records, and no more."""
    chance = random.Random(seed)
    rows = people(60)
    world.run(customers(), rows)
    merged: set[str] = set()
    for _ in range(40):
        living = [id_ for id_ in world.sandbox.customers if id_ not in merged]
        one, other = chance.sample(living, 2)
        act = chance.random()
        if act < 0.5:
            world.sandbox.agent_edit(one, **chance.choice(EDITS))
        elif act < 0.7:
            world.sandbox.agent_delete(one)
        elif act < 0.85:
            world.sandbox.agent_merge(one, other)
            merged.add(other)
        else:
            world.sandbox.touch(one)
    look(world, customers(), rows, DriftPolicy(None, "restore", "recreate"))
    report = world.run(customers(), rows)
    rejected = {key for key, outcome in outcomes(report).items() if outcome == "rejected"}
    left = look(world, customers(), rows, ALL)
    assert told(left) == []
    held = [one for one in world.sandbox.customers.values() if one.get("externalId")]
    assert len(held) == len({one["externalId"] for one in held})
    by_id = {item["externalId"]: one for one in held for item in one["externalIds"]}
    for row in (row for row in rows if row["id"] not in rejected):
        record = by_id[row["id"]]
        assert (record["name"], record["custom"]["planStr"]) == (row["name"], row["plan"])
        assert row["email"] in [item["email"] for item in record["emails"]]
