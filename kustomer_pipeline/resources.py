"""What the assets work with: the warehouse, Kustomer, the state, the files in between. Configuration only.

Each resource is a thin factory. A field that is left empty is read from its environment variable when the
resource is used: never while Dagster loads the project, which must work without any key, and never into
Dagster's configuration, which anybody who may open the UI can read. Set but empty counts as not set.

    WAREHOUSE_URL                                          → WarehouseResource → open_engine
    KUSTOMER_API_KEY; KUSTOMER_ORG, _REGION or _BASE_URL   → KustomerResource  → KustomerClient
    KUSTOMER_RATE_RESERVE                                  → KustomerResource  → the share that is left to others
    KUSTOMER_STATE_URL, else DAGSTER_HOME                  → StateResource     → StateStore
    KUSTOMER_UNDO_DAYS                                     → StateResource     → how long it can be undone
    KUSTOMER_KEEP_DAYS                                     → State-, FramesResource → how long log and frames are kept
    KUSTOMER_FRAMES_URL, else DAGSTER_HOME                 → FramesResource    → where the frames wait
    KUSTOMER_KEEP_FRAMES                                   → FramesResource    → of how many runs they are kept
    KUSTOMER_STRICT                                        → whether the syncs load although one does not
    KUSTOMER_EXECUTOR                                      → the executor of every job
    KUSTOMER_DEFS                                          → the folder of the syncs, if it is not the package's
    KUSTOMER_COMPARE                                       → where rows are compared, if a sync does not say so
    KUSTOMER_SHOW_VALUES                                   → whether the UI may show values of rows
    KUSTOMER_DAGSTER_URL                                   → the links of alerts; sent to what `alerts` names
    KUSTOMER_REQUEST_LOG, _DAYS; DAGSTER_HOME              → RequestLog        → a line for each request to Kustomer
    KUSTOMER_OTEL and OpenTelemetry's own                  → OpenTelemetry     → spans and metrics

This is the one module that knows environment variables. The libraries below it speak of their parameters; what they
say is told here in terms of the variables (`in_variables`).
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field
from upath import UPath

from .io_manager import DEFAULT_KEEP, FramesError, ParquetIOManager, ParquetStorage, place_of
from .kustomer import ConfigurationError, KustomerClient, Observer, base_url_for
from .sync import StateError, StateStore
from .telemetry import (
    DEFAULT_LOG_DAYS,
    Observers,
    OpenTelemetry,
    OtelSetupError,
    RequestLog,
    Signals,
    is_used_here,
    set_up,
)
from .warehouse import (
    RunLog,
    WarehouseUrlError,
    Watermark,
    open_engine,
    part_of_query,
    purge_log,
    read_frame,
    table_columns,
    table_uri,
    watermark,
    write_log,
)
from .warehouse.comparison import Comparison

_ENV_FILE = "A file .env is read from the project's folder, which is the one in which Dagster is started"
_DEFAULT_RATE_RESERVE = 0.2
_DEFAULT_UNDO_DAYS = 30
_DEFAULT_KEEP_DAYS = 90
_KEEP_ADVICE = "such as 90; 0 keeps what the newest run wrote, 36500 everything"

EXECUTORS = {"in_process": dg.in_process_executor, "multiprocess": dg.multiprocess_executor}

# Where the org may be said to be, as parameter and as variable, with an example of each.
ADDRESSES = ("org", "region", "base_url")
_ADDRESS_ADVICE = (
    "{0}_ORG (acme, if you sign in at acme.kustomerapp.com), {0}_REGION (us, eu or in) "
    "or {0}_BASE_URL (https://acme.api.kustomerapp.com)"
)
# Parameters of the libraries that no other word of a sentence could be taken for.
OF_THE_ORG = ("api_key", "org", "region", "base_url", "rate_reserve")  # what is read for each org
_UNMISTAKABLE = ("api_key", "base_url", "rate_reserve")
_VARIABLE_OF = {
    "undo_days": "KUSTOMER_UNDO_DAYS",
    "keep_days": "KUSTOMER_KEEP_DAYS",
    "base_dir": "KUSTOMER_FRAMES_URL",
    "keep_frames": "KUSTOMER_KEEP_FRAMES",
}
_PARAMETER = re.compile(rf"`(region)`|`?\b({'|'.join([*_UNMISTAKABLE, *_VARIABLE_OF])})\b`?")
KUSTOMER = "KUSTOMER"


def in_variables(text: str, prefix: str = KUSTOMER) -> str:
    """What a library says of its parameters, in the names of the environment variables that set them.

    prefix: what the variables of the org begin with, where a project has several orgs: KUSTOMER_EU.
    """

    def variable(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return _VARIABLE_OF.get(name, f"{prefix}_{name.upper()}")

    return _PARAMETER.sub(variable, text)


def show_values() -> bool:
    """Whether values of rows may be shown: off, because the event log is read by many and kept for long."""
    return _VALUES_SHOWN.get() or setting("", "KUSTOMER_SHOW_VALUES") == "1"


_VALUES_SHOWN: ContextVar[bool] = ContextVar("values_shown", default=False)


@contextmanager
def showing_values(show: bool = True) -> Iterator[None]:
    """For the body, values of rows are shown as with KUSTOMER_SHOW_VALUES=1; with False, as the environment says."""
    before = _VALUES_SHOWN.set(show)
    try:
        yield
    finally:
        _VALUES_SHOWN.reset(before)


class AlertUrlError(ValueError):
    """A channel of `alerts` without an address. Names the variable to set."""


def alert_url(variable: str) -> str:
    """The apprise URL in a variable that `alerts` names: a secret. Raises AlertUrlError, which names the variable."""
    url = setting("", variable)
    if not url:
        raise AlertUrlError(f"{variable} is not set: set it to the apprise URL of the channel, such as slack://…")
    return url


def dagster_home() -> str | None:
    """Where Dagster keeps its things; None where it is not set."""
    return setting("", "DAGSTER_HOME") or None


def dagster_url() -> str | None:
    """Where people open the Dagster UI, without a slash at the end; None when nobody has said."""
    return setting("", "KUSTOMER_DAGSTER_URL").rstrip("/") or None


def observer_from_environment() -> Observer | None:
    """Who hears of the requests to Kustomer (None as a rule). Raises ConfigurationError, which names the variable."""
    observers: list[Observer] = []
    if folder := request_log_folder():
        observers.append(RequestLog(folder, _request_log_days()))
    if _otel():
        observers.append(OpenTelemetry())
    return Observers(observers) if observers else None


def request_log_folder() -> Path | None:
    """Where the request log is kept; None where it is off. Raises ConfigurationError, which names the variable."""
    place = setting("", "KUSTOMER_REQUEST_LOG")
    if place in ("", "0"):
        return None
    folder = Path(place).expanduser()
    if folder.is_absolute():
        return folder
    if place != "1":
        raise ConfigurationError(
            f"KUSTOMER_REQUEST_LOG is {place!r}; set it to 1, or to the full path of the folder to keep the log in"
        )
    usual = usual_request_log_folder()
    if usual is None:
        raise ConfigurationError(
            "There is no place for the request log: set DAGSTER_HOME (its folder kustomer_requests is used then), or "
            "KUSTOMER_REQUEST_LOG to the full path of a folder"
        )
    return usual


def usual_request_log_folder() -> Path | None:
    """Where the request log is unless another place is set; None without a DAGSTER_HOME."""
    home = setting("", "DAGSTER_HOME")
    return Path(home).expanduser().absolute() / "kustomer_requests" if home else None


def _request_log_days() -> int:
    text = setting("", "KUSTOMER_REQUEST_LOG_DAYS")
    if text and not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise ConfigurationError(f"KUSTOMER_REQUEST_LOG_DAYS is {text!r}; set it to a number of days, such as 7")
    return int(text) if text else DEFAULT_LOG_DAYS


def _otel() -> bool:
    """Whether spans and metrics are made; with KUSTOMER_OTEL=1 they are also sent, as OpenTelemetry's variables say."""
    wish = setting("", "KUSTOMER_OTEL")
    if wish not in ("", "0", "1"):
        raise ConfigurationError(
            f"KUSTOMER_OTEL is {wish!r}; set it to 1 to send spans and metrics where the OTEL_ variables say, or to 0"
        )
    if wish == "1":
        protocol = setting("", "OTEL_EXPORTER_OTLP_PROTOCOL") or Signals.protocol
        try:
            set_up(Signals(_sent_over_otlp("OTEL_TRACES_EXPORTER"), _sent_over_otlp("OTEL_METRICS_EXPORTER"), protocol))
        except OtelSetupError as error:
            text = str(error).replace("protocol is", "OTEL_EXPORTER_OTLP_PROTOCOL is")
            raise ConfigurationError(f"KUSTOMER_OTEL is 1, and cannot be done. {text}") from None
    return wish == "1" or (not wish and is_used_here())


