"""Which syncs and which resources a command works with: those that Dagster would."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from kustomer_pipeline_tests.components.pipeline import people

from .conftest import CUSTOMERS, VIP, CommandLine

RESOURCES = """
    from kustomer_pipeline.resources import KustomerResource, StateResource, WarehouseResource
    RESOURCES = {{
        "warehouse": WarehouseResource(url="{warehouse}"),
        "kustomer": KustomerResource(base_url="{kustomer}", api_key="{key}"),
        "state": StateResource(),
    }}
"""
IN_PYTHON = """
    import dagster as dg
    from kustomer_pipeline import KustomerProject, ObjectSync, build_definitions
    from resources_of_theirs import RESOURCES
    sync = ObjectSync(
        name="people", object="customers", query="select * from customers", match_on=["externalId"],
        fields={"externalId": "id", "email": "email"},
    )
    own = build_definitions([sync], KustomerProject(resources=False))
    defs = dg.Definitions.merge(own, dg.Definitions(resources=RESOURCES))
"""
MERGED = """
    from pathlib import Path
    import dagster as dg
    from resources_of_theirs import RESOURCES

    @dg.definitions
    def defs():
        found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
        return dg.Definitions.merge(found, dg.Definitions(resources=RESOURCES))
"""
NO_RESOURCES = "type: kustomer_pipeline.KustomerProject\nattributes: {resources: false}\n"


@pytest.fixture
def theirs(cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with resources in Python. The environment points somewhere else, where nothing may be done."""
    warehouse = cli.pipeline.warehouse.engine.url.render_as_string()
    text = RESOURCES.format(warehouse=warehouse, kustomer=cli.sandbox.url, key=cli.sandbox.api_key)
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "resources_of_theirs.py").write_text(dedent(text), encoding="utf-8")
    for name in ("KUSTOMER_BASE_URL", "KUSTOMER_API_KEY", "WAREHOUSE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("KUSTOMER_DEFS")
    cli.pipeline.customers(people(2))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] in ("crm_of_theirs", "resources_of_theirs")]:
        del sys.modules[name]


def test_syncs_in_python_are_run_with_the_resources_that_their_definitions_have(cli: CommandLine, theirs: Path) -> None:
    (theirs / "crm.py").write_text(dedent(IN_PYTHON), encoding="utf-8")
    (theirs / "workspace.yaml").write_text("load_from:\n  - python_file: crm.py\n", encoding="utf-8")
    said = cli.say("run", "people", "--project", str(theirs))
    assert said.status == 0, said.beside
    assert len(cli.sandbox.customers) == 2
    assert f"undo {said.out.split()[-3]} --project {theirs}" in said.out
    assert cli.say(*said.out.split("kustomer-pipeline ")[1].split()).status == 0


def in_yaml(folder: Path) -> None:
    settings = '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "crm_of_theirs"\n'
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    for path, text in {"customers": CUSTOMERS, "kustomer": NO_RESOURCES}.items():
        (folder / "crm_of_theirs" / "defs" / path).mkdir(parents=True)
        (folder / "crm_of_theirs" / "defs" / path / "defs.yaml").write_text(text, encoding="utf-8")
    (folder / "crm_of_theirs" / "__init__.py").touch()
    (folder / "crm_of_theirs" / "defs" / "__init__.py").touch()


def test_resources_that_a_project_merges_to_its_syncs_in_yaml_count(cli: CommandLine, theirs: Path) -> None:
    in_yaml(theirs)
    (theirs / "crm_of_theirs" / "definitions.py").write_text(dedent(MERGED), encoding="utf-8")
    assert cli.say("run", "--project", str(theirs)).status == 0
    assert len(cli.sandbox.customers) == 2


def test_resources_that_a_project_does_not_have_are_never_taken_from_somewhere_else(
    cli: CommandLine, theirs: Path
) -> None:
    """As Dagster, which does not load such a project: the environment may point at another org."""
    in_yaml(theirs)
    said = cli.say("run", "--project", str(theirs))
    assert (said.status, said.out) == (1, "")
    assert "gives no resource named kustomer, state, warehouse, which customers needs" in said.beside


def test_a_sync_that_does_not_load_is_told_and_the_others_go_on(cli: CommandLine) -> None:
    cli.pipeline.customers(people(2))
    cli.sync("vip", VIP.replace("tag:", "tga:"))
    said = cli.say("plan", "--json")
    assert said.status == 1
    assert [one["sync"] for one in said.json["plans"]] == ["customers"]
    [problem] = said.json["problems"]
    assert problem["sync"] == "vip"
    assert "vip/defs.yaml:4  tga: is not a known key" in problem["problem"]
    said = cli.say("run", "--json")
    assert said.status == 1
    assert [one["title"] for one in said.json["syncs"]] == ["customers"]
    assert said.json["not_run"] == ["vip"]
    assert "tga: is not a known key" in said.beside
    assert len(cli.sandbox.customers) == 2
    said = cli.say("status")
    assert said.status == 1
    assert "tga: is not a known key" in said.beside
    assert "customers" in said.out


def test_of_the_syncs_that_are_asked_for_only_a_broken_one_is_an_error(cli: CommandLine) -> None:
    cli.pipeline.customers(people(2))
    cli.sync("vip", VIP.replace("tag:", "tga:"))
    assert cli.say("run", "customers").status == 0
    for command in ("run", "plan"):
        said = cli.say(command, "vip")
        assert said.status == 1
        assert "vip/defs.yaml:4  tga: is not a known key" in said.beside


def test_with_no_sync_that_loads_the_mistakes_are_the_error(cli: CommandLine) -> None:
    for name, text in (("vip", VIP), ("customers", CUSTOMERS)):
        cli.sync(name, text.replace("match_on", "match"))
    said = cli.say("run")
    assert said.status == 1
    assert "vip/defs.yaml" in said.beside
    assert "customers/defs.yaml" in said.beside


@pytest.mark.parametrize("command", ["exposures", "forget --email jane@example.com"])
def test_what_looks_at_all_syncs_does_nothing_while_one_does_not_load(cli: CommandLine, command: str) -> None:
    cli.sync("vip", VIP.replace("tag:", "tga:"))
    said = cli.say(*command.split())
    assert said.status == 2
    assert "tga: is not a known key" in said.beside


def test_the_env_file_of_the_project_is_read_and_what_is_set_comes_first(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("WAREHOUSE_URL=sqlite:////of_the_file.db\nKUSTOMER_API_KEY=x\n", encoding="utf-8")
    monkeypatch.setenv("WAREHOUSE_URL", "")  # so that it is put back after the test
    monkeypatch.delenv("WAREHOUSE_URL")
    said = cli.say("plan", "customers")
    assert "/of_the_file.db" in said.beside
    assert "API key" not in said.beside
