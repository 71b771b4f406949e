"""Law 10 through Dagster: wherever a run leaves a trace, there is no API key, and no value of a row where keys will do.

The event log, what is printed, the files of an instance on disk, the state, the log tables in the warehouse.
"""

import stat
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from kustomer_pipeline import ObjectSync, build_definitions
from kustomer_pipeline.sandbox.fault_names import FAULTS

from .pipeline import CUSTOMERS, VIP, Pipeline, people
from .test_log_to import logged

# Every row is about somebody named Jane or Lone Private; so is who is there already.
PERSONAL = ("private", "jane", "lone@", "stranger", "2079460", "7946 0")
# The state keeps row keys, and for some days what runs overwrote: to find rows again, and to take runs back.
KEPT_ON_PURPOSE = {("sync_changes", "changes"), ("bulk_jobs", "items")}

GROUPS = sorted({kind.group for kind in FAULTS.values()})
VALUES = {"timeout_before": 0.01, "timeout_after": 0.01, "masked": "phones,name"}

BY_EMAIL = ObjectSync(
    name="by_email",
    object="customers",
    query=CUSTOMERS.sql,
    fields={"email": "email", "name": "name", "phone": "phone"},
    match_on=["email"],
)


def assert_without(text: str, secrets: tuple[str, ...]) -> None:
    text = text.lower()
    for secret in secrets:
        assert secret not in text, text[max(0, text.index(secret) - 300) : text.index(secret) + 100]


def columns_but_keys(engine: sa.Engine) -> str:
    """Everything in a database but the keys of rows, and what is kept on purpose."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    said = []
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            columns = [
                column
                for column in table.columns
                if column.name not in ("key", "row_key") and (table.name, column.name) not in KEPT_ON_PURPOSE
            ]
            said += [f"{table.name}: {row}" for row in connection.execute(sa.select(*columns))]
    return "\n".join(said)


def logs_of(pipeline: Pipeline) -> str:
    """The log tables of the warehouse, without the keys of rows."""
    columns = ("org_id", "sync", "run_id", "outcome", "kustomer_id", "reason", "at")
    tables = {"sync_log": columns, "rejects": columns, "sync_runs": ("*",)}
    return "\n".join(str(pipeline.warehouse.log(table, *names)) for table, names in tables.items())


def files_below(folder: Path, *suffixes: str) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in suffixes:
            yield path, path.read_bytes()


@pytest.mark.parametrize("group", GROUPS)
def test_no_fault_of_kustomers_makes_a_run_tell(
    group: str, pipeline: Pipeline, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each fault, three at a time, now and then, while rows are created, changed, refused, tagged, untagged and taken
    back.
    """
    customers, vip = logged(max_failure_share=1), logged(VIP, max_removals={"share": 1})
    twin = ("C-901", "jane1@private.example", "Jane Twin", "020 7946 0999", "pro")
    lone = (None, "lone@private.example", "Lone Private", "nonsense", "pro")
    pipeline.sandbox.seed_customer(externalId="X", emails=[{"email": "jane3@private.example"}], name="Jane Private")
    names = [kind.name for kind in FAULTS.values() if kind.group == group]
    for turn, start in enumerate(range(0, len(names) + 3, 3)):  # the last turn has none
        changed = [(*row[:4], f"private plan {turn}") for row in people(2 + turn)]
        pipeline.customers([*changed, *people(3, start=100 * (turn + 1)), twin, lone])
        pipeline.vips([f"jane{n}@private.example" for n in range(1 + turn, 4 + turn)] + ["stranger@private.example"])
        for name in names[start : start + 3]:
            pipeline.sandbox.faults.set(name, VALUES.get(name), probability=0.4)
        run = pipeline.run("sync_all", customers, vip)
        pipeline.run("undo_run", customers, vip, config={"run_id": run.run_id})
        pipeline.sandbox.faults.clear()
        pipeline.sandbox.release_jobs()
    assert {"created", "updated", "rejected", "invalid"} <= {
        row[0] for row in pipeline.warehouse.log("sync_log", "outcome")
    }

    said = pipeline.event_log() + "".join(capfd.readouterr())
    assert "Materialized value kustomer customers" in said  # it is the log
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'state.db'}", poolclass=sa.NullPool)
    assert_without(said + columns_but_keys(engine) + logs_of(pipeline), (*PERSONAL, pipeline.sandbox.api_key.lower()))
    for path, content in files_below(tmp_path):
        assert pipeline.sandbox.api_key.encode() not in content, path


def test_neither_personal_data_nor_the_key_reach_the_logs(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever happens: a good run, refused rows, a plan, an audience, an error half-way."""
    twins = [("C-901", "jane1@private.example", "Jane Twin", "020 7946 0999", "pro")]
    pipeline.customers([*people(40), *twins, (None, "lone@private.example", "Lone Private", "nonsense", "pro")])
    pipeline.vips(["jane2@private.example", "lone@private.example", "stranger@private.example"])
    for job in ("plan_all", "sync_all", "sync_by_email", "plan_all"):
        pipeline.run(job, CUSTOMERS, VIP, BY_EMAIL)
    pipeline.sandbox.faults.set("gateway_error_before", 502, path="/v1/customers")
    for job in ("plan_all", "sync_customers", "sync_by_email"):
        pipeline.run(job, CUSTOMERS, VIP, BY_EMAIL, config=None if job == "plan_all" else {"full_resync": True})
    log = pipeline.event_log() + "".join(capfd.readouterr())
    assert "Materialized value kustomer by_email" in log  # it is the log
    assert_without(log, (*PERSONAL, pipeline.sandbox.api_key.lower()))


def test_an_instance_on_disk_holds_no_key_and_personal_data_in_its_frames_only(
    pipeline: Pipeline, dagster_home: Path
) -> None:
    """As the project is run: event log in files, what is printed in files, the frames as Parquet."""
    pipeline.customers([*people(20), (None, "lone@private.example", "Lone Private", "nonsense", "pro")])
    pipeline.vips(["jane2@private.example", "stranger@private.example"])
    definitions = build_definitions([logged(), logged(VIP)])
    with dg.DagsterInstance.get() as instance:
        assert definitions.resolve_job_def("plan_all").execute_in_process(instance=instance).success
        pipeline.sandbox.faults.set("gateway_error_before", probability=0.3)
        job = definitions.resolve_job_def("sync_all")
        assert job.execute_in_process(instance=instance, raise_on_error=False).run_id
    files = dict(files_below(dagster_home))
    suffixes = {path.suffix for path in files}
    assert suffixes >= {".parquet", ".csv", ".db", ".err"}  # frames, event logs, what was printed
    for path, content in files.items():
        text, is_frame = content.decode("latin-1"), path.suffix in (".parquet", ".csv")
        assert_without(text, (pipeline.sandbox.api_key.lower(), *(() if is_frame else PERSONAL)))
        assert not is_frame or stat.S_IMODE(path.stat().st_mode) == 0o600
