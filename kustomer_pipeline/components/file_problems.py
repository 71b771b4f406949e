"""Mistakes in `defs.yaml` files that Dagster passes over, or reports without saying where.

A key that is written twice, a component type that does not exist, a folder whose name cannot be a sync's: each is
found before Dagster loads the components, and told with file, line and what to write instead.
"""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import yaml

from .component import SyncComponent
from .sync_config import did_you_mean, listed, name_problems
from .yaml_files import Document, Line, read_documents

SYNC_TYPES = ("kustomer_pipeline.ObjectSync", "kustomer_pipeline.AudienceSync")
_FILES = ("defs.yaml", "defs.yml")


def files_below(folder: Path) -> list[Path]:
    """The files of the folder, and of the folders in it, that may describe a component."""
    return sorted(path for name in _FILES for path in folder.rglob(name))


def components_in(path: Path) -> list[type[dg.Component] | None]:
    """The component class that each document of a file names; None: no such class."""
    nodes = [document.node for document in read_documents(path)[0]]
    return [_component(_type_of(node)) if isinstance(node, yaml.MappingNode) else None for node in nodes]


def file_problems(folder: Path) -> Iterator[tuple[Path, str]]:
    """The mistakes in the files of a defs folder: the file, and a line that says where, what, and what to write."""
    names: dict[str, Path] = {}
    for path in files_below(folder):
        documents, unreadable = read_documents(path)
        if unreadable:
            yield from ((path, f"{path}:{line}  {what}") for line, what in unreadable)
            continue
        syncs = 0
        for document in documents or [Document(yaml.ScalarNode("", ""))]:
            if not isinstance(document.node, yaml.MappingNode):
                what = f"{_holds(document.node)}; write type: {listed(SYNC_TYPES)}, then attributes:"
                yield path, f"{path}:1  {what}"
                continue
            component = _component(_type_of(document.node))
            is_sync = component is not None and issubclass(component, SyncComponent)
            problems = document.problems + _type_problems(document.node, component)
            if is_sync:  # someone else's component may well have keys that are numbers
                problems += document.odd_keys
            lines = sorted(problems, key=lambda problem: problem[0])
            yield from ((path, f"{path}:{line}  {what}") for line, what in lines)
            syncs += is_sync
        if syncs > 1:
            yield path, f"{path}:1  holds {syncs} syncs; give each a folder of its own, it names the sync"
        if syncs:
            name = path.parent.name
            yield from ((path, f"{path}:1  {problem}") for problem in name_problems(name))
            if (other := names.setdefault(name, path)) != path:
                yield path, f"{path}:1  is in a folder named {name}, as is {other}; rename one of the folders"


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
