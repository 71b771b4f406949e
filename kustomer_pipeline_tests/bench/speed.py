"""How fast and how dear: every kind of run under every condition, and which way the planner of reads takes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kustomer_pipeline_tests.world import customers, people

from .kinds import BY_BULK, BY_HAND, UNCHANGED, Course, all_exist, known_records, new_records, seed
from .track import Condition, Figures, Track

OnFigures = Callable[[Figures], None]


@dataclass(frozen=True)
class Sizes:
    """How many rows each part has; for rates, enough for several windows of the budget. `beside`: what is measured in
    a queue and with others at work."""

    alone: int = 100_000
    queue: int = 6_000
    others: int = 20_000
    by_hand: int = 4_000
    beside: tuple[Course, ...] = BY_BULK
    ways: tuple[tuple[int, int], ...] = ((5_000, 5_000), (500, 200_000), (200_000, 200_000))


QUICK = Sizes(
    alone=4_000, queue=700, others=12_000, by_hand=200, beside=(new_records,), ways=((1_000, 1_000), (300, 10_000))
)


def speed(sizes: Sizes, tell: OnFigures) -> list[Figures]:
    """All kinds of runs, under all conditions."""
    return [
        *alone(sizes.alone, sizes.by_hand, tell),
        *_courses(sizes.beside, "in a queue", sizes.queue, tell),
        *_courses(sizes.beside, "others take half", sizes.others, tell),
    ]


def alone(rows: int, by_hand: int, tell: OnFigures) -> list[Figures]:
    """All kinds of runs, with jobs that run on their own and nobody else in the org."""
    first = list(_courses(BY_BULK, "on their own", rows, tell))
    return first + list(_courses(BY_HAND, "on their own", by_hand, tell))


def ways(sizes: Sizes, tell: OnFigures) -> list[Figures]:
    """First loads of customers that exist already, into orgs of different sizes: what was asked tells the way."""
    figures = []
    for rows, org in sizes.ways:
        with _track("on their own") as track:
            track.sandbox.faults.set("search_in_refused")
            seed(track, org)
            figures.append(track.measured(f"{rows:,} rows into an org of {org:,}", customers(), people(rows)))
            tell(figures[-1])
    return figures


def course_of_kinds(rows: int) -> Iterator[Figures]:
    """Each kind of run that goes by bulk jobs, but for unchanged ones."""
    courses = _courses((known_records, all_exist), "on their own", rows, lambda _: None)
    return (figures for figures in courses if figures.kind != UNCHANGED)


def way_of(figures: Figures) -> str:
    """In words, by which requests the rows were found."""
    asked = {name: figures.requests.get(name, 0) for name in ("list", "search", "look up")}
    words = {"list": "walk through the list", "search": "search", "look up": "look-ups by path"}
    return words[max(asked, key=lambda name: asked[name])] if any(asked.values()) else "nothing asked"


def _courses(courses: tuple[Course, ...], condition: Condition, rows: int, tell: OnFigures) -> Iterator[Figures]:
    for course in courses:
        with _track(condition) as track:
            for figures in course(track, rows):
                tell(figures)
                yield figures


@contextmanager
def _track(condition: Condition) -> Iterator[Track]:
    """A new org, and a new state."""
    with tempfile.TemporaryDirectory() as folder, Track(f"sqlite:///{folder}/state.db", condition) as track:
        yield track
