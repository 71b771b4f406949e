"""Frames survive the way from one asset to the next, are found by run, and do not stay for ever."""

import errno
import gc
import stat
import tracemalloc
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from kustomer_pipeline.io_manager import FramesError, ParquetStorage
from kustomer_pipeline.io_manager.storage import _read, _write

FRAME = pd.DataFrame(
    {
        "_key": pd.array(["007", "", None], dtype="string"),
        "seats": pd.array([2**62 + 1, None, 0], dtype="Int64"),
        "ltv": pd.array([0.1, None, 7.0], dtype="Float64"),
        "subscribed": pd.array([True, None, False], dtype="boolean"),
        "naive": pd.Series([datetime(1, 1, 1), None, datetime(9999, 12, 31)], dtype="datetime64[us]"),
        "moment": pd.Series([datetime(2024, 5, 1, tzinfo=UTC), None, None], dtype="datetime64[us, UTC]"),
        "kustomer_id": pd.array([None, None, None], dtype="string"),
    }
)
KEY = dg.AssetKey(["kustomer", "customers_mapped"])


def write(frame: object, instance: dg.DagsterInstance, storage: ParquetStorage) -> str:
    """Store a value in a run; the run's id."""

    @dg.asset(key=KEY)
    def upstream() -> object:
        return frame

    return dg.materialize([upstream], resources={"io_manager": storage}, instance=instance).run_id


def read(instance: dg.DagsterInstance, storage: ParquetStorage) -> pd.DataFrame:
    """What the next asset gets in a run of its own, as a plan does that is made from yesterday's rows."""
    received = []

    @dg.asset(ins={"mapped": dg.AssetIn(key=KEY)})
    def downstream(mapped: pd.DataFrame) -> None:
        received.append(mapped)

    source = dg.AssetSpec(KEY, metadata={"dagster/io_manager_key": "io_manager"})
    dg.materialize(
        [source, downstream], resources={"io_manager": storage}, instance=instance, selection=[downstream.key]
    )
    return received[0]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def numbers(count: int) -> pd.DataFrame:
    return pd.DataFrame({"n": [count]})


@pytest.mark.parametrize("frame", [FRAME, FRAME.iloc[:0]], ids=["rows", "no rows"])
def test_a_frame_comes_out_as_it_went_in(dagster_home: Path, frame: pd.DataFrame) -> None:
    with dg.DagsterInstance.get() as instance:
        run_id = write(frame, instance, ParquetStorage())
        assert_frame_equal(read(instance, ParquetStorage()), frame)
    assert files(dagster_home / "storage" / "kustomer" / "customers_mapped") == [f"00000001-{run_id}.parquet"]


