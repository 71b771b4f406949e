"""Reads the project's Markdown, as far as tests of it need."""

import re
from pathlib import Path


def section(text: str, heading: str) -> str:
    """What is between a heading and the next one of its rank."""
    found = re.search(rf"(?m)^(#+) {re.escape(heading)}$", text)
    assert found is not None, f"there is no heading {heading!r}"
    rest = text[found.end() :]
    ending = re.search(rf"(?m)^#{{1,{len(found[1])}}} ", without_code(rest))
    return rest[: ending.start()] if ending else rest


def table(text: str, first_heading: str) -> list[list[str]]:
    """The cells of the table whose first column has this heading, without headings."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def code_blocks(text: str, language: str) -> list[str]:
    """The fenced blocks in a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)


def code_spans(text: str) -> list[str]:
    """What is between backticks, outside blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))


def without_code(text: str) -> str:
    """The same number of characters, with blocks and spans of code blanked."""
    return re.sub(r"(?ms)^```.*?^```$|`[^`\n]+`", lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def links(text: str) -> list[str]:
    """Targets of links and pictures, in order."""
    return re.findall(r"\]\(([^)\s]+)\)", without_code_blocks(text))


def without_code_blocks(text: str) -> str:
    """Text without fenced blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", text)


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"(?m)^#+ (.+)$", without_code_blocks(path.read_text(encoding="utf-8")))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings)
    return set(plain)
