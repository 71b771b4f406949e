"""Every row of the corpus, through the real engine against the sandbox: what it comes to, and what it costs others."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from .case import Case, CorpusSync
from .play import Played, play
from .rows.syncs import SYNCS

OUTCOMES = ("created", "updated", "unchanged", "skipped", "invalid", "rejected", "deferred")
HARMLESS = {
    "kustomer",
    "customer",
    "email",
    "number",
    "username",
    "address",
    "verified",
    "latitude",
    "longitude",
    "polarity",
    "confidence",
    "countrycode",
    "regioncode",
    "zipcode",
}  # words that reasons are made of
CASES = [(sync, case) for sync in SYNCS for case in sync.cases]


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Plays a sync, once for all tests."""

    @cache
    def once(name: str) -> Played:
        sync = next(sync for sync in SYNCS if sync.name == name)
        return play(sync, f"sqlite:///{tmp_path_factory.mktemp('corpus') / 'state.db'}")

    return once


def ident(value: Any) -> str:
    return value.name if isinstance(value, CorpusSync) else re.sub(r"[^ -~]", "_", value.about)[:60]


@pytest.mark.parametrize("sync, case", CASES, ids=ident)
def test_a_row_comes_to_what_the_corpus_says(played: Any, sync: CorpusSync, case: Case) -> None:
    run: Played = played(sync.name)
    line, row = run.at(case)
    assert (case.outcome, case.reason) == (row["outcome"], _fragment(case.reason, row["reason"])), row["reason"]
    id_ = row["kustomer_id"]
    if case.lands:
        assert line.expected == run.shows[id_ or ""]
        assert line.seed_id in (None, id_)
    elif line.seed_id is not None:
        assert run.before[line.seed_id] == run.after[line.seed_id]


def _fragment(fragment: str, reason: str | None) -> str | None:
    return fragment if fragment in (reason or "") else reason


@pytest.mark.parametrize("sync", SYNCS, ids=ident)
def test_a_bad_row_never_costs_a_good_one(played: Any, sync: CorpusSync) -> None:
    run: Played = played(sync.name)
    good = [index for index, line in enumerate(run.lines) if line.case is sync.control]
    assert len(good) == len(sync.cases) + 1
    for index in good:
        row, line = run.rows[index], run.lines[index]
        assert (sync.control.outcome, None) == (row["outcome"], row["reason"])
        assert line.expected == run.shows[row["kustomer_id"] or ""]


@pytest.mark.parametrize("sync", SYNCS, ids=ident)
def test_every_row_is_counted_once(played: Any, sync: CorpusSync) -> None:
    run: Played = played(sync.name)
    expected = Counter(line.case.outcome for line in run.lines)
    counts = run.report.counts
    assert expected == {name: count for name in OUTCOMES if (count := getattr(counts, name))}
    assert len(run.lines) == counts.read == sum(getattr(counts, name) for name in OUTCOMES)
    assert run.report.interrupted is None


@pytest.mark.parametrize("sync", SYNCS, ids=ident)
def test_kustomer_holds_nothing_that_no_row_says(played: Any, sync: CorpusSync) -> None:
    """No record more than was created, none less, and nobody touched that no row landed on."""
    run: Played = played(sync.name)
    created, updated = (
        {row["kustomer_id"] for row in run.rows if row["outcome"] == outcome} for outcome in ("created", "updated")
    )
    assert created == run.after.keys() - run.before.keys()
    assert run.before.keys() <= run.after.keys()
    untouched = run.before.keys() - updated
    assert {id_: run.before[id_] for id_ in untouched} == {id_: run.after[id_] for id_ in untouched}
    assert run.tags_before | run.tags_meant == run.tags_after


@pytest.mark.parametrize("sync", SYNCS, ids=ident)
def test_a_second_run_and_a_full_one_come_to_the_same_and_write_nothing(played: Any, sync: CorpusSync) -> None:
    run: Played = played(sync.name)
    for line, first, again, resynced in zip(run.lines, run.rows, run.rows_again, run.rows_resynced, strict=True):
        settled = "unchanged" if line.case.lands else line.case.outcome
        assert settled == again["outcome"], (line.case.about, again["reason"])
        assert (line.case.in_a_full_run or settled) == resynced["outcome"], (line.case.about, resynced["reason"])
        if line.case.outcome == "invalid":
            assert first["reason"] == again["reason"] == resynced["reason"]
    assert run.after == run.later


@pytest.mark.parametrize("sync", SYNCS, ids=ident)
def test_a_plan_of_nasty_rows_is_only_a_plan(played: Any, sync: CorpusSync) -> None:
    run: Played = played(sync.name)
    assert run.writes_of_plan == 0
    outcomes = Counter(line.case.outcome for line in run.lines)
    assert outcomes["invalid"] == run.plan.counts["invalid"]
    assert len(run.lines) == sum(run.plan.counts.values())
    run.plan.table()


@pytest.mark.parametrize("sync", SYNCS, ids=ident)
def test_a_reason_never_holds_the_value(played: Any, sync: CorpusSync) -> None:
    run: Played = played(sync.name)
    for line, first, resynced in zip(run.lines, run.rows, run.rows_resynced, strict=True):
        reasons = f"{first['reason']} {resynced['reason']}".casefold()
        assert [] == [word for word in words_of(line.cells) if word in reasons], line.case.about


@pytest.mark.parametrize("name", [sync.name for sync in SYNCS if sync.name.startswith("found_by_path")])
def test_odd_identifiers_were_really_looked_up_by_path(played: Any, name: str) -> None:
    run: Played = played(name)
    looked_up = [path for path in run.paths if re.match(r"/v1/customers/(externalId|email|phone)=", path)]
    assert len(run.sync.cases) <= len(looked_up)
    assert "search" in " ".join(run.paths)


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(CASES) >= 600
    about = Counter((sync.name, case.about, *case.cells) for sync, case in CASES)
    assert [] == [key for key, count in about.items() if count > 1]


def words_of(cells: Any) -> set[str]:
    """The words of a row that say something about somebody: six characters and more, in small letters."""
    text = " ".join(str(cell)[:2000] for cell in cells.values() if not isinstance(cell, int))
    return {word for word in re.findall(r"[^\s\"'{}\[\],;:<>()]{6,}", text.casefold()) if word not in HARMLESS}
