"""What the sensor knows between two ticks, as its cursor holds it: JSON, short, as Dagster keeps one a tick.

    {sync: {"first_seen", "success", "last_run", "end": […], "checks": [[…]], "told": {channel: {condition: […]}}}}

What somebody else wrote, or an earlier version, is as good as nothing: what is the matter is told once more.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from .changes import Told
from .facts import Facts, FailedCheck, RunEnd


@dataclass(frozen=True)
class Known:
    """Of one sync: the facts, and by channel what was told."""

    facts: Facts
    told: Mapping[str, Mapping[str, Told]] = field(default_factory=dict)


def to_json(known: Mapping[str, Known]) -> str:
    """As the cursor keeps it."""
    return json.dumps({name: _written(one) for name, one in known.items()}, separators=(",", ":"), sort_keys=True)


def from_json(cursor: str | None) -> dict[str, Known]:
    """The opposite; nothing when it cannot be read."""
    try:
        return {str(name): _read(values) for name, values in json.loads(cursor or "{}").items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _written(known: Known) -> dict[str, Any]:
    facts = known.facts
    values: dict[str, Any] = {"first_seen": round(facts.first_seen)}
    if facts.end is not None:
        values["end"] = _short(astuple(facts.end), RunEnd("", 0.0))
    if facts.success is not None and not (facts.end is not None and facts.end.ok and facts.end.at == facts.success):
        values["success"] = facts.success
    if (facts.last_run, facts.settled) != _usual_last_run(facts.end):
        values["last_run"] = [facts.last_run, facts.settled]
    if facts.checks is not None:
        values["checks"] = [list(astuple(check)) for check in facts.checks]
    told = {channel: {name: list(astuple(one)) for name, one in of.items()} for channel, of in known.told.items() if of}
    return values | ({"told": told} if told else {})


def _usual_last_run(end: RunEnd | None) -> tuple[str, bool]:
    """The newest run is the one whose end is known; what is otherwise is written down."""
    return (end.run_id, True) if end is not None else ("", False)


def _short(values: tuple[Any, ...], usual: RunEnd) -> list[Any]:
    """Without what is at its end and as usual."""
    kept = list(values)
    while kept and kept[-1] == astuple(usual)[len(kept) - 1]:
        kept.pop()
    return kept


def _read(values: Mapping[str, Any]) -> Known:
    end = RunEnd(*values["end"]) if "end" in values else None
    last_run, settled = values.get("last_run", _usual_last_run(end))
    checks = tuple(FailedCheck(*check) for check in values["checks"]) if "checks" in values else None
    success = values.get("success", end.at if end is not None and end.ok else None)
    facts = Facts(float(values["first_seen"]), end, success, checks, None, str(last_run), bool(settled))
    told = {channel: {name: Told(*one) for name, one in of.items()} for channel, of in values.get("told", {}).items()}
    return Known(facts, told)
