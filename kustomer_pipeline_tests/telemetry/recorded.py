"""Spans and metrics in memory, by the SDK's own exporters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from kustomer_pipeline.telemetry import OpenTelemetry

Labels = frozenset[tuple[str, Any]]


class Recorded:
    """An observer on providers of its own, and what they were given."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.observer = OpenTelemetry(self.tracer_provider, self.meter_provider)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """Those that have ended, in that order."""
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        """Those of a name."""
        return [span for span in self.spans if span.name == name]

    def failures(self) -> list[ReadableSpan]:
        """Those that are errors."""
        return [span for span in self.spans if span.status.status_code is StatusCode.ERROR]

    def metrics(self) -> Mapping[str, Mapping[Labels, Any]]:
        """Name → attributes → the value; of a histogram (count, sum)."""
        found: dict[str, dict[Labels, Any]] = {}
        data = self._reader.get_metrics_data()
        for of_resource in data.resource_metrics if data is not None else ():
            for metric in (metric for scope in of_resource.scope_metrics for metric in scope.metrics):
                for point in metric.data.data_points:
                    value = point.value if isinstance(point, NumberDataPoint) else (point.count, point.sum)
                    found.setdefault(metric.name, {})[frozenset((point.attributes or {}).items())] = value
        return found

    def everything(self) -> str:
        """Every word that would leave the process."""
        data = self._reader.get_metrics_data()
        return "\n".join([*(span.to_json() for span in self.spans), data.to_json() if data is not None else ""])


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """Those of a span."""
    return dict(span.attributes or {})


def seconds(span: ReadableSpan) -> float:
    """How long it took."""
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9
