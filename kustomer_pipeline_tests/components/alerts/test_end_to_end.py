"""From a run to a webhook: the sensor as Dagster evaluates it, apprise, a real HTTP receiver; and nothing of a row."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from kustomer_pipeline import AudienceSync, KustomerProject, ObjectSync, build_definitions
from kustomer_pipeline.components.sync_config import Alert
from kustomer_pipeline.sandbox.fault_names import FAULTS
from kustomer_pipeline_tests.components.conftest import Project
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS, VIP, Pipeline, Row, people

from .receiver import Receiver

PROJECT = KustomerProject(alerts=[Alert(to=["ALERTS_HOOK"], severity="warn", refused_share=0.0)])
# In every column, in the key too.
POISON = "p0ison"
POISONED: list[Row] = [
    (f"{POISON}-1", f"{POISON}@private.example", f"{POISON} Jane", "020 7946 0001", POISON),
    (f"{POISON}-2", f"{POISON}@private.example", f"{POISON} Jim", f"nonsense {POISON}", POISON),
    (f"{POISON}-3", f"{POISON} is no address", f"{POISON} Joe", "020 7946 0003", POISON),
    (f"{POISON}-4", f"{POISON}4@private.example", f"{POISON}" * 100, "020 7946 0004", POISON),
]


class Sensor:
    """The sensor as the daemon evaluates it, with the cursor that the last tick left."""

    def __init__(self, pipeline: Pipeline, *syncs: ObjectSync | AudienceSync) -> None:
        self.pipeline = pipeline
        self.definitions = build_definitions(syncs, PROJECT)
        self.cursor: str | None = None

    def tick(self) -> dg.SensorResult:
        repository = self.definitions.get_repository_def()
        sensor = repository.get_sensor_def("kustomer_alerts")
        with dg.build_sensor_context(
            instance=self.pipeline.instance, cursor=self.cursor, repository_def=repository
        ) as context:
            data = sensor.evaluate_tick(context)
        self.cursor = data.cursor
        return dg.SensorResult(skip_reason=data.skip_message, cursor=data.cursor)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        monkeypatch.setenv("ALERTS_HOOK", receiver.url)
        monkeypatch.setenv("KUSTOMER_DAGSTER_URL", "https://dagster.example/")
        yield receiver


def said(result: dg.SensorResult) -> str:
    assert result.skip_reason is not None
    return str(getattr(result.skip_reason, "skip_message", result.skip_reason))


def test_a_person_hears_of_a_failed_run_and_of_its_recovery(pipeline: Pipeline, receiver: Receiver) -> None:
    sensor = Sensor(pipeline, CUSTOMERS)
    pipeline.customers([*people(3), ("C-9", "jane9@private.example", "Jane", "nonsense", "pro")])
    run = pipeline.run("sync_customers", CUSTOMERS)
    assert said(sensor.tick()) == "1 messages sent"
    [message] = receiver.received
    assert message["type"] == "failure"
    assert message["title"].startswith("Kustomer sync customers: the run failed; ")
    assert "1 of 4 rows was refused (25.0%)" in message["message"]
    assert f"Run: https://dagster.example/runs/{run.run_id}" in message["message"]
    receiver.titles()
    assert said(sensor.tick()) == "nothing new to tell"
    pipeline.customers(people(4))
    pipeline.run("sync_customers", CUSTOMERS)
    sensor.tick()
    [title] = receiver.titles()
    assert title.startswith("Kustomer sync customers: runs succeed again; ")
    sensor.tick()
    assert receiver.titles() == []


def test_a_channel_that_is_down_fails_the_tick_and_hears_it_later(
    pipeline: Pipeline, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor(pipeline, CUSTOMERS)
    pipeline.customers([("C-9", "jane9@private.example", "Jane", "nonsense", "pro")])
    pipeline.run("sync_customers", CUSTOMERS)
    receiver.status = 500
    assert "ALERTS_HOOK did not take a message (HTTP status 500)" in said(sensor.tick())
    with pytest.raises(Exception) as failed:  # noqa: PT011  # Dagster's own, around ours
        sensor.tick()
    assert "HTTP status 500" in chain(failed.value)
    assert "s3cret" not in chain(failed.value)
    monkeypatch.setenv("ALERTS_HOOK", " ")
    with pytest.raises(Exception) as failed:  # noqa: PT011
        sensor.tick()
    assert "ALERTS_HOOK is not set" in chain(failed.value)
    receiver.status = 200
    monkeypatch.setenv("ALERTS_HOOK", receiver.url)
    sensor.tick()
    assert len(receiver.titles()) == 1


def test_the_job_tries_every_channel_and_says_which_failed(
    pipeline: Pipeline, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALERTS_PAGER", raising=False)
    syncs = [CUSTOMERS, ObjectSync.model_validate(changed(CUSTOMERS, alerts=[{"to": "ALERTS_PAGER"}]))]
    definitions = build_definitions(syncs, PROJECT)
    result = definitions.resolve_job_def("test_alerts").execute_in_process(
        instance=pipeline.instance, raise_on_error=False
    )
    assert not result.success
    assert receiver.titles() == ["kustomer_pipeline: a trial"]
    data = result.failure_data_for_node("try_channels")
    assert data is not None
    assert data.user_failure_data is not None
    said_of_it = str(data.user_failure_data.description)
    assert "1 of 2 channels did not take the message.\n\nALERTS_PAGER is not set" in said_of_it
    assert "s3cret" not in pipeline.event_log()
    monkeypatch.setenv("ALERTS_PAGER", receiver.url)
    job = definitions.resolve_job_def("test_alerts")
    assert job.execute_in_process(instance=pipeline.instance).success


GROUPS = sorted({kind.group for kind in FAULTS.values()})
VALUES: dict[str, Any] = {"timeout_before": 0.01, "timeout_after": 0.01, "masked": "phones,name"}


@pytest.mark.parametrize("group", [None, *GROUPS])
def test_nothing_of_a_row_and_no_key_is_in_any_message(
    pipeline: Pipeline, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, group: str | None
) -> None:
    """Not even when somebody has asked for values in the UI: who reads a channel may not be who may open it."""
    monkeypatch.setenv("KUSTOMER_SHOW_VALUES", "1")
    sensor = Sensor(pipeline, CUSTOMERS, VIP)
    pipeline.sandbox.seed_customer(externalId=f"{POISON}-1", emails=[{"email": f"{POISON}9@private.example"}])
    for kind in FAULTS.values():
        if kind.group == group:
            pipeline.sandbox.faults.set(kind.name, VALUES.get(kind.name), probability=0.3)
    pipeline.customers([*people(2), *POISONED])
    pipeline.vips([f"{POISON}@private.example", "jane1@private.example", f"{POISON} nonsense"])
    pipeline.run("sync_customers", CUSTOMERS)
    pipeline.run("sync_vip", VIP)
    sensor.tick()
    pipeline.vips([])
    pipeline.run("sync_vip", VIP)
    sensor.tick()
    assert receiver.received != []
    for message in receiver.received:
        text = str(message).lower()
        for secret in (POISON, "private", "jane", "7946", pipeline.sandbox.api_key.lower(), "s3cret"):
            assert secret not in text, message


def test_an_error_that_quotes_a_row_is_told_by_its_kind_only(
    pipeline: Pipeline, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_sync(*_: object, **__: object) -> None:
        raise ValueError(f"could not convert {POISON}")

    monkeypatch.setenv("KUSTOMER_SHOW_VALUES", "1")
    monkeypatch.setattr("kustomer_pipeline.components.running.run_sync", run_sync)
    pipeline.customers(people(1))
    assert POISON in pipeline.run("sync_customers", CUSTOMERS).failure("kustomer__customers")
    Sensor(pipeline, CUSTOMERS).tick()
    [message] = receiver.received
    assert "An error that nobody expected: ValueError. Its run says where." in message["message"]
    assert POISON not in str(message)


def changed(sync: ObjectSync, **changes: Any) -> dict[str, Any]:
    return sync.model_dump(exclude_unset=True) | {"name": "others"} | changes


def chain(error: BaseException | None) -> str:
    """What an error and those behind it say."""
    texts = []
    while error is not None:
        texts.append(str(getattr(error, "description", "") or error))
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def test_a_sync_that_does_not_load_is_told_at_once_and_when_it_loads_again(
    pipeline: Pipeline, receiver: Receiver, project: Project
) -> None:
    project.write(
        "kustomer/defs.yaml", "type: kustomer_pipeline.KustomerProject\nattributes: {alerts: [{to: ALERTS_HOOK}]}\n"
    )
    good = "type: kustomer_pipeline.AudienceSync\nattributes:\n  tag: vip\n  query: select 1\n  match_on: [email]\n"
    good += "  fields: {email: email}\n"
    file = project.write("vip/defs.yaml", good.replace("tag: vip", f"tga: {POISON}"))
    sensor = Sensor(pipeline)
    sensor.definitions = project.load(strict=False)
    sensor.tick()
    [message] = receiver.received
    assert message["title"].startswith("Kustomer sync vip: it does not load")
    assert "vip/defs.yaml:" in message["message"]
    assert POISON not in str(message)
    receiver.titles()
    sensor.tick()
    assert receiver.titles() == []
    file.write_text(good, encoding="utf-8")
    sensor.definitions = project.load(strict=False)
    sensor.tick()
    [title] = receiver.titles()
    assert title.startswith("Kustomer sync vip: it loads again")
