"""What a sync may say, and what is wrong with one that cannot work. Knows nothing of assets and components.

parts (watch, schedule, …) → attributes of a kind of sync → checks of the whole → checks of all syncs together
"""

from .audiences import AudienceSyncAttributes, AudienceSyncConfig
from .common import SyncAttributes, SyncConfig, name_problems
from .objects import ObjectSyncAttributes, ObjectSyncConfig
from .parts import FieldColumns, LogTo, Schedule, Watch
from .problems import Problem, SyncConfigError, Where, did_you_mean, dotted, listed, raise_located
from .together import Conflict, conflicts

__all__ = [
    "AudienceSyncAttributes",
    "AudienceSyncConfig",
    "Conflict",
    "FieldColumns",
    "LogTo",
    "ObjectSyncAttributes",
    "ObjectSyncConfig",
    "Problem",
    "Schedule",
    "SyncAttributes",
    "SyncConfig",
    "SyncConfigError",
    "Watch",
    "Where",
    "conflicts",
    "did_you_mean",
    "dotted",
    "listed",
    "name_problems",
    "raise_located",
]
