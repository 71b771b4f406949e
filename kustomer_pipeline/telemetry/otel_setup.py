"""OpenTelemetry for a process that nobody has configured it for: a Dagster run, as a rule.

    OTEL_* variables → providers that export over OTLP → the process's own, once

The SDK and its exporter read the variables themselves: where to send to, with which headers, how often, which share of
the traces, under which name. The providers send what is left when the process ends. A process that has some keeps them.
"""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

SERVICE_NAME = "kustomer-pipeline"  # unless the environment says another
_EXPORTERS: Final = {
    "http/protobuf": ("opentelemetry.exporter.otlp.proto.http", "opentelemetry-exporter-otlp-proto-http"),
    "grpc": ("opentelemetry.exporter.otlp.proto.grpc", "opentelemetry-exporter-otlp-proto-grpc"),
}
_once = threading.Lock()


class OtelSetupError(Exception):
    """It cannot be set up: a package is missing, or a protocol is not known."""


@dataclass(frozen=True)
class Signals:
    """What is sent, and how. protocol: http/protobuf or grpc."""

    traces: bool = True
    metrics: bool = True
    protocol: str = "http/protobuf"


def set_up(signals: Signals) -> None:
    """Give the process providers, unless it has some. Raises OtelSetupError."""
    try:
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise OtelSetupError("OpenTelemetry is not installed: pip install 'kustomer-pipeline[otel]'") from None
    with _once:
        if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            return
        resource = _resource()
        if signals.traces:
            tracer_provider = TracerProvider(resource=resource)
            tracer_provider.add_span_processor(BatchSpanProcessor(_exporter(signals, "trace", "OTLPSpanExporter")))
            trace.set_tracer_provider(tracer_provider)
        if signals.metrics:
            reader = PeriodicExportingMetricReader(_exporter(signals, "metric", "OTLPMetricExporter"))
            metrics.set_meter_provider(MeterProvider([reader], resource=resource))


def _exporter(signals: Signals, of: str, name: str) -> Any:
    """An exporter of that protocol, as its package makes it from the environment."""
    if signals.protocol not in _EXPORTERS:
        raise OtelSetupError(f"protocol is {signals.protocol!r}; use {' or '.join(_EXPORTERS)}")
    package, distribution = _EXPORTERS[signals.protocol]
    try:
        return getattr(importlib.import_module(f"{package}.{of}_exporter"), name)()
    except ImportError:
        raise OtelSetupError(f"OpenTelemetry's exporter is not installed: pip install {distribution}") from None


def _resource() -> Resource:
    """What sends: as the environment has it, with a name at least."""
    from opentelemetry.sdk.resources import SERVICE_NAME as NAME
    from opentelemetry.sdk.resources import Resource

    found = Resource.create()
    if str(found.attributes.get(NAME, "unknown_service")).startswith("unknown_service"):
        return found.merge(Resource({NAME: SERVICE_NAME}))
    return found
