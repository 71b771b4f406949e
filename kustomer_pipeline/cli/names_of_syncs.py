"""The names of a project's syncs, for completion: from the folders alone, in no time, without Dagster.

    KUSTOMER_DEFS, else pyproject.toml ([tool.dg.project]) → the defs folder → folders whose defs.yaml says it is a sync

Syncs that are written in Python have no folder, and are not completed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dotenv import dotenv_values

from kustomer_pipeline.project_folder import NoProjectError, defs_folders, is_of_this_package, project_root

_OWN = Path(__file__).parent.parent
_SYNC = re.compile(r"(?m)^type:\s*[\"']?kustomer_pipeline\.(?:ObjectSync|AudienceSync)\b")


def names_of_syncs(project: Path, defs: str = "") -> list[str]:
    """In the order of the alphabet; none where nothing can be read. defs: what KUSTOMER_DEFS is in the shell."""
    return sorted({name for folder in _defs_folders(project, defs) for name in _syncs_in(folder)})


def _defs_folders(project: Path, defs: str) -> Iterator[Path]:
    try:
        root = project_root(project, defs)
    except NoProjectError:
        return
    named = defs or dotenv_values(root / ".env").get("KUSTOMER_DEFS") or ""
    if is_of_this_package(root, named):
        if named or root.is_relative_to(_OWN.parent):
            yield root / Path(named).expanduser() if named else _OWN / "defs"
    else:
        yield from defs_folders(root)


def _syncs_in(folder: Path) -> Iterator[str]:
    for file in [*folder.rglob("defs.yaml"), *folder.rglob("defs.yml")]:
        try:
            if _SYNC.search(file.read_text(encoding="utf-8")):
                yield file.parent.name
        except (OSError, UnicodeDecodeError):
            continue
