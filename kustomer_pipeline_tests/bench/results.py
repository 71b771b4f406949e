"""Figures → lines of a table on the terminal, and JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .growth import Point
from .kinds import GOALS, Goal
from .large import FirstWrite, Measured
from .speed import way_of
from .track import JOB_SECONDS, LATENCY, OTHERS_A_MINUTE, OTHERS_BEGIN, OURS, RATE_LIMIT, RESERVE, Condition, Figures

QUEUE_A_MINUTE = 100 / JOB_SECONDS * 60
HEAD = (
    f"{'':<34}{'rows':>9}{'units a record':>15}{'goal':>7}{'records a minute':>18}{'in whole windows':>18}{'limit':>8}"
    f"{'goal':>8}{'lowest left':>13}{'429':>5}{'processor ms':>14}"
)
HEAD_OF_LARGE = (
    f"{'warehouse':<12}{'compared':<14}{'':<15}{'rows':>11}{'seconds':>9} {'read':>8}{'map':>8}{'run':>8}"
    f"{'statement':>11}{'filing':>9}{'processor':>11}{'server':>10}{'MB':>8}{'units':>7}{'load':>7}"
)
CONDITIONS: dict[Condition, str] = {
    "on their own": f"bulk jobs take {JOB_SECONDS:g} s each, on their own",
    "in a queue": f"bulk jobs take {JOB_SECONDS:g} s each, one after the other: "
    f"the queue itself lets {QUEUE_A_MINUTE:,.0f} records a minute through",
    "others take half": f"others spend {OTHERS_A_MINUTE} requests a minute from second {OTHERS_BEGIN:g} on",
}


def about() -> str:
    """Under what conditions all of it is measured."""
    return (
        f"Simulated time: an answer takes {LATENCY * 1000:.0f} ms; the org's budget is {RATE_LIMIT:,} requests a minute"
        f" ({OURS:.0f} for us, {RESERVE:.0%} are left to others); search takes 20 criteria, and `in` is refused"
    )


def line(figures: Figures) -> str:
    """One row of the table."""
    goal = GOALS.get(figures.kind, Goal())
    goal_rate = goal.records if figures.condition == "on their own" else None
    asks = figures.units > 1  # else there is no rate to speak of
    rate, limit = (figures.records_a_minute, figures.limit) if asks else (None, None)
    text = (
        f"{figures.kind:<34}{figures.rows:>9,}{figures.units_per_record:>15.4f}{_number(goal.units, '.3f'):>7}"
        f"{_number(rate, ',.0f'):>18}{_number(figures.in_whole_windows, ',.0f'):>18}{_number(limit, ',.0f'):>8}"
        f"{_number(goal_rate, ',.0f'):>8}{figures.lowest_remaining:>13,}{figures.refused:>5}"
        f"{figures.processor_ms:>14.2f}"
    )
    return text + (f"   {figures.deferred:,} rows deferred" if figures.deferred else "")


def line_of_way(figures: Figures) -> str:
    """Which way was taken, and what it cost."""
    return f"{figures.kind:<40}{way_of(figures):<24}{figures.units:>8,} units{figures.seconds:>8,.0f} s"


def line_of_growth(point: Point) -> str:
    """One size of a kind of run."""
    peak = "" if point.peak_mb is None else f"   peak memory {point.peak_mb:,.0f} MB"
    return (
        f"{point.kind:<28}{point.rows:>10,} rows{point.units_per_record:>10.5f} units a record"
        f"{point.processor_ms:>9.4f} ms of the processor a record{peak}"
    )


def lines_of_unchanged(found: Measured) -> list[str]:
    """Seconds and memory by step."""
    steps = [
        f"{name:<22}{seconds:>7.1f} s   peak memory so far {found.run.peak_mb[name]:,.0f} MB"
        for name, seconds in found.run.seconds.items()
    ]
    return [*steps, f"{'all':<22}{found.all_seconds:>7.1f} s   requests: {found.units} (whose key is this)"]


def line_of_large(found: Measured) -> str:
    """One run over a large table."""
    case, run = found.case, found.run
    steps = "".join(f"{seconds:>8.1f}" for seconds in run.seconds.values())
    return (
        f"{case.warehouse:<12}{case.comparison:<14}{case.situation:<15}{case.rows:>11,}"
        f"{found.all_seconds:>9.1f} {steps}"
        f"{run.statement_seconds:>11.1f}{run.filing_seconds:>9.1f}{run.processor_seconds:>11.1f}"
        f"{_number(found.server_seconds, '.1f'):>10}{found.peak_mb:>8,.0f}{found.units:>7}{found.load:>7.1f}"
    )


def line_of_first_write(found: FirstWrite) -> str:
    """Into one database."""
    written = found.written
    server = "" if found.server_seconds is None else f", {found.server_seconds:.1f} s of the server's"
    return (
        f"{found.database:<12}{written.seconds:>7.1f} s   {written.processor_seconds:.1f} s of our processor{server}; "
        f"load before {found.load:.1f}"
    )


def to_json(figures: Figures) -> dict[str, Any]:
    """Everything that was measured, and the goals."""
    goal = GOALS.get(figures.kind, Goal())
    return {
        **asdict(figures),
        "units_per_record": round(figures.units_per_record, 5),
        "records_a_minute": round(figures.records_a_minute),
        "limit_a_minute": round(figures.limit),
        "goal_units_per_record": goal.units,
        "goal_records_a_minute": goal.records if figures.condition == "on their own" else None,
        "seconds": round(figures.seconds, 1),
        "processor_ms": round(figures.processor_ms, 3),
        "in_whole_windows": None if figures.in_whole_windows is None else round(figures.in_whole_windows),
    }


def write(path: Path, sections: dict[str, Any]) -> dict[str, Any]:
    """Write what was measured; what was not measured this time stays as it was. Returns all of it."""
    known = json.loads(path.read_text()) if path.exists() else {}
    machine = {"python": platform.python_version(), "processors": os.cpu_count()}
    conditions = {
        "simulated": about(),
        "jobs": list(CONDITIONS.values()),
        "machine": machine,
    }
    sections = {
        name: _merged(_BY_CASE[name], known.get(name, []), section) if name in _BY_CASE else section
        for name, section in sections.items()
    }
    known |= {"conditions": conditions, **sections}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=2) + "\n")
    return known


_BY_CASE = {"large": ("rows", "warehouse", "comparison", "situation"), "first_write": ("rows", "database")}


def points_to_json(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Growth."""
    return [
        {
            **asdict(point),
            "units_per_record": round(point.units_per_record, 6),
            "processor_ms": round(point.processor_ms, 5),
            "peak_mb": None if point.peak_mb is None else round(point.peak_mb),
        }
        for point in points
    ]


