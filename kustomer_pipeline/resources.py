"""What the assets work with: the warehouse, Kustomer, the state, the files in between. Configuration only.

Each resource is a thin factory. A field that is left empty is read from its environment variable when the
resource is used: never while Dagster loads the project, which must work without any key, and never into
Dagster's configuration, which anybody who may open the UI can read. Set but empty counts as not set.

    WAREHOUSE_URL                                          → WarehouseResource → open_engine
    KUSTOMER_API_KEY; KUSTOMER_ORG, _REGION or _BASE_URL   → KustomerResource  → KustomerClient
    KUSTOMER_STATE_URL, else DAGSTER_HOME                  → StateResource     → StateStore
"""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field

from .io_manager import ParquetStorage
from .kustomer import ConfigurationError, KustomerClient, base_url_for
from .sync.state import StateError, StateStore
from .warehouse import WarehouseUrlError, Watermark, open_engine, read_frame, watermark

_DEFAULT_RATE_RESERVE = 0.2


def resources_from_environment() -> dict[str, Any]:
    """The resources of `Definitions`, everything from the environment; nothing is read yet."""
    return {
        "warehouse": WarehouseResource(),
        "kustomer": KustomerResource(),
        "state": StateResource(),
        "io_manager": ParquetStorage(),
    }


class WarehouseResource(dg.ConfigurableResource[None]):
    """The warehouse that the queries run in. Read only."""

    url: str = Field(
        default="",
        repr=False,
        description="SQLAlchemy URL, such as postgresql://user:password@host/database. Empty: the "
        "environment variable WAREHOUSE_URL.",
    )

    def read(self, sql: str) -> pd.DataFrame:
        """The rows of a query. Raises WarehouseError."""
        return read_frame(open_engine(self._url()), sql)

    def watermark(self, table: str, updated_at: str) -> Watermark:
        """How far a table has come. Raises WarehouseError."""
        return watermark(open_engine(self._url()), table, updated_at)

    def _url(self) -> str:
        url = _setting(self.url, "WAREHOUSE_URL")
        if not url:
            raise WarehouseUrlError(
                "WAREHOUSE_URL is not set: set it to the warehouse's SQLAlchemy URL, such as "
                "postgresql://user:password@host/database or sqlite:////path/to/file.db"
            )
        return url


class KustomerResource(dg.ConfigurableResource[None]):
    """The Kustomer org that is written to. Exactly one of org, region and base_url says where it is."""

    api_key: str = Field(
        default="",
        repr=False,
        description="API key of the org. Empty: the environment variable KUSTOMER_API_KEY. In Python pass "
        'dg.EnvVar("…"), not the key itself: Dagster shows the configuration in the UI.',
    )
    org: str = Field(
        default="",
        description="Name of the org: acme, if people sign in at acme.kustomerapp.com. With region and "
        "base_url empty too: the environment variable KUSTOMER_ORG.",
    )
    region: str = Field(
        default="",
        description="Where the org lives, us, eu or in, instead of its name. Empty: KUSTOMER_REGION.",
    )
    base_url: str = Field(
        default="",
        description="Address of the API without /v1, such as https://acme.api.kustomerapp.com, instead "
        "of name or region. Plain http on this machine only. Empty: KUSTOMER_BASE_URL.",
    )
    rate_reserve: float | None = Field(
        default=None,
        description="Share of the org's request budget that is left to others, from 0 to below 1. None: "
        f"KUSTOMER_RATE_RESERVE, else {_DEFAULT_RATE_RESERVE}.",
    )

    def client(self) -> KustomerClient:
        """A client, to be used in a `with`. Raises ConfigurationError, which names the variable to set."""
        api_key = _setting(self.api_key, "KUSTOMER_API_KEY")
        if not api_key:
            raise ConfigurationError(
                "KUSTOMER_API_KEY is not set: make a key in Kustomer (Settings > Security > API Keys)"
            )
        return KustomerClient(base_url=self._base_url(), api_key=api_key, rate_reserve=self._rate_reserve())

    def _base_url(self) -> str:
        if any(field.strip() for field in (self.org, self.region, self.base_url)):
            return base_url_for(org=self.org, region=self.region, base_url=self.base_url)
        return base_url_for(
            org=_setting("", "KUSTOMER_ORG"),
            region=_setting("", "KUSTOMER_REGION"),
            base_url=_setting("", "KUSTOMER_BASE_URL"),
        )

    def _rate_reserve(self) -> float:
        if self.rate_reserve is not None:
            return self.rate_reserve
        text = _setting("", "KUSTOMER_RATE_RESERVE")
        try:
            return float(text) if text else _DEFAULT_RATE_RESERVE
        except ValueError:
            raise ConfigurationError(
                f"KUSTOMER_RATE_RESERVE is {text!r}; set it to a share from 0 to below 1, such as 0.2"
            ) from None


class StateResource(dg.ConfigurableResource[None]):
    """What the syncs remember between runs: what was sent, who was tagged, which bulk jobs are in flight."""

    url: str = Field(
        default="",
        repr=False,
        description="SQLAlchemy URL, SQLite or PostgreSQL. Empty: the environment variable "
        "KUSTOMER_STATE_URL, else the file kustomer_state.db under DAGSTER_HOME.",
    )

    def store(self) -> StateStore:
        """The state, to be used in a `with`. Raises StateError."""
        return StateStore.open(self._url())

    def _url(self) -> str:
        if url := _setting(self.url, "KUSTOMER_STATE_URL"):
            return url
        home = _setting("", "DAGSTER_HOME")
        if not home:
            # Not a temporary folder: whose tags are ours, and which jobs are in flight, would be forgotten.
            raise StateError(
                "There is no place to remember what was sent: set DAGSTER_HOME (its file kustomer_state.db "
                "is used then) or KUSTOMER_STATE_URL"
            )
        return f"sqlite:///{Path(home).expanduser().absolute() / 'kustomer_state.db'}"


def _setting(value: str, variable: str) -> str:
    """The value, else the environment variable, without the white space that comes with pasting."""
    return value.strip() or os.environ.get(variable, "").strip()
