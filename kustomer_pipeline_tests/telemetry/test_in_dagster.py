"""The request log of a Dagster run: switched on by its variable, and its lines name the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from kustomer_pipeline.telemetry import requests_of
from kustomer_pipeline_tests.components.conftest import clock, pipeline, sandbox
from kustomer_pipeline_tests.components.pipeline import Pipeline, people

__all__ = ["clock", "pipeline", "sandbox"]


@pytest.fixture
def warehouse_url(sqlite_url: str) -> str:
    return sqlite_url


def test_a_run_of_dagster_leaves_the_requests_behind_its_rows(
    pipeline: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_REQUEST_LOG", str(folder))
    pipeline.customers(people(3))
    run = pipeline.run("sync_customers")
    assert run.success
    [(key, *_), *_] = people(3)
    found = requests_of(folder, "customers", key)
    assert {(line.run, line.kind, line.org) for line in found} == {(run.run_id, "run", pipeline.sandbox.org_id)}
    assert "/v1/customers/bulk" in {line.template for line in found}
