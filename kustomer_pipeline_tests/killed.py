"""A run in a process of its own, so that it can be killed. Imported by the process that runs it."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Mapping, Sequence
from typing import Any

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, RunOptions, StateStore, run_sync
from kustomer_pipeline_tests.world import mapped_rows


class HastyClock:
    """Ten seconds pass in each real one, for whoever waits; the time of day is the real one, the same for everybody."""

    HASTE = 10.0

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment, ten to a real one."""
        return time.monotonic() * self.HASTE

    async def sleep(self, seconds: float) -> None:
        """Wait on a loop of this clock."""
        await asyncio.sleep(seconds)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """An event loop that lives in this clock's time."""
        return _HastyLoop(self)


class _HastyLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: HastyClock) -> None:
        self._clock = clock
        super().__init__(_HastySelector())

    def time(self) -> float:
        """The clock's."""
        return self._clock.monotonic()


class _HastySelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for sockets, a tenth of the time."""
        return super().select(timeout / HastyClock.HASTE if timeout else timeout)


def run(
    spec: ObjectSpec | AudienceSpec, rows: Sequence[Mapping[str, Any]], url: str, api_key: str, state_url: str
) -> Any:
    """One run against the sandbox at `url`."""
    with (
        KustomerClient(base_url=url, api_key=api_key, clock=HastyClock()) as client,
        StateStore.open(state_url) as state,
    ):
        mapped, rest = mapped_rows(spec, rows, client, state, state_url)
        return run_sync(spec, mapped, client=client, state=state, options=RunOptions("run"), rest=rest)
