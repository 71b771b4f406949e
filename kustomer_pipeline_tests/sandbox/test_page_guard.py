"""The page for people is not for pages of the internet that are open in the same browser."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

import pytest

from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sandbox.page.guard import Guard

from .conftest import Api, Reply

PAGES = ["/", "/customers", "/requests", "/faults"]


def token_of(api: Api) -> str:
    """The token in the forms of the page."""
    found = re.search(r'name="token" value="([^"]+)"', api.get("/faults").text)
    assert found is not None
    return found[1]


def send(api: Api, form: dict[str, str], **headers: str) -> Reply:
    """Send the form as a browser does."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return api.ask("POST", "/faults", raw=urlencode(form).encode(), headers={**kind, **headers})


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost:1", ""])
@pytest.mark.parametrize("path", PAGES)
def test_a_name_that_leads_here_from_elsewhere_shows_nothing(api: Api, sandbox: Sandbox, path: str, host: str) -> None:
    sandbox.seed_customer(name="Jane")
    port = urlsplit(sandbox.url).port
    page = api.ask("GET", path, headers={"Host": host.format(port=port)})
    assert page.status == 403
    assert sandbox.url in page.text  # where to open it
    for secret in ("Jane", sandbox.org_id, sandbox.api_key, "token"):
        assert secret not in page.text


def test_localhost_is_this_address_too(api: Api, sandbox: Sandbox) -> None:
    host = f"localhost:{urlsplit(sandbox.url).port}"
    page = api.ask("GET", "/", headers={"Host": host})
    assert page.status == 200
    assert f"KUSTOMER_BASE_URL=http://{host}" in page.text


@pytest.mark.parametrize(
    ("host", "server", "is_shown"),
    [
        ("[::1]:8765", ("::1", 8765), True),
        ("localhost:8765", ("::1", 8765), True),
        ("127.0.0.1:8765", ("::1", 8765), False),
        ("LOCALHOST:8765", ("127.0.0.1", 8765), True),
        ("127.0.0.1", ("127.0.0.1", 80), True),
        ("127.0.0.1.evil.example:8765", ("127.0.0.1", 8765), False),
        ("", ("", None), False),
    ],
)
def test_the_address_is_the_one_at_which_the_sandbox_listens(
    host: str, server: tuple[str, int | None], is_shown: bool
) -> None:
    assert (Guard().refuses_look({"host": host}, server) is None) == is_shown


def test_a_request_that_names_no_host_is_shown_nothing() -> None:
    assert Guard().refuses_look({}, ("127.0.0.1", 8765)) is not None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "https://{netloc}"])
@pytest.mark.parametrize("path", PAGES)
def test_another_site_is_told_nothing(api: Api, sandbox: Sandbox, path: str, origin: str) -> None:
    netloc = urlsplit(sandbox.url).netloc
    page = api.ask("GET", path, headers={"Origin": origin.format(netloc=netloc)})
    assert page.status == 403
    assert sandbox.org_id not in page.text


def test_no_page_may_be_read_or_framed_by_another_site(api: Api) -> None:
    headers = api.get("/").headers
    assert "access-control-allow-origin" not in headers
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_a_form_of_this_page_is_taken(api: Api, sandbox: Sandbox) -> None:
    form = {"token": token_of(api), "name": "drop_after", "action": "on"}
    assert send(api, form, Origin=sandbox.url).status == 303
    assert send(api, form).status == 303
    assert "drop_after" in sandbox.faults


@pytest.mark.parametrize("token", ["", "x", "é", None])
def test_a_form_without_the_token_of_the_page_is_refused(api: Api, sandbox: Sandbox, token: str | None) -> None:
    form = {"name": "drop_after", "action": "on"} | ({} if token is None else {"token": token})
    assert send(api, form).status == 403
    assert "drop_after" not in sandbox.faults


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}])
def test_a_form_of_another_site_is_refused_even_with_the_token(
    api: Api, sandbox: Sandbox, header: dict[str, str]
) -> None:
    form = {"token": token_of(api), "name": "drop_after", "action": "on"}
    assert send(api, form, **header).status == 403
    assert "drop_after" not in sandbox.faults


def test_the_token_is_another_in_every_sandbox(api: Api) -> None:
    with Sandbox() as other:
        assert token_of(Api(other)) != token_of(api)


def test_a_form_costs_no_unit_and_is_not_in_the_log(api: Api, sandbox: Sandbox) -> None:
    send(api, {"token": token_of(api), "name": "drop_after", "action": "on"})
    assert sandbox.requests == []
    assert sandbox.units() == 0


def test_the_api_does_not_ask_by_which_name_it_was_reached(api: Api) -> None:
    assert api.ask("GET", "/v1/tags", headers={"Host": "kustomer.example", "Origin": "https://x.example"}).status == 200
