"""Frames wait wherever KUSTOMER_FRAMES_URL says: in an object store, over real HTTP, between processes.

The object store is moto's, on this machine. It takes requests as S3 does: s3fs and its client are the real ones.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import dagster as dg
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer
from upath import UPath

from kustomer_pipeline.io_manager import FramesError, ParquetIOManager, ParquetStorage, place_of
from kustomer_pipeline.io_manager.frame_folder import FrameFolder
from kustomer_pipeline.io_manager.place import told
from kustomer_pipeline.resources import FramesResource

SECRET = "secret-of-the-store-91c4"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of an object store."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty bucket; who reads the environment can reach it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    path = UPath("s3://frames")
    if path.fs.exists(path.path):
        path.fs.rm(path.path, recursive=True)
    path.fs.mkdir(path.path)
    return "s3://frames/kustomer sync"


@pytest.fixture
def memory() -> Iterator[str]:
    path = UPath("memory://frames")
    yield str(path)
    if path.fs.exists(path.path):
        path.fs.rm(path.path, recursive=True)


def two_steps() -> dg.JobDefinition:
    """An asset, and one that takes its frame; the second fails while the file `fail` is in DAGSTER_HOME."""

    @dg.asset(key=["kustomer", "customers_mapped"], io_manager_key="kustomer_frames")
    def upstream(context: dg.AssetExecutionContext) -> pd.DataFrame:
        return pd.DataFrame({"run": [context.run.run_id, None]}, dtype="string")

    @dg.asset(ins={"mapped": dg.AssetIn(key=["kustomer", "customers_mapped"])}, io_manager_key="kustomer_frames")
    def downstream(context: dg.AssetExecutionContext, mapped: pd.DataFrame) -> pd.DataFrame:
        assert not (Path(context.instance.root_directory) / "fail").exists()
        return mapped

    return dg.Definitions(
        assets=[upstream, downstream],
        jobs=[dg.define_asset_job("two_steps")],
        resources={"kustomer_frames": FramesResource()},
    ).resolve_job_def("two_steps")


def run(instance: dg.DagsterInstance, *, executor: str, again: str | None = None) -> str:
    """The id of a run; of one that tries another again from where it failed, if that is given."""
    job = dg.reconstructable(two_steps)
    options = dg.ReexecutionOptions.from_failure(again, instance) if again else None
    config: dict[str, Any] = {"execution": {"config": {executor: {}}}}
    with dg.execute_job(job, instance, run_config=config, reexecution_options=options) as result:
        return result.run_id


def frames(url: str, asset: str) -> dict[str, list[str | None]]:
    """What is kept of an asset: run → the values."""
    folder = place_of(url) / asset
    folder.fs.invalidate_cache()
    found = {}
    for name in sorted(folder.fs.ls(folder.path, detail=False)):
        content = io.BytesIO(folder.fs.cat_file(name))
        found[Path(name).stem.partition("-")[2]] = pd.read_parquet(content)["run"].astype(object).tolist()
    return found


def test_each_step_may_run_in_a_process_of_its_own(
    bucket: str, dagster_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_FRAMES_URL", bucket)
    with dg.DagsterInstance.get() as instance:
        run_id = run(instance, executor="multiprocess")
        assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.SUCCESS  # type: ignore[union-attr]
    assert [values[0] for values in frames(bucket, "downstream").values()] == [run_id]
    assert not list((dagster_home / "storage").rglob("*.parquet"))


def test_a_run_that_is_tried_again_from_where_it_failed_gets_the_newest_rows(
    bucket: str, dagster_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of today are never overwritten by those of a failed run of yesterday."""
    monkeypatch.setenv("KUSTOMER_FRAMES_URL", bucket)
    monkeypatch.setenv("KUSTOMER_KEEP_FRAMES", "2")
    fail = dagster_home / "fail"
    with dg.DagsterInstance.get() as instance:
        fail.touch()
        failed = run(instance, executor="in_process")
        fail.unlink()
        assert frames(bucket, "kustomer/customers_mapped").keys() == {failed}
        again = run(instance, executor="in_process", again=failed)
        assert frames(bucket, "downstream")[again][0] == failed  # nobody made newer ones
        newer = run(instance, executor="in_process")
        again = run(instance, executor="in_process", again=failed)
        assert frames(bucket, "downstream")[again][0] == newer


def holds(content: bytes) -> Callable[[BinaryIO], None]:
    """What fills a file with these bytes."""

    def fill(file: BinaryIO) -> None:
        file.write(content)

    return fill


def content_of(folder: FrameFolder, run_id: str | None) -> bytes | None:
    return folder.read(run_id, lambda file: file.read())


