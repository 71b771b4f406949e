"""Loading a folder of `defs.yaml` files, with every mistake reported as file, line and what to write instead.

Dagster loads the components; before that, this module reads the files for the mistakes that Dagster passes
over (a key written twice) or reports without saying where (a component type that does not exist).
"""

import importlib
import inspect
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg
import yaml
from pydantic import ValidationError

from .component import SyncComponent, syncs_of
from .sync_config import (
    Conflict,
    SyncConfigError,
    bound_to_themselves,
    conflicts,
    did_you_mean,
    dotted,
    listed,
    name_problems,
)
from .yaml_files import Document, Line, line_of, read_documents

_OUTERMOST = {"extra_forbidden": "is not a known key.", "dict_type": "has to be keys and values."}
SYNC_TYPES = ("kustomer_pipeline.ObjectSync", "kustomer_pipeline.AudienceSync")
_FILES = ("defs.yaml", "defs.yml")


def load_tree(defs_module: ModuleType) -> tuple[dg.ComponentTree, dg.Definitions]:
    """The components of a defs folder, and everything that Dagster finds in it.

    Raises:
        SyncConfigError: with the file and line of each mistake.
    """
    folder = Path(next(iter(defs_module.__path__)))
    if lines := list(_file_problems(folder)):
        raise SyncConfigError(f"{folder} cannot be loaded:", [], lines)
    tree = dg.ComponentTree.from_module(defs_module=defs_module, project_root=folder.parent.parent)
    try:
        with warnings.catch_warnings():
            # Dagster warns of what it does itself: newer features, once per asset, and an old call.
            warnings.simplefilter("ignore", dg.BetaWarning)
            warnings.simplefilter("ignore", dg.PreviewWarning)
            warnings.filterwarnings("ignore", "`parse_obj_as` is deprecated", DeprecationWarning)
            syncs = syncs_of(tree)
            _require_none(conflicts(syncs), folder)
            defs = tree.build_defs()
            _require_none(bound_to_themselves(syncs, _keys_of(defs)), folder)
            return tree, defs
    except Exception as error:
        # Dagster wraps the cause in a drawing of the whole folder; the cause alone is what helps.
        cause = cause_of(error)
        if isinstance(cause, SyncConfigError):
            raise cause from None
        if isinstance(cause, ValidationError):
            raise SyncConfigError(f"{folder} cannot be loaded:", [], _dagsters_lines(cause)) from None
        raise


def _require_none(found: Iterable[Conflict], folder: Path) -> None:
    if lines := list(_conflict_lines(folder, found)):
        raise SyncConfigError(f"{folder} cannot be loaded:", [], lines)


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


def _dagsters_lines(error: ValidationError) -> Iterator[str]:
    """Dagster's own errors about the outermost keys: it writes `<key> at <file>:<line>` where the key was."""
    for detail in error.errors(include_url=False):
        key, _, position = ".".join(map(str, detail["loc"])).rpartition(" at ")
        what = _OUTERMOST.get(detail["type"], detail["msg"])
        yield f"{position}  {key}: {what}{did_you_mean(key, ['attributes', 'post_processing'])}"


def _conflict_lines(folder: Path, found: Iterable[Conflict]) -> Iterator[str]:
    """A mistake between syncs, at the line of each of them."""
    files = {path.parent.name: path for path in _sync_files(folder)}
    for conflict in found:
        for name in conflict.names:
            line = line_of(files[name], ("attributes", *conflict.where))
            yield f"{files[name]}:{line}  {dotted(conflict.where)}: {conflict.what}"


def _sync_files(folder: Path) -> list[Path]:
    return sorted(path for name in _FILES for path in folder.rglob(name))


def _file_problems(folder: Path) -> Iterator[str]:
    names: dict[str, Path] = {}
    for path in _sync_files(folder):
        documents, unreadable = read_documents(path)
        if unreadable:
            yield from (f"{path}:{line}  {what}" for line, what in unreadable)
            continue
        syncs = 0
        for document in documents or [Document(yaml.ScalarNode("", ""))]:
            if not isinstance(document.node, yaml.MappingNode):
                yield f"{path}:1  {_holds(document.node)}; write type: {listed(SYNC_TYPES)}, then attributes:"
                continue
            component = _component(_type_of(document.node))
            is_sync = component is not None and issubclass(component, SyncComponent)
            problems = document.problems + _type_problems(document.node, component)
            if is_sync:  # someone else's component may well have keys that are numbers
                problems += document.odd_keys
            yield from (f"{path}:{line}  {what}" for line, what in sorted(problems, key=lambda problem: problem[0]))
            syncs += is_sync
        if syncs > 1:
            yield f"{path}:1  holds {syncs} syncs; give each a folder of its own, it names the sync"
        if syncs:
            name = path.parent.name
            yield from (f"{path}:1  {problem}" for problem in name_problems(name))
            if (other := names.setdefault(name, path)) != path:
                yield f"{path}:1  is in a folder named {name}, as is {other}; rename one of the folders"


def _holds(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "holds a list, not keys and values"
    return "holds a value, not keys and values" if node.value else "is empty"


def _type_problems(document: yaml.MappingNode, component: type[dg.Component] | None) -> list[Line]:
    for key, value in document.value:
        if key.value == "type":
            line, written = key.start_mark.line + 1, value.value
            if not isinstance(value, yaml.ScalarNode):
                return [(line, f"type: has to be text: {listed(SYNC_TYPES)}")]
            if component is not None or written.startswith("."):
                return []
            if written:
                what = f"type: there is no component {written}.{did_you_mean(written, SYNC_TYPES)}"
                return [(line, f"{what} This project has {listed(SYNC_TYPES, 'and')}")]
    return [(document.start_mark.line + 1, f"type is missing; write type: {listed(SYNC_TYPES)}")]


def _type_of(document: yaml.MappingNode) -> str:
    values = (value.value for key, value in document.value if key.value == "type")
    written = next(values, "")
    return written if isinstance(written, str) else ""


def _component(type_name: str) -> type[dg.Component] | None:
    """The component class of that name, if there is one that can be built."""
    module, _, name = type_name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError, TypeError):
        return None
    is_component = isinstance(found, type) and issubclass(found, dg.Component) and not inspect.isabstract(found)
    return found if is_component else None
