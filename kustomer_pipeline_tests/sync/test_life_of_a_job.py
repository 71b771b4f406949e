"""The life of a job as pure functions: what is on disk before it is sent, and what its answers mean, or their absence.

The same functions serve a job of this run and one that an earlier run left behind.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kustomer_pipeline.kustomer import ItemResult, Record
from kustomer_pipeline.sync.apply.jobs import acknowledged, intended, lost
from kustomer_pipeline.sync.decisions import Create, Leave, Match, Resolved, Update
from kustomer_pipeline.sync.patch import Change, Patch
from kustomer_pipeline.sync.rows import Case, DesiredRow, Member
from kustomer_pipeline.sync.state import Job, JobItem, LogLine, OwnershipChange, RememberedRow, value_hash

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BODY = {"externalId": "C-1", "emails": [{"email": "Ann@X.com"}], "name": "Ann"}
LIVE = Record("customers", "id1", {"externalId": "C-1", "tags": []}, None, 3, False)
CHANGES = (Change("name", "Anna", "Ann"),)


def resolved(case: Case, record: Record | None = None, displaced: tuple[str, ...] = ()) -> Resolved:
    return Resolved(case, case.row.body, Match(record=record, displaced=displaced))


def row(lost_at: datetime | None = None) -> Case:
    remembered = RememberedRow("C-1", "indeterminate", lost_at=lost_at) if lost_at else None
    return Case(DesiredRow(0, "C-1", 7, BODY), remembered)


CREATE = Create(resolved(row()), dict(BODY), {"emails": ["hash"]})
UPDATE = Update(resolved(row(), LIVE, ("other key",)), LIVE, Patch({"name": "Ann"}, CHANGES), {})
MEMBER = Case(Member("a@x.com", "id1", {}), RememberedRow("a@x.com", "accepted", kustomer_id="id1", owned=True))
LEAVE = Leave(resolved(MEMBER, LIVE), LIVE, Patch({"tags": []}, (Change("tags", ["vip"], []),)), "vip")


def job(operation: Any = "update", **item: Any) -> Job:
    settings: dict[str, Any] = {"ref": "r", "key": "C-1", "fingerprint": 7}
    if operation == "update":
        settings["kustomer_id"] = "id1"
    return Job("j", operation, "customers", (JobItem(**{**settings, **item}),), "bulk", NOW)


def answer(status: Any = "updated", object_id: str | None = "id1", error: str | None = None) -> dict[str, ItemResult]:
    return {"r": ItemResult("r", status, object_id, error)}


# --- intended -----------------------------------------------------------------------------------------------------


def test_a_job_is_written_down_before_it_is_sent() -> None:
    found, by_ref = intended([CREATE], "customers", NOW, keep_changes=True)
    assert (found.operation, found.object_name, found.bulk_id, found.created_at) == ("create", "customers", None, NOW)
    (item,) = found.items
    assert by_ref == {item.ref: CREATE}
    assert (item.key, item.effect, item.kustomer_id, item.fingerprint) == ("C-1", "accept", None, 7)
    assert item.sent_lists == {"emails": ["hash"]}


def test_what_is_written_down_of_identifiers_is_hashes_of_their_one_form() -> None:
    found, _ = intended([CREATE], "customers", NOW, keep_changes=True)
    assert found.items[0].identities == (("externalId", value_hash("C-1")), ("email", value_hash("ann@x.com")))


def test_refs_are_nobodys_data_and_never_the_same_twice() -> None:
    refs = [ref for _ in range(3) for ref in intended([CREATE, CREATE], "customers", NOW, keep_changes=True)[1]]
    assert len(set(refs)) == 6
    assert not any("C-1" in ref for ref in refs)


def test_an_update_keeps_what_it_overwrites_if_that_may_be_undone() -> None:
    kept, _ = intended([UPDATE], "customers", NOW, keep_changes=True)
    not_kept, _ = intended([UPDATE], "customers", NOW, keep_changes=False)
    assert kept.items[0].changes == (("name", "Anna", "Ann"),)
    assert not_kept.items[0].changes == ()
    assert kept.items[0].displaced == ("other key",)


def test_a_member_who_leaves_is_still_ours_until_the_answer() -> None:
    found, _ = intended([LEAVE], "customers", NOW, keep_changes=True)
    assert (found.items[0].effect, found.items[0].owned, found.items[0].fingerprint) == ("untag", True, None)


def test_a_row_with_an_older_write_in_the_queue_is_not_settled_by_this_one() -> None:
    create = Create(resolved(row(lost_at=NOW)), dict(BODY), {})
    found, _ = intended([create], "customers", NOW, keep_changes=True)
    assert (found.items[0].fingerprint, found.items[0].lost_at) == (None, NOW)


# --- acknowledged -------------------------------------------------------------------------------------------------


def test_a_row_has_landed_when_its_own_result_says_so() -> None:
    found = acknowledged(job("create"), answer("created", "new"))
    assert found.rows == [RememberedRow("C-1", "accepted", 7, "new")]
    assert found.log == [LogLine("C-1", "created", "new")]


def test_what_a_landed_row_displaces_is_forgotten() -> None:
    assert acknowledged(job(displaced=("old key",)), answer()).forget == ["old key"]


def test_where_identifiers_are_is_learnt_from_what_landed() -> None:
    found = acknowledged(job("create", identities=(("email", "h"),)), answer("created", "new"))
    assert found.hints.learned == [("email", "h", "new")]


def test_an_untagged_member_is_forgotten() -> None:
    found = acknowledged(job(effect="untag", owned=True), answer())
    assert (found.forget, found.rows, found.log) == (["C-1"], [], [LogLine("C-1", "removed", "id1")])


def test_an_untagged_member_with_an_older_write_in_the_queue_stays_known() -> None:
    found = acknowledged(job(effect="untag", owned=True, lost_at=NOW), answer())
    assert (found.forget, [one.lost_at for one in found.rows]) == ([], [NOW])


def test_an_undo_changes_nothing_but_whose_a_tag_is() -> None:
    ownership = (OwnershipChange("vip", "tag", "C-1", "id1", owned=False),)
    found = acknowledged(job(effect="undo", ownership=ownership), answer())
    assert (found.rows, found.forget, found.ownership) == ([], [], list(ownership))
    assert found.log == [LogLine("C-1", "restored", "id1")]


@pytest.mark.parametrize(("item", "effect"), [({"owned": True}, "tag"), ({"effect": "untag"}, "untag"), ({}, "accept")])
def test_what_was_overwritten_is_kept_with_what_it_meant(item: dict[str, Any], effect: str) -> None:
    found = acknowledged(job(changes=(("tags", [], ["vip"]),), **item), answer())
    assert [(line.kustomer_id, line.changes, line.effect) for _, line in found.changes] == [
        ("id1", (("tags", [], ["vip"]),), effect)
    ]


def test_a_refused_item_settles_nothing() -> None:
    found = acknowledged(job("create"), answer("error", None, "duplicate detected"))
    assert (found.rows, found.forget, found.log) == ([], [], [])


@pytest.mark.parametrize("results", [{}, answer("created", None)], ids=["no result", "a result without an id"])
def test_a_create_without_a_result_is_indeterminate(results: dict[str, ItemResult]) -> None:
    (found,) = acknowledged(job("create"), results).rows
    assert (found.status, found.kustomer_id, found.fingerprint, found.lost_at) == ("indeterminate", None, None, None)


def test_an_update_without_a_result_needs_no_mark() -> None:
    """It counts as changed since the job was intended, and its record is known."""
    assert acknowledged(job(), {}).rows == []


# --- lost ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operation", "kustomer_id"), [("create", None), ("update", "id1")])
def test_of_a_lost_job_nobody_knows_what_came_of_it(operation: str, kustomer_id: str | None) -> None:
    (found,) = lost(job(operation), NOW).rows
    assert (found.status, found.kustomer_id, found.lost_at) == ("indeterminate", kustomer_id, NOW)


def test_a_lost_job_of_members_leaves_them_ours() -> None:
    (found,) = lost(job(effect="untag", owned=True), NOW).rows
    assert found.owned


def test_a_lost_undo_marks_no_row() -> None:
    assert lost(job(effect="undo"), NOW).rows == []
