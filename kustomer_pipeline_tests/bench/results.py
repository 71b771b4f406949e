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
from .million import Unchanged
from .speed import way_of
from .track import JOB_SECONDS, LATENCY, OTHERS_A_MINUTE, OTHERS_BEGIN, OURS, RATE_LIMIT, RESERVE, Condition, Figures

QUEUE_A_MINUTE = 100 / JOB_SECONDS * 60
HEAD = (
    f"{'':<34}{'rows':>9}{'units a record':>15}{'goal':>7}{'records a minute':>18}{'in whole windows':>18}{'limit':>8}"
    f"{'goal':>8}{'lowest left':>13}{'429':>5}{'processor ms':>14}"
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


def lines_of_unchanged(found: Unchanged) -> list[str]:
    """Seconds and memory by step."""
    steps = [
        f"{name:<22}{seconds:>7.1f} s   peak memory so far {found.peak_mb[name]:,.0f} MB"
        for name, seconds in found.seconds.items()
    ]
    return [*steps, f"{'all':<22}{found.all_seconds:>7.1f} s   requests: {found.units} (whose key is this)"]


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
    known |= {"conditions": conditions, **sections}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=2) + "\n")
    return known


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


def unchanged_to_json(found: Unchanged) -> dict[str, Any]:
    """Rounded: the rest is noise."""
    return {
        **asdict(found),
        "processor_seconds": round(found.processor_seconds, 1),
        "seconds": {name: round(seconds, 1) for name, seconds in found.seconds.items()},
        "peak_mb": {name: round(peak) for name, peak in found.peak_mb.items()},
        "all_seconds": round(found.all_seconds, 1),
    }


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
