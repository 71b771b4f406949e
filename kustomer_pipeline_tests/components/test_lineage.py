"""Where the rows come from: upstream assets, watched tables, columns; in one run what is upstream is made first."""

from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kustomer_pipeline import AudienceSync, ObjectSync, build_definitions
from kustomer_pipeline.components.keys import kustomer_key, mapped_key, rows_key
from kustomer_pipeline.io_manager import ParquetStorage
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS, VIP, Pipeline, Run, people

WATCH = {"table": "crm.customers", "updated_at": "updated_at"}
COLUMNS = ["id", "email", "name", "phone", "plan"]


def customers(**changes: Any) -> ObjectSync:
    return CUSTOMERS.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | changes)


def without_query(**changes: Any) -> ObjectSync:
    written = {key: value for key, value in CUSTOMERS.model_dump(exclude_unset=True).items() if key != "query"}
    return ObjectSync.model_validate(written | changes)


def parents(defs: dg.Definitions, key: dg.AssetKey) -> set[str]:
    return {parent.to_user_string() for parent in defs.resolve_asset_graph().get(key).parent_keys}


def run_all(pipeline: Pipeline, sync: ObjectSync, *upstream: dg.AssetsDefinition) -> Run:
    """One run of everything in a project that has its own storage for its own assets."""
    own = dg.Definitions(assets=upstream, resources={"io_manager": ParquetStorage()})
    job = dg.define_asset_job("everything", dg.AssetSelection.all())
    defs = dg.Definitions.merge(build_definitions([sync]), own, dg.Definitions(jobs=[job]))
    result = defs.resolve_job_def("everything").execute_in_process(instance=pipeline.instance, raise_on_error=False)
    return Run(result, pipeline.instance)


def test_the_rows_come_after_what_the_sync_depends_on() -> None:
    sync = customers(deps=["analytics/customers", ["analytics", "plans"]])
    assert parents(build_definitions([sync]), rows_key(sync)) == {"analytics/customers", "analytics/plans"}


def test_in_one_run_the_upstream_asset_is_made_first(pipeline: Pipeline) -> None:
    """As with a dbt model: the table is filled by it, and read afterwards."""

    @dg.asset(key=["analytics", "customers"])
    def model() -> None:
        pipeline.customers(people(3))

    run = run_all(pipeline, customers(deps=["analytics/customers"]), model)
    assert run.success
    assert run.metadata("kustomer/customers")["created"] == 3


def test_a_table_of_an_upstream_asset_is_read_after_it(pipeline: Pipeline) -> None:
    @dg.asset(key=["analytics", "customers"])
    def model() -> None:
        pipeline.customers(people(2))

    run = run_all(pipeline, without_query(source={"asset": "analytics/customers", "table": "customers"}), model)
    assert run.success
    assert run.metadata("kustomer/customers_rows")["dagster/row_count"] == 2
    assert run.metadata("kustomer/customers")["created"] == 2


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.Table])
def test_a_frame_of_an_upstream_asset_is_the_source(pipeline: Pipeline, kind: type) -> None:
    frame = pd.DataFrame(people(3), columns=COLUMNS)
    made = {
        pl.DataFrame: pl.from_pandas,
        pl.LazyFrame: lambda f: pl.from_pandas(f).lazy(),
        pa.Table: pa.Table.from_pandas,
    }
    value = made.get(kind, lambda f: f)(frame)

    @dg.asset(key=["analytics", "customers"], io_manager_key="in_memory")
    def upstream() -> Any:
        return value

    sync = without_query(source="analytics/customers")
    own = dg.Definitions(assets=[upstream], resources={"in_memory": dg.mem_io_manager})
    job = dg.define_asset_job("everything", dg.AssetSelection.all())
    defs = dg.Definitions.merge(build_definitions([sync]), own, dg.Definitions(jobs=[job]))
    run = Run(defs.resolve_job_def("everything").execute_in_process(instance=pipeline.instance), pipeline.instance)
    assert run.metadata("kustomer/customers")["created"] == 3


