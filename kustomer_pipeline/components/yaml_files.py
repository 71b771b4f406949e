"""Reading a YAML file down to its nodes: what nobody could load is found here, with its line.

    text → nodes (not too deep) → one walk over them (keys, tags, anchors) → a trial construction

Dagster constructs the values afterwards; by then every error it could raise about YAML has been said.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .sync_config import Conflict, Where, dotted, sync_files

Line = tuple[int, str]

MAX_DEPTH = 50
MAX_REPEATED = 10_000  # nodes that aliases may add to those that are written

_TAG = "tag:yaml.org,2002:"
_KNOWN_TAGS = {_TAG + name for name in ("str", "int", "float", "bool", "null", "seq", "map")}
_SIGNS = {_TAG + "merge", _TAG + "value"}  # what a bare << or = stands for


@dataclass
class Document:
    """One document of a file: its node, what is wrong with it, and which of its keys are no text."""

    node: yaml.Node
    problems: list[Line] = field(default_factory=list)
    odd_keys: list[Line] = field(default_factory=list)


def read_documents(path: Path) -> tuple[list[Document], list[Line]]:
    """The documents of a file, or why it has none that can be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return [], [(1, "is not UTF-8 text; save the file as UTF-8")]
    try:
        nodes = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        sign = f"#x{ord(error.character):04x}" if isinstance(error.character, str) else f"#x{error.character:04x}"
        return [], [(line, f"holds a character that YAML cannot hold ({sign}); remove it")]
    except _TooDeepError as error:
        return [], [(_line(error), f"is nested too deep: more than {MAX_DEPTH} levels")]
    except yaml.MarkedYAMLError as error:
        return [], [_with_advice(error, text)]
    return [_document(node, text) for node in nodes], []


def line_of(path: Path, where: Where) -> int:
    """The line of the key that `where` leads to, or of the nearest mapping around it; of a file that can be read."""
    documents, _ = read_documents(path)
    node, line = documents[0].node, 1
    for part in where:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((key, value) for key, value in pairs if key.value == part), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def conflict_lines(conflict: Conflict, folders: Iterable[Path | None]) -> Iterator[str]:
    """A mistake between syncs, at its line in the file of each. None: a sync that has no file."""
    what = f"{dotted(conflict.where)}: {conflict.what}" if conflict.where else conflict.what
    for folder in folders:
        file = next(iter(sync_files(folder)), None) if folder is not None else None
        yield f"{file}:{line_of(file, ('attributes', *conflict.where))}  {what}" if file is not None else what


class _TooDeepError(yaml.MarkedYAMLError):
    pass


