"""Completion, asked of the shells themselves; and what must stay quick for it."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.cli.arguments import ARGUMENTS
from kustomer_pipeline.cli.completion import commands
from kustomer_pipeline.cli.names_of_syncs import names_of_syncs
from kustomer_pipeline.cli.parser import COMMANDS
from kustomer_pipeline.components.of_project import load_project
from kustomer_pipeline_tests.conftest import REPOSITORY

from .conftest import CUSTOMERS, VIP


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three scripts, and a `kustomer-pipeline` beside them."""
    folder = tmp_path_factory.mktemp("completion")
    program = folder / "kustomer-pipeline"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kustomer_pipeline "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    for shell in ("bash", "zsh", "fish"):
        with (folder / shell).open("w", encoding="utf-8") as script, contextlib.redirect_stdout(script):
            assert main(["completion", shell]) == 0
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of somebody's own with two syncs, and something else in its defs folder."""
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "crm"\n', encoding="utf-8")
    for name, text in (("customers", CUSTOMERS), ("vip", VIP), ("models", "type: somebody.Else\n")):
        (tmp_path / "crm" / "defs" / name).mkdir(parents=True)
        (tmp_path / "crm" / "defs" / name / "defs.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(shell: str, scripts: Path, program: str) -> str:
    """What a shell says when it is told this, with the program on its PATH."""
    path = f"{scripts}:{os.environ['PATH']}"
    done = subprocess.run(
        [shell, *(["--norc"] if shell == "bash" else []), "-c", program],
        env={"PATH": path, "HOME": str(scripts), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def in_bash(scripts: Path, *words: str) -> set[str]:
    """What bash offers for the last word."""
    line = " ".join(f'"{word}"' for word in words)
    program = f"source {scripts}/bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _kustomer_pipeline; "
    return set(asked("bash", scripts, f'{program} printf "%s\\n" "${{COMPREPLY[@]}}"').split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pl"], {"plan"}),
        (["un"], {"undo"}),
        (["plan", ""], {"customers", "vip"}),
        (["run", "customers", "v"], {"vip"}),
        (["run", "--limit", "5", ""], {"customers", "vip"}),
        (["show", "c"], {"customers"}),
        (["plan", "--mar"], {"--markdown"}),
        (["plan", "--only", ""], {"rejected"}),
        (["run", "--limit", ""], set()),
        (["forget", "--sync", ""], {"customers", "vip"}),
        (["exposures", "--maturity", "h"], {"high"}),
        (["completion", "z"], {"zsh"}),
        (["run", "--project", "cr"], {"crm"}),
    ],
)
def test_bash_completes_commands_options_and_names_of_syncs(
    scripts: Path, project: Path, words: list[str], offered: set[str]
) -> None:
    assert in_bash(scripts, "kustomer-pipeline", *words) == offered


def test_bash_names_every_command_and_every_option(scripts: Path, project: Path) -> None:
    assert in_bash(scripts, "kustomer-pipeline", "") == {*COMMANDS, "--help", "--version"}
    for command in commands():
        options = {name for takes in command.options for name in takes.names}
        assert in_bash(scripts, "kustomer-pipeline", command.name, "-") == options


def test_the_syncs_of_another_project_are_completed_where_one_is_named(
    scripts: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert in_bash(scripts, "kustomer-pipeline", "plan", "") == {"customers", "vip"}  # of the project around it
    clone = str(REPOSITORY)
    assert "vip_audience" in in_bash(scripts, "kustomer-pipeline", "plan", "--project", clone, "")


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish on this machine")
def test_fish_completes_the_same(scripts: Path, project: Path) -> None:
    def offered(line: str) -> set[str]:
        out = asked("fish", scripts, f"source {scripts}/fish; complete -C '{line}'")
        return {text.split("\t")[0] for text in out.splitlines()}

    assert offered("kustomer-pipeline ") == set(COMMANDS)
    assert offered("kustomer-pipeline plan ") == {"customers", "vip"}
    assert offered("kustomer-pipeline plan --only ") == {"rejected"}
    assert offered("kustomer-pipeline plan --mar") == {"--markdown"}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh on this machine")
def test_zsh_can_read_its_script(scripts: Path) -> None:
    assert asked("zsh", scripts, f"zsh -n {scripts}/zsh && echo fine") == "fine\n"
    assert all(f"{name})" in (scripts / "zsh").read_text() for name in COMMANDS)


# --- names --------------------------------------------------------------------------------------------------------


def test_the_names_are_those_that_dagster_loads() -> None:
    assert names_of_syncs(REPOSITORY) == sorted(sync.name for sync in load_project(REPOSITORY)[0])


def test_the_names_in_the_folder_of_ones_own_are_found(project: Path, tmp_path: Path) -> None:
    own, named = tmp_path / "mine", str(project / "crm" / "defs")
    own.mkdir()
    assert names_of_syncs(own, named) == ["customers", "vip"]
    (own / ".env").write_text(f"KUSTOMER_DEFS={named}\n", encoding="utf-8")
    assert names_of_syncs(own) == ["customers", "vip"]


def test_a_folder_that_cannot_be_read_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe not toml")
    assert names_of_syncs(tmp_path) == []
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "gone"\n', encoding="utf-8")
    assert names_of_syncs(tmp_path) == []


# --- quick --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["--help"], ["completion", "syncs"], ["--version"], *([name, "--help"] for name in ARGUMENTS)]
)
def test_neither_dagster_nor_pandas_is_imported_for_help_and_for_names(words: list[str]) -> None:
    program = (
        "import sys\nfrom kustomer_pipeline.__main__ import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "print(sorted({'dagster', 'pandas', 'rich', 'sqlalchemy', 'httpx'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert done.stdout != ""
