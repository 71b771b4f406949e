"""Undo: what a run changed goes back, where nobody has changed it since."""

from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import RunOptions, StateStore, UndoError, UndoReport, undo_run
from kustomer_pipeline_tests.world import World, audience, customers, members, people

SPEC = customers(
    fields=(
        *customers().fields,
        FieldMapping("phone", ("phone",)),
        FieldMapping("company", ("account",), match="externalId"),
    )
)


def undo(world: World, run_id: str) -> UndoReport:
    with world.client() as client, StateStore.open(world.state_url) as state:
        return undo_run(run_id, client=client, state=state)


def outcomes(report: UndoReport) -> dict[str, str]:
    return dict(zip(report.rows["field"].fillna(""), report.rows["outcome"], strict=True))


def seed(world: World) -> str:
    company = world.sandbox.seed_company(name="Old Ltd", externalId="A-0")
    world.sandbox.seed_company(name="New Ltd", externalId="A-1")
    return world.sandbox.seed_customer(
        externalId="C-0",
        name="Before",
        emails=[{"email": "p0@example.com"}],
        phones=[{"phone": "+442071838750"}],
        company=company,
        custom={"planStr": "basic"},
    )


ROW: dict[str, Any] = {**people(1)[0], "phone": "+442071838751", "account": "A-1"}


def comparable(world: World, id_: str) -> dict[str, Any]:
    attributes = dict(world.sandbox.customers[id_])
    return {name: attributes[name] for name in ("name", "emails", "phones", "company", "custom", "tags", "externalId")}


def test_what_the_run_changed_is_as_before(world: World) -> None:
    id_ = seed(world)
    before = comparable(world, id_)
    assert world.run(SPEC, [ROW]).counts.updated == 1
    assert before != comparable(world, id_)
    report = undo(world, "run-1")
    assert report.restored == 1
    assert set(outcomes(report)) == {"name", "phones", "company", "custom.planStr"}
    assert set(outcomes(report).values()) == {"restored"}
    assert comparable(world, id_) == before


def test_what_somebody_changed_since_stays_and_is_told(world: World) -> None:
    id_ = seed(world)
    world.run(SPEC, [ROW])
    phones = [*world.sandbox.customers[id_]["phones"], {"phone": "+442071838759"}]
    world.sandbox.agent_edit(id_, name="By an agent", phones=[{"phone": item["phone"]} for item in phones])
    report = undo(world, "run-1")
    found = outcomes(report)
    assert (found["name"], found["phones"], found["custom.planStr"]) == ("changed since", "restored", "restored")
    after = world.sandbox.customers[id_]
    assert after["name"] == "By an agent"
    assert [item["phone"] for item in after["phones"]] == ["+442071838750", "+442071838759"]


def test_the_next_sync_does_not_bring_it_back(world: World) -> None:
    id_ = seed(world)
    world.run(SPEC, [ROW])
    undo(world, "run-1")
    assert world.run(SPEC, [ROW]).counts.unchanged == 1
    assert world.sandbox.customers[id_]["name"] == "Before"
    assert world.run(SPEC, [ROW], full_resync=True).counts.updated == 1


def test_tags_that_were_given_and_taken_go_back(world: World) -> None:
    world.run(customers(), people(4))
    world.run(audience(max_removals=audience().max_removals.__class__(share=1.0)), members(2))
    world.run(audience(max_removals=audience().max_removals.__class__(share=1.0)), members(2, start=1))
    report = undo(world, "run-3")
    assert report.restored == 2
    tagged = {id_ for id_ in world.sandbox.customers if "vip" in world.sandbox.tag_names(id_)}
    assert tagged == {world.id_of("p0@example.com"), world.id_of("p1@example.com")}


def test_created_records_are_named_and_not_deleted(world: World) -> None:
    world.run(customers(), people(2))
    report = undo(world, "run-1")
    assert report.rows["outcome"].tolist() == ["created, not deleted"] * 2
    assert len(world.sandbox.customers) == 2


def test_a_record_that_is_gone_and_one_that_kustomer_refuses(world: World) -> None:
    first = seed(world)
    world.run(SPEC, [ROW])
    world.sandbox.agent_delete(first)
    assert set(outcomes(undo(world, "run-1")).values()) == {"gone"}


def test_an_undo_that_meets_a_lost_answer(world: World) -> None:
    id_ = seed(world)
    world.run(SPEC, [ROW])
    world.sandbox.faults.set("drop_after", method="PUT", path="/v1/customers/bulk", times=1)
    report = undo(world, "run-1")
    assert report.restored == 1
    assert world.sandbox.customers[id_]["name"] == "Before"


def test_an_undo_can_be_undone(world: World) -> None:
    id_ = seed(world)
    world.run(SPEC, [ROW])
    after = comparable(world, id_)
    undo(world, "run-1")
    undo(world, "undo run-1")
    assert after["name"] == comparable(world, id_)["name"]
    assert after["custom"] == comparable(world, id_)["custom"]


def test_a_run_that_is_not_known_or_no_longer_kept(world: World) -> None:
    seed(world)
    with pytest.raises(UndoError, match="No run nonsense has written to this org"):
        undo(world, "nonsense")
    world.run(SPEC, [ROW], undo_days=0)
    with pytest.raises(UndoError, match="no longer kept"):
        undo(world, "run-1")


def test_only_the_rows_that_were_refused(world: World) -> None:
    blocker = world.sandbox.seed_customer(externalId="X", emails=[{"email": "p1@example.com"}])
    world.run(customers(), [*people(3), {"id": "C-9"}])
    world.sandbox.agent_edit(blocker, emails=[])
    rows = [*people(1, plan="pro"), *people(2, start=1), {"id": "C-9", "email": "p9@example.com"}]
    report = world.run(customers(), rows, only="rejected")
    assert report.rows["outcome"].tolist() == ["deferred", "created", "unchanged", "created"]


def test_a_sample_of_what_was_written_is_read_back(world: World) -> None:
    report = world.run(customers(), people(200))
    assert (report.read_back.checked, report.read_back.drifted) == (50, 0)
    assert world.run(customers(), people(200)).read_back.checked == 0
    edited: list[int] = []

    def edit(record: Any) -> None:
        if record.path.startswith("/v1/bulk/") and not edited and world.sandbox.customers:
            edited.append(1)
            for id_ in list(world.sandbox.customers)[:100]:
                world.sandbox.agent_edit(id_, name="By a business rule")

    world.sandbox.hooks.after.append(edit)
    world.jobs_take(0.0)
    report = world.run(customers(), people(200, plan="pro"), read_back=200)
    assert report.read_back.checked == 200
    assert set(report.read_back.rows["field"]) == {"name"}
    assert "By a business rule" not in report.read_back.table()["found"].tolist()
    assert RunOptions("x").read_back == 50
