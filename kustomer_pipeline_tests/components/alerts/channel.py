"""A channel that remembers what it was told, and ticks of the sensor at times of the test's."""

import time
from collections.abc import Sequence

import dagster as dg

from kustomer_pipeline.components.alerts.delivery import DeliveryError
from kustomer_pipeline.components.alerts.messages import Message
from kustomer_pipeline.components.alerts.ticking import Tick, tick
from kustomer_pipeline.components.alerts.watched import Watched, watched
from kustomer_pipeline.components.sync_config import Alert, SyncConfig


class Channels:
    """`tick`, and see what arrived. The channels in `broken` take nothing."""

    def __init__(self, instance: dg.DagsterInstance, *syncs: SyncConfig, alerts: Sequence[Alert] = ()) -> None:
        self.instance = instance
        self.syncs: list[Watched] = watched(syncs, alerts or [Alert(to=["SLACK"])])
        self.cursor: str | None = None
        self.broken: set[str] = set()
        self.arrived: list[Message] = []
        self.tried: list[Message] = []
        self.later = 0.0

    def deliver(self, message: Message) -> None:
        self.tried.append(message)
        if message.channel in self.broken:
            raise DeliveryError(f"{message.channel} is broken")
        self.arrived.append(message)

    def tick(self, after: float = 60.0) -> list[Message]:
        """One tick, so many seconds after the last one: what arrived."""
        self.last(after)
        arrived, self.arrived = self.arrived, []
        return arrived

    def last(self, after: float = 60.0) -> Tick:
        """One tick as the sensor sees it."""
        self.later += after
        result = tick(
            self.instance,
            self.syncs,
            self.cursor,
            now=time.time() + self.later,
            deliver=self.deliver,
            dagster_url="https://dagster.example",
        )
        self.cursor = result.cursor
        return result


def titles(messages: Sequence[Message]) -> list[str]:
    return [message.title for message in messages]
