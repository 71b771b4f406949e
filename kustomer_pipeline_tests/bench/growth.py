"""How units and processor time a record grow with the number of rows: they should not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .kinds import UNCHANGED
from .large import Measured, unchanged
from .speed import course_of_kinds


@dataclass(frozen=True)
class Point:
    """One size of one kind of run. peak_mb: None where the org is in the same process."""

    kind: str
    rows: int
    units: int
    processor_ms: float
    peak_mb: float | None = None

    @property
    def units_per_record(self) -> float:
        return self.units / self.rows


@dataclass(frozen=True)
class Sizes:
    """How many rows: of unchanged runs, and of every other kind of run."""

    unchanged: tuple[int, ...]
    others: tuple[int, ...]


# A million records that are all sent take most of an hour, and the sandbox most of that.
FULL = Sizes((10_000, 100_000, 1_000_000), (10_000, 100_000))
QUICK = Sizes((5_000, 50_000), (500, 2_000))


def growth(sizes: Sizes, known: Mapping[int, Measured], tell: Callable[[Point], None]) -> list[Point]:
    """Every kind of run with more and more rows. known: unchanged runs that were measured already."""
    points: list[Point] = []

    def note(point: Point) -> None:
        points.append(point)
        tell(point)

    for rows in sizes.unchanged:
        found = known.get(rows) or unchanged(rows)
        note(Point(UNCHANGED, rows, found.units, found.run.processor_seconds / rows * 1000, found.peak_mb))
    for rows in sizes.others:
        for figures in course_of_kinds(rows):
            note(Point(figures.kind, rows, figures.units, figures.processor_ms))
    return points
