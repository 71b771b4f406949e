"""The definitions that Dagster loads: names, order, what a person reads about them."""

import importlib
import json
import subprocess
import sys

import dagster as dg
import pytest

import kustomer_pipeline
from kustomer_pipeline import AudienceSync, ObjectSync, build_definitions
from kustomer_pipeline.definitions import defs
from kustomer_pipeline_tests.conftest import REPOSITORY

SYNCS = ("companies", "customers", "vip_audience")
RUN_CONFIG = {"full_resync", "limit", "only", "clean_up", "approve_removals", "approve_changes"}
STAGES = ("_rows", "_mapped", "", "_plan")
MAPPED_CHECKS = {"required_fields", "row_keys_unique", "fields_valid"}
SYNC_CHECKS = {
    "all_rows_accepted",
    "rows_accounted_for",
    "rows_not_deferred",
    "landed_as_sent",
    "key_is_enough",
    "nothing_to_note",
}
AUDIENCE_CHECKS = {"removals_within_limit", "removals_accepted", "members_found"}


def test_the_definitions_load() -> None:
    dg.Definitions.validate_loadable(defs)


@pytest.mark.parametrize("name", SYNCS)
def test_each_sync_has_its_four_assets_in_a_group_of_its_name(name: str) -> None:
    graph = defs.resolve_asset_graph()
    names = {stage: f"{name}{stage}" for stage in STAGES}
    for asset in names.values():
        assert graph.get(dg.AssetKey(["kustomer", asset])).group_name == name

    def own_parents(stage: str) -> set[str]:
        keys = graph.get(dg.AssetKey(["kustomer", names[stage]])).parent_keys
        return {key.path[-1].removeprefix(name) for key in keys if key.path[-1] in names.values()}

    parents = {stage: own_parents(stage) for stage in ("_mapped", "", "_plan")}
    assert parents == {"_mapped": {"_rows"}, "": {"_mapped"}, "_plan": {"_mapped"}}


def test_what_the_graph_shows_of_a_node_is_its_own() -> None:
    """The last part of a key is all that it shows at its smallest zoom."""
    shown = [key.path[-1] for key in defs.resolve_asset_graph().get_all_asset_keys()]
    assert sorted(shown) == sorted(set(shown))


@pytest.mark.parametrize("name", SYNCS)
def test_each_sync_has_its_checks(name: str) -> None:
    graph = defs.resolve_asset_graph()

    def checks(stage: str) -> set[str]:
        return {key.name for key in graph.get(dg.AssetKey(["kustomer", f"{name}{stage}"])).check_keys}

    assert checks("_mapped") == MAPPED_CHECKS
    own = AUDIENCE_CHECKS if name == "vip_audience" else {"changes_within_limit", "query_returns_rows"}
    assert checks("") == SYNC_CHECKS | own


def test_nothing_is_in_a_pool() -> None:
    """A pool counts runs that died without a word; the lock of the state lets one run write at a time, and ends with
    the process that holds it."""
    graph = defs.resolve_asset_graph()
    assert {pool for key in graph.get_all_asset_keys() for pool in graph.get(key).pools or ()} == set()


