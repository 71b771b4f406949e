"""Which syncs and which resources a command works with: those that Dagster would."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from kustomer_pipeline_tests.components.pipeline import people

from .conftest import CUSTOMERS, CommandLine

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


def test_the_env_file_of_the_project_is_read_and_what_is_set_comes_first(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("WAREHOUSE_URL=sqlite:////of_the_file.db\nKUSTOMER_API_KEY=x\n", encoding="utf-8")
    monkeypatch.setenv("WAREHOUSE_URL", "")  # so that it is put back after the test
    monkeypatch.delenv("WAREHOUSE_URL")
    said = cli.say("plan", "customers")
    assert "/of_the_file.db" in said.beside
    assert "API key" not in said.beside
