"""Law 2: an accepted job is not done; a row counts when its own result says created or updated."""

import pytest

from kustomer_pipeline_tests.world import World, audience, customers, members, people


def test_a_job_that_stays_queued_counts_for_nothing_and_is_collected_later(world: World) -> None:
    world.sandbox.faults.set("job_stuck", times=1)
    report = world.run(customers(), people(150))
    assert 100 == report.counts.deferred
    assert 50 == report.counts.created
    assert "queue" in report.rows.loc[report.rows["outcome"] == "deferred", "reason"].iloc[0]
    world.sandbox.faults.clear()
    world.sandbox.release_jobs()
    report = world.run(customers(), people(150))
    assert 150 == report.counts.unchanged
    assert 0 == world.sandbox.count("POST", "/v1/customers/bulk")
    assert 150 == len(world.sandbox.customers)


def test_a_job_that_is_still_queued_at_the_next_run_is_not_sent_again(world: World) -> None:
    world.sandbox.faults.set("job_stuck", times=1)
    world.run(customers(), people(10))
    report = world.run(customers(), people(10))
    assert 10 == report.counts.deferred
    assert 0 == world.sandbox.count("POST", "/v1/customers/bulk")
    world.sandbox.release_jobs()
    assert 10 == world.run(customers(), people(10)).counts.unchanged
    assert 10 == len(world.sandbox.customers)


@pytest.mark.parametrize("shape", ["list", "data", "attributes", "list_attributes", "paged"])
@pytest.mark.parametrize("order", ["results_reversed", "results_shuffled"])
def test_results_count_in_every_shape_and_order(world: World, shape: str, order: str) -> None:
    world.sandbox.faults.set("batches_shape", shape)
    world.sandbox.faults.set("batch_size", 30)
    world.sandbox.faults.set(order)
    report = world.run(customers(), people(120))
    assert 120 == report.counts.created
    by_key = dict(zip(report.rows["key"], report.rows["kustomer_id"], strict=True))
    for id_, attributes in world.sandbox.customers.items():
        assert id_ == by_key[attributes["externalId"]]


def test_a_row_without_a_result_is_looked_up_before_it_counts(world: World) -> None:
    world.sandbox.faults.set("results_missing", 3)
    report = world.run(customers(), people(20))
    assert 20 == report.counts.created
    assert 20 == len(world.sandbox.customers)


@pytest.mark.parametrize("fault", ["item_error_object", "batches_not_found"])
def test_an_items_error_is_read_in_every_form(world: World, fault: str) -> None:
    world.sandbox.faults.set(fault)
    taken = world.sandbox.seed_customer(externalId="X", emails=[{"email": "p1@example.com"}])
    report = world.run(customers(match_on=("externalId",)), people(3))
    assert 2 == report.counts.created
    assert 1 == report.counts.rejected
    reason = report.rows["reason"].dropna().iloc[0]
    assert f"its email belongs to another record in Kustomer ({taken})" in reason


def test_a_refused_row_is_tried_again_and_the_others_are_not(world: World) -> None:
    blocker = world.sandbox.seed_customer(externalId="X", emails=[{"email": "p1@example.com"}])
    spec = customers(match_on=("externalId",))
    world.run(spec, people(3))
    world.sandbox.agent_edit(blocker, emails=[])
    report = world.run(spec, people(3))
    assert 1 == report.counts.created
    assert 2 == report.counts.unchanged


def test_a_member_counts_as_tagged_when_kustomer_says_so(world: World) -> None:
    world.run(customers(), people(5))
    world.sandbox.faults.set("job_stuck", times=1)
    report = world.run(audience(), members(5))
    assert 5 == report.counts.deferred
    world.sandbox.release_jobs()
    assert 5 == world.run(audience(), members(5)).counts.unchanged
    assert all(["vip"] == world.sandbox.tag_names(id_) for id_ in world.sandbox.customers)
