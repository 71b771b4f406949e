"""The documentation as a site: it builds, needs nobody else, and what its pages show is so."""

import argparse
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from kustomer_pipeline.__main__ import COMMANDS, main
from kustomer_pipeline.cli.parser import SCRIPT, make_parser
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.components.applying import ApplyPlanConfig
from kustomer_pipeline.components.drift import NO_DRIFT
from kustomer_pipeline.components.run_config import PlanRunConfig, SyncRunConfig
from kustomer_pipeline.definitions import defs
from kustomer_pipeline_tests.components.conftest import Project, empty_project
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.docs import reference
from kustomer_pipeline_tests.docs.hooks import with_links
from kustomer_pipeline_tests.markdown import code_blocks, code_spans, table

GUIDES = sorted((REPOSITORY / "docs" / "guides").glob("*.md"))
PAGES = [*GUIDES, REPOSITORY / "docs" / "index.md"]
EVERY_GUIDE = pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    yield from empty_project(tmp_path, monkeypatch)


def files_of(guide: Path) -> dict[str, str]:
    """The `defs.yaml` files that a guide shows, by the path in their first line."""
    blocks = [text for text in code_blocks(guide.read_text(encoding="utf-8"), "yaml") if "\ntype: " in f"\n{text}"]
    found = {}
    for text in blocks:
        path = re.match(r"# (\w+/defs\.yaml)\n", text)
        assert path is not None, f"{guide.name}: the first line says which file this is:\n{text}"
        found[path[1]] = text
    return found


def shown_after(guide: str, marker: str) -> str:
    """The block that follows a marker of a guide."""
    text = (REPOSITORY / "docs" / "guides" / guide).read_text(encoding="utf-8")
    found = re.search(rf"(?ms)^<!-- {re.escape(marker)} -->\n```\w+\n(.*?)^```$", text)
    assert found is not None
    return found[1]


# --- the site -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. Built strictly: a broken link or anchor ends it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_builds_without_a_broken_link_and_has_every_page(site: Path) -> None:
    pages = {path.relative_to(REPOSITORY / "docs") for path in (REPOSITORY / "docs").rglob("*.md")}
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    assert {page.with_suffix(".html") for page in pages if page.stem != "README"} <= built


def test_a_page_of_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = {
        address
        for page in site.rglob("*.html")
        for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page.read_text(encoding="utf-8"))
        for address in re.findall(r'(?:src|href)="(https?:)?//', tag)
    }
    assert loaded == set()


def test_every_picture_of_the_site_is_there(site: Path) -> None:
    pictures = [
        (page, source)
        for page in site.rglob("*.html")
        for source in re.findall(r'<img\b[^>]*\bsrc="([^"]+)"', page.read_text(encoding="utf-8"))
    ]
    assert len(pictures) > 3
    assert [source for page, source in pictures if not (page.parent / source).is_file()] == []


def test_no_marker_is_left_in_the_site(site: Path) -> None:
    left = [page.name for page in site.rglob("*.html") if "<!-- reference:" in page.read_text(encoding="utf-8")]
    assert left == []
    assert "The warehouse, in SQLite" in (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "link, turned",
    [
        ("[a](../README.md#undo-a-run)", "[a](readme.md#undo-a-run)"),
        ("[a](fields.md)", "[a](fields.md)"),
        ("[`dagster.yaml`](../dagster.yaml)", "`dagster.yaml`"),
        ("[the file](../dagster.yaml)", "the file (`dagster.yaml`)"),
        ("[`deploy/`](../deploy)", "`deploy`"),
        ('<img src="graph.png" width="9">', '<img src="graph.png" width="9">'),
        ("[a](../no_such_file.yaml)", "[a](../no_such_file.yaml)"),
        ("```\n[a](../README.md)\n```\n", "```\n[a](../README.md)\n```\n"),
    ],
)
def test_a_link_out_of_the_site_becomes_one_within_it_or_a_path(link: str, turned: str) -> None:
    assert with_links(link, "docs/deploy.md") == turned


# --- the reference ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", reference.COMPONENTS)
def test_the_reference_has_every_attribute_with_type_default_and_description(name: str) -> None:
    text = reference.attributes(name)
    whole = reference.schema_of(reference.COMPONENTS[name])
    parts = [whole, *(part for part in whole.get("$defs", {}).values() if "properties" in part)]
    sections = re.split(r"(?m)^### ", text)[1:]
    assert [section.splitlines()[0] for section in sections] == [
        attribute
        for part in parts
        for attribute in sorted(part["properties"], key=lambda one: one not in part.get("required", ()))
    ]
    for section in sections:
        title, _, facts, _, description, *_ = section.splitlines()
        assert re.fullmatch(r"\*\S.*, (required|default .+)\*", facts), title
        assert description, f"{title} has no description"


@pytest.mark.parametrize("name", reference.COMPONENTS)
def test_the_examples_of_the_reference_are_yaml(name: str) -> None:
    examples = code_blocks(reference.attributes(name), "yaml")
    assert examples != []
    for example in examples:
        assert len(yaml.safe_load(example)) == 1


def test_the_reference_of_run_config_has_every_key_and_says_which_a_plan_takes() -> None:
    rows = {code_spans(row[0])[0]: row for row in table(reference.run_config(), "key")}
    assert rows.keys() == SyncRunConfig.model_fields.keys()
    assert {name for name, row in rows.items() if row[2] == "yes"} == PlanRunConfig.model_fields.keys()
    assert [name for name, row in rows.items() if not row[3]] == []


