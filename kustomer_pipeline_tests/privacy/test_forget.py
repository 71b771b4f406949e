"""Who is forgotten, and who is not: an address that has moved, a record that is gone, a key, a company."""

from typing import Any

import pytest
import sqlalchemy as sa

from kustomer_pipeline.kustomer import PermissionDeniedError
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox.roles import ALL_ROLES, without
from kustomer_pipeline.sync import (
    Beyond,
    ForgetError,
    Receipt,
    RemovalLimit,
    StateStore,
    SyncSpec,
    Who,
    forget,
    keep_plan,
)
from kustomer_pipeline.sync.state import tables
from kustomer_pipeline_tests.world import CUSTOMER_FIELDS, World, audience, companies, customers, members, people

SPECS: list[SyncSpec] = [customers(), companies(), audience()]
EMAIL = "p1@example.com"


def forgotten(world: World, who: Who, api_key: str | None = None, **beyond: Any) -> Receipt:
    with world.client(api_key) as client, StateStore.open(world.state_url, clock=world.clock) as state:
        return forget(who, client=client, state=state, specs=SPECS, beyond=Beyond(**beyond))


def lines(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Every line of the state but the lists of who was forgotten."""
    with StateStore.open(world.state_url, clock=world.clock) as store, store.engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table))]
            for name, table in tables.metadata.tables.items()
            if name not in ("suppressed", "receipts", "org_facts", "schema_version")
        }


def mentions(world: World, *texts: str) -> list[str]:
    return [name for name, found in lines(world).items() for text in texts if text in repr(found)]


def on_the_list(world: World) -> int:
    with StateStore.open(world.state_url, clock=world.clock) as store, store.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(tables.suppressed)).scalar_one())


def test_all_syncs_forget_a_person_and_nobody_else(world: World) -> None:
    world.run(customers(), people(3))
    world.run(customers(), people(3, plan="pro"))
    world.run(audience(), members(3))
    id_ = world.id_of(EMAIL)
    assert mentions(world, EMAIL, "C-1", id_) != []
    receipt = forgotten(world, Who(email=f" {EMAIL.upper()} "))
    assert mentions(world, EMAIL, "'C-1'", id_) == []
    assert receipt.removed["state.sync_rows"] == 2
    assert {name: len(found) for name, found in lines(world).items() if found} == {
        "sync_rows": 4, "identities": 4, "sync_log": 6, "sync_runs": 3, "sync_changes": 4, "sync_facts": 2,
    }  # fmt: skip
    assert world.run(customers(), people(3, plan="pro")).counts.skipped == 1
    assert world.customer("C-1")["name"] == "Person 1"  # nothing is done in Kustomer


def test_a_plan_that_was_asked_for_a_row_by_its_name_goes_and_no_other(world: World) -> None:
    """Its options name the row (only_keys)."""
    world.run(customers(), people(3))
    plans = {key: world.plan(customers(), people(3, plan="pro"), only_keys=frozenset({key})) for key in ("C-1", "C-2")}
    plans["all"] = world.plan(customers(), people(3, plan="gold"))
    plans["email=P1@example.com"] = world.plan(
        customers(), people(3, plan="free", start=2), only_keys=frozenset({"email=P1@Example.com", "C-4"})
    )
    with StateStore.open(world.state_url, clock=world.clock) as state:
        for plan in plans.values():
            keep_plan(plan, state, "somebody")
    receipt = forgotten(world, Who(email=EMAIL))
    with StateStore.open(world.state_url, clock=world.clock) as state:
        kept = {key for key, plan in plans.items() if plan.id and state.plans(world.sandbox.org_id).get(plan.id)}
        assert state.plans(world.sandbox.org_id).seals(plans["C-1"].id or "") == frozenset()
    assert kept == {"C-2", "all"}
    assert receipt.removed["state.plans"] == 2
    assert mentions(world, EMAIL, "P1@", "'C-1'", '"C-1"') == []


def test_by_the_key_of_a_row(world: World) -> None:
    world.run(customers(), people(3))
    world.run(audience(), members(3))
    forgotten(world, Who(key="C-1", sync="customers"))
    assert mentions(world, EMAIL, "'C-1'", world.id_of(EMAIL)) == []
    assert world.run(audience(), members(3)).counts.skipped == 1  # by the address that Kustomer knows


def test_by_the_key_of_a_company_and_no_customer_of_that_key(world: World) -> None:
    firms = [{"id": f"C-{n}", "name": f"Company {n}"} for n in range(3)]
    world.run(customers(), people(3))
    world.run(companies(), firms)
    forgotten(world, Who(key="C-1", sync="companies"))
    assert world.run(companies(), firms).counts.skipped == 1
    assert world.run(customers(), people(3)).counts.unchanged == 3


def test_a_row_that_kustomer_never_had_is_forgotten_by_its_key(world: World) -> None:
    world.run(audience(), members(3))
    assert mentions(world, EMAIL) != []
    forgotten(world, Who(email=EMAIL))
    assert mentions(world, EMAIL) == []
    assert mentions(world, "p2@example.com") != []


def test_a_record_that_has_the_address_no_longer_is_somebody_elses(world: World) -> None:
    """The address went from one customer to another in Kustomer: the state's hint is about the first one."""
    world.run(customers(), people(3))
    first, second = world.id_of(EMAIL), world.id_of("p2@example.com")
    world.sandbox.agent_edit(first, emails=[{"email": "other@example.com"}])
    world.sandbox.agent_edit(second, emails=[{"email": "p2@example.com"}, {"email": EMAIL}])
    forgotten(world, Who(email=EMAIL), in_kustomer=True)
    assert first in world.sandbox.customers
    assert second not in world.sandbox.customers
    assert mentions(world, first) != []
    assert mentions(world, second) == []


def test_a_record_that_is_gone_is_known_from_what_is_remembered(world: World) -> None:
    world.run(customers(), people(3))
    id_ = world.id_of(EMAIL)
    world.sandbox.agent_delete(id_)
    receipt = forgotten(world, Who(email=EMAIL))
    assert mentions(world, "'C-1'", id_) == []
    assert receipt.removed["suppressed"] == 2  # the address, and the external id that is the row's key
    row = {**people(3)[1], "email": "quite.new@example.com"}
    assert world.run(customers(), [row]).counts.skipped == 1


def test_reasons_of_other_rows_do_not_name_them(world: World) -> None:
    fields = (*CUSTOMER_FIELDS, FieldMapping("phone", ("phone",)))
    spec = customers(fields=fields, default_region="GB")
    rows = [{**row, "phone": "020 7946 0001" if n else None} for n, row in enumerate(people(3))]
    world.run(spec, rows)
    assert mentions(world, "row key C-1") == ["sync_rows", "sync_log"]
    receipt = forgotten(world, Who(key="C-1", sync="customers"))
    assert receipt.removed["state.reasons"] == 2
    assert mentions(world, "C-1") == []
    assert mentions(world, "phone is also on row key (forgotten)") == ["sync_rows", "sync_log"]


def test_what_others_had_with_the_address_in_it_cannot_be_undone_any_more(world: World) -> None:
    world.run(customers(), people(3))
    world.run(customers(), [{**row, "plan": f"invited by {EMAIL}"} for row in people(1)])
    world.run(customers(), people(3, plan="pro"))
    assert "sync_changes" in mentions(world, EMAIL)
    forgotten(world, Who(email=EMAIL))
    assert mentions(world, EMAIL) == []


def test_items_of_jobs_in_flight_go_and_the_others_stay(world: World) -> None:
    """The record may still be made in Kustomer, where nobody else could stop it; nothing of it is remembered."""
    world.sandbox.faults.set("job_stuck")
    assert world.run(customers(), people(3)).counts.deferred == 3
    assert mentions(world, '"C-1"') == ["bulk_jobs"]
    assert forgotten(world, Who(email=EMAIL)).removed["state.bulk_jobs"] == 1
    assert mentions(world, "C-1") == []
    world.sandbox.faults.clear("job_stuck")
    world.sandbox.release_jobs()
    report = world.run(customers(), people(3))
    assert (report.counts.unchanged, report.counts.skipped) == (2, 1)
    assert mentions(world, "C-1", EMAIL, world.id_of(EMAIL)) == []


def test_a_record_that_is_still_to_be_made_is_not_said_to_be_deleted(world: World) -> None:
    world.sandbox.faults.set("job_stuck")
    world.run(customers(), people(3))
    with pytest.raises(ForgetError, match="still in Kustomer's queue"):
        forgotten(world, Who(email=EMAIL), in_kustomer=True)
    world.sandbox.faults.clear("job_stuck")
    world.sandbox.release_jobs()
    receipt = forgotten(world, Who(email=EMAIL), in_kustomer=True)
    assert receipt.removed["kustomer.customers"] == 1
    assert len(world.sandbox.customers) == 2
    assert mentions(world, "C-1", EMAIL) == []


def test_the_customer_is_deleted_in_kustomer_if_asked_for(world: World) -> None:
    world.run(customers(), people(3))
    id_ = world.id_of(EMAIL)
    receipt = forgotten(world, Who(email=EMAIL), in_kustomer=True)
    assert receipt.removed["kustomer.customers"] == 1
    assert id_ not in world.sandbox.customers
    assert len(world.sandbox.customers) == 2
    again = forgotten(world, Who(email=EMAIL), in_kustomer=True)
    assert again.removed["kustomer.customers"] == 0
    assert set(again.removed.values()) == {0}


def test_without_the_role_nothing_is_done_at_all(world: World) -> None:
    world.run(customers(), people(3))
    before = lines(world)
    key = world.sandbox.add_api_key(without(ALL_ROLES, "org.permission.customer.delete"))
    with pytest.raises(PermissionDeniedError, match=r"org\.permission\.customer\.delete.*Nothing was done"):
        forgotten(world, Who(email=EMAIL), key, in_kustomer=True)
    assert (lines(world), on_the_list(world), len(world.sandbox.customers)) == (before, 0, 3)
    forgotten(world, Who(email=EMAIL), key)  # what needs no such role


def test_companies_are_not_deleted_in_kustomer(world: World) -> None:
    world.run(companies(), [{"id": "A-1", "name": "Company"}])
    with pytest.raises(ForgetError, match="Only customers can be deleted"):
        forgotten(world, Who(key="A-1", sync="companies"), in_kustomer=True)
    assert on_the_list(world) == 0


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (Who(), "Name one person"),
        (Who(email=EMAIL, key="C-1", sync="customers"), "Name one person"),
        (Who(key="C-1"), "Name one person"),
        (Who(email=EMAIL, sync="customers"), "Name one person"),
        (Who(email="nobody"), "is none"),
        (Who(email="@example.com"), "is none"),
        (Who(key="row:17", sync="customers"), "names a place"),
    ],
)
def test_who_cannot_be_forgotten_like_this(world: World, who: Who, why: str) -> None:
    with pytest.raises(ForgetError, match=why):
        forgotten(world, who)


