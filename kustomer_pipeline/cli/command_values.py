"""The commands as a shell needs to know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["none", "value", "choices", "sync", "file", "folder"]


@dataclass(frozen=True)
class Takes:
    """An option (`names`), or a positional argument (no names). kind: of its value; none: it has no value.

    many: a positional argument that may come again.
    """

    names: tuple[str, ...]
    kind: Kind
    choices: tuple[str, ...] = ()
    many: bool = False
    help: str = ""


@dataclass(frozen=True)
class Command:
    """A command: what it does in a line, and what it takes."""

    name: str
    does: str
    options: tuple[Takes, ...]
    positional: tuple[Takes, ...]
