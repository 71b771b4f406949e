"""Lists of a record, run after run: what the sync wrote is replaced, what others wrote stays, a full list is no
refusal.

The rules themselves are in test_patch.py; here they meet what the state remembers and what Kustomer takes.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline_tests.world import World, companies, customers, people

ADDRESS = customers(fields=(*customers().fields, FieldMapping("locations", ("address",))))
PHONE = customers(nulls="clear", fields=(*customers().fields, FieldMapping("phone", ("phone",))))


def moved(**address: Any) -> list[dict[str, Any]]:
    return [{**people(1)[0], "address": json.dumps({"type": "home", **address})}]


OLD = {"address": "12 Altweg", "address2": "Apt 4", "zipCode": "10001", "cityName": "Berlin"}
NEW = {"address": "99 Hafenweg", "cityName": "Hamburg"}
AGENTS = {"type": "home", "address": "1 Agent Street", "zipCode": "20095", "cityName": "Hamburg"}


def locations(world: World) -> list[dict[str, Any]]:
    """The addresses of the one customer, without what Kustomer adds by itself."""
    (one,) = world.sandbox.customers.values()
    kept = ("type", "address", "address2", "zipCode", "cityName")
    return [{name: item[name] for name in kept if item.get(name) is not None} for item in one["locations"]]


# --- items that are identified by nothing but all they hold -------------------------------------------------------


def test_who_moved_has_the_new_address_and_nothing_of_the_old_one(world: World) -> None:
    world.run(ADDRESS, moved(**OLD))
    assert world.run(ADDRESS, moved(**NEW)).counts.updated == 1
    assert locations(world) == [{"type": "home", **NEW}]
    assert world.run(ADDRESS, moved(**NEW), full_resync=True).counts.unchanged == 1


def test_an_agents_address_is_left_as_it_is(world: World) -> None:
    world.run(ADDRESS, moved(**OLD))
    id_ = world.id_of("p0@example.com")
    world.sandbox.agent_edit(id_, locations=[AGENTS, {"type": "home", **OLD}])
    world.run(ADDRESS, moved(**NEW))
    assert locations(world) == [AGENTS, {"type": "home", **NEW}]


def test_an_address_of_the_sync_that_an_agent_completed_is_the_agents(world: World) -> None:
    world.run(ADDRESS, moved(**NEW))
    completed = {"type": "home", **NEW, "zipCode": "20457"}
    world.sandbox.agent_edit(world.id_of("p0@example.com"), locations=[completed])
    world.run(ADDRESS, moved(**OLD))
    assert completed in locations(world)


def test_the_old_address_is_known_to_be_the_syncs_although_the_answer_was_lost(world: World) -> None:
    world.sandbox.faults.set("drop_after", method="POST", path="/v1/customers/bulk", times=1)
    world.run(ADDRESS, moved(**OLD))
    world.run(ADDRESS, moved(**NEW))
    assert locations(world) == [{"type": "home", **NEW}]


# --- nulls: clear -------------------------------------------------------------------------------------------------


def phones(world: World) -> list[str]:
    (one,) = world.sandbox.customers.values()
    return [item["phone"] for item in one.get("phones") or []]


def test_a_null_takes_away_the_phone_that_the_sync_wrote(world: World) -> None:
    world.run(PHONE, [{**people(1)[0], "phone": "+442071838750"}])
    world.run(PHONE, people(1))
    assert phones(world) == []


@pytest.mark.parametrize("first", [None, "+442071838750"])
def test_a_null_leaves_a_phone_that_was_there_before(world: World, first: str | None) -> None:
    """Also where the warehouse once had the same number: it was an agent's, and the sync had nothing to write."""
    world.sandbox.seed_customer(externalId="C-0", phones=[{"phone": "+442071838750"}])
    world.run(PHONE, [{**people(1)[0], "phone": first}])
    world.run(PHONE, people(1, plan="pro"))
    assert phones(world) == ["+442071838750"]


def test_a_null_leaves_a_phone_that_an_agent_entered_after_the_sync_had_taken_it_away(world: World) -> None:
    world.run(PHONE, [{**people(1)[0], "phone": "+442071838750"}])
    world.run(PHONE, people(1))
    world.sandbox.agent_edit(world.id_of("p0@example.com"), phones=[{"phone": "+442071838750"}])
    world.run(PHONE, people(1, plan="pro"))
    assert phones(world) == ["+442071838750"]


def test_a_null_for_a_number_that_kustomer_does_not_let_be_empty_refuses_nothing(world: World) -> None:
    spec = companies(nulls="clear", fields=(*companies().fields, FieldMapping("employeeCount", ("size",))))
    rows = [{"id": f"A-{n}", "name": f"Company {n}", "size": 10} for n in range(3)]
    world.run(spec, rows)
    rows = [{**row, "name": f"{row['name']} Ltd", "size": None} for row in rows]
    report = world.run(spec, rows)
    assert (report.counts.updated, report.counts.rejected) == (3, 0)
    assert {(one["name"], one["employeeCount"]) for one in world.sandbox.companies.values()} == {
        (f"Company {n} Ltd", 10) for n in range(3)
    }
    assert world.run(spec, rows, full_resync=True).counts.unchanged == 3


# --- lists that are full ------------------------------------------------------------------------------------------


def emails(world: World) -> list[str]:
    return [item["email"] for item in world.customer("C-0")["emails"]]


def test_after_twenty_changes_of_the_address_the_row_still_lands(world: World) -> None:
    """Kustomer takes ten addresses: the oldest that the sync wrote gives way."""
    for n in range(20):
        report = world.run(customers(), [{**people(1)[0], "email": f"address{n}@example.com", "plan": str(n)}])
        assert (report.counts.rejected, report.counts.created + report.counts.updated) == (0, 1)
    assert emails(world) == [f"address{n}@example.com" for n in range(10, 20)]
    assert world.customer("C-0")["custom"]["planStr"] == "19"


def test_an_agents_addresses_never_give_way_and_the_rest_of_the_row_lands(world: World) -> None:
    full = [{"email": f"agent{n}@example.com"} for n in range(10)]
    world.sandbox.seed_customer(externalId="C-0", emails=full)
    report = world.run(customers(), people(1))
    assert (report.counts.updated, report.counts.rejected) == (1, 0)
    assert emails(world) == [item["email"] for item in full]
    assert world.customer("C-0")["custom"]["planStr"] == "free"
    assert any("written only in part" in note for note in report.notes)
    world.sandbox.clear_requests()
    again = world.run(customers(), people(1))  # what was left out is not forgotten
    assert (again.counts.rejected, world.sandbox.count("PUT", "/v1/customers/bulk")) == (1, 0)
    assert "emails would hold 11 entries, Kustomer takes 10" in again.rows["reason"][0]


def test_a_merge_that_left_more_addresses_than_a_write_takes_is_no_refusal(world: World) -> None:
    """A merged customer has the lists of both, beyond the limit."""
    first = world.sandbox.seed_customer(externalId="C-0", emails=[{"email": f"a{n}@example.com"} for n in range(8)])
    second = world.sandbox.seed_customer(emails=[{"email": f"b{n}@example.com"} for n in range(8)])
    world.sandbox.agent_merge(second, first)
    report = world.run(customers(), people(1))
    assert (report.counts.updated, report.counts.rejected) == (1, 0)
    assert world.customer("C-0")["name"] == "Person 0"
    assert len(emails(world)) == 16
