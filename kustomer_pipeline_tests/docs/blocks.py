"""The fenced blocks of every page, those within a list too, as a reader would copy them.

README, CONTRIBUTING, docs/**, defs/README → Block(page, language, text, the marker above it)
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.test_packaging import tracked

PAGES = sorted(path for path in tracked(REPOSITORY) if path.suffix == ".md" and path.name != "CHANGELOG.md")
_FENCE = re.compile(r"(?ms)^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$")
_MARKER = re.compile(r"<!-- (.+?) -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """One fenced block. `marker` is the comment on the line above it, empty when there is none."""

    page: str
    language: str
    text: str
    marker: str

    @property
    def commands(self) -> tuple[str, ...]:
        """Its lines as a shell takes them: continued ones are joined, comments and empty ones left out."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
        return tuple(line for line in lines if line)


def blocks(page: Path) -> Iterator[Block]:
    """Those of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        marker = _MARKER.search(text[: found.start()])
        name = page.relative_to(REPOSITORY).as_posix()
        yield Block(name, found["language"], textwrap.dedent(found["text"]), marker[1] if marker else "")


def every_block(*languages: str) -> list[Block]:
    """Those of all pages in these languages."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]
