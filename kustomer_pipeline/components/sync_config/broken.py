"""A sync that does not load: its mistakes, and what its file still tells of it.

The others load without it. So they have to know what is its own: a mirror would untag its members, another sync could
take over what is remembered under its name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .common import RESERVED_NAMES
from .in_dagster import InDagster
from .problems import SyncConfigError

_PREFIX = InDagster.model_fields["key_prefix"].default
_FILES = ("defs.yaml", "defs.yml")


@dataclass(frozen=True)
class BrokenSync:
    """A sync that cannot work. `title` and `lines` say why; `written` is its file, as far as it is text."""

    name: str
    title: str
    lines: tuple[str, ...]
    key_prefix: str = _PREFIX
    written: str = ""

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {line}" for line in self.lines)])

    @property
    def path(self) -> list[str]:
        """The path of its asset's key."""
        return [*self.key_prefix.split("/"), self.name]

    def keeps(self, tag: str) -> bool:
        """Whether its file says `tag: <tag>`. Kustomer compares names of tags without case."""
        return any(said.casefold() == tag.casefold() for said in _values(self.written, "tag"))


def broken_sync(folder: Path, error: SyncConfigError) -> BrokenSync:
    """The sync of a folder, by the error that its loading raised."""
    written = "\n".join(text for text in map(_text, sync_files(folder)) if text)
    prefixes = [
        said for said in _values(written, "key_prefix") if re.fullmatch(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*", said)
    ]
    prefix = prefixes[0] if prefixes else _PREFIX
    return BrokenSync(name_of(folder), error.title, error.lines, prefix, written)


def sync_files(folder: Path) -> list[Path]:
    """The files of a folder that may describe a sync."""
    return [path for path in (folder / name for name in _FILES) if path.is_file()]


def name_of(folder: Path) -> str:
    """The folder's name, as Dagster can have it in the names of assets and jobs."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", folder.name)
    return f"{name}_" if name in RESERVED_NAMES else name


def merged(broken: Sequence[BrokenSync]) -> BrokenSync:
    """Several of one name as one, with the mistakes of all."""
    if len(broken) == 1:
        return broken[0]
    first = broken[0]
    titles = list(dict.fromkeys(one.title for one in broken))
    lines = tuple(dict.fromkeys(line for one in broken for line in one.lines))
    return BrokenSync(first.name, "\n".join(titles), lines, first.key_prefix, "\n".join(one.written for one in broken))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _values(written: str, key: str) -> list[str]:
    """What stands after a key, wherever it stands: the file need not be YAML."""
    found: list[str] = re.findall(rf"(?m)(?:^|[{{,])\s*{key}\s*:\s*[\"']?([^\"',}}#\n]*)", written)
    return [value.strip() for value in found]
