"""KUSTOMER_DEFS: syncs that live in a folder of their owner's, and not in the package."""

import importlib
from pathlib import Path

import dagster as dg
import pytest

from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.components.of_project import load_project
from kustomer_pipeline_tests.conftest import REPOSITORY

SYNC = """\
type: kustomer_pipeline.ObjectSync
attributes:
  object: customers
  query_file: people.sql
  match_on: [email]
  fields: {email: email}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "our syncs"
    (folder / "people").mkdir(parents=True)
    (folder / "people" / "defs.yaml").write_text(SYNC)
    (folder / "people" / "people.sql").write_text("select email from people")
    monkeypatch.setenv("KUSTOMER_DEFS", str(folder))
    return folder


def loaded() -> dg.Definitions:
    """What Dagster loads, anew."""
    import kustomer_pipeline.definitions

    found = importlib.reload(kustomer_pipeline.definitions).defs
    assert isinstance(found, dg.Definitions)
    return found


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> object:
    yield
    monkeypatch.undo()
    loaded()


def names(defs: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}


def test_the_syncs_of_the_folder_are_loaded_and_no_others(folder: Path) -> None:
    defs = loaded()
    assert names(defs) == {f"kustomer/people{stage}" for stage in ("_rows", "_mapped", "", "_plan")}
    assert {"sync_people", "sync_all", "undo_run"} <= {*defs.get_repository_def().job_names}


def test_commands_beside_dagster_find_them_too(folder: Path, tmp_path: Path) -> None:
    syncs = load_project(tmp_path).syncs
    assert [sync.name for sync in syncs] == ["people"]


def test_a_relative_folder_counts_from_where_it_is_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("KUSTOMER_DEFS", folder.name)
    assert "kustomer/people" in names(loaded())


def test_another_folder_is_another_set_of_syncs(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded()
    other = tmp_path / "other"
    (other / "clients").mkdir(parents=True)
    (other / "clients" / "defs.yaml").write_text(SYNC.replace("query_file: people.sql", "query: select email from c"))
    monkeypatch.setenv("KUSTOMER_DEFS", str(other))
    assert "kustomer/clients" in names(loaded())


def test_a_mistake_names_the_file_and_the_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_STRICT", "1")
    (folder / "people" / "defs.yaml").write_text(SYNC.replace("match_on: [email]", "match_on: [emial]"))
    with pytest.raises(SyncConfigError, match=r"our syncs/people/defs\.yaml:5"):
        loaded()


def test_a_folder_without_a_sync_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_DEFS", str(tmp_path))
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="which holds no sync yet"):
        loaded()


def test_a_folder_may_hold_definitions_in_python_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "people.py").write_text("import dagster as dg\n\n\n@dg.asset\ndef people() -> None: ...\n")
    monkeypatch.setenv("KUSTOMER_DEFS", str(tmp_path))
    assert names(loaded()) == {"people"}


def test_a_folder_that_is_not_there_is_an_error_that_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_DEFS", str(tmp_path / "nowhere"))
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"KUSTOMER_DEFS is '.*nowhere', and there is no"):
        loaded()


def test_without_the_variable_the_syncs_of_the_demo_are_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.env` that is missing, in a container or in CI, must not make the demo's syncs those of a company."""
    monkeypatch.delenv("KUSTOMER_DEFS", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"KUSTOMER_DEFS is not set, and .* is no clone"):
        loaded()
    monkeypatch.chdir(REPOSITORY / "docs")
    assert "kustomer/vip_audience" in names(loaded())
