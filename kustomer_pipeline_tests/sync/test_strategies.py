"""What each kind of sync does with a row, as tables: who is there already, what comes of it.

    a row, and the record that it is in Kustomer (or nobody) → Create | Update | Leave | Nothing

No Kustomer, no state: a strategy decides from values. Here a reader sees what upsert, insert, update, add, remove and
mirror mean, and what an undo takes back.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Literal

import pytest

from kustomer_pipeline.kustomer import KustomerClient, Record
from kustomer_pipeline.sync import Reason, ReasonCode
from kustomer_pipeline.sync.decisions import Create, Decision, Leave, Match, Nothing, Resolved, Update
from kustomer_pipeline.sync.rows import Attempt, Case, DesiredRow, Member
from kustomer_pipeline.sync.standing import Standing
from kustomer_pipeline.sync.state import ChangeLine, OwnershipChange, RememberedRow
from kustomer_pipeline.sync.strategies import Audience, Objects
from kustomer_pipeline.sync.strategies.undo import UndoStream, targets_of
from kustomer_pipeline_tests.world import audience, companies, customers

ROW = {"externalId": "C-1", "name": "Ann", "custom": {"planStr": "pro"}}
ID = "5f0000000000000000000001"
VIP = "5f00000000000000000000aa"


def record(tags: tuple[str, ...] = (), **attributes: Any) -> Record:
    """A live customer."""
    return Record("customers", ID, {"externalId": "C-1", "tags": list(tags), **attributes}, None, 1, False)


SAME = record(name="Ann", custom={"planStr": "pro"})
OTHER = record(name="Anna", custom={"planStr": "free"})


def row(*attempts: Attempt, remembered: RememberedRow | None = None, problem: Reason | None = None) -> Case:
    """The row above, on its way."""
    return Case(DesiredRow(0, "C-1", 7, ROW), remembered, attempts)


def resolved(case: Case, live: Record | None, problem: Reason | None = None) -> Resolved:
    return Resolved(case, case.row.body, Match(record=live, problem=problem))


def told(decision: Decision) -> str:
    """A decision in two or three words."""
    if isinstance(decision, Nothing):
        return f"nothing: {decision.outcome}" + (f", {decision.reason.code}" if decision.reason else "")
    if isinstance(decision, Update):
        return decision.action
    return "create" if isinstance(decision, Create) else "leave"


# --- customers and companies --------------------------------------------------------------------------------------

NOBODY = None
OBJECTS = [
    ("upsert", "nobody has it", NOBODY, "create"),
    ("upsert", "it is as wanted", SAME, "nothing: unchanged"),
    ("upsert", "it differs", OTHER, "update"),
    ("insert", "nobody has it", NOBODY, "create"),
    ("insert", "it is as wanted", SAME, "nothing: skipped, exists_already"),
    ("insert", "it differs", OTHER, "nothing: skipped, exists_already"),
    ("update", "nobody has it", NOBODY, "nothing: skipped, not_in_kustomer"),
    ("update", "it is as wanted", SAME, "nothing: unchanged"),
    ("update", "it differs", OTHER, "update"),
]


@pytest.mark.parametrize(("mode", "there", "live", "decision"), OBJECTS, ids=[f"{m}, {t}" for m, t, *_ in OBJECTS])
def test_upsert_insert_and_update(
    mode: Literal["upsert", "insert", "update"], there: str, live: Record | None, decision: str
) -> None:
    assert told(Objects.of(customers(mode=mode)).decide(resolved(row(), live))) == decision


def test_an_update_sends_what_differs_and_nothing_else() -> None:
    live = record(name="Ann", custom={"planStr": "free", "noteStr": "an agent's"})
    decision = Objects.of(customers()).decide(resolved(row(), live))
    assert isinstance(decision, Update)
    assert decision.patch.body == {"custom": {"planStr": "pro"}}
    assert [(one.field, one.before, one.after) for one in decision.patch.changes] == [("custom.planStr", "free", "pro")]


@pytest.mark.parametrize("mode", ["upsert", "insert", "update"])
def test_a_row_of_which_nobody_can_say_who_it_is_is_refused(mode: Literal["upsert", "insert", "update"]) -> None:
    problem = Reason(ReasonCode.AMBIGUOUS, "two of them")
    decision = Objects.of(customers(mode=mode)).decide(resolved(row(), None, problem))
    assert told(decision) == "nothing: rejected, ambiguous"


LOST_CREATE = Attempt("create", refusal=None)
LOST_UPDATE = Attempt("update", refusal=None, kustomer_id=ID, rev=1)
REFUSED_CREATE = Attempt("create", refusal="duplicate detected")
REFUSED_UPDATE = Attempt("update", refusal="not acceptable", kustomer_id=ID, rev=1)
CONFLICT = Attempt("update", refusal="rev conflict", kustomer_id=ID, rev=0)
AGAIN = [
    ("its create had no answer, and it is there as wanted", LOST_CREATE, SAME, "nothing: created"),
    ("its create had no answer, and it is there otherwise", LOST_CREATE, OTHER, "update"),
    ("its create had no answer, and nobody has it", LOST_CREATE, NOBODY, "create"),
    ("its update had no answer, and it is as wanted", LOST_UPDATE, SAME, "nothing: updated"),
    ("its update had no answer, and it differs", LOST_UPDATE, OTHER, "update"),
    ("its create was refused, and it is there", REFUSED_CREATE, OTHER, "update"),
    ("its create was refused, and nobody has it", REFUSED_CREATE, NOBODY, "nothing: rejected, refused"),
    ("its update was refused, and nobody touched it since", REFUSED_UPDATE, OTHER, "nothing: rejected, refused"),
    ("its update was refused, and somebody touched it since", CONFLICT, OTHER, "update"),
    ("its update was refused, and it is gone", REFUSED_UPDATE, NOBODY, "create"),
]


@pytest.mark.parametrize(("before", "attempt", "live", "decision"), AGAIN, ids=[one[0] for one in AGAIN])
def test_a_row_that_is_decided_anew(before: str, attempt: Attempt, live: Record | None, decision: str) -> None:
    assert told(Objects.of(customers()).decide(resolved(row(attempt), live))) == decision


def test_which_objects_prove_by_their_creation_that_nobody_had_them() -> None:
    """Kustomer refuses a second customer of an address; companies may have one name twice; `update` creates nothing."""
    assert Objects.of(customers()).creates_prove
    assert Objects.of(customers(mode="insert")).creates_prove
    assert not Objects.of(customers(mode="update")).creates_prove
    assert Objects.of(companies(match_on=("externalId",))).creates_prove
    assert not Objects.of(companies(match_on=("externalId", "name"))).creates_prove


# --- audiences ----------------------------------------------------------------------------------------------------

MEMBERS = [
    ("add", "does not hold the tag", record(), "tag"),
    ("add", "holds the tag", record((VIP,)), "nothing: unchanged"),
    ("mirror", "does not hold the tag", record(), "tag"),
    ("mirror", "holds the tag", record((VIP,)), "nothing: unchanged"),
    ("remove", "does not hold the tag", record(), "nothing: unchanged"),
    ("remove", "holds the tag", record((VIP,)), "untag"),
    ("add", "is nobody", NOBODY, "nothing: skipped, not_in_kustomer"),
    ("mirror", "is nobody", NOBODY, "nothing: skipped, not_in_kustomer"),
    ("remove", "is nobody", NOBODY, "nothing: skipped, not_in_kustomer"),
]


@pytest.mark.parametrize(("mode", "member", "live", "decision"), MEMBERS, ids=[f"{m}, {t}" for m, t, *_ in MEMBERS])
def test_add_mirror_and_remove(
    mode: Literal["add", "remove", "mirror"], member: str, live: Record | None, decision: str
) -> None:
    assert told(Audience(audience(mode=mode), VIP).decide(resolved(row(), live))) == decision


def test_every_other_tag_stays() -> None:
    given = Audience(audience(), VIP).decide(resolved(row(), record(("other",))))
    taken = Audience(audience(mode="remove"), VIP).decide(resolved(row(), record(("other", VIP, "third"))))
    assert isinstance(given, Update)
    assert isinstance(taken, Update)
    assert (given.patch.body, taken.patch.body) == ({"tags": ["other", VIP]}, {"tags": ["other", "third"]})


OURS = RememberedRow("C-1", "accepted", kustomer_id=ID, owned=True)
THEIRS = RememberedRow("C-1", "accepted", kustomer_id=ID, owned=False)
BEFORE = RememberedRow("C-1", "accepted", kustomer_id="somebody else", owned=True)


@pytest.mark.parametrize(
    ("live", "remembered", "merged", "ours"),
    [
        (record(), None, False, True),  # we give it
        (record((VIP,)), None, False, False),  # somebody else gave it
        (record((VIP,)), THEIRS, False, False),
        (record((VIP,)), OURS, False, True),  # we gave it before
        (record((VIP,)), BEFORE, False, False),  # we gave it to whoever had the address before
        (record((VIP,)), BEFORE, True, True),  # and they are one by now
    ],
)
def test_whose_the_tag_is(live: Record, remembered: RememberedRow | None, merged: bool, ours: bool) -> None:
    given_to = frozenset({remembered.kustomer_id} if remembered and remembered.owned and remembered.kustomer_id else ())
    one = resolved(row(remembered=remembered), live)
    one = replace(one, match=replace(one.match, moved_on=merged))
    decision = Audience(audience(), VIP, given_to).decide(one)
    owned = decision.owned if isinstance(decision, Update) else isinstance(decision, Nothing) and decision.remember
    assert (owned.owned if isinstance(owned, RememberedRow) else owned) == ours


LEFT = Case(Member("a@x.com", ID, {}), RememberedRow("a@x.com", "accepted", kustomer_id=ID, owned=True))
LEAVING = [
    ("holds the tag", record((VIP,)), "leave"),
    ("lost it already", record(), "nothing: unchanged"),
    ("is no longer in Kustomer", NOBODY, "nothing: skipped"),
]


@pytest.mark.parametrize(("member", "live", "decision"), LEAVING, ids=[one[0] for one in LEAVING])
def test_a_member_who_left_a_mirrored_audience(member: str, live: Record | None, decision: str) -> None:
    found = Audience(audience(), VIP).decide(resolved(LEFT, live))
    assert told(found) == decision
    assert isinstance(found, Leave) or found.forget  # type: ignore[union-attr]  # Nothing, as the line above says


def test_a_member_who_left_keeps_every_other_tag() -> None:
    decision = Audience(audience(), VIP).decide(resolved(LEFT, record(("other", VIP))))
    assert isinstance(decision, Leave)
    assert decision.patch.body == {"tags": ["other"]}


# --- undo ---------------------------------------------------------------------------------------------------------


class Org(KustomerClient):
    """An org that only knows these records."""

    def __init__(self, *records: Record) -> None:
        self.records = {one.id: one for one in records}

    async def get_many(self, object_name: Any, ids: Any) -> dict[str, Record]:
        return {id_: self.records[id_] for id_ in ids if id_ in self.records}


def line(*changes: tuple[str, Any, Any], effect: Literal["accept", "tag", "untag"] = "accept") -> ChangeLine:
    """What a run overwrote."""
    return ChangeLine("C-1", "customers", ID, changes, sync="s", scope=VIP if effect != "accept" else "", effect=effect)


def undone(live: Record | None, *lines: ChangeLine) -> Decision:
    (target,) = targets_of([Standing(one, one.fields) for one in lines])["customers"]
    stream = UndoStream(Org(*[live] if live else []), "customers", [target], {"vip": VIP})
    (decision,) = asyncio.run(stream.decide(stream.cases())).decisions
    return decision


def sent(decision: Decision) -> dict[str, Any] | None:
    """What an undo writes; None for nothing."""
    return decision.patch.body if isinstance(decision, Update) else None


def test_an_undo_writes_what_was_there_before() -> None:
    assert sent(undone(record(name="Anna"), line(("name", "Ann", "Anna")))) == {"name": "Ann"}


def test_an_undo_leaves_what_somebody_changed_since() -> None:
    assert sent(undone(record(name="Hanna"), line(("name", "Ann", "Anna")))) is None


def test_an_undo_of_two_changes_of_one_run_goes_all_the_way_back() -> None:
    decision = undone(record(name="Hanna"), line(("name", "Ann", "Anna")), line(("name", "Anna", "Hanna")))
    assert sent(decision) == {"name": "Ann"}


def test_an_undo_of_a_record_that_is_gone_writes_nothing() -> None:
    assert told(undone(None, line(("name", "Ann", "Anna")))) == "nothing: skipped"


@pytest.mark.parametrize(("effect", "before", "after", "ours"), [("tag", [], [VIP], False), ("untag", [VIP], [], True)])
def test_an_undo_says_whose_the_tag_is_afterwards(
    effect: Literal["tag", "untag"], before: list[str], after: list[str], ours: bool
) -> None:
    decision = undone(record(tuple(after)), line(("tags", before, after), effect=effect))
    assert isinstance(decision, Update)
    assert decision.patch.body == {"tags": before}
    assert decision.ownership == (OwnershipChange("s", VIP, "C-1", ID, owned=ours),)
