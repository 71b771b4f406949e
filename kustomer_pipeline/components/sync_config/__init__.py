"""What a sync may say, and what is wrong with one that cannot work. Knows nothing of assets and components.

parts, in_dagster → attributes of a kind of sync, or of the project → checks of the whole → checks of all together
"""

from .alerts import CONDITIONS, Alert, Condition
from .audiences import AudienceSyncAttributes, AudienceSyncConfig
from .broken import BrokenSync, broken_sync, merged, name_of, sync_files
from .common import SyncAttributes, SyncConfig, name_problems, sync_asset_names
from .drifting import Drift
from .in_dagster import OnCron, ResourceKeys, SourceTable
from .objects import ObjectSyncAttributes, ObjectSyncConfig
from .parts import FieldColumns, LogTo, Schedule
from .problems import Problem, SyncConfigError, Where, did_you_mean, dotted, listed, problems_in, raise_located
from .project import ProjectAttributes
from .suppressing import Suppress
from .together import Conflict, bound_to_themselves, conflicts
from .watch import Watch

__all__ = [
    "CONDITIONS",
    "Alert",
    "AudienceSyncAttributes",
    "AudienceSyncConfig",
    "BrokenSync",
    "Condition",
    "Conflict",
    "Drift",
    "FieldColumns",
    "LogTo",
    "ObjectSyncAttributes",
    "ObjectSyncConfig",
    "OnCron",
    "Problem",
    "ProjectAttributes",
    "ResourceKeys",
    "Schedule",
    "SourceTable",
    "Suppress",
    "SyncAttributes",
    "SyncConfig",
    "SyncConfigError",
    "Watch",
    "Where",
    "bound_to_themselves",
    "broken_sync",
    "conflicts",
    "did_you_mean",
    "dotted",
    "listed",
    "merged",
    "name_of",
    "name_problems",
    "problems_in",
    "raise_located",
    "sync_asset_names",
    "sync_files",
]
