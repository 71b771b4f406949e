"""The syncs of a Dagster project on disk, for commands that run beside Dagster.

folder → pyproject.toml ([tool.dg.project]) → its defs folder    → syncs, definitions
       → its code location                  → build_definitions → syncs, definitions → resources
"""

import sys
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import dagster as dg

from .code_location import built_in_python, definitions_in, project_settings
from .defs_folder import cause_of
from .own_folder import defs_module
from .project import load_with_project
from .sync_config import SyncConfig

_OWN_PACKAGE = "kustomer_pipeline"


def load_project(folder: Path) -> tuple[list[SyncConfig], dg.Definitions]:
    """The syncs of the project, in YAML and in Python, and everything that Dagster finds in it.

    A folder that is no project stands for the syncs of this package. Whatever the project's files raise goes through.
    """
    folder = folder.resolve()
    if str(folder) not in sys.path:  # as `dg` does; a project need not be installed for this
        sys.path.insert(0, str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster warns of features that it uses itself, once an asset
        if project_settings(folder).get("root_module") in (None, _OWN_PACKAGE):
            tree, defs = load_with_project(defs_module())
        else:
            tree = dg.ComponentTree.for_project(folder)
            defs = tree.build_defs()
        in_python, given = built_in_python(folder)
    known = {sync.name: sync for sync in (*syncs_in(tree), *in_python)}
    return list(known.values()), given or defs


def resources_in(folder: Path, defs: dg.Definitions, names: Collection[str]) -> dict[str, Any]:
    """The resources of these names as the project gives them to Dagster; absent are those that it does not have.

    defs: as load_project found them. What the project merges to them in its code location counts too.
    """
    found = {name: one for name, one in (defs.resources or {}).items() if name in names}
    if found.keys() == set(names):
        return found
    for more in definitions_in(folder):
        found = {name: one for name, one in (more.resources or {}).items() if name in names} | found
    return found


def syncs_in(tree: dg.ComponentTree) -> list[SyncConfig]:
    """The syncs of a tree. A component is met again in the file that it is from, so each name once."""
    # The type hint asks for a class that can be built; an abstract one serves to find its heirs.
    components = tree.get_all_components(of_type=dg.Component)  # type: ignore[type-abstract]
    return list({one.name: one for one in components if isinstance(one, SyncConfig)}.values())


def said_by(error: BaseException) -> str:
    """What a person reads of a project that does not load."""
    cause = cause_of(error)
    return str(cause) or type(cause).__name__
