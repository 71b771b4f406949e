"""The guide "What happened to this row?": its commands, on a row with a history and on rows that were refused."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kustomer_pipeline_tests.components.conftest import Project, empty_project
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.docs.blocks import blocks

from .conftest import ROWS
from .followed import Followed, files_of

PAGE = "docs/guides/one-record.md"
SYNC = files_of("docs/guides/first-sync.md")["customers/defs.yaml"]
JQ = "kustomer-pipeline plan customers --all --json | jq -r '.plans[].refused[] | [.key, .outcome, .reason] | @tsv'"
BAD = ROWS - 20  # more than the hundred that a page lists


@pytest.fixture
def shell(follow: Callable[[str], Followed], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Followed:
    """A sync, and its first run, with the request log on."""
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", str(tmp_path / "requests"))
    shell = follow(PAGE)
    shell.sync("customers", SYNC)
    shell.pipeline.warehouse.execute("update crm.customers set email = 'jane@example.com' where customer_id = 'C-17'")
    shell.say("run", "customers")
    return shell


def test_a_row_is_shown_with_what_was_sent_of_it(shell: Followed) -> None:
    shell.pipeline.warehouse.execute("update crm.customers set plan = 'free' where customer_id = 'C-17'")
    shell.say("run", "customers")
    said = shell.type("kustomer-pipeline show customers C-17")
    for heading in ("In the warehouse", "In Kustomer", "Remembered", "What became of it", "What was overwritten"):
        assert f"\n{heading}\n" in said.out
    assert "/v1/customers/bulk" in said.out  # the requests
    assert "What a run would do now" in said.out
    said = shell.type("kustomer-pipeline show customers jane@example.com --show-values")
    assert "custom.planStr: pro → free" in said.out
    said = shell.type("kustomer-pipeline run customers --only-keys C-17")
    assert said.status == 0
    assert shell.left == [JQ]


def test_a_plan_lists_every_row_that_is_refused(shell: Followed) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    shell.pipeline.warehouse.execute(
        f"update crm.customers set email = 'none' where substr(customer_id, 3)::int > {ROWS - BAD}"
    )
    assert JQ in shell.left
    plan, filtered = JQ.split(" | ", 1)
    said = shell.say(*plan.split()[1:])
    lines = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", filtered], input=said.out, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(lines) == BAD
    assert all(line.split("\t")[1:] == ["invalid", "email is not an e-mail address"] for line in lines)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    yield from empty_project(tmp_path, monkeypatch)


def test_the_value_of_the_asset_has_every_row(
    shell: Followed,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    [example] = [block.text for block in blocks(REPOSITORY / PAGE) if block.language == "python"]
    shell.pipeline.warehouse.execute(
        f"update crm.customers set email = 'none' where substr(customer_id, 3)::int > {ROWS - BAD}"
    )
    project.write("customers/defs.yaml", SYNC)
    job = project.load().resolve_job_def("sync_customers")
    job.execute_in_process(instance=shell.pipeline.instance, raise_on_error=False)
    [folder] = tmp_path.rglob("kustomer/customers")
    (tmp_path / ".dagster_home").mkdir()
    shutil.move(folder.parent.parent, tmp_path / ".dagster_home" / "storage")
    done = subprocess.run(
        [sys.executable, "-c", f"import pandas as pd; pd.set_option('display.max_rows', 500)\n{example}"],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count(" invalid ") == BAD
