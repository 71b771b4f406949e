"""Mass changes need a word: when most of the accepted records would change at once, they are held until approved.

A broken column of the warehouse must not rewrite every record. What is held waits; new rows still go; a plan shows the
id of exactly these changes, and a run that is given it lets them through, once.
"""

from __future__ import annotations

from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import ChangeLimit, ObjectSpec, ReasonCode, SyncReport
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people


def guarded(**changes: Any) -> ObjectSpec:
    """The customers sync with the guard as it is by default."""
    return customers(**{"max_changes": ChangeLimit(), **changes})


def plans(world: World) -> dict[str, int]:
    """How many customers have which plan."""
    found: dict[str, int] = {}
    for one in world.sandbox.customers.values():
        found[one["custom"]["planStr"]] = found.get(one["custom"]["planStr"], 0) + 1
    return found


def held(report: SyncReport) -> tuple[int, int, int]:
    """(held, of how many, updated)."""
    return report.changes_held, report.held_changes.accepted, report.counts.updated


@pytest.fixture
def loaded(world: World) -> World:
    """Two hundred customers, all accepted."""
    assert world.run(guarded(), people(200)).counts.created == 200
    return world


def test_most_of_the_records_would_change_so_nothing_changes(loaded: World) -> None:
    report = loaded.run(guarded(), people(200, plan="broken"))
    assert held(report) == (200, 200, 0)
    assert report.counts.deferred == 200
    assert report.by_code == {ReasonCode.CHANGES_HELD: 200}
    assert report.rows["reason"].str.contains(f"approve {report.change_plan_id}").all()
    assert plans(loaded) == {"free": 200}
    assert report.interrupted is None


def test_the_report_shows_examples_field_by_field(loaded: World) -> None:
    examples = loaded.run(guarded(), people(200, plan="broken")).held_changes.examples
    assert 1 <= len(examples) <= 20
    assert set(examples["field"]) == {"custom.planStr"}
    assert set(zip(examples["before"], examples["after"], strict=True)) == {("free", "broken")}


def test_held_changes_cost_little(loaded: World) -> None:
    loaded.run(guarded(), people(200, plan="broken"))
    assert loaded.sandbox.units() <= 3
    assert loaded.sandbox.count("PUT") + loaded.sandbox.count("POST", "/v1/customers/bulk") == 0


def test_new_rows_go_while_changes_are_held(loaded: World) -> None:
    report = loaded.run(guarded(), people(250, plan="broken"))
    assert (report.counts.created, held(report)) == (50, (200, 200, 0))
    assert plans(loaded) == {"free": 200, "broken": 50}


def test_changes_below_the_share_go(loaded: World) -> None:
    rows = [*people(100, plan="pro"), *people(100, start=100)]
    assert held(loaded.run(guarded(), rows)) == (0, 0, 100)
    rows = [*people(101, plan="max"), *people(99, start=101)]
    assert held(loaded.run(guarded(), rows)) == (101, 200, 0)


def test_fewer_than_a_hundred_changes_are_never_held(world: World) -> None:
    world.run(guarded(), people(99))
    assert held(world.run(guarded(), people(99, plan="pro"))) == (0, 0, 99)
    strict = guarded(max_changes=ChangeLimit(share=0.0, count=0))
    assert held(world.run(strict, people(99, plan="max"))) == (0, 0, 99)


def test_a_count_holds_on_its_own(loaded: World) -> None:
    spec = guarded(max_changes=ChangeLimit(share=1.0, count=120))
    assert held(loaded.run(spec, [*people(120, plan="pro"), *people(80, start=120)])) == (0, 0, 120)
    assert held(loaded.run(spec, people(200, plan="max"))) == (200, 200, 0)


def test_a_share_of_one_holds_nothing(loaded: World) -> None:
    assert held(loaded.run(guarded(max_changes=ChangeLimit(share=1.0)), people(200, plan="pro"))) == (0, 0, 200)


def test_the_plan_shows_the_id_and_a_run_that_names_it_lets_them_through(loaded: World) -> None:
    rows = people(200, plan="pro")
    plan = loaded.plan(guarded(), rows)
    assert plan.changes_held == 200
    assert plan.change_plan_id is not None
    assert plan.counts["update"] == 200
    report = loaded.run(guarded(), rows)
    assert report.change_plan_id == plan.change_plan_id
    report = loaded.run(guarded(), rows, approve_changes=plan.change_plan_id)
    assert held(report) == (0, 0, 200)
    assert plans(loaded) == {"pro": 200}
    assert loaded.run(guarded(), rows).counts.unchanged == 200


