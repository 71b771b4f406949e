"""The package in somebody else's Dagster project: their package, their IO manager, their assets, two orgs."""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import dagster as dg
import pytest
import yaml
from dagster.components.component_scaffolding import scaffold_object

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.components.defs_folder import cause_of
from kustomer_pipeline.sandbox import Sandbox

PACKAGE = "acme_data"

PYPROJECT = f"""
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "{PACKAGE}"
"""

THEIRS = """
    import dagster as dg
    import pandas as pd

    class Shelf(dg.IOManager):
        kept = {}

        def handle_output(self, context, obj):
            self.kept[context.asset_key.to_user_string()] = obj

        def load_input(self, context):
            return self.kept[context.asset_key.to_user_string()]

    @dg.asset(key=["analytics", "customers"])
    def model():
        return pd.DataFrame({"email": ["jane@private.example", "joe@private.example"], "full_name": ["Jane", None]})

    @dg.asset(key=["analytics", "members"])
    def members():
        return pd.DataFrame({"email": ["jane@private.example"]})

    @dg.definitions
    def resources():
        return dg.Definitions(assets=[model, members], resources={"io_manager": Shelf(), "warehouse": 5})
"""

PROJECT = """
    type: kustomer_pipeline.KustomerProject
    attributes:
      orgs: [us, eu]
      resources: RESOURCES
      daily: {cron: "30 5 * * *", timezone: Europe/Berlin}
"""

CUSTOMERS = """
    type: kustomer_pipeline.ObjectSync
    attributes:
      object: customers
      source: analytics/customers
      match_on: [email]
      fields: {email: email, name: full_name}
      resource_keys: {kustomer: kustomer_ORG, warehouse: crm_warehouse}
      key_prefix: crm/ORG
      group: crm
      tags: {team: crm}
      kinds: [duckdb]
"""

VIP = """
    type: kustomer_pipeline.AudienceSync
    attributes:
      tag: vip
      source: analytics/members
      match_on: [email]
      fields: {email: email}
      resource_keys: {kustomer: kustomer_eu, warehouse: crm_warehouse}
"""

RESOURCES = """
    import dagster as dg
    from kustomer_pipeline.resources import KustomerResource, StateResource, WarehouseResource
    from kustomer_pipeline.io_manager import ParquetStorage

    @dg.definitions
    def resources():
        return dg.Definitions(
            resources={
                "crm_warehouse": WarehouseResource(),
                "kustomer_us": KustomerResource(variables="KUSTOMER_US"),
                "kustomer_eu": KustomerResource(variables="KUSTOMER_EU"),
                "state": StateResource(),
                "kustomer_frames": ParquetStorage(),
            }
        )
"""


