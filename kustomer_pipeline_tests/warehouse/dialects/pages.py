"""The tables of types in docs/warehouses/, from expected.py; run as a module it writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from kustomer_pipeline_tests.conftest import REPOSITORY

from .expected import TYPES, Refused, TypeCase

PAGES = REPOSITORY / "docs" / "warehouses"
_MARKED = re.compile(r"(<!-- types: (\w+) -->\n).*?(<!-- end of types -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """The text of a page with its table as it should be."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{table(found[2])}\n{found[3]}", text)


def table(dialect: str) -> str:
    """The table of a database, in Markdown."""
    lines = ["| type | for instance | in the frame | mapped to | Kustomer gets |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_line, TYPES[dialect])]) + "\n"


def _line(case: TypeCase) -> str:
    if isinstance(case.read, Refused):
        frame, field, sent = "the query is refused: the column holds bytes", "", ""
    else:
        frame = f"`{case.read}`, {case.dtype}" if case.read is not None else f"null, {case.dtype}"
        field = f"`{case.field}`" if case.field else ""
        sent = _sent(case) if case.field else ""
    return f"| {case.type} | {_code(case.sql)} | {frame} | {field} | {sent} |"


def _sent(case: TypeCase) -> str:
    if isinstance(case.sent, Refused):
        return f"the row is refused: it {case.sent.reason}"
    return f"`{case.sent}`"


def _code(sql: str) -> str:
    return f"`{sql}`".replace("|", "\\|")


def main() -> None:
    """Write the tables anew."""
    for path in sorted(Path(PAGES).glob("*.md")):
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
