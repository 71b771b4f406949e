"""The planner of reads as arithmetic: what each way of finding out who rows are would cost, and which one is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kustomer_pipeline.sync.resolve.cost import Question, choices, choose

RATE = 800 / 60  # of a thousand requests a minute, with a fifth left to others
LOAD = Question(
    rows=5000, identifiers=2, exist=1.0, creates_prove=True, search_batch=20, org_size=5000, rate=RATE, bulk=True
)


def way(**changes: Any) -> str:
    return choose(replace(LOAD, **changes)).way


@pytest.mark.parametrize(
    ("rows", "org_size", "exist", "expected"),
    [
        (5_000, 5_000, 1.0, "walk"),  # fifty pages show everybody
        (200_000, 200_000, 1.0, "walk"),
        (500, 200_000, 1.0, "search"),  # 2,000 pages for 500 rows are too many
        (5_000, 200_000, 0.0, "none"),  # nobody has been there so far: creating is asking
        (5_000, 200_000, 0.01, "none"),  # a handful of creates will be refused
        (200_000, 1_000, 0.005, "walk"),  # ten pages cost less than a thousand refusals
    ],
)
def test_the_cheapest_way_depends_on_the_rows_and_on_the_org(
    rows: int, org_size: int, exist: float, expected: str
) -> None:
    assert way(rows=rows, org_size=org_size, exist=exist) == expected


def test_a_search_that_takes_many_values_beats_a_walk_sooner() -> None:
    assert way(rows=5_000, org_size=50_000, search_batch=20, exist=1.0) == "walk"
    assert way(rows=5_000, org_size=50_000, search_batch=1000, exist=1.0) == "search"


def test_who_must_be_proven_absent_is_not_searched_for_when_few_are_there() -> None:
    """Whoever is not found would have to be looked up one by one; a walk proves it for all."""
    assert way(rows=5_000, org_size=20_000, exist=0.0, creates_prove=False) == "walk"


def test_without_search_and_without_the_orgs_size_rows_are_looked_up() -> None:
    assert way(rows=50, search_batch=0, org_size=None, creates_prove=False) == "paths"


def test_without_search_many_rows_are_found_in_the_list() -> None:
    assert way(rows=5_000, search_batch=0, org_size=20_000, creates_prove=False) == "walk"


def test_a_handful_of_rows_never_walks_a_large_org() -> None:
    assert way(rows=3, org_size=1_000_000, exist=1.0, creates_prove=False) != "walk"


def test_records_that_are_written_one_by_one_make_a_refused_create_dear() -> None:
    """A whole request for each, where bulk shares it among a hundred."""
    bulk, single = ({one.way: one.units for one in choices(replace(LOAD, bulk=bulk))} for bulk in (True, False))
    assert single["none"] - bulk["none"] == pytest.approx(5000 * (1 - 0.0225))


def test_whom_a_first_identifier_finds_is_not_asked_for_by_the_second() -> None:
    def units(exist: float) -> float:
        return next(one.units for one in choices(replace(LOAD, exist=exist)) if one.way == "paths")

    assert (units(1.0), units(0.0)) == (5000, 10000)


def test_only_ways_that_are_open_are_weighed() -> None:
    assert {one.way for one in choices(LOAD)} == {"walk", "paths", "search", "none"}
    closed = replace(LOAD, search_batch=0, org_size=None, creates_prove=False)
    assert {one.way for one in choices(closed)} == {"paths"}


def test_waiting_for_the_search_limit_counts() -> None:
    """Eighty searches a minute: 200,000 rows would wait for hours, whatever the requests cost."""
    seconds = {one.way: one.seconds for one in choices(replace(LOAD, rows=200_000, org_size=200_000))}
    assert seconds["search"] > 3600
    assert seconds["walk"] < 120


def test_a_minute_of_requests_may_go_at_once() -> None:
    assert choose(replace(LOAD, rows=100, org_size=100)).seconds == 0.0


def test_nothing_is_known_of_how_many_exist() -> None:
    assert {one.way: one.units for one in choices(replace(LOAD, exist=None))} == {
        one.way: one.units for one in choices(replace(LOAD, exist=0.5))
    }
