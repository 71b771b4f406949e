"""Drift: what has become in Kustomer of records that were accepted, since when, by whom, and what is done about it.

rows as they were accepted → a sample → live records → findings → who and when → the policy
                                                   ↘ gone: deleted, merged?
"""

from .find import find_drift
from .report import DRIFT_COLUMNS, DriftReport
from .sample import keys_to_look_at
from .values import DriftPolicy, OnDeleted, OnDrift, What

__all__ = [
    "DRIFT_COLUMNS",
    "DriftPolicy",
    "DriftReport",
    "OnDeleted",
    "OnDrift",
    "What",
    "find_drift",
    "keys_to_look_at",
]
