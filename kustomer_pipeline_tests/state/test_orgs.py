"""What is remembered of a whole org: facts, which syncs own what, renamed syncs and tags, what runs did."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from kustomer_pipeline.sync.state import (
    ChangeLine,
    Job,
    JobItem,
    LogLine,
    RememberedRow,
    RunLine,
    StateStore,
)
from kustomer_pipeline.sync.state.values import TagEffect
from kustomer_pipeline_tests.simulated import SimulatedClock


def put(store: StateStore, sync: str, scope: str, *rows: RememberedRow) -> None:
    with store.of("org", sync, scope).transaction() as tx:
        tx.rows.put(rows, "run")


def members(keys: Sequence[str], *, owned: bool = True) -> list[RememberedRow]:
    return [RememberedRow(key, "accepted", 1, f"id-{key}", owned=owned) for key in keys]


def owners(store: StateStore, sync: str, scope: str) -> dict[str, bool]:
    snapshot = store.of("org", sync, scope).rows.snapshot()
    return dict(zip(snapshot.keys.to_pylist(), snapshot.owned.to_pylist(), strict=True))


def add_change(
    store: StateStore, sync: str, scope: str, effect: TagEffect = "accept", run_id: str = "run"
) -> ChangeLine:
    line = ChangeLine("a", "companies", "id-a", (("tags", ["x"], ["x", "y"]), ("name", None, "Ada")), effect=effect)
    with store.of("org", sync, scope).transaction() as tx:
        tx.changes.add([line], run_id)
    return ChangeLine(line.key, line.object_name, line.kustomer_id, line.changes, sync, scope, effect)


def test_facts_belong_to_an_org(store: StateStore) -> None:
    org = store.org("org")
    assert org.fact("tag:vip") is None
    org.set_fact("tag:vip", "1")
    org.set_fact("tag:vip", "2")
    assert org.fact("tag:vip") == "2"
    assert store.org("other").fact("tag:vip") is None


def test_whose_records_hold_a_tag_is_counted_per_sync_and_per_tag(store: StateStore) -> None:
    put(store, "vip", "1", *members("abc"), RememberedRow("again", "accepted", 1, "id-a", owned=True))
    put(store, "vip", "2", *members("d"), *members("e", owned=False))
    put(store, "other", "1", *members("ab"))
    put(store, "customers", "", *members("abcd", owned=False))
    org = store.org("org")
    assert sorted(org.syncs()) == [("customers", 4), ("other", 2), ("vip", 6)]
    assert sorted(org.scopes("vip")) == [("1", 3), ("2", 1)]
    assert sorted(org.syncs_of_scope("1")) == [("other", 2), ("vip", 3)]
    assert store.org("another").syncs() == store.org("another").scopes("vip") == []


def test_a_renamed_sync_keeps_what_was_remembered_under_its_old_name(store: StateStore) -> None:
    put(store, "old", "1", *members("ab"))
    put(store, "old", "2", *members("a"))
    put(store, "bystander", "1", *members("a"))
    add_change(store, "old", "1", "tag")
    with store.of("org", "old", "1").transaction() as tx:
        tx.facts.set("signature", "of the rows")
        tx.journal.intend(Job("j", "update", "customers", (JobItem("j-0", "a"),)), "run")
    with store.of("org", "new", "1").transaction() as tx:
        tx.facts.set("signature", "of no rows")
    org = store.org("org")
    assert org.carry_over("old", "new") == 3
    assert (owners(store, "new", "1"), owners(store, "new", "2")) == ({"a": True, "b": True}, {"a": True})
    assert sorted(org.syncs()) == [("bystander", 1), ("new", 3)]
    assert store.of("org", "new").facts.get("signature") == "of the rows"
    assert [job.job_id for job in store.of("org", "new").journal.jobs()] == ["j"]
    assert [line.sync for line in org.changes_of("run")] == ["new"], "an undo finds whose the tag is"
    assert org.carry_over("old", "new") == 0


def test_what_the_new_name_has_remembered_stays_and_what_the_old_one_owned_is_its_own(store: StateStore) -> None:
    put(store, "old", "1", *members("ab"))
    put(store, "new", "1", *members("b", owned=False))
    assert store.org("org").carry_over("old", "new") == 1
    assert owners(store, "old", "1") == {}
    assert owners(store, "new", "1") == {"a": True, "b": True}


def test_rows_go_to_the_tag_that_is_known_by_now_and_stay_ours(store: StateStore) -> None:
    put(store, "vip", "name:vip", *members("ab"), *members("c", owned=False))
    put(store, "vip", "1", *members("bc", owned=False), RememberedRow("a", "accepted", 5, "id-of-another"))
    put(store, "other", "name:vip", *members("z"))
    add_change(store, "vip", "name:vip", "tag")
    with store.of("org", "vip", "name:vip").transaction() as tx:
        tx.journal.intend(Job("j", "update", "customers", ()), "run")
    org = store.org("org")
    assert org.move_scope("vip", "name:vip", "1") == 0
    assert owners(store, "vip", "name:vip") == {}
    assert owners(store, "vip", "1") == {"a": False, "b": True, "c": False}
    assert owners(store, "other", "name:vip") == {"z": True}
    assert [job.scope for job in store.of("org", "vip").journal.jobs()] == ["1"]
    assert [line.scope for line in org.changes_of("run")] == ["1"]
    assert org.move_scope("vip", "1", "2") == 3
    assert owners(store, "vip", "2") == {"a": False, "b": True, "c": False}


def test_a_sync_or_tag_that_becomes_itself_loses_nothing(store: StateStore) -> None:
    put(store, "vip", "1", *members("a"))
    assert (store.org("org").carry_over("vip", "vip"), store.org("org").move_scope("vip", "1", "1")) == (0, 0)
    assert owners(store, "vip", "1") == {"a": True}


def test_a_scope_that_is_dropped_leaves_the_others(store: StateStore) -> None:
    for sync, scope in [("vip", "1"), ("vip", "2"), ("other", "1")]:
        put(store, sync, scope, *members("ab"))
    assert store.org("org").drop_scope("vip", "1") == 2
    assert owners(store, "vip", "1") == {}
    assert len(owners(store, "vip", "2")) == len(owners(store, "other", "1")) == 2


def test_what_a_run_overwrote_is_found_with_whose_it_was_and_in_order(store: StateStore) -> None:
    lines = [add_change(store, sync, scope, effect) for sync, scope, effect in CHANGES]
    add_change(store, "customers", "", run_id="another run")
    assert store.org("org").changes_of("run") == lines
    assert store.org("other").changes_of("run") == []


CHANGES: list[tuple[str, str, TagEffect]] = [("vip", "1", "tag"), ("customers", "", "accept"), ("vip", "1", "untag")]


def test_values_are_kept_for_some_days_also_those_of_a_sync_that_is_gone(
    store: StateStore, clock: SimulatedClock
) -> None:
    add_change(store, "gone", "")
    clock.advance(86_400.0)
    kept = add_change(store, "customers", "")
    moment = datetime.fromtimestamp(clock.time(), UTC) - timedelta(hours=1)
    assert store.purge("org", before=moment, changes_before=moment) == 1
    assert store.org("org").changes_of("run") == [kept]


def test_what_a_run_logged_is_found_by_sync_and_outcome(store: StateStore) -> None:
    lines = [
        LogLine("a", "created", "id-a"),
        LogLine("b", "rejected", None, "because", "refused"),
        LogLine("c", "removed"),
    ]
    with store.of("org", "customers").transaction() as tx:
        tx.log.add(lines, "run")
    with store.of("org", "other").transaction() as tx:
        tx.log.add([LogLine("d", "created", "id-d")], "run")
    org = store.org("org")
    found = [line for part in org.log_of("customers", "run", ["created", "rejected"]) for line in part]
    assert found == [("a", "created", "id-a", None), ("b", "rejected", None, "because")]
    assert org.created_by("run") == [("customers", "a", "id-a"), ("other", "d", "id-d")]
    assert list(org.log_of("customers", "another run", ["created"])) == []


def test_a_run_is_known_by_its_line(store: StateStore) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with store.of("org", "customers").transaction() as tx:
        tx.runs.add(RunLine("run", now, now, {}, 0.0))
    assert store.org("org").knows_run("run")
    assert not store.org("org").knows_run("another")
    assert not store.org("other").knows_run("run")
