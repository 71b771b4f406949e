"""Every block that a page shows is run, or stands here with the reason why not.

the YAML of a page → a project → its jobs, on a warehouse that has the tables, against a local Kustomer
the commands of a page → run by the test that is named here, or not, for the reason that is given here
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.doctor import command as doctor
from kustomer_pipeline.forget import command as forget
from kustomer_pipeline.sandbox.__main__ import make_parser
from kustomer_pipeline_tests.components.conftest import Project, clock, empty_project, pipeline, sandbox
from kustomer_pipeline_tests.components.pipeline import Pipeline
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.docs.blocks import PAGES, Block, blocks, every_block
from kustomer_pipeline_tests.docs.followed import files_of, tables

__all__ = ["clock", "pipeline", "sandbox"]

# --- commands -----------------------------------------------------------------------------------------------------

# Beginning of a command → the test that runs it.
RUN: Final = {
    "mkdir -p ~/.dagster_home": "docs/test_first_sync.py",
    "export DAGSTER_HOME=": "docs/test_first_sync.py",
    "rm -r kustomer_pipeline/defs/": "docs/test_first_sync.py",
    ".venv/bin/dagster dev": "docs/test_first_sync.py",
    ".venv/bin/python -m kustomer_pipeline doctor": "docs/test_first_sync.py",
    "python -m kustomer_pipeline doctor": "doctor/test_commands.py",
    ".venv/bin/python -m kustomer_pipeline.sandbox": "sandbox/test_command_line.py",
    "python -m kustomer_pipeline exposures": "docs/test_blocks.py",
    "python -m kustomer_pipeline forget": "privacy/test_command.py",
    'rm -r "$DAGSTER_HOME/storage/': "docs/test_blocks.py",
    "kustomer-pipeline plan": "cli/test_plan.py",
    "kustomer-pipeline apply": "cli/test_run_and_apply.py",
    "kustomer-pipeline run": "cli/test_run_and_apply.py",
    "kustomer-pipeline status": "cli/test_status.py",
    "kustomer-pipeline show": "cli/test_show.py",
    "kustomer-pipeline undo": "cli/test_run_and_apply.py",
    "kustomer-pipeline completion": "cli/test_completion.py",
    "kustomer-pipeline plan customers --all --json | jq": "docs/test_one_record.py",
    "kustomer-pipeline doctor": "doctor/test_commands.py",
    ". .venv/bin/activate": "docs/test_own_project.py",
    "dg scaffold": "docs/test_own_project.py",
    "dg dev": "docs/test_own_project.py",
    "KUSTOMER_STRICT=1 dg check defs": "docs/test_own_project.py",
    "cp .env.example": "cli/test_init.py",
    "dagster dev -w workspace.yaml": "docs/test_first_sync.py",
    "make demo": "demo/test_demo.py",
    "make dev": "demo/test_demo.py",
    "make docs": "docs/test_site.py",
    "pg_dump": "deploy/test_backups.py",
    "dropdb": "deploy/test_backups.py",
    "createdb": "deploy/test_backups.py",
    "pg_restore": "deploy/test_backups.py",
    "docker compose --file deploy/compose.yaml exec --no-TTY postgres": "deploy/test_backups.py",
    "sqlite3": "deploy/test_backups.py",
    "jq": "telemetry/test_page.py",
    "KUSTOMER_STATE_URL=": "deploy/test_copy_state.py",
    "KUSTOMER_STRICT=1": "cli/test_init.py",
}
# Beginning of a command → why no test runs it, and what holds it.
NOT_RUN: Final = {
    "make setup": "it installs from a registry; CI begins with it",
    "make test": "it is what runs this",
    "make bench": "it takes minutes; test_bench.py runs it small",
    "git ": "there is nothing to fetch from",
    ".venv/bin/python -m pip install": "it installs from a registry; the extras exist: test_packaging.py, below",
    "python3 -m venv": "the Makefile does it in CI",
    "cd ": "the command after it stands in the same list",
    "for file in": "it deletes runs; the same is done in Python by privacy/test_forget_everywhere.py",
    "useradd": "it changes the machine",
    "runuser": "it needs PostgreSQL's own user; createdb is run by deploy/test_backups.py",
    "install ": "it writes to /etc and /var; the files exist: deploy/test_files.py",
    "cp deploy/": "the files exist: deploy/test_files.py",
    "systemctl": "it needs systemd as the first process; the units are read by deploy/test_files.py",
    "systemd-run": "it needs systemd; what it runs is run by deploy/test_files.py and docs/test_first_sync.py",
    "docker compose": "it needs Docker's daemon; the file is read by deploy/test_files.py",
    "docker build": "it needs Docker's daemon; the Dockerfile is read by deploy/test_files.py",
    "docker push": "it needs a registry of one's own",
    "kubectl": "it needs a cluster; the names of secrets: deploy/test_files.py",
    "helm": "it needs a cluster; the values are read by deploy/test_files.py",
    "export DAGSTER_CLOUD": "it needs an account of Dagster+",
    "dagster-cloud": "it needs an account of Dagster+; its file is loaded by deploy/test_files.py",
}


def shown() -> list[tuple[Block, str]]:
    """Every command of every page. Blocks without a language count when they begin like one."""
    plain = [block for block in every_block("") if block.text.startswith("python -m ")]
    return [(block, command) for block in [*every_block("sh"), *plain] for command in block.commands]


def longest(command: str) -> str | None:
    """The entry of the two lists that fits a command best."""
    fits = [beginning for beginning in (*RUN, *NOT_RUN) if command.startswith(beginning)]
    return max(fits, key=len, default=None)


def test_every_command_is_run_by_a_test_or_has_its_reason() -> None:
    assert [(block.page, command) for block, command in shown() if longest(command) is None] == []


def test_the_two_lists_name_nothing_that_no_page_shows() -> None:
    assert {*RUN, *NOT_RUN} - {longest(command) for _, command in shown()} == set()


def test_the_tests_that_run_commands_exist() -> None:
    tests = REPOSITORY / "kustomer_pipeline_tests"
    assert [name for name in set(RUN.values()) if not (tests / name).is_file()] == []


def test_no_page_hides_a_block_from_these_tests_by_its_language() -> None:
    languages = {block.language for page in PAGES for block in blocks(page)}
    assert languages <= {"sh", "yaml", "python", "ini", "toml", "sql", "text", ""}


def test_the_options_of_our_commands_are_those_that_their_parsers_know() -> None:
    """In a synopsis, too: `doctor [--json] …`."""
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    forgetting = argparse.ArgumentParser()
    forget.add_arguments(forgetting)
    known = {
        "doctor": parser.format_help(),
        "forget": forgetting.format_help(),
        "sandbox": make_parser().format_help(),
    }
    looked_at = set()
    for _, command in shown():
        found = re.search(r"-m kustomer_pipeline[ .](doctor|forget|sandbox)\b(.*)", command)
        if found is not None:
            looked_at.add(found[1])
            options = re.findall(r"--[a-z-]+", found[2])
            assert [one for one in options if not re.search(rf"{one}\b", known[found[1]])] == []
    assert looked_at == known.keys()


def test_frames_of_the_first_release_are_removed_and_no_others(tmp_path: Path) -> None:
    [command] = [command for _, command in shown() if command.startswith('rm -r "$DAGSTER_HOME')]
    storage = tmp_path / "storage"
    for name in ("warehouse/customers", "mapped/customers", "plan/customers", "kustomer/customers"):
        (storage / name).mkdir(parents=True)
    subprocess.run(
        ["bash", "-eu", "-c", command], env={"DAGSTER_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True
    )
    assert [path.name for path in storage.iterdir()] == ["kustomer"]


def test_the_exposures_are_written_where_the_guide_says(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    [command] = [command for _, command in shown() if command.startswith("python -m kustomer_pipeline exposures")]
    here = project.folder.parent.parent
    settings = f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{project.package}"\n'
    (here / "pyproject.toml").write_text(settings, encoding="utf-8")
    for path, text in files_of("docs/guides/dbt.md").items():
        project.write(path, text)
    target = here.parent / "shop" / "models"
    target.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setattr("sys.path", [*sys.path])
    assert main(command.split()[3:]) == 0
    written = yaml.safe_load((target / "exposures.yml").read_text(encoding="utf-8"))
    assert {one["name"] for one in written["exposures"]} == {"kustomer_customers", "kustomer_vip"}


# --- YAML ---------------------------------------------------------------------------------------------------------

SYNCS: Final = ("type: kustomer_pipeline.ObjectSync", "type: kustomer_pipeline.AudienceSync")


@pytest.fixture
def warehouse_url(postgres_url: str) -> str:
    """A warehouse with the tables that the pages read."""
    with sa.create_engine(postgres_url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql(tables())
    return postgres_url


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    folder = tmp_path / "of_ones_own"
    folder.mkdir()
    yield from empty_project(folder, monkeypatch)


WITH_SYNCS: Final = sorted({b.page for b in every_block("yaml") if any(kind in b.text for kind in SYNCS)})


def run(of: Pipeline, definitions: dg.Definitions, job: str, config: dict[str, Any] | None = None) -> str:
    """Run a job, which must succeed; the id of the run. Of a sync in shards: of each part, the last one's."""
    found = definitions.resolve_job_def(job)
    for partition in found.partitions_def.get_partition_keys() if found.partitions_def else [None]:
        result = found.execute_in_process(
            instance=of.instance, run_config=config, raise_on_error=False, partition_key=partition
        )
        assert result.success, job
    return result.run_id