def test_jobs_schedules_and_sensors_have_their_names() -> None:
    repository = defs.get_repository_def()
    jobs = {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    assert jobs == {"sync_all", "plan_all", "undo_run", "apply_plan", *(f"sync_{name}" for name in SYNCS)}
    assert {schedule.name for schedule in repository.schedule_defs} == {"daily_sync"}
    assert {sensor.name for sensor in repository.sensor_defs} == {f"{name}_changed" for name in SYNCS}


def test_a_job_runs_the_sync_and_not_the_plan() -> None:
    def steps(job: str) -> set[str]:
        return {node.name for node in defs.resolve_job_def(job).nodes}

    assert steps("sync_customers") == {"kustomer__customers_rows", "kustomer__customers_mapped", "kustomer__customers"}
    assert steps("sync_all") == {f"kustomer__{n}{stage}" for stage in ("_rows", "_mapped", "") for n in SYNCS}
    assert steps("plan_all") == {f"kustomer__{n}{stage}" for stage in ("_rows", "_mapped", "_plan") for n in SYNCS}


def test_sync_all_runs_companies_then_customers_then_audiences() -> None:
    """By dependencies between the steps, which hold in every executor, not by the order in a list."""
    dependencies = defs.resolve_job_def("sync_all").dependencies
    upstream = {
        node.name: {
            getattr(source, "node", None)
            for inputs in [sources]
            for definition in inputs.values()
            for source in [definition]
        }
        for node, sources in dependencies.items()
    }
    assert "kustomer__companies" in upstream["kustomer__customers"]
    assert "kustomer__customers" in upstream["kustomer__vip_audience"]


def test_several_syncs_of_one_stage_do_not_wait_for_each_other() -> None:
    fields = {"externalId": "id", "email": "email", "name": "name"}
    syncs = [
        AudienceSync(name="vip", tag="vip", query="q", fields={"email": "email"}),
        ObjectSync(name="eu", object="customers", query="q", fields=fields, match_on=["email"]),
        ObjectSync(name="us", object="customers", query="q", fields=fields, match_on=["email"]),
    ]
    graph = build_definitions(syncs).resolve_asset_graph()
    parents = {
        name: sorted(p.to_user_string() for p in graph.get(dg.AssetKey(["kustomer", name])).parent_keys)
        for name in ("vip", "eu", "us")
    }
    assert parents == {
        "vip": ["kustomer/eu", "kustomer/us", "kustomer/vip_mapped"],
        "eu": ["kustomer/eu_mapped"],
        "us": ["kustomer/us_mapped"],
    }


def test_everything_in_the_ui_says_what_it_is() -> None:
    repository = defs.get_repository_def()
    graph = repository.asset_graph
    undescribed = [key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).description]
    undescribed += [key.name for key in graph.asset_check_keys if not graph.get_check_spec(key).description]
    undescribed += [job.name for job in repository.get_all_jobs() if job.name[:2] != "__" and not job.description]
    undescribed += [trigger.name for trigger in repository.sensor_defs if not trigger.description]
    undescribed += [trigger.name for trigger in repository.schedule_defs if not trigger.description]
    assert undescribed == []


def test_the_run_config_of_a_sync_has_defaults_and_explains_itself() -> None:
    snapshot = defs.resolve_job_def("sync_customers").get_config_schema_snapshot().all_config_snaps_by_key.values()
    fields = {field.name: field for snap in snapshot for field in snap.fields or [] if field.name in RUN_CONFIG}
    assert set(fields) == RUN_CONFIG
    for field in fields.values():
        assert field.description
        assert not field.is_required


def test_the_schema_describes_every_attribute() -> None:
    for component in (ObjectSync, AudienceSync):
        model = component.get_model_cls()
        assert model is not None
        schema = model.model_json_schema()
        assert "name" not in schema["properties"]  # in YAML the folder says it
        undescribed = [name for name, field in schema["properties"].items() if not field.get("description")]
        for definition in schema["$defs"].values():
            undescribed += [name for name, field in definition["properties"].items() if not field.get("description")]
        assert undescribed == []
        json.dumps(schema)


def test_dagster_finds_the_component_types_by_name() -> None:
    """As its registry does: whatever `dir` lists, and is marked as a component."""
    module = importlib.import_module("kustomer_pipeline")
    found = {name for name in dir(module) if hasattr(getattr(module, name), "__dg_package_entry__")}
    assert found == {"ObjectSync", "AudienceSync", "KustomerProject"}


def test_the_package_itself_does_not_import_dagster() -> None:
    """The sandbox and the client start without waiting for it."""
    code = "import sys, kustomer_pipeline; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'ObjectSink'"):
        _ = kustomer_pipeline.ObjectSink


def test_the_executor_is_in_process_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert build_definitions([]).executor is dg.in_process_executor
    monkeypatch.setenv("KUSTOMER_EXECUTOR", "multiprocess")
    assert build_definitions([]).executor is dg.multiprocess_executor
    monkeypatch.setenv("KUSTOMER_EXECUTOR", "threads")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="KUSTOMER_EXECUTOR is 'threads'; use in_process"):
        build_definitions([])


def test_loading_needs_no_settings() -> None:
    """Whoever clones the project sees the graph before they have a key."""
    code = "import dagster, kustomer_pipeline.definitions as m; dagster.Definitions.validate_loadable(m.defs)"
    environment = {
        "PATH": "/usr/bin:/bin",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": ":".join(sys.path),
    }
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["ObjectSync", "AudienceSync", "KustomerProject"])
def test_each_component_has_a_page_that_says_what_it_is_and_whom_to_ask(name: str) -> None:
    spec = getattr(kustomer_pipeline, name).get_spec()
    assert "Gives the assets" in spec.description or "What comes once" in spec.description
    assert spec.owners == ["team:kustomer_pipeline"]
    assert "kustomer" in spec.tags
