"""What an observer of the client is told of each attempt at a request, and of whose rows it is about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import (
    BASE_URL,
    Blocking,
    answers,
    client_of,
    customer,
    ok,
    token,
)
from kustomer_pipeline_tests.simulated import SimulatedClock
from kustomer_pipeline_tests.telemetry.watched import Notes

Asking = Callable[..., Blocking]
WORK = k.Work("customers", "run-1", "run", lambda key: False)
JANE = "/v1/customers/email=…"


@pytest.fixture
def asking(notes: Notes) -> Iterator[Asking]:
    """Makes clients that are observed, and closes them."""
    with ExitStack() as clients:
        yield lambda app, **settings: clients.enter_context(client_of(app, **{"observer": notes, **settings}))


def test_an_attempt_is_told_with_what_is_left_of_the_budget(notes: Notes, asking: Asking) -> None:
    headers = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "812", "x-request-id": "req-7"}
    clock = SimulatedClock(epoch=1_900_000_000.0)

    async def slowly(request: httpx.Request) -> httpx.Response:
        await clock.sleep(0.25)
        return httpx.Response(200, json={"data": []}, headers=headers)

    asking(slowly, clock=clock).look_up("customers", "email", "jane@example.com")
    [told] = notes.attempts
    assert (told.method, told.template, told.path, told.host) == (
        "GET",
        "/v1/customers/email={email}",
        JANE,
        "acme.api.kustomerapp.com",
    )
    assert (told.status, told.error, told.failure, told.number, told.retry) == (200, None, None, 1, None)
    assert (told.units, told.searches, told.units_left, told.limit, told.request_id) == (1, 0, 812, 1000, "req-7")
    assert told.at == pytest.approx(1_900_000_000.0, abs=0.01)
    assert told.seconds == pytest.approx(0.25, abs=0.01)
    assert (told.org_id, told.work, told.keys) == (None, None, ())


def test_every_attempt_is_told_and_why_it_followed_the_one_before(notes: Notes, asking: Asking) -> None:
    app = answers(
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.Response(503),
        httpx.Response(429, headers={"retry-after": "1"}),
        ok([]),
    )
    asking(app).look_up("customers", "email", "jane@example.com")
    assert [(told.number, told.status, told.failure, told.units) for told in notes.attempts] == [
        (1, None, "not_sent", 0),
        (2, None, "broken_off", 1),
        (3, 503, None, 1),
        (4, 429, None, 1),
        (5, 200, None, 1),
    ]
    assert [told.retry for told in notes.attempts] == [
        None,
        f"no connection to {BASE_URL} (ConnectError: refused)",
        "no answer in time",
        "Kustomer answered 503",
        "Kustomer answered 429",
    ]
    assert notes.attempts[1].error == "no answer in time"


def test_units_add_up_to_what_the_client_says_it_spent(notes: Notes, asking: Asking) -> None:
    app = answers(httpx.ConnectError("refused"), httpx.ReadError("gone"), httpx.Response(500), ok([]))
    client = asking(app)
    client.look_up("customers", "email", "jane@example.com")
    assert sum(told.units for told in notes.attempts) == client.usage.requests == 3


def test_an_answer_that_is_not_json_is_told_as_unreadable(notes: Notes, asking: Asking) -> None:
    asking(answers(httpx.Response(200, text="<html>"), ok([]))).look_up("customers", "email", "jane@example.com")
    assert [(told.status, told.failure, told.error) for told in notes.attempts] == [
        (200, "unreadable", "the answer is not JSON"),
        (200, None, None),
    ]


def test_a_request_that_is_called_off_is_told_and_counts_as_nothing(notes: Notes, asking: Asking) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("not reached")

    client = asking(never).client

    async def called_off() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await client.look_up("customers", "email", "jane@example.com")

    client.run(called_off())
    [told] = notes.attempts
    assert (told.status, told.failure, told.error, told.units) == (None, "called_off", "called off", 0)


def test_the_org_is_told_once_it_is_known(notes: Notes, asking: Asking) -> None:
    client = asking(answers(ok(token()), ok([])))
    client.token()
    client.look_up("customers", "email", "jane@example.com")
    assert [told.org_id for told in notes.attempts] == [None, "org-1"]


# --- whose rows -------------------------------------------------------------------------------------------------


def everybody(request: httpx.Request) -> httpx.Response:
    """Whoever is asked for is there."""
    asked = request.url.path.rpartition("/")[2].split(",")
    return ok([customer(id_) for id_ in asked])


def ids(count: int) -> list[str]:
    return [f"{number:024x}" for number in range(count)]


def read(client: Blocking, wanted: Sequence[str], rows: k.Rows) -> None:
    with client.client.on_behalf_of(WORK), client.client.about(lambda: rows):
        client.get_many("customers", wanted)


def test_a_request_is_about_the_rows_of_the_ids_that_it_names(notes: Notes, asking: Asking) -> None:
    rows: Mapping[str, Sequence[str]] = {id_: [f"C-{number}"] for number, id_ in enumerate(ids(150))}
    read(asking(everybody), ids(150), rows)
    assert sorted(len(told.keys) for told in notes.attempts) == [50, 100]
    assert sorted(key for told in notes.attempts for key in told.keys) == sorted(f"C-{n}" for n in range(150))
    for told in notes.attempts:
        assert told.path == f"/v1/customers/<{len(told.keys)} ids>"
        assert told.work == WORK


def test_rows_given_as_a_sequence_are_those_of_every_request(notes: Notes, asking: Asking) -> None:
    read(asking(everybody), ids(150), ["C-1", "C-2", "C-1"])
    assert [told.keys for told in notes.attempts] == [("C-1", "C-2")] * 2


def test_what_tasks_at_the_same_time_ask_is_each_about_its_own_row(notes: Notes, asking: Asking) -> None:
    clock = SimulatedClock()

    async def slowly(request: httpx.Request) -> httpx.Response:
        await clock.sleep(1.0)
        return ok([])

    client = asking(slowly, clock=clock).client

    async def look_up(key: str) -> None:
        with client.about(lambda: [key]):
            await client.look_up("customers", "externalId", key)
            await client.look_up("customers", "externalId", key)

    async def all_at_once() -> None:
        await asyncio.gather(*(look_up(f"C-{number}") for number in range(5)))
        await client.look_up("customers", "externalId", "nobody's")

    client.run(all_at_once())
    assert sorted(told.keys for told in notes.attempts) == [
        (),
        *((f"C-{number}",) for number in range(5) for _ in "ab"),
    ]


def test_what_holds_where_the_client_is_run_holds_in_a_notebook_too(notes: Notes, asking: Asking) -> None:
    """There the coroutine is run by another thread."""
    client = asking(answers(ok([]))).client

    async def notebook() -> None:
        with client.on_behalf_of(WORK), client.about(lambda: ["C-1"]):
            client.run(client.look_up("customers", "externalId", "C-1"))

    asyncio.run(notebook())
    assert [(told.work, told.keys) for told in notes.attempts] == [(WORK, ("C-1",))]


# --- the work ---------------------------------------------------------------------------------------------------


def test_what_the_work_came_to_is_told_with_the_time_it_took(notes: Notes, asking: Asking) -> None:
    clock = SimulatedClock(epoch=1_900_000_000.0)
    client = asking(answers(ok(token())), clock=clock).client
    with client.on_behalf_of(WORK) as ending:
        client.run(client.token())
        clock.advance(90)
        ending.came_to({"created": 3}, k.ServerError("down"))
    assert notes.begun == [WORK]
    [end] = notes.ends
    assert (end.work, end.org_id, end.outcomes, end.error) == (WORK, "org-1", {"created": 3}, "ServerError")
    assert end.at == pytest.approx(1_900_000_000.0, abs=0.01)
    assert end.seconds == pytest.approx(90, abs=0.01)


def test_an_error_that_ends_the_work_is_told_by_its_type_and_goes_on(notes: Notes, asking: Asking) -> None:
    client = asking(answers()).client
    with pytest.raises(ValueError, match="jane"), client.on_behalf_of(WORK):
        raise ValueError("jane@example.com")
    assert [end.error for end in notes.ends] == ["ValueError"]


def test_a_client_that_is_closed_says_so(notes: Notes) -> None:
    with client_of(answers(), observer=notes):
        assert notes.closed == 0
    assert notes.closed == 1


# --- nobody -----------------------------------------------------------------------------------------------------


def test_without_an_observer_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr("kustomer_pipeline.kustomer.observer.RequestAttempt.__init__", lambda *_, **__: made.append(1))

    def rows() -> k.Rows:
        raise AssertionError("nobody wants to know")

    with client_of(answers(ok([]))) as client, client.client.on_behalf_of(WORK), client.client.about(rows):
        client.look_up("customers", "externalId", "C-1")
        client.job_answered("customers", "create", 1, 0.0, k.BulkAnswer(True, {}))
    assert made == []
