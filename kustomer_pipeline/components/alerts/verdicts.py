"""How a run ended for each sync in it, from what its steps did. Pure.

    how the run ended, what its steps did, which steps belong to which sync → RunEnd for each sync, or nothing

A run of all syncs stops at the first that fails. That one is to blame and is told about; those that it kept from
running have not failed, and are not told about one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .facts import RunEnd

Status = Literal["success", "failure", "canceled"]


@dataclass(frozen=True)
class StepFailure:
    """What a failed step recorded. `said` is empty where it is not known to be free of values."""

    error: str = ""
    said: str = ""


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    run_id: str
    at: float
    status: Status
    started: frozenset[str] = frozenset()
    succeeded: frozenset[str] = frozenset()
    failures: Mapping[str, StepFailure] = field(default_factory=dict)


# The steps of a sync in their order; the last is the one that sends.
Steps = tuple[str, ...]


def verdicts(run: Ended, syncs: Mapping[str, Steps]) -> dict[str, RunEnd | None]:
    """How `run` ended for each of `syncs`, all of which were to be made in it. None: neither well nor badly."""
    ends = {name: _own_end(run, steps) for name, steps in syncs.items()}
    untouched = [name for name, end in ends.items() if end is None]
    if run.status != "failure" or not untouched:
        return ends
    blamed = [name for name, end in ends.items() if end is not None and not end.ok]
    if not blamed:
        blamed, untouched = untouched[:1], untouched[1:]
        ends[blamed[0]] = RunEnd(run.run_id, run.at, ok=False, said=_why_not_reached(run, syncs))
    first = ends[blamed[0]]
    assert first is not None
    ends[blamed[0]] = RunEnd(first.run_id, first.at, False, first.error, first.said, others=len(untouched))
    return ends


def _own_end(run: Ended, steps: Steps) -> RunEnd | None:
    """What the sync's own steps say; None when they say nothing."""
    if run.status == "success" or steps[-1] in run.succeeded:
        return RunEnd(run.run_id, run.at)
    if run.status == "canceled":
        return None
    failed = next((run.failures[step] for step in steps if step in run.failures), None)
    if failed is not None:
        return RunEnd(run.run_id, run.at, ok=False, error=failed.error, said=failed.said)
    if any(step in run.started and step not in run.succeeded for step in steps):
        said = "Its process ended without a word. Nothing that was recorded is lost: the next run goes on from there."
        return RunEnd(run.run_id, run.at, ok=False, said=said)
    return None


def _why_not_reached(run: Ended, syncs: Mapping[str, Steps]) -> str:
    own = {step for steps in syncs.values() for step in steps}
    foreign: Sequence[str] = sorted(step for step in run.failures if step not in own)
    if foreign:
        return f"The step {foreign[0]}, which comes before it, failed."
    return "The run ended before it came to this sync."
