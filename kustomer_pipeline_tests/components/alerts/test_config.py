"""`alerts` in YAML and in Python: what may be written, who is told then, and no URL in any error."""

import sys
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from kustomer_pipeline import KustomerProject, ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError
from kustomer_pipeline.components.alerts import watched
from kustomer_pipeline.components.alerts.rules import Rule, rules_of
from kustomer_pipeline.components.sync_config import CONDITIONS, Alert
from kustomer_pipeline_tests.components.conftest import Project
from kustomer_pipeline_tests.components.pipeline import CUSTOMERS

SECRET = "slack://T0KEN/of/ours"


def customers(**changes: Any) -> ObjectSync:
    return ObjectSync.model_validate(CUSTOMERS.model_dump(exclude_unset=True) | changes)


def names(definitions: dg.Definitions) -> set[str]:
    repository = definitions.get_repository_def()
    return {each.name for each in repository.sensor_defs} | {job.name for job in repository.get_all_jobs()}


def test_all_conditions_are_on_unless_some_are_named() -> None:
    assert rules_of(customers(), [Alert(to=["A"])]) == (Rule("A"),)
    assert Rule("A").when == frozenset(CONDITIONS)
    [rule] = rules_of(customers(alerts=[{"to": "A", "when": ["held"]}]), [])
    assert rule.when == {"held"}


def test_a_syncs_own_alerts_stand_instead_of_the_projects_and_an_empty_list_tells_nobody() -> None:
    project = [Alert(to=["A", "B"])]
    assert [rule.channel for rule in rules_of(customers(), project)] == ["A", "B"]
    assert [rule.channel for rule in rules_of(customers(alerts=[{"to": ["C"]}]), project)] == ["C"]
    assert rules_of(customers(alerts=[]), project) == ()
    assert watched([customers(alerts=[])], project) == []


def test_how_old_a_success_may_be_is_that_of_the_freshness_unless_it_is_said() -> None:
    weekly = {"freshness": {"fail_after": "8d"}}
    assert rules_of(customers(), [Alert(to=["A"])])[0].no_success == 26 * 3600
    assert rules_of(customers(**weekly), [Alert(to=["A"])])[0].no_success == 8 * 86_400
    assert rules_of(customers(**weekly, alerts=[{"to": "A", "no_success": "3h"}]), [])[0].no_success == 3 * 3600


@pytest.mark.parametrize(
    "alert, says",
    [
        ({"to": SECRET}, "has to be the name of an environment variable"),
        ({"to": ["A", SECRET]}, "alerts[0].to[1]"),
        ({}, "alerts[0].to: is missing"),
        ({"to": []}, "alerts[0].to: is empty"),
        ({"to": ["A", "A"]}, "A is there twice"),
        ({"to": "A", "when": ["run_fails"]}, 'Did you mean "run_failed"?'),
        ({"to": "A", "when": []}, "alerts[0].when: is empty"),
        ({"to": "A", "when": ["held"], "no_success": "26h"}, "no_success is of no_success, which `when` does not list"),
        ({"to": "A", "no_success": "26"}, "has to be a length of time"),
        ({"to": "A", "url": SECRET}, "alerts[0].url: is not a known key"),
    ],
)
def test_a_mistake_is_an_error_that_says_where_and_shows_no_url(alert: dict[str, Any], says: str) -> None:
    with pytest.raises(SyncConfigError) as error:
        customers(alerts=[alert])
    assert says in str(error.value)
    assert "T0KEN" not in str(error.value)
    with pytest.raises(ValidationError) as other:
        KustomerProject(alerts=[alert])
    assert "T0KEN" not in str(other.value)


def test_sensor_and_job_come_with_the_first_channel_and_the_sensor_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALERTS_SLACK", raising=False)
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert names(build_definitions([customers()])).isdisjoint({"kustomer_alerts", "test_alerts"})
    of_project = build_definitions([customers()], KustomerProject(alerts=[Alert(to=["ALERTS_SLACK"])]))
    of_sync = build_definitions([customers(alerts=[{"to": "ALERTS_SLACK"}])])
    for definitions in (of_project, of_sync):
        dg.Definitions.validate_loadable(definitions)
        assert {"kustomer_alerts", "test_alerts"} <= names(definitions)
        sensor = definitions.get_repository_def().get_sensor_def("kustomer_alerts")
        assert sensor.default_status is dg.DefaultSensorStatus.STOPPED


def test_it_is_written_in_yaml_at_the_project_and_at_a_sync(project: Project) -> None:
    project.write(
        "kustomer/defs.yaml",
        "type: kustomer_pipeline.KustomerProject\nattributes:\n  alerts:\n    - {to: ALERTS_SLACK, no_success: 30h}\n",
    )
    project.write(
        "people/defs.yaml",
        "type: kustomer_pipeline.ObjectSync\nattributes:\n  object: customers\n  query: select 1\n  match_on: [email]\n"
        "  fields: {email: email}\n  alerts:\n    - to: [ALERTS_PAGER]\n      when: [run_failed]\n",
    )
    assert {"kustomer_alerts", "test_alerts"} <= names(project.load())
    written = f"type: kustomer_pipeline.KustomerProject\nattributes:\n  alerts: [to: '{SECRET}']\n"
    project.write("kustomer/defs.yaml", written)
    with pytest.raises(SyncConfigError) as error:
        project.load()
    assert "kustomer/defs.yaml:3" in str(error.value)
    assert "T0KEN" not in str(error.value)