def unchanged_to_json(found: Measured) -> dict[str, Any]:
    """Rounded: the rest is noise."""
    return {"rows": found.case.rows, **_figures(found)}


def large_to_json(found: Measured) -> dict[str, Any]:
    """A run over a large table: what was measured, and what of it."""
    return {
        **asdict(found.case),
        "changed": found.changed,
        **_figures(found),
        "statement_seconds": round(found.run.statement_seconds, 1),
        "filing_seconds": round(found.run.filing_seconds, 1),
        "server_seconds": _rounded(found.server_seconds),
        "load": round(found.load, 1),
    }


def first_write_to_json(found: FirstWrite) -> dict[str, Any]:
    """The state's first write."""
    return {
        "database": found.database,
        "rows": found.rows,
        "seconds": round(found.written.seconds, 1),
        "processor_seconds": round(found.written.processor_seconds, 1),
        "server_seconds": _rounded(found.server_seconds),
        "load": round(found.load, 1),
    }


def _figures(found: Measured) -> dict[str, Any]:
    return {
        "columns": found.columns,
        "units": found.units,
        "processor_seconds": round(found.run.processor_seconds, 1),
        "seconds": {name: round(seconds, 1) for name, seconds in found.run.seconds.items()},
        "peak_mb": {name: round(peak) for name, peak in found.run.peak_mb.items()},
        "all_seconds": round(found.all_seconds, 1),
    }


def _merged(names: Sequence[str], known: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures of other cases, which were measured before, stay."""
    by_case = {tuple(one[name] for name in names): one for one in (*known, *new)}
    return [by_case[case] for case in sorted(by_case, key=lambda case: case[:1])]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
