"""docs/architecture.md is the house as it is: who may import whom, and the order of the arrows inside sync/."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kustomer_pipeline_tests.markdown import code_spans, section, table

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kustomer_pipeline"
ENGINE = PACKAGE / "sync"
PICTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
LIBRARIES = {"dagster", "pandas", "httpx"}

MOST_LINES = 250
# They make a stream of a specification, and tell a plan's reader what was counted.
MAY_ASK_FOR_THE_KIND = {"opening.py", "planning.py"}


# --- what there is, and what the picture says ---------------------------------------------------------------------


def parts() -> set[str]:
    """The package's own parts: sub-packages and top-level modules."""
    return units(PACKAGE)


def units(folder: Path) -> set[str]:
    """The sub-packages and modules of a folder."""
    names = {path.name for path in folder.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    return names | {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}


def rules() -> dict[str, tuple[set[str], set[str]]]:
    """Part → (parts it may import, libraries it never imports), from the table of the picture."""
    found = {}
    for name, may, never in table(section(PICTURE, "Who may import whom"), "package"):
        allowed = parts() if may == "anything" else set(code_spans(may))
        found[name.strip("`")] = (allowed, set(re.findall(r"\w+", never)) & LIBRARIES)
    return found


def lines() -> dict[str, int]:
    """Module or sub-package of sync/ → the line that it stands on in the picture."""
    found: dict[str, int] = {}
    for number, names, _ in table(section(PICTURE, "Inside `sync/`"), "line"):
        for name in code_spans(names):
            assert name not in found, f"{name} is in the picture twice"
            found[name] = int(number)
    return found


def modules(part: str, folder: Path = PACKAGE) -> Iterator[Path]:
    """The files of a sub-package or module."""
    inside = folder / part
    yield from inside.rglob("*.py") if inside.is_dir() else [folder / f"{part}.py"]


def imports(path: Path) -> set[str]:
    """Dotted names a module imports, relative ones resolved; also those within functions and under TYPE_CHECKING."""
    names = set()
    base = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            anchor = ".".join(base[: len(base) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [anchor, node.module]))
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def imported(path: Path, package: str) -> set[str]:
    """What a module imports of a package of ours: the first name below it."""
    inside = f"{package}."
    return {name.removeprefix(inside).split(".")[0] for name in imports(path) if name.startswith(inside)}


# --- the packages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", sorted(parts()))
def test_a_part_imports_only_what_the_picture_allows(part: str) -> None:
    assert part in rules(), f"{part} is not in the table of docs/architecture.md"
    allowed, never = rules()[part]
    for path in modules(part):
        foreign = (imported(path, "kustomer_pipeline") & parts()) - allowed - {part}
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"
        libraries = {name.split(".")[0] for name in imports(path)} & never
        assert not libraries, f"{path.relative_to(ROOT)} imports {libraries}"


def test_the_picture_has_no_part_that_is_gone() -> None:
    assert set(rules()) == parts()


def test_httpx_is_imported_in_one_module_only() -> None:
    importers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == "httpx" for name in imports(path))
    ]
    assert importers == ["kustomer/transport.py"]


def test_nothing_below_components_and_resources_imports_dagster() -> None:
    for part in ("warehouse", "mapping", "sync", "kustomer", "sandbox"):
        for path in modules(part):
            assert "dagster" not in {name.split(".")[0] for name in imports(path)}, path


# --- the engine ---------------------------------------------------------------------------------------------------


def test_the_picture_has_every_module_of_the_engine_and_no_other() -> None:
    assert set(lines()) == units(ENGINE)


@pytest.mark.parametrize("unit", sorted(units(ENGINE)))
def test_inside_the_engine_the_arrows_never_run_back(unit: str) -> None:
    known = lines()
    for path in modules(unit, ENGINE):
        others = (imported(path, "kustomer_pipeline.sync") & known.keys()) - {unit}
        back = {f"{other} (line {known[other]})" for other in others if known[other] >= known[unit]}
        assert not back, f"{path.relative_to(ROOT)} stands on line {known[unit]} and imports {back}"


def test_only_the_opening_and_the_planning_ask_what_kind_a_specification_is() -> None:
    asking = {
        str(path.relative_to(ENGINE))
        for path in ENGINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        if re.search(r"\bspec\b|\b(Object|Audience)Spec\b", ast.unparse(node))
    }
    assert asking <= MAY_ASK_FOR_THE_KIND


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINE)))
def test_a_module_of_the_engine_has_at_most_250_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_every_place_to_change_something_is_there() -> None:
    for _, where in table(section(PICTURE, "Where to change what"), "you want to change"):
        for name in (name for name in code_spans(where) if "/" in name or name.endswith(".py")):
            assert (ENGINE / name).exists() or (PACKAGE / name).exists(), name


# --- the laws -----------------------------------------------------------------------------------------------------


def test_every_proof_that_the_guarantees_name_is_there() -> None:
    tests = {path.name for path in (ROOT / "kustomer_pipeline_tests").rglob("test_*.py")}
    named = set(re.findall(r"`(?:[\w/]+/)?(test_\w+\.py)`", GUARANTEES))
    assert named <= tests
    assert {name for name in tests if name.startswith("test_law_")} <= named


@pytest.mark.parametrize("number", range(1, 12))
def test_the_guarantees_have_every_law_in_the_same_words_with_its_proof(number: int) -> None:
    title = re.search(rf"^{number}\. \*\*(.+?)\*\*", section(PICTURE, "The laws"), re.M)
    assert title is not None
    said = section(GUARANTEES, "The laws").split(f"**{number}. {title[1]}**")
    assert len(said) == 2
    assert f"`test_law_{number:02d}_" in said[1].split("\n\n")[0]
