"""Law 1: read = created + updated + unchanged + skipped + invalid + rejected + deferred, in every path."""

from typing import Any

import pytest

from kustomer_pipeline.kustomer import ConnectionFailedError, PermissionDeniedError
from kustomer_pipeline.sync import Counts
from kustomer_pipeline_tests.world import World, audience, customers, members, people


def test_every_outcome_in_one_run(world: World) -> None:
    world.run(customers(), people(3))
    world.sandbox.seed_customer(externalId="other", emails=[{"email": "p7@example.com"}])
    rows: list[dict[str, Any]] = [
        *people(1),  # unchanged
        *people(1, start=1, plan="pro"),  # updated
        *people(2, start=5),  # created
        *people(1, start=7),  # its e-mail belongs to somebody else: rejected
        {"id": "C-8", "email": None, "name": "no e-mail"},  # invalid
        {"id": "C-9", "email": "p9@example.com"},  # beyond the limit: deferred
    ]
    report = world.run(customers(), rows, limit=4)
    expected = Counts(read=7, created=2, updated=1, unchanged=1, invalid=1, rejected=1, deferred=1)
    assert expected == report.counts
    outcomes = ["unchanged", "updated", "created", "created", "rejected", "invalid", "deferred"]
    assert outcomes == report.rows["outcome"].tolist()
    assert report.rows["key"].tolist() == ["C-0", "C-1", "C-5", "C-6", "C-7", "C-8", "C-9"]
    reasons = report.rows["reason"]
    assert reasons.isna().tolist() == [True, True, True, True, False, False, False]


@pytest.mark.parametrize("after", range(0, 12, 2))
def test_a_run_that_is_stopped_half_way_still_adds_up(world: World, after: int) -> None:
    """Kustomer stops answering at some request; what was reached has its outcome, the rest is deferred."""
    world.sandbox.seed_customer(externalId="stranger")  # an empty org is asked for nothing
    world.sandbox.faults.set("gateway_error_before", after=after + 1)
    report = world.run(customers(), people(300))
    assert report.interrupted is not None
    assert 300 == report.counts.read
    assert report.counts.created + report.counts.deferred == 300
    world.sandbox.faults.clear()
    report = world.run(customers(), people(300))
    assert report.interrupted is None
    assert 300 == report.counts.created + report.counts.unchanged + report.counts.updated
    assert 301 == len(world.sandbox.customers)


def test_a_role_that_is_taken_away_in_the_middle(world: World) -> None:
    world.run(customers(), people(50))
    world.sandbox.faults.set("role_removed", "org.permission.customer.update", after=2)
    report = world.run(customers(), people(50, plan="pro"))
    assert isinstance(report.interrupted, PermissionDeniedError)
    assert 50 == report.counts.deferred


def test_nothing_is_reported_when_nothing_was_done(world: World) -> None:
    """No connection at all: an error instead of a report, so that nobody takes it for a run."""
    world.sandbox.faults.set("drop_before")
    with pytest.raises(ConnectionFailedError):
        world.run(customers(), people(3))


def test_an_audience_adds_up(world: World) -> None:
    world.run(customers(), people(10))
    rows = [*members(12), {"email": "P0@Example.com "}, {"email": None}]
    report = world.run(audience(), rows)
    assert Counts(read=14, updated=10, skipped=3, invalid=1) == report.counts


def test_an_empty_frame_adds_up(world: World) -> None:
    assert Counts() == world.run(customers(), []).counts
    assert Counts() == world.run(audience(), []).counts
