"""Loading a folder of `defs.yaml` files. A sync with mistakes is left out, and a component stands for it.

files → mistakes in them ─┐
Dagster's components ─────┴→ mistakes → of a sync: its folder is left out, and Dagster loads again
                                      → of anything else: an error, with file and line
"""

import contextlib
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
from dagster.components.core import decl
from dagster.components.core.context import ComponentDeclLoadContext
from pydantic import ValidationError

from kustomer_pipeline.resources import refuses_broken_syncs

from .component import BrokenComponent, SyncComponent, syncs_of
from .file_problems import components_in, file_problems, files_below
from .sync_config import (
    Conflict,
    SyncConfigError,
    bound_to_themselves,
    broken_sync,
    did_you_mean,
    sync_files,
)
from .yaml_files import conflict_lines

_OUTERMOST = {"extra_forbidden": "is not a known key.", "dict_type": "has to be keys and values."}


def load_tree(defs_module: ModuleType) -> tuple[dg.ComponentTree, dg.Definitions]:
    """The components of a defs folder, and everything that Dagster finds in it.

    A component stands for each sync that has mistakes.

    Raises:
        SyncConfigError: with the file and line of each mistake that is not in a sync; of all with KUSTOMER_STRICT.
    """
    folder = Path(next(iter(defs_module.__path__)))
    left_out: dict[Path, SyncConfigError] = {}
    _leave_out(left_out, folder, file_problems(folder))
    while True:
        try:
            tree = dg.ComponentTree.from_module(defs_module=defs_module, project_root=folder.parent.parent)
            with _quiet(), _instead_of(left_out):
                defs = tree.build_defs()
                syncs = syncs_of(tree).working
        except Exception as error:
            # Dagster wraps the cause in a drawing of the whole folder; the cause alone is what helps.
            cause = cause_of(error)
            if isinstance(cause, SyncConfigError):
                raise cause from None
            if not isinstance(cause, ValidationError):
                raise
            _leave_out(left_out, folder, _dagsters_lines(cause))
            continue
        lines = [line for one in bound_to_themselves(syncs, _keys_of(defs)) for line in _conflict_lines(one, syncs)]
        if not lines:
            return tree, defs
        _leave_out(left_out, folder, lines)


def _leave_out(left_out: dict[Path, SyncConfigError], folder: Path, lines: Iterable[tuple[Path, str]]) -> None:
    """Add the folders of the syncs that these mistakes are in.

    Raises SyncConfigError for a mistake of anything else, and with KUSTOMER_STRICT for any.
    """
    of_folder = defaultdict[Path, list[str]](list)
    for path, line in lines:
        of_folder[path.parent].append(line)
    everything = [line for some in of_folder.values() for line in some]
    if everything and (
        refuses_broken_syncs() or not all(_is_of_a_sync(path) and path not in left_out for path in of_folder)
    ):
        raise SyncConfigError(f"{folder} cannot be loaded:", [], everything)
    title = "The sync {!r} cannot be loaded:"
    left_out |= {path: SyncConfigError(title.format(path.name), [], some) for path, some in of_folder.items()}


def _is_of_a_sync(folder: Path) -> bool:
    """Whether the rest can do without the folder: in it is a sync, or what might become one, and no other folder's."""
    below = files_below(folder)
    if not below or any(path.parent != folder for path in below):
        return False
    return all(one is None or issubclass(one, SyncComponent) for path in below for one in components_in(path))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Dagster warns of what it does itself: newer features, once per asset, and an old call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.filterwarnings("ignore", "`parse_obj_as` is deprecated", DeprecationWarning)
        yield


@contextlib.contextmanager
def _instead_of(left_out: Mapping[Path, SyncConfigError]) -> Iterator[None]:
    """For the body, Dagster finds in these folders a component that stands for the sync, and does not read them.

    Dagster has no way to leave out a folder of a tree: the function by which it goes from folder to folder is another
    one for this long. A test holds that it still is the one.
    """
    ask_dagster = decl.build_filesystem_component_decl_from_context

    def found(context: ComponentDeclLoadContext) -> decl.ComponentDecl[Any] | None:
        error = left_out.get(context.path)
        if error is None:
            return ask_dagster(context)

        sync = broken_sync(context.path, error)

        def stands_for(_: ComponentDeclLoadContext) -> BrokenComponent:
            return BrokenComponent(sync)

        return decl.ComponentLoaderDecl(context=context, loc=context.component_loc, component_node_fn=stands_for)

    decl.build_filesystem_component_decl_from_context = found
    try:
        yield
    finally:
        decl.build_filesystem_component_decl_from_context = ask_dagster


def _keys_of(defs: dg.Definitions) -> set[str]:
    """The keys of all assets, before Dagster looks for those that they depend on."""
    return {spec.key.to_user_string() for some in defs.assets or () for spec in _specs(some)}


def _specs(some: object) -> Iterable[dg.AssetSpec]:
    if isinstance(some, dg.AssetSpec):
        return [some]
    return some.specs if isinstance(some, dg.AssetsDefinition) else ()


def cause_of(error: BaseException) -> BaseException:
    """The mistake itself, without what Dagster wraps around it."""
    while error.__cause__ is not None and not isinstance(error, (SyncConfigError, ValidationError)):
        error = error.__cause__
    return error


def _dagsters_lines(error: ValidationError) -> Iterator[tuple[Path, str]]:
    """Dagster's own errors about the outermost keys, with their file: in place of a key is `<key> at <file>:<line>`."""
    for detail in error.errors(include_url=False):
        key, _, position = ".".join(map(str, detail["loc"])).rpartition(" at ")
        what = _OUTERMOST.get(detail["type"], detail["msg"])
        line = f"{position}  {key}: {what}{did_you_mean(key, ['attributes', 'post_processing'])}"
        yield Path(position.rpartition(":")[0]), line


def _conflict_lines(conflict: Conflict, syncs: Sequence[SyncComponent]) -> Iterator[tuple[Path, str]]:
    for sync in syncs:
        if sync.name in conflict.names:
            file = next(iter(sync_files(sync.folder))) if sync.folder is not None else Path()
            yield from ((file, line) for line in conflict_lines(conflict, [sync.folder]))
