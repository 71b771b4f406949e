"""The figures as a picture: records a minute against the budget's limit and the goal, and how runs grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_BAR, _LIMIT, _GOAL = "#3b6ea8", "#b0b7c3", "#c0392b"


def plot(path: Path, results: Mapping[str, Any]) -> None:
    """Draw what there is."""
    mpl.use("Agg")
    figure = Figure(figsize=(12, 7.5), layout="constrained")
    axes = figure.subplot_mosaic([["speed", "speed"], ["units", "processor"]], height_ratios=[1.6, 1])
    speed = [one for one in results.get("speed", []) if one["condition"] == "on their own" and one["units"] > 1]
    _rates(axes["speed"], [one for one in speed if not one["kind"].startswith("four-role")])
    growth = results.get("growth", [])
    _growth(axes["units"], growth, "units_per_record", "units of the budget a record")
    _growth(axes["processor"], growth, "processor_ms", "ms of the processor a record")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _rates(axes: Axes, speed: Sequence[Mapping[str, Any]]) -> None:
    places = range(len(speed))
    limits = [one["limit_a_minute"] for one in speed]
    rates = [min(one["records_a_minute"], one["in_whole_windows"] or one["records_a_minute"]) for one in speed]
    axes.barh(places, limits, height=0.7, color=_LIMIT, label="the budget's own limit at these units")
    axes.barh(places, rates, height=0.42, color=_BAR, label="measured")
    for place, one in zip(places, speed, strict=True):
        goal = one["goal_records_a_minute"]
        if goal:
            axes.plot([goal, goal], [place - 0.4, place + 0.4], color=_GOAL, linewidth=2)
        axes.text(rates[place] * 0.99, place, f"{rates[place]:,}", ha="right", va="center", color="white", fontsize=9)
    axes.plot([], [], color=_GOAL, linewidth=2, label="goal, at least")
    axes.set_yticks(list(places), [f"{one['kind']}\n{one['units_per_record']:.4f} units a record" for one in speed])
    axes.invert_yaxis()
    axes.set_xlabel("records a minute (1,000 requests a minute, 20 % left to others; 100 ms an answer, jobs of 5 s)")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def _growth(axes: Axes, points: Sequence[Mapping[str, Any]], what: str, label: str) -> None:
    for kind in dict.fromkeys(point["kind"] for point in points):
        mine = [point for point in points if point["kind"] == kind]
        axes.plot([point["rows"] for point in mine], [point[what] for point in mine], marker="o", label=kind)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("rows")
    axes.set_ylabel(label)
    if points:
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
