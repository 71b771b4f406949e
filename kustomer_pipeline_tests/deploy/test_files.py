"""What cannot be started here is read: the names that the files of deploy/ use exist, and mean what they say.

The image, the services, the units, the values: that no file names a variable, a path, a service or a command that is
not there, that keys go to the code server only, and that nothing runs as root.
"""

import configparser
import fnmatch
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.workspace.config_schema import process_workspace_config
from dagster_cloud_cli.config.models import load_dagster_cloud_yaml
from dagster_k8s.container_context import K8sContainerContext

from kustomer_pipeline.definitions import defs
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.deploy.files import COMPOSE, DEPLOY, PAGE, instruction, instructions, loaded
from kustomer_pipeline_tests.markdown import code_spans, table
from kustomer_pipeline_tests.test_packaging import pins

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BIN = "/opt/kustomer_pipeline/.venv/bin/"
EXTRAS = r"EXTRAS=([\w,]+)"


def services() -> dict[str, Any]:
    found = loaded("compose.yaml")["services"]
    assert isinstance(found, dict)
    return found


def env_files(service: dict[str, Any]) -> set[str]:
    files = service.get("env_file", [])
    return {files} if isinstance(files, str) else set(files)


def variables(name: str) -> set[str]:
    """What an example of an env file sets."""
    lines = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    return {line.partition("=")[0] for line in lines if line and not line.startswith("#")}


def known_variables() -> set[str]:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return {name for row in table(readme, "variable") for name in code_spans(row[0])}


def extras() -> set[str]:
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    return set(config["options.extras_require"])


