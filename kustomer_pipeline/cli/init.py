"""The command `init`: a folder for syncs of one's own, so that an upgrade of the package is only a new version.

kustomer-pipeline init crm → syncs/customers/defs.yaml, workspace.yaml, dagster.yaml, .env.example, .gitignore, CI,
                             README
"""

from __future__ import annotations

import argparse
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from .errors import CommandError

_TEMPLATE = "new_project"
_HIDDEN = {
    "env.example": ".env.example",
    "gitignore": ".gitignore",
    "workflow.yml": ".github/workflows/syncs.yml",
}


def run(options: argparse.Namespace) -> int:
    """Write the files. Raises CommandError where one of them is there already, or the folder cannot be written to."""
    folder: Path = options.folder
    wanted = dict(_files(resources.files(__package__) / _TEMPLATE, Path()))
    there = [str(path) for path in wanted if (folder / path).exists()]
    if there:
        raise CommandError(f"{folder} has {', '.join(there)} already: nothing was written. Name an empty folder")
    try:
        for path, text in wanted.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{folder} cannot be written to: {error.strerror}") from None
    print(f"{folder} has now:")
    for path in wanted:
        print(f"  {path}")
    print(f"Next: cd {folder}, and do what README.md says.")
    return 0


def _files(folder: Traversable, under: Path) -> list[tuple[Path, str]]:
    """The files of the template, with the names that they are going to have."""
    found: list[tuple[Path, str]] = []
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        if item.is_dir():
            if not item.name.startswith("__"):
                found += _files(item, under / item.name)
        else:
            found.append((under / _HIDDEN.get(item.name, item.name), item.read_text(encoding="utf-8")))
    return found