def test_a_receipt_says_what_was_done_and_not_for_whom(world: World) -> None:
    world.run(customers(), people(3))
    receipt = forgotten(world, Who(email=EMAIL))
    with StateStore.open(world.state_url, clock=world.clock) as store:
        assert store.receipts(world.sandbox.org_id).all() == [receipt]
        assert store.receipts("another org").all() == []
    assert receipt.finished_at is not None
    assert not any(text in receipt.as_json() for text in (EMAIL, "C-1", "Person", world.id_of(EMAIL)))


def test_whoever_was_forgotten_by_mistake_is_taken_off_the_list(world: World) -> None:
    world.run(customers(), people(3))
    receipt, other = forgotten(world, Who(email=EMAIL)), forgotten(world, Who(email="p2@example.com"))
    with StateStore.open(world.state_url, clock=world.clock) as store:
        assert store.suppressed(world.sandbox.org_id).lift(receipt.receipt_id) == 2
    report = world.run(customers(), people(3))
    assert (report.counts.unchanged, report.counts.skipped) == (2, 1)
    assert other.receipt_id != receipt.receipt_id


def test_a_mirror_does_not_untag_whom_it_does_not_remember(world: World) -> None:
    vip = audience(max_removals=RemovalLimit(share=1.0))
    world.run(customers(), people(3))
    world.run(vip, members(3))
    forgotten(world, Who(email=EMAIL))
    assert world.run(vip, members(3)).removed == 0
    assert world.sandbox.tag_names(world.id_of(EMAIL)) == ["vip"]
