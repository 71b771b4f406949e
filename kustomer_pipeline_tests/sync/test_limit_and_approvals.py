"""What a run is told, and what it says when that leads nowhere: limits, approvals of another set."""

from kustomer_pipeline.sync import ChangeLimit, RemovalLimit
from kustomer_pipeline_tests.world import World, audience, customers, members, people


def test_rows_that_were_refused_do_not_use_up_the_limit(world: World) -> None:
    """Ten rows whose e-mail belongs to others come first in the query, and are refused in every run."""
    for n in range(10):
        world.sandbox.seed_customer(externalId=f"other-{n}", emails=[{"email": f"p{n}@example.com"}])
    rows = people(40)
    seen = []
    for _ in range(5):
        report = world.run(customers(), rows, limit=10)
        seen.append((report.counts.created, report.counts.rejected))
    assert seen == [(0, 10), (10, 0), (10, 0), (10, 0), (0, 10)]


def test_a_plan_with_a_limit_takes_the_same_rows(world: World) -> None:
    for n in range(5):
        world.sandbox.seed_customer(externalId=f"other-{n}", emails=[{"email": f"p{n}@example.com"}])
    world.run(customers(), people(20), limit=5)
    plan = world.plan(customers(), people(20), limit=5)
    assert (plan.counts["create"], plan.counts["reject"], plan.counts["defer"]) == (5, 0, 15)
    assert world.run(customers(), people(20), limit=5).counts.created == 5


def test_an_approval_of_removals_that_is_of_another_set_is_told(world: World) -> None:
    spec = audience(max_removals=RemovalLimit(share=0.1))
    world.run(customers(), people(20))
    world.run(spec, members(20))
    wrong = world.run(spec, members(10), approve_removals="removals-10-0123456789")
    assert wrong.removed == 0
    assert f"what is held has the id {wrong.removals.plan_id}" in note_on(wrong.notes, "approve_removals")
    right = world.run(spec, members(10), approve_removals=wrong.removals.plan_id)
    assert (right.removed, right.notes) == (10, ())
    again = world.run(spec, members(10), approve_removals=wrong.removals.plan_id)
    assert "let nothing through: nothing is held" in note_on(again.notes, "approve_removals")


def test_an_approval_of_changes_that_is_of_another_set_is_told(world: World) -> None:
    spec = customers(max_changes=ChangeLimit(share=0.1))
    world.run(spec, people(150))
    report = world.run(spec, people(150, plan="pro"), approve_changes="changes-150-0123456789")
    assert report.changes_held == 150
    assert f"what is held has the id {report.held_changes.plan_id}" in note_on(report.notes, "approve_changes")


def note_on(notes: tuple[str, ...], option: str) -> str:
    return next(note for note in notes if note.startswith(option))


def test_the_report_knows_how_many_members_there_are_afterwards(world: World) -> None:
    world.run(customers(), people(10))
    first = world.run(audience(), members(6))
    assert (first.members_now, first.removals.members) == (6, 0)
    assert world.run(audience(), members(5)).members_now == 5
    assert world.run(audience(mode="add", name="added", tag="other"), members(3)).members_now == 3


def test_the_report_knows_what_was_accepted_before(world: World) -> None:
    assert world.run(customers(), people(10)).accepted_before == 0
    assert world.run(customers(), people(4)).accepted_before == 10
    assert world.run(customers(), []).accepted_before == 10


def test_with_a_limit_a_run_of_which_every_row_is_refused_is_a_failure(world: World) -> None:
    """Three of three: not three of a hundred and fifty, which would be a success."""
    for row in people(3):
        world.sandbox.seed_customer(externalId=row["id"], emails=[{"email": f"other-{row['email']}"}])
    report = world.run(customers(match_on=("email",)), people(150), limit=3)
    assert (report.counts.rejected, report.counts.deferred) == (3, 147)
    assert report.failure_share == 1.0


def test_with_a_limit_one_refused_row_of_ten_is_as_before_one_of_all(world: World) -> None:
    world.sandbox.seed_customer(externalId="C-0", emails=[{"email": "other@example.com"}])
    report = world.run(customers(match_on=("email",)), people(150), limit=10)
    assert (report.counts.rejected, report.counts.created) == (1, 9)
    assert report.failure_share == 1 / 150
