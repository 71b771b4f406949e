"""What the README and the other pages say is so: names, examples, commands, links."""

import ast
import importlib.util
import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from kustomer_pipeline import AudienceSync, ObjectSync
from kustomer_pipeline.components.run_config import PlanRunConfig, SyncRunConfig
from kustomer_pipeline.definitions import defs
from kustomer_pipeline.resources import OF_THE_ORG
from kustomer_pipeline.sandbox.roles import FOUR_ROLES
from kustomer_pipeline.sync import Outcome
from kustomer_pipeline_tests.components.conftest import Project, empty_project
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.markdown import anchors, code_blocks, code_spans, links, section, table
from kustomer_pipeline_tests.test_packaging import tracked

README = REPOSITORY / "README.md"
PAGES = sorted(path for path in tracked(REPOSITORY) if path.suffix == ".md")
COMPONENTS: dict[str, type[ObjectSync] | type[AudienceSync]] = {"objects": ObjectSync, "audiences": AudienceSync}

Schema = Mapping[str, Any]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    yield from empty_project(tmp_path, monkeypatch)


def readme() -> str:
    return README.read_text(encoding="utf-8")


def schema_of(component: type[ObjectSync | AudienceSync]) -> dict[str, Any]:
    model = component.get_model_cls()
    assert model is not None
    return model.model_json_schema()


def reference() -> dict[str, dict[str, str]]:
    """The YAML reference: attribute → of what → what it says. An empty first cell repeats the one above."""
    found: dict[str, dict[str, str]] = {}
    names: list[str] = []
    for first, of, says in table(section(readme(), "Write a sync"), "attribute"):
        names = code_spans(first) or names
        for name in names:
            found.setdefault(name, {})[of] = says
    return found


def parts(schema: Schema, whole: Schema) -> Iterator[Schema]:
    """A schema, and every schema it is made of."""
    if "$ref" in schema:
        yield from parts(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
        return
    yield schema
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), schema.get("additionalProperties")]
    for each in inner:
        if isinstance(each, Mapping):
            yield from parts(each, whole)


def test_every_attribute_is_in_the_yaml_reference_under_what_it_belongs_to() -> None:
    listed = {
        of: {name for name, rows in reference().items() if "." not in name and rows.keys() & {of, "both"}}
        for of in COMPONENTS
    }
    assert listed == {of: set(schema_of(component)["properties"]) for of, component in COMPONENTS.items()}


def test_the_yaml_reference_names_every_key_inside_an_attribute() -> None:
    for component in COMPONENTS.values():
        whole = schema_of(component)
        for attribute, schema in whole["properties"].items():
            says = " ".join(
                text for name, rows in reference().items() if name.split(".")[0] == attribute for text in rows.values()
            )
            says += " ".join(name for name in reference() if name.split(".")[0] == attribute)
            for part in parts(schema, whole):
                missing = [key for key in part.get("properties", ()) if not re.search(rf"\b{key}\b", says)]
                assert missing == [], attribute


def test_the_dotted_names_of_the_yaml_reference_exist() -> None:
    keys = schema_of(ObjectSync)["$defs"]["FieldColumns"]["properties"].keys()
    assert {name.rpartition(".")[2] for name in reference() if name.startswith("fields.")} <= keys
    assert [name for name in reference() if "." in name and not name.startswith("fields.")] == []


def test_the_yaml_reference_names_every_choice_and_marks_the_default() -> None:
    for of, component in COMPONENTS.items():
        whole = schema_of(component)
        for attribute, schema in whole["properties"].items():
            says = next(text for kind, text in reference()[attribute].items() if kind in (of, "both"))
            choices = schema.get("enum", [])
            assert [choice for choice in choices if f"`{choice}`" not in says] == [], attribute
            default = schema.get("default")
            if choices and default is not None:
                assert f"`{default}` (default)" in says
            elif isinstance(default, int | float):
                assert str(default) in says, attribute


