"""A project with its own `defs` folder, loaded as definitions.py loads the real one; a pipeline that runs."""

import importlib
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from kustomer_pipeline.components import load_definitions
from kustomer_pipeline.sandbox import Sandbox

from .pipeline import Pipeline

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


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty Kustomer."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def warehouse_url(tmp_path: Path) -> str:
    """Where the warehouse is: SQLite, unless a module says otherwise."""
    return f"sqlite:///{tmp_path / 'warehouse.db'}"


@pytest.fixture
def pipeline(
    tmp_path: Path, sandbox: Sandbox, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    """Warehouse, Kustomer and Dagster, with nothing in them."""
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("KUSTOMER_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    monkeypatch.setenv("KUSTOMER_BASE_URL", sandbox.url)
    monkeypatch.setenv("KUSTOMER_API_KEY", sandbox.api_key)
    # In memory: an instance on disk takes seconds a run, and records the same.
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield Pipeline(warehouse_url, sandbox, instance)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow each other at once."""
    monkeypatch.setattr("kustomer_pipeline.kustomer.SystemClock.sleep", lambda self, seconds: None)
