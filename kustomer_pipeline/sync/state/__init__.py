"""What is remembered between runs: one door (StateStore, SyncState, OrgState) over small repositories.

Nothing in here knows the rest of the engine.
"""

from .errors import LockLostError, StateError
from .facade import SyncState, Transaction
from .identities import Identities
from .lines import TrustedLines
from .lock import Lock
from .org import OrgState
from .rows import Holder
from .store import StateStore
from .values import (
    ChangeLine,
    Effect,
    Job,
    JobItem,
    LogLine,
    OwnershipChange,
    RememberedRow,
    RunLine,
    Snapshot,
    Status,
    TagEffect,
    value_hash,
)

__all__ = [
    "ChangeLine",
    "Effect",
    "Holder",
    "Identities",
    "Job",
    "JobItem",
    "Lock",
    "LockLostError",
    "LogLine",
    "OrgState",
    "OwnershipChange",
    "RememberedRow",
    "RunLine",
    "Snapshot",
    "StateError",
    "StateStore",
    "Status",
    "SyncState",
    "TagEffect",
    "Transaction",
    "TrustedLines",
    "value_hash",
]
