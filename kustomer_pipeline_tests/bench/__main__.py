"""`make bench`: what runs cost and how long they take, against the goals; in simulated time.

python -m kustomer_pipeline_tests.bench                  everything (a quarter of an hour)
python -m kustomer_pipeline_tests.bench --quick          everything with few rows, under a minute
python -m kustomer_pipeline_tests.bench units            what each kind of run costs, with jobs on their own
python -m kustomer_pipeline_tests.bench speed            the same, and with jobs in a queue, and with others at work
python -m kustomer_pipeline_tests.bench cpu              processor time a record, by kind of run
python -m kustomer_pipeline_tests.bench ways             how the planner of reads finds who is there
python -m kustomer_pipeline_tests.bench unchanged        an unchanged run of a million rows
python -m kustomer_pipeline_tests.bench growth           from ten thousand rows to a million

The figures go to docs/benchmarks/latest.json and latest.png; those of --quick to quick.json and quick.png beside them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import growth, million, results
from .plot import plot
from .speed import QUICK, Sizes, alone, speed, way_of, ways
from .track import Figures

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
EVERYTHING = ("speed", "ways", "unchanged", "growth")  # the others are parts of these
_PROFILED, _PROFILED_QUICK = 10_000, 1_000


class Bench:
    """One call of the command: which parts, with how many rows, and what was found."""

    def __init__(self, *, quick: bool, rows: int | None) -> None:
        self.quick = quick
        self.rows = rows
        self.sizes = QUICK if quick else Sizes()
        if rows is not None:
            self.sizes = replace(self.sizes, alone=rows, others=min(rows, self.sizes.others))
        self.found: dict[str, Any] = {}
        self._unchanged: dict[int, million.Unchanged] = {}

    def units(self) -> None:
        """What each kind of run costs: without conditions that change nothing about it."""
        self._table("Units a record")
        by_hand = self.sizes.by_hand if self.rows is None else min(self.rows, self.sizes.by_hand)
        figures = alone(self.rows or min(self.sizes.alone, 10_000), by_hand, _tell(results.line))
        self.found["units"] = [results.to_json(one) for one in figures]

    def cpu(self) -> None:
        """Processor time a record."""
        print("\nProcessor time of the engine a record, the sandbox's not counted")
        rows = self.rows or (_PROFILED_QUICK if self.quick else _PROFILED)
        figures = alone(rows, rows // 10, lambda one: print(f"  {one.kind:<34}{one.processor_ms:>8.3f} ms", flush=True))
        self.found["cpu"] = {one.kind: round(one.processor_ms, 3) for one in figures}

    def speed(self) -> None:
        """Every kind under every condition, and the ways of the planner of reads."""
        self._table("Units a record and records a minute")
        self.found["speed"] = [results.to_json(one) for one in speed(self.sizes, self._by_condition())]

    def ways(self) -> None:
        """The ways of the planner of reads."""
        print("\nFirst loads of customers that exist: which way was taken to find them")
        found = ways(self.sizes, _tell(results.line_of_way))
        self.found["ways"] = [{**results.to_json(one), "way": way_of(one)} for one in found]

    def unchanged(self) -> None:
        """Very many rows, none of them changed."""
        rows = self.rows or (50_000 if self.quick else 1_000_000)
        print(f"\nAn unchanged run, {rows:,} rows of {len(million.SPEC.fields)} columns from SQLite; real seconds")
        found = self._unchanged[rows] = million.unchanged(rows)
        print("\n".join(f"  {text}" for text in results.lines_of_unchanged(found)))
        self.found["unchanged"] = results.unchanged_to_json(found)

    def growth(self) -> None:
        """The same kinds of runs with more and more rows."""
        print("\nGrowth")
        sizes = growth.QUICK if self.quick else growth.FULL
        if self.rows is not None:
            sizes = growth.Sizes((self.rows // 10, self.rows), (self.rows // 10, self.rows))
        points = growth.growth(
            sizes, self._unchanged, lambda point: print(f"  {results.line_of_growth(point)}", flush=True)
        )
        self.found["growth"] = results.points_to_json(points)

    def _table(self, title: str) -> None:
        print(f"{title}\n{results.about()}\n")
        if self.quick:
            print("  --quick: too few rows for rates; what they cost is right all the same\n")
        print(f"  {results.HEAD}")

    def _by_condition(self) -> Callable[[Figures], None]:
        """Tells each figure, and the condition when it changes."""
        told: list[str] = []

        def tell(figures: Figures) -> None:
            if figures.condition not in told[-1:]:
                told.append(figures.condition)
                print(f"  {results.CONDITIONS[figures.condition]}")
            _tell(results.line, "    ")(figures)

        return tell


def _tell(line: Callable[[Figures], str], indent: str = "  ") -> Callable[[Figures], None]:
    return lambda figures: print(f"{indent}{line(figures)}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").splitlines()[0])
    parts = ["all", "units", "speed", "ways", "cpu", "unchanged", "growth"]
    parser.add_argument(
        "what", nargs="?", choices=[*parts, "prepare", "measure"], default="all", metavar="|".join(parts)
    )
    parser.add_argument("--quick", action="store_true", help="few rows, under a minute")
    parser.add_argument("--rows", type=int, help="so many rows instead")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the figures go (docs/benchmarks)")
    options = parser.parse_args(arguments)
    if options.what == "measure":  # a part of `unchanged`, in a process of its own
        million.measure(options.rows, options.folder)
        return
    bench = Bench(quick=options.quick, rows=options.rows)
    name = "quick" if options.quick else "latest"
    for part in EVERYTHING if options.what == "all" else (options.what,):
        getattr(bench, part)()
        plot(options.folder / f"{name}.png", results.write(options.folder / f"{name}.json", bench.found))
    print(f"\nWritten: {name}.json and {name}.png in {options.folder.name}/")


if __name__ == "__main__":
    main()
