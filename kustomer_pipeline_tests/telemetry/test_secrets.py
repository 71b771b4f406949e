"""Law 10 for what is kept and sent of requests: no API key and no personal data, whatever goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from kustomer_pipeline.kustomer import KustomerError, Work, WorkEnded
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sandbox.roles import FOUR_ROLES
from kustomer_pipeline.sync import StateStore, UndoError, undo_run
from kustomer_pipeline.telemetry import Observers, RequestLog, requests_of
from kustomer_pipeline_tests.kustomer.kustomers import KEY, client_of
from kustomer_pipeline_tests.telemetry.recorded import Recorded
from kustomer_pipeline_tests.telemetry.samples import attempt
from kustomer_pipeline_tests.telemetry.watched import Notes, WatchedWorld
from kustomer_pipeline_tests.world import audience, companies, customers

FIELDS = (
    FieldMapping("externalId", ("id",)),
    FieldMapping("email", ("email",)),
    FieldMapping("phone", ("phone",)),
    FieldMapping("name", ("name",)),
    FieldMapping("company", ("company",)),
    FieldMapping("custom.planStr", ("plan",)),
)
OF_PEOPLE = (FieldMapping("email", ("email",)), FieldMapping("phone", ("phone",)))
FAULTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "drop_before": {"probability": 0.3},
    "drop_after": {"probability": 0.3},
    "timeout_after": {"probability": 0.1},
    "gateway_error_after": {"probability": 0.3},
    "error_not_json": {},
    "too_many_requests": {"probability": 0.3},
    "item_form_refused": {"value": "p7@"},
    "item_error_object": {},
    "results_missing": {"value": 5},
    "bulk_rev_refused": {},
    "search_forbidden": {},
    "search_in_refused": {},
    "multi_get_refused": {},
    "unauthorized": {"after": 40},
    "rev_conflict": {"value": 20},
    "untag_refused": {},
    "job_stuck": {},
}
# Of the rows, of those whom Kustomer has, and of how they look in a path.
PERSONAL = (
    *("@example", "%40example", "p7@", "p7%40", "Person 7", "Nobody", "Secret", "Acme", "%2B1212"),
    *(f"121255500{number:02}" for number in (*range(30), 77)),
)


def rows(count: int = 30) -> list[dict[str, Any]]:
    return [
        {
            "id": f"C-{number}",
            "email": f"p{number}@example.com",
            "phone": f"+121255500{number:02}",
            "name": f"Person {number}",
            "company": "A-1",
            "plan": "Secret Plan",
        }
        for number in range(count)
    ]


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def world(tmp_path: Path, folder: Path, recorded: Recorded) -> Iterator[WatchedWorld]:
    observer = Observers([RequestLog(folder), recorded.observer])
    with WatchedWorld(f"sqlite:///{tmp_path / 'state.db'}", observer) as world:
        world.sandbox.seed_customer(externalId="X", emails=[{"email": "p3@example.com"}], name="Nobody Else")
        world.sandbox.seed_company(name="Acme Secret Inc")
        world.sandbox.seed_customer(externalId="C-4", phones=[{"phone": "+12125550004"}])
        yield world


def everything(folder: Path, recorded: Recorded, caplog: pytest.LogCaptureFixture) -> str:
    """Every byte that is kept, every word that is sent, and what is said besides."""
    kept = b"".join(path.read_bytes() for path in folder.glob("*.jsonl")).decode("utf-8")
    return "\n".join([kept, recorded.everything(), caplog.text])


def use(world: WatchedWorld) -> None:
    """Syncs of every kind, by identifiers of every kind; a plan; an undo."""
    by_address = customers(name="by address", match_on=("email", "phone"), fields=FIELDS, mode="update")
    by_name = companies(match_on=("externalId", "name"))
    members = audience(match_on=("email", "phone"), fields=OF_PEOPLE)
    work: list[tuple[Any, list[dict[str, Any]]]] = [
        (by_name, [{"id": "A-1", "name": "Acme Secret Inc"}, {"id": "A-2", "name": "Acme Two"}]),
        (customers(fields=FIELDS, match_on=("externalId", "email", "phone")), rows()),
        (by_address, [{**one, "plan": "Secret Plan B"} for one in rows(10)]),
        (members, [*rows(20), {"email": None, "phone": "+12125550077"}]),
        (members, rows(15)),
    ]
    for number, (spec, frame) in enumerate(work):
        with suppress(KustomerError):
            world.run(spec, frame, run_id=f"run-{number}")
    with suppress(KustomerError):
        world.plan(customers(name="other", fields=FIELDS, match_on=("email", "phone")), rows(3))
    refused = suppress(KustomerError, UndoError)
    with refused, world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        undo_run("run-1", client=client, state=state, as_run="run-9")


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_kept_or_sent_holds_the_key_or_anybodys_data(
    fault: str, world: WatchedWorld, folder: Path, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    if fault != "nothing":
        world.sandbox.faults.set(fault, **FAULTS[fault])
    with caplog.at_level(logging.DEBUG, logger="kustomer_pipeline"):
        use(world)
    said = everything(folder, recorded, caplog)
    assert "sync customers" in said
    assert '"template":"/v1/customers/bulk"' in said
    assert world.sandbox.api_key not in said
    assert [value for value in PERSONAL if value in said] == []


def test_nor_with_a_key_that_writes_and_looks_up_one_by_one(
    world: WatchedWorld, folder: Path, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    world.api_key = world.sandbox.add_api_key(FOUR_ROLES)
    with caplog.at_level(logging.DEBUG, logger="kustomer_pipeline"):
        use(world)
    said = everything(folder, recorded, caplog)
    assert '"template":"/v1/customers/email={email}"' in said
    assert '"template":"/v1/customers/phone={phone}"' in said
    assert world.api_key not in said
    assert [value for value in PERSONAL if value in said] == []


def test_the_search_for_it_would_find_it(
    world: WatchedWorld, folder: Path, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    """The same search finds what a mistake would let through: a path as it is, a key as it is, a word of an error."""
    work = Work("customers", "run-1", "run", lambda key: False)
    world.observer.began(work, 0.0)
    told = attempt(keys=("p7@example.com",), work=work)
    world.observer.attempted(replace(told, path="/v1/customers/email=p7%40example.com"))
    world.observer.ended(WorkEnded(work, 0.0, 1.0, "org-1", {}, "Person 7"))
    said = everything(folder, recorded, caplog)
    found = [value for value in PERSONAL if value in said]
    assert found == ["@example", "%40example", "p7@", "p7%40", "Person 7"]


def test_a_member_is_found_by_the_phone_number_that_is_not_in_the_log(world: WatchedWorld, folder: Path) -> None:
    use(world)
    found = requests_of(folder, "vip", "phone=+12125550077")
    assert found != []
    assert all(line.keys == () for line in found)


def test_an_attempt_holds_nothing_of_an_answer_that_quotes_the_request(notes: Notes) -> None:
    """Kustomer's errors quote what they refuse."""

    def echo(request: httpx.Request) -> httpx.Response:
        quoted = f"{request.url} {request.content.decode()} {request.headers['authorization']}"
        error = {"errors": [{"code": "badparam", "title": quoted, "source": {"parameter": quoted}}]}
        return httpx.Response(400, json=error, headers={"x-quoted": "quoted"})

    with client_of(echo, observer=notes) as client:
        for field, value in (("email", "jane@example.com"), ("phone", "+12125550007"), ("externalId", "Jane Doe")):
            with suppress(KustomerError):
                client.look_up("customers", field, value)
        with suppress(KustomerError):
            client.look_up("companies", "name", "Acme Secret Inc")
        with suppress(KustomerError):
            client.search("customers", "email", ["jane@example.com", "joe@example.com"])
        with suppress(KustomerError):
            client.write_one("customers", "create", {"name": "Jane Doe"})
    said = repr(notes.attempts)
    assert len(notes.attempts) >= 6
    assert KEY not in said
    assert [value for value in ("jane", "example", "2125550", "Jane", "Acme", "badparam") if value in said] == []
