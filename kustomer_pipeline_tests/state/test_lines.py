"""How remembered rows stand to their lines in the warehouse."""

import pytest

from kustomer_pipeline.sync.state import RememberedRow, StateStore, SyncState, TrustedLines

ORG = "5f0c0ffee5f0c0ffee5f0c0f"


def row(key: str, status: str = "accepted", **changes: object) -> RememberedRow:
    return RememberedRow(key, status, 1, f"id-{key}", **changes)  # type: ignore[arg-type]


def put(state: SyncState, *rows: RememberedRow) -> None:
    with state.transaction() as tx:
        tx.rows.put(rows, "run")


def not_filed(state: SyncState) -> set[str]:
    return set(state.rows.snapshot_of([]).keys.to_pylist())


@pytest.fixture
def state(store: StateStore) -> SyncState:
    """Two accepted rows with lines, and one that was refused."""
    state = store.of(ORG, "customers")
    put(state, row("A"), row("B"), row("C", "rejected"))
    with state.transaction() as tx:
        tx.lines.filed_all("signature", "T1", [])
    return state


def test_a_sync_that_never_compared_in_the_warehouse_trusts_no_line(store: StateStore) -> None:
    state = store.of(ORG, "customers")
    put(state, row("A"))
    with state.transaction() as tx:
        tx.rows.forget(["A"])
    assert state.lines.trusted() is None
    assert state.lines.not_to_count() == set()


def test_accepted_rows_are_filed_and_the_others_are_not(state: SyncState) -> None:
    assert state.lines.trusted() == TrustedLines("signature", frozenset({"T1"}))
    assert not_filed(state) == {"C"}
    assert state.lines.not_to_count() == set()


def test_a_row_that_is_written_is_open_and_a_new_one_has_no_line(state: SyncState) -> None:
    put(state, row("A"), row("D"))
    assert not_filed(state) == {"A", "C", "D"}
    assert state.lines.not_to_count() == {"A"}
    put(state, row("A"))
    assert state.lines.not_to_count() == {"A"}


def test_a_row_that_counts_as_changed_is_open(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.rows.count_as_changed(["B"])
    assert state.lines.not_to_count() == {"B"}


def test_the_line_of_a_forgotten_row_does_not_count_until_it_is_filed_again(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.rows.forget(["A", "C"])
    assert state.lines.not_to_count() == {"A"}  # C never had one
    put(state, row("A"))
    assert state.lines.not_to_count() == {"A"}
    with state.transaction() as tx:
        tx.lines.filed("signature", "T2", ["A"], [])
    assert state.lines.not_to_count() == set()
    assert not_filed(state) == set()


def test_until_lines_are_written_both_tokens_count_and_the_rows_are_open(state: SyncState) -> None:
    trusted = state.lines.trusted()
    assert trusted is not None
    with state.transaction() as tx:
        tx.lines.about_to_file(trusted, "T2", ["A", "D"])
    assert state.lines.trusted() == TrustedLines("signature", frozenset({"T1", "T2"}))
    assert state.lines.not_to_count() == {"A"}
    with state.transaction() as tx:
        tx.lines.filed("signature", "T2", ["A"], ["B"])
    assert state.lines.trusted() == TrustedLines("signature", frozenset({"T2"}))
    assert not_filed(state) == {"B", "C"}


def test_while_all_lines_are_written_anew_none_counts(state: SyncState) -> None:
    with state.transaction() as tx:
        tx.lines.about_to_file_all()
    assert state.lines.trusted() is None
    with state.transaction() as tx:
        tx.lines.filed_all("another", "T2", ["B"])
    assert state.lines.trusted() == TrustedLines("another", frozenset({"T2"}))
    assert not_filed(state) == {"B", "C"}


def test_a_snapshot_of_some_rows_has_them_once_and_those_without_a_line(state: SyncState) -> None:
    assert sorted(state.rows.snapshot_of(["A", "C", "nobody"]).keys.to_pylist()) == ["A", "C"]


def test_rows_that_are_filed_are_found_by_their_records(state: SyncState) -> None:
    put(state, row("E", owned=True))
    with state.transaction() as tx:
        tx.lines.filed("signature", "T2", ["E"], [])
    found = {(one.key, one.owned) for one in state.rows.filed_as(["id-A", "id-C", "id-E", "nobody"])}
    assert found == {("A", False), ("E", True)}
    assert state.rows.members() == 1


def test_lines_under_another_tag_do_not_count(store: StateStore) -> None:
    one, other = store.of(ORG, "vip", "tag-1"), store.of(ORG, "vip", "tag-2")
    for state, token in ((one, "T1"), (other, "T2")):
        put(state, row("A"))
        with state.transaction() as tx:
            tx.lines.filed_all("signature", token, [])
    assert one.lines.trusted() is None  # the lines are of the sync: they are those of the other tag now
    assert other.lines.trusted() == TrustedLines("signature", frozenset({"T2"}))


@pytest.mark.parametrize("change", ["renamed", "moved", "dropped"])
def test_lines_do_not_follow_to_another_name(store: StateStore, change: str) -> None:
    state, org = store.of(ORG, "vip", "tag-1"), store.org(ORG)
    put(state, row("A"))
    with state.transaction() as tx:
        tx.lines.filed_all("signature", "T1", [])
        tx.rows.forget(["A"])
    if change == "renamed":
        org.carry_over("vip", "gold")
        state = store.of(ORG, "gold", "tag-1")
    elif change == "moved":
        org.move_scope("vip", "tag-1", "tag-2")
        state = store.of(ORG, "vip", "tag-2")
    else:
        org.drop_scope("vip", "tag-1")
    assert state.lines.trusted() is None
    assert state.lines.not_to_count() == set()


def test_another_sync_has_lines_of_its_own(state: SyncState, store: StateStore) -> None:
    put(store.of(ORG, "companies"), row("A"))
    assert state.lines.not_to_count() == set()
    assert not_filed(state) == {"C"}