def is_left_out(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the image: the last rule that fits decides."""
    out = False
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines():
        rule = line.strip()
        if rule and not rule.startswith("#"):
            pattern = rule.removeprefix("!").removeprefix("**/")
            parts = [path, *(str(parent) for parent in Path(path).parents)]
            if any(fnmatch.fnmatch(part, pattern) or fnmatch.fnmatch(Path(part).name, pattern) for part in parts):
                out = not rule.startswith("!")
    return out


# --- settings of Dagster ------------------------------------------------------------------------------------------


def test_the_settings_are_those_of_the_project_with_storage_in_postgresql() -> None:
    root = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text(encoding="utf-8"))
    storage = {"postgres": {"postgres_url": {"env": "DAGSTER_POSTGRES_URL"}}}
    assert loaded("dagster.yaml") == root | {"storage": storage}


def test_the_workspace_is_the_code_server_under_the_name_that_the_project_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_CODE_HOST", "code")
    workspace = loaded("workspace.yaml")
    assert process_workspace_config(workspace).success
    [server] = workspace["load_from"]
    root = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text(encoding="utf-8"))["load_from"][0]["python_module"]
    command = json.loads(instruction("CMD"))
    assert server["grpc_server"]["location_name"] == root["location_name"] == after(command, "--location-name")
    assert root["module_name"] == after(command, "--module-name")
    assert str(server["grpc_server"]["port"]) == after(command, "--port") == instruction("EXPOSE")


def after(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


# --- the image ----------------------------------------------------------------------------------------------------


def test_everything_that_the_image_is_made_of_is_there_and_not_left_out() -> None:
    copied = [value.split() for name, value in instructions() if name == "COPY" and "--from" not in value]
    paths = [word for words in copied for word in words[:-1] if not word.startswith("--")]
    assert "kustomer_pipeline" in paths
    assert [path for path in paths if not (REPOSITORY / path).exists() or is_left_out(path)] == []


def test_no_secret_and_no_data_gets_into_the_image() -> None:
    for path in (".env", "deploy/kustomer.env", "kustomer_pipeline/.env", "kustomer_pipeline/state.db", ".git"):
        assert is_left_out(path), path
    assert not is_left_out("kustomer_pipeline/defs/customers/defs.yaml")


def test_the_image_installs_the_versions_that_passed_the_tests_and_extras_that_exist() -> None:
    runs = [value for name, value in instructions() if name == "RUN"]
    [install] = [value for value in runs if "pip install" in value]
    assert "--constraint constraints.txt" in install
    named = [set(found.split(",")) for found in re.findall(EXTRAS, f"{instruction('ARG')}\n{PAGE.read_text()}")]
    assert len(named) == 3
    assert set().union(*named) <= extras()


def test_the_image_has_the_python_of_the_tests_and_no_root() -> None:
    bases = {value.split()[0] for name, value in instructions() if name == "FROM"}
    [oldest] = re.findall(r"(?m)^python_requires = >=([\d.]+)", (REPOSITORY / "setup.cfg").read_text(encoding="utf-8"))
    assert bases == {f"python:{oldest}-slim"}  # the first that `make setup` looks for
    last = [name for name, _ in instructions()]
    assert last.index("USER") > max(n for n, name in enumerate(last) if name == "COPY")
    user = instruction("USER").partition(":")[0]
    assert user.isdigit()
    assert int(user) > 0


# --- Compose ------------------------------------------------------------------------------------------------------


def test_only_the_code_server_has_the_keys() -> None:
    assert {name for name, service in services().items() if "kustomer.env" in env_files(service)} == {"code"}
    assert {name for name, service in services().items() if "dagster.env" in env_files(service)} == set(services())
    assert variables("kustomer.env.example") <= known_variables()
    assert {"WAREHOUSE_URL", "KUSTOMER_API_KEY"} <= variables("kustomer.env.example")
    assert variables("dagster.env.example") == {"POSTGRES_PASSWORD", "DAGSTER_POSTGRES_URL"}


def test_the_driver_of_dagsters_storage_is_named() -> None:
    """Else SQLAlchemy takes another, with which Dagster loses its connections."""
    assert "=postgresql+psycopg2://" in (DEPLOY / "dagster.env.example").read_text(encoding="utf-8")
    assert loaded("helm-values.yaml")["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"


def test_services_volumes_and_files_that_compose_names_exist() -> None:
    content = loaded("compose.yaml")
    for name, service in services().items():
        assert set(service.get("depends_on", {})) <= set(services()), name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in content["volumes"] or (DEPLOY / source).is_file(), volume
    assert set(re.findall(r"\$\{(\w+)", COMPOSE.read_text(encoding="utf-8"))) == {"IMAGE_TAG"}
    build = services()["code"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    for name in ("dagster.env.example", "kustomer.env.example"):
        assert hosts_of_postgresql(name) <= set(services()), name
    assert services()["webserver"]["environment"]["DAGSTER_CODE_HOST"] in services()


def hosts_of_postgresql(name: str) -> set[str]:
    """As an example of an env file names them."""
    found = set(re.findall(r"postgresql\+\w+://dagster:PASSWORD@(\w+)/", (DEPLOY / name).read_text(encoding="utf-8")))
    assert found, name
    return found


def test_every_service_comes_back_says_how_it_is_and_is_reached_from_this_machine_only() -> None:
    for name, service in services().items():
        assert service["restart"] == "unless-stopped", name
        assert name == "code" or service["healthcheck"]["test"][0] == "CMD"  # the image's own is the code server's
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    assert {name for name, service in services().items() if "ports" in service} == {"webserver"}


def test_the_state_has_the_database_that_its_url_names() -> None:
    made = re.findall(r"create database (\w+);", (DEPLOY / "postgres" / "state.sql").read_text(encoding="utf-8"))
    assert made == re.findall(r"@postgres/(\w+)", (DEPLOY / "kustomer.env.example").read_text(encoding="utf-8"))


# --- systemd ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", UNITS, ids=lambda path: str(path.stem))
def test_a_unit_runs_a_command_that_exists_with_a_user_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # systemd's names have capitals
    unit.read_string(text)
    service = unit["Service"]
    program = service["ExecStart"].split()[0]
    assert program.startswith(BIN)
    assert (Path(sys.executable).parent / program.removeprefix(BIN)).exists()
    assert service["User"] == "kustomer"
    assert service["Restart"] == "always"
    assert ("EnvironmentFile=/etc/kustomer/kustomer.env" in text) == (path.stem == "kustomer-code")
    for word in service["ExecStart"].split():
        assert not word.startswith("deploy/") or (REPOSITORY / word).is_file()


def test_systemd_finds_nothing_wrong_with_the_units_but_that_they_are_not_installed() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd on this machine")
    command = ["systemd-analyze", "verify", *map(str, UNITS)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    ours = [line for line in said.splitlines() if line.startswith("kustomer-") or "/deploy/systemd/" in line]
    assert [line for line in ours if f"Command {BIN}" not in line] == []


def test_the_services_of_systemd_and_compose_run_the_same() -> None:
    commands = {name: service["command"] for name, service in services().items() if "command" in service}
    commands["code"] = json.loads(instruction("CMD"))
    for path in UNITS:
        words = re.findall(r"(?m)^ExecStart=(.*)$", path.read_text(encoding="utf-8"))[0].split()
        words[0] = words[0].removeprefix(BIN)
        assert words == [word.replace("0.0.0.0", "127.0.0.1") for word in commands[path.stem.partition("-")[2]]]


# --- Kubernetes and Dagster+ --------------------------------------------------------------------------------------


def test_the_values_run_the_same_code_server_and_give_it_the_secret_of_the_page() -> None:
    values = loaded("helm-values.yaml")
    [deployment] = values["dagster-user-deployments"]["deployments"]
    command = json.loads(instruction("CMD"))
    assert deployment["dagsterApiGrpcArgs"] == command[command.index("--module-name") :]
    assert str(deployment["port"]) == instruction("EXPOSE")
    assert f"secret generic {deployment['envSecrets'][0]['name']} " in PAGE.read_text(encoding="utf-8")
    assert f"secret generic {values['global']['postgresqlSecretName']} " in PAGE.read_text(encoding="utf-8")
    assert values["global"]["dagsterHome"] in instruction("ENV")
    user = int(instruction("USER").partition(":")[0])
    assert deployment["podSecurityContext"]["runAsUser"] == user


def test_the_daemon_of_the_chart_is_set_as_in_dagster_yaml() -> None:
    daemon = loaded("helm-values.yaml")["dagsterDaemon"]
    settings = loaded("dagster.yaml")
    limit = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]["maxConcurrentRuns"]
    assert limit == settings["concurrency"]["runs"]["max_concurrent_runs"]
    assert daemon["runRetries"] == {"enabled": True, "maxRetries": settings["run_retries"]["max_retries"]}
    assert daemon["runMonitoring"]["enabled"]
    assert daemon["runMonitoring"]["maxResumeRunAttempts"] == 0


def test_the_pods_of_runs_are_settings_that_dagster_takes() -> None:
    launcher = loaded("helm-values.yaml")["runLauncher"]
    config = launcher["config"]["k8sRunLauncher"]["runK8sConfig"]
    run = {"pod_spec_config": config["podSpecConfig"]}
    pods = K8sContainerContext.create_from_config({"k8s": {"run_k8s_config": run}})
    assert pods.run_k8s_config.pod_spec_config["security_context"]["run_as_user"] == 10001
    [location] = loaded("dagster_cloud.yaml")["locations"]
    pods = K8sContainerContext.create_from_config(location["container_context"])
    assert pods.run_k8s_config.container_config["resources"]["requests"]["memory"] == "1Gi"


def test_dagster_plus_takes_the_code_location() -> None:
    text = (DEPLOY / "dagster_cloud.yaml").read_text(encoding="utf-8")
    [location] = load_dagster_cloud_yaml(text).locations
    assert location.code_source is not None
    assert location.build is not None
    assert location.code_source.module_name == after(json.loads(instruction("CMD")), "--module-name")
    assert (DEPLOY / str(location.build.directory)).resolve() == REPOSITORY
    build = loaded("build.yaml")  # read beside pyproject.toml
    assert build == {"directory": ".", "registry": location.build.registry}


# --- the page -----------------------------------------------------------------------------------------------------


def test_the_page_names_every_file_and_the_version_that_is_pinned() -> None:
    page = PAGE.read_text(encoding="utf-8")
    files = {path.name for path in DEPLOY.rglob("*") if path.is_file()} - {".gitignore"}
    assert {name for name in files if name not in page and name != "state.sql"} == set()
    assert re.findall(r"--version (\S+)", page) == [pins(REPOSITORY)["dagster"]]


def test_what_the_settings_name_can_be_imported_and_loads() -> None:
    launcher = loaded("dagster.yaml")["run_launcher"]
    assert importlib.util.find_spec(launcher["module"]) is not None
    assert defs.resolve_job_def("sync_all").name == "sync_all"
