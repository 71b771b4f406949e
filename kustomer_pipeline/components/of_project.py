"""The syncs of a Dagster project on disk, for commands that run beside Dagster.

folder → pyproject.toml ([tool.dg.project]) → its defs folder    → syncs, those that do not load, definitions
       → its code location                  → build_definitions → syncs, definitions → resources
"""

import sys
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from kustomer_pipeline.project_folder import defs_folders, is_of_this_package
from kustomer_pipeline.resources import defs_folder

from .code_location import Built, definitions_in, given_by
from .component import Syncs, syncs_of
from .defs_folder import cause_of
from .own_folder import defs_module
from .project import load_with_project
from .stand_in import not_logged
from .sync_config import BrokenSync, SyncConfig, SyncConfigError, merged


class LoadedProject(NamedTuple):
    """The syncs of a project that work, in YAML and in Python; those that do not load; what Dagster finds in it."""

    syncs: Sequence[SyncConfig]
    broken: Sequence[BrokenSync]
    defs: dg.Definitions


def load_project(folder: Path) -> LoadedProject:
    """The syncs of the project, and everything that Dagster finds in it.

    folder: of the project (project_folder.py). A clone is one of this package. What the project raises goes through,
    but for a mistake in a sync in YAML (unless KUSTOMER_STRICT is set).
    """
    folder = folder.resolve()
    if str(folder) not in sys.path:  # as `dg` does; a project need not be installed for this
        sys.path.insert(0, str(folder))
    built = Built()
    with warnings.catch_warnings(), not_logged():
        warnings.simplefilter("ignore")  # Dagster warns of features that it uses itself, once an asset
        if is_of_this_package(folder, str(defs_folder() or "")):
            tree, defs = load_with_project(defs_module())
            in_yaml = syncs_of(tree)
        elif defs_folders(folder):
            tree = dg.ComponentTree.for_project(folder)
            defs, in_yaml = tree.build_defs(), syncs_of(tree)
        else:
            defs, in_yaml = dg.Definitions(), Syncs()
        given = given_by(folder)
    known = {sync.name: sync for sync in (*in_yaml.working, *built.syncs)}
    return LoadedProject(list(known.values()), in_yaml.broken, given or defs)


def load_whole(folder: Path) -> LoadedProject:
    """The same for what cannot do without one of the syncs. Raises SyncConfigError if one does not load."""
    project = load_project(folder)
    if project.broken:
        raise SyncConfigError(merged(project.broken).title, [], merged(project.broken).lines)
    return project


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


def said_by(error: BaseException) -> str:
    """What a person reads of a project that does not load."""
    cause = cause_of(error)
    return str(cause) or type(cause).__name__
