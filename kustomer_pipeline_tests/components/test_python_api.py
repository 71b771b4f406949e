"""The same syncs from Python: the same definitions as from YAML, the same mistakes."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kustomer_pipeline import AudienceSync, ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.components.sync_config import FieldColumns
from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.resources import resources_from_environment
from kustomer_pipeline.sync import AudienceSpec, ChangeLimit, ObjectSpec, RemovalLimit

from .conftest import Project

COMPANIES_YAML = """\
type: kustomer_pipeline.ObjectSync
attributes:
  object: companies
  query_file: companies.sql
  match_on: [externalId]
  fields: {externalId: id, name: name}
"""
CUSTOMERS_YAML = """\
type: kustomer_pipeline.ObjectSync
attributes:
  description: People.
  object: customers
  mode: update
  query: select * from crm.customers
  match_on: [externalId, email]
  nulls: clear
  fields:
    externalId: customer_id
    email: [email, work_email]
    company: {column: account_id, match: name}
    phones: {columns: [mobile, home]}
    custom.lifetimeValueNum: {column: ltv, write: if_empty}
  default_region: GB
  watch: {table: crm.customers, updated_at: updated_at, every: 90}
  schedule: {cron: "*/30 * * * *", timezone: Europe/London}
  max_failure_share: 0.1
  max_deferred_share: 0.2
  max_changes: {share: 0.3, count: 5000}
  renamed_from: crm
  log_to: {schema: kustomer_sync}
  read_back: 10
  owners: ["team:crm"]
"""
VIP_YAML = """\
type: kustomer_pipeline.AudienceSync
attributes:
  tag: vip
  query: select email from marts.vip_customers
  mode: mirror
  fields: {email: email}
  mirror_scope: tag
  max_removals: {share: 0.1, count: 10}
  max_absent_share: 0.1
"""
ACCOUNTS_YAML = """\
type: kustomer_pipeline.AudienceSync
attributes:
  tag: key account
  object: companies
  query: select name from marts.key_accounts
  mode: mirror
  fields: {name: name}
