"""The simulated clock and its ways to a sandbox: no real second passes, and everything comes out the same each time."""

from __future__ import annotations

import asyncio
import time

import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.simulated import InProcess, SimulatedClock, Wired


def in_process(sandbox: Sandbox, clock: SimulatedClock, latency: float = 0.0, **settings: float) -> k.KustomerClient:
    return k.KustomerClient(
        base_url=sandbox.url,
        api_key=sandbox.api_key,
        clock=clock,
        transport=InProcess(sandbox.app, clock, latency),
        **settings,  # type: ignore[arg-type]  # a mix of floats and whole numbers
    )


def test_an_hour_passes_at_once_and_in_order() -> None:
    clock, order = SimulatedClock(), list[tuple[str, float]]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        order.append((name, clock.monotonic()))

    async def both() -> None:
        await asyncio.gather(sleeper("late", 3600), sleeper("early", 0.001))

    loop, began = clock.new_loop(), time.monotonic()
    loop.run_until_complete(both())
    loop.close()
    assert [name for name, _ in order] == ["early", "late"]
    assert [at for _, at in order] == [pytest.approx(0.001, abs=1e-6), pytest.approx(3600)]
    assert clock.time() == pytest.approx(clock.epoch + 3600)
    assert time.monotonic() - began < 1


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        SimulatedClock().advance(-1)


def test_an_answer_in_process_takes_the_latency_and_the_sandbox_has_the_same_time() -> None:
    clock = SimulatedClock()
    sandbox = Sandbox(serve=False, clock=clock.time)
    with in_process(sandbox, clock, latency=0.25) as client:
        client.run(client.token())
    assert clock.monotonic() == pytest.approx(0.25)
    assert sandbox.requests[0].at == pytest.approx(clock.epoch + 0.125)


def test_a_dropped_connection_and_a_time_out_are_those_of_a_real_one() -> None:
    clock = SimulatedClock()
    sandbox = Sandbox(serve=False, clock=clock.time)
    item = [{"_clientRef": "1", "name": "Jane"}]
    with in_process(sandbox, clock, timeout=30.0) as client:
        sandbox.faults.set("drop_after", times=1)
        with pytest.raises(k.AmbiguousWriteError, match="broke off"):
            client.run(client.submit_bulk("customers", "create", item))
        sandbox.faults.set("timeout_after", 60.0, times=1)
        with pytest.raises(k.AmbiguousWriteError, match="no answer in time"):
            client.run(client.submit_bulk("customers", "create", item))
        assert clock.monotonic() == pytest.approx(30.0)
        assert len(sandbox.state.jobs.jobs) == 2
        sandbox.faults.set("timeout_before", 10.0, times=1)
        with pytest.raises(k.AmbiguousWriteError, match="504"):
            client.run(client.submit_bulk("customers", "create", item))
        assert clock.monotonic() == pytest.approx(40.0)


def test_two_runs_in_process_are_the_same_to_the_microsecond() -> None:
    def run() -> list[float]:
        clock = SimulatedClock()
        sandbox = Sandbox(serve=False, clock=clock.time)

        async def many() -> None:
            await asyncio.gather(*[client.look_up("customers", "externalId", str(n)) for n in range(300)])

        with in_process(sandbox, clock, latency=0.1) as client:
            client.run(many())
        return [record.at for record in sandbox.requests]

    assert run() == run()


def test_over_real_sockets_time_stands_still_while_an_answer_is_awaited() -> None:
    clock = SimulatedClock()
    with (
        Sandbox(clock=clock.time) as sandbox,
        k.KustomerClient(base_url=sandbox.url, api_key=sandbox.api_key, clock=clock, transport=Wired(clock)) as client,
    ):

        async def meanwhile() -> None:
            await asyncio.gather(
                *[client.look_up("customers", "externalId", str(n)) for n in range(20)], clock.sleep(1.0)
            )

        client.run(meanwhile())
        assert max(record.at for record in sandbox.requests) < clock.epoch + 0.9
    assert clock.monotonic() == pytest.approx(1.0, abs=0.01)
