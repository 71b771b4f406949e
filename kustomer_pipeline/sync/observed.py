"""What an observer of the client is told of a run, a plan and an undo: what it is, and what it came to.

spec, run id → Work → everything that is asked of Kustomer meanwhile → outcomes
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Literal, TypeVar

from kustomer_pipeline.kustomer import KustomerClient, Work
from kustomer_pipeline.mapping import is_personal_key

from .report import SyncReport
from .spec import RunOptions, SyncSpec
from .state import whole_name

_Result = TypeVar("_Result")
CameTo = tuple[Mapping[str, int], Exception | None]  # what was counted; what ended it early


def work_of(spec: SyncSpec, run_id: str, kind: Literal["run", "plan", "drift"]) -> Work:
    """A run, a plan, or a look for drift of a sync; a part of a sync in shards goes by the sync's name."""
    return Work(whole_name(spec.name), run_id, kind, partial(is_personal_key, match_on=spec.match_on))


def undo_of(name: str, run_id: str) -> Work:
    """An undo. Its rows are of several syncs, and what their keys are made of is not known: all count as personal."""
    return Work(name, run_id, "undo", lambda key: True)


def observed(
    client: KustomerClient, work: Work, coroutine: Coroutine[Any, Any, _Result], came_to: Callable[[_Result], CameTo]
) -> _Result:
    """What the coroutine gives, run by the client on behalf of this work."""
    with client.on_behalf_of(work) as ending:
        result = client.run(coroutine)
        ending.came_to(*came_to(result))
    return result


def observed_run(
    client: KustomerClient, spec: SyncSpec, options: RunOptions, running: Coroutine[Any, Any, SyncReport]
) -> SyncReport:
    """The same of a run."""
    return observed(client, work_of(spec, options.run_id, "run"), running, _outcomes)


def _outcomes(report: SyncReport) -> CameTo:
    """Rows by outcome, and members who lost the tag."""
    counts = asdict(report.counts)
    del counts["read"]
    return {**counts, "removed": report.removed}, report.interrupted
