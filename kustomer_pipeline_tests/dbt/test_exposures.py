"""`exposures`: what dbt should know of the syncs. Whether dbt takes the file is in test_dbt_project.py."""

import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from kustomer_pipeline import AudienceSync, ObjectSync
from kustomer_pipeline.__main__ import main
from kustomer_pipeline.components.dbt import exposures
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS, VIP

WATCH = {"table": "crm.customers", "updated_at": "updated_at", "asset": "analytics/customers"}


def customers(**changes: Any) -> ObjectSync:
    return ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | changes)


def vip(**changes: Any) -> AudienceSync:
    return AudienceSync.model_validate(VIP.model_dump(exclude_unset=True) | changes)


def one(text: str) -> dict[str, Any]:
    [exposure] = yaml.safe_load(text)["exposures"]
    assert isinstance(exposure, dict)
    return exposure


def of_dbt(key: str, unique_id: str) -> dg.AssetSpec:
    return dg.AssetSpec(dg.AssetKey(key.split("/")), metadata={"dagster_dbt/unique_id": unique_id})


def test_a_sync_is_an_exposure_of_the_models_that_it_is_made_from() -> None:
    sync = customers(
        deps=["analytics/customers", "analytics/plans"],
        owners=["jane@acme.example", "team:crm", "joe@acme.example"],
        description="Everybody who has an account.",
    )
    assert one(exposures([sync], url="https://dagster.acme.example/", maturity="high")) == {
        "name": "kustomer_customers",
        "label": "Kustomer: customers",
        "type": "application",
        "maturity": "high",
        "url": "https://dagster.acme.example/assets/kustomer/customers",
        "description": "Everybody who has an account.",
        "depends_on": ["ref('customers')", "ref('plans')"],
        "owner": {"name": "crm, joe@acme.example", "email": "jane@acme.example"},
    }


def test_what_nobody_has_said_is_not_written() -> None:
    exposure = one(exposures([vip(deps=["vips"])]))
    assert exposure.keys() & {"url", "maturity"} == set()
    assert exposure["description"] == "Keeps the tag vip on customers in Kustomer."


def test_a_sync_without_an_owner_gets_one_to_fill_in_because_dbt_requires_it() -> None:
    text = exposures([vip(deps=["vips"]), customers(deps=["people"], owners=["team:crm"])])
    owners = {each["name"]: each["owner"] for each in yaml.safe_load(text)["exposures"]}
    assert owners == {"kustomer_vip": {"name": "TODO"}, "kustomer_customers": {"name": "crm"}}
    assert "# TODO is the owner of syncs that have none: write owners: into their defs.yaml (vip).\n" in text


def test_a_source_and_the_asset_of_a_watched_table_are_upstream_as_well_each_once() -> None:
    written = {key: value for key, value in CUSTOMERS.model_dump(exclude_unset=True).items() if key != "query"}
    source = {"asset": "analytics/people", "table": "analytics.people"}
    sync = ObjectSync.model_validate(written | {"source": source, "watch": WATCH, "deps": ["analytics/people"]})
    assert one(exposures([sync]))["depends_on"] == ["ref('people')", "ref('customers')"]


def test_a_sync_that_no_model_is_upstream_of_is_left_out_with_a_word() -> None:
    text = exposures([customers(), vip(deps=["vips"])])
    assert [each["name"] for each in yaml.safe_load(text)["exposures"]] == ["kustomer_vip"]
    assert text.endswith("# Left out, because nothing that they are made from is a dbt model: customers\n")


@pytest.mark.parametrize(
    "unique_id, ref",
    [
        ("model.shop.dim_customer", "ref('dim_customer')"),
        ("model.shop.dim_customer.v2", "ref('dim_customer', v=2)"),
        ("seed.shop.countries", "ref('countries')"),
        ("snapshot.shop.history", "ref('history')"),
    ],
)
def test_the_name_of_a_model_is_what_dagster_dbt_says(unique_id: str, ref: str) -> None:
    defs = dg.Definitions(assets=[of_dbt("analytics/customers", unique_id)])
    assert one(exposures([customers(deps=["analytics/customers"])], defs))["depends_on"] == [ref]


def test_beside_assets_of_dbt_no_other_asset_is_taken_for_a_model() -> None:
    """A ref to something that is no model would keep the whole dbt project from being parsed."""
    defs = dg.Definitions(
        assets=[
            of_dbt("analytics/customers", "model.shop.customers"),
            of_dbt("raw/people", "source.shop.raw.people"),
            dg.AssetSpec("from_python"),
        ]
    )
    sync = customers(deps=["analytics/customers", "raw/people", "from_python", "of_another_project"])
    assert one(exposures([sync], defs))["depends_on"] == ["ref('customers')"]
    assert yaml.safe_load(exposures([customers(deps=["from_python"])], defs))["exposures"] == []


def test_a_description_is_text_and_no_template_of_dbts() -> None:
    exposure = one(exposures([vip(deps=["vips"], description="Rows with {{ name }}, 5 % of them")]))
    assert exposure["description"] == "{% raw %}Rows with {{ name }}, 5 % of them{% endraw %}"


def project(root: Path, package: str, sync: str) -> Path:
    files = {
        "pyproject.toml": f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{package}"\n',
        f"{package}/__init__.py": "",
        f"{package}/defs/__init__.py": "print('a module of theirs says something')",
        f"{package}/defs/vip/defs.yaml": sync,
    }
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


VIP_YAML = """
type: kustomer_pipeline.AudienceSync
attributes: {tag: vip, query: select email from vips, deps: [analytics/vips], fields: {email: email}}
"""


def test_the_command_prints_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.setenv("KUSTOMER_DAGSTER_URL", "https://dagster.acme.example")
    assert main(["exposures", "--project", str(project(tmp_path, "acme_one", VIP_YAML))]) == 0
    exposure = one(capsys.readouterr().out)
    assert exposure["depends_on"] == ["ref('vips')"]
    assert exposure["url"] == "https://dagster.acme.example/assets/kustomer/vip"


def test_the_command_of_a_project_that_does_not_load_says_the_line_and_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.path", [*sys.path])
    file = tmp_path / "exposures.yml"
    file.write_text("as it was")
    folder = project(tmp_path, "acme_two", VIP_YAML.replace("tag:", "tagg:"))
    assert main(["exposures", "--project", str(folder), "--output", str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "defs.yaml:3  tagg: is not a known key" in said.err
    assert file.read_text() == "as it was"