def test_the_reference_of_checks_has_every_check() -> None:
    listed = {code_spans(row[0])[0] for row in table(reference.checks(), "check")}
    in_bundled_syncs = {key.name for key in defs.resolve_asset_graph().asset_check_keys}
    assert listed == in_bundled_syncs | {NO_DRIFT}  # none of them looks for drift


def test_the_reference_of_variables_is_that_of_the_readme() -> None:
    def names(text: str) -> list[str]:
        return [row[0] for row in table(text, "variable")]

    assert names(reference.environment()) == names((REPOSITORY / "README.md").read_text(encoding="utf-8"))


def test_every_part_of_the_reference_has_its_page() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "docs" / "reference").glob("*.md"))
    assert sorted(re.findall(r"<!-- reference: ([\w ]+) -->", pages)) == sorted(reference.GENERATED)


# --- the guides ---------------------------------------------------------------------------------------------------


@EVERY_GUIDE
def test_the_files_of_a_guide_load_together(guide: Path, project: Project) -> None:
    files = files_of(guide)
    for path, text in files.items():
        project.write(path, text)
    loaded = project.load()
    syncs = {path.split("/")[0] for path, text in files.items() if "KustomerProject" not in text}
    if syncs and guide.stem != "several-orgs":  # whose resources are of two orgs: its loading is enough
        dg.Definitions.validate_loadable(loaded)
    keys = {key.to_user_string() for key in loaded.resolve_asset_graph().get_all_asset_keys()} if syncs else set()
    assert {f"kustomer/{name}" for name in syncs} <= keys


@EVERY_GUIDE
def test_the_run_config_of_a_guide_is_taken_by_whom_it_names(guide: Path) -> None:
    blocks = code_blocks(guide.read_text(encoding="utf-8"), "yaml")
    for config in (yaml.safe_load(text) for text in blocks if text.startswith("ops:")):
        for op, given in config["ops"].items():
            taken_by(op)(**given["config"])


def taken_by(op: str) -> type[dg.Config]:
    """What is taken in run config by the job `apply_plan`, a plan, a sync."""
    if op == "apply":
        return ApplyPlanConfig
    assert re.fullmatch(r"kustomer__\w+", op)
    return PlanRunConfig if op.endswith("_plan") else SyncRunConfig


@EVERY_GUIDE
def test_every_yaml_block_of_a_guide_is_one_that_a_test_reads(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    other = [block for block in code_blocks(text, "yaml") if not re.search(r"(?m)^(type|ops|exposures):", block)]
    assert other == []


def test_a_mistake_is_told_as_the_guide_shows(project: Project) -> None:
    text = files_of(REPOSITORY / "docs" / "guides" / "first-sync.md")["customers/defs.yaml"]
    project.write("customers/defs.yaml", text.replace("[externalId, email]", "[externalid]"))
    with pytest.raises(SyncConfigError) as error:
        project.load()
    said = str(error.value).replace(str(project.folder), "kustomer_pipeline/defs")
    assert said == shown_after("first-sync.md", "what is told of the mistake").strip()


def test_the_exposures_are_as_the_guide_shows(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, text in files_of(REPOSITORY / "docs" / "guides" / "dbt.md").items():
        project.write(path, text)
    settings = f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{project.package}"\n'
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    monkeypatch.setattr("sys.path", [*sys.path])
    assert main(["exposures", "--project", str(tmp_path)]) == 0
    assert capsys.readouterr().out == shown_after("dbt.md", "the exposures of the syncs above")


def commands() -> list[tuple[str, str]]:
    """Page and command: each line of the sh blocks of the guides."""
    return [
        (page.name, line.partition(" #")[0].strip())
        for page in PAGES
        for block in code_blocks(page.read_text(encoding="utf-8"), "sh")
        for line in block.splitlines()
        if line.strip()
    ]


def test_our_commands_in_the_guides_are_taken_as_they_are_written() -> None:
    """Those of `make` and of other modules are looked up by test_readme.py."""
    ours = [
        found[1].split() for _, line in commands() if (found := re.search(r"python -m kustomer_pipeline (.*)", line))
    ]
    assert {words[0] for words in ours} == {"doctor", "exposures", "forget"}
    for words in ours:
        parser = argparse.ArgumentParser(exit_on_error=False)
        importlib.import_module(COMMANDS[words[0]][0]).add_arguments(parser)
        parser.parse_args(words[1:])


def test_commands_of_the_script_in_the_guides_are_taken_as_they_are_written() -> None:
    lines = [line.partition(" | ")[0] for _, line in commands() if line.startswith(f"{SCRIPT} ")]
    assert len(lines) > 10
    for line in lines:
        words = line.split()[1:]
        make_parser(SCRIPT, [words[0]]).parse_args(words)


def test_every_other_command_of_the_guides_is_one_that_is_known_here() -> None:
    known = (
        r"make |python -m kustomer_pipeline|\.venv/bin/|mkdir |rm -r kustomer_pipeline/defs/|"
        r"export DAGSTER_HOME=|git pull|KUSTOMER_STRICT=1 |kustomer-pipeline |python3 -m venv |"
        r"\. \.venv/bin/activate|dg |cd |for file in "
    )
    assert [line for _, line in commands() if not re.match(known, line)] == []
