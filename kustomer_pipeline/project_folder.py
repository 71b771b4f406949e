"""Which folder is the Dagster project that a command works with, and what its files say Dagster loads from it.

    the folder of a command, else the nearest above it with pyproject.toml ([tool.dg.project], [tool.dagster]), dg.toml,
    workspace.yaml, or KUSTOMER_DEFS in its .env → the project

Never a guess: where there is no project, a command must not take the syncs of some other one.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values, load_dotenv

PACKAGE = __name__.partition(".")[0]
_DEFS = "KUSTOMER_DEFS"


class NoProjectError(Exception):
    """There is no project; the message says where it was looked for, and what to do."""


def project_root(folder: Path, defs: str) -> Path:
    """The folder, or the nearest above it that is a project. defs: what KUSTOMER_DEFS is in the environment: with it
    any folder will do. Raises NoProjectError."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise NoProjectError(f"There is no folder {folder}")
    root = next((one for one in (folder, *folder.parents) if _is_project(one)), None)
    if root is not None:
        return root
    if defs:
        return folder
    raise NoProjectError(
        f"There is no Dagster project in {folder}, nor above it: no pyproject.toml with [tool.dg.project], no dg.toml, "
        "no workspace.yaml, and KUSTOMER_DEFS is not set. Go to the project's folder, or name it: --project FOLDER. "
        "Its .env is read too"
    )


@contextmanager
def in_project(folder: Path, defs: str) -> Iterator[Path]:
    """For the body, the project's folder is the current one, as it is for `dagster dev`. Reads its `.env`, where what
    is set already stays as it is. Raises NoProjectError."""
    root = project_root(folder, defs)
    load_dotenv(root / ".env")
    with chdir(root):
        yield root


def dg_settings(root: Path) -> dict[str, Any]:
    """What `[tool.dg.project]` of the pyproject.toml says, or `[project]` of the dg.toml; else nothing."""
    return _table(root / "pyproject.toml", "tool", "dg", "project") or _table(root / "dg.toml", "project")


def defs_folders(root: Path) -> list[Path]:
    """Where Dagster looks for the definitions of a project of somebody's own, as far as there is anything to find."""
    settings = dg_settings(root)
    if not (package := settings.get("root_module")):
        return []
    path = Path(*str(settings.get("defs_module") or f"{package}.defs").split("."))
    return [folder for folder in (root / path, root / "src" / path) if _holds_definitions(folder)]


def modules_of(root: Path) -> list[str]:
    """The names of the modules that Dagster loads from the project."""
    found = []
    settings = dg_settings(root)
    if package := settings.get("root_module"):
        found.append(str(settings.get("code_location_target_module") or f"{package}.definitions"))
    if name := _table(root / "pyproject.toml", "tool", "dagster").get("module_name"):
        found.append(str(name))
    return [*found, *(str(value) for kind, value in _workspace(root) if kind == "python_module")]


def files_of(root: Path) -> list[Path]:
    """The files of Python that Dagster loads from the project."""
    return [root / str(value) for kind, value in _workspace(root) if kind == "python_file"]


def is_of_this_package(root: Path, defs: str) -> bool:
    """Whether its syncs are those that this package loads: in its own folder, or where KUSTOMER_DEFS says."""
    package = dg_settings(root).get("root_module")
    if package is not None:
        return bool(package == PACKAGE)
    return bool(defs) or any(name.partition(".")[0] == PACKAGE for name in modules_of(root))


def _holds_definitions(folder: Path) -> bool:
    files = (path for pattern in ("defs.y*ml", "*.py") for path in folder.rglob(pattern))
    return any(path.stat().st_size or path.name != "__init__.py" for path in files)


def _is_project(folder: Path) -> bool:
    if (folder / "workspace.yaml").is_file() or dg_settings(folder):
        return True
    return bool(_table(folder / "pyproject.toml", "tool", "dagster") or _in_env_file(folder))


def _in_env_file(folder: Path) -> str | None:
    file = folder / ".env"
    return dotenv_values(file).get(_DEFS) if file.is_file() and os.access(file, os.R_OK) else None


def _table(file: Path, *keys: str) -> dict[str, Any]:
    try:
        found: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _workspace(root: Path) -> Iterator[tuple[str, Any]]:
    """Kind and name of each entry of workspace.yaml."""
    try:
        found = yaml.safe_load((root / "workspace.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return
    items = found.get("load_from") if isinstance(found, dict) else None
    for item in items if isinstance(items, list) else []:
        for kind, value in item.items() if isinstance(item, dict) else ():
            name = "module_name" if kind == "python_module" else "relative_path"
            yield kind, value.get(name) if isinstance(value, dict) else value
