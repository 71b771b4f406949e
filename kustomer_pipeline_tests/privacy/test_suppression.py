"""Rows of people on a list are skipped unseen: nothing about them is sent, remembered or logged, in runs and plans."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, ReasonCode, RemovalLimit, StateError, StateStore
from kustomer_pipeline.sync import suppression as of_the_engine
from kustomer_pipeline.sync.state import KEY_OF_ROW, Entry
from kustomer_pipeline.sync.state.tables import org_facts, suppressed, sync_log, sync_rows
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, World, audience, companies, customers, members, people

ALL = RemovalLimit(share=1.0)
WITH_LISTS = customers(
    fields=(*CUSTOMER_FIELDS, FieldMapping("phone", ("phone",)), FieldMapping("emails", ("others",))),
    default_region="GB",
)


@pytest.fixture(params=[False, True], ids=["embedded", "in_warehouse"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path / 'state.db'}", in_warehouse=request.param) as world:
        yield world


def on_the_list(world: World, *entries: Entry) -> None:
    with StateStore.open(world.state_url, clock=world.clock) as store:
        store.suppressed(world.sandbox.org_id).add(entries, "receipt")


def known_keys(world: World, table: sa.Table) -> set[str]:
    with StateStore.open(world.state_url, clock=world.clock) as store, store.engine.connect() as connection:
        return set(connection.execute(sa.select(table.c.key)).scalars())


def outcomes(report: Any) -> list[tuple[str, str | None]]:
    rows = report.rows
    return list(zip(rows["outcome"].tolist(), rows["reason"].fillna("").tolist(), strict=True))


def test_a_row_on_the_list_is_skipped_and_leaves_no_trace(world: World) -> None:
    on_the_list(world, ("customers", "email", "p1@example.com"))
    plan = world.plan(customers(), people(3))
    assert (plan.counts["create"], plan.counts["skip"]) == (2, 1)
    assert "p1@example.com" not in plan.changes.to_string()
    report = world.run(customers(), people(3))
    assert report.counts.created == 2
    assert outcomes(report)[1] == ("skipped", of_the_engine.FORGOTTEN.text)
    assert report.by_code[ReasonCode.SUPPRESSED] == report.counts.skipped == 1
    assert {one["externalId"] for one in world.sandbox.customers.values()} == {"C-0", "C-2"}
    assert known_keys(world, sync_rows) == known_keys(world, sync_log) == {"C-0", "C-2"}
    assert outcomes(world.run(customers(), people(3)))[1][0] == "skipped"


def test_a_row_is_named_by_its_place_where_it_is_skipped(tmp_path: Path) -> None:
    with World(f"sqlite:///{tmp_path / 'state.db'}", in_warehouse=False) as world:
        on_the_list(world, ("customers", "email", "p1@example.com"))
        report = world.run(customers(), people(3))
        assert report.rows["key"].tolist() == ["C-0", "row:2", "C-2"]
        assert report.rows["kustomer_id"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    "entry",
    [
        ("customers", "email", "p1@example.com"),
        ("customers", "email", "second@example.com"),
        ("customers", "phone", "442079460001"),
        ("customers", "externalId", "C-1"),
        ("customers", KEY_OF_ROW, "C-1"),
    ],
)
def test_any_identifier_will_do(world: World, entry: Entry) -> None:
    rows = [{**row, "phone": f"020 7946 000{n}", "others": None} for n, row in enumerate(people(3))]
    rows[1]["others"] = '["second@example.com"]'
    on_the_list(world, entry)
    assert [outcome for outcome, _ in outcomes(world.run(WITH_LISTS, rows))] == ["created", "skipped", "created"]


@pytest.mark.parametrize(
    "entry",
    [
        ("companies", "email", "p1@example.com"),
        ("companies", KEY_OF_ROW, "C-1"),
        ("customers", "phone", "p1@example.com"),
        ("customers", "email", "p11@example.com"),
    ],
)
def test_nobody_else_is(world: World, entry: Entry) -> None:
    on_the_list(world, entry)
    assert world.run(customers(), people(3)).counts.created == 3


def test_the_list_of_one_org_is_not_that_of_another(world: World) -> None:
    with StateStore.open(world.state_url, clock=world.clock) as store:
        other = store.suppressed("another org")
        other.add([("customers", "email", "p1@example.com")], "receipt")
        assert other.seal() != store.suppressed(world.sandbox.org_id).seal()
    assert world.run(customers(), people(3)).counts.created == 3


def test_companies_are_skipped_by_the_key(world: World) -> None:
    on_the_list(world, ("companies", KEY_OF_ROW, "A-1"))
    rows = [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(3)]
    assert [outcome for outcome, _ in outcomes(world.run(companies(), rows))] == ["created", "skipped", "created"]


def test_a_row_that_is_invalid_or_there_twice_is_skipped_too(world: World) -> None:
    on_the_list(world, ("customers", "email", "p1@example.com"))
    rows = people(2)
    rows.append({**rows[1], "name": "Once more"})
    rows.append({"id": "C-9", "email": "p1@example.com", "name": "x" * 600, "plan": None})
    report = world.run(customers(), rows)
    assert (report.counts.created, report.counts.skipped, report.counts.invalid) == (1, 3, 0)
    assert known_keys(world, sync_rows) == {"C-0"}


@pytest.mark.parametrize("mode", ["add", "remove"])
def test_members_on_the_list_are_neither_tagged_nor_untagged(world: World, mode: Any) -> None:
    world.run(customers(), people(3))
    if mode == "remove":
        world.run(audience(mode="add"), members(3))
    on_the_list(world, ("customers", "email", "p1@example.com"))
    report = world.run(audience(name="other", mode=mode, max_removals=ALL), members(3))
    assert [outcome for outcome, _ in outcomes(report)] == ["updated", "skipped", "updated"]
    tagged = [world.sandbox.tag_names(world.id_of(f"p{n}@example.com")) for n in range(3)]
    assert tagged == ([["vip"], [], ["vip"]] if mode == "add" else [[], ["vip"], []])


def test_a_mirror_is_as_if_its_query_did_not_have_them(world: World) -> None:
    """Also of a member whose row stays in the warehouse, as long as nobody says that it does not count."""
    vip = audience(max_removals=ALL)
    world.run(customers(), people(3))
    world.run(vip, members(3))
    on_the_list(world, ("customers", "email", "p1@example.com"))
    plan = world.plan(vip, members(3), full_resync=True)
    assert (plan.counts["untag"], plan.counts["skip"]) == (1, 1)
    report = world.run(vip, members(3), full_resync=True)
    assert (report.removed, report.counts.skipped, report.counts.unchanged) == (1, 1, 2)
    assert world.sandbox.tag_names(world.id_of("p1@example.com")) == []
    assert world.run(vip, members(3)).removed == 0


def test_the_guard_of_removals_judges_them_too(world: World) -> None:
    vip = audience(max_removals=RemovalLimit(share=0.2))
    world.run(customers(), people(3))
    world.run(vip, members(3))
    everybody = {"email": [f"p{n}@example.com" for n in range(3)]}
    report = world.run(vip, members(3), suppressed=everybody, full_resync=True)
    assert (report.removed, report.removals_held, report.counts.skipped) == (0, 3, 3)


@pytest.mark.parametrize("spec", [customers(), customers(match_on=("email",), fields=CUSTOMER_FIELDS[1:])])
def test_a_list_of_the_sync_itself_is_skipped_in_the_same_way(world: World, spec: ObjectSpec | AudienceSpec) -> None:
    listed = {"email": ["p1@example.com", "somebody@example.com"]}
    assert world.plan(spec, people(3), suppressed=listed).counts["skip"] == 1
    report = world.run(spec, people(3), suppressed=listed)
    assert outcomes(report)[1] == ("skipped", of_the_engine.LISTED.text)
    assert len(world.sandbox.customers) == 2
    assert world.run(spec, people(3)).counts.created == 1  # the list is this run's


def test_an_empty_list_costs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("identifiers are looked at for nobody")

    world.run(customers(), people(3))
    monkeypatch.setattr(of_the_engine, "identity_columns", never)
    monkeypatch.setattr(of_the_engine, "_without", never)
    assert world.run(customers(), people(3)).counts.unchanged == 3
    assert len(world.sandbox.requests) == 1


def test_a_list_that_cannot_be_read_stops_the_run_before_anything_is_sent(world: World) -> None:
    on_the_list(world, ("customers", "email", "p1@example.com"))
    with StateStore.open(world.state_url, clock=world.clock) as store, store.engine.begin() as connection:
        connection.execute(sa.delete(org_facts))
    with pytest.raises(StateError, match="list of people who were forgotten cannot be read"):
        world.run(customers(), people(3))
    assert len(world.sandbox.customers) == 0


def test_what_is_on_the_list_says_nothing_without_the_secret(world: World) -> None:
    entry: Entry = ("customers", "email", "p1@example.com")
    on_the_list(world, entry)
    with StateStore.open(world.state_url, clock=world.clock) as store, store.engine.begin() as connection:
        (hashed,) = connection.execute(sa.select(suppressed.c.hash)).scalars()
        secret = connection.execute(sa.select(org_facts.c.value).where(org_facts.c.name == "suppression_secret"))
        assert len(bytes.fromhex(secret.scalar_one())) == 32
        connection.execute(sa.delete(suppressed))
        connection.execute(sa.delete(org_facts))
    on_the_list(world, entry)
    with StateStore.open(world.state_url, clock=world.clock) as store, store.engine.begin() as connection:
        (other,) = connection.execute(sa.select(suppressed.c.hash)).scalars()
    assert len(hashed) == len(other) == 48
    assert not {hashed[:16], hashed[16:]} & {other[:16], other[16:]}


def test_rows_of_many_people_are_found_as_those_of_one_are(world: World) -> None:
    """More than are taken out of the frame piece by piece."""
    people_on_it = [f"p{n}@example.com" for n in range(0, 400, 2)]
    on_the_list(world, *(("customers", "email", email) for email in people_on_it))
    report = world.run(customers(), people(400))
    assert (report.counts.created, report.counts.skipped) == (200, 200)
    assert [outcome for outcome, _ in outcomes(report)] == ["skipped", "created"] * 200


@pytest.mark.parametrize("positions", [[0], [2], [4], [0, 4], [1, 2, 3], [0, 1, 2, 3, 4]])
def test_the_rows_that_go_on_are_the_others_in_their_order(positions: list[int]) -> None:
    frame = customers().map(pd.DataFrame(people(5)).convert_dtypes())
    kept = of_the_engine._without(frame, np.array(positions))
    expected = frame.drop(index=positions).reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, expected)
