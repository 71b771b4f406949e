"""What the environment says of the request log and of OpenTelemetry."""

from __future__ import annotations

from pathlib import Path

import pytest

from kustomer_pipeline import resources
from kustomer_pipeline.kustomer import ConfigurationError
from kustomer_pipeline.telemetry import Observers, OtelSetupError, Signals

KEY = "kustomer-test-key-5f2c"


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[Signals]:
    """With which signals it was set up."""
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        monkeypatch.delenv(name, raising=False)
    found: list[Signals] = []
    monkeypatch.setattr(resources, "set_up", found.append)
    return found


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, Signals(True, True, "http/protobuf")),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "none"}, Signals(True, False)),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, Signals(protocol="grpc")),
    ],
)
def test_with_1_it_is_set_up_as_opentelemetrys_variables_say(
    variables: dict[str, str], expected: Signals, signals: list[Signals], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"KUSTOMER_OTEL": "1", **variables}.items():
        monkeypatch.setenv(name, value)
    assert isinstance(resources.observer_from_environment(), Observers)
    assert signals == [expected]


@pytest.mark.parametrize("value", ["", "0"])
def test_without_it_nothing_is_set_up(value: str, signals: list[Signals], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_OTEL", value)
    monkeypatch.setattr(resources, "is_used_here", lambda: False)
    assert resources.observer_from_environment() is None
    assert signals == []


def test_a_process_that_uses_opentelemetry_gets_spans_unless_they_are_switched_off(
    signals: list[Signals], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "is_used_here", lambda: True)
    monkeypatch.delenv("KUSTOMER_OTEL", raising=False)
    assert resources.observer_from_environment() is not None
    monkeypatch.setenv("KUSTOMER_OTEL", "0")
    assert resources.observer_from_environment() is None
    assert signals == []


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("KUSTOMER_OTEL", "yes", "KUSTOMER_OTEL is 'yes'; set it to 1"),
        ("OTEL_TRACES_EXPORTER", "console", "OTEL_TRACES_EXPORTER is 'console'; with KUSTOMER_OTEL=1 it may be otlp"),
        ("OTEL_METRICS_EXPORTER", "prometheus", "OTEL_METRICS_EXPORTER is 'prometheus'"),
    ],
)
def test_a_value_that_is_not_understood_names_its_variable(
    variable: str, value: str, said: str, signals: list[Signals], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_OTEL", "1")
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=said):
        resources.observer_from_environment()


def test_what_cannot_be_set_up_names_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(signals: Signals) -> None:
        raise OtelSetupError(f"protocol is {signals.protocol!r}; use grpc")

    monkeypatch.setattr(resources, "set_up", fails)
    monkeypatch.setenv("KUSTOMER_OTEL", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier")
    with pytest.raises(ConfigurationError, match=r"KUSTOMER_OTEL is 1.* OTEL_EXPORTER_OTLP_PROTOCOL is 'carrier'"):
        resources.observer_from_environment()


def test_the_request_log_is_switched_on_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "is_used_here", lambda: False)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    for off in ("", "0"):
        monkeypatch.setenv("KUSTOMER_REQUEST_LOG", off)
        assert resources.request_log_folder() is None
        assert resources.observer_from_environment() is None
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", "1")
    assert resources.request_log_folder() == tmp_path / "kustomer_requests"
    assert resources.observer_from_environment() is not None
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", "/var/log/kustomer")
    assert resources.request_log_folder() == Path("/var/log/kustomer")


def test_a_request_log_without_a_place_or_with_odd_days_names_its_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", "1")
    with pytest.raises(ConfigurationError, match=r"set DAGSTER_HOME .* or KUSTOMER_REQUEST_LOG"):
        resources.KustomerResource(api_key=KEY, org="acme").client()
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", "true")
    with pytest.raises(ConfigurationError, match="KUSTOMER_REQUEST_LOG is 'true'; set it to 1"):
        resources.observer_from_environment()
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", str(tmp_path))
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG_DAYS", "a week")
    with pytest.raises(ConfigurationError, match="KUSTOMER_REQUEST_LOG_DAYS is 'a week'"):
        resources.observer_from_environment()


def test_the_client_of_the_resource_is_observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG_DAYS", "3")
    with resources.KustomerResource(api_key=KEY, base_url="http://127.0.0.1:9").client() as client:
        assert client._observing is not None
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", "")
    monkeypatch.setattr(resources, "is_used_here", lambda: False)
    with resources.KustomerResource(api_key=KEY, base_url="http://127.0.0.1:9").client() as client:
        assert client._observing is None
