"""Runs over large tables as a picture: seconds and memory over rows, both axes logarithmic, with the goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from .large import CHANGED, COMPARISONS, DATABASES, SITUATIONS, UNCHANGED, Situation

_COLOURS = {"sqlite": "#3b6ea8", "postgresql": "#d1803a"}
_STYLES = {"embedded": ("-", "o"), "in_warehouse": ("--", "s")}
_MARK: dict[str, Any] = {"color": "#c0392b", "markersize": 26, "markeredgewidth": 2.5, "label": "goal, at most"}
_MEASURES = (("all_seconds", "seconds"), ("memory", "MB at the most"))


@dataclass(frozen=True)
class Goal:
    """At most, on a machine of 2 cores that does nothing else: of the embedded comparison where nothing has changed, of
    the one in PostgreSQL where a thousandth has."""

    situation: Situation
    rows: int
    all_seconds: int
    memory: int


_GOALS = (Goal(UNCHANGED, 1_000_000, 15, 800), Goal(CHANGED, 10_000_000, 90, 500))


def plot_large(path: Path, results: Mapping[str, Any]) -> None:
    """Draw what there is."""
    mpl.use("Agg")
    runs = [one | {"memory": max(one["peak_mb"].values())} for one in results.get("large", [])]
    figure = Figure(figsize=(12, 8.5), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey="row", squeeze=False)
    for column, situation in enumerate(SITUATIONS):
        mine = [one for one in runs if one["situation"] == situation]
        for row, (what, label) in enumerate(_MEASURES):
            _lines(axes[row][column], mine, what)
            axes[row][column].set_ylabel(label)
            for goal in (one for one in _GOALS if one.situation == situation):
                axes[row][column].plot(goal.rows, getattr(goal, what), "_", **_MARK)
        axes[0][column].set_title(situation)
        axes[1][column].set_xlabel("rows of 10 columns")
    lines, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=5, frameon=False, handlelength=4)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _lines(axes: Axes, runs: Sequence[Mapping[str, Any]], what: str) -> None:
    for database in DATABASES:
        for comparison in COMPARISONS:
            mine = [one for one in runs if (one["warehouse"], one["comparison"]) == (database, comparison)]
            style, marker = _STYLES[comparison]
            axes.plot(
                [one["rows"] for one in mine],
                [one[what] for one in mine],
                linestyle=style,
                marker=marker,
                color=_COLOURS[database],
                label=f"{database}, {comparison}",
            )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(visible=True, which="both", linewidth=0.3)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.spines[["top", "right"]].set_visible(False)