def test_every_variable_that_is_read_is_in_the_readme_and_the_other_way_round() -> None:
    tree = ast.parse((REPOSITORY / "kustomer_pipeline" / "resources.py").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    read = {text for text in texts if re.fullmatch(r"(KUSTOMER|WAREHOUSE|DAGSTER)_[A-Z_]+", text)}
    read |= {f"KUSTOMER_{name.upper()}" for name in OF_THE_ORG}
    listed = {name for row in table(readme(), "variable") for name in code_spans(row[0])}
    assert read - {"DAGSTER_HOME"} == listed
    assert "export DAGSTER_HOME=" in readme()


def test_no_page_names_a_variable_that_nobody_reads() -> None:
    known = {name for row in table(readme(), "variable") for name in code_spans(row[0])}
    for page in PAGES:
        named = set(re.findall(r"\b(?:KUSTOMER|WAREHOUSE)_[A-Z]+(?:_[A-Z]+)*\b", page.read_text(encoding="utf-8")))
        of_several_orgs = {f"KUSTOMER_{org}_{name.upper()}" for org in ("US", "EU") for name in OF_THE_ORG}
        assert named - known - of_several_orgs == set(), page


def test_the_yaml_examples_load(project: Project) -> None:
    examples = [(README, text) for text in code_blocks(readme(), "yaml") if "\ntype: " in f"\n{text}"]
    guide = REPOSITORY / "kustomer_pipeline" / "defs" / "README.md"
    examples += [(guide, text) for text in code_blocks(guide.read_text(encoding="utf-8"), "yaml")]
    assert len(examples) == 6
    names = []
    for page, text in examples:
        # The README says the path in the first line; the guide in the sentence before: "Make a folder, say `…`".
        said = re.search(r"# kustomer_pipeline/defs/(\w+)/defs\.yaml", text) or re.search(
            r"a folder, say `(\w+)`", page.read_text(encoding="utf-8")
        )
        assert said is not None
        if "KustomerProject" not in text:
            names.append(said[1])
        project.write(f"{said[1]}/defs.yaml", text)
    loaded = project.load()
    dg.Definitions.validate_loadable(loaded)
    keys = {key.to_user_string() for key in loaded.resolve_asset_graph().get_all_asset_keys()}
    stages = ("_rows", "_mapped", "", "_plan")
    assert {key for key in keys if key.startswith("kustomer/")} == {
        f"kustomer/{name}{stage}" for name, stage in itertools.product(names, stages)
    }


def test_the_python_example_builds_the_same_kind_of_definitions() -> None:
    [example] = code_blocks(readme(), "python")
    names: dict[str, Any] = {}
    exec(example, names)
    built = names["defs"]
    dg.Definitions.validate_loadable(built)
    jobs = {job.name for job in built.get_repository_def().get_all_jobs()}
    assert {"sync_customers", "sync_vip", "sync_all", "plan_all"} <= jobs


def test_the_run_config_of_a_sync_is_in_the_readme_and_the_other_way_round() -> None:
    listed = {name for row in table(section(readme(), "What you get"), "key") for name in code_spans(row[0])}
    assert listed == set(SyncRunConfig.model_fields)


def test_the_example_of_each_key_of_run_config_is_one_that_a_sync_takes() -> None:
    for row in table(section(readme(), "What you get"), "key"):
        [example] = code_spans(row[1])
        given = yaml.safe_load(example)
        assert list(given) == code_spans(row[0])
        SyncRunConfig(**given)


def test_the_run_config_of_a_plan_is_in_the_readme() -> None:
    [said] = re.findall(r"(?s)A plan takes (.*?) too\.", section(readme(), "What you get"))
    assert set(code_spans(said)) == set(PlanRunConfig.model_fields)


def test_every_check_is_in_the_readme_and_the_other_way_round() -> None:
    listed = {name for row in table(section(readme(), "What you get"), "check") for name in code_spans(row[0])}
    assert listed == {key.name for key in defs.resolve_asset_graph().asset_check_keys}


def test_the_four_roles_are_those_that_every_mode_needs() -> None:
    named = set(re.findall(r"org\.user\.[a-z.]+", section(readme(), "A key with four roles")))
    assert named == set(FOUR_ROLES)


def test_every_job_and_schedule_that_is_not_of_one_sync_is_in_the_readme() -> None:
    repository = defs.get_repository_def()
    names = {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    names |= {schedule.name for schedule in repository.schedule_defs}
    syncs = {key.path[1] for key in repository.asset_graph.get_all_asset_keys()}
    assert {name for name in names if name.removeprefix("sync_") not in syncs} <= set(code_spans(readme()))
    assert {"sync_customers", "customers_changed"} <= names | {each.name for each in repository.sensor_defs}


def test_the_outcomes_are_those_of_the_engine() -> None:
    said = section(readme(), "When some rows fail")
    [sentence] = re.findall(r"(?s)exactly one outcome: (.*?)\.", said)
    assert set(re.split(r",\s+|\s+or\s+", sentence)) == {outcome.value for outcome in Outcome}


def test_every_name_in_code_font_is_somewhere_in_the_project() -> None:
    """A name that was changed in the code is found here."""
    sources = [
        path.read_text(encoding="utf-8")
        for path in tracked(REPOSITORY)
        if path.suffix in {".py", ".yaml", ".toml", ".cfg"} or path.name == "Makefile"
        if REPOSITORY / "kustomer_pipeline_tests" not in path.parents
    ]
    code = "\n".join(sources)
    names = {name for name in code_spans(readme()) if re.fullmatch(r"[a-z]+(_[a-z]+)+", name)}
    # Named after the syncs of the folder: their parts are put together when they are loaded.
    made = {f"{kind}_{sync}" for kind in ("sync", "plan") for sync in ("customers", "all")} | {"customers_changed"}
    assert {name for name in names - made if not re.search(rf"\b{name}\b", code)} == set()


def commands() -> list[tuple[Path, str]]:
    """Every command that a page shows: lines of sh blocks, and spans that begin like one."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line.partition(" #")[0].strip() for block in code_blocks(text, "sh") for line in block.splitlines()]
        spans = [span for span in code_spans(text) if re.match(r"make\b|\.venv/|python -m ", span)]
        found += [(page, command) for command in [*lines, *spans] if command]
    return found


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):.*##", (REPOSITORY / "Makefile").read_text()))
    named = {command.split()[1] for _, command in commands() if command.startswith("make ")}
    assert named <= targets
    assert {"demo", "dev", "test"} <= named


def test_every_module_and_tool_that_a_page_runs_exists() -> None:
    modules = {found[1] for _, command in commands() if (found := re.search(r"python -m ([\w.]+)", command))}
    assert {module for module in modules if importlib.util.find_spec(module) is None} == set()
    tools = {found[1] for _, command in commands() if (found := re.search(r"\.venv/bin/(\w+)", command))}
    assert {tool for tool in tools if not (Path(sys.executable).parent / tool).exists()} == set()


def test_whatever_a_page_installs_here_stays_a_link_to_this_folder() -> None:
    """A copy in site-packages would be loaded instead of it, and changes to the defs folder would do nothing."""
    installs = [command for _, command in commands() if " install " in command and re.search(r"(^| )'?\.", command)]
    here = [command for command in installs if re.search(r" '?\.[\['\s]", f"{command} ")]
    assert here != []
    assert [command for command in here if "--editable" not in command] == []


def test_every_file_that_a_command_names_exists() -> None:
    words = {word for _, command in commands() for word in command.split()}
    files = {word for word in words if re.fullmatch(r"(?:\w[\w-]*/)+[\w.-]+|[\w-]+\.(?:yaml|md|txt|cfg|toml)", word)}
    assert {file for file in files if not (REPOSITORY / file).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in links(page.read_text(encoding="utf-8")):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []
