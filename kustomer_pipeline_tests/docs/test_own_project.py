"""The guide "In your own Dagster project": the project that it shows, built of its blocks and run as it says.

its files and commands → a shell → `dg dev`, in which a job of theirs runs
the other ways that it shows (their resources, syncs in Python) → the same files, in this process
"""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
import yaml

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.demo.local import answers, process, wait_for
from kustomer_pipeline.resources import FramesResource
from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.docs.blocks import Block, blocks

from .conftest import ROWS
from .test_first_sync import INSTALLS, Ui, free_port

PAGE = REPOSITORY / "docs" / "guides" / "own-project.md"
PACKAGE = "acme_data"
SERVES = "dg dev"
TYPED = [
    "dg scaffold defs kustomer_pipeline.ObjectSync people --object customers --table crm.customers",
    "mkdir -p ~/.dagster_home",
    "export DAGSTER_HOME=~/.dagster_home",
    "kustomer-pipeline doctor",
    "kustomer-pipeline plan",
    "kustomer-pipeline run customers --limit 10",
    SERVES,
]
# The exit status of those that do not end with 0: a doctor who warns, a plan with changes.
STATUS = {"doctor": 1, "plan": 2}
# The asset that the page says they have: it makes a table.
THEIRS = """
import os

import dagster as dg
import sqlalchemy as sa


@dg.asset(key=["analytics", "customers"])
def customers() -> None:
    url = os.environ["CRM_DATABASE"]
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as warehouse:
        warehouse.exec_driver_sql("drop table if exists analytics.customers")
        warehouse.exec_driver_sql("create table analytics.customers as select * from crm.customers limit 20")
"""

A_FRAME = """
import dagster as dg
import pandas as pd


@dg.asset(key=["analytics", "customers"])
def customers() -> pd.DataFrame:
    return pd.DataFrame({"email": ["jane1@acme.example"]})
"""


def shown(*languages: str) -> list[Block]:
    return [block for block in blocks(PAGE) if block.language in languages]


def path_of(block: Block) -> str:
    """Where a file of the page belongs, as its first line says."""
    found = re.match(r"# ([\w./]+)\n", block.text)
    assert found is not None, block.text
    return found[1] if block.language != "yaml" else f"{PACKAGE}/defs/{found[1]}"


