"""The engine: a mapped frame in, Kustomer brought up to date, a report out. Knows nothing of Dagster.

    compare → resolve → decide → guard → (plan | apply) → report

`run_sync` executes the stream of decisions, `plan_sync` renders it, `undo_run` takes a run back. The laws all keep are
in docs/architecture.md.
"""

from .approved import PlanNotApplicableError, keep_plan
from .drift import DriftPolicy, DriftReport, What, find_drift, keys_to_look_at
from .filing import hashes_of
from .forget import Beyond, forget
from .ledger import Counts, Outcome
from .masked_values import mask
from .masking import mask_key
from .needed import actions_of
from .persons import Copies, ForgetError, Who
from .plan import Estimate, Plan
from .planning import plan_sync
from .reasons import Reason, ReasonCode
from .report import HeldChanges, Progress, ReadBack, Removals, SyncReport
from .rest import Rest, RowsOutOfDateError, Terms
from .run import run_sync
from .spec import Approval, AudienceSpec, ChangeLimit, ObjectSpec, RemovalLimit, RunOptions, SyncSpec
from .splitting import in_shard, shard_number
from .state import Forgotten, Person, Receipt, StateError, StateStore
from .suppression import which_are_forgotten
from .terms import terms_of
from .undo import UndoError, UndoReport, undo_run

__all__ = [
    "Approval",
    "AudienceSpec",
    "Beyond",
    "ChangeLimit",
    "Copies",
    "Counts",
    "DriftPolicy",
    "DriftReport",
    "Estimate",
    "ForgetError",
    "Forgotten",
    "HeldChanges",
    "ObjectSpec",
    "Outcome",
    "Person",
    "Plan",
    "PlanNotApplicableError",
    "Progress",
    "ReadBack",
    "Reason",
    "ReasonCode",
    "Receipt",
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
    "What",
    "Who",
    "actions_of",
    "find_drift",
    "forget",
    "hashes_of",
    "in_shard",
    "keep_plan",
    "keys_to_look_at",
    "mask",
    "mask_key",
    "plan_sync",
    "run_sync",
    "shard_number",
    "terms_of",
    "undo_run",
    "which_are_forgotten",
]
