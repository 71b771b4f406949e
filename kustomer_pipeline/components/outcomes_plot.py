"""What became of the rows in the last runs, drawn: a bar for each run, as an image inside Markdown.

Rows that were unchanged are left out: there are so many of them that nothing else would be seen. The colours are
readable on white and on black, because the Dagster UI has both; the numbers above the bars say what is too small to
see.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from .keys import kustomer_key
from .sync_config import SyncConfig

RUNS = 12

_COLORS = {
    "created": "#2f9e6e",
    "updated": "#3f7fd9",
    "removed": "#8a63d2",
    "refused": "#d9534f",
    "deferred": "#d99a2b",
}
_BAR, _GAP, _HEIGHT, _LEAST = 34, 14, 110, 2
_TOP, _LEFT = 44, 8
_TEXT = 'font-family="sans-serif" font-size="11" fill="#808590"'


@dataclass(frozen=True)
class RunOutcomes:
    """One run: when (seconds since 1970), and how many rows of each kind of outcome."""

    at: float
    counts: Mapping[str, int]


def outcomes_of(metadata: Mapping[str, object], at: float) -> RunOutcomes:
    """From the numbers of a sync's metadata."""

    def number(name: str) -> int:
        given = metadata.get(name)
        given = getattr(given, "value", given)
        return given if isinstance(given, int) else 0

    refused = number("invalid") + number("rejected")
    plain = {name: number(name) for name in _COLORS if name != "refused"}
    return RunOutcomes(at, {name: refused if name == "refused" else plain[name] for name in _COLORS})


def earlier_runs(instance: dg.DagsterInstance, sync: SyncConfig, partition: str | None) -> list[RunOutcomes]:
    """The last runs before this one, of its partition where there are any, oldest first: as the event log has them."""
    of_this = dg.AssetRecordsFilter(kustomer_key(sync), asset_partitions=[partition] if partition else None)
    found = instance.fetch_materializations(of_this, limit=RUNS - 1).records
    runs = [
        outcomes_of(record.asset_materialization.metadata, record.timestamp)
        for record in reversed(found)
        if record.asset_materialization is not None
    ]
    return runs


def plot(runs: Sequence[RunOutcomes], colors: Mapping[str, str] = _COLORS, what: str = "Outcomes") -> str:
    """An image in Markdown; empty for fewer than two runs, or when none of them has anything to show. `colors`: of what
    is counted, from the bottom of a bar upwards.
    """
    most = max((sum(run.counts.values()) for run in runs), default=0)
    if len(runs) < 2 or not most:
        return ""
    image = base64.b64encode(svg(runs, most, colors).encode()).decode()
    return f"![{what} of the last {len(runs)} runs](data:image/svg+xml;base64,{image})"


def svg(runs: Sequence[RunOutcomes], most: int, colors: Mapping[str, str] = _COLORS) -> str:
    """The drawing. `most`: the rows of the highest bar."""
    used = [name for name in colors if any(run.counts[name] for run in runs)]
    width = max(_LEFT * 2 + len(runs) * (_BAR + _GAP), _LEFT * 2 + 84 * len(used))
    parts = [
        f'<rect x="{_LEFT + 84 * number}" y="6" width="10" height="10" fill="{colors[name]}"/>'
        f'<text x="{_LEFT + 15 + 84 * number}" y="15" {_TEXT}>{name}</text>'
        for number, name in enumerate(used)
    ]
    bottom = _TOP + _HEIGHT
    for number, run in enumerate(runs):
        x, y = _LEFT + number * (_BAR + _GAP) + _GAP / 2, float(bottom)
        for name in used:
            if count := run.counts[name]:
                tall = max(_HEIGHT * count / most, _LEAST)
                y -= tall
                parts.append(f'<rect x="{x}" y="{y:.1f}" width="{_BAR}" height="{tall:.1f}" fill="{colors[name]}"/>')
        middle = f'x="{x + _BAR / 2}" text-anchor="middle"'
        day, time = datetime.fromtimestamp(run.at, UTC).strftime("%d.%m. %H:%M").split()
        parts.append(f'<text {middle} y="{y - 4:.1f}" {_TEXT}>{_short(sum(run.counts.values()))}</text>')
        parts.append(f'<text {middle} y="{bottom + 15}" {_TEXT}>{day}</text>')
        parts.append(f'<text {middle} y="{bottom + 29}" {_TEXT}>{time}</text>')
    line = f'<line x1="{_LEFT}" x2="{width - _LEFT}" y1="{bottom}" y2="{bottom}" stroke="#808590"/>'
    size = f'width="{width}" height="{bottom + 36}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}{line}</svg>'


def _short(count: int) -> str:
    """At most five characters: 999, 9,999, 12k, 1.2M."""
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1_000_000:.1f}M"
