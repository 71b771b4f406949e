"""A local, strict, offline fake of the Kustomer API, for the demo, development and tests.

It follows docs/kustomer.md and shares no code with the client: a mistake that both made would go unseen. Run
it with `python -m kustomer_pipeline.sandbox`, or inside a test with `Sandbox`; docs/sandbox.md describes
every switch.
"""

from .app import App, DroppedConnection
from .errors import ApiError
from .fault_names import FAULTS, FaultKind
from .faults import Fault, Faults, UnknownFaultError
from .handle import Sandbox
from .roles import ALL_ROLES, FOUR_ROLES
from .server import SandboxError
from .state import Hooks, RequestRecord, SandboxState
from .times import ManualClock

__all__ = [
    "ALL_ROLES",
    "FAULTS",
    "FOUR_ROLES",
    "ApiError",
    "App",
    "DroppedConnection",
    "Fault",
    "FaultKind",
    "Faults",
    "Hooks",
    "ManualClock",
    "RequestRecord",
    "Sandbox",
    "SandboxError",
    "SandboxState",
    "UnknownFaultError",
]
