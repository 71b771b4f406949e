"""A run in a process of its own, so that it can be killed. Imported by the process that runs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from kustomer_pipeline.kustomer import KustomerClient
from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, RunOptions, StateStore, run_sync
from kustomer_pipeline_tests.world import frame_of


class HastyClock:
    """Real time, in which nobody sleeps longer than a fiftieth of a second."""

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not for long."""
        await asyncio.sleep(min(seconds, 0.02))

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """asyncio's own."""
        return asyncio.new_event_loop()


def run(
    spec: ObjectSpec | AudienceSpec, rows: Sequence[Mapping[str, Any]], url: str, api_key: str, state_url: str
) -> Any:
    """One run against the sandbox at `url`."""
    with (
        KustomerClient(base_url=url, api_key=api_key, clock=HastyClock()) as client,
        StateStore.open(state_url) as state,
    ):
        mapped = spec.map(frame_of(spec, rows))
        return run_sync(spec, mapped, client=client, state=state, options=RunOptions("run"))
