"""The figures of large tables as tables in docs/benchmarks/README.md, between two marks.

python -m kustomer_pipeline_tests.bench.page     writes them anew from latest.json, without measuring
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"(?s)(<!-- figures of large tables -->\n\n)(.*?)(\n\n<!-- end -->)")


def write(path: Path, results: Mapping[str, Any]) -> None:
    """Write the figures anew; nothing where the folder has no page."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        path.write_text(_BLOCK.sub(lambda found: found[1] + tables(results) + found[3], text), encoding="utf-8")


def shown(path: Path) -> str:
    """The tables as the page has them."""
    found = _BLOCK.search(path.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{path.name} has no block after <!-- figures of large tables -->")
    return found[2]


def tables(results: Mapping[str, Any]) -> str:
    """The runs, and the first writes of the state, as Markdown."""
    runs = _table(
        "rows | warehouse | compared | what changed | seconds | read, map, run | the comparing statement "
        "| filing of the lines | processor | the server's processor | MB | requests | load before",
        [_run(one) for one in results.get("large", [])],
    )
    writes = _table(
        "rows | state in | seconds | processor | the server's processor | load before",
        [
            f"{one['rows']:,} | {one['database']} | {one['seconds']} | {one['processor_seconds']} "
            f"| {_or_none(one['server_seconds'])} | {one['load']}"
            for one in results.get("first_write", [])
        ],
    )
    return f"{runs}\n\nThe first write of so many rows into the state:\n\n{writes}"


def _run(one: Mapping[str, Any]) -> str:
    there = one["comparison"] == "in_warehouse"
    cells: list[object] = [
        f"{one['rows']:,}",
        one["warehouse"],
        one["comparison"],
        "nothing" if one["situation"] == "unchanged" else f"{one['changed']:,} rows",
        one["all_seconds"],
        ", ".join(map(str, one["seconds"].values())),
        one["statement_seconds"] if there else "-",
        one["filing_seconds"] if there else "-",
        one["processor_seconds"],
        _or_none(one["server_seconds"]),
        f"{max(one['peak_mb'].values()):,}",
        one["units"],
        one["load"],
    ]
    return " | ".join(map(str, cells))


def _table(head: str, lines: Sequence[str]) -> str:
    return "\n".join(f"| {line} |" for line in (head, " | ".join(["---"] * (head.count("|") + 1)), *lines))


def _or_none(value: float | None) -> str:
    return "-" if value is None else f"{value}"


def main() -> None:
    """The page of what is in latest.json."""
    folder = Path(__file__).parents[2] / "docs" / "benchmarks"
    write(folder / "README.md", json.loads((folder / "latest.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
