"""The workflow in deploy/: valid by the schema of workflows, its variables exist, its scripts do what they say.

It is not run at GitHub. What its steps run is run here, with the real command line and a `gh` that writes down what it
is told.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kustomer_pipeline.cli.plan_markdown import MARKER
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.deploy.test_files import known_variables

from .conftest import CommandLine

WORKFLOW = REPOSITORY / "deploy" / "github-actions-plan.yml"
GH = """#!/usr/bin/env python3
import json, os, sys
open(os.environ["GH_LOG"], "a").write(json.dumps(sys.argv[1:]) + "\\n")
if "--paginate" in sys.argv:
    print(os.environ["FOUND"])
"""


def steps() -> dict[str, dict[str, Any]]:
    """The steps of the one job, by name."""
    [job] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    return {step.get("name") or step["uses"]: step for step in job["steps"]}


def test_it_is_valid_by_the_schema_of_workflows() -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_workflow_with_a_mistake_would_be_seen(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOW.read_text(encoding="utf-8").replace("runs-on:", "runs_on:"), encoding="utf-8")
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(wrong)]
    assert subprocess.run([sys.executable, *command], capture_output=True, check=False).returncode == 1


def test_it_may_read_the_repository_and_write_comments_and_nothing_else() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert steps()["actions/checkout@v5"]["with"] == {"persist-credentials": False}
    for step in steps().values():  # what a pull request says is never a part of a script
        assert "${{" not in step.get("run", "")


def test_its_variables_are_those_that_are_read_and_its_secrets_have_their_names() -> None:
    given = steps()["Plan"]["env"]
    assert set(given) <= known_variables()
    for name, value in given.items():
        assert re.fullmatch(rf"\$\{{\{{ (secrets|vars)\.{name} \}}\}}", value)
    assert "secrets." in given["KUSTOMER_API_KEY"] + given["WAREHOUSE_URL"]


def test_it_installs_what_there_is() -> None:
    [command] = steps()["Install"]["run"].splitlines()
    assert "--constraint constraints.txt --editable '.[postgres]'" in command
    python = steps()["actions/setup-python@v6"]["with"]
    assert (REPOSITORY / python["cache-dependency-path"]).is_file()
    assert python["python-version"] == "3.11"


class Runner:
    """Runs the scripts of steps as GitHub does: by `bash -e`, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "gh.log"
        programs = {"gh": GH, "kustomer-pipeline": f'#!/bin/sh\nexec {sys.executable} -m kustomer_pipeline "$@"\n'}
        for name, text in programs.items():
            (folder / name).write_text(text, encoding="utf-8")
            (folder / name).chmod(0o755)

    def run(self, step: str, **environment: str) -> int:
        """The exit status of a step."""
        files = {name: str(self.folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        known = {"GITHUB_REPOSITORY": "acme/crm", "PULL_REQUEST": "7", "GH_LOG": str(self.log), "FOUND": ""}
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", steps()[step]["run"]],
            cwd=self.folder,
            env=os.environ | path | known | files | environment,
            check=False,
        )
        return done.returncode

    @property
    def told(self) -> list[str]:
        """What `gh` was told last."""
        return list(json.loads(self.log.read_text(encoding="utf-8").splitlines()[-1]))


COMMENT = "Comment, or bring the comment from before up to date"


def test_a_plan_becomes_a_comment_whatever_it_comes_to(cli: CommandLine, tmp_path: Path) -> None:
    """Here the key is missing; the step itself goes on, and the last one fails."""
    runner = Runner(tmp_path)
    assert runner.run("Plan", KUSTOMER_API_KEY="") == 0
    assert (tmp_path / "github_output").read_text() == "status=1\n"
    comment = (tmp_path / "plan.md").read_text(encoding="utf-8")
    assert comment.startswith(f"{MARKER}\n")
    assert "KUSTOMER\\_API\\_KEY is not set" in comment
    assert (tmp_path / "github_step_summary").read_text(encoding="utf-8") == comment
    [last] = [step for step in steps().values() if step.get("run") == "exit 1"]
    assert last["if"] == "steps.plan.outputs.status == '1'"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("", ["POST", "repos/acme/crm/issues/7/comments"]),
        ("4711\n4712", ["PATCH", "repos/acme/crm/issues/comments/4711"]),
    ],
)
def test_the_comment_from_before_is_brought_up_to_date(tmp_path: Path, found: str, told: list[str]) -> None:
    runner = Runner(tmp_path)
    assert runner.run(COMMENT, FOUND=found) == 0
    assert runner.told == ["api", "--silent", "--method", *told, "--field", "body=@plan.md"]
    assert MARKER in steps()[COMMENT]["run"]
