"""Law 11: a plan changes nothing, in Kustomer or in the state; and the run then does what it said."""

import sqlite3
from pathlib import Path
from typing import Any

from kustomer_pipeline.sync import AudienceSpec, ObjectSpec
from kustomer_pipeline_tests.world import World, audience, customers, members, people

READS = {"POST /v1/customers/search"}


def contents(world: World) -> tuple[Any, ...]:
    """Everything in Kustomer and in the state."""
    path = world.state_url.removeprefix("sqlite:///")
    rows: list[Any] = []
    if Path(path).exists():
        with sqlite3.connect(path) as connection:
            tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
            rows = [(name, connection.execute(f"select * from {name}").fetchall()) for name in sorted(tables)]
    return dict(world.sandbox.customers), dict(world.sandbox.companies), world.sandbox.tags, rows


def plan_changes_nothing(world: World, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]]) -> dict[str, int]:
    world.run(spec, [])  # so that the state's tables are there
    before = contents(world)
    plan = world.plan(spec, rows)
    assert before == contents(world)
    writes = {f"{one.method} {one.path}" for one in world.sandbox.requests if one.method != "GET"} - READS
    assert not writes
    return plan.counts


def test_a_plan_of_customers(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.seed_customer(externalId="C-9", name="Nine")
    rows = [*people(1), *people(1, start=1, plan="pro"), *people(1, start=9), *people(1, start=20), {"id": "C-30"}]
    counts = plan_changes_nothing(world, customers(), rows)
    assert {"create": 1, "update": 2, "unchanged": 1, "skip": 0, "invalid": 1, "reject": 0, "defer": 0} == counts
    report = world.run(customers(), rows)
    assert (1, 2, 1, 1) == (
        report.counts.created,
        report.counts.updated,
        report.counts.unchanged,
        report.counts.invalid,
    )


def test_a_plan_tells_field_by_field(world: World) -> None:
    world.sandbox.seed_customer(externalId="C-0", name="Old", emails=[{"email": "p0@example.com"}])
    plan = world.plan(customers(), people(1))
    changes = plan.changes.set_index("field")[["before", "after"]].to_dict("index")
    assert {"before": "Old", "after": "Person 0"} == changes["name"]
    assert "custom.planStr" in changes
    assert "Person 0" not in plan.table()["after"].tolist()
    assert "P… (8)" in plan.table()["after"].tolist()
    assert "Person 0" in plan.table(show_values=True)["after"].tolist()


def test_a_plan_of_an_audience(world: World) -> None:
    world.run(customers(), people(10))
    world.run(audience(), members(5))
    counts = plan_changes_nothing(world, audience(name="vip"), members(4, start=1))
    assert (0, 1, 4) == (counts["tag"], counts["untag"], counts["unchanged"])
    counts = plan_changes_nothing(world, audience(name="new", tag="new"), members(3))
    assert 3 == counts["tag"]


def test_a_plan_of_many_new_customers_stays_cheap(world: World) -> None:
    assert 1000 == world.plan(customers(), people(1000)).counts["create"]
    assert world.sandbox.units() < 500
