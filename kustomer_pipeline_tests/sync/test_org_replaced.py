"""What is behind the address, or the key, becomes another org in the middle of a run: it is noticed at once."""

from typing import Any

import httpx
import pytest

from kustomer_pipeline.kustomer import OrgChangedError
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.world import World, customers, people


class Replaced(InProcess):
    """After so many requests another sandbox answers."""

    def __init__(self, world: World, other: Sandbox, after: int) -> None:
        super().__init__(world.sandbox.app, world.clock)
        self._other, self._left = other, after

    async def handle_async_request(self, request: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            self.app = self._other.app
        return await super().handle_async_request(request)


@pytest.mark.parametrize("known", [True, False], ids=["records that were there", "new records"])
@pytest.mark.parametrize("after", range(2, 9))
def test_a_run_ends_soon(world: World, after: int, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if known:
        world.run(customers(), people(300))
    other = Sandbox(clock=world.clock.time, serve=False, job_seconds=2.0)
    other.state.keys.update(world.sandbox.state.keys)
    with other:
        transport = Replaced(world, other, after)
        monkeypatch.setattr(world, "client", lambda *args, **settings: World.client(world, transport=transport))
        began = world.clock.monotonic()
        report = world.run(customers(), people(300, plan="pro"))
        if report.interrupted is None:
            assert not other.requests  # it was done before anything was replaced
            return
        assert isinstance(report.interrupted, OrgChangedError)
        assert len(other.requests) <= 20
        assert world.clock.monotonic() - began < 60


class Restarted(Replaced):
    """After so many requests nobody is there for a while, and then another sandbox."""

    def __init__(self, world: World, other: Sandbox, after: int, *, broken_off: bool) -> None:
        super().__init__(world, other, after)
        self._broken_off = broken_off

    async def handle_async_request(self, request: Any) -> Any:
        if -4 < self._left <= 0:
            self._left -= 1
            if self._broken_off:
                raise httpx.ReadError("connection reset", request=request)
            raise httpx.ConnectError("nobody is there", request=request)
        return await super().handle_async_request(request)


@pytest.mark.parametrize("broken_off", [False, True], ids=["no connection", "answers that do not come"])
@pytest.mark.parametrize("after", range(1, 9))
def test_after_an_outage_nothing_is_written_into_another_org(
    world: World, after: int, broken_off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write is only known to have gone to another org when it is done there: so the key is asked before it."""
    other = Sandbox(clock=world.clock.time, serve=False, job_seconds=2.0)
    other.state.keys.update(world.sandbox.state.keys)
    with other:
        transport = Restarted(world, other, after, broken_off=broken_off)
        monkeypatch.setattr(world, "client", lambda *args, **settings: World.client(world, transport=transport))
        report = world.run(customers(), people(1500))
        assert report.interrupted is not None
        assert other.requests
        assert {one.method for one in other.requests} == {"GET"}
        assert not other.customers


def test_after_an_outage_of_the_same_org_the_key_is_asked_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Restarted(world, world.sandbox, 4, broken_off=False)
    monkeypatch.setattr(world, "client", lambda *args, **settings: World.client(world, transport=transport))
    report = world.run(customers(), people(1500))
    assert report.interrupted is None
    assert len(world.sandbox.customers) == 1500
    asked = [one for one in world.sandbox.requests if one.path.endswith("/auth/tokens/current")]
    assert len(asked) <= 3