def _sent_over_otlp(variable: str) -> bool:
    exporter = setting("", variable)
    if exporter not in ("", "otlp", "none"):
        raise ConfigurationError(
            f"{variable} is {exporter!r}; with KUSTOMER_OTEL=1 it may be otlp (the default) or none. For other "
            "exporters leave KUSTOMER_OTEL unset, and start Dagster by opentelemetry-instrument"
        )
    return exporter != "none"


def warehouse_uri(table: str) -> str | None:
    """Where a table of the warehouse is, as far as WAREHOUSE_URL tells while the project loads."""
    url = setting("", "WAREHOUSE_URL")
    return table_uri(url, table) if url else None


def compare_in_warehouse() -> bool:
    """Where syncs that do not say so are compared. Raises DagsterInvalidDefinitionError, which names the variable."""
    place = setting("", "KUSTOMER_COMPARE") or "embedded"
    if place not in ("embedded", "in_warehouse"):
        raise dg.DagsterInvalidDefinitionError(
            f"KUSTOMER_COMPARE is {place!r}; use embedded (the default) or in_warehouse"
        )
    return place == "in_warehouse"


def defs_folder() -> Path | None:
    """Where the syncs of a clone are; None: in the package's own folder."""
    folder = setting("", "KUSTOMER_DEFS")
    return Path(folder).expanduser() if folder else None


