"""Laws 2, 6 and 8 where an answer was lost: what may have happened in Kustomer is never taken for granted.

A lost answer, a lost job, a row that is refused for a day: what was known of the record before is not forgotten.
"""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, RemovalLimit, StateStore
from kustomer_pipeline.sync.state.journal import JournalWriter
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

WIDE = RemovalLimit(share=1.0)


class Died(BaseException):
    """The process is gone."""


def die_before_submitted(
    monkeypatch: pytest.MonkeyPatch, world: World, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]]
) -> None:
    """Killed after Kustomer took the job and before its id was on disk."""

    def die(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(JournalWriter, "submitted", die)
        with pytest.raises(Died):
            world.run(spec, rows)
    world.clock.advance(60)


def tagged(world: World) -> set[str]:
    """externalIds of the customers that have the tag."""
    return {
        str(one["externalId"]) for id_, one in world.sandbox.customers.items() if "vip" in world.sandbox.tag_names(id_)
    }


def test_a_value_that_comes_back_after_a_lost_update_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run(customers(), people(3, plan="free"))
    die_before_submitted(monkeypatch, world, customers(), people(3, plan="pro"))
    assert "pro" == world.customer("C-0")["custom"]["planStr"]
    world.run(customers(), people(3, plan="free"))
    assert "free" == world.customer("C-0")["custom"]["planStr"]


def test_a_value_that_comes_back_after_a_lost_answer_and_a_dead_connection_is_written(world: World) -> None:
    world.run(customers(), people(3, plan="free"))
    world.sandbox.faults.set("drop_after", method="PUT")
    world.sandbox.faults.set("gateway_error_before", after=3)
    report = world.run(customers(), people(3, plan="pro"))
    assert report.interrupted is not None, report.counts
    world.sandbox.faults.clear()
    world.run(customers(), people(3, plan="free"))
    assert "free" == world.customer("C-0")["custom"]["planStr"]


def test_a_member_tagged_by_a_lost_job_who_left_meanwhile_is_untagged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run(customers(), people(6))
    world.run(audience(max_removals=WIDE), members(3))
    die_before_submitted(monkeypatch, world, audience(max_removals=WIDE), members(6))
    world.run(audience(max_removals=WIDE), members(3))
    assert {"C-0", "C-1", "C-2"} == tagged(world)


def test_a_member_tagged_by_a_lost_job_is_still_ours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run(customers(), people(6))
    world.sandbox.seed_tag("vip")
    die_before_submitted(monkeypatch, world, audience(max_removals=WIDE), members(6))
    world.run(audience(max_removals=WIDE), members(6))
    world.run(audience(max_removals=WIDE), members(3))
    assert {"C-0", "C-1", "C-2"} == tagged(world)


def test_a_member_who_comes_back_after_a_lost_untagging_is_tagged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run(customers(), people(6))
    world.run(audience(max_removals=WIDE), members(6))
    die_before_submitted(monkeypatch, world, audience(max_removals=WIDE), members(3))
    world.run(audience(max_removals=WIDE), members(6))
    assert all("vip" in world.sandbox.tag_names(id_) for id_ in world.sandbox.customers)


def test_a_member_who_was_never_known_and_left_costs_nothing(world: World) -> None:
    world.run(customers(), people(3))
    world.run(audience(), members(4))
    world.run(audience(), members(3))
    world.run(audience(), members(3))
    assert 1 == world.sandbox.units()


def test_a_member_who_had_the_tag_before_and_left_costs_nothing(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.agent_edit(world.id_of("p0@example.com"), tags=[world.sandbox.seed_tag("vip")])
    world.run(audience(), members(3))
    world.run(audience(), members(2, start=1))
    world.run(audience(), members(2, start=1))
    assert 1 == world.sandbox.units()


def test_the_second_address_of_a_member_costs_nothing(world: World) -> None:
    world.run(customers(), people(3))
    id_ = world.id_of("p0@example.com")
    world.sandbox.agent_edit(id_, emails=[{"email": "p0@example.com"}, {"email": "second@example.com"}])
    both = [{"email": "p0@example.com"}, {"email": "second@example.com"}]
    world.run(audience(), both)
    world.run(audience(), both[1:])
    world.run(audience(), both[1:])
    assert "vip" in world.sandbox.tag_names(id_)
    assert 1 == world.sandbox.units()


def test_a_removal_whose_answer_is_lost_is_counted_as_removed(world: World) -> None:
    world.run(customers(), people(6))
    world.run(audience(max_removals=WIDE), members(6))
    world.sandbox.faults.set("results_missing", 1)
    report = world.run(audience(max_removals=WIDE), members(3))
    assert 3 == report.removed


def test_mirroring_the_whole_tag_keeps_a_member_whose_row_is_invalid_today(world: World) -> None:
    spec = audience(
        match_on=("email", "phone"),
        fields=(FieldMapping("email", ("email",)), FieldMapping("phone", ("phone",))),
        mirror_scope="tag",
        max_removals=WIDE,
    )
    world.run(customers(), people(3))
    world.run(spec, members(3))
    world.clock.advance(3600)
    rows = [{**members(1)[0], "phone": "not a phone"}, *members(2, start=1)]
    report = world.run(spec, rows)
    assert 1 == report.counts.invalid
    assert "vip" in world.sandbox.tag_names(world.id_of("p0@example.com"))


def test_a_company_link_is_checked_before_it_is_written(world: World) -> None:
    world.run(companies(), [{"id": "A-1", "name": "First Company"}])
    (first,) = world.sandbox.companies
    world.sandbox.agent_edit(first, externalId="A-OLD")
    second = world.sandbox.seed_company(name="Second", externalId="A-1")
    spec = customers(fields=(*customers().fields, FieldMapping("company", ("account",), match="externalId")))
    world.run(spec, [{**people(1)[0], "account": "A-1"}])
    assert second == world.customer("C-0")["company"]


def test_what_was_sent_in_lists_survives_a_refused_run(world: World) -> None:
    """nulls: clear takes back what this sync sent, also when a run in between was rejected."""
    spec = customers(fields=(*customers().fields, FieldMapping("phone", ("phone",))), nulls="clear")
    row = {**people(1)[0], "phone": "+442071838750"}
    world.run(spec, [row])
    world.sandbox.seed_customer(emails=[{"email": "taken@example.com"}])
    report = world.run(spec, [{**row, "email": "taken@example.com"}])
    assert 1 == report.counts.rejected
    world.run(spec, [{**row, "phone": None}])
    assert [] == world.customer("C-0")["phones"]


def test_what_was_sent_in_lists_survives_an_invalid_row(world: World) -> None:
    spec = customers(fields=(*customers().fields, FieldMapping("phone", ("phone",))), nulls="clear")
    row = {**people(1)[0], "phone": "+442071838750"}
    world.run(spec, [row])
    assert 1 == world.run(spec, [{**row, "email": "not an address"}]).counts.invalid
    world.run(spec, [{**row, "phone": None}])
    assert [] == world.customer("C-0")["phones"]


def test_a_tagged_member_whose_address_moved_is_not_forgotten(world: World) -> None:
    world.run(customers(), people(3))
    world.run(audience(max_removals=WIDE), members(3))
    id_ = world.id_of("p0@example.com")
    world.sandbox.agent_edit(id_, emails=[{"email": "elsewhere@example.com"}])
    world.run(audience(max_removals=WIDE), members(3), full_resync=True)
    world.run(audience(max_removals=WIDE), members(2, start=1))
    assert "vip" not in world.sandbox.tag_names(id_)


def test_two_processes_may_open_a_new_state_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    for attempt in range(10):
        url = f"sqlite:///{tmp_path / f'state{attempt}.db'}"
        processes = [context.Process(target=_open, args=(url,)) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [0] * 4 == [process.exitcode for process in processes]


def _open(url: str) -> None:
    StateStore.open(url).close()


def test_a_hint_to_a_deleted_customer_does_not_cost_every_run(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.agent_delete(world.id_of("p0@example.com"))
    world.run(audience(), members(3))
    world.run(audience(), members(3))
    assert 1 == world.sandbox.units(), [(one.method, one.path) for one in world.sandbox.requests]


def test_a_lost_job_that_is_done_only_after_the_next_run_has_looked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between submit and `submitted`, restarted at once: the job is still in Kustomer's queue (2 s here)."""
    world.run(customers(), people(3, plan="free"))

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(JournalWriter, "submitted", die)
        with pytest.raises(Died):
            world.run(customers(), people(3, plan="pro"))
    world.run(customers(), people(3, plan="free"))  # at once: nothing differs yet
    world.clock.advance(3600)
    for _ in range(2):
        world.run(customers(), people(3, plan="free"))
    assert "free" == world.customer("C-0")["custom"]["planStr"]


def test_a_body_that_is_too_large_says_nothing_about_rev(world: World) -> None:
    world.run(customers(), people(30))
    world.sandbox.faults.set("body_limit", 500, times=1, method="PUT")
    world.sandbox.faults.set("agent_edit_after_read", "angry", path="/v1/customers/", times=1)
    world.run(audience(), members(30))
    for id_ in world.sandbox.customers:
        assert {"angry", "vip"} == set(world.sandbox.tag_names(id_))
