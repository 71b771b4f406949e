"""What is remembered between runs: one door (StateStore, SyncState, OrgState) over small repositories.

Nothing in here knows the rest of the engine.
"""

from .errors import LockLostError, StateError
from .facade import SyncState, Transaction
from .identities import Identities
from .leases import LEASE_SECONDS, BudgetLease
from .lines import TrustedLines
from .lock import Lock
from .org import OrgState
from .overview import JobUnderWay, KnownRow, Lease, Logged, Overview, Overwritten
from .parts import part_name, part_of, parts_of, whole_name
from .person import ANY_SYNC, Person
from .plans import SEAL_BYTES, KeptPlan, Plans
from .receipts import Receipt
from .refusals import was_said
from .rows import Holder
from .store import StateStore
from .suppressed import KEY_OF_ROW, Entry, Forgotten, Suppressed
from .traces import Traces
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
    UnderWay,
    Undoes,
    value_hash,
)

__all__ = [
    "ANY_SYNC",
    "KEY_OF_ROW",
    "LEASE_SECONDS",
    "SEAL_BYTES",
    "BudgetLease",
    "ChangeLine",
    "Effect",
    "Entry",
    "Forgotten",
    "Holder",
    "Identities",
    "Job",
    "JobItem",
    "JobUnderWay",
    "KeptPlan",
    "KnownRow",
    "Lease",
    "Lock",
    "LockLostError",
    "LogLine",
    "Logged",
    "OrgState",
    "Overview",
    "Overwritten",
    "OwnershipChange",
    "Person",
    "Plans",
    "Receipt",
    "RememberedRow",
    "RunLine",
    "Snapshot",
    "StateError",
    "StateStore",
    "Status",
    "Suppressed",
    "SyncState",
    "TagEffect",
    "Traces",
    "Transaction",
    "TrustedLines",
    "UnderWay",
    "Undoes",
    "part_name",
    "part_of",
    "parts_of",
    "value_hash",
    "was_said",
    "whole_name",
]
