"""A throw-away project with its own `defs` folder, loaded as definitions.py loads the real one."""

import importlib
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from kustomer_pipeline.components import load_definitions

_NUMBER = itertools.count()


class Project:
    """`write` its files, then `load` it."""

    def __init__(self, root: Path) -> None:
        # A name of its own: Python remembers the modules that it has imported.
        self.package = f"project_{next(_NUMBER)}"
        self.folder = root / self.package / "defs"
        self.folder.mkdir(parents=True)
        (self.folder.parent / "__init__.py").touch()
        (self.folder / "__init__.py").touch()

    def write(self, path: str, text: str) -> Path:
        """A file below `defs`, e.g. customers/defs.yaml."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def load(self) -> dg.Definitions:
        """What Dagster would load."""
        return load_definitions(importlib.import_module(f"{self.package}.defs"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project."""
    monkeypatch.syspath_prepend(tmp_path)
    project = Project(tmp_path)
    yield project
    for name in [name for name in sys.modules if name.split(".")[0] == project.package]:
        del sys.modules[name]
