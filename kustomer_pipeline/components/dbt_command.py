"""The command `exposures`: a Dagster project → its syncs → `exposures.yml` for dbt."""

from __future__ import annotations

import argparse
import contextlib
import sys
import warnings
from pathlib import Path

import dagster as dg

from kustomer_pipeline.resources import dagster_url

from .dbt import MATURITIES, exposures
from .sync_config import SyncConfig, SyncConfigError

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
        with contextlib.redirect_stdout(sys.stderr):
            syncs, defs = _loaded(options.project)
            text = exposures(syncs, defs, url=dagster_url(), maturity=options.maturity)
    except Exception as error:  # whatever a file of the project does: the reader needs its reason, not our stack
        print(f"exposures: the project does not load: {_cause(error)}", file=sys.stderr)
        return _CANNOT
    if options.output is None:
        print(text, end="")
    else:
        options.output.write_text(text, encoding="utf-8")
    return 0


def _loaded(project: Path) -> tuple[list[SyncConfig], dg.Definitions]:
    folder = project.resolve()
    if str(folder) not in sys.path:  # as `dg` does; a project need not be installed for this
        sys.path.insert(0, str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster warns of features that it uses itself, once an asset
        tree = dg.ComponentTree.for_project(folder)
        # The type hint asks for a class that can be built; an abstract one serves to find its heirs.
        components = tree.get_all_components(of_type=dg.Component)  # type: ignore[type-abstract]
        # A component is met again in the file that it is from, so each name once.
        syncs = {one.name: one for one in components if isinstance(one, SyncConfig)}
        return list(syncs.values()), tree.build_defs()


def _cause(error: BaseException) -> str:
    """Dagster wraps a mistake in a drawing of the whole folder; the mistake alone is what helps."""
    while error.__cause__ is not None and not isinstance(error, SyncConfigError):
        error = error.__cause__
    return str(error) or type(error).__name__
