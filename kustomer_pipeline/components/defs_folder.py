"""Loading a folder of `defs.yaml` files, with every mistake reported as file, line and what to write instead.

Dagster loads the components; before that, this module reads the files for the mistakes that Dagster passes
over (a key written twice) or reports without saying where (a component type that does not exist).
"""

import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg
import yaml
from pydantic import ValidationError

from .problems import SyncConfigError, did_you_mean, listed
from .sync_component import Sync, name_problems

_OUTERMOST = {"extra_forbidden": "is not a known key.", "dict_type": "has to be keys and values."}
SYNC_TYPES = ("kustomer_pipeline.ObjectSync", "kustomer_pipeline.AudienceSync")
_FILES = ("defs.yaml", "defs.yml")


def load_tree(defs_module: ModuleType) -> tuple[list[Sync], dg.Definitions]:
    """The syncs of a defs folder, and everything that Dagster finds in it.

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
            # The type hint asks for a class that can be built; an abstract one serves to find its heirs.
            return tree.get_all_components(of_type=Sync), tree.build_defs()  # type: ignore[type-abstract]
    except Exception as error:
        # Dagster wraps the cause in a drawing of the whole folder; the cause alone is what helps.
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, SyncConfigError):
                raise cause from None
            if isinstance(cause, ValidationError):
                raise SyncConfigError(f"{folder} cannot be loaded:", [], _dagsters_lines(cause)) from None
            cause = cause.__cause__
        raise


def _dagsters_lines(error: ValidationError) -> Iterator[str]:
    """Dagster's own errors about the outermost keys: it writes `<key> at <file>:<line>` where the key was."""
    for detail in error.errors(include_url=False):
        key, _, position = ".".join(map(str, detail["loc"])).rpartition(" at ")
        what = _OUTERMOST.get(detail["type"], detail["msg"])
        yield f"{position}  {key}: {what}{did_you_mean(key, ['attributes', 'post_processing'])}"


def _file_problems(folder: Path) -> Iterator[str]:
    names: dict[str, Path] = {}
    for path in sorted(path for name in _FILES for path in folder.rglob(name)):
        try:
            documents = list(yaml.compose_all(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader))
        except UnicodeDecodeError:
            yield f"{path}:1  is not UTF-8 text; save the file as UTF-8"
            continue
        except yaml.MarkedYAMLError as error:
            yield f"{path}:{_line(error)}  is not YAML: {_advice(error)}"
            continue
        syncs = 0
        for document in documents or [yaml.ScalarNode("", "")]:
            if not isinstance(document, yaml.MappingNode):
                yield f"{path}:1  is empty; write type: {listed(SYNC_TYPES)}, then attributes:"
                continue
            yield from (f"{path}:{line}  {what}" for line, what in _document_problems(document))
            syncs += _type_of(document) in SYNC_TYPES
        if syncs > 1:
            yield f"{path}:1  holds {syncs} syncs; give each a folder of its own, it names the sync"
        if syncs:
            name = path.parent.name
            yield from (f"{path}:1  {problem}" for problem in name_problems(name))
            if (other := names.setdefault(name, path)) != path:
                yield f"{path}:1  is in a folder named {name}, as is {other}; rename one of the folders"


def _document_problems(document: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    yield from _repeated_keys(document)
    line = document.start_mark.line + 1
    written = _type_of(document)
    if written is None:
        yield line, f"type is missing; write type: {listed(SYNC_TYPES)}"
    elif not written.startswith(".") and not _exists(written):
        line = next(key.start_mark.line + 1 for key, _ in document.value if key.value == "type")
        yield (
            line,
            (
                f"type: there is no component {written}.{did_you_mean(written, SYNC_TYPES)} "
                f"This project has {listed(SYNC_TYPES, 'and')}"
            ),
        )


def _repeated_keys(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Keys written twice in one mapping: YAML silently keeps the last."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if isinstance(key, yaml.ScalarNode):
            if key.value in lines:
                yield line, f"{key.value} is written twice (first in line {lines[key.value]}); keep one"
            lines.setdefault(key.value, line)
        yield from _repeated_keys(value)


def _type_of(document: yaml.MappingNode) -> str | None:
    return next((str(value.value) for key, value in document.value if key.value == "type"), None) or None


def _exists(type_name: str) -> bool:
    module, _, name = type_name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), name)
    except (ImportError, ValueError):
        return False


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark is not None else 1


def _advice(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or str(error)
    if "'\\t'" in problem:
        return "there is a tab; indent with blanks"
    if "alphabetic or numeric" in problem:
        return "a value that begins with * or & has to be in quotes"
    if "mapping values are not allowed" in problem:
        return "a value that holds a colon has to be in quotes, or the indentation is wrong"
    return problem
