"""The picture in docs/architecture.md is the house as it is: its import rules hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kustomer_pipeline"
PICTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LIBRARIES = {"dagster", "pandas", "httpx"}


def parts() -> set[str]:
    """The package's own parts: sub-packages and top-level modules."""
    names = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    names |= {path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    return names


def rules() -> dict[str, tuple[set[str], set[str]]]:
    """Part → (parts it may import, libraries and parts it never imports), from the table of the picture."""
    table = PICTURE.split("## Who may import whom")[1].split("\n\n")[1]
    found = {}
    for line in table.splitlines()[2:]:
        name, may, never = (cell.strip() for cell in line.strip().strip("|").split("|"))
        allowed = parts() if may == "anything" else set(re.findall(r"`(\w+)`", may))
        found[name.strip("`")] = (allowed, set(re.findall(r"\w+", never)) & LIBRARIES)
    return found


def modules(part: str) -> Iterator[Path]:
    folder = PACKAGE / part
    yield from folder.rglob("*.py") if folder.is_dir() else [PACKAGE / f"{part}.py"]


def imports(path: Path) -> set[str]:
    """Dotted names a module imports, relative ones resolved."""
    names = set()
    package = path.relative_to(ROOT).with_suffix("").parts
    base = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            anchor = ".".join(base[: len(base) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [anchor, node.module]))
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def imported_parts(path: Path) -> set[str]:
    own = {name.split(".")[1] for name in imports(path) if name.startswith("kustomer_pipeline.")}
    return own & parts()


@pytest.mark.parametrize("part", sorted(parts()))
def test_a_part_imports_only_what_the_picture_allows(part: str) -> None:
    assert part in rules(), f"{part} is not in the table of docs/architecture.md"
    allowed, never = rules()[part]
    for path in modules(part):
        foreign = imported_parts(path) - allowed - {part}
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"
        libraries = {name.split(".")[0] for name in imports(path)} & never
        assert not libraries, f"{path.relative_to(ROOT)} imports {libraries}"


def test_httpx_is_imported_in_one_module_only() -> None:
    importers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == "httpx" for name in imports(path))
    ]
    assert ["kustomer/transport.py"] == importers


def test_nothing_below_components_and_resources_imports_dagster() -> None:
    for part in ("warehouse", "mapping", "sync", "kustomer", "sandbox"):
        for path in modules(part):
            assert "dagster" not in {name.split(".")[0] for name in imports(path)}, path


def test_the_picture_names_every_part_and_every_module_of_the_engine() -> None:
    for part in parts():
        assert f"`{part}`" in PICTURE or f"{part}/" in PICTURE, part
    for path in (PACKAGE / "sync").glob("[a-z]*.py"):
        assert f"`{path.stem}`" in PICTURE, path.stem


def test_every_proof_that_the_guarantees_name_is_there() -> None:
    guarantees = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+\.py)`", guarantees))
    assert {path.name for path in (ROOT / "kustomer_pipeline_tests" / "laws").glob("test_*.py")} >= named
    laws = PICTURE.split("## The laws")[1].split("\n## ")[0]
    for number in range(1, 12):
        title = re.search(rf"^{number}\. \*\*(.+?)\*\*", laws, re.M)
        assert title is not None
        assert f"**{number}. {title.group(1)}**" in guarantees
        assert any(name.startswith(f"test_law_{number:02d}_") for name in named)