def refuses_broken_syncs() -> bool:
    """Whether one sync that does not load keeps the whole project from loading: for CI."""
    return setting("", "KUSTOMER_STRICT") == "1"


def executor_from_environment() -> dg.ExecutorDefinition:
    """How the steps of a job are run. Raises DagsterInvalidDefinitionError, which names the variable."""
    name = setting("", "KUSTOMER_EXECUTOR") or "in_process"
    if name not in EXECUTORS:
        raise dg.DagsterInvalidDefinitionError(
            f"KUSTOMER_EXECUTOR is {name!r}; use in_process (the default) or multiprocess"
        )
    return EXECUTORS[name]


def resources_from_environment(orgs: Sequence[str] = ()) -> dict[str, Any]:
    """The resources of `Definitions`, everything from the environment; nothing is read yet.

    orgs: for several orgs, a name for each; the resource of `eu` is `kustomer_eu`, its key is in KUSTOMER_EU_API_KEY.
    """
    several = {f"kustomer_{org}": KustomerResource(variables=f"{KUSTOMER}_{org.upper()}") for org in orgs}
    return {
        "warehouse": WarehouseResource(),
        **(several or {"kustomer": KustomerResource()}),
        "state": StateResource(),
        "kustomer_frames": FramesResource(),
    }


