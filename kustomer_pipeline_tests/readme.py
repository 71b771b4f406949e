"""Writes into the README what the demo prints.

python -m kustomer_pipeline_tests.readme
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile

from kustomer_pipeline_tests.conftest import REPOSITORY

README = REPOSITORY / "README.md"
_BLOCK = re.compile(r"(?s)(<!-- output of make demo -->\n```text\n)(.*?)(\n```\n)")


def shown_output() -> str:
    """The demo's output as the README has it."""
    found = _BLOCK.search(README.read_text(encoding="utf-8"))
    assert found is not None, "the README has no block after <!-- output of make demo -->"
    return found[2]


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
    README.write_text(_BLOCK.sub(lambda found: found[1] + output + found[3], text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
