"""`only_keys` through Dagster: a run, or a plan, of chosen rows; where the warehouse compares, too."""

from typing import Any

import dagster as dg
import pytest

from kustomer_pipeline import ObjectSync

from .pipeline import CUSTOMERS, Pipeline, people

THERE: ObjectSync = ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | {"compare": "in_warehouse"})
NAMES = ("updated", "unchanged", "deferred")


@pytest.mark.parametrize("sync", [CUSTOMERS, THERE], ids=["compared here", "compared in the warehouse"])
def test_one_row_is_looked_at_although_it_has_not_changed(pipeline: Pipeline, sync: ObjectSync) -> None:
    pipeline.customers(people(3))
    pipeline.run("sync_customers", sync)
    for id_ in list(pipeline.sandbox.customers):
        pipeline.sandbox.agent_edit(id_, name="By an agent")
    planned = pipeline.run("plan_all", sync, config={"only_keys": ["C-2"]}, op="kustomer__customers_plan")
    plan = planned.metadata("kustomer/customers_plan")
    assert (plan["would_update"], plan["unchanged"], [line["row"] for line in plan["changes"]]) == (1, 2, ["C-2"])
    run = pipeline.run("sync_customers", sync, config={"only_keys": [" C-2 "]})
    assert tuple(run.metadata("kustomer/customers")[name] for name in NAMES) == (1, 2, 0)
    names = [one["name"] for one in pipeline.sandbox.customers.values()]
    assert sorted(names) == ["By an agent", "By an agent", "Jane Private2"]
    rows = run.metadata("kustomer/customers_rows")["dagster/row_count"]
    assert rows == (1 if sync is THERE else 3)  # what was asked for leaves the warehouse, and nothing else


def test_rows_that_were_left_for_it_are_no_reason_to_warn_and_a_key_that_is_not_there_is(pipeline: Pipeline) -> None:
    pipeline.customers(people(3))
    run = pipeline.run("sync_customers", config={"only_keys": ["C-1", "C-77"]})
    assert run.success
    assert run.failed_checks() == {"kustomer/customers:nothing_to_note": "WARN"}
    assert "1 row that was asked for is not there: C-77" in run.metadata("kustomer/customers")["notes"]
    assert run.metadata("kustomer/customers")["deferred"] == 2


def test_an_empty_list_is_refused_before_anything_is_sent(pipeline: Pipeline) -> None:
    """It would have to mean all rows, or none, and somebody's script has found no row."""
    pipeline.customers(people(3))
    run = pipeline.run("sync_customers", config={"only_keys": []})
    assert not run.success
    assert pipeline.sandbox.units() == 0


@pytest.mark.parametrize("value", ["C-1", [7]])
def test_what_is_no_list_of_keys_is_refused_before_anything_runs(pipeline: Pipeline, value: Any) -> None:
    pipeline.customers(people(1))
    with pytest.raises(dg.DagsterError, match="only_keys"):
        pipeline.run("sync_customers", config={"only_keys": value})