def test_an_approval_is_for_exactly_these_changes(loaded: World) -> None:
    approved = loaded.plan(guarded(), people(200, plan="pro")).change_plan_id
    report = loaded.run(guarded(), people(200, plan="max"), approve_changes=approved)
    assert held(report) == (200, 200, 0), "the data has changed since: another plan"
    report = loaded.run(guarded(), people(199, plan="pro"), approve_changes=approved)
    assert held(report) == (199, 199, 0), "one row less: another plan"
    assert plans(loaded) == {"free": 200}
    assert held(loaded.run(guarded(), people(200, plan="pro"), approve_changes=approved)) == (0, 0, 200)


def test_an_approval_passes_once(loaded: World) -> None:
    """There and back again: the same changes from the same values are another plan."""
    approved = loaded.plan(guarded(), people(200, plan="pro")).change_plan_id
    assert loaded.run(guarded(), people(200, plan="pro"), approve_changes=approved).counts.updated == 200
    back = loaded.run(guarded(), people(200))
    assert held(back) == (200, 200, 0)
    assert loaded.run(guarded(), people(200), approve_changes=back.change_plan_id).counts.updated == 200
    report = loaded.run(guarded(), people(200, plan="pro"), approve_changes=approved)
    assert held(report) == (200, 200, 0)
    assert report.change_plan_id != approved


def test_changes_that_are_held_again_and_again_keep_their_id(loaded: World) -> None:
    """Somebody may approve tomorrow what the run of today has shown."""
    rows = people(200, plan="pro")
    ids = {loaded.run(guarded(), rows).change_plan_id for _ in range(3)}
    assert len(ids) == 1
    assert loaded.run(guarded(), rows, approve_changes=ids.pop()).counts.updated == 200


def test_another_definition_of_the_sync_is_not_held(loaded: World) -> None:
    """Whoever changes the fields wants the records rewritten."""
    fields = (*guarded().fields, FieldMapping("custom.tierStr", ("tier",)))
    rows = [{**row, "tier": "gold"} for row in people(200)]
    assert held(loaded.run(guarded(fields=fields), rows)) == (0, 0, 200)
    assert {one["custom"]["tierStr"] for one in loaded.sandbox.customers.values()} == {"gold"}
    rows = [{**row, "tier": "lead"} for row in rows]
    assert held(loaded.run(guarded(fields=fields), rows)) == (200, 200, 0), "and from then on it is guarded again"


def test_the_guard_watches_also_when_some_row_is_always_left_over(world: World) -> None:
    """A run that leaves a row behind has accepted the others under today's definition all the same."""
    world.run(guarded(), people(300), limit=299)
    assert held(world.run(guarded(), people(299, plan="broken"))) == (299, 299, 0)


def test_the_guard_watches_after_a_definition_was_changed_in_a_run_that_left_rows_behind(loaded: World) -> None:
    fields = (*guarded().fields, FieldMapping("custom.tierStr", ("tier",)))
    rows = [{**row, "tier": "gold"} for row in people(200)]
    loaded.run(guarded(fields=fields), rows, limit=199)
    report = loaded.run(guarded(fields=fields), [{**row, "plan": "broken"} for row in rows])
    assert report.changes_held == 200


def test_a_full_resync_of_unchanged_rows_is_not_held(loaded: World) -> None:
    for id_ in list(loaded.sandbox.customers):
        loaded.sandbox.agent_edit(id_, name="By an agent")
    assert held(loaded.run(guarded(), people(200), full_resync=True)) == (0, 0, 200)


def test_a_full_resync_of_changed_rows_is_held(loaded: World) -> None:
    assert loaded.run(guarded(), people(200, plan="broken"), full_resync=True).changes_held == 200


def test_rows_that_were_never_accepted_are_no_changes(world: World) -> None:
    """A first load onto existing records changes as much as it likes."""
    for row in people(200):
        world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}], name="Old")
    assert held(world.run(guarded(), people(200))) == (0, 0, 200)


def test_companies_are_guarded_too(world: World) -> None:
    spec = companies(max_changes=ChangeLimit())
    rows = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(150)]
    world.run(spec, rows)
    report = world.run(spec, [{**row, "name": f"{row['name']} Ltd"} for row in rows])
    assert held(report) == (150, 150, 0)
    assert {one["name"] for one in world.sandbox.companies.values()} == {row["name"] for row in rows}


def test_audiences_have_the_guard_of_removals_and_no_other(loaded: World) -> None:
    assert loaded.run(audience(), members(150)).counts.updated == 150


def test_a_plan_of_held_changes_uses_no_approval_up(loaded: World) -> None:
    rows = people(200, plan="pro")
    plan_id = loaded.plan(guarded(), rows).change_plan_id
    assert loaded.plan(guarded(), rows, approve_changes=plan_id).changes_held == 0
    assert loaded.plan(guarded(), rows).change_plan_id == plan_id
    assert loaded.run(guarded(), rows, approve_changes=plan_id).counts.updated == 200
