"""The org's budget is shared: a reserve is kept, and the client slows down before it is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import httpx
import pytest

from kustomer_pipeline.kustomer.budget import Budget, SearchBudget
from kustomer_pipeline.kustomer.governor import Governor, Leave, governor_for
from kustomer_pipeline_tests.kustomer.kustomers import Blocking, client_of, ok
from kustomer_pipeline_tests.simulated import SimulatedClock

Spending = Callable[[], Coroutine[None, None, None]]
LATENCY = 0.1


class LimitedOrg:
    """A fixed window of 60 s, as Kustomer's; answers 404 to everything, and `others` spend a little, too."""

    def __init__(self, clock: SimulatedClock, limit: int, others: int = 0, reset: bool = False) -> None:
        self.clock, self.limit, self.others, self.reset = clock, limit, others, reset
        self.window, self.left, self.lowest, self.refused = -1, limit, limit, 0
        self.in_flight, self.most_in_flight = 0, 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(LATENCY / 2)
        response = self.answer()
        await asyncio.sleep(LATENCY / 2)
        self.in_flight -= 1
        return response

    def answer(self) -> httpx.Response:
        self.settle()
        if self.left <= 0:
            self.refused += 1
            return httpx.Response(429, headers={"x-ratelimit-limit": str(self.limit), "x-ratelimit-remaining": "0"})
        self.spend(1 + self.others)
        headers = {"x-ratelimit-limit": str(self.limit), "x-ratelimit-remaining": str(self.left)}
        if self.reset:
            headers["x-ratelimit-reset"] = str((self.window + 1) * 60)
        return httpx.Response(404, headers=headers)

    def settle(self) -> None:
        window = int(self.clock.time() // 60)
        if window != self.window:
            self.window, self.left = window, self.limit

    def spend(self, units: int) -> None:
        self.settle()
        self.left = max(0, self.left - units)
        self.lowest = min(self.lowest, self.left)


async def look_up_many(client: Blocking, count: int) -> float:
    """Seconds that it took, all at once."""
    began = client.clock.monotonic()
    await asyncio.gather(*[client.client.look_up("customers", "externalId", str(n)) for n in range(count)])
    return float(client.clock.monotonic() - began)


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("reserve", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("at_once", [True, False])
def test_the_reserve_is_never_touched_and_no_429_is_provoked(
    at_once: bool, reserve: float, others: int, reset: bool
) -> None:
    clock = SimulatedClock(1_800_000_017)
    org = LimitedOrg(clock, 50, others, reset)
    with client_of(org, clock=clock, rate_reserve=reserve) as client:
        if at_once:
            client.run(look_up_many(client, 200))
        else:
            for number in range(200):
                client.look_up("customers", "externalId", str(number))
        assert client.usage.requests == 200
        assert client.usage.limit == 50
    assert org.refused == 0
    assert org.lowest >= 50 * reserve - others
    assert max(clock.slept) <= 60


def test_the_whole_budget_but_the_reserve_is_used_in_every_window() -> None:
    clock = SimulatedClock(1_800_000_000)
    org = LimitedOrg(clock, 1000)
    with client_of(org, clock=clock) as client:
        seconds = client.run(look_up_many(client, 1650))
    assert 1650 / seconds * 60 > 780
    assert (org.refused, org.most_in_flight) == (0, 32)
    assert org.lowest >= 200


def test_a_short_run_is_not_slowed_down() -> None:
    clock = SimulatedClock(1_800_000_000)
    with client_of(LimitedOrg(clock, 1000), clock=clock) as client:
        assert client.run(look_up_many(client, 120)) < 1.0


def every(seconds: float, org: LimitedOrg) -> Spending:
    async def spending() -> None:
        await asyncio.sleep(15)
        while True:
            org.spend(1)
            await asyncio.sleep(seconds)

    return spending


def all_at_once(org: LimitedOrg) -> Spending:
    async def spending() -> None:
        await asyncio.sleep(15)
        org.spend(500)

    return spending


@pytest.mark.parametrize("suddenly", [True, False])
def test_others_may_take_half_of_the_budget_and_the_reserve_is_hardly_touched(suddenly: bool) -> None:
    clock = SimulatedClock(1_800_000_000)
    org = LimitedOrg(clock, 1000)
    others = all_at_once(org) if suddenly else every(60 / 500, org)

    async def both() -> None:
        task = asyncio.ensure_future(others())
        await look_up_many(client, 1200)
        task.cancel()

    with client_of(org, clock=clock) as client:
        client.run(both())
    assert org.refused == 0
    assert org.lowest >= 190


def test_what_is_left_beyond_a_burst_is_spread_down_to_the_reserve_at_the_windows_end() -> None:
    budget = Budget()
    budget.observe(0, number=1, newest=1, limit=1000, remaining=1000, reset_in=60)
    assert budget.delay(0, under_way=100, reserve_share=0.2) == 0
    assert budget.delay(0, under_way=200, reserve_share=0.2) == pytest.approx(60 * 75 / 675)
    budget.observe(30, number=9, newest=9, limit=1000, remaining=500)
    assert budget.delay(30, under_way=0, reserve_share=0.2) == pytest.approx(30 - 60 * 300 / 675)
    budget.observe(31, number=10, newest=10, limit=1000, remaining=201)
    assert budget.delay(31, under_way=1, reserve_share=0.2) == pytest.approx(29)
    assert budget.delay(60, under_way=1, reserve_share=0.2) == 0


def test_an_older_answer_never_raises_what_is_left() -> None:
    budget = Budget()
    budget.observe(0, number=1, newest=3, limit=100, remaining=99)
    budget.observe(1, number=3, newest=3, limit=100, remaining=97)
    budget.observe(2, number=2, newest=3, limit=100, remaining=98)
    assert budget.remaining == 97


def test_more_that_is_left_said_to_a_later_request_is_a_new_window() -> None:
    budget = Budget()
    budget.observe(0, number=1, newest=1, limit=100, remaining=50)
    budget.observe(20, number=2, newest=2, limit=100, remaining=99)
    budget.observe(30, number=3, newest=3, limit=100, remaining=20)
    assert budget.remaining == 20
    assert budget.rest_of_window(30) == pytest.approx(50)


def test_without_headers_nothing_is_known_and_nothing_waits() -> None:
    budget = Budget()
    budget.observe(0, number=1, newest=1, limit=None, remaining=None)
    assert (budget.delay(0, 5, 0.2), budget.limit, budget.remaining) == (0, None, None)
    budget.observe(0, number=1, newest=1, limit=-5, remaining=None)
    assert budget.limit is None


@pytest.mark.parametrize("headers", [{"x-ratelimit-limit": "many", "x-ratelimit-remaining": "inf"}, {}])
def test_headers_that_are_no_numbers_are_as_good_as_none(headers: dict[str, str]) -> None:
    clock = SimulatedClock()
    with client_of(lambda request: httpx.Response(404, headers=headers), clock=clock) as client:
        client.run(look_up_many(client, 200))
        assert (client.usage.limit, client.usage.remaining) == (None, None)
    assert clock.monotonic() < 0.1


def leave(governor: Governor, now: float) -> Leave:
    given = governor.ask(now, reserve_share=0.2)
    assert isinstance(given, Leave)
    return given


def told(remaining: int) -> dict[str, str]:
    return {"x-ratelimit-limit": "100", "x-ratelimit-remaining": str(remaining)}


def test_one_finds_out_what_a_new_window_holds_and_the_others_wait_for_it() -> None:
    governor = Governor()
    first = leave(governor, 0)
    assert isinstance(governor.ask(0, reserve_share=0.2), float)
    governor.answered(first, 0, 0, told(20))
    assert governor.ask(0, reserve_share=0.2) == pytest.approx(60)
    first = leave(governor, 60)
    assert isinstance(governor.ask(60, reserve_share=0.2), float)
    governor.answered(first, 60, 60, told(25))
    others = [governor.ask(60, reserve_share=0.2) for _ in range(10)]
    assert sum(isinstance(other, Leave) for other in others) == 5


def test_a_request_whose_answer_is_lost_counts_and_one_that_was_not_sent_does_not() -> None:
    governor = Governor()
    governor.answered(leave(governor, 0), 0, 0, told(90))
    governor.broken_off(leave(governor, 0))
    governor.not_sent(leave(governor, 0))
    assert governor.known == (100, 89)


@pytest.mark.parametrize("headers,closed", [({}, True), (told(0), True), (told(50), False)])
def test_after_a_429_nobody_tries_before_the_window_is_over_unless_another_limit_was_meant(
    headers: dict[str, str], closed: bool
) -> None:
    governor = Governor()
    governor.answered(leave(governor, 0), 0, 0, told(60))
    governor.answered(leave(governor, 1), 1, 1, headers)
    governor.refused(1, 30.0, headers, is_search=False)
    assert isinstance(governor.ask(2, reserve_share=0.2), float) is closed


def test_clients_of_one_key_share_a_governor_and_others_do_not() -> None:
    clock = SimulatedClock()
    governor = governor_for("https://a", "key", clock)
    assert governor_for("https://a", "key\n", clock) is governor
    assert governor_for("https://b", "key", clock) is not governor
    assert governor_for("https://a", "other", clock) is not governor
    assert governor_for("https://a", "key", SimulatedClock()) is not governor


def test_what_one_client_learns_of_the_budget_holds_back_the_other() -> None:
    clock = SimulatedClock(1_800_000_000)
    org = LimitedOrg(clock, 50)
    with client_of(org, clock=clock) as first, client_of(org, clock=clock) as second:
        first.run(look_up_many(first, 30))
        assert second.usage.remaining == org.left
        second.run(look_up_many(second, 30))
    assert (org.refused, org.lowest) == (0, 10)


def test_searches_keep_below_their_own_limit_in_any_minute() -> None:
    searches, sent, now = SearchBudget(), list[float](), 0.0
    for _ in range(300):
        now += searches.delay(now, 0.2) + 0.1
        searches.sent(now)
        sent.append(now)
    assert max(sum(1 for t in sent if start <= t < start + 60) for start in sent) <= 80


def test_the_client_waits_for_the_search_limit_though_the_orgs_budget_is_full() -> None:
    clock = SimulatedClock()
    with client_of(lambda request: ok([]), clock=clock) as client:
        for number in range(81):
            client.search("customers", "externalId", [str(number)])
        assert clock.monotonic() == pytest.approx(60)
        assert client.usage.searches == 81


def test_searches_that_wait_do_not_keep_others_from_going() -> None:
    clock = SimulatedClock()
    done: list[str] = []

    async def both() -> None:
        async def searches() -> None:
            await asyncio.gather(*[client.client.search("customers", "phone", [str(n)]) for n in range(200)])
            done.append("searches")

        async def others() -> None:
            await asyncio.sleep(1)
            await look_up_many(client, 50)
            done.append("look-ups")

        await asyncio.gather(searches(), others())

    with client_of(lambda request: ok([]), clock=clock) as client:
        client.run(both())
    assert done == ["look-ups", "searches"]
    assert clock.monotonic() >= 120


def test_headers_of_the_search_limit_are_not_taken_for_the_orgs() -> None:
    def app(request: httpx.Request) -> httpx.Response:
        limit, left = ("100", "3") if "search" in request.url.path else ("1000", "900")
        return httpx.Response(
            200, json={"data": []}, headers={"x-ratelimit-limit": limit, "x-ratelimit-remaining": left}
        )

    clock = SimulatedClock()
    with client_of(app, clock=clock) as client:
        client.look_up("customers", "externalId", "1")
        client.search("customers", "externalId", ["1"])
        client.look_up("customers", "externalId", "1")
        assert (client.usage.limit, client.usage.remaining) == (1000, 900)
    assert clock.slept == []
