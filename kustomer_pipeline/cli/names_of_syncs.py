"""The names of a project's syncs, for completion: from the folders alone, in no time, without Dagster.

    KUSTOMER_DEFS, else pyproject.toml ([tool.dg.project]) → the defs folder → folders whose defs.yaml says it is a sync

Syncs that are written in Python have no folder, and are not completed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

_OWN = Path(__file__).parent.parent
_SYNC = re.compile(r"(?m)^type:\s*[\"']?kustomer_pipeline\.(?:ObjectSync|AudienceSync)\b")


def names_of_syncs(project: Path, defs: str = "") -> list[str]:
    """In the order of the alphabet; none where nothing can be read. defs: what KUSTOMER_DEFS is in the shell."""
    return sorted({name for folder in _defs_folders(project, defs) for name in _syncs_in(folder)})


def _defs_folders(project: Path, defs: str) -> Iterator[Path]:
    settings = _settings(project)
    root = settings.get("root_module")
    if root in (None, _OWN.name):  # as load_project has it: a folder that is no project stands for this package
        named = defs or dotenv_values(project / ".env").get("KUSTOMER_DEFS")
        yield Path(named).expanduser() if named else _OWN / "defs"
        return
    module = str(settings.get("defs_module") or f"{root}.defs")
    path = Path(*module.split("."))
    yield from (folder for folder in (project / path, project / "src" / path) if folder.is_dir())


def _syncs_in(folder: Path) -> Iterator[str]:
    for file in [*folder.rglob("defs.yaml"), *folder.rglob("defs.yml")]:
        try:
            if _SYNC.search(file.read_text(encoding="utf-8")):
                yield file.parent.name
        except (OSError, UnicodeDecodeError):
            continue


def _settings(project: Path) -> dict[str, Any]:
    try:
        found: Any = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    for key in ("tool", "dg", "project"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
