"""`suppress: {query, match_on}`: asked of the warehouse in each run before anything is sent, here and there."""

from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline import AudienceSync, ObjectSync
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline_tests.components.conftest import Project, empty_project
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS, VIP, Pipeline, Run

PEOPLE = [(f"C-{n}", f"p{n}@private.example", f"Person {n}", f"020 7946 000{n}", "free") for n in range(6)]
LIST = {"query": "select who from erasures", "match_on": "email"}


@pytest.fixture(params=["embedded", "in_warehouse"])
def compare(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def listed(pipeline: Pipeline) -> Pipeline:
    """A warehouse with an empty list."""
    pipeline.warehouse.execute("create table erasures (who text)")
    pipeline.customers(PEOPLE)
    return pipeline


def add(pipeline: Pipeline, *values: str | None) -> None:
    pipeline.warehouse.insert("erasures", [(value,) for value in values])


def sync(compare: str, of: Any = CUSTOMERS, **changes: Any) -> Any:
    settings = {"suppress": LIST, "compare": compare, **changes}
    return type(of).model_validate(of.model_dump(exclude_unset=True) | settings)


def counted(run: Run, *names: str, name: str = "customers") -> tuple[Any, ...]:
    metadata = run.metadata(f"kustomer/{name}")
    return tuple(metadata[one] for one in names)


def test_they_are_skipped_in_runs_and_plans(listed: Pipeline, compare: str) -> None:
    add(listed, " P1@Private.Example ", None, "", "nobody@private.example")
    plan = listed.run("plan_all", sync(compare)).metadata("kustomer/customers_plan")
    assert (plan["would_create"], plan["would_skip"]) == (5, 1)
    run = listed.run("sync_customers", sync(compare))
    assert counted(run, "rows_read", "created", "skipped") == (6, 5, 1)
    assert {one["externalId"] for one in listed.sandbox.customers.values()} == {f"C-{n}" for n in (0, 2, 3, 4, 5)}
    assert run.success


def test_somebody_who_was_sent_before_is_left_alone_from_now_on(listed: Pipeline, compare: str) -> None:
    listed.run("sync_customers", sync(compare))
    add(listed, "p1@private.example")
    changed = [(*row[:4], "pro") for row in PEOPLE]
    listed.customers(changed)
    run = listed.run("sync_customers", sync(compare))
    assert counted(run, "rows_read", "updated", "skipped") == (6, 5, 1)
    assert counted(listed.run("sync_customers", sync(compare)), "rows_read", "unchanged", "skipped") == (6, 5, 1)
    listed.warehouse.execute("delete from erasures")
    assert counted(listed.run("sync_customers", sync(compare)), "rows_read", "unchanged", "updated") == (6, 5, 1)


def test_a_mirror_takes_its_tag_back_although_the_row_is_as_it_was(listed: Pipeline, compare: str) -> None:
    vip = sync(compare, VIP, max_removals={"share": 1.0})
    listed.vips([row[1] for row in PEOPLE])
    listed.run("sync_customers", CUSTOMERS)
    listed.run("sync_vip", vip)
    add(listed, "p1@private.example")
    run = listed.run("sync_vip", vip)
    assert counted(run, "rows_read", "removed", "skipped", "unchanged", name="vip") == (6, 1, 1, 5)
    assert counted(listed.run("sync_vip", vip), "removed", "skipped", "unchanged", name="vip") == (0, 1, 5)
    listed.warehouse.execute("delete from erasures")
    assert counted(listed.run("sync_vip", vip), "updated", "unchanged", name="vip") == (1, 5)


def test_numbers_take_the_form_that_rows_have(listed: Pipeline, compare: str) -> None:
    add(listed, "(020) 7946-0001", "+44 20 7946 0002")
    by_phone = {"suppress": {**LIST, "match_on": "phone"}}
    assert counted(listed.run("sync_customers", sync(compare, **by_phone)), "created", "skipped") == (4, 2)


def test_numbers_that_are_externalids(listed: Pipeline, compare: str) -> None:
    listed.warehouse.execute("create table erased_ids (id integer)")
    listed.warehouse.execute("insert into erased_ids values (17), (18)")
    listed.customers([("17", *PEOPLE[0][1:]), ("19", *PEOPLE[1][1:])])
    by_id = {"suppress": {"query": "select id from erased_ids", "match_on": "externalId"}}
    assert counted(listed.run("sync_customers", sync(compare, **by_id)), "created", "skipped") == (1, 1)


def test_values_that_nobody_is_recognised_by_are_told(listed: Pipeline, compare: str) -> None:
    add(listed, "no address", "p1@private.example", "none either")
    run = listed.run("sync_customers", sync(compare))
    assert counted(run, "created", "skipped") == (5, 1)
    assert any("2 values of the list of suppress cannot be read as email" in line for line in run.logs)


@pytest.mark.parametrize("query", ["select who from no_such_table", "select who, 1 as one from erasures", "selec"])
@pytest.mark.parametrize("job", ["sync_customers", "plan_all"])
def test_a_query_that_fails_stops_the_run_before_anything_is_sent(
    listed: Pipeline, compare: str, query: str, job: str
) -> None:
    broken = sync(compare, suppress={"query": query, "match_on": "email"})
    run = listed.run(job, broken)
    assert not run.success
    assert len(listed.sandbox.customers) == 0
    assert [one.path for one in listed.sandbox.requests if one.method != "GET"] == []


def test_of_several_columns_the_one_of_that_name_counts(listed: Pipeline, compare: str) -> None:
    add(listed, "p1@private.example")
    named = {"query": "select 1 as reason, who as email from erasures", "match_on": "email"}
    assert counted(listed.run("sync_customers", sync(compare, suppress=named)), "skipped") == (1,)


# --- what can be written --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suppress", "says"),
    [
        ({"query": "select 1"}, "suppress.match_on: is missing"),
        ({"match_on": "email"}, "suppress.query: is missing"),
        ({"query": "  ", "match_on": "email"}, "suppress.query: the query is empty"),
        (
            {"query": "select 1", "match_on": "mail"},
            "suppress.match_on: 'mail' is not allowed; customers are recognised by externalId, email or phone",
        ),
        ({"query": "select 1", "match_on": "name"}, "suppress.match_on: 'name' is not allowed"),
        ({"query": "select 1", "match_on": "email", "on": 1}, "suppress.on: is not a known key"),
    ],
)
def test_mistakes_are_told_when_the_sync_is_built(suppress: dict[str, Any], says: str) -> None:
    with pytest.raises(SyncConfigError, match="cannot be built") as error:
        ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | {"suppress": suppress})
    assert says in str(error.value)


def test_an_identifier_that_the_sync_does_not_map_recognises_nobody() -> None:
    with pytest.raises(SyncConfigError, match="this sync maps no phone, so nobody would be recognised"):
        AudienceSync.model_validate(VIP.model_dump(exclude_unset=True) | {"suppress": {**LIST, "match_on": "phone"}})
    emails = {"fields": {"externalId": "id", "emails": "mails", "email": "email"}, "match_on": ["externalId"]}
    ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | emails | {"suppress": LIST})


def test_a_mistake_in_yaml_has_its_file_and_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    projects = empty_project(tmp_path, monkeypatch)
    project: Project = next(projects)
    project.write(
        "customers/defs.yaml",
        "type: kustomer_pipeline.ObjectSync\nattributes:\n  object: customers\n  query: select 1\n"
        "  match_on: [email]\n  fields: {email: email}\n  suppress:\n    query: select 1\n    match_on: phone\n",
    )
    with pytest.raises(Exception, match=r"customers/defs\.yaml:9 .*suppress\.match_on: this sync maps no phone"):
        project.load()
