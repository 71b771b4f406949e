"""Spans and metrics of a run, as the SDK's exporters get them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.telemetry.recorded import Recorded, attributes, seconds
from kustomer_pipeline_tests.telemetry.watched import WatchedWorld
from kustomer_pipeline_tests.world import audience, customers, members, people

BULK = "POST /v1/customers/bulk"


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def world(tmp_path: Path, recorded: Recorded) -> Iterator[WatchedWorld]:
    with WatchedWorld(f"sqlite:///{tmp_path / 'state.db'}", recorded.observer) as world:
        world.latency = 0.1
        yield world


# --- spans ------------------------------------------------------------------------------------------------------


def test_a_run_is_a_span_with_what_became_of_its_rows(world: WatchedWorld, recorded: Recorded) -> None:
    report = world.run(customers(), [*people(120), {"id": "C-900", "email": "no address"}])
    [span] = recorded.named("sync customers")
    said = attributes(span)
    counts = {name.removeprefix("kustomer.rows."): said.pop(name) for name in list(said) if ".rows." in name}
    assert {name: count for name, count in counts.items() if count} == {"created": 120, "invalid": 1}
    assert said == {
        "kustomer.sync": "customers",
        "kustomer.run.id": report.run_id,
        "kustomer.work": "run",
        "kustomer.org.id": report.org_id,
    }
    assert span.status.status_code is StatusCode.UNSET
    assert seconds(span) == pytest.approx(report.seconds, abs=0.5)
    assert span.parent is None


def test_its_requests_and_jobs_are_its_children_and_lie_within_it(world: WatchedWorld, recorded: Recorded) -> None:
    report = world.run(customers(), people(120))
    [run] = recorded.named("sync customers")
    children = [span for span in recorded.spans if span is not run]
    assert run.context is not None
    assert {span.parent.span_id for span in children if span.parent is not None} == {run.context.span_id}
    assert len([span for span in children if span.kind is SpanKind.CLIENT]) == report.requests
    assert len(children) == report.requests + 2
    for span in children:
        assert span.start_time is not None
        assert span.end_time is not None
        assert (run.start_time or 0) <= span.start_time < span.end_time <= (run.end_time or 0)


def test_a_run_is_a_child_of_whatever_span_it_is_started_in(world: WatchedWorld, recorded: Recorded) -> None:
    tracer = recorded.tracer_provider.get_tracer("an application")
    with tracer.start_as_current_span("nightly") as nightly:
        world.run(customers(), people(1))
        assert trace.get_current_span() is nightly
    [run] = recorded.named("sync customers")
    assert run.parent is not None
    assert run.parent.span_id == nightly.get_span_context().span_id


def test_a_request_is_a_span_by_the_conventions_of_http_clients(world: WatchedWorld, recorded: Recorded) -> None:
    world.run(customers(), people(120))
    span, _ = recorded.named(BULK)
    said = attributes(span)
    assert said.pop("kustomer.budget.remaining") < 1000
    assert f"http://{said.pop('server.address')}:{said.pop('server.port')}" == world.sandbox.url
    assert said == {
        "http.request.method": "POST",
        "url.template": "/v1/customers/bulk",
        "http.response.status_code": 201,
        "kustomer.units": 1,
        "kustomer.request.rows": 100,
    }
    assert span.kind is SpanKind.CLIENT
    assert seconds(span) == pytest.approx(0.1, abs=0.01)


def test_a_request_that_is_tried_again_says_how_often_and_why(world: WatchedWorld, recorded: Recorded) -> None:
    world.sandbox.faults.set("too_many_requests", times=1)
    world.run(customers(), people(3))
    [failed] = recorded.failures()
    assert (attributes(failed)["error.type"], attributes(failed)["http.response.status_code"]) == ("429", 429)
    [again] = [span for span in recorded.spans if "http.request.resend_count" in attributes(span)]
    assert again.name == failed.name
    assert attributes(again)["http.request.resend_count"] == 1
    assert attributes(again)["kustomer.retry.reason"] == "Kustomer answered 429"
    assert again.status.status_code is StatusCode.UNSET


def test_a_connection_that_breaks_is_an_error_by_its_kind(world: WatchedWorld, recorded: Recorded) -> None:
    world.sandbox.faults.set("drop_after", times=1)
    world.run(customers(), people(3))
    [broken] = [attributes(span) for span in recorded.failures()]
    assert broken["error.type"] == "broken_off"
    assert "http.response.status_code" not in broken


def test_that_nobody_has_an_identifier_is_no_failure(world: WatchedWorld, recorded: Recorded) -> None:
    world.sandbox.faults.set("search_forbidden")
    world.run(customers(mode="update"), people(1))
    [span] = recorded.named("GET /v1/customers/email={email}")
    assert attributes(span)["http.response.status_code"] == 404
    assert span.status.status_code is StatusCode.UNSET


def test_a_bulk_job_is_a_span_from_its_submission_to_its_answer(world: WatchedWorld, recorded: Recorded) -> None:
    world.run(customers(), people(120))
    spans = recorded.named("bulk create customers")
    assert [attributes(span) for span in spans] == [
        {
            "kustomer.object": "customers",
            "kustomer.operation": "create",
            "kustomer.job.items": items,
            "kustomer.job.created": items,
            "kustomer.job.complete": True,
        }
        for items in (100, 20)
    ]
    assert all(2 <= seconds(span) < 4 for span in spans)


def test_a_plan_is_a_span_of_its_own_kind(world: WatchedWorld, recorded: Recorded) -> None:
    world.plan(customers(), people(3))
    [span] = recorded.named("plan customers")
    assert attributes(span)["kustomer.work"] == "plan"
    assert attributes(span)["kustomer.rows.create"] == 3
    assert "kustomer.rows" not in recorded.metrics()


def test_a_run_that_cannot_begin_is_an_error_by_its_type(world: WatchedWorld, recorded: Recorded) -> None:
    world.api_key = "not-a-key"
    with pytest.raises(KustomerError):
        world.run(customers(), people(1))
    [span] = recorded.named("sync customers")
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "AuthenticationError"


def test_a_run_that_is_stopped_half_way_is_one_too(world: WatchedWorld, recorded: Recorded) -> None:
    world.sandbox.faults.set("gateway_error_before", path="/v1/customers/search")
    report = world.run(customers(mode="update"), people(30))
    assert report.interrupted is not None
    [span] = recorded.named("sync customers")
    assert attributes(span)["error.type"] == type(report.interrupted).__name__
    assert attributes(span)["kustomer.rows.deferred"] == report.counts.deferred > 0


# --- metrics ----------------------------------------------------------------------------------------------------


def of(metric: Any, **wanted: Any) -> Any:
    """The value of the one point with these attributes, named by their last word."""
    found = [
        value
        for labels, value in metric.items()
        if {name.rpartition(".")[2]: said for name, said in labels}.items() >= wanted.items()
    ]
    assert len(found) == 1, found
    return found[0]


def test_requests_are_counted_by_method_template_and_status(world: WatchedWorld, recorded: Recorded) -> None:
    report = world.run(customers(), people(250))
    counted = recorded.metrics()["kustomer.requests"]
    assert sum(counted.values()) == report.requests
    assert of(counted, method="POST", template="/v1/customers/bulk", status_code=201, id=report.org_id) == 3
    assert of(counted, method="GET", template="/v1/auth/tokens/current", status_code=200) == 1


def test_requests_without_an_answer_are_counted_by_what_broke_them(world: WatchedWorld, recorded: Recorded) -> None:
    world.sandbox.faults.set("drop_before", times=2, method="GET")
    world.run(customers(), people(3))
    broken = {key: value for key, value in recorded.metrics()["kustomer.requests"].items() if "broken_off" in str(key)}
    assert of(broken, method="GET", template="/v1/auth/tokens/current", type="broken_off") == 2


def test_the_time_of_requests_and_jobs_is_measured_in_seconds(world: WatchedWorld, recorded: Recorded) -> None:
    report = world.run(customers(), people(250))
    durations = recorded.metrics()["http.client.request.duration"]
    assert sum(count for count, _ in durations.values()) == report.requests
    count, total = of(durations, template="/v1/customers/bulk", method="POST")
    assert (count, total) == (3, pytest.approx(0.3, abs=0.03))
    jobs = recorded.metrics()["kustomer.job.duration"]
    count, total = of(jobs, object="customers", operation="create", sync="customers", id=report.org_id)
    assert (count, 6 <= total < 12) == (3, True)


def test_a_job_that_nobody_waits_for_is_no_duration_of_a_job(world: WatchedWorld, recorded: Recorded) -> None:
    world.jobs_take(3600)
    world.run(customers(), people(3))
    [span] = recorded.named("bulk create customers")
    assert attributes(span)["kustomer.job.complete"] is False
    assert "kustomer.job.duration" not in recorded.metrics()


def test_what_is_left_of_the_budget_is_a_gauge_of_the_org(world: WatchedWorld, recorded: Recorded) -> None:
    report = world.run(customers(), people(3))
    metrics = recorded.metrics()
    assert metrics["kustomer.budget.remaining"] == {frozenset({("kustomer.org.id", report.org_id)}): report.budget_left}
    assert of(metrics["kustomer.budget.limit"], id=report.org_id) == 1000


def test_rows_are_counted_by_outcome_and_sync_over_all_runs(world: WatchedWorld, recorded: Recorded) -> None:
    world.run(customers(), people(30))
    world.run(customers(), people(31, plan="free"))
    world.run(audience(), members(10))
    world.run(audience(), members(8))
    counted = recorded.metrics()["kustomer.rows"]
    assert of(counted, sync="customers", outcome="created") == 31
    assert of(counted, sync="customers", outcome="unchanged") == 30
    assert of(counted, sync="vip", outcome="updated") == 10
    assert of(counted, sync="vip", outcome="removed") == 2


# --- not there --------------------------------------------------------------------------------------------------

_WITHOUT = """
import sys
sys.modules["opentelemetry"] = None  # as if it was not installed
from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.telemetry import Observers, RequestLog, Signals, OtelSetupError, is_used_here, set_up
from pathlib import Path

observer = Observers([RequestLog(Path(sys.argv[1]))])
KustomerClient(base_url="http://127.0.0.1:1", api_key="key", observer=observer).close()
assert not is_used_here()
try:
    set_up(Signals())
except OtelSetupError as error:
    print(error)
"""


def test_without_the_extra_nothing_is_imported_and_to_set_it_up_names_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WITHOUT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert (done.stdout, done.stderr) == (
        "OpenTelemetry is not installed: pip install 'kustomer-pipeline[otel]'\n",
        "",
    )
