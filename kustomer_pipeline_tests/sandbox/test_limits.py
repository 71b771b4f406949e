"""Rate limits (docs/kustomer.md section 3)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kustomer_pipeline.sandbox import ManualClock, Sandbox

from .conftest import Api


@pytest.fixture
def tight(clock: ManualClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, rate_limit=3) as running:
        yield running


def test_every_answer_says_what_is_left(api: Api) -> None:
    answers = [
        api.get("/v1/tags"),
        api.get("/v1/nothing"),
        api.post("/v1/customers", {"x": 1}),
        api.post("/v1/customers", {}),
    ]
    assert [answer.headers["x-ratelimit-limit"] for answer in answers] == ["1000"] * 4
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["999", "998", "997", "996"]
    assert not any("x-ratelimit-reset" in answer.headers for answer in answers)


def test_beyond_the_budget_is_a_429_until_the_window_ends(tight: Sandbox, clock: ManualClock) -> None:
    api = Api(tight)
    clock.advance(20)
    assert [api.get("/v1/tags").status for _ in range(4)] == [200, 200, 200, 429]
    refused = api.get("/v1/tags")
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert int(refused.headers["x-ratelimit-reset"]) == clock() + 40
    assert "retry-after" not in refused.headers
    assert tight.units() == 3
    clock.advance(39)
    assert api.get("/v1/tags").status == 429
    clock.advance(1)
    assert api.get("/v1/tags").headers["x-ratelimit-remaining"] == "2"


def test_all_keys_and_other_users_share_the_orgs_budget(tight: Sandbox) -> None:
    api = Api(tight)
    api.get("/v1/tags")
    api.key = tight.add_api_key()
    assert api.get("/v1/tags").headers["x-ratelimit-remaining"] == "1"
    tight.spend(10)
    assert tight.budget_left == 0
    assert api.get("/v1/tags").status == 429


def test_a_request_that_is_refused_by_the_limit_does_nothing(tight: Sandbox) -> None:
    api = Api(tight)
    tight.spend(3)
    assert api.post("/v1/customers", {}).status == 429
    assert len(tight.customers) == 0


def test_each_key_has_100_searches_a_minute_on_top_of_the_orgs_budget(
    api: Api, sandbox: Sandbox, clock: ManualClock
) -> None:
    sandbox.spend_searches(99)
    assert api.search({}).status == 200
    refused = api.search({})
    assert refused.status == 429
    assert refused.headers["x-ratelimit-limit"] == "1000"
    assert int(refused.headers["x-ratelimit-reset"]) == clock() + 60
    assert api.get("/v1/tags").status == 200
    api.key = sandbox.add_api_key()
    assert api.search({}).status == 200
    clock.advance(60)
    api.key = sandbox.api_key
    assert api.search({}).status == 200


def test_a_key_may_update_one_record_120_times_a_minute(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    customer, other = sandbox.seed_customer(), sandbox.seed_customer()
    replies = [api.put(f"/v1/customers/{customer}", {"name": f"{n}"}) for n in range(121)]
    assert [reply.status for reply in replies] == [200] * 120 + [429]
    assert [reply.headers["x-ratelimit-object-remaining"] for reply in replies[-3:]] == ["1", "0", "0"]
    assert replies[0].headers["x-ratelimit-object-limit"] == "120"
    assert "x-ratelimit-object-limit" not in api.get(f"/v1/customers/{customer}").headers
    assert sandbox.customers[customer]["name"] == "119"
    assert api.put(f"/v1/customers/{other}", {}).status == 200
    api.key = sandbox.add_api_key()
    assert api.put(f"/v1/customers/{customer}", {}).status == 200
    clock.advance(60)
    api.key = sandbox.api_key
    assert api.put(f"/v1/customers/{customer}", {}).status == 200
