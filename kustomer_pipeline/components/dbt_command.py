"""The command `exposures`: a Dagster project → its syncs → `exposures.yml` for dbt."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from kustomer_pipeline.project_folder import in_project
from kustomer_pipeline.resources import dagster_url, setting

from .dbt import MATURITIES, exposures
from .of_project import load_whole, said_by

DESCRIPTION = """Write an exposures.yml for dbt: one exposure for each sync that reads a dbt model.
It links to the assets of the syncs when KUSTOMER_DAGSTER_URL says where the Dagster UI is."""
_CANNOT = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `exposures`."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "--project", type=Path, default=Path(), help="folder of the Dagster project (default: this one)"
    )
    parser.add_argument("--output", type=Path, help="the file to write (default: print it)")
    parser.add_argument("--maturity", choices=MATURITIES, help="the maturity that dbt shows; none unless given")


def run(options: argparse.Namespace) -> int:
    """Write the exposures, and give the exit status: 0 written, 2 when the project does not load."""
    try:
        # What dbt or a module of the project prints while it loads is no part of the file.
        with (
            contextlib.redirect_stdout(sys.stderr),
            in_project(options.project, setting("", "KUSTOMER_DEFS")) as root,
        ):
            project = load_whole(root)
            text = exposures(project.syncs, project.defs, url=dagster_url(), maturity=options.maturity)
    except Exception as error:  # whatever a file of the project does: the reader needs its reason, not our stack
        print(f"exposures: the project does not load: {said_by(error)}", file=sys.stderr)
        return _CANNOT
    if options.output is None:
        print(text, end="")
    else:
        options.output.write_text(text, encoding="utf-8")
    return 0
