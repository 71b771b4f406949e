"""Markdown for the Dagster UI: what comes from rows and from Kustomer is shown as it is, and never as Markdown.

The UI opens Markdown of a thousand characters and more in a window of its own, as wide as its tables. What is shorter
stands in the table of metadata; that is wider than its place as soon as something in it cannot be broken (the path of a
file), and then its right side, where the reasons are, is out of sight until somebody scrolls.
"""

import re
from collections.abc import Iterable, Sequence

# What Markdown would take for something else than a character.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#&!])")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BLANKS = re.compile(r"\s+")
_VALUE_CHARACTERS = 120
_CHARACTERS_OF_A_WINDOW = 1000
NOTHING = "*nothing*"


def page(parts: Iterable[str]) -> str:
    """Paragraphs as a page that the UI opens in a window of its own: a short one has blanks at its end."""
    return "\n\n".join(filter(None, parts)).ljust(_CHARACTERS_OF_A_WINDOW)


def text(value: object) -> str:
    """Any text as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", _BLANKS.sub(" ", visible(str(value))).strip())


def visible(value: str) -> str:
    """Signs that nobody sees and that turn the direction of all that follows, as escapes."""
    return _DIRECTION.sub(lambda found: f"\\u{ord(found[0]):04x}", value)


def code(value: object) -> str:
    """A name, in the letters of code."""
    name = _BLANKS.sub(" ", visible(str(value))).replace("`", "'").replace("|", "\\|")
    return f"`{name}`"


def value(given: object) -> str:
    """A value of a field: nothing when there is none, its beginning when it is long. Reasons are no values."""
    if not isinstance(given, str):
        return NOTHING
    short = given if len(given) <= _VALUE_CHARACTERS else f"{given[: _VALUE_CHARACTERS - 1]}…"
    return text(short) or '""'


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table; the cells are Markdown already. Numbers stand to the right in a column whose heading ends in a colon."""
    rules = ["--:" if heading.endswith(":") else "---" for heading in headings]
    names = [heading.removesuffix(":") for heading in headings]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, rules, *lines))


def counted(counts: Sequence[tuple[str, int]], nothing: str) -> str:
    """`12 created, 7 updated`: those that are not zero."""
    return ", ".join(f"{count:,} {name}" for name, count in counts if count) or nothing