"""


def customers(**changes: Any) -> ObjectSync:
    values: dict[str, Any] = {
        "name": "customers",
        "description": "People.",
        "object": "customers",
        "mode": "update",
        "query": "select * from crm.customers",
        "match_on": ["externalId", "email"],
        "nulls": "clear",
        "fields": {
            "externalId": "customer_id",
            "email": ["email", "work_email"],
            "company": {"column": "account_id", "match": "name"},
            "phones": FieldColumns(columns=["mobile", "home"]),
            "custom.lifetimeValueNum": FieldColumns(column="ltv", write="if_empty"),
        },
        "default_region": "GB",
        "watch": {"table": "crm.customers", "updated_at": "updated_at", "every": 90},
        "schedule": {"cron": "*/30 * * * *", "timezone": "Europe/London"},
        "max_failure_share": 0.1,
        "max_deferred_share": 0.2,
        "max_changes": {"share": 0.3, "count": 5000},
        "renamed_from": "crm",
        "log_to": {"schema": "kustomer_sync"},
        "read_back": 10,
        "owners": ["team:crm"],
    }
    return ObjectSync(**values | changes)


def vip() -> AudienceSync:
    return AudienceSync(
        name="vip",
        tag="vip",
        query="select email from marts.vip_customers",
        mode="mirror",
        fields={"email": "email"},
        mirror_scope="tag",
        max_removals={"share": 0.1, "count": 10},
        max_absent_share=0.1,
    )


def accounts() -> AudienceSync:
    return AudienceSync(
        name="accounts",
        tag="key account",
        object="companies",
        query="select name from marts.key_accounts",
        mode="mirror",
        fields={"name": "name"},
    )


def shown(defs: dg.Definitions) -> dict[str, Any]:
    """What Dagster shows of definitions."""
    repository = defs.get_repository_def()
    graph = repository.asset_graph
    return {
        "assets": {
            key.to_user_string(): (
                node.group_name,
                sorted(parent.to_user_string() for parent in node.parent_keys),
                sorted(check.name for check in node.check_keys),
                sorted(node.kinds),
                list(node.owners),
                node.description,
            )
            for key in graph.get_all_asset_keys()
            for node in [graph.get(key)]
        },
        "jobs": {job.name: sorted(node.name for node in job.nodes) for job in repository.get_all_jobs()},
        "schedules": sorted((s.name, s.cron_schedule, s.execution_timezone) for s in repository.schedule_defs),
        "sensors": sorted((s.name, s.job_name, s.minimum_interval_seconds) for s in repository.sensor_defs),
        "resources": sorted(defs.resources or {}),
    }


def test_python_and_yaml_give_the_same_definitions(project: Project) -> None:
    sql = project.write("companies/companies.sql", "select * from crm.accounts")
    project.write("companies/defs.yaml", COMPANIES_YAML)
    project.write("customers/defs.yaml", CUSTOMERS_YAML)
    project.write("vip/defs.yaml", VIP_YAML)
    project.write("accounts/defs.yaml", ACCOUNTS_YAML)
    companies = ObjectSync(
        name="companies",
        object="companies",
        query_file=sql,
        match_on=["externalId"],
        fields={"externalId": "id", "name": "name"},
    )
    assert shown(build_definitions([companies, customers(), vip(), accounts()])) == shown(project.load())


def test_what_is_written_of_a_field_besides_its_column_reaches_the_engine() -> None:
    sync = ObjectSync(
        name="customers",
        object="customers",
        query="select 1",
        match_on=["email"],
        fields={
            "email": "email",
            "company": {"column": "account", "missing": "send_without"},
            "custom.planStr": {"column": "plan", "show": True},
        },
    )
    assert sync.spec.fields == (
        FieldMapping("email", ("email",)),
        FieldMapping("company", ("account",), missing="send_without"),
        FieldMapping("custom.planStr", ("plan",), show=True),
    )


def test_a_sync_says_to_the_engine_what_was_written() -> None:
    assert customers().spec == ObjectSpec(
        name="customers",
        object="customers",
        mode="update",
        match_on=("externalId", "email"),
        fields=(
            FieldMapping("externalId", ("customer_id",)),
            FieldMapping("email", ("email", "work_email")),
            FieldMapping("company", ("account_id",), match="name"),
            FieldMapping("phones", ("mobile", "home")),
            FieldMapping("custom.lifetimeValueNum", ("ltv",), write="if_empty"),
        ),
        nulls="clear",
        default_region="GB",
        max_changes=ChangeLimit(share=0.3, count=5000),
        renamed_from="crm",
    )
    assert vip().spec == AudienceSpec(
        name="vip",
        tag="vip",
        mode="mirror",
        match_on=("email",),
        fields=(FieldMapping("email", ("email",)),),
        mirror_scope="tag",
        max_removals=RemovalLimit(share=0.1, count=10),
    )
    assert accounts().spec == AudienceSpec(
        name="accounts",
        tag="key account",
        mode="mirror",
        match_on=("name",),
        fields=(FieldMapping("name", ("name",)),),
        object="companies",
    )


def test_the_defaults_are_the_careful_ones() -> None:
    sync = ObjectSync(name="c", object="customers", query="q", fields={"email": "email"}, match_on=["email"])
    assert (sync.mode, sync.nulls, sync.max_failure_share) == ("upsert", "keep", 0.05)
    assert (sync.log_to, sync.read_back) == (None, 50)
    assert (sync.max_deferred_share, sync.renamed_from) == (0.0, None)
    assert sync.spec.max_changes == ChangeLimit(share=0.5, count=None)
    audience = AudienceSync(name="a", tag="a", query="q", fields={"phone": "p", "externalId": "id"})
    assert (audience.mode, audience.mirror_scope) == ("add", "owned")
    assert (audience.object, audience.max_absent_share) == ("customers", 0.5)
    assert audience.spec.match_on == ("externalId", "phone")
    assert audience.spec.max_removals == RemovalLimit(share=0.2, count=1000)


def test_a_mistake_is_reported_when_the_sync_is_made() -> None:
    with pytest.raises(SyncConfigError) as caught:
        customers(fields={"emial": "email", "fone": "mobile"}, owners=[])
    title, *lines = str(caught.value).splitlines()
    assert title == "ObjectSync('customers') cannot be built:"
    assert lines[0].startswith("  fields.emial: customers have no field 'emial'; did you mean email")
    assert lines[1].startswith("  fields.fone: customers have no field 'fone'")
    assert len(lines) == 2


def test_an_argument_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(SyncConfigError, match=r'mod: is not a known key\. Did you mean "mode"\?'):
        customers(mod="upsert")


def test_a_name_is_checked() -> None:
    with pytest.raises(SyncConfigError, match="'my customers' cannot be the name of a sync"):
        customers(name="my customers")


def test_two_syncs_of_one_name_are_a_mistake() -> None:
    with pytest.raises(SyncConfigError, match="2 syncs are named 'customers'; each needs its own"):
        build_definitions([customers(), customers()])


def test_a_mirror_that_shares_its_tag_is_a_mistake() -> None:
    others = AudienceSync(name="others", tag="VIP", query="q", fields={"email": "email"})
    with pytest.raises(SyncConfigError, match="vip and others keep one tag, 'vip', on customers, and a mirror"):
        build_definitions([vip(), others])


def test_a_query_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "customers.sql"
    file.write_text("select 'ä' as name", encoding="utf-8")
    assert customers(query=None, query_file=file).sql == "select 'ä' as name"


def test_a_sync_does_not_change_once_it_is_made() -> None:
    sync, attribute = customers(), "mode"
    with pytest.raises(ValueError, match="frozen"):
        setattr(sync, attribute, "upsert")


def test_no_syncs_are_no_mistake() -> None:
    defs = build_definitions([])
    dg.Definitions.validate_loadable(defs)
    assert [job.name for job in defs.get_repository_def().get_all_jobs() if not job.name.startswith("__")] == []


def test_a_component_can_be_built_on_its_own() -> None:
    defs = dg.build_defs_for_component(customers()).with_resources(resources_from_environment())
    assert {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()} == {
        "warehouse/crm/customers_table",
        *(f"kustomer/customers{stage}" for stage in ("_rows", "_mapped", "", "_plan")),
    }


def test_values_can_come_from_the_environment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SCHEMA", "crm")
    monkeypatch.setenv("SHARE", "0.25")
    project.write(
        "customers/defs.yaml",
        CUSTOMERS_YAML.replace("select * from crm.customers", '"select * from {{ env.CRM_SCHEMA }}.customers"')
        .replace("0.1\n", '"{{ env.SHARE }}"\n')
        .replace("team:crm", "team:{{ env('TEAM', 'crm') }}"),
    )
    asset = project.load().resolve_asset_graph().get(dg.AssetKey(["kustomer", "customers_rows"]))
    assert "select * from crm.customers" in (asset.description or "")
    assert list(asset.owners) == ["team:crm"]


def test_text_without_a_template_stays_as_it_is_written(project: Project) -> None:
    project.write("vip/defs.yaml", VIP_YAML.replace("tag: vip", 'tag: "2024"').replace("email from", "'{% x %}' from"))
    asset = project.load().resolve_asset_graph().get(dg.AssetKey(["kustomer", "vip_rows"]))
    assert "select '{% x %}' from" in (asset.description or "")