def plan_id(of: Pipeline, definitions: dg.Definitions, sync: str) -> str:
    """The id of a plan of today; there has to be something in it."""
    run(of, definitions, "plan_all")
    event = of.instance.get_latest_materialization_event(dg.AssetKey(["kustomer", f"{sync}_plan"]))
    assert event is not None
    assert event.asset_materialization is not None
    return str(event.asset_materialization.metadata["plan_id"].value)


@pytest.mark.parametrize("page", WITH_SYNCS)
def test_the_syncs_of_a_page_run(
    page: str,
    project: Project,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for org in ("US", "EU"):
        monkeypatch.setenv(f"KUSTOMER_{org}_BASE_URL", pipeline.sandbox.url)
        monkeypatch.setenv(f"KUSTOMER_{org}_API_KEY", pipeline.sandbox.api_key)
    pipeline.sandbox.seed_company(externalId="A-1", name="Acme")
    files = files_of(page)
    for path, text in files.items():
        project.write(path, text)
    definitions = project.load()
    syncs = [path.partition("/")[0] for path, text in files.items() if "KustomerProject" not in text]
    for name in sorted(syncs, key=lambda name: "AudienceSync" in files[f"{name}/defs.yaml"]):  # audiences last
        if "approval:" in files[f"{name}/defs.yaml"]:
            approved = {"plan": plan_id(pipeline, definitions, name)}
            run(pipeline, definitions, "apply_plan", {"ops": {"apply": {"config": approved}}})
        else:
            run(pipeline, definitions, f"sync_{name}")
    assert pipeline.sandbox.count("POST") > 0


def test_every_run_config_of_a_page_is_one_that_a_run_takes(project: Project, pipeline: Pipeline) -> None:
    for page in ("docs/guides/first-sync.md", "docs/guides/audiences.md"):
        for path, text in files_of(page).items():
            if path in {"customers/defs.yaml", "vip/defs.yaml"}:
                project.write(path, text)
    definitions = project.load()
    runs = [run(pipeline, definitions, job) for job in ("plan_all", "sync_customers", "sync_vip")]
    assert len(pipeline.sandbox.customers) == 8
    shown = {block.text for block in every_block("yaml") if block.text.startswith("ops:")}
    assert len(shown) > 5
    for config in map(yaml.safe_load, sorted(shown, key=lambda text: "undo:" in text)):  # the undo last
        ops = list(config["ops"])
        ids = {"run_id": runs[-1]}  # in place of the page's
        if any(given["config"].keys() & {"plan", "approve"} for given in config["ops"].values()):
            pipeline.warehouse.execute("update crm.customers set plan = plan || '+'")
            ids["plan"] = plan_id(pipeline, definitions, "customers")
            ids["plan_all"] = run(pipeline, definitions, "plan_all")
        for given in config["ops"].values():
            for key in given["config"].keys() & {"run_id", "plan", "approve"}:
                of_all = key != "run_id" and not str(given["config"][key]).startswith("plan-")
                given["config"][key] = ids["plan_all" if of_all else "run_id" if key == "run_id" else "plan"]
        run(pipeline, definitions, job_of(ops[0]) if len(ops) == 1 else "sync_all", config)
    assert {tag for one in pipeline.sandbox.customers for tag in pipeline.sandbox.tag_names(one)} == set()  # undone


def job_of(op: str) -> str:
    """The job that has this op, or materializes this asset."""
    if op in {"undo", "apply"}:
        return {"undo": "undo_run", "apply": "apply_plan"}[op]
    return "plan_all" if op.endswith("_plan") else f"sync_{op.removeprefix('kustomer__')}"


WHOLE: Final = r"(?m)^(type: kustomer_pipeline\.|ops:|exposures:)"  # exposures: test_site.py compares them
PARTS: Final = [block for block in every_block("yaml") if not re.search(WHOLE, block.text)]


@pytest.mark.parametrize("block", PARTS, ids=[f"{block.page}-{number}" for number, block in enumerate(PARTS)])
def test_the_attributes_that_a_page_shows_alone_load_in_a_sync(block: Block, project: Project) -> None:
    """That of the first guide; `alerts` in the project, too. So every block of YAML is run or loaded here."""
    attributes = yaml.safe_load(block.text)
    sync = yaml.safe_load(files_of("docs/guides/first-sync.md")["customers/defs.yaml"])
    sync["attributes"] |= attributes
    project.write("customers/defs.yaml", yaml.safe_dump(sync))
    if "alerts" in attributes:
        whole = {"type": "kustomer_pipeline.KustomerProject", "attributes": attributes}
        project.write("kustomer/defs.yaml", yaml.safe_dump(whole))
    definitions = project.load()
    dg.Definitions.validate_loadable(definitions)
    sensors = {sensor.name for sensor in definitions.get_repository_def().sensor_defs}
    assert ("kustomer_alerts" in sensors) == ("alerts" in attributes)