@pytest.mark.parametrize("place", ["bucket", "memory"])
def test_old_frames_are_removed_from_a_store_too(place: str, request: pytest.FixtureRequest) -> None:
    folder = FrameFolder(place_of(request.getfixturevalue(place)) / "kustomer" / "customers")
    assert content_of(folder, "a") is None
    for run_id in ("a", "b", "c"):
        folder.write(run_id, holds(run_id.encode()))
    folder.expire(1, goes_on=lambda run_id: run_id == "a")
    assert [content_of(folder, run_id) for run_id in ("a", "b", "c", None)] == [b"a", b"c", b"c", b"c"]
    folder.expire(1, goes_on=lambda _: False)
    assert content_of(folder, "a") == b"c"


def test_a_frame_that_another_run_replaces_while_it_is_read_is_read_anew(
    memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = FrameFolder(place_of(memory) / "customers")
    folder.write("old", holds(b"old"))
    look = FrameFolder._files

    def and_then(self: FrameFolder) -> object:
        found = look(self)
        monkeypatch.setattr(FrameFolder, "_files", look)
        folder.write("new", holds(b"new"))
        folder.expire(1, goes_on=lambda _: False)
        return found

    monkeypatch.setattr(FrameFolder, "_files", and_then)
    assert content_of(folder, "another") == b"new"


def test_a_store_that_refuses_is_told_in_words_of_ours_and_without_its_keys(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = FrameFolder(place_of("s3://no-such-bucket") / "customers")
    with pytest.raises(FramesError, match=r"written to s3://no-such-bucket/customers: there is no such bucket"):
        folder.write("a", holds(b"jane@private.example"))
    folder = FrameFolder(place_of(bucket) / "customers")
    for error, words in (
        (PermissionError(SECRET), "access is denied; list, read, write and delete are needed there"),
        (OSError(5, SECRET), "OSError$"),
    ):

        def refuse(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(folder._folder.fs, "put_file", refuse)
        with pytest.raises(FramesError, match=words) as raised:
            folder.write("a", holds(b"jane@private.example"))
        assert SECRET not in str(raised.value)
        assert raised.value.__cause__ is None


def test_an_error_of_the_client_is_told_by_its_code() -> None:
    class ClientError(Exception):  # as the client of S3 raises it, and s3fs passes it on
        response: ClassVar = {"Error": {"Code": "SlowDown", "Message": SECRET}}

    def refused() -> None:
        raise OSError(5, SECRET) from ClientError()

    with (
        pytest.raises(FramesError, match=r"to nowhere: OSError \(SlowDown\)$"),
        told("Not written to", UPath("nowhere")),
    ):
        refused()


@pytest.mark.parametrize(
    "scheme, package, extra", [("s3", "s3fs", "s3"), ("gs", "gcsfs", "gcs"), ("az", "adlfs", "azure")]
)
def test_a_missing_package_is_named_with_its_pip_line(
    scheme: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("KUSTOMER_FRAMES_URL", f"{scheme}://bucket/prefix")
    with pytest.raises(FramesError) as raised:
        made(FramesResource())
    assert str(raised.value) == (
        f"KUSTOMER_FRAMES_URL begins with {scheme}://, which needs the package {package}: "
        f"pip install 'kustomer-pipeline[{extra}]'"
    )


@pytest.mark.parametrize(
    "url",
    ["ftp://host/folder", "s3://", "s3:///prefix", f"s3://key:{SECRET}@bucket/prefix", f"az://box?sig={SECRET}"],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: True)
    monkeypatch.setenv("KUSTOMER_FRAMES_URL", url)
    with pytest.raises(FramesError, match=r"^KUSTOMER_FRAMES_URL ") as raised:
        made(FramesResource())
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5"])
def test_a_number_of_runs_that_is_none_is_refused(
    number: str, dagster_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_KEEP_FRAMES", number)
    with pytest.raises(FramesError, match=r"^KUSTOMER_KEEP_FRAMES is .*; set it to a number of runs, 1 or more"):
        made(FramesResource())


def test_what_is_said_in_python_comes_before_the_environment(
    tmp_path: Path, dagster_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUSTOMER_FRAMES_URL", "memory://elsewhere")
    monkeypatch.setenv("KUSTOMER_KEEP_FRAMES", "7")
    assert (made(FramesResource())._base, made(FramesResource())._keep) == (UPath("memory://elsewhere"), 7)
    in_python = made(FramesResource(base_dir=str(tmp_path), keep_frames=2))
    assert (in_python._base, in_python._keep) == (UPath(tmp_path), 2)


def made(resource: ParquetStorage) -> ParquetIOManager:
    """The IO manager that a resource makes."""
    return resource.create_io_manager(dg.build_init_resource_context())
