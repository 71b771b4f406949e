"""Configuration: read when it is needed, named when it is missing, never shown."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from kustomer_pipeline.kustomer import ConfigurationError
from kustomer_pipeline.resources import (
    KustomerResource,
    StateResource,
    WarehouseResource,
    in_variables,
    resources_from_environment,
    show_values,
)
from kustomer_pipeline.sync import StateError
from kustomer_pipeline.warehouse import WarehouseUrlError

KEY = "kustomer-test-key-5f2c"


def use(resources: dict[str, Any], what: Any) -> Any:
    """Call `what(warehouse, kustomer, state)` inside a run."""
    seen: list[Any] = []

    @dg.asset
    def probe(warehouse: WarehouseResource, kustomer: KustomerResource, state: StateResource) -> None:
        seen.append(what(warehouse, kustomer, state))

    dg.materialize([probe], resources=resources)
    return seen[0]


def base_url(kustomer: KustomerResource) -> str:
    with kustomer.client() as client:
        return client._base_url


def test_definitions_load_without_any_variable() -> None:
    @dg.asset
    def probe(warehouse: WarehouseResource, kustomer: KustomerResource, state: StateResource) -> None: ...

    definitions = dg.Definitions(assets=[probe], resources=resources_from_environment())
    assert set(definitions.get_repository_def().get_top_level_resources()) == {
        "warehouse",
        "kustomer",
        "state",
        "kustomer_frames",
    }


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_a_missing_variable_is_named_when_it_is_needed(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        for name in ("WAREHOUSE_URL", "KUSTOMER_API_KEY", "KUSTOMER_STATE_URL", "DAGSTER_HOME"):
            monkeypatch.setenv(name, value)
    with pytest.raises(WarehouseUrlError, match="WAREHOUSE_URL is not set"):
        WarehouseResource().read("select 1 as a")
    with pytest.raises(WarehouseUrlError, match="WAREHOUSE_URL is not set"):
        WarehouseResource().watermark("t", "at")
    with pytest.raises(ConfigurationError, match="KUSTOMER_API_KEY is not set"):
        KustomerResource().client()
    with pytest.raises(ConfigurationError, match=r"set KUSTOMER_ORG .* KUSTOMER_REGION .* KUSTOMER_BASE_URL"):
        KustomerResource(api_key=KEY).client()
    with pytest.raises(StateError, match=r"set DAGSTER_HOME .* or KUSTOMER_STATE_URL"):
        StateResource().store()


def test_everything_comes_from_the_environment(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("create table t (id text, at text)")
        connection.execute("insert into t values ('007', 'now')")
    resources = resources_from_environment()
    monkeypatch.setenv("WAREHOUSE_URL", f" {sqlite_url}\n")
    monkeypatch.setenv("KUSTOMER_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("KUSTOMER_ORG", "acme")
    monkeypatch.setenv("KUSTOMER_REGION", "")
    monkeypatch.setenv("KUSTOMER_STATE_URL", f"sqlite:///{tmp_path}/state.db")

    def what(warehouse: WarehouseResource, kustomer: KustomerResource, state: StateResource) -> Any:
        with state.store() as store:
            database = store.engine.url.database
        return (
            warehouse.read("select id from t").to_dict("records"),
            warehouse.watermark("t", "at").max_updated_at,
            base_url(kustomer),
            database,
        )

    assert use(resources, what) == (
        [{"id": "007"}],
        "now",
        "https://acme.api.kustomerapp.com",
        f"{tmp_path}/state.db",
    )


def test_another_variable_can_be_named_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_KEY", KEY)
    resources = resources_from_environment() | {
        "kustomer": KustomerResource(api_key=dg.EnvVar("ACME_KEY"), region="eu")
    }
    assert use(resources, lambda _, kustomer, __: base_url(kustomer)) == "https://api.prod2.kustomerapp.com"


def test_the_address_given_in_python_wins_over_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_ORG", "acme")
    assert base_url(KustomerResource(api_key=KEY, base_url="http://127.0.0.1:9")) == "http://127.0.0.1:9"


def test_two_addresses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_ORG", "acme")
    monkeypatch.setenv("KUSTOMER_REGION", "us")
    with pytest.raises(ConfigurationError, match="KUSTOMER_ORG and KUSTOMER_REGION are set"):
        KustomerResource(api_key=KEY).client()


@pytest.mark.parametrize(
    "variable, value",
    [
        ("KUSTOMER_ORG", "acme.kustomerapp.com"),
        ("KUSTOMER_REGION", "uk"),
        ("KUSTOMER_BASE_URL", "acme"),
        ("KUSTOMER_BASE_URL", "http://acme.api.kustomerapp.com"),
    ],
)
def test_an_address_that_cannot_be_right_names_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        KustomerResource(api_key=KEY).client()


def test_a_library_speaks_of_parameters_and_the_user_reads_variables() -> None:
    told = in_variables("`api_key` is empty; rate_reserve has to be below 1, and base_url_for is a function")
    assert told == "KUSTOMER_API_KEY is empty; KUSTOMER_RATE_RESERVE has to be below 1, and base_url_for is a function"


@pytest.mark.parametrize("text, expected", [("1", True), (" 1\n", True), ("", False), ("0", False), ("yes", False)])
def test_values_of_rows_are_shown_only_when_asked_for(
    text: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_SHOW_VALUES", text)
    assert show_values() is expected


@pytest.mark.parametrize("text, expected", [("0.5", 0.5), ("", 0.2), (" 0 ", 0.0)])
def test_the_reserve_is_a_share_with_a_default(text: str, expected: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_RATE_RESERVE", text)
    assert KustomerResource()._rate_reserve() == expected
    assert KustomerResource(rate_reserve=0.3)._rate_reserve() == 0.3


@pytest.mark.parametrize("text", ["20%", "1", "-0.1", "nan"])
def test_a_reserve_that_is_no_share_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_RATE_RESERVE", text)
    with pytest.raises(ConfigurationError, match="KUSTOMER_RATE_RESERVE is"):
        KustomerResource(api_key=KEY, org="acme").client()


def test_state_is_kept_under_dagster_home(dagster_home: Path) -> None:
    with StateResource().store():
        pass
    assert (dagster_home / "kustomer_state.db").is_file()


def test_keys_and_urls_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_API_KEY", KEY)
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://jane:hunter2@host/db")
    shown = repr([KustomerResource(api_key=KEY), WarehouseResource(url="postgresql://jane:hunter2@host/db")])
    assert (KEY in shown, "hunter2" in shown) == (False, False)

    # What Dagster keeps of a project, for the UI to show.
    project = dg.Definitions(resources=resources_from_environment()).get_repository_def()
    kept = dg.serialize_value(RepositorySnap.from_def(project))
    assert "KustomerResource" in kept
    assert (KEY in kept, "hunter2" in kept) == (False, False)


@pytest.mark.parametrize("resource", [WarehouseResource, KustomerResource, StateResource])
def test_every_field_says_what_it_is(resource: type[dg.ConfigurableResource[None]]) -> None:
    assert all(field.description for field in resource.model_fields.values())