class WarehouseResource(dg.ConfigurableResource[None]):
    """The warehouse that the queries run in. Read only, but for the log of syncs that ask for it (`log_to`)."""

    url: str = Field(
        default="",
        repr=False,
        description="SQLAlchemy URL, such as postgresql://user:password@host/database. Empty: the "
        "environment variable WAREHOUSE_URL.",
    )

    def read(self, sql: str) -> pd.DataFrame:
        """The rows of a query. Raises WarehouseError."""
        return read_frame(open_engine(self.address()), sql)

    def read_part(self, sql: str, key: Sequence[str], number: int, of: int) -> pd.DataFrame:
        """The rows of one part of a query, chosen by the columns of their key. Raises WarehouseError."""
        engine = open_engine(self.address())
        return read_frame(engine, part_of_query(engine, sql, key, number, of))

    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table, with the Python type of their values. Raises WarehouseError."""
        return table_columns(open_engine(self.address()), table)

    def watermark(self, table: str, updated_at: str) -> Watermark:
        """How far a table has come. Raises WarehouseError."""
        return watermark(open_engine(self.address()), table, updated_at)

    def comparison(self, schema: str, org_id: str, sync: str) -> Comparison:
        """The comparison of a sync's rows in the warehouse. Raises WarehouseError."""
        return Comparison(open_engine(self.address()), schema, org_id, sync)

    def log(self, schema: str, run: RunLog, before: datetime) -> None:
        """Write what became of the rows of a run to the tables of a schema, and remove from them what is older.

        Raises WarehouseError.
        """
        engine = open_engine(self.address())
        write_log(engine, schema, run)
        purge_log(engine, schema, run.org_id, before)

    def address(self) -> str:
        """The URL, wherever it is set. Raises WarehouseUrlError."""
        url = setting(self.url, "WAREHOUSE_URL")
        if not url:
            raise WarehouseUrlError(
                "WAREHOUSE_URL is not set: set it to the warehouse's SQLAlchemy URL, such as "
                f"postgresql://user:password@host/database or sqlite:////path/to/file.db. {_ENV_FILE}"
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

    variables: str = Field(
        default=KUSTOMER,
        description="What the names of the environment variables begin with: KUSTOMER, or KUSTOMER_EU where there "
        "are several orgs.",
    )

    def client(self, *, max_attempts: int = 6) -> KustomerClient:
        """A client, to be used in a `with`. Raises ConfigurationError, which names the variable to set."""
        api_key = self._setting("api_key")
        if not api_key:
            raise ConfigurationError(
                f"{self.variables}_API_KEY is not set: make a key in Kustomer (Settings > Security > API Keys). "
                f"{_ENV_FILE}"
            )
        rate_reserve = self._rate_reserve()
        observer = observer_from_environment()
        try:
            return KustomerClient(
                base_url=self._base_url(),
                api_key=api_key,
                rate_reserve=rate_reserve,
                observer=observer,
                max_attempts=max_attempts,
            )
        except ConfigurationError as error:
            raise ConfigurationError(in_variables(str(error), self.variables)) from None

    def _base_url(self) -> str:
        """The one address that is given: in Python, else in the environment."""
        in_python = {name: getattr(self, name).strip() for name in ADDRESSES}
        if any(in_python.values()):
            return self._address(in_python, {name: name for name in ADDRESSES})
        called = {name: self._variable(name) for name in ADDRESSES}
        return self._address({name: self._setting(name) for name in ADDRESSES}, called)

    def _address(self, given: dict[str, str], called: dict[str, str]) -> str:
        """The address of the API, from the one that is given of org, region and base_url; `called`: their names."""
        names = [name for name, value in given.items() if value]
        advice = _ADDRESS_ADVICE.format(self.variables)
        if not names:
            raise ConfigurationError(f"Which Kustomer to talk to is not set: set {advice}. {_ENV_FILE}")
        if len(names) > 1:
            both = " and ".join(called[name] for name in names)
            raise ConfigurationError(f"{both} are set: set only one of {advice}")
        [name] = names
        try:
            return base_url_for(**{name: given[name]})
        except ConfigurationError as error:
            # The library's sentence is about its parameter; which variable that is comes first.
            text = str(error)
            known = called[name] in text
            raise ConfigurationError(text if known else f"{called[name]} cannot be used: {text}") from None

    def _rate_reserve(self) -> float:
        if self.rate_reserve is not None:
            return self.rate_reserve
        text = self._setting("rate_reserve") or setting("", "KUSTOMER_RATE_RESERVE")
        try:
            share = float(text) if text else _DEFAULT_RATE_RESERVE
        except ValueError:
            share = -1.0
        if not 0 <= share < 1:
            raise ConfigurationError(
                f"{self._variable('rate_reserve')} is {text!r}; set it to a share from 0 to below 1, such as 0.2"
            )
        return share

    def _setting(self, name: str) -> str:
        given = getattr(self, name)
        return setting(given if isinstance(given, str) else "", self._variable(name))

    def _variable(self, name: str) -> str:
        return f"{self.variables}_{name.upper()}"


class StateResource(dg.ConfigurableResource[None]):
    """What the syncs remember between runs: what was sent, who was tagged, which bulk jobs are in flight."""

    url: str = Field(
        default="",
        repr=False,
        description="SQLAlchemy URL, SQLite or PostgreSQL. Empty: the environment variable "
        "KUSTOMER_STATE_URL, else the file kustomer_state.db under DAGSTER_HOME.",
    )
    undo_days: int | None = Field(
        default=None,
        description="For so many days the values that a run overwrote are kept, so that it can be undone; 0 keeps "
        f"nothing. None: KUSTOMER_UNDO_DAYS, else {_DEFAULT_UNDO_DAYS}.",
    )

    keep_days: int | None = Field(
        default=None,
        description="For so many days the log, the runs and what was overwritten are kept; 0 keeps what the newest run "
        f"wrote. None: KUSTOMER_KEEP_DAYS, else {_DEFAULT_KEEP_DAYS}.",
    )

    def store(self) -> StateStore:
        """The state, to be used in a `with`. Raises StateError."""
        return StateStore.open(self.address())

    def days_to_undo(self) -> int:
        """For how many days the values that runs overwrite are kept. Raises StateError."""
        days, text = _days(self.undo_days, "KUSTOMER_UNDO_DAYS", _DEFAULT_UNDO_DAYS)
        if days is None:
            raise StateError(
                f"KUSTOMER_UNDO_DAYS is {text!r}; set it to a number of days, such as 30, or to 0 to keep nothing"
            )
        return days

    def days_to_keep(self) -> int:
        """For how many days the log, the runs and, at most, those values are kept. Raises StateError."""
        days, text = _days(self.keep_days, "KUSTOMER_KEEP_DAYS", _DEFAULT_KEEP_DAYS)
        if days is None:
            raise StateError(f"KUSTOMER_KEEP_DAYS is {text!r}; set it to a number of days, {_KEEP_ADVICE}")
        return days

    def address(self) -> str:
        """The URL, wherever it is set. Raises StateError."""
        if url := setting(self.url, "KUSTOMER_STATE_URL"):
            return url
        home = setting("", "DAGSTER_HOME")
        if not home:
            # Not a temporary folder: whose tags are ours, and which jobs are in flight, would be forgotten.
            raise StateError(
                "There is no place to remember what was sent: set DAGSTER_HOME (its file kustomer_state.db "
                "is used then) or KUSTOMER_STATE_URL"
            )
        return f"sqlite:///{Path(home).expanduser().absolute() / 'kustomer_state.db'}"


def _days(given: int | None, variable: str, default: int) -> tuple[int | None, str]:
    """A number of days as it is given, or set, and how it is written; None where that is no number of days."""
    text = str(given) if given is not None else setting("", variable)
    if not text:
        return default, text
    return (int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None), text


class FramesResource(ParquetStorage):
    """Where the frames wait between two assets, and for how long they are kept; what is not given: the environment."""

    keep_frames: int | None = Field(  # type: ignore[assignment]  # None, where ParquetStorage needs a number
        default=None,
        description="Of so many runs the frames of an asset are kept, the newest; those of a run that goes on besides. "
        f"None: KUSTOMER_KEEP_FRAMES, else {DEFAULT_KEEP}.",
    )
    keep_days: int | None = Field(
        default=None,
        description="Frames that are older are removed, also of assets that are no longer made. None: "
        f"KUSTOMER_KEEP_DAYS, else {_DEFAULT_KEEP_DAYS}.",
    )

    def place(self, instance: dg.DagsterInstance) -> UPath:
        """Where the frames are. Raises FramesError, which names the variable to set."""
        try:
            return place_of(setting(self.base_dir, "KUSTOMER_FRAMES_URL") or instance.storage_directory())
        except FramesError as error:
            raise FramesError(in_variables(str(error))) from None

    def create_io_manager(self, context: dg.InitResourceContext) -> ParquetIOManager:
        """The IO manager on that place. Raises FramesError, which names the variable to set."""
        place = setting(self.base_dir, "KUSTOMER_FRAMES_URL")
        try:
            storage = ParquetStorage(base_dir=place, keep_frames=self._keep(), keep_days=self._days_to_keep())
            return storage.create_io_manager(context)
        except FramesError as error:
            raise FramesError(in_variables(str(error))) from None

    def _days_to_keep(self) -> int:
        days, text = _days(self.keep_days, "KUSTOMER_KEEP_DAYS", _DEFAULT_KEEP_DAYS)
        if days is None:
            raise FramesError(f"keep_days is {text!r}; set it to a number of days, {_KEEP_ADVICE}")
        return days

    def _keep(self) -> int:
        text = str(self.keep_frames) if self.keep_frames is not None else setting("", "KUSTOMER_KEEP_FRAMES")
        if text and not (text.isascii() and text.isdigit() and len(text) <= 5):
            raise FramesError(f"keep_frames is {text!r}; set it to a number of runs, 1 or more")
        return int(text) if text else DEFAULT_KEEP


def setting(value: str, variable: str) -> str:
    """The value, else the environment variable, without the white space that comes with pasting."""
    return value.strip() or os.environ.get(variable, "").strip()
