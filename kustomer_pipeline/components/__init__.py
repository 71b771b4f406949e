"""The Dagster face: a YAML file or a Python object becomes assets, checks, a job, a schedule, a sensor.

defs.yaml → ObjectSync / AudienceSync → warehouse → mapped → kustomer, plan
"""

from .audience_sync import AudienceSync
from .object_sync import ObjectSync
from .problems import SyncConfigError
from .project import build_definitions, load_definitions

__all__ = ["AudienceSync", "ObjectSync", "SyncConfigError", "build_definitions", "load_definitions"]