class Project:
    """Their folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("pyproject.toml", PYPROJECT)
        self.write(f"{PACKAGE}/__init__.py", "")
        self.write(f"{PACKAGE}/defs/__init__.py", "")

    def write(self, path: str, text: str) -> None:
        """A file of it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")

    def defs(self, path: str, text: str) -> None:
        """A file of its definitions."""
        self.write(f"{PACKAGE}/defs/{path}", text)

    def scaffold(self, component: str, name: str, **params: str) -> Path:
        """As `dg scaffold defs kustomer_pipeline.<component> <name>` does."""
        folder = self.root / PACKAGE / "defs" / name
        given = json.dumps(params) if params else None
        scaffold_object(folder, f"kustomer_pipeline.{component}", given, "yaml", self.root)
        return folder / "defs.yaml"

    def load(self) -> dg.Definitions:
        """As Dagster does."""
        return dg.load_from_defs_folder(path_within_project=self.root / PACKAGE)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(tmp_path)
    yield Project(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_two_orgs_are_written_to_from_a_project_with_its_own_io_manager(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.defs("theirs.py", THEIRS)
    project.defs("kustomer/defs.yaml", PROJECT.replace("RESOURCES", "false"))
    project.defs("crm_resources.py", RESOURCES)
    project.defs("customers_us/defs.yaml", CUSTOMERS.replace("ORG", "us"))
    project.defs("customers_eu/defs.yaml", CUSTOMERS.replace("ORG", "eu"))
    project.defs("vip/defs.yaml", VIP)
    monkeypatch.setenv("KUSTOMER_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    with Sandbox() as us, Sandbox() as eu, dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        for org, sandbox in (("US", us), ("EU", eu)):
            monkeypatch.setenv(f"KUSTOMER_{org}_BASE_URL", sandbox.url)
            monkeypatch.setenv(f"KUSTOMER_{org}_API_KEY", sandbox.api_key)
        defs = project.load()
        dg.Definitions.validate_loadable(defs)
        jobs = {job.name for job in defs.get_repository_def().get_all_jobs() if not job.name.startswith("__")}
        of_each = {f"{name}_{org}" for name in ("undo_run", "apply_plan", "sync_customers") for org in ("us", "eu")}
        assert {"sync_all", "plan_all", "sync_vip", *of_each} == jobs
        assert [one.cron_schedule for one in defs.get_repository_def().schedule_defs] == ["30 5 * * *"]
        waits_for = defs.resolve_asset_graph().get(dg.AssetKey(["kustomer", "vip"])).parent_keys
        assert {key.path[-1] for key in waits_for} == {"vip_mapped", "customers_eu"}  # not for the other org
        everything = dg.define_asset_job("everything", dg.AssetSelection.all() - dg.AssetSelection.groups("none"))
        defs = dg.Definitions.merge(defs, dg.Definitions(jobs=[everything]))
        assert defs.resolve_job_def("everything").execute_in_process(instance=instance).success
        for sandbox in (us, eu):
            assert {one["emails"][0]["email"] for one in sandbox.customers.values()} == {
                "jane@private.example",
                "joe@private.example",
            }
        assert [len(sandbox.tags) for sandbox in (us, eu)] == [0, 1]
        kept = sys.modules[f"{PACKAGE}.defs.theirs"].Shelf.kept
        assert set(kept) == {"analytics/customers", "analytics/members"}


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_the_labels_of_a_sync_are_as_the_project_wants_them(project: Project) -> None:
    project.defs("theirs.py", THEIRS)
    project.defs("customers_us/defs.yaml", CUSTOMERS.replace("ORG", "us"))
    project.defs("crm_resources.py", RESOURCES)
    graph = project.load().resolve_asset_graph()
    node = graph.get(dg.AssetKey(["crm", "us", "customers_us"]))
    assert node.group_name == "crm"
    assert node.tags["team"] == "crm"
    assert node.kinds == {"kustomer", "duckdb"}


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_a_resource_of_another_kind_under_the_name_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their `warehouse` is something of their own."""
    project.defs("theirs.py", THEIRS)
    project.defs("crm_resources.py", RESOURCES)
    query = CUSTOMERS.replace("source: analytics/customers", "query: select 1").replace(
        ", warehouse: crm_warehouse", ""
    )
    project.defs("customers_us/defs.yaml", query.replace("ORG", "us"))
    result = project.load().resolve_job_def("sync_customers_us").execute_in_process(raise_on_error=False)
    data = result.failure_data_for_node("crm__us__customers_us_rows")
    assert data is not None
    assert data.user_failure_data is not None
    assert "The resource 'warehouse' is a int, and the sync needs a WarehouseResource" in str(
        data.user_failure_data.description
    )


@pytest.mark.parametrize(
    "component, params, todo",
    [
        ("ObjectSync", {}, {"query: TODO": "query: select 1", "email: TODO": "email: mail"}),
        ("ObjectSync", {"object": "companies", "mode": "insert"}, {"query: TODO": "query: x", "name: TODO": "name: n"}),
        ("AudienceSync", {}, {"tag: TODO": "tag: vip", "query: TODO": "query: select 1"}),
        ("AudienceSync", {"tag": "vip", "object": "companies", "mode": "add"}, {"query: TODO": "query: select 1"}),
        ("KustomerProject", {}, {}),
    ],
)
@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_what_is_scaffolded_loads_once_two_lines_are_filled_in(
    project: Project, component: str, params: dict[str, str], todo: dict[str, str]
) -> None:
    file = project.scaffold(component, "mine", **params)
    text = file.read_text(encoding="utf-8")
    assert text.count("TODO") == len(todo) <= 2
    for blank, filled in todo.items():
        text = text.replace(blank, filled)
    file.write_text(text, encoding="utf-8")
    if component != "KustomerProject":
        project.scaffold("KustomerProject", "kustomer")
    dg.Definitions.validate_loadable(project.load())


def test_the_columns_of_a_table_are_proposed_as_fields(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(tmp_path / "w.db") as warehouse:
        warehouse.execute(
            "create table people (customer_id text, Email text, full_name text, ltv numeric, is_active boolean, "
            "updated_at timestamp)"
        )
    monkeypatch.setenv("WAREHOUSE_URL", f"sqlite:///{tmp_path / 'w.db'}")
    text = project.scaffold("ObjectSync", "people", object="customers", table="people").read_text(encoding="utf-8")
    written = yaml.safe_load(text)["attributes"]
    assert written["fields"] == {"externalId": "customer_id", "email": "Email", "name": "full_name"}
    assert written["match_on"] == ["externalId", "email"]
    assert written["watch"] == {"table": "people", "updated_at": "updated_at"}
    assert "# custom.ltvNum: ltv\n" in text
    assert "# custom.isActiveBool: is_active\n" in text
    dg.Definitions.validate_loadable(load_with_project(project))


@pytest.mark.parametrize("url", [None, "sqlite:////nowhere/w.db"])
def test_without_the_warehouse_the_scaffold_is_as_good_as_without_a_table(
    project: Project, url: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if url is not None:
        monkeypatch.setitem(os.environ, "WAREHOUSE_URL", url)
    text = project.scaffold("ObjectSync", "people", table="people").read_text(encoding="utf-8")
    assert "query: select * from people" in text
    assert "The columns of people could not be looked up" in capsys.readouterr().out


def load_with_project(project: Project) -> dg.Definitions:
    project.scaffold("KustomerProject", "kustomer")
    return project.load()


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_the_doctor_looks_at_the_syncs_of_the_project_and_of_one_org(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.defs("theirs.py", THEIRS)
    project.defs("crm_resources.py", RESOURCES)
    project.defs("customers_us/defs.yaml", CUSTOMERS.replace("ORG", "us"))
    project.defs("vip/defs.yaml", VIP)
    with Sandbox() as eu:
        monkeypatch.setenv("KUSTOMER_EU_BASE_URL", eu.url)
        monkeypatch.setenv("KUSTOMER_EU_API_KEY", eu.api_key)
        assert main(["doctor", "--json", "--org", "eu", "--project", str(project.root)]) in (1, 2)
    said = json.loads(capsys.readouterr().out)
    assert said["org_id"] == eu.org_id
    assert [one["value"] for one in said["findings"] if one["name"] == "syncs"] == [["vip"]]


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_a_mistake_in_the_project_is_a_finding(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.defs("vip/defs.yaml", VIP.replace("tag:", "tga:"))
    assert main(["doctor", "--project", str(project.root)]) == 2
    assert "tga: is not a known key." in " ".join(capsys.readouterr().out.split())


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_a_mistake_in_a_sync_does_not_take_the_rest_of_their_project_down(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.defs("theirs.py", THEIRS)
    project.defs("kustomer/defs.yaml", PROJECT.replace("RESOURCES", "false"))
    project.defs("crm_resources.py", RESOURCES)
    project.defs("customers_us/defs.yaml", CUSTOMERS.replace("ORG", "us"))
    project.defs("vip/defs.yaml", VIP.replace("tag:", "tga:"))
    defs = project.load()
    dg.Definitions.validate_loadable(defs)
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    assert "tga: is not a known key" in (specs["kustomer/vip"].description or "")
    assert {"analytics/customers", "crm/us/customers_us_mapped"} <= set(specs)
    everything = defs.resolve_job_def("sync_all").asset_layer.executable_asset_keys
    assert {dg.AssetKey(["kustomer", "vip"]), dg.AssetKey(["crm", "us", "customers_us"])} <= set(everything)
    monkeypatch.setenv("KUSTOMER_STRICT", "1")
    with pytest.raises(Exception, match="vip") as caught:
        project.load()
    assert "tga: is not a known key" in str(cause_of(caught.value))


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_syncs_of_their_project_that_do_not_go_together_are_told(project: Project) -> None:
    """Dagster loads the files one by one: nobody but the syncs themselves sees it."""
    project.defs("theirs.py", THEIRS)
    project.defs("crm_resources.py", RESOURCES)
    project.defs("vip/defs.yaml", VIP)
    project.defs("gold/defs.yaml", VIP.replace("tag: vip", "tag: vip\n      mode: mirror"))
    specs = {spec.key.to_user_string(): spec for spec in project.load().resolve_all_asset_specs()}
    for name in ("vip", "gold"):
        assert "gold and vip keep one tag" in (specs[f"kustomer/{name}"].description or "")
    assert "kustomer/vip_mapped" not in specs


IN_PYTHON = """
    from kustomer_pipeline import AudienceSync, build_definitions

    gold = AudienceSync(name="NAME", tag="NAME", query="select 1", match_on=["email"], fields={"email": "email"})
    defs = build_definitions([gold])
"""


@pytest.mark.parametrize("file", [f"{PACKAGE}/definitions.py", "somewhere.py"])
@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning", "ignore:.*parse_obj_as")
def test_the_doctor_finds_syncs_that_are_written_in_python(
    project: Project, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the module that pyproject.toml leads to, or by the file that workspace.yaml names."""
    project.write(file, IN_PYTHON.replace("NAME", "gold"))
    project.write("workspace.yaml", "load_from: [{python_file: somewhere.py}]")
    main(["doctor", "--json", "--project", str(project.root)])
    said = json.loads(capsys.readouterr().out)
    assert [one["value"] for one in said["findings"] if one["name"] == "syncs"] == [["gold"]]
