"""A record that was remembered under one key and is written under another: only the last writing counts.

Else the first key would be called unchanged when it comes back, though the record is not as its row says.
"""

from __future__ import annotations

from typing import Any

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import ObjectSpec
from kustomer_pipeline_tests.world import World, customers, people


def row(plan: str, external_id: str | None = "C-0") -> dict[str, Any]:
    return {**people(1)[0], "id": external_id, "plan": plan}


def plan_of(world: World) -> str:
    (one,) = world.sandbox.customers.values()
    return str(one["custom"]["planStr"])


def test_an_external_id_that_is_null_for_a_while(world: World) -> None:
    world.run(customers(), [row("free")])
    world.run(customers(), [row("pro", external_id=None)])
    assert plan_of(world) == "pro"
    assert world.run(customers(), [row("free")]).counts.updated == 1
    assert plan_of(world) == "free"
    assert world.run(customers(), [row("free")]).counts.unchanged == 1


def test_a_ladder_that_is_changed_and_changed_back(world: World) -> None:
    by_email = customers(match_on=("email",))
    world.run(customers(), [row("free")])
    world.run(by_email, [row("pro")])
    world.run(customers(), [row("free")])
    assert plan_of(world) == "free"


def test_a_ladder_in_another_order_and_back(world: World) -> None:
    other: ObjectSpec = customers(match_on=("email", "externalId"))
    world.run(customers(), [row("free")])
    assert world.run(other, [row("free")]).counts.rejected == 0
    world.run(other, [row("pro")])
    world.run(customers(), [row("free")])
    assert plan_of(world) == "free"


def test_a_null_that_found_nothing_to_change_counts_as_well(world: World) -> None:
    """The record was as wanted under the second key, so nothing was sent for it; an agent edited it in between."""
    world.run(customers(), [row("free")])
    id_ = world.id_of("p0@example.com")
    world.sandbox.agent_edit(id_, custom={"planStr": "pro"})
    assert world.run(customers(), [row("pro", external_id=None)]).counts.unchanged == 1
    world.run(customers(), [row("free")])
    assert plan_of(world) == "free"


def test_the_phone_of_a_row_becomes_its_key_and_is_its_key_no_longer(world: World) -> None:
    spec = customers(match_on=("phone", "email"), fields=(*customers().fields, FieldMapping("phone", ("phone",))))
    with_phone = {**row("free"), "phone": "+442071838750"}
    world.run(spec, [with_phone])
    world.run(spec, [{**row("pro"), "phone": None}])
    assert plan_of(world) == "pro"
    world.run(spec, [with_phone])
    assert plan_of(world) == "free"
