"""A sync in shards: the parts together do what one run would do, and what they cannot see in one another they ask."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from kustomer_pipeline.sync import ObjectSpec, RunOptions, StateStore, SyncReport, in_shard, run, shard_number
from kustomer_pipeline.sync.splitting import SplitUnderWayError
from kustomer_pipeline_tests.world import World, customers, frame_of, people

OF = 3
Rows = list[dict[str, Any]]


def part_of(rows: Rows, number: int, of: int = OF) -> Rows:
    return [row for row in rows if shard_number(row["id"] or "", ("externalId",), of) == number]


def run_all(world: World, rows: Rows, of: int = OF, spec: ObjectSpec | None = None, **options: Any) -> list[SyncReport]:
    spec = spec or customers()
    return [world.run(in_shard(spec, number, of), part_of(rows, number, of), **options) for number in range(of)]


def total(reports: list[SyncReport]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for report in reports:
        counts.update({name: value for name, value in vars(report.counts).items() if value})
    return counts


def test_the_parts_together_are_the_whole(world: World) -> None:
    rows = people(60)
    assert all(len(part_of(rows, number)) > 5 for number in range(OF))
    assert total(run_all(world, rows)) == {"read": 60, "created": 60}
    assert len(world.sandbox.customers) == 60
    rows[7]["plan"] = "pro"
    again = run_all(world, rows)
    assert total(again) == {"read": 60, "unchanged": 59, "updated": 1}


def test_an_unchanged_part_costs_nothing(world: World) -> None:
    run_all(world, people(30))
    for report in run_all(world, people(30)):
        assert report.counts.unchanged == report.counts.read
        assert report.requests == 1  # whose org it is


def test_a_sync_that_is_split_goes_on_where_it_was(world: World) -> None:
    world.run(customers(), people(50))
    for of in (3, 5, 2):
        reports = run_all(world, people(50), of)
        assert total(reports) == {"read": 50, "unchanged": 50}
        assert sum(report.requests for report in reports) == of
    world.sandbox.clear_requests()
    whole = world.run(customers(), people(50))
    assert (whole.counts.unchanged, whole.requests) == (50, 1)


def test_a_sync_in_shards_that_is_renamed_goes_on_where_it_was(world: World) -> None:
    run_all(world, people(40))
    renamed = customers(name="people", renamed_from="customers")
    assert total(run_all(world, people(40), 2, renamed)) == {"read": 40, "unchanged": 40}
    assert total(run_all(world, people(40), 2, renamed)) == {"read": 40, "unchanged": 40}
    back = customers(renamed_from="people")
    assert world.run(back, people(40)).counts.unchanged == 40


def test_rows_without_the_first_identifier_are_all_in_one_part(world: World) -> None:
    rows = [{**row, "id": None} for row in people(20)]
    parts = [len(part_of(rows, number)) for number in range(OF)]
    assert sorted(parts) == [0, 0, 20]
    run_all(world, rows)
    assert total(run_all(world, rows, 4)) == {"read": 20, "unchanged": 20}


BY_EMAIL = customers(
    match_on=("email",), fields=tuple(field for field in customers().fields if field.field != "externalId")
)


def two_addresses_of_one(world: World, of: int = OF) -> tuple[list[Rows], str]:
    """A record with two addresses, and a row for each of them, in two parts."""
    rows = people(30)
    here = {shard_number(row["email"], ("email",), of): row for row in rows}
    one, other = here[0], here[1]
    id_ = world.sandbox.seed_customer(emails=[{"email": one["email"]}, {"email": other["email"]}], name="Both")
    return [[{**one, "plan": "free"}], [{**other, "plan": "pro"}]], id_


def test_two_rows_of_two_parts_that_are_one_record_are_not_both_written(world: World) -> None:
    (one, other), id_ = two_addresses_of_one(world)
    assert world.run(in_shard(BY_EMAIL, 0, OF), one).counts.updated == 1
    refused = world.run(in_shard(BY_EMAIL, 1, OF), other)
    assert refused.counts.rejected == 1
    assert f"the same record in Kustomer ({id_}) as row" in str(refused.rows["reason"].iloc[0])
    assert world.sandbox.customers[id_]["custom"]["planStr"] == "free"


def test_a_record_is_free_when_its_row_is_no_longer_there(world: World) -> None:
    (one, other), id_ = two_addresses_of_one(world)
    world.run(in_shard(BY_EMAIL, 0, OF), one)
    assert world.run(in_shard(BY_EMAIL, 1, OF), other).counts.rejected == 1
    world.run(in_shard(BY_EMAIL, 0, OF), [])
    assert world.run(in_shard(BY_EMAIL, 1, OF), other).counts.updated == 1
    assert world.sandbox.customers[id_]["custom"]["planStr"] == "pro"


def test_two_parts_that_write_one_record_at_the_same_time_are_found_out(world: World) -> None:
    (one, other), id_ = two_addresses_of_one(world)
    both = at_the_same_time(world, [in_shard(BY_EMAIL, 0, OF), in_shard(BY_EMAIL, 1, OF)], [one, other])
    assert [report.counts.updated for report in both] == [1, 1]  # neither could know
    for _ in range(2):  # from now on one of them is the record, and the other is told
        assert world.run(in_shard(BY_EMAIL, 0, OF), one).counts.rejected == 1
        world.run(in_shard(BY_EMAIL, 1, OF), other)
        assert world.sandbox.customers[id_]["custom"]["planStr"] == "pro"


def at_the_same_time(world: World, specs: list[ObjectSpec], rows: list[Rows]) -> list[SyncReport]:
    """Runs on one loop: each goes on while another waits for Kustomer."""
    world.latency = 1.0

    async def all_of_them() -> list[SyncReport]:
        runs = (
            run._run(spec, spec.map(frame_of(spec, own)), client, state, RunOptions(spec.name), None, None)
            for spec, own in zip(specs, rows, strict=True)
        )
        return await asyncio.gather(*runs)

    with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        return client.run(all_of_them())


def test_what_is_under_way_ends_before_a_sync_is_split_otherwise(world: World) -> None:
    world.run(customers(), people(10))
    world.jobs_take(10_000.0)
    rows = [{**row, "plan": "pro"} for row in people(10)]
    assert world.run(customers(), rows).counts.deferred == 10
    with pytest.raises(SplitUnderWayError, match="split otherwise until now"):
        world.run(in_shard(customers(), 0, OF), part_of(rows, 0))
    world.hours_pass(1)
    world.jobs_take(2.0)
    counts = total(run_all(world, rows))
    assert counts["updated"] + counts["unchanged"] == 10
    assert all(one["custom"]["planStr"] == "pro" for one in world.sandbox.customers.values())