def test_the_folder_can_be_chosen(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        write(FRAME, instance, ParquetStorage(base_dir=str(tmp_path / "frames")))
    assert len(files(tmp_path / "frames" / "kustomer" / "customers_mapped")) == 1


def test_only_the_newest_is_kept_unless_said_otherwise(tmp_path: Path) -> None:
    storage = ParquetStorage(base_dir=str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [write(numbers(n), instance, storage) for n in range(3)]
        assert files(tmp_path / "kustomer" / "customers_mapped") == [f"00000003-{runs[2]}.parquet"]
        assert read(instance, storage)["n"].tolist() == [2]


def test_so_many_runs_are_kept_and_the_newest_is_what_the_next_asset_gets(tmp_path: Path) -> None:
    storage = ParquetStorage(base_dir=str(tmp_path), keep_frames=2)
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [write(numbers(n), instance, storage) for n in range(4)]
        kept = [f"00000003-{runs[2]}.parquet", f"00000004-{runs[3]}.parquet"]
        assert files(tmp_path / "kustomer" / "customers_mapped") == kept
        assert read(instance, storage)["n"].tolist() == [3]


def test_two_runs_at_the_same_time_each_read_their_own(tmp_path: Path) -> None:
    """Another run writes, and cleans up, between two assets of this one."""
    storage = ParquetStorage(base_dir=str(tmp_path))
    between: list[Callable[[], object]] = []
    seen = []

    @dg.asset(key=KEY)
    def upstream() -> pd.DataFrame:
        return numbers(1)

    @dg.asset(deps=[upstream])
    def meanwhile() -> None:
        between[0]()

    @dg.asset(ins={"mapped": dg.AssetIn(key=KEY)}, deps=[meanwhile])
    def downstream(mapped: pd.DataFrame) -> None:
        seen.extend(mapped["n"].tolist())

    with dg.DagsterInstance.ephemeral() as instance:
        between.append(lambda: write(numbers(2), instance, storage))
        resources = {"io_manager": storage}
        dg.materialize([upstream, meanwhile, downstream], resources=resources, instance=instance)
        assert seen == [1]
        assert len(files(tmp_path / "kustomer" / "customers_mapped")) == 2  # its run went on
        last = write(numbers(3), instance, storage)
    assert files(tmp_path / "kustomer" / "customers_mapped") == [f"00000003-{last}.parquet"]


def test_a_write_that_fails_leaves_the_old_frame_and_nothing_else(tmp_path: Path) -> None:
    broken = pd.DataFrame({"mixed": [1, "two"]})
    storage = ParquetStorage(base_dir=str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        write(FRAME, instance, storage)
        with pytest.raises(TypeError, match="mixed"):
            write(broken, instance, storage)
        assert_frame_equal(read(instance, storage), FRAME)
    assert len(files(tmp_path / "kustomer" / "customers_mapped")) == 1


def test_a_full_disk_is_told_and_leaves_the_old_frame_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(frame: pd.DataFrame, file: BinaryIO) -> None:
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device", "00000002.parquet.part")

    storage = ParquetStorage(base_dir=str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        write(FRAME, instance, storage)
        with monkeypatch.context() as patch:
            patch.setattr("kustomer_pipeline.io_manager.storage._write", full)
            with pytest.raises(FramesError, match=r"cannot be written to .*: No space left on device"):
                write(numbers(2), instance, storage)
        assert_frame_equal(read(instance, storage), FRAME)
    assert len(files(tmp_path / "kustomer" / "customers_mapped")) == 1


def test_only_its_owner_may_read_a_frame(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        write(FRAME, instance, ParquetStorage(base_dir=str(tmp_path)))
    [path] = (tmp_path / "kustomer" / "customers_mapped").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_frame_is_written_in_parts_and_never_in_memory_as_a_file(tmp_path: Path) -> None:
    """Parquet of random numbers is as large as they are: as a whole it would show in Python's memory, or in Arrow's."""
    numbers_at_random = np.random.default_rng(7).integers(0, 2**62, (400_000, 5))
    frame = pd.DataFrame(numbers_at_random, columns=list("abcde"))
    usual = pa.default_memory_pool()
    taken = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(taken)
    tracemalloc.start()
    try:
        with open(tmp_path / "frame.parquet", "wb") as file:
            _write(frame, file)
        of_python = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(usual)
    size = (tmp_path / "frame.parquet").stat().st_size
    assert size > 15_000_000
    assert of_python + (taken.max_memory() or 0) < size / 2
    assert pq.ParquetFile(tmp_path / "frame.parquet").num_row_groups == 7


def test_text_comes_out_in_one_piece_so_that_some_rows_of_it_are_taken_without_a_copy_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kustomer_pipeline.io_manager.storage._ROW_GROUP", 2)
    texts = {"nullable": pd.array(["a", None, "", "ü", "b"], dtype="string"), "plain": ["a", None, "", "ü", "b"]}
    frame = pd.DataFrame({**texts, "kind": pd.Categorical(["x", "y", "x", None, "y"]), "n": range(5)})
    storage = ParquetStorage(base_dir=str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        write(frame, instance, storage)
        found = read(instance, storage)
    [path] = (tmp_path / "kustomer" / "customers_mapped").iterdir()
    assert pq.ParquetFile(path).num_row_groups == 3
    assert [isinstance(pa.array(found[name]), pa.ChunkedArray) for name in texts] == [False, False]
    assert_frame_equal(found, frame)


@pytest.mark.parametrize("large", [True, False])
def test_before_a_large_frame_is_read_one_that_was_left_in_a_circle_is_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, large: bool
) -> None:
    """Dagster's event log leaves one: see storage.py. For a small frame it would cost more time than it is worth."""
    path = tmp_path / "frame.parquet"
    with path.open("wb") as file:
        _write(FRAME, file)
    if large:
        monkeypatch.setattr("kustomer_pipeline.io_manager.storage._LARGE", path.stat().st_size - 1)
    gc.disable()
    try:
        left = numbers(1)
        circle: list[object] = [left]
        circle.append(circle)
        is_there = weakref.ref(left)
        del left, circle
        with path.open("rb") as file:
            assert_frame_equal(_read(file), FRAME)
        assert (is_there() is None) == large
    finally:
        gc.enable()


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "kustomer" / "customers_mapped"
    folder.mkdir(parents=True)
    (folder / "00000001-0f0e.parquet.part").write_bytes(b"half of it")
    storage = ParquetStorage(base_dir=str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = write(FRAME, instance, storage)
    assert files(folder) == [f"00000001-{run_id}.parquet"]


def test_the_file_of_an_earlier_version_is_removed_and_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "kustomer"
    folder.mkdir()
    for name in ("customers_mapped.parquet", "customers.parquet", "notes.txt"):
        (folder / name).write_bytes(b"not ours to judge")
    with dg.DagsterInstance.ephemeral() as instance:
        write(FRAME, instance, ParquetStorage(base_dir=str(tmp_path)))
    assert files(folder) == ["customers.parquet", "customers_mapped", "notes.txt"]


def test_no_name_of_an_asset_leads_out_of_the_folder(tmp_path: Path) -> None:
    @dg.multi_asset(outs={"out": dg.AssetOut(key=["..", "outside", "a/b"])})
    def upstream() -> pd.DataFrame:
        return FRAME

    with dg.DagsterInstance.ephemeral() as instance:
        storage = ParquetStorage(base_dir=str(tmp_path / "frames"))
        dg.materialize([upstream], resources={"io_manager": storage}, instance=instance)
    assert files(tmp_path) == ["frames"]
    assert files(tmp_path / "frames" / "%2E%2E" / "outside") == ["a%2Fb"]


def test_each_partition_has_its_own_frames(tmp_path: Path) -> None:
    parts = dg.StaticPartitionsDefinition(["a", "b/c"])
    seen: dict[str, list[str]] = {}

    @dg.asset(partitions_def=parts)
    def parted(context: dg.AssetExecutionContext) -> pd.DataFrame:
        return pd.DataFrame({"of": [context.partition_key]})

    @dg.asset(partitions_def=parts)
    def next_of_parted(context: dg.AssetExecutionContext, parted: pd.DataFrame) -> None:
        seen[context.partition_key] = parted["of"].tolist()

    @dg.asset
    def whole(parted: pd.DataFrame) -> None:
        seen["whole"] = parted["of"].tolist()

    storage = {"io_manager": ParquetStorage(base_dir=str(tmp_path))}
    with dg.DagsterInstance.ephemeral() as instance:
        for key in [*parts.get_partition_keys()] * 2:
            dg.materialize([parted], resources=storage, instance=instance, partition_key=key)
        for key in parts.get_partition_keys():
            both = [parted, next_of_parted]
            dg.materialize(both, resources=storage, instance=instance, partition_key=key, selection=[next_of_parted])
        dg.materialize([parted, whole], resources=storage, instance=instance, selection=[whole])
        empty = {"io_manager": ParquetStorage(base_dir=str(tmp_path / "elsewhere"))}
        with pytest.raises(FileNotFoundError, match="The asset parted, partition a, holds no rows"):
            dg.materialize([parted, whole], resources=empty, instance=instance, selection=[whole])
    assert seen == {"a": ["a"], "b/c": ["b/c"], "whole": ["a", "b/c"]}
    assert {len(files(tmp_path / "parted" / name)) for name in ("a", "b%2Fc")} == {1}


def test_a_damaged_file_is_named_by_its_asset(tmp_path: Path) -> None:
    storage = ParquetStorage(base_dir=str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        write(FRAME, instance, storage)
        [path] = (tmp_path / "kustomer" / "customers_mapped").iterdir()
        path.write_bytes(b"jane@private.example")
        with pytest.raises(FramesError, match="The frame of the asset kustomer/customers_mapped is damaged") as told:
            read(instance, storage)
    assert "private" not in str(told.value)


def test_something_else_than_a_frame_is_refused(tmp_path: Path) -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(TypeError, match="Only a DataFrame can be kept as Parquet, not a list"),
    ):
        write([1], instance, ParquetStorage(base_dir=str(tmp_path)))


def test_an_asset_that_has_not_been_materialized_is_named(tmp_path: Path) -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(FileNotFoundError, match="The asset kustomer/customers_mapped holds no rows yet"),
    ):
        read(instance, ParquetStorage(base_dir=str(tmp_path)))