class Theirs:
    """Their folder, with the files of the page; of two with one path the first, which is the page's main way."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for block in reversed(shown("toml", "yaml", "python")):
            if path_of(block) not in [f"{PACKAGE}/defs/{name}.py" for name in ("crm_resources", "gold", "nightly")]:
                self.write(path_of(block), block.text)
        for name in (PACKAGE, f"{PACKAGE}/defs"):
            self.write(f"{name}/__init__.py", "")
        self.write(f"{PACKAGE}/defs/theirs.py", THEIRS)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def shown(self, path: str, which: int = 0) -> None:
        """A file of the page that is not a part of its main way."""
        self.write(path, [block for block in shown("python") if path_of(block) == path][which].text)

    def change(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text
        self.write(path, text.replace(old, new))

    def load(self) -> dg.Definitions:
        """As Dagster does."""
        found = importlib.import_module(f"{PACKAGE}.definitions").defs
        return found if isinstance(found, dg.Definitions) else found()


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Theirs]:
    monkeypatch.setattr("sys.path", [*sys.path])
    root = tmp_path / "project"
    monkeypatch.syspath_prepend(root)
    yield Theirs(root)
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def real() -> Iterator[Sandbox]:
    """A Kustomer that other processes reach."""
    with Sandbox() as sandbox:
        sandbox.declare_custom("customer", planStr={"type": "string"})
        yield sandbox


def has_tag(sandbox: Sandbox, name: str) -> int:
    return sum(name in sandbox.tag_names(id_) for id_ in sandbox.customers)


# --- the page's main way --------------------------------------------------------------------------------------------


def test_the_files_of_the_page_are_those_of_its_picture(theirs: Theirs) -> None:
    [picture] = [block.text for block in shown("text") if block.text.startswith("pyproject.toml\n")]
    names = {line.split()[0].rpartition("/")[2] for line in picture.splitlines()} - {"", ".env"}
    files = {path.name for path in theirs.root.rglob("*") if path.is_file()} - {"theirs.py"}
    assert files == names
    folders = {path.parent.name for path in theirs.root.rglob("defs.yaml")}
    assert folders == {line.split("/")[0].strip() for line in picture.splitlines() if "/defs.yaml" in line}


def test_a_stranger_who_follows_the_page_has_the_syncs_in_their_project(
    theirs: Theirs, real: Sandbox, warehouse_url: str, tmp_path: Path
) -> None:
    theirs.shown(f"{PACKAGE}/defs/nightly.py")
    settings = {"WAREHOUSE_URL": warehouse_url, "KUSTOMER_ORG": real.url, "KUSTOMER_API_KEY": real.api_key}
    [ini] = shown("ini")
    names = [line.partition("=")[0] for line in ini.text.splitlines()]
    env = "".join(f"{name}={settings[name]}\n" for name in names).replace("KUSTOMER_ORG", "KUSTOMER_BASE_URL")
    theirs.write(".env", env)
    (theirs.root / ".venv").symlink_to(sys.prefix)
    commands = [one for block in shown("sh") for one in block.commands if not INSTALLS.match(one)]
    assert commands[:2] == ["python3 -m venv .venv", ". .venv/bin/activate"]
    assert commands[2:-1] == TYPED
    scaffold, *rest = TYPED[:-1]
    lines = [
        commands[1],
        f"WAREHOUSE_URL={warehouse_url!r} {scaffold}",
        f"mv {PACKAGE}/defs/people ../scaffolded",  # it is the same sync as the page's
        *(f"{command} || [ $? = {STATUS.get(command.split()[1], 0)} ]" for command in rest),
    ]
    # PYTHONPATH: in place of `pip install --editable .`
    more = {"HOME": str(tmp_path), "PYTHONPATH": f"{theirs.root}:{REPOSITORY}", "CRM_DATABASE": warehouse_url}
    done = subprocess.run(
        ["bash", "-eu", "-c", "\n".join(lines)],
        cwd=theirs.root,
        env=os.environ | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "\nready" in done.stdout
    assert f"{ROWS} to create" in done.stdout
    assert len(real.customers) == 10

    port, log, home = free_port(), tmp_path / "dg.log", tmp_path / ".dagster_home"
    command = ["bash", "-eu", "-c", f"{commands[1]}\nexec {SERVES} --port {port}"]
    environment = os.environ | more | {"DAGSTER_HOME": str(home)}
    with process(command, log, environment=environment, folder=theirs.root) as running:
        wait_for(running, SERVES, log, lambda: answers(f"http://127.0.0.1:{port}/server_info"))
        ui = Ui(port, PACKAGE)
        run = ui.launch("nightly", {})
        wait_for(running, "Their job", log, partial(ui.has_ended, run))
    assert (len(real.customers), has_tag(real, "vip")) == (ROWS, 20)  # so many are in the table that it made
    scaffolded = yaml.safe_load((tmp_path / "scaffolded" / "defs.yaml").read_text(encoding="utf-8"))
    assert scaffolded["attributes"]["fields"].items() >= {"externalId": "customer_id", "email": "email"}.items()
    private = [home / "kustomer_state.db", *(path for path in (home / "storage/kustomer").rglob("*") if path.is_file())]
    assert len(private) > 2
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_its_settings_are_those_that_pip_and_dagster_read(theirs: Theirs) -> None:
    settings = tomllib.loads((theirs.root / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["setuptools"]["packages"] == [PACKAGE]
    assert settings["tool"]["dg"]["project"]["root_module"] == PACKAGE
    assert settings["tool"]["dagster"]["module_name"] == f"{PACKAGE}.definitions"


def test_the_lines_for_dagster_yaml_are_those_of_ours_and_dagster_takes_them(tmp_path: Path) -> None:
    [lines] = [block.text for block in shown("text") if block.text.startswith("run_retries:")]
    ours = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text(encoding="utf-8"))
    for name, value in yaml.safe_load(lines).items():
        assert value.items() <= ours[name].items()
    (tmp_path / "dagster.yaml").write_text(lines, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_retries_enabled
        assert instance.run_monitoring_enabled


@pytest.mark.parametrize("broken", [False, True])
def test_ci_fails_where_a_sync_does_not_load(theirs: Theirs, broken: bool) -> None:
    if broken:
        theirs.change(f"{PACKAGE}/defs/customers/defs.yaml", "[externalId, email]", "[externalid]")
    command = [one for block in shown("sh") for one in block.commands][-1]
    assert command.startswith("KUSTOMER_STRICT=1 dg check defs")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{theirs.root}:{REPOSITORY}",
    }
    done = subprocess.run(["bash", "-c", command], cwd=theirs.root, env=environment, capture_output=True, text=True)
    assert done.returncode == int(broken), done.stdout + done.stderr
    if broken:
        assert 'Did you mean "externalId"?' in done.stdout + done.stderr


# --- the other ways ------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(
    theirs: Theirs, pipeline: object, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Where things are, in the environment; the warehouse under the name that is given."""

    def put(warehouse: str) -> None:
        monkeypatch.delenv("WAREHOUSE_URL")
        monkeypatch.setenv(warehouse, warehouse_url)

    return put


