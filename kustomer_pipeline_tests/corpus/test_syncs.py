"""Sync files that a person might really write: each is an error that names file and line, or it loads."""

from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import pytest

from kustomer_pipeline.components import SyncConfigError

from ..components.conftest import Project, project
from ..components.test_broken_syncs import unescaped
from .expected_syncs import LOADS, MISTAKES

__all__ = ["project"]  # a fixture: found by its name in this module

GOLD = """
type: kustomer_pipeline.AudienceSync
attributes: {tag: a tag of its own, query: select 1, match_on: [email], fields: {email: email}}
"""
FOLDER = Path(__file__).parent / "syncs"
# What no reader of a sync file can be expected to know.
GIBBERISH = re.compile(r"Traceback|pydantic|ValidationError|Node\(|0x[0-9a-f]{6}|<class |NoneType|Input should")


def test_every_file_is_expected_and_every_expectation_has_a_file() -> None:
    assert sorted([*LOADS, *MISTAKES]) == sorted(path.stem for path in FOLDER.glob("*.yaml"))
    assert len(MISTAKES) >= 150


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_names_file_and_line(project: Project, name: str) -> None:
    file = written(project, name)
    with pytest.raises(SyncConfigError) as caught:
        project.load()
    title, *lines = str(caught.value).splitlines()
    assert title.endswith("cannot be loaded:")
    assert len(lines) == len(MISTAKES[name])
    for line, (number, part) in zip(lines, MISTAKES[name], strict=True):
        assert line.startswith(f"  {file}:{number}  ")
        assert part in line
        assert GIBBERISH.search(line) is None
        assert len(line) < len(str(file)) + 1000


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_one_file_leaves_the_others_alone(project: Project, name: str) -> None:
    """Except for a file that is not a sync's at all: the others may be nothing without it."""
    file = written(project, name)
    project.write("gold/defs.yaml", GOLD)
    defs = project.load(strict=False)
    failing = [one for one in defs.resolve_all_asset_specs() if "kustomer/does_not_load" in one.tags]
    assert {key.path[-1] for key in (one.key for one in failing)} == {"customers", "customers_plan"}
    for number, part in MISTAKES[name]:
        said = unescaped(failing[0].description or "")
        assert f"{file}:{number} " in said
        assert " ".join(part.split()) in said
    dg.Definitions.validate_loadable(defs)
    assert {"sync_customers", "sync_gold", "sync_all"} <= {job.name for job in defs.resolve_all_job_defs()}


@pytest.mark.parametrize("name", LOADS)
def test_an_odd_file_that_is_fine_loads(project: Project, name: str) -> None:
    written(project, name)
    jobs = {job.name for job in project.load().resolve_all_job_defs()}
    assert "sync_customers" in jobs


def written(project: Project, name: str) -> Path:
    """The file of the corpus as the defs.yaml of a sync, byte by byte."""
    file = project.write("customers/defs.yaml", "")
    file.write_bytes((FOLDER / f"{name}.yaml").read_bytes())
    return file
