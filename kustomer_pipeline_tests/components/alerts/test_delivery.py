"""Delivery: a real HTTP receiver, a service that refuses, and never a URL in what is said or logged."""

import logging
import socket
import sys
from collections.abc import Iterator

import pytest

from kustomer_pipeline.components.alerts.delivery import DeliveryError, deliver
from kustomer_pipeline.components.alerts.messages import Message

from .receiver import Receiver

MESSAGE = Message("ALERTS_TEST", "failure", "Kustomer sync customers: the run failed", "Two lines,\nfor a person.")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def refused(message: Message = MESSAGE) -> str:
    with pytest.raises(DeliveryError) as error:
        deliver(message)
    assert error.value.__cause__ is None
    return str(error.value)


def test_a_message_arrives_whole_with_its_kind(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_TEST", f"  {receiver.url}\n")
    deliver(MESSAGE)
    deliver(Message("ALERTS_TEST", "success", "well", "again"))
    first, second = receiver.received
    assert (first["title"], first["message"], first["type"]) == (MESSAGE.title, MESSAGE.body, "failure")
    assert second["type"] == "success"


@pytest.mark.parametrize("value", [None, "", "   "])
def test_a_variable_that_is_not_set_or_empty_is_named(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALERTS_TEST", raising=False)
    if value is not None:
        monkeypatch.setenv("ALERTS_TEST", value)
    assert refused().startswith("ALERTS_TEST is not set")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert "pip install 'kustomer-pipeline[alerts]'" in refused()


def test_a_service_that_refuses_is_told_with_its_status(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_TEST", receiver.url)
    receiver.status = 403
    assert "ALERTS_TEST did not take a message (HTTP status 403)" in refused()


@pytest.mark.parametrize(
    "url",
    [
        "json://s3cret:s3cret@127.0.0.1:9/s3cret",  # nobody listens
        "nonsense://s3cret",
        "s3cret",
        "slack://s3cret",
        "mailto://s3cret:s3cret",
        "pagerduty://s3cret@s3cret",
        "https://s3cret.example/s3cret?token=s3cret%",
    ],
)
def test_no_url_is_said_or_logged_whatever_is_wrong_with_it(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALERTS_TEST", url)
    monkeypatch.setattr("socket.getaddrinfo", only_this_machine)
    handler = logging.StreamHandler()
    logging.getLogger("apprise").addHandler(handler)
    try:
        with caplog.at_level(logging.DEBUG):
            said = refused()
        assert logging.getLogger("apprise").handlers[-1] is handler  # as somebody else has set it up
    finally:
        logging.getLogger("apprise").removeHandler(handler)
    out, err = capfd.readouterr()
    assert "ALERTS_TEST" in said
    for text in (said, caplog.text, out, err):
        assert "s3cret" not in text.lower()


def only_this_machine(host: str, *_: object, **__: object) -> list[object]:
    if host != "127.0.0.1":
        raise socket.gaierror(f"tests ask nobody: {host}")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))]
