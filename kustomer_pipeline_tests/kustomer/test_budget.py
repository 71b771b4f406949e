"""The org's budget is shared: a reserve is kept, and the client slows down before it is reached."""

from __future__ import annotations

import httpx
import pytest

from kustomer_pipeline.kustomer.budget import Budget, SearchBudget
from kustomer_pipeline_tests.kustomer.kustomers import FakeClock, client_of


class LimitedOrg:
    """A fixed window of 60 s, as Kustomer's; answers 404 to everything, and `others` spend a little, too."""

    def __init__(self, clock: FakeClock, limit: int, others: int = 0, reset: bool = False) -> None:
        self.clock, self.limit, self.others, self.reset = clock, limit, others, reset
        self.window, self.left, self.lowest, self.refused = -1, 0, limit, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        window = int(self.clock.time() // 60)
        if window != self.window:
            self.window, self.left = window, self.limit
        if self.left <= 0:
            self.refused += 1
            return httpx.Response(429)
        self.left -= 1 + self.others
        self.lowest = min(self.lowest, self.left)
        headers = {"x-ratelimit-limit": str(self.limit), "x-ratelimit-remaining": str(self.left)}
        if self.reset:
            headers["x-ratelimit-reset"] = str((window + 1) * 60)
        return httpx.Response(404, headers=headers)


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("reserve", [0.0, 0.2, 0.5])
def test_the_reserve_is_never_touched_and_no_429_is_provoked(reset: bool, others: int, reserve: float) -> None:
    clock = FakeClock(1_800_000_017)
    org = LimitedOrg(clock, 50, others, reset)
    with client_of(org, clock=clock, rate_reserve=reserve) as client:
        for number in range(200):
            client.look_up("customers", "externalId", str(number))
    assert org.refused == 0
    assert org.lowest >= 50 * reserve - others
    assert client.usage.limit == 50
    assert client.usage.remaining == org.left
    assert max(clock.sleeps) <= 60
    assert client.usage.requests == 200


def test_below_twice_the_reserve_the_rest_is_spread_over_the_window() -> None:
    budget = Budget(0.2)
    budget.sent(0)
    budget.observe(0, limit=100, remaining=99, reset_in=60)
    assert budget.delay(0) == 0
    budget.sent(10)
    budget.observe(10, limit=100, remaining=30)
    assert budget.delay(10) == pytest.approx(50 / 10)
    assert budget.delay(14) == pytest.approx(1 + 0.0 - 0.4)  # the window has less time left by now
    budget.observe(14, limit=100, remaining=20)
    assert budget.delay(14) == pytest.approx(46)
    assert budget.delay(60) == 0


def test_a_remaining_that_jumps_up_begins_a_new_window() -> None:
    budget = Budget(0.2)
    budget.observe(0, limit=100, remaining=50)
    budget.observe(20, limit=100, remaining=99)
    budget.observe(30, limit=100, remaining=20)
    assert budget.delay(30) == pytest.approx(50)


def test_without_headers_nothing_is_known_and_nothing_waits() -> None:
    budget = Budget(0.2)
    budget.sent(0)
    budget.observe(0, limit=None, remaining=None)
    assert (budget.delay(0), budget.limit, budget.remaining) == (0, None, None)
    budget.observe(0, limit=-5, remaining=None)
    assert budget.limit is None


@pytest.mark.parametrize("headers", [{"x-ratelimit-limit": "many", "x-ratelimit-remaining": "inf"}, {}])
def test_headers_that_are_no_numbers_are_as_good_as_none(headers: dict[str, str]) -> None:
    with client_of(lambda request: httpx.Response(404, headers=headers)) as client:
        client.look_up("customers", "externalId", "1")
    assert (client.usage.limit, client.usage.remaining) == (None, None)


def test_searches_keep_below_their_own_limit_in_any_minute() -> None:
    searches, sent, now = SearchBudget(0.2), list[float](), 0.0
    for _ in range(300):
        now += searches.delay(now) + 0.1
        searches.sent(now)
        sent.append(now)
    assert max(sum(1 for t in sent if start <= t < start + 60) for start in sent) <= 80


def test_the_client_waits_for_the_search_limit_though_the_orgs_budget_is_full() -> None:
    clock = FakeClock()
    with client_of(lambda r: httpx.Response(200, json={"data": []}), clock=clock) as client:
        for number in range(81):
            client.search("customers", "externalId", [str(number)])
    assert clock.elapsed == pytest.approx(60)
    assert client.usage.searches == 81


def test_headers_of_the_search_limit_are_not_taken_for_the_orgs() -> None:
    def app(request: httpx.Request) -> httpx.Response:
        limit, left = ("100", "3") if "search" in request.url.path else ("1000", "900")
        return httpx.Response(
            200, json={"data": []}, headers={"x-ratelimit-limit": limit, "x-ratelimit-remaining": left}
        )

    clock = FakeClock()
    with client_of(app, clock=clock) as client:
        client.look_up("customers", "externalId", "1")
        client.search("customers", "externalId", ["1"])
        client.look_up("customers", "externalId", "1")
    assert clock.sleeps == []
    assert (client.usage.limit, client.usage.remaining) == (1000, 900)
