"""The engine: a mapped frame in, Kustomer brought up to date, a report out. Knows nothing of Dagster.

    frame → rows → patches → bulk jobs → results → state → report

`run_sync` applies, `plan_sync` only says what it would do. The laws both keep are in docs/architecture.md.
"""

from .plan import Plan, plan_sync
from .report import Counts, Outcome, Progress, ReadBack, SyncReport
from .run import run_sync
from .spec import AudienceSpec, ObjectSpec, RemovalLimit, RunOptions
from .state import StateError, StateStore
from .undo import UndoError, UndoReport, undo_run

__all__ = [
    "AudienceSpec",
    "Counts",
    "ObjectSpec",
    "Outcome",
    "Plan",
    "Progress",
    "ReadBack",
    "RemovalLimit",
    "RunOptions",
    "StateError",
    "StateStore",
    "SyncReport",
    "UndoError",
    "UndoReport",
    "plan_sync",
    "run_sync",
    "undo_run",
]
