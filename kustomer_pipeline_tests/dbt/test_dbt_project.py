"""The package beside dagster-dbt, in a project with a real dbt project on DuckDB: `make test-dbt`."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from kustomer_pipeline.__main__ import main
from kustomer_pipeline.sandbox import Sandbox

if importlib.util.find_spec("dagster_dbt") is None:
    pytest.skip("dbt is not installed here: make test-dbt", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore")  # of dbt's, dagster-dbt's and duckdb-engine's own calls

PACKAGE = "dbt_shop"
FILES = {
    "pyproject.toml": f"""
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "{PACKAGE}"
""",
    f"{PACKAGE}/__init__.py": "",
    f"{PACKAGE}/defs/__init__.py": "",
    f"{PACKAGE}/defs/dbt/defs.yaml": """
type: dagster_dbt.DbtProjectComponent
attributes:
  project: "{{ project_root }}/dbt"
""",
    f"{PACKAGE}/defs/kustomer/defs.yaml": """
type: kustomer_pipeline.KustomerProject
attributes: {daily: null}
""",
    f"{PACKAGE}/defs/people/defs.yaml": """
type: kustomer_pipeline.ObjectSync
attributes:
  description: "Everybody, {{ '{{' }} and a brace"
  object: customers
  source: {asset: customers, table: main.customers}
  match_on: [email]
  fields: {email: email, name: full_name}
  automation: eager
""",
    "dbt/dbt_project.yml": """
name: shop
version: "1.0"
profile: shop
model-paths: [models]
flags: {send_anonymous_usage_stats: false}
""",
    "dbt/profiles.yml": """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('SHOP_DB') }}", threads: 1}
""",
    "dbt/models/customers.sql": """
select 'jane@private.example' as email, 'Jane' as full_name
{% if env_var('SHOP_BROKEN', '') == 'model' %} from nowhere {% endif %}
{% if env_var('SHOP_BROKEN', '') == 'test' %} union all select null, 'Joe' {% endif %}
""",
    "dbt/models/models.yml": """
version: 2
models:
  - name: customers
    columns:
      - name: email
        data_tests: [not_null]
""",
}
WAY = {"kustomer/people_rows", "kustomer/people_mapped", "kustomer/people"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Their folder. dbt is found beside this Python."""
    root = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root)
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
        patch.setenv("SHOP_DB", str(root / "shop.duckdb"))
        patch.setenv("DAGSTER_IS_DEV_CLI", "1")  # the manifest is made when the project loads, as in `dagster dev`
        yield root
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def defs(shop: Path) -> dg.Definitions:
    everything = dg.define_asset_job("everything", dg.AssetSelection.all())
    return dg.Definitions.merge(dg.load_from_defs_folder(path_within_project=shop), dg.Definitions(jobs=[everything]))


@pytest.fixture
def kustomer(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        monkeypatch.setenv("WAREHOUSE_URL", f"duckdb:///{shop / 'shop.duckdb'}")
        monkeypatch.setenv("KUSTOMER_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
        monkeypatch.setenv("KUSTOMER_BASE_URL", sandbox.url)
        monkeypatch.setenv("KUSTOMER_API_KEY", sandbox.api_key)
        yield sandbox


def run(defs: dg.Definitions, folder: Path) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral(tempdir=str(folder)) as instance:
        return defs.resolve_job_def("everything").execute_in_process(instance=instance, raise_on_error=False)


def succeeded(result: dg.ExecuteInProcessResult) -> list[str]:
    return [event.step_key or "" for event in result.all_events if event.event_type_value == "STEP_SUCCESS"]


def test_the_graph_runs_from_the_model_to_kustomer_and_dbts_tests_are_checks(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    model = dg.AssetKey("customers")
    assert model in graph.get(dg.AssetKey(["kustomer", "people_rows"])).parent_keys
    assert {key.to_user_string() for key in graph.get(model).child_keys} == {"kustomer/people_rows"}
    assert {key.name for key in graph.get(model).check_keys} == {"not_null_customers_email"}


def test_in_one_run_the_model_is_built_first(defs: dg.Definitions, kustomer: Sandbox, tmp_path: Path) -> None:
    result = run(defs, tmp_path)
    assert result.success
    assert succeeded(result)[:2] == ["shop", "kustomer__people_rows"]
    assert [one["emails"][0]["email"] for one in kustomer.customers.values()] == ["jane@private.example"]


@pytest.mark.parametrize("broken", ["model", "test"])
def test_a_sync_does_not_run_when_its_model_or_a_test_of_it_fails(
    defs: dg.Definitions, kustomer: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setenv("SHOP_BROKEN", broken)
    result = run(defs, tmp_path)
    assert not result.success
    assert succeeded(result) == []
    assert len(kustomer.customers) == 0


def test_eager_runs_the_sync_once_the_model_is_new(defs: dg.Definitions, tmp_path: Path) -> None:
    graph = defs.resolve_asset_graph()
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        first = dg.evaluate_automation_conditions(defs, instance)
        instance.report_runless_asset_event(dg.AssetMaterialization("customers"))
        second = dg.evaluate_automation_conditions(defs, instance, cursor=first.cursor)
        requested = {key.to_user_string() for key in graph.get_all_asset_keys() if second.get_num_requested(key)}
    assert requested == WAY


def test_dbts_own_parser_takes_the_exposures(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUSTOMER_DAGSTER_URL", "https://dagster.acme.example")
    file = shop / "dbt" / "models" / "exposures.yml"
    assert main(["exposures", "--project", str(shop), "--output", str(file), "--maturity", "high"]) == 0
    found = dbt(
        shop, "ls", "--resource-type", "exposure", "--output", "json", "--output-keys", "name depends_on description"
    )
    assert '"name": "kustomer_people"' in found
    assert '"nodes": ["model.shop.customers"]' in found
    assert "Everybody, {{ and a brace" in found


def dbt(shop: Path, *arguments: str) -> str:
    """What dbt prints; a file that it refuses fails the command."""
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", *arguments, "--profiles-dir", "."]
    done = subprocess.run(command, cwd=shop / "dbt", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
