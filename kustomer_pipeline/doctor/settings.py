"""The settings as a run would read them: through the resources, which are the one place that knows the environment.

A setting that cannot be used is a sentence here, not an error: the doctor goes on with the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from kustomer_pipeline import resources
from kustomer_pipeline.kustomer import ConfigurationError, KustomerClient
from kustomer_pipeline.sync import StateError
from kustomer_pipeline.warehouse import WarehouseUrlError


@dataclass(frozen=True)
class Settings:
    """What the environment says. Of each pair one is set: what is used, or the sentence that says why it cannot be."""

    variables: str  # what the names of the org's variables begin with
    client: KustomerClient | None
    client_problem: str | None
    address_variable: str | None
    state_url: str | None
    state_problem: str | None
    state_variable: str
    warehouse_url: str | None
    warehouse_problem: str | None
    dagster_home: str | None


def read_settings(org: str | None = None) -> Settings:
    """Everything that the doctor needs of the environment. `org`: one of several, by its name in the project."""
    variables = resources.KUSTOMER if org is None else f"{resources.KUSTOMER}_{org.upper()}"
    addresses = [f"{variables}_{name.upper()}" for name in resources.ADDRESSES]
    client, client_problem = None, None
    try:
        client = resources.KustomerResource(variables=variables).client()
    except ConfigurationError as error:
        client_problem = str(error)
    state_url, state_problem = None, None
    try:
        state_url = resources.StateResource().address()
    except StateError as error:
        state_problem = str(error)
    warehouse_url, warehouse_problem = None, None
    try:
        warehouse_url = resources.WarehouseResource().address()
    except WarehouseUrlError as error:
        warehouse_problem = str(error)
    return Settings(
        client=client,
        client_problem=client_problem,
        variables=variables,
        address_variable=next((name for name in addresses if _variable(name)), None),
        state_url=state_url,
        state_problem=state_problem,
        state_variable="KUSTOMER_STATE_URL" if _variable("KUSTOMER_STATE_URL") else "DAGSTER_HOME",
        warehouse_url=warehouse_url,
        warehouse_problem=warehouse_problem,
        dagster_home=_variable("DAGSTER_HOME") or None,
    )


def _variable(name: str) -> str:
    return resources.setting("", name)
