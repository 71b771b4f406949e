"""What is kept and sent of the requests to Kustomer, for whoever has to find out what happened. Off unless asked for.

    KustomerClient → Observers ─┬→ RequestLog      a line for each attempt at a request, in files for some days
                                └→ OpenTelemetry   spans and metrics, to whatever the process has configured
    sync, row key  → requests_of → the lines that were about the row
    a person       → forget_in   → the lines without them

Nothing here may break or hold up a run, and nothing of it holds personal data or the API key (law 10).
"""

from .forgetting import forget_in
from .line import RequestLine
from .observers import Observers
from .otel import OpenTelemetry, is_used_here
from .otel_setup import OtelSetupError, Signals, set_up
from .reading import requests_of
from .request_log import DEFAULT_LOG_DAYS, RequestLog

__all__ = [
    "DEFAULT_LOG_DAYS",
    "Observers",
    "OpenTelemetry",
    "OtelSetupError",
    "RequestLine",
    "RequestLog",
    "Signals",
    "forget_in",
    "is_used_here",
    "requests_of",
    "set_up",
]
