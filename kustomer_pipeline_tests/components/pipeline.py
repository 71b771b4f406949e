"""A whole pipeline for tests: a warehouse in SQLite or PostgreSQL, a sandbox as Kustomer, a Dagster instance."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg
import sqlalchemy as sa

from kustomer_pipeline import AudienceSync, ObjectSync, build_definitions
from kustomer_pipeline.sandbox import Sandbox

CUSTOMERS = ObjectSync(
    name="customers",
    object="customers",
    query="select * from customers order by id",
    fields={"externalId": "id", "email": "email", "name": "name", "phone": "phone", "custom.planStr": "plan"},
    match_on=["externalId", "email"],
    default_region="GB",
)
VIP = AudienceSync(name="vip", tag="vip", query="select email from vips", fields={"email": "email"}, mode="mirror")

Row = tuple[Any, ...]


class Warehouse:
    """A database, as its owner sees it."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.has_schemas = self.engine.dialect.name != "sqlite"

    def execute(self, sql: str) -> list[Row]:
        """Run a statement; the rows, if it gives any."""
        with self.engine.begin() as connection:
            result = connection.exec_driver_sql(sql)
            return [tuple(row) for row in result] if result.returns_rows else []

    def insert(self, table: str, rows: Iterable[Row]) -> None:
        """Rows, in the order of the table's columns."""
        with self.engine.begin() as connection:
            for row in rows:
                names = ", ".join(f":v{n}" for n in range(len(row)))
                values = {f"v{n}": value for n, value in enumerate(row)}
                connection.execute(sa.text(f"insert into {table} values ({names})"), values)

    def log(self, table: str, *columns: str, run: str | None = None) -> list[Row]:
        """What `log_to: {schema: kustomer_sync}` has written, in an order that does not change."""
        name = f"kustomer_sync{'.' if self.has_schemas else '_'}{table}"
        only = f" where run_id = '{run}'" if run else ""
        return sorted(self.execute(f"select {', '.join(columns)} from {name}{only}"), key=str)


class Pipeline:
    """`run` a job, then ask what the event log, the sandbox and the values say."""

    def __init__(self, warehouse_url: str, sandbox: Sandbox, instance: dg.DagsterInstance) -> None:
        self.sandbox = sandbox
        self.instance = instance
        self.warehouse = Warehouse(warehouse_url)
        self.warehouse.execute("create table customers (id text, email text, name text, phone text, plan text)")
        self.warehouse.execute("create table vips (email text)")

    def customers(self, rows: Iterable[Row]) -> None:
        """What the warehouse holds from now on: id, email, name, phone, plan."""
        self.warehouse.execute("delete from customers")
        self.warehouse.insert("customers", rows)

    def vips(self, emails: Iterable[str]) -> None:
        """Who belongs to the audience from now on."""
        self.warehouse.execute("delete from vips")
        self.warehouse.insert("vips", [(email,) for email in emails])

    def run(
        self,
        job: str,
        *syncs: ObjectSync | AudienceSync,
        config: Mapping[str, Any] | None = None,
        op: str | None = None,
        of_each: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> "Run":
        """Run a job in this process. `config` is that of the sync asset of the job, unless another op is named.

        of_each: the config of several ops.
        """
        op = op or ("undo" if job == "undo_run" else f"kustomer__{job.removeprefix('sync_')}")
        configs = of_each or ({op: config} if config else {})
        run_config = {"ops": {name: {"config": one} for name, one in configs.items()}} if configs else None
        result = (
            build_definitions(syncs or [CUSTOMERS, VIP])
            .resolve_job_def(job)
            .execute_in_process(instance=self.instance, raise_on_error=False, run_config=run_config)
        )
        return Run(result, self.instance)

    def event_log(self) -> str:
        """Every event of every run as Dagster stores it."""
        return "\n".join(
            dg.serialize_value(record.event_log_entry)
            for run in self.instance.get_runs()
            for record in self.instance.get_records_for_run(run.run_id).records
        )


class Run:
    """What one run recorded."""

    def __init__(self, result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> None:
        self.result = result
        self.success = result.success
        self.run_id = result.run_id
        self.logs = [
            record.event_log_entry.user_message for record in instance.get_records_for_run(result.run_id).records
        ]

    def metadata(self, asset: str) -> dict[str, Any]:
        """The metadata of the materialization of `kustomer/customers`, as plain values."""
        [event] = [
            event
            for event in self.result.get_asset_materialization_events()
            if event.asset_key == dg.AssetKey(asset.split("/"))
        ]
        return {key: plain(value) for key, value in event.materialization.metadata.items()}

    def output(self, op: str) -> dict[str, Any]:
        """The metadata of what an op has put out, as plain values."""
        [event] = [event for event in self.result.events_for_node(op) if event.event_type_value == "STEP_OUTPUT"]
        return {key: plain(value) for key, value in event.step_output_data.metadata.items()}

    def materialized(self) -> set[str]:
        """The assets that were."""
        events = self.result.get_asset_materialization_events()
        return {event.asset_key.to_user_string() for event in events if event.asset_key}

    def checks(self) -> dict[str, dg.AssetCheckEvaluation]:
        """The check results, by asset and name: `kustomer/customers:all_rows_accepted`."""
        return {
            f"{check.asset_key.to_user_string()}:{check.check_name}": check
            for check in self.result.get_asset_check_evaluations()
        }

    def failed_checks(self) -> dict[str, str]:
        """Those that did not pass, with their severity."""
        return {name: check.severity.value for name, check in self.checks().items() if not check.passed}

    def failure(self, step: str) -> str:
        """What a person reads about a step that failed."""
        data = self.result.failure_data_for_node(step)
        assert data is not None, f"{step} did not fail"
        assert data.user_failure_data is not None, data.error
        return data.user_failure_data.description or ""

    def retried(self) -> bool:
        """Whether any step was tried again."""
        return any("RETRY" in event.event_type_value for event in self.result.all_events)


def plain(value: dg.MetadataValue[Any]) -> Any:
    """What metadata holds; a table as a list of its rows."""
    return [dict(record.data) for record in value.records] if isinstance(value, dg.TableMetadataValue) else value.value


def people(count: int, start: int = 1) -> list[Row]:
    """Rows of the warehouse that nothing is wrong with."""
    return [
        (f"C-{n}", f"jane{n}@private.example", f"Jane Private{n}", f"020 7946 0{n:03d}", "pro")
        for n in range(start, start + count)
    ]
