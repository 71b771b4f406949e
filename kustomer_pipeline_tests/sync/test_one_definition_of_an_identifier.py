"""An identifier is the same one in every spelling: in the warehouse, in Kustomer, in what is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import RemovalLimit
from kustomer_pipeline_tests.world import World, audience, customers

BY_PHONE = customers(
    match_on=("phone", "email"),
    fields=(
        FieldMapping("phone", ("phone",)),
        FieldMapping("email", ("email",)),
        FieldMapping("name", ("name",)),
    ),
)
VIPS = audience(match_on=("phone",), fields=(FieldMapping("phone", ("phone",)),))
ROW = {"phone": "+12125550003", "email": "ann@example.com", "name": "Ann"}
WIDE = RemovalLimit(share=1.0)
STORED = ["+1 (212) 555-0003", "12125550003", "+1.212.555.0003", "+12125550003"]


def seed(world: World, stored: str, **body: Any) -> str:
    """A customer whose number was entered long ago, in a form that Kustomer takes from nobody any more."""
    id_ = world.sandbox.seed_customer(phones=[{"phone": "+12125550003"}], **body)
    store = world.sandbox.state.store
    with world.sandbox.state.lock:
        record = store.records["customer"][id_]
        phones = [{**record.attributes["phones"][0], "phone": stored}]
        store._put(record, replace(record, attributes={**record.attributes, "phones": phones}))
    return id_


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("search", ["search", "no search"])
def test_a_customer_whose_number_kustomer_holds_in_another_form_is_found(
    world: World, stored: str, search: str
) -> None:
    if search == "no search":
        world.sandbox.faults.set("search_forbidden")
    id_ = seed(world, stored, name="Old")
    report = world.run(BY_PHONE, [ROW])
    assert (report.counts.created, report.counts.updated) == (0, 1)
    landed = world.sandbox.customers[id_]
    assert landed["name"] == "Ann"
    assert [item["phone"] for item in landed["phones"]] == [stored], "there is no second entry of the same number"
    assert world.run(BY_PHONE, [ROW], full_resync=True).counts.unchanged == 1


@pytest.mark.parametrize("stored", STORED)
def test_a_member_whose_number_kustomer_holds_in_another_form_is_tagged(world: World, stored: str) -> None:
    id_ = seed(world, stored)
    assert world.run(VIPS, [ROW]).counts.updated == 1
    assert world.sandbox.tag_names(id_) == ["vip"]


@pytest.mark.parametrize("stored", STORED)
def test_a_member_of_the_tag_in_another_form_does_not_leave(world: World, stored: str) -> None:
    tag = world.sandbox.seed_tag("vip")
    id_ = seed(world, stored, tags=[tag])
    other = world.sandbox.seed_customer(phones=[{"phone": "+12125550009"}], tags=[tag])
    spec = audience(match_on=VIPS.match_on, fields=VIPS.fields, mirror_scope="tag", max_removals=WIDE)
    report = world.run(spec, [ROW])
    assert (report.removed, report.counts.unchanged) == (1, 1)
    assert (world.sandbox.tag_names(id_), world.sandbox.tag_names(other)) == (["vip"], [])


def test_an_address_in_another_case_is_the_same_address(world: World) -> None:
    id_ = world.sandbox.seed_customer(emails=[{"email": "Ann@Example.COM"}], name="Old")
    spec = customers(match_on=("email",), fields=customers().fields[1:3])
    report = world.run(spec, [{"email": " ANN@example.com", "name": "Ann"}])
    assert report.counts.updated == 1
    assert [item["email"] for item in world.sandbox.customers[id_]["emails"]] == ["Ann@Example.COM"]


def test_numbers_that_the_sync_itself_wrote_are_found_again(world: World) -> None:
    world.run(BY_PHONE, [ROW])
    again = customers(name="again", match_on=BY_PHONE.match_on, fields=BY_PHONE.fields)
    assert world.run(again, [{**ROW, "phone": "+1 212 555 0003"}]).counts.unchanged == 1
    assert len(world.sandbox.customers) == 1
