"""Each fault does what its description says, and only when it should."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest

from kustomer_pipeline.sandbox import Fault, Faults, ManualClock, Sandbox, UnknownFaultError

from .conftest import Api

_DROPPED = (http.client.RemoteDisconnected, ConnectionResetError)


@pytest.fixture(autouse=True)
def nothing_goes_wrong_in_the_server(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A fault is an answer, or none; it is never an error that the server logs."""
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


# ---- when a fault fires ----


def test_times_after_and_filters_decide_which_requests_it_meets(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("gateway_error_before", times=2, after=1, method="post", path="/v1/cust")
    assert api.get("/v1/customers").status == 200
    assert api.post("/v1/tags", {"name": "vip"}).status == 201
    assert [api.post("/v1/customers", {}).status for _ in range(4)] == [201, 502, 502, 201]
    assert sandbox.faults.fired == {"gateway_error_before": 2}


def test_a_path_may_have_wildcards(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("gateway_error_before", path="/v1/bulk/*/batches")
    job = api.post("/v1/customers/bulk", [{}]).data["id"]
    assert api.get(f"/v1/bulk/{job}").status == 200
    assert api.get(f"/v1/bulk/{job}/batches").status == 502


def test_a_probability_draws_from_a_seeded_generator() -> None:
    def draws(seed: int) -> list[bool]:
        faults = Faults({"drop_before": Fault(probability=0.5)}, seed=seed)
        return [faults.fire("drop_before", "GET", "/") is not None for _ in range(200)]

    assert draws(1) == draws(1) != draws(2)
    assert 60 < sum(draws(1)) < 140


def test_faults_combine_and_can_be_cleared(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("error_envelope", "A")
    sandbox.faults.set("batches_shape", "data")
    assert set(sandbox.faults) == {"error_envelope", "batches_shape"}
    sandbox.faults.clear("error_envelope")
    assert "error_envelope" not in sandbox.faults
    assert "batches_shape" in sandbox.faults
    sandbox.faults.clear()
    assert list(sandbox.faults) == []


def test_faults_are_given_as_values_or_as_the_command_line_writes_them() -> None:
    faults = Faults({"job_polls": 2, "drop_after": True, "search_exact": False, "masked": Fault("name", times=1)})
    assert faults.describe() == ["job_polls=2", "drop_after", "masked=name"]
    faults = Faults(["search_lag", "drop_after:times=1:after=2:method=POST:path=/v1/customers", "rate_reset=wait"])
    assert faults.describe() == ["search_lag=60.0", "drop_after", "rate_reset=wait"]
    assert faults.fire("drop_after", "POST", "/v1/customers/bulk") is None
    assert faults.fire("drop_after", "GET", "/v1/customers") is None
    assert faults.fire("drop_after", "POST", "/v1/customers") is None
    assert faults.fire("drop_after", "POST", "/v1/customers") is not None
    assert faults.fire("drop_after", "POST", "/v1/customers") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nix", "there is no fault 'nix'"),
        ("drop_after=3", "takes no value"),
        ("job_polls=many", "type int"),
        ("batches_shape=round", "is one of registry, list, data"),
        ("drop_after:often=1", "'often' is not one of times"),
        ("drop_after:times=x", "times is a number"),
    ],
)
def test_a_fault_that_is_none_is_refused_with_what_is_allowed(text: str, says: str) -> None:
    with pytest.raises(UnknownFaultError, match=says):
        Faults([text])


def test_an_unknown_fault_cannot_be_cleared() -> None:
    with pytest.raises(UnknownFaultError):
        Faults().clear("nix")


# ---- connection ----


def test_drop_before_does_nothing_and_answers_nothing(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("drop_before", times=1)
    with pytest.raises(_DROPPED):
        api.post("/v1/customers", {})
    assert len(sandbox.customers) == 0
    (record,) = sandbox.requests
    assert (record.status, record.counted, record.fault) == (None, False, "drop_before")


def test_drop_after_does_the_work_and_answers_nothing(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("drop_after", times=1)
    with pytest.raises(_DROPPED):
        api.post("/v1/customers", {})
    assert len(sandbox.customers) == 1
    (record,) = sandbox.requests
    assert (record.status, record.counted, record.fault) == (None, True, "drop_after")
    assert api.get("/v1/customers").status == 200


@pytest.mark.parametrize(("fault", "created"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_timeout_holds_the_answer_until_the_client_gives_up(
    api: Api, sandbox: Sandbox, fault: str, created: int
) -> None:
    sandbox.faults.set(fault)
    with pytest.raises(TimeoutError):
        api.ask("POST", "/v1/customers", {}, timeout=0.05)
    assert len(sandbox.customers) == created


@pytest.mark.parametrize(("fault", "status"), [("timeout_before", 504), ("timeout_after", 201)])
def test_a_held_answer_comes_in_the_end(api: Api, sandbox: Sandbox, fault: str, status: int) -> None:
    sandbox.faults.set(fault, 0.01)
    assert api.post("/v1/customers", {}).status == status


@pytest.mark.parametrize(("fault", "created"), [("gateway_error_before", 0), ("gateway_error_after", 1)])
def test_a_gateway_error_is_a_status_in_html(api: Api, sandbox: Sandbox, fault: str, created: int) -> None:
    sandbox.faults.set(fault)
    reply = api.post("/v1/customers", {})
    assert (reply.status, reply.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert len(sandbox.customers) == created
    sandbox.faults.set(fault, 503)
    assert api.post("/v1/customers", {}).status == 503


# ---- answers ----


def test_error_envelope(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("error_envelope", "A")
    error = api.post("/v1/customers", {"x": 1}).error
    assert error == {"code": "bad_request", "message": "Additional properties not allowed", "meta": {}}
    sandbox.faults.set("error_envelope", "B")
    assert api.get("/v1/customers/email=x").error["status"] == 404


def test_error_status_text(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("error_status_text")
    assert api.get("/v1/customers/email=x").error["status"] == "404"


def test_error_not_json(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("error_not_json")
    reply = api.get("/v1/customers/email=x")
    assert (reply.status, reply.text[:6]) == (404, "<html>")


def test_rate_headers_missing(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("rate_headers_missing")
    sandbox.faults.set("too_many_requests", after=1)
    for reply in (api.get("/v1/tags"), api.get("/v1/tags")):
        assert not [name for name in reply.headers if name.startswith("x-ratelimit")]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("seconds", "1790000060"), ("milliseconds", "1790000060000"), ("wait", "60"), ("none", None)],
)
def test_rate_reset(api: Api, sandbox: Sandbox, unit: str, expected: str | None) -> None:
    sandbox.faults.set("rate_reset", unit)
    sandbox.faults.set("too_many_requests")
    assert api.get("/v1/tags").headers.get("x-ratelimit-reset") == expected


def test_rate_reset_always(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("rate_reset_always")
    assert api.get("/v1/tags").headers["x-ratelimit-reset"] == "1790000060"


def test_retry_after(api: Api, sandbox: Sandbox, clock: ManualClock) -> None:
    sandbox.faults.set("too_many_requests")
    sandbox.faults.set("retry_after", "seconds")
    clock.advance(15)
    assert api.get("/v1/tags").headers["retry-after"] == "45"
    sandbox.faults.set("retry_after", "date")
    assert parsedate_to_datetime(api.get("/v1/tags").headers["retry-after"]).timestamp() == clock() + 45


def test_search_limit_headers(api: Api, sandbox: Sandbox) -> None:
    sandbox.spend_searches()
    sandbox.faults.set("search_limit_headers")
    headers = api.search({}).headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("100", "0")


def test_list_item_extras(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(emails=[{"email": "jane@example.com"}])
    sandbox.faults.set("list_item_extras")
    (item,) = api.get(f"/v1/customers/{customer}").attributes["emails"]
    assert {"id", "externalVerified"} < set(item)
    assert api.put(f"/v1/customers/{customer}", {"emails": [item]}).status == 400


def test_masked(api: Api, sandbox: Sandbox) -> None:
    sandbox.seed_customer(phones=[{"phone": "+15551234567"}], username="jane", custom={"ssnStr": "1", "planStr": "pro"})
    sandbox.faults.set("masked", "phones,username,custom.ssnStr,birthdayAt")
    (found,) = api.search({}).data
    assert found["attributes"]["phones"] == [{"type": "home", "verified": False, "phone": "*****"}]
    assert found["attributes"]["username"] == "*****"
    assert "birthdayAt" not in found["attributes"]
    assert found["attributes"]["custom"] == {"ssnStr": "*****", "planStr": "pro"}


def test_unset_as_null(api: Api, sandbox: Sandbox) -> None:
    customer, company = sandbox.seed_customer(name="Jane"), sandbox.seed_company(name="Acme")
    sandbox.faults.set("unset_as_null")
    shown = api.get(f"/v1/customers/{customer}").attributes
    assert (shown["name"], shown["externalId"], shown["timeZone"], shown["tags"]) == ("Jane", None, None, [])
    assert api.get(f"/v1/companies/{company}").attributes["externalId"] is None


def test_whatsapp_plain(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer(whatsapps=[{"phone": "+12125550003"}])

    def shown() -> list[str]:
        return [item["phone"] for item in api.get(f"/v1/customers/{customer}").attributes["whatsapps"]]

    assert shown() == ["whatsapp:+12125550003"]
    sandbox.faults.set("whatsapp_plain")
    assert shown() == ["+12125550003"]


# ---- keys and limits ----


def test_object_limit(api: Api, sandbox: Sandbox) -> None:
    customer = sandbox.seed_customer()
    for limit, expected in ((2, [200, 200, 429]), (4, [200, 200, 429]), (130, [200] * 3)):
        sandbox.faults.set("object_limit", limit)
        assert [api.put(f"/v1/customers/{customer}", {"name": "Jane"}).status for _ in range(3)] == expected


def test_unauthorized(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("unauthorized", after=1)
    assert [api.get("/v1/auth/tokens/current").status for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(("value", "pod", "status"), [("prod2", "prod2", 401), ("prod4,403", "prod4", 403)])
@pytest.mark.parametrize("shape", ["A", "B"])
def test_wrong_region(api: Api, sandbox: Sandbox, value: str, pod: str, status: int, shape: str) -> None:
    sandbox.faults.set("wrong_region", value)
    sandbox.faults.set("error_envelope", shape)
    told = f"Auth token associated with pod {pod} but request is being handled by prod1"
    for reply in (api.get("/v1/auth/tokens/current"), api.post("/v1/customers", {"name": "Jane"})):
        assert reply.status == status
        assert reply.error["title" if shape == "B" else "message"] == told
        assert reply.headers["x-kustomer-pod"] == "prod1"
    assert len(sandbox.customers) == 0


def test_missing_role_401(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("missing_role_401")
    api.key = sandbox.add_api_key(roles=[])
    assert api.get("/v1/customers").status == 401
    assert api.get("/v1/auth/tokens/current").status == 200


def test_role_removed(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("role_removed", "org.permission.customer.read", after=1)
    assert [api.get("/v1/customers").status for _ in range(2)] == [200, 403]
    assert "org.permission.customer.read" not in api.get("/v1/auth/tokens/current").attributes["roles"]
    api.key = sandbox.add_api_key(roles=["org.permission.customer"])
    assert api.get("/v1/customers").status == 403


def test_too_many_requests(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("too_many_requests", times=2)
    assert [api.get("/v1/tags").status for _ in range(3)] == [429, 429, 200]


def test_others_spend(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("others_spend", 600)
    assert [api.get("/v1/tags").status for _ in range(2)] == [200, 429]


def test_body_limit(api: Api, sandbox: Sandbox) -> None:
    sandbox.faults.set("body_limit", 50)
    assert api.post("/v1/customers", {"name": "x" * 60}).status == 413
    sandbox.faults.set("body_limit", 400_000)
    item = {"custom": {f"name{n}Str": "x" * 1024 for n in range(3)}}
    assert api.post("/v1/customers/bulk", [item] * 90).status == 201
