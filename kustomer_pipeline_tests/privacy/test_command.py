"""`python -m kustomer_pipeline forget`: what it prints, its exit status, what it waits for, and where it looks."""

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kustomer_pipeline import build_definitions
from kustomer_pipeline.__main__ import main
from kustomer_pipeline.components.of_project import LoadedProject
from kustomer_pipeline.forget import command
from kustomer_pipeline.forget.places import LogTables
from kustomer_pipeline.forget.under_way import runs_under_way, wait_for_runs
from kustomer_pipeline.sandbox.roles import ALL_ROLES, without
from kustomer_pipeline.sync import Person, StateStore
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS, VIP, Pipeline
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.markdown import code_blocks
from kustomer_pipeline_tests.privacy.conftest import JANE, Stage

EMAIL = JANE[1]
FORGET = "python -m kustomer_pipeline forget "


@pytest.fixture
def stage(pipeline: Pipeline, home: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A pipeline whose runs are recorded in memory; the command finds an instance of its own in the home."""
    stage = Stage(pipeline, home)
    pipeline.customers([JANE])
    return stage


def test_the_receipt_is_all_that_it_prints(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.run("sync_customers")
    status, said = stage.forget("--email", EMAIL)
    assert status == 0
    assert set(json.loads(said)) == {"receipt", "org", "subject", "begun_at", "finished_at", "removed"}
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Only the state was cleaned" in captured.err


def test_who_it_is_can_be_read_from_the_standard_input(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.run("sync_customers")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{EMAIL}\n"))
    status, said = stage.forget("--email", "-")
    assert (status, json.loads(said)["removed"]["state.sync_rows"]) == (0, 1)


def test_whoever_was_forgotten_by_mistake_is_taken_off_the_list(stage: Stage) -> None:
    stage.run("sync_customers")
    receipt = json.loads(stage.forget("--key", JANE[0], "--sync", "customers")[1])["receipt"]
    assert stage.run("sync_customers").metadata("kustomer/customers")["skipped"] == 1
    assert stage.forget("--lift", receipt)[0] == 0
    assert stage.run("sync_customers").metadata("kustomer/customers")["skipped"] == 0
    assert stage.forget("--lift", receipt) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--email", "nobody"], "What was given as an e-mail address is none"),
        (["--key", "C-1"], "Name one person"),
        (["--key", "row:1", "--sync", "customers"], "names a place in a query's result"),
        (["--lift", "no such receipt"], "Nobody is on the list"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    stage: Stage, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert stage.forget(*arguments) == (2, "")
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err


def test_a_role_that_is_missing_is_named_and_nothing_is_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.run("sync_customers")
    key = stage.sandbox.add_api_key(without(ALL_ROLES, "org.permission.customer.delete"))
    monkeypatch.setenv("KUSTOMER_API_KEY", key)
    assert stage.forget("--email", EMAIL, "--everywhere", "--delete-in-kustomer") == (2, "")
    assert "org.permission.customer.delete" in capsys.readouterr().err
    assert len(stage.sandbox.customers) == 1
    with StateStore.open(f"sqlite:///{stage.home / 'kustomer_state.db'}") as store:
        assert not store.anybody_suppressed()


def test_a_warehouse_that_is_down_leaves_the_rest_for_the_next_time(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.run("sync_customers")
    (tmp_path / "warehouse.db").rename(tmp_path / "elsewhere.db")
    assert stage.forget("--email", EMAIL, "--everywhere") == (2, "")
    assert "warehouse" in capsys.readouterr().err
    (tmp_path / "elsewhere.db").rename(tmp_path / "warehouse.db")
    assert stage.forget("--email", EMAIL, "--everywhere")[0] == 0
    assert stage.search().of(EMAIL, JANE[0]) == []


def test_a_warehouse_that_goes_down_half_way_does_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The person is kept out already, and the receipt says that not all is done."""
    stage.run("sync_customers")

    real = LogTables.remove

    def goes_down(tables: LogTables, person: Person) -> Mapping[str, int]:
        (tmp_path / "warehouse.db").rename(tmp_path / "elsewhere.db")
        return real(tables, person)

    with monkeypatch.context() as patched:
        patched.setattr(LogTables, "remove", goes_down)
        assert stage.forget("--email", EMAIL, "--everywhere") == (2, "")
    (tmp_path / "elsewhere.db").rename(tmp_path / "warehouse.db")
    with StateStore.open(f"sqlite:///{stage.home / 'kustomer_state.db'}") as store:
        (begun,) = store.receipts(stage.sandbox.org_id).all()
    assert begun.finished_at is None
    assert stage.run("sync_customers").metadata("kustomer/customers")["skipped"] == 1
    status, said = stage.forget("--email", EMAIL, "--everywhere")
    assert (status, json.loads(said)["receipt"]) == (0, begun.receipt_id)
    assert stage.search().of(EMAIL, JANE[0]) == []


def test_everywhere_has_to_know_where_the_frames_are(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.setenv("KUSTOMER_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    assert stage.forget("--email", EMAIL, "--everywhere") == (2, "")
    assert "DAGSTER_HOME is not set" in capsys.readouterr().err
    assert stage.forget("--email", EMAIL)[0] == 0


def test_a_resource_that_it_does_not_know_is_named(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    own = {"resource_keys": {"warehouse": "lake", "frames": "io_manager"}}
    stage.customers = type(stage.customers).model_validate(CUSTOMERS.model_dump(exclude_unset=True) | own)
    assert stage.forget("--email", EMAIL, "--everywhere")[0] == 0
    err = capsys.readouterr().err
    assert "customers uses the resource lake" in err
    assert "customers uses the resource io_manager" in err


# --- runs that began before -----------------------------------------------------------------------------------


def begun(instance: dg.DagsterInstance, job: str) -> str:
    """A run that goes on."""
    found = build_definitions([CUSTOMERS, VIP]).resolve_job_def(job)
    config = {"ops": {"undo": {"config": {"run_id": "x"}}}} if job == "undo_run" else None
    return instance.create_run_for_job(found, run_config=config, status=dg.DagsterRunStatus.STARTED).run_id


def test_runs_of_the_syncs_are_waited_for_and_no_others(ephemeral: dg.DagsterInstance) -> None:
    @dg.job
    def another() -> None:
        pass

    ephemeral.create_run_for_job(another, status=dg.DagsterRunStatus.STARTED)
    assert runs_under_way(ephemeral, [CUSTOMERS, VIP]) == set()
    customers, vip, undo = (begun(ephemeral, job) for job in ("sync_customers", "sync_vip", "undo_run"))
    assert runs_under_way(ephemeral, [CUSTOMERS]) == {customers, undo}
    ended: list[str] = []
    said: list[str] = []

    def one_ends(_: float) -> None:
        ended.append([customers, vip, undo][len(ended)])
        run = ephemeral.get_run_by_id(ended[-1])
        assert run is not None
        ephemeral.report_run_canceled(run)
        begun(ephemeral, "sync_customers")  # it finds the person on the list: nobody waits for it

    wait_for_runs(ephemeral, [CUSTOMERS, VIP], said.append, one_ends)
    assert len(ended) == 3
    assert len(said) == 1
    assert all(run in said[0] for run in (customers, vip, undo))


def test_it_waits_when_the_person_is_on_the_list_already(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.run("sync_customers")
    seen: list[bool] = []

    def look(*_: Any) -> None:
        with StateStore.open(f"sqlite:///{stage.home / 'kustomer_state.db'}") as store:
            seen.append(store.anybody_suppressed())

    monkeypatch.setattr(command, "wait_for_runs", look)
    stage.forget("--email", EMAIL)
    assert seen == [True]


# --- as the pages show it -------------------------------------------------------------------------------------


def shown() -> list[str]:
    pages = (REPOSITORY / "README.md", REPOSITORY / "docs" / "guides" / "privacy.md")
    blocks = [block for page in pages for block in code_blocks(page.read_text(encoding="utf-8"), "sh")]
    return sorted({line for block in blocks for line in block.splitlines() if line.startswith(FORGET)})


def test_the_commands_of_the_pages_run(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []
    monkeypatch.setattr(command, "load_whole", None)
    real = command.run
    project = LoadedProject([stage.customers, stage.vip], [], dg.Definitions())
    monkeypatch.setattr(command, "run", lambda options: real(options, lambda _: project, said.append))
    (tmp_path / "workspace.yaml").write_text("load_from: []\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    stage.pipeline.customers([("C-17", "jane@example.com", "Jane", None, "pro")])
    stage.run("sync_customers")
    commands = shown()
    assert len(commands) == 2
    for line in commands:
        words = line.split()[3:]
        if "--lift" in words:
            words[-1] = json.loads(said[0])["receipt"]
        assert main(words) == 0
    assert re.search(r"\d+ identifiers? (is|are) off the list", said[-1])
