"""Whoever compares, here or the warehouse: the same outcomes, the same plans, the same Kustomer, run after run.

The laws and the tests of the engine over the comparison in the warehouse: `make test-compared`.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, Plan, RemovalLimit, RowsOutOfDateError, SyncReport
from kustomer_pipeline.sync.run import run_sync
from kustomer_pipeline.sync.spec import RunOptions
from kustomer_pipeline.sync.state import StateStore
from kustomer_pipeline_tests.world import World, audience, customers, members, people

Rows = list[dict[str, Any]]

person = st.fixed_dictionaries(
    {
        "id": st.sampled_from([None, *(f"C-{n}" for n in range(5))]),
        "email": st.sampled_from([None, "not an address", *(f"p{n}@example.com" for n in range(5))]),
        "name": st.sampled_from([None, "Ada", "Bob"]),
        "plan": st.sampled_from([None, "free", "pro"]),
    }
)
options = st.sampled_from([{}, {}, {}, {"full_resync": True}, {"only": "rejected"}])
records = st.tuples(st.just("customers"), st.lists(person, max_size=7), options)
vip = st.tuples(st.just("vip"), st.lists(st.integers(0, 5), max_size=7), options)
agent = st.tuples(st.just("agent"), st.integers(0, 5), st.sampled_from(["delete", "untag", "rename"]))
steps = st.lists(st.one_of(records, records, vip, vip, agent), min_size=2, max_size=7)

RECORDS = customers()
VIP = audience(max_removals=RemovalLimit(share=0.5, count=3))


@given(steps)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_both_come_to_the_same(tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[Any, ...]]) -> None:
    folder = tmp_path_factory.mktemp("both")
    with (
        World(f"sqlite:///{folder / 'here.db'}", seed=7, in_warehouse=False) as here,
        World(f"sqlite:///{folder / 'there.db'}", seed=7, in_warehouse=True) as there,
    ):
        for step in drawn:
            what, how, more = step
            if what == "agent":
                for world in (here, there):
                    meddle(world, how, more)
                continue
            spec: ObjectSpec | AudienceSpec = RECORDS if what == "customers" else VIP
            rows: Rows = how if what == "customers" else [members(1, start=number)[0] for number in how]
            plans = [told_of_plan(world.plan(spec, rows)) for world in (here, there)]
            assert plans[0] == plans[1]
            reports = [told(world.run(spec, rows, **more)) for world in (here, there)]
            assert reports[0] == reports[1]
            assert kustomer_of(here) == kustomer_of(there)


def meddle(world: World, number: int, how: str) -> None:
    """What an agent does to one of the customers."""
    found = [id_ for id_, one in world.sandbox.customers.items() if one.get("externalId") == f"C-{number}"]
    for id_ in found:
        if how == "delete":
            world.sandbox.agent_delete(id_)
        elif how == "untag":
            world.sandbox.agent_edit(id_, tags=[])
        else:
            world.sandbox.agent_edit(id_, name="By an agent")


def told(report: SyncReport) -> tuple[Any, ...]:
    return report.counts, report.removed, report.removals_held, report.members, report.removals.waiting


def told_of_plan(plan: Plan) -> tuple[Any, ...]:
    return dict(plan.counts), sorted(plan.changes["key"].tolist()), plan.removals_held, plan.changes_held


def kustomer_of(world: World) -> list[Any]:
    """Every customer, without what differs by chance."""
    return sorted(
        (
            str(one.get("externalId")),
            str(one.get("name")),
            sorted(item["email"] for item in one.get("emails") or []),
            str((one.get("custom") or {}).get("planStr")),
            sorted(world.sandbox.tag_names(id_)),
        )
        for id_, one in world.sandbox.customers.items()
    )


@pytest.fixture
def world(tmp_path: Path) -> Any:
    with World(f"sqlite:///{tmp_path / 'state.db'}", in_warehouse=True) as world:
        yield world


def test_rows_of_another_definition_are_out_of_date(world: World) -> None:
    world.run(RECORDS, people(3))
    assert world.warehouse is not None
    with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        frame, rest = world.warehouse.read(RECORDS, state, world.sandbox.org_id)
        changed = customers(nulls="clear")
        with pytest.raises(RowsOutOfDateError, match="the sync's definition has changed since"):
            run_sync(changed, changed.map(frame), client=client, state=state, options=RunOptions("r"), rest=rest)


def test_a_full_resync_of_rows_that_differ_is_refused(world: World) -> None:
    world.run(RECORDS, people(3))
    assert world.warehouse is not None
    with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        frame, rest = world.warehouse.read(RECORDS, state, world.sandbox.org_id)
        given = RunOptions("r", full_resync=True)
        with pytest.raises(RowsOutOfDateError, match="full_resync looks at all of them"):
            run_sync(RECORDS, RECORDS.map(frame), client=client, state=state, options=given, rest=rest)


def test_a_state_that_was_lost_reads_everything_and_sends_nothing(world: World, tmp_path: Path) -> None:
    world.run(RECORDS, people(5))
    world.state_url = f"sqlite:///{tmp_path / 'new.db'}"
    assert world.run(RECORDS, people(5)).counts.unchanged == 5
    assert world.left == 5
    world.run(RECORDS, people(5))
    assert world.left == 0


def test_a_state_that_was_restored_does_not_take_newer_lines_for_its_own(world: World, tmp_path: Path) -> None:
    world.run(RECORDS, people(3, plan="free"))
    backup = (tmp_path / "state.db").read_bytes()
    world.run(RECORDS, people(3, plan="pro"))
    (tmp_path / "state.db").write_bytes(backup)
    (tmp_path / "state.db-wal").unlink(missing_ok=True)
    world.run(RECORDS, people(3, plan="free"))
    assert world.left == 3


def test_lines_that_cannot_be_written_cost_a_reading_and_no_request(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run(RECORDS, people(3, plan="free"))
    with monkeypatch.context() as patched:
        patched.setattr("kustomer_pipeline_tests.compared.InWarehouse.accept", lambda *_: False)
        assert world.run(RECORDS, people(3, plan="pro")).counts.updated == 3
    report = world.run(RECORDS, people(3, plan="pro"))
    assert (world.left, report.counts.unchanged) == (3, 3)
    assert [one.path for one in world.sandbox.requests] == ["/v1/auth/tokens/current"]
    world.run(RECORDS, people(3, plan="pro"))
    assert world.left == 0
