"""docs/observability.md says what is so: the fields of a line, the commands on it, the names of spans and metrics."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from kustomer_pipeline.telemetry import Observers, RequestLine, RequestLog
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.docs.blocks import blocks
from kustomer_pipeline_tests.markdown import code_spans, section, table
from kustomer_pipeline_tests.telemetry.recorded import Recorded, attributes
from kustomer_pipeline_tests.telemetry.watched import WatchedWorld
from kustomer_pipeline_tests.world import audience, customers, members, people

PAGE = REPOSITORY / "docs" / "observability.md"


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def log_of_a_day(home: Path) -> Path:
    """A log of runs with requests that had to be tried again."""
    folder = home / "kustomer_requests"
    with WatchedWorld(f"sqlite:///{home / 'state.db'}", RequestLog(folder)) as world:
        world.sandbox.faults.set("too_many_requests", times=2, after=3)
        world.run(customers(), people(30))
        world.run(audience(), members(30))
    return folder


def test_every_field_of_a_line_is_in_the_table_and_the_other_way_round() -> None:
    listed = [name for row in table(section(page(), "The request log"), "field") for name in code_spans(row[0])]
    assert listed == [one.name for one in fields(RequestLine)]


def test_the_line_that_is_shown_is_one() -> None:
    [shown] = [block for block in blocks(PAGE) if block.marker == "a line of the request log"]
    line = RequestLine.from_bytes(shown.text.replace("\n", "").encode())
    assert line is not None
    assert json.loads(line.to_bytes()) == json.loads(shown.text)


def test_the_commands_on_the_log_do_what_is_said_of_them(tmp_path: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    log_of_a_day(tmp_path)
    commands = [command for block in blocks(PAGE) if block.language == "sh" for command in block.commands]
    environment = {"DAGSTER_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    ran = [
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        for command in commands
    ]
    again, units = (one.stdout for one in ran)
    assert [text.split("\t")[1] for text in again.splitlines()] == ["customers", "customers"]
    assert all(text.endswith("\tKustomer answered 429") for text in again.splitlines())
    assert re.search(r"(?m)^ *1 customers POST /v1/customers/bulk$", units)


def test_the_python_that_is_shown_prints_the_requests_behind_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [example] = [block.text for block in blocks(PAGE) if block.language == "python"]
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".dagster_home").mkdir()
    log_of_a_day(tmp_path / ".dagster_home")
    exec(example, {})
    printed = capsys.readouterr().out
    assert re.search(r"(?m)Z POST /v1/customers/bulk 201 $", printed)


def test_every_name_of_a_span_attribute_and_of_a_metric_is_in_the_tables(tmp_path: Path) -> None:
    recorded = Recorded()
    with WatchedWorld(f"sqlite:///{tmp_path / 'state.db'}", Observers([recorded.observer])) as world:
        world.sandbox.faults.set("too_many_requests", times=1, after=3)
        world.sandbox.faults.set("item_form_refused", "p7@")
        world.run(customers(), people(30))
        world.run(customers(), people(30, plan="pro"))
        world.run(audience(), members(30))
    text = section(page(), "OpenTelemetry")
    named = set(code_spans(text))
    of_spans = {name for span in recorded.spans for name in attributes(span)}
    outcomes = {name for name in of_spans if name.startswith("kustomer.rows.")}
    assert of_spans - outcomes - named == set()
    assert "kustomer.rows.created" in outcomes & named
    metrics = recorded.metrics()
    listed = {name for row in table(text, "metric") for name in code_spans(row[0])}
    assert listed == metrics.keys()
    of_metrics = {name for points in metrics.values() for labels in points for name, _ in labels}
    assert of_metrics - named == set()
