"""The page for people: which faults are on, and a form for each to switch it on and off."""

from __future__ import annotations

import re
from html import unescape

import pytest

from kustomer_pipeline.sandbox import FAULTS, Sandbox

from .conftest import Api, Reply
from .test_page_guard import send, token_of


def switch(api: Api, name: str, action: str = "on", **typed: str) -> Reply:
    """Press a button of the form of a fault."""
    return send(api, {"token": token_of(api), "name": name, "action": action, **typed})


def _form(page: Reply, name: str) -> str:
    """The part of the page about one fault."""
    found = re.search(rf'<details id="fault-{name}".*?</details>', page.text, re.DOTALL)
    assert found is not None
    return unescape(found[0])


def test_every_fault_is_there_with_its_sentence(api: Api) -> None:
    page = api.get("/faults")
    for name, kind in FAULTS.items():
        assert kind.description in _form(page, name)
        assert ('name="value"' in _form(page, name)) == (kind.value is not None)
        for choice in kind.choices:
            assert f'<option value="{choice}"' in _form(page, name)
    assert "does what Kustomer's documentation says" in unescape(page.text)


def test_a_fault_is_switched_on_with_its_settings_and_off_again(api: Api, sandbox: Sandbox) -> None:
    typed = {"value": "503", "times": "2", "after": "1", "probability": "0.5", "method": "GET", "path": "/v1/tags"}
    answer = switch(api, "gateway_error_before", **typed)
    assert (answer.status, answer.headers["location"]) == (303, "/faults#fault-gateway_error_before")
    page = api.get("/faults")
    form = _form(page, "gateway_error_before")
    for name, text in typed.items():
        assert f'name="{name}" value="{text}"' in form or f'<option value="{text}" selected>' in form
    assert "GET only, paths like /v1/tags*, not for the first 1, 2 times, with probability 0.5" in unescape(page.text)
    assert "<details" in form
    assert " open>" in form
    switch(api, "gateway_error_before", "off")
    assert list(sandbox.faults) == []
    assert " open>" not in _form(api.get("/faults"), "gateway_error_before")


def test_a_fault_that_is_on_fires_and_how_often_is_shown(api: Api) -> None:
    switch(api, "gateway_error_before", value="503", times="2", path="/v1/tags")
    assert [api.get(path).status for path in ("/v1/tags", "/v1/customers", "/v1/tags", "/v1/tags")] == [
        503, 200, 503, 200,
    ]  # fmt: skip
    assert "fired 2 times" in _form(api.get("/faults"), "gateway_error_before")
    assert ">2 times<" in api.get("/").text
    assert ">2 times<" in api.get("/faults?refresh=2").text


def test_empty_fields_are_the_defaults(api: Api, sandbox: Sandbox) -> None:
    empty = {"value": "", "times": "", "after": "", "probability": "", "method": "", "path": ""}
    assert switch(api, "gateway_error_before", **empty).status == 303
    assert sandbox.faults.describe() == ["gateway_error_before=502"]
    assert [api.get("/v1/tags").status for _ in range(3)] == [502, 502, 502]


@pytest.mark.parametrize(
    ("name", "field", "text", "told"),
    [
        ("gateway_error_before", "value", "abc", "A whole number, 400 or more."),
        ("gateway_error_before", "value", "200", "A whole number, 400 or more."),
        ("list_refused", "value", "999", "the value of the fault list_refused is 400 to 511, not 999"),
        ("batch_size", "value", "0", "A whole number, 1 or more."),
        ("timeout_after", "value", "nan", "the value of the fault timeout_after is 0 or more, not nan"),
        ("timeout_after", "value", "-1", "the value of the fault timeout_after is 0 or more, not -1"),
        ("error_envelope", "value", "C", "is one of A, B, not 'C'"),
        ("drop_after", "times", "0", "A whole number, 1 or more."),
        ("drop_after", "times", "two", "A whole number, 1 or more."),
        ("drop_after", "after", "-1", "A whole number, 0 or more."),
        ("drop_after", "probability", "1.5", "A number from 0 to 1."),
        ("drop_after", "probability", "nan", "A number from 0 to 1."),
        ("drop_after", "method", "FETCH", "One of GET, POST, PUT, PATCH, DELETE."),
        ("drop_after", "path", "v1/tags", "Begins with / as in /v1/customers"),
    ],
)
def test_a_bad_value_is_told_beside_its_field_and_changes_nothing(
    api: Api, sandbox: Sandbox, name: str, field: str, text: str, told: str
) -> None:
    sandbox.faults.set("job_stuck")
    typed = {"times": "3", "path": "/v1/kept"} | {field: text}
    answer = switch(api, name, **typed)
    assert answer.status == 400
    form = _form(answer, name)
    (label,) = [part for part in form.split("<label")[1:] if told in part]
    assert f'name="{field}"' in label
    assert " open>" in form.split("<summary")[0]
    for other, value in typed.items():  # what was typed in is still there
        if other != "method" and (other, name) != ("value", "error_envelope"):
            assert f'name="{other}" value="{value}"' in form
    assert list(sandbox.faults) == ["job_stuck"]


def test_a_bad_change_of_a_fault_that_is_on_leaves_it_as_it_was(api: Api, sandbox: Sandbox) -> None:
    switch(api, "job_polls", value="5")
    assert switch(api, "job_polls", value="many").status == 400
    assert sandbox.faults.describe() == ["job_polls=5"]


def test_all_faults_are_switched_off_at_once(api: Api, sandbox: Sandbox) -> None:
    assert "Switch all off" not in api.get("/faults").text
    for name in ("job_stuck", "drop_after"):
        switch(api, name)
    assert "Switch all off" in api.get("/faults").text
    answer = send(api, {"token": token_of(api), "action": "clear"})
    assert (answer.status, answer.headers["location"]) == (303, "/faults")
    assert list(sandbox.faults) == []


@pytest.mark.parametrize("form", [{"name": "nix", "action": "on"}, {"name": "drop_after", "action": "nix"}, {}])
def test_a_form_that_is_none_of_the_pages_is_a_400(api: Api, sandbox: Sandbox, form: dict[str, str]) -> None:
    sandbox.faults.set("job_stuck")
    assert send(api, {"token": token_of(api), **form}).status == 400
    assert list(sandbox.faults) == ["job_stuck"]


def test_the_default_of_every_fault_can_be_switched_on_by_its_form(api: Api, sandbox: Sandbox) -> None:
    token = token_of(api)
    for name, kind in FAULTS.items():
        typed = {} if kind.value is None else {"value": str(kind.default)}
        assert send(api, {"token": token, "name": name, "action": "on", **typed}).status == 303, name
    assert set(sandbox.faults) == set(FAULTS)