def test_their_own_resources_are_those_that_count(
    theirs: Theirs, settings: Callable[..., None], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    settings("CRM_DATABASE")
    theirs.shown(f"{PACKAGE}/defs/crm_resources.py")
    theirs.change(f"{PACKAGE}/defs/kustomer/defs.yaml", "attributes:\n", "attributes:\n  resources: false\n")
    for name in ("customers", "vip"):
        file = f"{PACKAGE}/defs/{name}/defs.yaml"
        theirs.change(file, "attributes:\n", "attributes:\n  resource_keys: {warehouse: crm_warehouse}\n")
    dg.Definitions.validate_loadable(theirs.load())
    assert main(["run", "--project", str(theirs.root)]) == 0, capsys.readouterr().err
    assert (len(sandbox.customers), has_tag(sandbox, "vip")) == (ROWS, ROWS)


def test_frames_go_through_their_io_manager_where_a_sync_says_so(
    theirs: Theirs, settings: Callable[..., None], sandbox: Sandbox, ephemeral: dg.DagsterInstance
) -> None:
    settings("WAREHOUSE_URL")
    file = f"{PACKAGE}/defs/customers/defs.yaml"
    theirs.change(file, "attributes:\n", "attributes:\n  resource_keys: {frames: io_manager}\n")
    kept = {}

    class Shelf(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: object) -> None:
            kept[context.asset_key.to_user_string()] = obj

        def load_input(self, context: dg.InputContext) -> object:
            return kept[context.asset_key.to_user_string()]

    defs = dg.Definitions.merge(theirs.load(), dg.Definitions(resources={"io_manager": Shelf()}))
    assert defs.resolve_job_def("sync_customers").execute_in_process(instance=ephemeral).success
    assert len(sandbox.customers) == ROWS
    assert {"kustomer/customers_rows", "kustomer/customers_mapped", "kustomer/customers"} == kept.keys()


def test_the_value_of_an_asset_of_theirs_is_a_source_too(
    theirs: Theirs, settings: Callable[..., None], sandbox: Sandbox, ephemeral: dg.DagsterInstance
) -> None:
    settings("WAREHOUSE_URL")
    theirs.write(f"{PACKAGE}/defs/theirs.py", A_FRAME)
    theirs.change(
        f"{PACKAGE}/defs/vip/defs.yaml",
        "{asset: analytics/customers, table: analytics.customers}",
        "analytics/customers",
    )
    theirs.shown(f"{PACKAGE}/defs/nightly.py")
    sandbox.seed_customer(emails=[{"email": "jane1@acme.example"}])
    assert theirs.load().resolve_job_def("nightly").execute_in_process(instance=ephemeral).success
    assert has_tag(sandbox, "vip") == 1


def test_syncs_in_python_are_found_by_dagster_and_by_the_commands(
    theirs: Theirs, settings: Callable[..., None], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    settings("WAREHOUSE_URL")
    theirs.shown(f"{PACKAGE}/definitions.py", 1)
    for name in ("kustomer", "customers", "vip"):
        (theirs.root / PACKAGE / "defs" / name / "defs.yaml").unlink()
    defs = theirs.load()
    dg.Definitions.validate_loadable(defs)
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {"analytics/customers", "kustomer/customers", "kustomer/customers_plan"} <= keys
    assert main(["plan", "--json", "--project", str(theirs.root)]) == 2
    said = json.loads(capsys.readouterr().out)
    assert [(one["sync"], one["counts"]["create"]) for one in said["plans"]] == [("customers", ROWS)]
    assert said["problems"] == []


def test_a_sync_in_python_stands_beside_those_in_yaml(
    theirs: Theirs, settings: Callable[..., None], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    settings("WAREHOUSE_URL")
    theirs.shown(f"{PACKAGE}/defs/gold.py")
    defs = theirs.load()
    dg.Definitions.validate_loadable(defs)
    in_order = defs.resolve_job_def("sync_all").asset_layer.executable_asset_keys
    assert dg.AssetKey(["kustomer", "gold"]) in in_order
    waits_for = defs.resolve_asset_graph().get(dg.AssetKey(["kustomer", "gold"])).parent_keys
    assert dg.AssetKey(["kustomer", "customers"]) in waits_for
    assert main(["run", "--json", "--project", str(theirs.root)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [one["title"] for one in said["syncs"]] == ["customers", "gold", "vip"]


@pytest.mark.parametrize("folder", ["a file of defs/", "an empty defs/", "no defs/"])
def test_syncs_in_python_are_found_wherever_the_project_has_them(
    theirs: Theirs, settings: Callable[..., None], folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings("WAREHOUSE_URL")
    theirs.shown(f"{PACKAGE}/definitions.py", 1)
    module = theirs.root / PACKAGE / "definitions.py"
    text = module.read_text(encoding="utf-8")
    alone = re.sub(r"(?s)defs = .*?(build_definitions.*),\n\)", r"defs = \1", text)
    shutil.rmtree(theirs.root / PACKAGE / "defs")
    if folder == "a file of defs/":
        theirs.write(f"{PACKAGE}/defs/__init__.py", "")
        theirs.write(f"{PACKAGE}/defs/people.py", alone)
        load = "defs = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)"
        module.write_text(f"from pathlib import Path\nimport dagster as dg\n{load}\n", encoding="utf-8")
    else:
        module.write_text(alone, encoding="utf-8")
        if folder == "an empty defs/":
            theirs.write(f"{PACKAGE}/defs/__init__.py", "")
    assert main(["plan", "--json", "--project", str(theirs.root)]) == 2, capsys.readouterr().err
    said = json.loads(capsys.readouterr().out)
    assert [(one["sync"], one["counts"]["create"]) for one in said["plans"]] == [("customers", ROWS)]


def test_the_names_of_resources_that_the_page_gives_are_those_that_there_are(theirs: Theirs) -> None:
    resources = theirs.load().resources
    assert resources is not None
    named = re.search(r"\*\*Resources\.\*\* (.*?) are read from the environment", PAGE.read_text(encoding="utf-8"))
    assert named is not None
    assert set(re.findall(r"`(\w+)`", named[1])) == resources.keys()
    assert isinstance(resources["kustomer_frames"], FramesResource)