def test_an_upstream_asset_that_is_no_frame_is_a_readable_failure(pipeline: Pipeline) -> None:
    @dg.asset(key=["analytics", "customers"], io_manager_key="in_memory")
    def upstream() -> list[str]:
        return ["jane@private.example"]

    own = dg.Definitions(assets=[upstream], resources={"in_memory": dg.mem_io_manager})
    job = dg.define_asset_job("everything", dg.AssetSelection.all())
    sync = without_query(source="analytics/customers")
    defs = dg.Definitions.merge(build_definitions([sync]), own, dg.Definitions(jobs=[job]))
    result = defs.resolve_job_def("everything").execute_in_process(instance=pipeline.instance, raise_on_error=False)
    said = Run(result, pipeline.instance).failure("kustomer__customers_rows")
    assert said.startswith("The asset analytics/customers gives a list, not a DataFrame")
    assert "jane" not in said


def test_a_watched_table_is_an_asset_that_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://reader:secret@db.example:5433/warehouse?sslmode=require")
    sync = customers(watch=WATCH)
    defs = build_definitions([sync])
    table = defs.resolve_asset_graph().get(dg.AssetKey(["warehouse", "crm", "customers_table"]))
    assert table.metadata["dagster/table_name"] == "crm.customers"
    assert table.metadata["dagster/uri"] == "postgresql://db.example:5433/warehouse/crm.customers"
    assert parents(defs, rows_key(sync)) == {"warehouse/crm/customers_table"}


def test_a_table_that_two_syncs_watch_is_one_asset() -> None:
    vip = AudienceSync.model_validate(VIP.model_dump(exclude_unset=True) | {"watch": WATCH})
    defs = build_definitions([customers(watch=WATCH), vip])
    dg.Definitions.validate_loadable(defs)
    assert parents(defs, rows_key(vip)) == {"warehouse/crm/customers_table"}


def test_a_watched_table_may_be_an_asset_of_the_project() -> None:
    sync = customers(watch={**WATCH, "asset": "analytics/customers"}, deps=["analytics/customers"])
    defs = build_definitions([sync])
    assert parents(defs, rows_key(sync)) == {"analytics/customers"}
    assert "warehouse" not in {key.path[0] for key in defs.resolve_asset_graph().get_all_asset_keys()}


def test_each_kustomer_field_knows_its_warehouse_columns(pipeline: Pipeline) -> None:
    sync = customers(fields={"externalId": "id", "emails": ["email", "work_email"], "email": "email"})
    pipeline.warehouse.execute("alter table customers add column work_email text")
    pipeline.customers([(*person, None) for person in people(1)])
    run = pipeline.run("sync_customers", sync)
    mapped = run.metadata("kustomer/customers_mapped")["dagster/column_lineage"]
    assert columns(mapped, "emails") == [
        ("kustomer/customers_rows", "email"),
        ("kustomer/customers_rows", "work_email"),
    ]
    sent = run.metadata("kustomer/customers")["dagster/column_lineage"]
    assert columns(sent, "externalId") == [("kustomer/customers_mapped", "externalId")]
    schema = run.metadata("kustomer/customers")["dagster/column_schema"]
    assert [column.name for column in schema.columns] == ["externalId", "emails", "email"]


def test_the_lineage_is_there_before_anything_has_run() -> None:
    graph = build_definitions([CUSTOMERS]).resolve_asset_graph()
    for key in (mapped_key(CUSTOMERS), kustomer_key(CUSTOMERS)):
        assert "dagster/column_lineage" in graph.get(key).metadata


def columns(lineage: Any, name: str) -> list[tuple[str, str]]:
    return [(dep.asset_key.to_user_string(), dep.column_name) for dep in lineage.deps_by_column[name]]
