"""One sync that does not load leaves the others alone, and is in Dagster as what fails with its mistakes."""

import re

import dagster as dg
import pytest

from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.sandbox import Sandbox

from .conftest import Project
from .pipeline import Pipeline
from .test_load_errors import CUSTOMERS, VIP

GOLD = VIP.replace("tag: vip", "tag: gold")
PEOPLE = """\
type: kustomer_pipeline.ObjectSync
attributes:
  object: customers
  query: select id, email from customers
  match_on: [externalId]
  fields: {externalId: id, email: email}
"""
BOUND = CUSTOMERS.replace("query:", "deps: [customers]\n  query:")


def keys(defs: dg.Definitions) -> set[str]:
    return {spec.key.to_user_string() for spec in defs.resolve_all_asset_specs()}


def failing(defs: dg.Definitions) -> dict[str, str]:
    """The assets that stand for a sync, and what they say."""
    specs = [spec for spec in defs.resolve_all_asset_specs() if "kustomer/does_not_load" in spec.tags]
    return {spec.key.to_user_string(): unescaped(spec.description or "") for spec in specs}


def unescaped(description: str) -> str:
    """Markdown as it is read."""
    return re.sub(r"\\(.)", r"\1", description)


def said_by(failure: dg.DagsterEvent) -> str:
    """What a step that failed says in the UI."""
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    return data.description or ""


def jobs(defs: dg.Definitions) -> set[str]:
    return {job.name for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}


@pytest.mark.parametrize(
    "text, says",
    [
        (CUSTOMERS.replace("object: customers", "object: people"), ":3  object: 'people' is not allowed"),
        (CUSTOMERS.replace("  query", "\tquery"), ":4  is not YAML: there is a tab"),
        (CUSTOMERS.replace("ObjectSync", "ObjetSync"), ":1  type: there is no component"),
        (CUSTOMERS.replace("type: ", "typ: "), ":1  type is missing"),
        (CUSTOMERS.replace("attributes:", "atributes:"), ":2  atributes: is not a known key"),
        (CUSTOMERS.replace("    company", "    email: other\n    company"), ":8  "),
        (CUSTOMERS.replace("select 1", "'{{ env.NOT_SET_ANYWHERE }}'"), ":4  query: the template"),
        (f"{CUSTOMERS}---\n{CUSTOMERS}", ":1  holds 2 syncs"),
        (BOUND, ":4  deps[0]: this project has no asset 'customers'"),
        ("", ":1  is empty"),
        ("- a list\n", ":1  holds a list"),
    ],
)
def test_the_others_load(project: Project, text: str, says: str) -> None:
    file = project.write("customers/defs.yaml", text)
    project.write("gold/defs.yaml", GOLD)
    defs = project.load(strict=False)
    dg.Definitions.validate_loadable(defs)
    said = failing(defs)
    assert set(said) == {"kustomer/customers", "kustomer/customers_plan"}
    assert all(f"{file}{says}".replace("  ", " ") in text for text in said.values())
    assert {f"kustomer/gold{part}" for part in ("_rows", "_mapped", "", "_plan")} <= keys(defs)
    assert {"sync_all", "plan_all", "undo_run", "apply_plan", "sync_gold", "sync_customers"} == jobs(defs)
    assert [schedule.name for schedule in defs.schedules or ()] == ["daily_sync"]
    with pytest.raises(SyncConfigError):
        project.load()


def test_a_file_that_is_no_text_is_told_too(project: Project) -> None:
    project.write("customers/defs.yaml", "").write_bytes(b"type: caf\xe9")
    project.write("gold/defs.yaml", GOLD)
    assert "is not UTF-8 text" in failing(project.load(strict=False))["kustomer/customers"]


def test_only_a_broken_sync_is_a_project_too(project: Project) -> None:
    project.write("customers/defs.yaml", CUSTOMERS.replace("match_on", "match"))
    assert {"sync_all", "plan_all", "sync_customers"} == jobs(project.load(strict=False))


def test_the_run_of_all_sends_the_others_and_is_red(
    project: Project, pipeline: Pipeline, sandbox: Sandbox, ephemeral: dg.DagsterInstance
) -> None:
    pipeline.customers([("C-1", "jane@example.com", "Jane", None, "pro")])
    project.write("people/defs.yaml", PEOPLE)
    file = project.write("gold/defs.yaml", GOLD.replace("mode: mirror", "mode: miror"))
    defs = project.load(strict=False)
    config = {"ops": {"kustomer__gold": {"config": {"limit": 3}}}}  # as a schedule gives it
    result = defs.resolve_job_def("sync_all").execute_in_process(
        run_config=config, instance=ephemeral, raise_on_error=False
    )
    assert not result.success
    [failure] = result.get_step_failure_events()
    assert failure.step_key == "kustomer__gold"
    assert f"{file}:5  mode: 'miror' is not allowed" in said_by(failure)
    assert [one["externalId"] for one in sandbox.customers.values()] == ["C-1"]


def test_its_own_job_and_its_plan_fail_with_what_is_wrong(project: Project, ephemeral: dg.DagsterInstance) -> None:
    project.write("gold/defs.yaml", GOLD.replace("tag: gold", "tga: gold"))
    defs = project.load(strict=False)
    for job in ("sync_gold", "plan_all"):
        result = defs.resolve_job_def(job).execute_in_process(instance=ephemeral, raise_on_error=False)
        [failure] = result.get_step_failure_events()
        assert "tga: is not a known key" in said_by(failure)


