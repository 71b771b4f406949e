"""Which folder is the project: never the demo's syncs because somebody stood in the wrong one."""

from pathlib import Path

import pytest

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.project_folder import (
    NoProjectError,
    dg_settings,
    files_of,
    in_project,
    is_of_this_package,
    modules_of,
    project_root,
)

from .conftest import REPOSITORY

PYPROJECT = '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "shop"\n'
FILES = {
    "pyproject.toml": PYPROJECT,
    "dg.toml": 'directory_type = "project"\n[project]\nroot_module = "shop"\n',
    "workspace.yaml": "load_from: [{python_module: shop.definitions}]\n",
    ".env": "KUSTOMER_DEFS=syncs\n",
}
DAGSTER = '[tool.dagster]\nmodule_name = "shop.definitions"\n'


@pytest.mark.parametrize("file, text", [*FILES.items(), ("pyproject.toml", DAGSTER)])
def test_it_is_found_from_any_folder_below(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    below = tmp_path / "src" / "shop"
    below.mkdir(parents=True)
    assert project_root(below, "") == project_root(tmp_path, "") == tmp_path.resolve()


def test_the_nearest_is_the_one(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    for folder in (tmp_path, inner):
        (folder / "workspace.yaml").write_text(FILES["workspace.yaml"])
    assert project_root(inner, "") == inner.resolve()


@pytest.mark.parametrize("text", ["", "[tool.ruff]\nline-length = 120\n", "no toml ["])
def test_a_folder_of_something_else_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / ".env").write_text("WAREHOUSE_URL=sqlite:///x.db\n")
    with pytest.raises(NoProjectError, match=r"There is no Dagster project in .*--project FOLDER\. Its \.env is read"):
        project_root(tmp_path, "")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError, match=r"There is no folder .*nowhere"):
        project_root(tmp_path / "nowhere", "syncs")


def test_with_a_folder_of_syncs_named_any_folder_will_do(tmp_path: Path) -> None:
    assert project_root(tmp_path, "syncs") == tmp_path.resolve()
    assert is_of_this_package(tmp_path, "syncs")


@pytest.mark.parametrize("file", sorted(FILES))
def test_what_belongs_to_somebody_else_is_not_this_package(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text(FILES[file])
    assert not is_of_this_package(tmp_path, "")


def test_a_clone_is_this_package() -> None:
    assert is_of_this_package(REPOSITORY, "")
    assert project_root(REPOSITORY / "docs", "") == REPOSITORY


def test_what_dagster_loads(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"{PYPROJECT}{DAGSTER}".replace("shop.definitions", "other"))
    entries = ("python_module: a", "python_module: {module_name: b}", "python_file: c.py", "1", "grpc_server: {}")
    (tmp_path / "workspace.yaml").write_text("load_from:\n" + "".join(f"  - {entry}\n" for entry in entries))
    assert modules_of(tmp_path) == ["shop.definitions", "other", "a", "b"]
    assert files_of(tmp_path) == [tmp_path / "c.py"]
    assert dg_settings(tmp_path) == {"root_module": "shop"}


def test_it_is_the_current_folder_and_its_env_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_A_TEST", "")
    monkeypatch.delenv("OF_A_TEST")
    before = Path.cwd()
    (tmp_path / "workspace.yaml").write_text(FILES["workspace.yaml"])
    (tmp_path / ".env").write_text("OF_A_TEST=1\n")
    below = tmp_path / "below"
    below.mkdir()
    with in_project(below, "") as root:
        assert Path.cwd() == root == tmp_path.resolve()
    assert Path.cwd() == before


COMMANDS = ("plan", "run", "status", "show customers C-1", "undo run", "apply plan-1-x", "exposures", "forget --key 1")


@pytest.mark.parametrize("command", COMMANDS)
def test_in_the_wrong_folder_no_command_takes_other_syncs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUSTOMER_DEFS", raising=False)
    assert main(command.split()) in (1, 2)
    out, beside = capsys.readouterr()
    assert out == ""
    assert "There is no Dagster project in" in beside


def test_the_doctor_has_it_as_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUSTOMER_DEFS", raising=False)
    assert main(["doctor"]) == 2
    assert "There is no Dagster project in" in " ".join(capsys.readouterr().out.split())
