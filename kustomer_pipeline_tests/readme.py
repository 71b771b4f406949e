"""Writes into the README what the demo prints, and the figures of the benchmark.

python -m kustomer_pipeline_tests.readme
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile

from kustomer_pipeline_tests.conftest import REPOSITORY

README = REPOSITORY / "README.md"
_BLOCK = re.compile(r"(?s)(<!-- output of make demo -->\n```text\n)(.*?)(\n```\n)")

_FIGURES = re.compile(r"(?s)(<!-- figures of make bench -->\n)(.*?)(\n\n!\[)")


def shown_output() -> str:
    """The demo's output as the README has it."""
    found = _BLOCK.search(README.read_text(encoding="utf-8"))
    assert found is not None, "the README has no block after <!-- output of make demo -->"
    return found[2]


def shown_figures() -> str:
    """The figures of the benchmark as the README has them."""
    found = _FIGURES.search(README.read_text(encoding="utf-8"))
    assert found is not None, "the README has no block after <!-- figures of make bench -->"
    return found[2]


def figures() -> str:
    """The figures of docs/benchmarks/latest.json as a table, and a sentence about a million rows."""
    latest = json.loads((REPOSITORY / "docs/benchmarks/latest.json").read_text(encoding="utf-8"))
    alone = [one for one in latest["speed"] if one["condition"] == "on their own" and one["units"] > 1]
    head = "| work | rows | units per record, at most | measured | records a minute, at least | measured "
    lines = [f"{head}| the budget's own limit at those units |", "|---|---|---|---|---|---|---|"]
    for one in alone:
        rate = min(one["records_a_minute"], one["in_whole_windows"] or one["records_a_minute"])
        least = f"{one['goal_records_a_minute']:,}" if one["goal_records_a_minute"] else "-"
        most = f"{one['goal_units_per_record']:g}"
        lines.append(
            f"| {one['kind']} | {one['rows']:,} | {most} | {one['units_per_record']:.4f} | {least} | {rate:,} "
            f"| {one['limit_a_minute']:,} |"
        )
    many = latest["unchanged"]
    lines += [
        "",
        f"An unchanged run costs one request. {many['rows']:,} unchanged rows of {many['columns']} columns took "
        f"{many['all_seconds']:.0f} s and {max(many['peak_mb'].values()):,} MB.",
        "With bulk jobs a record takes less than a thousandth of a second of the processor, not more with more rows:",
    ]
    return "\n".join(lines)


def without_measured(output: str) -> str:
    """Without the numbers of requests: some only ask whether a job is done, sooner or later."""
    output = re.sub(r"(?m)^(  \w+ (?: +[\d,]+){6,7}) +\d+$", r"\1 #", output)
    return re.sub(r"rows for \d+ requests", "rows for # requests", output)


def main() -> int:
    """The exit status."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kustomer_pipeline.demo"]
        output = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    text = README.read_text(encoding="utf-8")
    text = _BLOCK.sub(lambda found: found[1] + output + found[3], text)
    text = _FIGURES.sub(lambda found: found[1] + figures() + found[3], text)
    README.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
