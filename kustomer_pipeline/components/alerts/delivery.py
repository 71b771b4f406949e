"""A message to a channel, by apprise: the one module that knows it.

The URL of a channel is a secret, and apprise writes it to its log; so nothing of that log is let through, but for the
HTTP status of a service that did not take the message.
"""

import importlib
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kustomer_pipeline.resources import AlertUrlError, alert_url

from .messages import Message

Deliver = Callable[[Message], None]

_STATUS = re.compile(r"\berror[=:]\s*(\d{3})\b")


class DeliveryError(Exception):
    """A message that a channel has not taken. Names the variable and what to do; never the URL."""


def deliver(message: Message) -> None:
    """Send one message. Raises DeliveryError."""
    try:
        apprise: Any = importlib.import_module("apprise")
    except ImportError:
        raise DeliveryError("Alerts need the package apprise: pip install 'kustomer-pipeline[alerts]'") from None
    try:
        url = alert_url(message.channel)
    except AlertUrlError as error:
        raise DeliveryError(str(error)) from None
    with _silenced() as statuses:
        channel = apprise.Apprise()
        if not _works(lambda: channel.add(url)):
            raise DeliveryError(
                f"{message.channel} does not hold an apprise URL that can be used: it begins with the name of the "
                "service, such as slack://, msteams://, pagerduty://, mailto:// or jsons://"
            )
        kind = apprise.NotifyType(message.kind)
        if not _works(lambda: channel.notify(title=message.title, body=message.body, notify_type=kind)):
            why = f" (HTTP status {statuses[-1]})" if statuses else ""
            raise DeliveryError(
                f"The service behind {message.channel} did not take a message{why}: is the URL in that variable still "
                "right, and can this machine reach the service?"
            )


def _works(action: Callable[[], Any]) -> bool:
    try:
        return bool(action())
    except Exception:  # Whatever a plug-in of apprise raises may quote the URL.
        return False


@contextmanager
def _silenced() -> Iterator[list[str]]:
    """Apprise without its log and warnings; gives the HTTP statuses that it complains of."""
    statuses: list[str] = []

    class Statuses(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            statuses.extend(_STATUS.findall(record.getMessage()))

    loggers = [logging.getLogger(name) for name in ("apprise", "urllib3", "requests")]
    before = [(logger.propagate, logger.handlers[:], logger.level) for logger in loggers]
    for logger in loggers:
        logger.propagate, logger.handlers = False, [logging.NullHandler()]
        logger.setLevel(logging.WARNING)
    loggers[0].addHandler(Statuses())
    try:
        with warnings.catch_warnings():
            # It loads all of its plug-ins, and some of them use what Python is about to drop.
            warnings.simplefilter("ignore")
            yield statuses
    finally:
        for logger, (propagate, handlers, level) in zip(loggers, before, strict=True):
            logger.propagate, logger.handlers = propagate, handlers
            logger.setLevel(level)
