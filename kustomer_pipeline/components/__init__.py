"""The Dagster face: a YAML file or a Python object becomes assets, checks, a job, a schedule, a sensor.

sync_config (what may be said) → factories (assets, checks, jobs, triggers, undo) → component, project
"""

from .component import AudienceSync, ObjectSync
from .own_folder import defs_module
from .project import KustomerProject, build_definitions, load_definitions
from .sync_config import SyncConfigError

__all__ = [
    "AudienceSync",
    "KustomerProject",
    "ObjectSync",
    "SyncConfigError",
    "build_definitions",
    "defs_module",
    "load_definitions",
]
