"""The engine: a mapped frame in, Kustomer brought up to date, a report out. Knows nothing of Dagster.

    compare → resolve → decide → guard → (plan | apply) → report

`run_sync` executes the stream of decisions, `plan_sync` renders it, `undo_run` takes a run back. The laws all keep are
in docs/architecture.md.
"""

from .filing import hashes_of
from .ledger import Counts, Outcome
from .masking import mask, mask_key
from .opening import actions_of
from .plan import Estimate, Plan
from .planning import plan_sync
from .reasons import Reason, ReasonCode
from .report import HeldChanges, Progress, ReadBack, Removals, SyncReport
from .rest import Rest, RowsOutOfDateError, Terms
from .run import run_sync
from .spec import AudienceSpec, ChangeLimit, ObjectSpec, RemovalLimit, RunOptions, SyncSpec
from .state import StateError, StateStore
from .terms import terms_of
from .undo import UndoError, UndoReport, undo_run

__all__ = [
    "AudienceSpec",
    "ChangeLimit",
    "Counts",
    "Estimate",
    "HeldChanges",
    "ObjectSpec",
    "Outcome",
    "Plan",
    "Progress",
    "ReadBack",
    "Reason",
    "ReasonCode",
    "RemovalLimit",
    "Removals",
    "Rest",
    "RowsOutOfDateError",
    "RunOptions",
    "StateError",
    "StateStore",
    "SyncReport",
    "SyncSpec",
    "Terms",
    "UndoError",
    "UndoReport",
    "actions_of",
    "hashes_of",
    "mask",
    "mask_key",
    "plan_sync",
    "run_sync",
    "terms_of",
    "undo_run",
]
