"""A failure becomes an error that says what happened and what to do, and nothing private."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import KEY, Blocking, Kustomer, answers, client_of, ok, token
from kustomer_pipeline_tests.simulated import SimulatedClock

JANE = "jane.doe+vip@example.com"


def look_up(client: Blocking) -> object:
    return client.look_up("customers", "email", JANE)


def submit(client: Blocking) -> object:
    return client.submit_bulk("customers", "create", [{"_clientRef": "1", "emails": [{"email": JANE}]}])


@pytest.mark.parametrize(
    "status,error,words",
    [
        (400, k.BadRequestError, "refused this request"),
        (402, k.PermissionDeniedError, "plan"),
        (403, k.PermissionDeniedError, "org.permission.customer.create, org.user.customer.write"),
        (404, k.NotFoundError, "no such thing"),
        (405, k.BadRequestError, "refused this request"),
        (409, k.ConflictError, "an identifier is taken"),
        (413, k.PayloadTooLargeError, "fewer records"),
        (414, k.PayloadTooLargeError, "fewer records"),
        (422, k.BadRequestError, "refused this request"),
        (302, k.UnexpectedAnswerError, "base_url"),
        (408, k.AmbiguousWriteError, "look it up before sending it again"),
        (500, k.AmbiguousWriteError, "look it up before sending it again"),
        (503, k.AmbiguousWriteError, "look it up before sending it again"),
    ],
)
def test_a_refused_write_is_sent_once_and_raises_by_cause(
    status: int, error: type[k.KustomerError], words: str
) -> None:
    app = Kustomer(lambda request: httpx.Response(status, headers={"x-request-id": "r-7"}))
    with client_of(app) as client, pytest.raises(error) as caught:
        submit(client)
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"POST /v1/customers/bulk answered {status} (request r-7): ")
    assert caught.value.request_id == "r-7"
    assert len(app.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {
            "errors": [
                {
                    "status": 400,
                    "source": {"parameter": "emails"},
                    "code": "badparam",
                    "title": "Bad",
                    "detail": JANE,
                }
            ]
        },
        {
            "errors": [
                {
                    "status": "400",
                    "source": {"pointer": "emails"},
                    "code": "badparam",
                    "title": f"Bad: {JANE}",
                }
            ]
        },
        {"errors": [{"code": "badparam", "message": f"Bad: {JANE}", "meta": {}, "source": {"parameter": "emails"}}]},
        {"errors": {"code": "badparam", "detail": f"Bad: {JANE}", "source": {"parameter": "emails"}}},
    ],
)
def test_both_error_forms_tell_the_parameter_and_keep_the_value_out_of_the_message(body: object) -> None:
    with (
        client_of(answers(httpx.Response(400, json=body))) as client,
        pytest.raises(k.BadRequestError) as caught,
    ):
        submit(client)
    assert caught.value.codes == ("badparam",)
    assert caught.value.parameter == "emails"
    assert caught.value.detail == f"Bad: {JANE}"
    assert "(badparam: emails)" in str(caught.value)
    assert JANE not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[]", b"null", b"\xff\xfe", b'{"errors":7}', b"[" * 99_999])
def test_an_error_without_a_readable_body_is_the_same_error(body: bytes) -> None:
    with client_of(answers(httpx.Response(409, content=body))) as client, pytest.raises(k.ConflictError):
        submit(client)


def test_401_with_a_key_that_still_reads_itself_means_a_missing_role() -> None:
    app = answers(httpx.Response(401), ok(token("org.permission.customer.read")))
    with client_of(app) as client, pytest.raises(k.PermissionDeniedError) as caught:
        submit(client)
    assert caught.value.roles == ("org.permission.customer.create", "org.user.customer.write")
    assert "Settings > Security > API Keys" in str(caught.value)


def test_401_throughout_means_a_bad_key_and_stops_at_once() -> None:
    app = Kustomer(lambda request: httpx.Response(401))
    with client_of(app) as client, pytest.raises(k.AuthenticationError, match="api_key"):
        client.token()
    assert len(app.requests) == 1
    with client_of(app) as client, pytest.raises(k.AuthenticationError):
        submit(client)


def test_a_read_that_keeps_failing_is_a_server_error_after_max_attempts() -> None:
    app, clock = Kustomer(lambda request: httpx.Response(502)), SimulatedClock()
    with (
        client_of(app, clock=clock, max_attempts=4) as client,
        pytest.raises(k.ServerError, match="try again later"),
    ):
        look_up(client)
    assert len(app.requests) == 4
    assert client.usage.requests == 4
    assert clock.slept == sorted(clock.slept)
    assert client.usage.waited_seconds == sum(clock.slept)


@pytest.mark.parametrize("content", [b"<html>hello</html>", b"\xff", b"{", b"[" * 99_999])
def test_a_2xx_that_is_not_json_is_asked_for_once_more_and_then_is_not_kustomer(content: bytes) -> None:
    app = Kustomer(lambda request: httpx.Response(200, content=content))
    with (
        client_of(app) as client,
        pytest.raises(k.UnexpectedAnswerError, match="not an answer of Kustomer's API"),
    ):
        look_up(client)
    assert len(app.requests) == 2


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"data":null}', b'{"data":{"id":"../x"}}', b"[]", b"7"])
def test_an_accepted_job_without_a_readable_id_is_ambiguous(content: bytes) -> None:
    app = Kustomer(lambda request: httpx.Response(201, content=content))
    with client_of(app) as client, pytest.raises(k.AmbiguousWriteError):
        submit(client)
    assert len(app.requests) == 1


def test_an_answer_of_another_shape_says_which_request_it_was_the_answer_to() -> None:
    with (
        client_of(answers(httpx.Response(200, json={"ok": True}))) as client,
        pytest.raises(k.UnexpectedAnswerError) as caught,
    ):
        look_up(client)
    assert str(caught.value) == "GET /v1/customers/email=…: the answer has no data"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("pod,words", [("prod1", "to us"), ("prod2", "to eu"), ("prod4", "to in"), ("prod9", "name")])
def test_a_key_of_another_region_is_told_which(status: int, pod: str, words: str) -> None:
    said = f"Auth token associated with pod {pod} but request is being handled by prod1"
    app = Kustomer(lambda request: httpx.Response(status, text=said))
    with client_of(app) as client:
        with pytest.raises((k.AuthenticationError, k.PermissionDeniedError), match=words) as caught:
            client.token()
        with pytest.raises((k.AuthenticationError, k.PermissionDeniedError), match=words):
            submit(client)
    assert pod in str(caught.value)


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_key_of_another_region_is_never_taken_for_a_record_that_is_not_there(status: int) -> None:
    said = "Auth token associated with pod prod2 but request is being handled by prod1"
    with client_of(lambda request: httpx.Response(status, text=said)) as client:
        with pytest.raises(k.AuthenticationError, match="set `region` to eu"):
            look_up(client)
        with pytest.raises(k.AuthenticationError, match="set `region` to eu"):
            client.get_many("customers", ["5" * 24])


def test_a_value_that_speaks_of_a_pod_is_no_wrong_region() -> None:
    refusal = {"errors": [{"status": 400, "code": "badparam", "title": "name 'pod prod2' is taken"}]}
    with client_of(lambda request: httpx.Response(400, json=refusal)) as client, pytest.raises(k.BadRequestError):
        submit(client)


def failing_in_every_way() -> list[Callable[[Blocking], object]]:
    return [look_up, submit, lambda client: client.search("customers", "email", [JANE]), lambda c: c.tags()]


@pytest.mark.parametrize("act", failing_in_every_way())
@pytest.mark.parametrize(
    "failure", [400, 401, 403, 404, 409, 429, 500, httpx.ReadError(f"x {KEY}"), httpx.ConnectError("no")]
)
def test_neither_key_nor_identifier_gets_into_errors_reprs_or_logs(
    act: Callable[[Blocking], object], failure: int | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def app(request: httpx.Request) -> httpx.Response:
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure, text=f"{KEY} {JANE}", headers={"x-request-id": "r"})

    caplog.set_level(logging.DEBUG, logger="kustomer_pipeline.kustomer")
    said = ""
    with client_of(app) as client:
        said += repr(client) + repr(vars(client.client)) + repr(client.usage)
        try:
            act(client)
        except k.KustomerError as error:
            said += str(error) + repr(error) + repr(vars(error)) + repr(error.__cause__)
    said += caplog.text
    assert KEY not in said
    assert "jane" not in said
    assert "SECRET" not in said


def test_an_error_survives_the_way_to_another_process() -> None:
    with client_of(answers(httpx.Response(409))) as client, pytest.raises(k.ConflictError) as caught:
        submit(client)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), vars(copy)) == (k.ConflictError, str(caught.value), vars(caught.value))


def test_httpx_does_not_log_the_urls_of_look_ups(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with client_of(answers(ok(None))) as client:
        look_up(client)
    assert "jane" not in caplog.text


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\nb", "schlüssel"])
def test_an_impossible_key_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(k.ConfigurationError, match="api_key") as caught:
        client_of(answers(), api_key=key)
    assert not key.strip() or key not in str(caught.value)


def test_a_line_break_after_the_key_does_no_harm() -> None:
    app = Kustomer(answers(ok(token())))
    with client_of(app, api_key=f" {KEY}\n") as client:
        client.token()
    assert app.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert app.requests[0].headers["user-agent"].startswith("kustomer-pipeline/")


@pytest.mark.parametrize("share", [-0.1, 1.0, 2])
def test_the_reserve_is_a_share(share: float) -> None:
    with pytest.raises(k.ConfigurationError, match="rate_reserve"):
        client_of(answers(), rate_reserve=share)


@pytest.mark.parametrize("value", [float("nan"), object(), "\ud800"])
def test_what_json_cannot_hold_is_refused_before_anything_is_sent(value: object) -> None:
    app = Kustomer(answers())
    with client_of(app) as client, pytest.raises(k.BadRequestError, match="not JSON"):
        client.submit_bulk("customers", "create", [{"_clientRef": "1", "name": value}])
    assert app.requests == []
