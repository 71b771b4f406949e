"""What is measured: the kinds of runs that users have, and what each is to achieve.

A course is a series of runs in one org, so that what one of them leaves is what the next one finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kustomer_pipeline.sandbox import FOUR_ROLES
from kustomer_pipeline_tests.world import audience, companies, customers, members, people

from .track import Figures, Track


@dataclass(frozen=True)
class Goal:
    """units: per record, at most. records: a minute, at least; with jobs that run on their own."""

    units: float | None = None
    records: float | None = None


NEW, EXIST, EXIST_IN = "first load, all new", "first load, all exist", "first load, all exist, `in` works"
UPDATE, AUDIENCE, UNCHANGED = "update of known records", "audience, all to be tagged", "unchanged"
COMPANIES = "companies, all new"
FOUR_NEW, FOUR_EXIST = "four-role key, all new", "four-role key, all exist"

GOALS = {
    NEW: Goal(0.025, 30_000),
    EXIST: Goal(0.045, 14_000),
    EXIST_IN: Goal(0.045, 14_000),
    UPDATE: Goal(0.035, 18_000),
    AUDIENCE: Goal(0.035, 18_000),
    COMPANIES: Goal(0.05),
    FOUR_NEW: Goal(1.05),
    FOUR_EXIST: Goal(2.05),
    UNCHANGED: Goal(0.0),  # the one request of such a run says whose key it is
}

Course = Callable[[Track, int], Iterator[Figures]]


def known_records(track: Track, rows: int) -> Iterator[Figures]:
    """All are new; then all change, are tagged, and stay as they are."""
    _twenty_criteria(track)
    yield track.measured(NEW, customers(), people(rows))
    yield track.measured(UPDATE, customers(), people(rows, plan="pro"))
    yield track.measured(AUDIENCE, audience(), members(rows))
    yield track.measured(UNCHANGED, customers(), people(rows, plan="pro"))


def new_records(track: Track, rows: int) -> Iterator[Figures]:
    """All are new, and no more."""
    _twenty_criteria(track)
    yield track.measured(NEW, customers(), people(rows))


def all_exist(track: Track, rows: int) -> Iterator[Figures]:
    """The org has as many customers as are loaded, the same ones; a search takes 20 criteria."""
    _twenty_criteria(track)
    seed(track, rows)
    yield track.measured(EXIST, customers(), people(rows))


def all_exist_in(track: Track, rows: int) -> Iterator[Figures]:
    """The same where search takes `in`."""
    seed(track, rows)
    yield track.measured(EXIST_IN, customers(), people(rows))


def new_companies(track: Track, rows: int) -> Iterator[Figures]:
    """Companies that are not there yet."""
    yield track.measured(COMPANIES, companies(), [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(rows)])


def four_roles(track: Track, rows: int) -> Iterator[Figures]:
    """The least key: no search, no tags, no results of bulk jobs. Every record is a request."""
    track.api_key = track.sandbox.add_api_key(FOUR_ROLES)
    yield track.measured(FOUR_NEW, customers(), people(rows))


def four_roles_all_exist(track: Track, rows: int) -> Iterator[Figures]:
    """The same key, and all customers are there already."""
    seed(track, rows)
    track.api_key = track.sandbox.add_api_key(FOUR_ROLES)
    yield track.measured(FOUR_EXIST, customers(), people(rows))


BY_BULK: tuple[Course, ...] = (known_records, all_exist, all_exist_in, new_companies)
BY_HAND: tuple[Course, ...] = (four_roles, four_roles_all_exist)


def seed(track: Track, rows: int, start: int = 0) -> None:
    """Customers that are in the org already."""
    for row in people(rows, start):
        track.sandbox.seed_customer(externalId=row["id"], emails=[{"email": row["email"]}], name="old")


def _twenty_criteria(track: Track) -> None:
    track.sandbox.faults.set("search_in_refused")
