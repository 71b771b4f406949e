"""What people ask of an org, on both databases."""

from datetime import timedelta

from kustomer_pipeline.doctor.state import StateView
from kustomer_pipeline.sync.state import ChangeLine, Job, JobItem, LogLine, RememberedRow, RunLine, StateStore
from kustomer_pipeline_tests.simulated import SimulatedClock


def a_run(store: StateStore, sync: str, run_id: str, org: str = "org", **counts: int) -> None:
    now = store.now()
    with store.of(org, sync).transaction() as tx:
        tx.runs.add(RunLine(run_id, now - timedelta(seconds=3), now, counts, 3.0, None))


def test_so_many_last_runs_of_each_sync(store: StateStore, clock: SimulatedClock) -> None:
    for number in range(4):
        a_run(store, "customers", f"run {number}", created=number)
        clock.advance(60)
    a_run(store, "vip", "another", removals_held=5)
    a_run(store, "customers", "not ours", org="another org")
    found = store.overview("org").last_runs(2)
    assert [(sync, run.run_id) for sync, run in found] == [
        ("vip", "another"),
        ("customers", "run 3"),
        ("customers", "run 2"),
    ]
    assert (found[0][1].counts["removals_held"], found[1][1].counts["created"]) == (5, 3)
    assert found[0][1].finished_at == store.now()


def test_jobs_that_nobody_has_collected_the_oldest_first(store: StateStore, clock: SimulatedClock) -> None:
    began = store.now()
    for number, sync in enumerate(("customers", "vip")):
        items = tuple(JobItem(f"{number}-{item}", f"C-{item}") for item in range(number + 1))
        with store.of("org", sync).transaction() as tx:
            tx.journal.intend(Job(f"job {number}", "create", "customers", items), "run")
        clock.advance(60)
    with store.of("org", "vip").transaction() as tx:
        tx.journal.submitted("job 1", "bulk id")
    first, second = store.overview("org").jobs()
    assert (first.sync, first.items, first.bulk_id, first.created_at) == ("customers", 1, None, began)
    assert (second.sync, second.items, second.bulk_id) == ("vip", 2, "bulk id")
    assert store.overview("another org").jobs() == []


def test_shares_that_have_run_out_are_not_told(store: StateStore, clock: SimulatedClock) -> None:
    store.budget_lease("org", "one").renew()
    assert [(lease.holder, lease.share) for lease in store.overview("org").leases()] == [("one", 1.0)]
    clock.advance(61)
    assert store.overview("org").leases() == []


def test_one_row_in_whatever_part_and_for_whatever_tag(store: StateStore, clock: SimulatedClock) -> None:
    with store.of("org", "customers 1-of-2").transaction() as tx:
        tx.rows.put([RememberedRow("C-1", "accepted", 7, "id", theirs={})], "run")
    with store.of("org", "customers_too").transaction() as tx:  # a name that only begins alike
        tx.rows.put([RememberedRow("C-1", "rejected", 7)], "run")
    for scope in ("tag-a", "tag-b"):
        clock.advance(60)
        with store.of("org", "vip", scope).transaction() as tx:
            tx.rows.put([RememberedRow("jane@private.example", "accepted", 7, "id", owned=True)], "run")
    overview = store.overview("org")
    [row] = overview.rows("customers", "C-1")
    assert (row.sync, row.row.status, row.row.kustomer_id, row.run_id) == ("customers 1-of-2", "accepted", "id", "run")
    assert [(row.scope, row.row.owned) for row in overview.rows("vip", "jane@private.example")] == [
        ("tag-b", True),
        ("tag-a", True),
    ]


def test_the_log_of_a_row_and_what_was_overwritten_the_newest_first(store: StateStore, clock: SimulatedClock) -> None:
    for number in range(3):
        with store.of("org", "customers").transaction() as tx:
            tx.log.add([LogLine("C-1", "updated", "id"), LogLine("C-2", "rejected", None, "why")], f"run {number}")
            changes = (("name", number, number + 1),)
            tx.changes.add([ChangeLine("C-1", "customers", "id", changes)], f"run {number}")
        clock.advance(60)
    overview = store.overview("org")
    assert [line.run_id for line in overview.log_of_row("customers", "C-1", 2)] == ["run 2", "run 1"]
    assert [line.reason for line in overview.log_of_row("customers", "C-2", 1)] == ["why"]
    changed = overview.changes_of_row("customers", "C-1", 9)
    assert [(one.run_id, one.line.changes) for one in changed] == [
        (f"run {number}", (("name", number, number + 1),)) for number in (2, 1, 0)
    ]
    assert overview.changes_of_row("customers", "C-2", 9) == []
    assert store.written_by("run 1") == ({"updated": 1, "rejected": 1}, 0)
    assert store.written_by("nobody's") == ({}, 0)


def test_every_org_that_something_is_remembered_of(store: StateStore, state_url: str, clock: SimulatedClock) -> None:
    view = StateView.of(state_url, clock)
    assert view.orgs() == []
    a_run(store, "customers", "run", org="b")
    with store.of("a", "customers").transaction() as tx:
        tx.rows.put([RememberedRow("C-1", "accepted", 7, "id")], "run")
    assert view.orgs() == ["a", "b"]
    assert [sync for sync, _ in view.overview("b").last_runs(1)] == ["customers"]
    assert view.plans("b").newest("customers") is None