class _Loader(yaml.SafeLoader):
    """Stops at nesting that would exhaust the stack, and gives every error of a value its line."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.depth > MAX_DEPTH:
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's own has no types
            raise _TooDeepError(problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except Exception:  # e.g. int("0x_"): whatever Python says, the reader needs to know where.
            kind = node.tag.removeprefix(_TAG)
            problem = f"{_short(str(node.value))} cannot be read as {kind}; put it in quotes"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


# As Dagster does: a date stays text.
_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _document(node: yaml.Node, text: str) -> Document:
    document = Document(node)
    _Walk(document, text).size(node, ())
    if not document.problems:
        try:
            # Of a copy of the nodes, because constructing merges `<<` into them.
            _Loader("").construct_document(_copy(node))
        except yaml.MarkedYAMLError as error:
            document.problems.append((_line(error), f"is not YAML that can be read: {error.problem}"))
    return document


class _Walk:
    """Visits every node once, however often aliases repeat it, and knows the size of the whole."""

    def __init__(self, document: Document, text: str) -> None:
        self.problems = document.problems
        self.odd_keys = document.odd_keys
        self.text = text
        self.sizes: dict[int, int | None] = {}  # None: not all of it has been seen
        self.too_large = False

    def size(self, node: yaml.Node, where: Where) -> int:
        """The number of nodes in `node` with every alias written out."""
        if id(node) in self.sizes:
            size = self.sizes[id(node)]
            if size is None:
                self._add(node, where, "the anchor refers to itself; write the values out")
            return size or 0
        self.sizes[id(node)] = None
        self._check_tag(node, where)
        size = 1
        if isinstance(node, yaml.SequenceNode):
            size += sum(self.size(item, (*where, i)) for i, item in enumerate(node.value))
        elif isinstance(node, yaml.MappingNode):
            self._check_keys(node, where)
            size += sum(1 + self.size(value, (*where, _name(key))) for key, value in node.value)
        self.sizes[id(node)] = size
        if size > 2 * len(self.sizes) + MAX_REPEATED and not self.too_large:
            self.too_large = True
            self._add(node, where, "anchors and aliases make it too large; write out what is needed")
        return size

    def _check_tag(self, node: yaml.Node, where: Where) -> None:
        if node.tag in _SIGNS:
            self._add(node, where, f"put {node.value} in quotes")
        elif node.tag not in _KNOWN_TAGS:
            tag = node.tag.replace(_TAG, "!!", 1)
            advice = 'for a variable of the environment write "{{ env.NAME }}"' if "env" in tag.lower() else "remove it"
            self._add(node, where, f"{_short(tag)} is not known here; {advice}")

    def _check_keys(self, node: yaml.MappingNode, where: Where) -> None:
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._add(key, where, self._no_scalar(node, key))
                continue
            if key.tag != f"{_TAG}merge":
                self._check_tag(key, (*where, key.value))
            if key.value in lines:
                self.problems.append(
                    (line, f"{key.value} is written twice (first in line {lines[key.value]}); keep one")
                )
            lines.setdefault(key.value, line)
            if key.tag == f"{_TAG}null" and not key.value:
                self.odd_keys.append((line, _said(where, "a key is missing before the colon")))
            elif key.tag not in {f"{_TAG}str", *_SIGNS}:
                what = "a key has to be text; put it in quotes"
                if node.flow_style and key.tag == f"{_TAG}int" and value.tag == f"{_TAG}null":
                    what = "a key has to be text; is there a comma too many? 1,000 is written 1000"
                self.odd_keys.append((line, _said((*where, key.value), what)))

    def _no_scalar(self, node: yaml.MappingNode, key: yaml.Node) -> str:
        written = self.text[node.start_mark.index : node.end_mark.index]
        if not written.startswith("{{"):
            return "a key has to be text, not a list or keys and values"
        return f'a value that begins with {{{{ has to be in quotes: "{_short(written)}"'

    def _add(self, node: yaml.Node, where: Where, what: str) -> None:
        self.problems.append((node.start_mark.line + 1, _said(where, what)))


def _said(where: Where, what: str) -> str:
    inner = where[1:] if where[:1] == ("attributes",) else where
    return f"{dotted(inner)}: {what}" if inner else what


def _name(key: yaml.Node) -> str:
    return key.value if isinstance(key, yaml.ScalarNode) else "…"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


def _copy(node: yaml.Node, copies: dict[int, yaml.Node] | None = None) -> yaml.Node:
    copies = {} if copies is None else copies
    if id(node) not in copies:
        value = node.value
        if isinstance(node, yaml.SequenceNode):
            value = [_copy(item, copies) for item in value]
        elif isinstance(node, yaml.MappingNode):
            value = [(_copy(key, copies), _copy(item, copies)) for key, item in value]
        copies[id(node)] = type(node)(node.tag, value, node.start_mark, node.end_mark)
    return copies[id(node)]


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark is not None else 1


def _with_advice(error: yaml.MarkedYAMLError, text: str) -> Line:
    problem, line = error.problem or str(error), _line(error)
    written = next(iter(text.splitlines()[line - 1 : line]), "")
    return next(
        ((at, f"is not YAML: {advice}") for at, advice in _advice(error, problem, line, written)),
        (line, f"is not YAML: {problem}"),
    )


def _advice(error: yaml.MarkedYAMLError, problem: str, line: int, written: str) -> Iterator[Line]:
    begin = error.context_mark.line + 1 if error.context_mark is not None else line
    if "'\\t'" in problem:
        yield line, "there is a tab; indent with blanks"
    if "alphabetic or numeric" in problem:
        yield line, "a value that begins with * or & has to be in quotes"
    if re.search(r"[:-]\s+\{\{", written):
        yield line, "a value that begins with {{ has to be in quotes"
    if "quoted scalar" in (error.context or "") and "end of stream" in problem:
        yield begin, "the quote that begins here does not end"
    if opened := re.match(r"expected ',' or '([\]}])'", problem):
        sign = {"]": "[", "}": "{"}[opened[1]]
        also = f", or a comma is missing in line {line}" if "end>" not in problem else ""
        yield begin, f"the {sign} that begins here does not end{also}"
    if "mapping values are not allowed" in problem:
        yield line, "a value that holds a colon has to be in quotes, or the indentation is wrong"
