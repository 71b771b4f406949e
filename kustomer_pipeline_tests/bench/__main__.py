"""`make bench`: what runs cost and how long they take, against the goals; in simulated time.

python -m kustomer_pipeline_tests.bench                  everything (an hour)
python -m kustomer_pipeline_tests.bench --quick          everything with few rows, some minutes
python -m kustomer_pipeline_tests.bench units            what each kind of run costs, with jobs on their own
python -m kustomer_pipeline_tests.bench speed            the same, and with jobs in a queue, and with others at work
python -m kustomer_pipeline_tests.bench cpu              processor time a record, by kind of run
python -m kustomer_pipeline_tests.bench ways             how the planner of reads finds who is there
python -m kustomer_pipeline_tests.bench unchanged        an unchanged run of a million rows
python -m kustomer_pipeline_tests.bench growth           from ten thousand rows to a million
python -m kustomer_pipeline_tests.bench large            large tables in both warehouses, up to a million rows
python -m kustomer_pipeline_tests.bench large --large    up to ten million (hours; tens of GB of disk, ten of memory)
python -m kustomer_pipeline_tests.bench first_write      the state's first write of a million rows

The figures go to docs/benchmarks/latest.json, and are drawn in latest.png and latest.large.png; those of --quick to
quick.json, quick.png and quick.large.png beside them. With latest.json the tables of docs/benchmarks/README.md, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import accepted, growth, large, one_run, page, results
from .plot import plot
from .plot_large import plot_large
from .speed import QUICK, Sizes, alone, speed, way_of, ways
from .table import SPEC
from .track import Figures

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
EVERYTHING = ("speed", "ways", "unchanged", "growth", "large", "first_write")  # the others are parts of these
_PROFILED, _PROFILED_QUICK = 10_000, 1_000
_MILLION, _FEW = 1_000_000, 50_000
_LARGE, _LARGE_QUICK, _LARGEST = (10_000, 100_000, _MILLION), (2_000,), 10_000_000


class Bench:
    """One call of the command: which parts, with how many rows, and what was found."""

    def __init__(
        self,
        folder: Path,
        *,
        quick: bool,
        rows: int | None,
        only: large.Only = large.EVERY_CASE,
        largest: bool = False,
    ) -> None:
        self.folder = folder
        self.quick = quick
        self.name = "quick" if quick else "latest"
        self.rows = rows
        self.only = only
        self.largest = largest
        self.sizes = QUICK if quick else Sizes()
        if rows is not None:
            self.sizes = replace(self.sizes, alone=rows, others=min(rows, self.sizes.others))
        self.found: dict[str, Any] = {}
        self._unchanged: dict[int, large.Measured] = {}

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
        rows = self.rows or (_FEW if self.quick else _MILLION)
        print(f"\nAn unchanged run, {rows:,} rows of {len(SPEC.fields)} columns from SQLite; real seconds")
        found = self._unchanged[rows] = large.unchanged(rows)
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

    def large(self) -> None:
        """Both warehouses, both comparisons, nothing changed and a thousandth changed."""
        print(f"\nRuns over large tables, {len(SPEC.fields)} columns; real seconds\n  {results.HEAD_OF_LARGE}")
        measured: list[large.Measured] = []

        def note(one: large.Measured) -> None:
            measured.append(one)
            print(f"  {results.line_of_large(one)}", flush=True)

        for rows in self._rows_of_large():
            for database in self.only.databases:
                large.table_of(database, rows, note, self.only)
                self.found["large"] = [results.large_to_json(one) for one in measured]
                self.keep()

    def first_write(self) -> None:
        """The state's first write of very many rows."""
        rows = self.rows or (_FEW if self.quick else _MILLION)
        print(f"\nThe state's first write, {rows:,} rows")
        found = [large.first_write(database, rows) for database in self.only.databases]
        print("\n".join(f"  {results.line_of_first_write(one)}" for one in found))
        self.found["first_write"] = [results.first_write_to_json(one) for one in found]

    def keep(self) -> None:
        """Write and draw what was found so far: a long measurement may be stopped."""
        found = results.write(self.folder / f"{self.name}.json", self.found)
        plot(self.folder / f"{self.name}.png", found)
        plot_large(self.folder / f"{self.name}.large.png", found)
        if not self.quick:
            page.write(self.folder / "README.md", found)

    def _rows_of_large(self) -> tuple[int, ...]:
        if self.rows is not None:
            return (self.rows,)
        return _LARGE_QUICK if self.quick else (*_LARGE, *((_LARGEST,) if self.largest else ()))

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
    options = _parser().parse_args(arguments)
    if options.what in _PROCESSES:
        _PROCESSES[options.what](options)
        return
    only = large.Only(
        large.DATABASES if options.warehouse is None else (options.warehouse,),
        large.COMPARISONS if options.compare is None else (options.compare,),
    )
    bench = Bench(options.folder, quick=options.quick, rows=options.rows, only=only, largest=options.large)
    for part in EVERYTHING if options.what == "all" else (options.what,):
        getattr(bench, part)()
        bench.keep()
    print(f"\nWritten: {bench.name}.json, {bench.name}.png and {bench.name}.large.png in {options.folder.name}/")


# Parts of a measurement, each in a process of its own.
_PROCESSES: dict[str, Callable[[argparse.Namespace], None]] = {
    "accept": lambda options: accepted.accept_everything(options.folder),
    "measure": lambda options: one_run.measure(options.rows, options.changed, options.folder),
    "write": lambda options: accepted.write_first(options.rows, options.folder),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").splitlines()[0])
    parts = ["all", "units", "speed", "ways", "cpu", "unchanged", "growth", "large", "first_write"]
    parser.add_argument("what", nargs="?", choices=[*parts, *_PROCESSES], default="all", metavar="|".join(parts))
    parser.add_argument("--quick", action="store_true", help="few rows, some minutes")
    parser.add_argument("--rows", type=int, help="so many rows instead")
    parser.add_argument("--large", action="store_true", help="large tables: ten million rows, too")
    parser.add_argument("--warehouse", choices=large.DATABASES, help="large tables: of this database only")
    parser.add_argument("--compare", choices=large.COMPARISONS, help="large tables: this comparison only")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the figures go (docs/benchmarks)")
    parser.add_argument("--changed", type=int, default=0, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
