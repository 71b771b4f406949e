"""The files around the package say the same as the package does."""

import ast
import configparser
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import files, packages_distributions
from pathlib import Path

import dagster as dg
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Put together, so that this file is no exception to what it tests.
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "/sim" + "ple/")


def requirements(repository: Path, *groups: str) -> dict[str, Requirement]:
    """By canonical name; `groups` are extras, or "" for what is always installed."""
    config = configparser.ConfigParser()
    config.read(repository / "setup.cfg")
    extras = config["options.extras_require"]
    lines = [
        line
        for group in groups
        for line in (extras[group] if group else config["options"]["install_requires"]).splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return {str(canonicalize_name(found.name)): found for found in map(Requirement, lines)}


def pins(repository: Path) -> dict[str, str]:
    lines = (repository / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def imported(folder: Path, *, late: bool = True) -> set[str]:
    """The distributions that the Python files below a folder import; without `late`, only as they are loaded."""
    modules: set[str] = set()
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        not_loaded = [node for node in ast.walk(tree) if is_function(node) or is_for_types(node)]
        inside = set() if late else {node for outer in not_loaded for node in ast.walk(outer)}
        for node in ast.walk(tree):
            if node in inside:
                continue
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {*sys.stdlib_module_names, "kustomer_pipeline", "kustomer_pipeline_tests"}
    distributions = packages_distributions()
    return {distribution_of(module, distributions) for module in modules if module.partition(".")[0] not in ours}


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def distribution_of(module: str, distributions: Mapping[str, list[str]]) -> str:
    """Whose a module is; of a package that several distributions share, the one that has the module's file."""
    top = module.partition(".")[0]
    sharing = set(distributions.get(top, [top]))
    while len(sharing) > 1 and "." in module:
        path = module.replace(".", "/")
        sharing = {one for one in sharing if any(in_module(str(file), path) for file in files(one) or ())} or sharing
        module = module.rpartition(".")[0]
    return str(canonicalize_name(min(sharing)))


def in_module(file: str, path: str) -> bool:
    return file == f"{path}.py" or file.startswith(f"{path}/")


def tracked(repository: Path) -> list[Path]:
    """The files that are, or would be, in a commit."""
    command = ["git", "-C", str(repository), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := repository / name).is_file()]


def test_everything_the_package_imports_is_declared(repository: Path) -> None:
    assert imported(repository / "kustomer_pipeline", late=False) - requirements(repository, "").keys() == set()


def test_what_the_package_imports_late_is_declared_as_an_extra_at_least(repository: Path) -> None:
    assert imported(repository / "kustomer_pipeline") - requirements(repository, "", "postgres", "otel").keys() == set()


def test_everything_the_tests_import_is_declared(repository: Path) -> None:
    assert imported(repository / "kustomer_pipeline_tests") - requirements(repository, "", "test").keys() == set()


def test_every_requirement_is_pinned_within_its_range(repository: Path) -> None:
    versions = {str(canonicalize_name(name)): version for name, version in pins(repository).items()}
    for name, requirement in requirements(repository, "", "postgres", "otel", "test").items():
        assert versions[name] in requirement.specifier, requirement


def test_dagster_is_never_required_at_one_version(repository: Path) -> None:
    """Its packages pin each other, and are not always published together."""
    for name in ("dagster", "dagster-webserver"):
        operators = {part.operator for part in requirements(repository, "")[name].specifier}
        assert operators == {">=", "<"}


def test_constraints_are_names_and_versions_and_nothing_else(repository: Path) -> None:
    lines = (repository / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.+!]+", line)] == []
    assert "://" not in "".join(lines)


def test_no_file_names_a_package_registry(repository: Path) -> None:
    if not (repository / ".git").exists():
        pytest.skip("not a git clone")
    named = [
        f"{path.relative_to(repository)}: {registry}"
        for path in tracked(repository)
        for registry in REGISTRIES
        if registry in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert named == []


def test_dagster_and_dg_load_the_same_module(repository: Path) -> None:
    workspace = yaml.safe_load((repository / "workspace.yaml").read_text())
    project = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert workspace["load_from"] == [
        {
            "python_module": {
                "module_name": project["code_location_target_module"],
                "location_name": project["code_location_name"],
            }
        }
    ]


def test_the_instance_sends_no_statistics_and_asks_for_no_address(dagster_home: Path) -> None:
    with dg.DagsterInstance.get() as instance:
        assert (instance.telemetry_enabled, instance.nux_enabled) == (False, False)


def test_make_alone_lists_what_can_be_made(repository: Path) -> None:
    listed = subprocess.run(["make", "-C", str(repository)], capture_output=True, check=True, text=True).stdout
    for target in (
        "demo",
        "dev",
        "setup",
        "setup-run",
        "lint",
        "test",
        "bench",
        "lock",
        "clean",
        "test-compared",
        "test-dbt",
        "test-warehouses",
        "docs",
        "docs-serve",
    ):
        assert f"make {target} " in listed


def test_the_demo_installs_nothing_that_only_tests_need(repository: Path) -> None:
    command = ["make", "-C", str(repository), "--dry-run", "--always-make", "demo"]
    steps = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "pip install" in steps
    assert "[test]" not in steps
