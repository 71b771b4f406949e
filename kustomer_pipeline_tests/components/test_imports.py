"""The house has a bottom and a top: no circle of imports anywhere, no late import in the Dagster face."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "kustomer_pipeline"

# Command lines: they make the environment of the processes that they start.
MAY_READ_THE_ENVIRONMENT = {"resources.py", "demo/__main__.py", "demo/local.py"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(root: Path = PACKAGE) -> dict[str, Path]:
    return {name_of(path): path for path in root.rglob("*.py")}


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules that one imports: anywhere in it, under TYPE_CHECKING and inside functions too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            anchor = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(filter(None, [anchor, node.module]))
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield from (one for one in (inner if inner in known else module,) if one in known)


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one circle, in order; nothing when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def graph_of(known: dict[str, Path]) -> dict[str, set[str]]:
    return {name: set(imported(name, path, known)) - {name} for name, path in known.items()}


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle(graph_of(modules())) == []


def test_a_circle_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "__init__.py").write_text("")
    (tmp_path / "house" / "a.py").write_text("def late():\n    from .b import thing\n")
    (tmp_path / "house" / "b.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house import a\n"
    )
    assert set(circle(graph_of(modules(tmp_path / "house")))) == {"house.a", "house.b"}


def test_the_dagster_face_imports_nothing_late() -> None:
    late = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (PACKAGE / "components").rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert late == []


def test_what_a_sync_may_say_is_at_the_bottom_and_the_dagster_classes_are_on_top() -> None:
    known = modules()
    face = "kustomer_pipeline.components"
    graph = graph_of(known)
    for name in (one for one in known if one.startswith(f"{face}.sync_config")):
        above = {one for one in graph[name] if one.startswith(face)}
        assert all(one.startswith(f"{face}.sync_config") for one in above), (name, above)
    importers = {name for name, names in graph.items() if f"{face}.component" in names}
    loaders = ("defs_folder", "file_problems", "of_project", "project")
    assert importers == {face, *(f"{face}.{name}" for name in loaders)}


def test_the_environment_is_read_in_one_module() -> None:
    readers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers == MAY_READ_THE_ENVIRONMENT
