"""The syncs that a project writes in Python: its code location is imported, and what it builds is noted.

    pyproject.toml, workspace.yaml → names of modules and files → imported → (syncs, Definitions)

A sync becomes assets in `build_definitions`, and cannot be found in them any more; so that function notes it here.
"""

import importlib
import importlib.util
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import yaml
from dagster.components.definitions import LazyDefinitions

from .sync_config import SyncConfig

_built: list[SyncConfig] = []


def note(syncs: Sequence[SyncConfig]) -> None:
    """These syncs were built in Python."""
    _built.extend(syncs)


def built_in_python(folder: Path) -> tuple[list[SyncConfig], dg.Definitions | None]:
    """The syncs that the code location of a project builds, and what it gives to Dagster where it builds any.

    Whatever its modules raise goes through; a project that names no module has none.
    """
    before = len(_built)
    modules = [module for module in _modules(folder) if module is not None]
    if len(_built) == before:
        return [], None
    values = (value for module in modules for value in vars(module).values())
    return _built[before:], next((value for value in values if isinstance(value, dg.Definitions)), None)


def definitions_in(folder: Path) -> Iterator[dg.Definitions]:
    """What the modules of the code location give to Dagster. Whatever they raise goes through."""
    for module in _modules(folder.resolve()):
        for value in vars(module).values() if module is not None else ():
            if isinstance(value, dg.Definitions):
                yield value
            elif isinstance(value, LazyDefinitions) and not value.has_context_arg:
                made = value()
                if isinstance(made, dg.Definitions):
                    yield made


def project_settings(folder: Path) -> dict[str, Any]:
    """What `[tool.dg.project]` of the pyproject.toml says; nothing where there is none."""
    return _settings(folder, "dg", "project")


def _modules(folder: Path) -> Iterator[ModuleType | None]:
    project = project_settings(folder)
    if root := project.get("root_module"):
        yield _imported(str(project.get("code_location_target_module") or f"{root}.definitions"))
    if name := _settings(folder, "dagster").get("module_name"):
        yield _imported(str(name))
    for item in _workspace(folder):
        for kind, value in item.items():
            named = value if isinstance(value, dict) else {"module_name": value, "relative_path": value}
            if kind == "python_module":
                yield _imported(str(named.get("module_name")))
            elif kind == "python_file":
                yield _from_file(folder / str(named.get("relative_path")))


def _imported(name: str) -> ModuleType | None:
    if name in sys.modules:
        return importlib.reload(sys.modules[name])  # its syncs may have been built before anybody asked
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            return None  # the project is written in YAML only
        raise


def _from_file(path: Path) -> ModuleType | None:
    spec = importlib.util.spec_from_file_location(path.stem, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _settings(folder: Path, *keys: str) -> dict[str, Any]:
    try:
        found: Any = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    for key in ("tool", *keys):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _workspace(folder: Path) -> list[dict[str, Any]]:
    try:
        found = yaml.safe_load((folder / "workspace.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return []
    items = found.get("load_from") if isinstance(found, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
