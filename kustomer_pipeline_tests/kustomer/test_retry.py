"""What is sent again, when, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline.kustomer.retry import Cause, Decision, Failure, Kind, decide
from kustomer_pipeline_tests.kustomer.kustomers import (
    Kustomer,
    answers,
    client_of,
    customer,
    ok,
    token,
)
from kustomer_pipeline_tests.simulated import SimulatedClock

READ, WRITE = Kind.READ, Kind.WRITE
JANE = customer("c1", externalId="7")


@pytest.mark.parametrize(
    "failure,kind,decision",
    [
        (Failure(Cause.NOT_SENT), READ, Decision.BACK_OFF),
        (Failure(Cause.NOT_SENT), WRITE, Decision.BACK_OFF),
        (Failure(Cause.STATUS, 429), READ, Decision.WAIT_FOR_WINDOW),
        (Failure(Cause.STATUS, 429), WRITE, Decision.WAIT_FOR_WINDOW),
        (Failure(Cause.BROKEN_OFF), READ, Decision.BACK_OFF),
        (Failure(Cause.BROKEN_OFF), WRITE, Decision.AMBIGUOUS),
        (Failure(Cause.STATUS, 500), READ, Decision.BACK_OFF),
        (Failure(Cause.STATUS, 500), WRITE, Decision.AMBIGUOUS),
        (Failure(Cause.STATUS, 408), READ, Decision.BACK_OFF),
        (Failure(Cause.STATUS, 408), WRITE, Decision.AMBIGUOUS),
        (Failure(Cause.UNREADABLE, 200), READ, Decision.BACK_OFF),
        (Failure(Cause.UNREADABLE, 201), WRITE, Decision.AMBIGUOUS),
        *[
            (Failure(Cause.STATUS, s), kind, Decision.GIVE_UP)
            for s in (302, 400, 401, 403, 404, 409, 413)
            for kind in Kind
        ],
    ],
)
def test_the_retry_table(failure: Failure, kind: Kind, decision: Decision) -> None:
    assert decide(failure, 1, kind, 6) is decision
    again = decision in (Decision.BACK_OFF, Decision.WAIT_FOR_WINDOW)
    assert decide(failure, 6, kind, 6) is (Decision.GIVE_UP if again else decision)


def limited(**headers: str) -> httpx.Response:
    return httpx.Response(429, headers=headers)


NOW = 1_800_000_000
NOW_AS_DATE = format_datetime(datetime.fromtimestamp(NOW + 9, UTC), usegmt=True)


@pytest.mark.parametrize(
    "headers,waited",
    [
        ({"x-ratelimit-reset": str(NOW + 30)}, 30),
        ({"x-ratelimit-reset": str((NOW + 30) * 1000)}, 30),
        ({"x-ratelimit-reset": "30"}, 30),
        ({"x-ratelimit-reset": "12.5"}, 12.5),
        ({"x-ratelimit-reset": str(NOW - 30)}, 1),
        ({"x-ratelimit-reset": str(NOW + 9999)}, 120),
        ({"x-ratelimit-reset": "soon"}, 60),
        ({"x-ratelimit-reset": "nan"}, 60),
        ({}, 60),
        ({"retry-after": "7"}, 7),
        ({"retry-after": NOW_AS_DATE}, 9),
        ({"retry-after": "99999"}, 120),
        ({"retry-after": "whenever", "x-ratelimit-reset": "5"}, 5),
        ({"retry-after": "7", "x-ratelimit-reset": "30"}, 7),
    ],
)
def test_a_429_waits_as_long_as_kustomer_says_in_whichever_form(headers: dict[str, str], waited: float) -> None:
    clock = SimulatedClock(NOW)
    with client_of(answers(limited(**headers), ok(JANE)), clock=clock) as client:
        assert [record.id for record in client.look_up("customers", "externalId", "7")] == ["c1"]
    assert sum(clock.slept) == pytest.approx(waited)
    assert client.usage.requests == 2
    assert client.usage.waited_seconds == pytest.approx(waited)


def test_a_429_without_a_reset_waits_for_the_rest_of_the_window_that_is_known() -> None:
    clock = SimulatedClock()
    app = answers(
        httpx.Response(200, json={"data": None}, headers={"x-ratelimit-limit": "100", "x-ratelimit-remaining": "99"}),
        limited(),
        ok(JANE),
    )
    with client_of(app, clock=clock) as client:
        client.look_up("customers", "externalId", "7")
        clock.advance(40)
        client.look_up("customers", "externalId", "7")
    assert clock.slept == [pytest.approx(20)]


def test_when_the_clocks_differ_the_third_429_waits_a_whole_window() -> None:
    clock = SimulatedClock(NOW)
    past = limited(**{"x-ratelimit-reset": str(NOW - 500)})
    with client_of(answers(past, past, past, ok(JANE)), clock=clock) as client:
        client.look_up("customers", "externalId", "7")
    assert clock.slept == [1, 1, pytest.approx(60)]


def test_429_again_and_again_is_given_up_with_nothing_done() -> None:
    app = Kustomer(lambda request: limited())
    with (
        client_of(app, max_attempts=3) as client,
        pytest.raises(k.RateLimitedError, match="nothing was done"),
    ):
        client.submit_bulk("customers", "update", [{"_clientRef": "1", "id": "c1"}])
    assert len(app.requests) == 3


def test_a_write_is_sent_again_after_a_429_and_after_a_connection_that_never_was() -> None:
    app = Kustomer(
        answers(
            httpx.ConnectError("refused"),
            limited(),
            httpx.ConnectTimeout("slow"),
            httpx.PoolTimeout(""),
            httpx.Response(201, json={"data": {"id": "b1"}}),
        )
    )
    with client_of(app) as client:
        assert client.submit_bulk("customers", "create", [{"_clientRef": "1"}]) == "b1"
    assert len(app.requests) == 5
    assert client.usage.requests == 2  # the other three never left


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("t"),
        httpx.WriteTimeout("t"),
        httpx.ReadError("t"),
        httpx.WriteError("t"),
        httpx.RemoteProtocolError("t"),
        httpx.DecodingError("t"),
    ],
)
def test_a_write_whose_answer_is_lost_is_never_repeated_and_a_read_is(failure: Exception) -> None:
    app = Kustomer(answers(failure))
    with client_of(app) as client, pytest.raises(k.AmbiguousWriteError, match="look it up before"):
        client.submit_bulk("companies", "create", [{"_clientRef": "1"}])
    assert len(app.requests) == 1
    with client_of(answers(failure, failure, ok(JANE))) as client:
        assert len(client.look_up("customers", "externalId", "7")) == 1
        assert client.usage.requests == 3


def test_a_connection_that_never_comes_is_given_up_with_the_reason() -> None:
    with (
        client_of(lambda request: (_ for _ in ()).throw(httpx.ConnectError("Name does not resolve"))) as client,
        pytest.raises(k.ConnectionFailedError, match=r"Name does not resolve.*is the address right"),
    ):
        client.submit_bulk("customers", "create", [{"_clientRef": "1"}])
    assert client.usage.requests == 0


def test_a_503_says_itself_when_to_come_back() -> None:
    clock = SimulatedClock()
    with client_of(answers(httpx.Response(503, headers={"retry-after": "11"}), ok(token())), clock=clock) as client:
        assert client.token().org_id == "org-1"
    assert clock.slept == [pytest.approx(11)]


def test_searches_are_reads_and_are_repeated() -> None:
    with client_of(answers(httpx.Response(500), ok([]))) as client:
        assert client.search("customers", "externalId", ["7"]) == {}
        assert client.usage.searches == client.usage.requests == 2
