"""The guard: within the limit everything goes, beyond it nothing, unless exactly this set is approved by its id."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kustomer_pipeline.sync import ChangeLimit, RemovalLimit
from kustomer_pipeline.sync.guard import NOTHING_TO_JUDGE, Guard, Verdict

GUARD = Guard("org", "vip", "tag", used=0)
IDS = ["c", "a", "b"]
NONE = RemovalLimit(share=0.0, count=0)


def removals(
    guard: Guard = GUARD, ids: list[str] | None = None, approved: str | None = None, limit: RemovalLimit = NONE
) -> Verdict:
    return guard.removals(IDS if ids is None else ids, 10, limit, approved)


def test_nothing_to_do_needs_no_verdict() -> None:
    assert removals(ids=[]) == NOTHING_TO_JUDGE
    assert removals(ids=[]).plan_id is None


@pytest.mark.parametrize(
    ("removed", "members", "limit", "allowed"),
    [
        (2, 10, RemovalLimit(0.2, 1000), True),
        (3, 10, RemovalLimit(0.2, 1000), False),
        (1000, 100_000, RemovalLimit(0.2, 1000), True),
        (1001, 100_000, RemovalLimit(0.2, 1000), False),
        (1, 1, RemovalLimit(0.2, 1000), False),
        (1, 1, RemovalLimit(1.0, 1000), True),
        (900, None, RemovalLimit(0.2, 1000), True),  # of how many is not known: only the count is judged
        (1001, None, RemovalLimit(1.0, 1000), False),
    ],
)
def test_removals_are_judged_by_their_share_and_by_their_number(
    removed: int, members: int | None, limit: RemovalLimit, allowed: bool
) -> None:
    verdict = GUARD.removals([str(n) for n in range(removed)], members, limit, None)
    assert (verdict.allowed, verdict.held) == (allowed, 0 if allowed else removed)


@pytest.mark.parametrize(
    ("changed", "accepted", "limit", "allowed"),
    [
        (99, 99, ChangeLimit(), True),  # fewer than a hundred are nobody's accident
        (99, 99, ChangeLimit(0.0, 0), True),
        (100, 200, ChangeLimit(), True),
        (100, 199, ChangeLimit(), False),
        (101, 200, ChangeLimit(), False),
        (200, 200, ChangeLimit(share=1.0), True),
        (150, 200, ChangeLimit(1.0, 149), False),
        (149, 200, ChangeLimit(1.0, 149), True),
    ],
)
def test_changes_are_judged_by_their_share_and_by_their_number(
    changed: int, accepted: int, limit: ChangeLimit, allowed: bool
) -> None:
    verdict = GUARD.changes([str(n) for n in range(changed)], accepted, limit, None)
    assert (verdict.allowed, verdict.held) == (allowed, 0 if allowed else changed)


def test_an_approved_set_goes() -> None:
    plan_id = removals().plan_id
    assert removals(approved=plan_id) == Verdict(3, True, plan_id, approved=True)


def test_the_order_of_the_set_does_not_matter() -> None:
    assert removals(ids=["b", "c", "a"]).plan_id == removals().plan_id


def test_an_approval_within_the_limit_is_not_used() -> None:
    assert not removals(approved=removals().plan_id, limit=RemovalLimit(1.0)).approved


@pytest.mark.parametrize(
    "other",
    [
        removals(ids=["a", "b"]),
        removals(ids=["a", "b", "d"]),
        removals(replace(GUARD, org_id="another org")),
        removals(replace(GUARD, sync="another sync")),
        removals(replace(GUARD, scope="another tag")),
        removals(replace(GUARD, used=1)),
        GUARD.changes(IDS, 10, ChangeLimit(), None),
    ],
)
def test_an_id_is_of_exactly_one_set(other: Verdict) -> None:
    """Of these records, in this org, this sync and this tag, after so many approvals, and of removals or changes."""
    assert other.plan_id is not None
    assert other.plan_id != removals().plan_id
    assert not removals(approved=other.plan_id).allowed


def test_an_id_tells_what_it_is_of() -> None:
    assert str(removals().plan_id).startswith("removals-3-")