def test_what_it_is_is_logged(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    project.write("gold/defs.yaml", GOLD.replace("tag: gold", "tga: gold"))
    project.load(strict=False)
    assert "The sync 'gold' cannot be loaded:" in caplog.text


@pytest.mark.parametrize("mistake", [("fields:", "feilds:"), ("  match_on", "\tmatch_on")])
def test_a_mirror_keeps_off_the_tag_of_a_sync_that_does_not_load(project: Project, mistake: tuple[str, str]) -> None:
    """It would untag that one's members, and nobody would have seen the conflict."""
    project.write("vip/defs.yaml", VIP.replace("mode: mirror", "mode: add").replace(*mistake))
    file = project.write("gold/defs.yaml", VIP.replace("tag: vip", "tag: VIP"))
    project.write("other/defs.yaml", GOLD)
    said = failing(project.load(strict=False))
    assert set(said) == {f"kustomer/{name}{part}" for name in ("gold", "vip") for part in ("", "_plan")}
    assert f"{file}:4 tag: vip, which does not load, has the tag 'VIP' too" in said["kustomer/gold"]


def test_what_is_remembered_of_a_sync_that_does_not_load_is_not_for_others(project: Project) -> None:
    project.write("people/defs.yaml", CUSTOMERS.replace("match_on", "match"))
    project.write("customers/defs.yaml", f"{CUSTOMERS}  renamed_from: people\n")
    said = failing(project.load(strict=False))
    assert "renamed_from: 'people' is another sync of this project" in said["kustomer/customers"]


def test_two_that_do_not_go_together_are_both_left_out(project: Project) -> None:
    first = project.write("vip/defs.yaml", VIP)
    second = project.write("silver/defs.yaml", VIP)
    project.write("gold/defs.yaml", GOLD)
    said = failing(project.load(strict=False))
    assert set(said) == {f"kustomer/{name}{part}" for name in ("silver", "vip") for part in ("", "_plan")}
    for text in said.values():
        assert f"{first}:4 tag: " in text
        assert f"{second}:4 tag: " in text


@pytest.mark.parametrize("broken", ["eu", "us", ""])
def test_two_folders_of_one_name_are_one_that_fails(project: Project, broken: str) -> None:
    for org in ("eu", "us"):
        text = CUSTOMERS.replace("match_on", "match") if org == broken else CUSTOMERS
        project.write(f"{org}/customers/defs.yaml", text)
    project.write("gold/defs.yaml", GOLD)
    defs = project.load(strict=False)
    dg.Definitions.validate_loadable(defs)
    assert set(failing(defs)) == {"kustomer/customers", "kustomer/customers_plan"}
    assert "sync_gold" in jobs(defs)


@pytest.mark.parametrize(
    "name, job", [("vip-customers", "sync_vip_customers"), ("all", "sync_all_"), ("undo_run", "sync_undo_run_")]
)
def test_a_folder_whose_name_cannot_be_a_syncs_is_told_by_a_name_that_can(
    project: Project, name: str, job: str
) -> None:
    project.write(f"{name}/defs.yaml", VIP)
    project.write("gold/defs.yaml", GOLD)
    defs = project.load(strict=False)
    dg.Definitions.validate_loadable(defs)
    assert {job, "sync_gold", "sync_all"} <= jobs(defs)


def test_the_plan_of_one_may_be_named_like_another(project: Project) -> None:
    for name in ("customers", "customers_plan"):
        project.write(f"{name}/defs.yaml", CUSTOMERS.replace("match_on", "match"))
    dg.Definitions.validate_loadable(project.load(strict=False))


def test_a_sync_does_not_take_the_name_of_a_plan_of_one_that_does_not_load(project: Project) -> None:
    project.write("vip/defs.yaml", VIP.replace("tag:", "tga:"))
    project.write("vip_plan/defs.yaml", GOLD)
    assert "both have an asset named 'vip_plan'" in failing(project.load(strict=False))["kustomer/vip_plan"]


def test_its_assets_are_where_its_file_says_they_are(project: Project) -> None:
    project.write("gold/defs.yaml", GOLD.replace("tag:", "key_prefix: crm/people\n  tga:"))
    assert set(failing(project.load(strict=False))) == {"crm/people/gold", "crm/people/gold_plan"}


def test_a_folder_of_folders_with_a_file_of_its_own(project: Project) -> None:
    project.write("crm/defs.yaml", "type: dagster.DefsFolderComponent\nattributes: {}\n")
    project.write("crm/gold/defs.yaml", GOLD)
    project.write("crm/vip/defs.yaml", VIP.replace("  tag", "\ttag"))
    defs = project.load(strict=False)
    assert set(failing(defs)) == {"kustomer/vip", "kustomer/vip_plan"}
    assert "sync_gold" in jobs(defs)


@pytest.mark.parametrize(
    "path, text",
    [
        ("crm/defs.yaml", "type: dagster.DefsFolderComponent\nattributes: {\n"),  # syncs are below it
        ("theirs/defs.yaml", "type: dagster.PythonScriptComponent\nattributes:\n  nothing: here\n"),
        ("project/defs.yaml", "type: kustomer_pipeline.KustomerProject\nattributes: {orgs: 1}\n"),
    ],
)
def test_a_mistake_in_anything_but_a_sync_is_one_of_the_project(project: Project, path: str, text: str) -> None:
    project.write(path, text)
    project.write("crm/gold/defs.yaml", GOLD)
    with pytest.raises(SyncConfigError, match="cannot be loaded"):
        project.load(strict=False)


def test_put_right_it_is_the_sync_again(project: Project) -> None:
    file = project.write("gold/defs.yaml", GOLD.replace("tag:", "tga:"))
    assert failing(project.load(strict=False))
    file.write_text(GOLD, encoding="utf-8")
    defs = project.load(strict=False)
    assert not failing(defs)
    assert "kustomer/gold_mapped" in keys(defs)
