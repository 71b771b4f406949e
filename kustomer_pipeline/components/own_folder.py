"""Where the syncs of a clone are: the package's own examples, or a folder that KUSTOMER_DEFS names.

KUSTOMER_DEFS → a folder with one folder a sync, anywhere → as a module, which Dagster asks for
not set       → kustomer_pipeline/defs, in a clone only: elsewhere these are the demo's syncs, and nobody's
"""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import dagster as dg

from kustomer_pipeline import defs as own_defs
from kustomer_pipeline.resources import defs_folder

_NAME = "kustomer_syncs"
_DEFINED_BY = ("defs.yaml", "defs.yml", "*.py")


def defs_module() -> ModuleType:
    """The module whose folder holds the syncs. Raises DagsterInvalidDefinitionError, which names the variable."""
    folder = defs_folder()
    if folder is None:
        clone, here = Path(next(iter(own_defs.__path__))).parent.parent, Path.cwd()
        if not here.is_relative_to(clone):
            raise dg.DagsterInvalidDefinitionError(
                f"KUSTOMER_DEFS is not set, and {here} is no clone of kustomer_pipeline, whose syncs would be meant: "
                "set it to the folder with your syncs, in the environment or in a file .env in the project's folder"
            )
        return own_defs
    if not folder.is_dir():
        raise dg.DagsterInvalidDefinitionError(
            f"KUSTOMER_DEFS is {str(folder)!r}, and there is no such folder (a relative one counts from the "
            "project's folder): it holds one folder for each sync, with a defs.yaml"
        )
    if not any(path for pattern in _DEFINED_BY for path in folder.rglob(pattern)):
        raise dg.DagsterInvalidDefinitionError(
            f"KUSTOMER_DEFS is {str(folder)!r}, which holds no sync yet: make a folder in it with a defs.yaml"
        )
    return _module_of(folder.resolve())


def _module_of(folder: Path) -> ModuleType:
    """A folder as a module, without a file of Python's in it."""
    known = sys.modules.get(_NAME)
    if known is not None and list(known.__path__) == [str(folder)]:
        return known
    for name in [name for name in sys.modules if name.split(".")[0] == _NAME]:
        del sys.modules[name]
    spec = importlib.machinery.ModuleSpec(_NAME, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    return module
