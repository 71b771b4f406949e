"""After `forget --everywhere` nothing on disk and nothing in the warehouse says that there was such a person."""

import json
from pathlib import Path

import pytest

from kustomer_pipeline.sync import StateStore
from kustomer_pipeline_tests.components.pipeline import Pipeline
from kustomer_pipeline_tests.privacy.conftest import JANE, OTHERS, Stage

KEY, EMAIL, NAME = JANE[0], JANE[1], "quimby"
PHONES = ("7946 0731", "2079460731", "79460731")
EVENTS = "history"  # Dagster's event log shows keys that are no address and no number


@pytest.fixture(params=["embedded", "in_warehouse"])
def compare(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stage(compare: str, on_disk: Pipeline, home: Path) -> Stage:
    """With Dagster's own files in the home, too."""
    return Stage(on_disk, home, compare=compare)


@pytest.fixture
def quick(compare: str, pipeline: Pipeline, home: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """With an instance in memory, which takes a fifth of the time."""
    monkeypatch.setenv("KUSTOMER_FRAMES_URL", str(home / "frames"))
    return Stage(pipeline, home, compare=compare)


def test_a_person_is_nowhere_on_disk_and_nowhere_in_the_warehouse(stage: Stage) -> None:
    stage.lived()
    (id_,) = [one for one, record in stage.sandbox.customers.items() if record.get("externalId") == KEY]
    there = stage.search().of(EMAIL, KEY, NAME, *PHONES, id_)
    for place in (
        "kustomer_state.db",
        "customers_rows",
        "customers_mapped",
        "customers_plan",
        "kustomer_sync_sync_log",
    ):
        assert any(place in one for one in there), place
    if stage.customers.compare == "in_warehouse":
        assert any("kustomer_state_kustomer_lines_" in one for one in there)
    with StateStore.open(f"sqlite:///{stage.home / 'kustomer_state.db'}"):  # so that the -wal file stays
        status, said = stage.forget("--email", EMAIL.upper(), "--everywhere")
        assert status == 0
        assert stage.search().of(EMAIL, NAME, *PHONES) == []
        assert stage.search().of(KEY, id_, but_not_in=EVENTS) == []
        assert stage.search().of(OTHERS[0][0]) != []  # others are still there
    receipt = json.loads(said)
    assert receipt["finished_at"] is not None
    assert receipt["removed"]["state.sync_changes"] > 0
    assert not any(text.lower() in said.lower() for text in (EMAIL, KEY, NAME, id_))


def test_a_run_afterwards_keeps_nothing_of_them_although_the_warehouse_has_them(quick: Stage) -> None:
    stage = quick
    stage.lived()
    assert stage.forget("--email", EMAIL, "--everywhere", "--delete-in-kustomer")[0] == 0
    assert len(stage.sandbox.customers) == 3
    for job in ("sync_all", "plan_all", "sync_all"):
        run = stage.run(job)
        assert run.success
    assert len(stage.sandbox.customers) == 3
    assert stage.search().of(EMAIL, NAME, *PHONES) == []
    assert stage.search().of(KEY) == []
    metadata = run.metadata("kustomer/customers")
    assert (metadata["rows_read"], metadata["skipped"], metadata["unchanged"]) == (4, 1, 3)
    lines = stage.pipeline.warehouse.log("sync_log", "row_key", "outcome", "reason", run=run.run_id)
    assert [(outcome, reason) for key, outcome, reason in lines if key.startswith("row:")] == [
        ("skipped", "suppressed: on the list of people who were forgotten")
    ] * 2
