"""Law 9: a row that is as it was last time costs zero requests, whatever came of it."""

from pathlib import Path
from typing import Any

from kustomer_pipeline.sync import AudienceSpec, ObjectSpec
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people

TOKEN = ["/v1/auth/tokens/current"]


def second_run(world: World, spec: ObjectSpec | AudienceSpec, rows: list[dict[str, Any]]) -> list[str]:
    """The paths of a second run over the same rows."""
    first = world.run(spec, rows)
    second = world.run(spec, rows)
    assert first.rows["kustomer_id"].isna().tolist() == second.rows["kustomer_id"].isna().tolist()
    return [record.path for record in world.sandbox.requests]


def test_upserted_customers(world: World) -> None:
    for row in people(10):
        world.sandbox.seed_customer(externalId=row["id"])
    assert TOKEN == second_run(world, customers(), people(20))


def test_inserted_customers_of_whom_some_exist(world: World) -> None:
    for row in people(10):
        world.sandbox.seed_customer(externalId=row["id"])
    assert TOKEN == second_run(world, customers(mode="insert"), people(20))


def test_updated_customers_of_whom_some_are_missing(world: World) -> None:
    for row in people(10):
        world.sandbox.seed_customer(externalId=row["id"])
    assert TOKEN == second_run(world, customers(mode="update"), people(20))


def test_companies(world: World) -> None:
    assert TOKEN == second_run(world, companies(), [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(20)])


def test_members_of_whom_some_are_unknown(world: World) -> None:
    world.run(customers(), people(10))
    world.sandbox.seed_tag("remove")
    for mode in ("mirror", "add", "remove"):
        assert TOKEN == second_run(world, audience(name=mode, tag=mode, mode=mode), members(15))


def test_an_invalid_row(world: World) -> None:
    assert TOKEN == second_run(world, customers(), [{"id": "C-1", "email": "not an address"}])


def test_a_missing_record_is_found_when_it_appears(world: World) -> None:
    """Another sync of the same state makes it known at once; otherwise search is asked again after an hour."""
    world.run(audience(), members(2))
    world.run(customers(), people(1))
    assert 1 == world.run(audience(), members(2)).counts.updated
    world.sandbox.seed_customer(emails=[{"email": "p1@example.com"}])
    assert 1 == world.run(audience(), members(2)).counts.skipped
    world.hours_pass(2)
    assert 1 == world.run(audience(), members(2)).counts.updated


def test_another_org_inherits_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    for _ in range(2):
        with World(url) as world:
            assert 5 == world.run(customers(), people(5)).counts.created
