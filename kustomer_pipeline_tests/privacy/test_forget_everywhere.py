"""After `forget --everywhere` nothing on disk and nothing in the warehouse says that there was such a person."""

import contextlib
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from kustomer_pipeline.sync import StateStore
from kustomer_pipeline.sync.state import value_hash
from kustomer_pipeline_tests.components.pipeline import Pipeline
from kustomer_pipeline_tests.privacy.conftest import JANE, OTHERS, Stage

KEY, EMAIL, NAME = JANE[0], JANE[1], "quimby"
PHONES = ("7946 0731", "2079460731", "79460731")
EVENTS = "history"  # Dagster's event log shows keys that are no address and no number


@pytest.fixture(params=["embedded", "in_warehouse"])
def compare(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stage(compare: str, on_disk: Pipeline, home: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """With Dagster's own files in the home, too, and with everything switched on that keeps something."""
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", "1")
    monkeypatch.setenv("KUSTOMER_KEEP_DAYS", "30")
    return Stage(on_disk, home, compare=compare, drift={"every": "1d", "sample": "all"})


def hashes_of(value: str) -> set[str]:
    """What a value is easily hashed to: everybody can try addresses against these."""
    texts = {value, value.lower()}
    made = {value_hash(text) for text in texts}
    for text in (one.encode() for one in texts):
        made |= {hashlib.new(name, text).hexdigest() for name in ("md5", "sha1", "sha256", "blake2b")}
        made |= {hashlib.blake2b(text, digest_size=size).hexdigest() for size in (8, 10, 16, 20, 32)}
    return made


@pytest.fixture
def quick(compare: str, pipeline: Pipeline, home: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """With an instance in memory, which takes a fifth of the time."""
    monkeypatch.setenv("KUSTOMER_FRAMES_URL", str(home / "frames"))
    return Stage(pipeline, home, compare=compare)


def the_runs_that_show_the_key_are_deleted(stage: Stage) -> None:
    """As docs/guides/privacy.md says: each asset is made once more, then runs are deleted, then free pages."""
    assert all(stage.run(job).success for job in ("sync_all", "plan_all", "drift_customers"))
    folder, instance = stage.home / EVENTS / "runs", stage.pipeline.instance
    for path in folder.glob("*.db"):
        if path.stem != "index" and KEY.encode() in path.read_bytes():
            instance.delete_run(path.stem)
            path.unlink(missing_ok=True)
    for path in folder.glob("*.db"):
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("vacuum")
            database.execute("pragma wal_checkpoint(truncate)")


def test_a_person_is_nowhere_on_disk_and_nowhere_in_the_warehouse(stage: Stage, compare: str) -> None:
    stage.lived()
    (id_,) = [one for one, record in stage.sandbox.customers.items() if record.get("externalId") == KEY]
    stage.sandbox.agent_edit(id_, name="By an agent")
    assert stage.run("drift_customers").success
    stage.sandbox.agent_edit(id_, name="Jane Quimby-Roe")
    assert stage.run("undo_run", run_id=stage.last_run_id).success
    hashes = {one for value in (EMAIL, KEY, id_, "+442079460731", "442079460731") for one in hashes_of(value)}
    there = stage.search().of(EMAIL, KEY, NAME, *PHONES, id_, *hashes)
    for place in (
        "requests-",
        "customers_drift",
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
        assert stage.search().of(EMAIL, NAME, *PHONES, *hashes) == []
        assert stage.search().of(KEY, id_, but_not_in=EVENTS) == []
        assert stage.search().of(OTHERS[0][0]) != []  # others are still there
        (log,) = (stage.home / "kustomer_requests").glob("*.jsonl")
        assert OTHERS[0][0] in log.read_text()
    if compare == "embedded":
        the_runs_that_show_the_key_are_deleted(stage)
        assert stage.search().of(KEY, id_) == []
    receipt = json.loads(said)
    assert receipt["removed"]["request_log"] > 0
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
