"""OpenTelemetry in a process that nobody has configured it for: what KUSTOMER_OTEL=1 sends, to a collector here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from kustomer_pipeline_tests.conftest import REPOSITORY

KEY = "kustomer-test-key-5f2c"
# A run of a sync as a process of its own makes it: one request, and an end.
_RUN = """
import sys
import httpx
from kustomer_pipeline.kustomer import KustomerClient, Work
from kustomer_pipeline.telemetry import OpenTelemetry, Signals, set_up

if "configured" in sys.argv:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
set_up(Signals(metrics="traces only" not in sys.argv))
set_up(Signals())  # a second client of the process changes nothing

token = {"id": "t1", "type": "auth_token", "attributes": {"org": "org-1"}}
transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"data": token}))
client = KustomerClient(
    base_url="https://acme.api.kustomerapp.com", api_key=sys.argv[1], transport=transport, observer=OpenTelemetry()
)
with client, client.on_behalf_of(Work("customers", "run-1", "run", lambda key: True)) as ending:
    client.run(client.token())
    ending.came_to({"created": 3})
"""


class Collector:
    """Takes what is exported over HTTP."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        taken = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                taken.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> dict[str, str]:
        """Names of spans → the service that they are of."""
        return {
            span.name: next(one.value.string_value for one in of.resource.attributes if one.key == "service.name")
            for body in self._bodies("/v1/traces")
            for of in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        }

    def metrics(self) -> set[str]:
        """Names of metrics."""
        return {
            metric.name
            for body in self._bodies("/v1/metrics")
            for of in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in of.scope_metrics
            for metric in scope.metrics
        }

    def _bodies(self, path: str) -> list[bytes]:
        return [body for where, _, body in self.requests if where == path]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        thread.join()
        collector.server.server_close()


def run(collector: Collector, *words: str, **variables: str) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        **variables,
    }
    command = [sys.executable, "-c", _RUN, KEY, *words]
    done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_spans_and_metrics_go_to_the_collector_by_the_end_of_the_process(collector: Collector) -> None:
    run(collector, OTEL_EXPORTER_OTLP_HEADERS="x-team=crm")
    assert collector.spans() == {
        "sync customers": "kustomer-pipeline",
        "GET /v1/auth/tokens/current": "kustomer-pipeline",
    }
    assert collector.metrics() >= {"kustomer.requests", "http.client.request.duration", "kustomer.rows"}
    assert {headers["x-team"] for _, headers, _ in collector.requests} == {"crm"}
    assert KEY.encode() not in b"".join(body for _, _, body in collector.requests)


def test_the_name_of_the_service_is_the_environments(collector: Collector) -> None:
    run(collector, "traces only", OTEL_SERVICE_NAME="crm sync")
    assert set(collector.spans().values()) == {"crm sync"}
    assert collector.metrics() == set()


def test_a_process_that_has_providers_keeps_them(collector: Collector) -> None:
    run(collector, "configured")
    assert collector.requests == []


def test_what_opentelemetry_disables_is_not_sent(collector: Collector) -> None:
    run(collector, OTEL_SDK_DISABLED="true")
    assert collector.requests == []


_PROTOCOL = """
import sys
from kustomer_pipeline.telemetry import OtelSetupError, Signals, set_up

sys.modules["opentelemetry.exporter.otlp.proto.grpc"] = None  # as if it was not installed
for protocol in sys.argv[1:]:
    try:
        set_up(Signals(protocol=protocol))
    except OtelSetupError as error:
        print(error)
"""


def test_a_protocol_without_its_exporter_says_what_to_install() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; sys.modules['opentelemetry.exporter.otlp.proto.grpc'] = None\n" + _PROTOCOL,
    ]
    done = subprocess.run([*command, "grpc", "tcp"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "OpenTelemetry's exporter is not installed: pip install opentelemetry-exporter-otlp-proto-grpc",
        "protocol is 'tcp'; use http/protobuf or grpc",
    ]
