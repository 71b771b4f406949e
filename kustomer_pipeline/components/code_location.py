"""The syncs that a project writes in Python: its code location is imported, and what it builds is noted.

    pyproject.toml, workspace.yaml → names of modules and files → imported → (syncs, Definitions)

A sync becomes assets in `build_definitions`, and cannot be found in them any more; so that function notes it here.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import dagster as dg
from dagster.components.definitions import LazyDefinitions

from kustomer_pipeline.project_folder import files_of, modules_of

from .sync_config import SyncConfig

_built: list[SyncConfig] = []


def note(syncs: Sequence[SyncConfig]) -> None:
    """These syncs were built in Python."""
    _built.extend(syncs)


class Built:
    """For the body: the syncs that are built in Python meanwhile, by whatever is imported."""

    def __init__(self) -> None:
        self._before = len(_built)

    @property
    def syncs(self) -> list[SyncConfig]:
        """They."""
        return _built[self._before :]


def given_by(folder: Path) -> dg.Definitions | None:
    """What the code location of a project gives to Dagster, where it builds syncs; None where it does not.

    Whatever its modules raise goes through; a project that names no module has none.
    """
    built = Built()
    modules = [module for module in _modules(folder) if module is not None]
    if not built.syncs:
        return None
    values = (value for module in modules for value in vars(module).values())
    return next((value for value in values if isinstance(value, dg.Definitions)), None)


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


def _modules(folder: Path) -> Iterator[ModuleType | None]:
    yield from (_imported(name) for name in modules_of(folder))
    yield from (_from_file(path) for path in files_of(folder))


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
