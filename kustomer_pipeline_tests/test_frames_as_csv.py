"""A frame that a person opens, too: a CSV file beside it, which nobody else may read and which goes with the frame."""

from __future__ import annotations

import csv
import errno
import io
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import dagster as dg
import pandas as pd
import pytest
from upath import UPath

from kustomer_pipeline.io_manager import AS_CSV, FramesError, ParquetStorage, Traces, remove_frames_with
from kustomer_pipeline.io_manager.csv_file import write_csv
from kustomer_pipeline.io_manager.frame_folder import FrameFolder, csv_of, expire_before

KEY = dg.AssetKey(["kustomer", "customers_plan"])
FRAME = pd.DataFrame({"key": ["C-1", "C-2"], "after": ["Jané", None]}, dtype="string")


def write(instance: dg.DagsterInstance, base: Path, keep: int = 1, frame: pd.DataFrame = FRAME) -> dict[str, object]:
    """Materialize an asset that wants a CSV file; the metadata of its materialization."""

    @dg.asset(key=KEY, metadata={AS_CSV: True})
    def plan() -> pd.DataFrame:
        return frame

    storage = ParquetStorage(base_dir=str(base), keep_frames=keep)
    result = dg.materialize([plan], resources={"io_manager": storage}, instance=instance)
    [event] = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def as_csv(frame: pd.DataFrame) -> str:
    file = io.BytesIO()
    write_csv(frame, file)
    return file.getvalue().decode("utf-8-sig")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_is_beside_the_frame_says_where_and_is_its_owners(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        metadata = write(instance, tmp_path)
    paths = sorted((tmp_path / "kustomer" / "customers_plan").iterdir())
    assert [path.suffix for path in paths] == [".csv", ".parquet"]
    assert str(paths[0]) in str(metadata["csv"])
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert paths[0].read_bytes().startswith(b"\xef\xbb\xbfkey,after\r\n")
    assert pd.read_csv(paths[0], encoding="utf-8-sig").fillna("").to_numpy().tolist() == [["C-1", "Jané"], ["C-2", ""]]


def test_it_goes_with_the_frame(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            write(instance, tmp_path)
        assert [name.partition("-")[0] for name in names(tmp_path / "kustomer" / "customers_plan")] == ["00000003"] * 2
        for _ in range(3):
            write(instance, tmp_path, keep=2)
    assert {name.partition("-")[0] for name in names(tmp_path / "kustomer" / "customers_plan")} == {
        "00000005",
        "00000006",
    }


def test_an_asset_that_does_not_ask_for_it_has_none(tmp_path: Path) -> None:
    @dg.asset(key=KEY)
    def rows() -> pd.DataFrame:
        return FRAME

    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([rows], resources={"io_manager": ParquetStorage(base_dir=str(tmp_path))}, instance=instance)
    assert [Path(name).suffix for name in names(tmp_path / "kustomer" / "customers_plan")] == [".parquet"]


@pytest.fixture(params=["folder", "store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    return UPath(tmp_path) if request.param == "folder" else UPath(f"memory://csv-{tmp_path.name}")


def kept(place: UPath, run_id: str, name: str) -> UPath:
    """A frame with somebody in it, and its CSV file."""
    frame = pd.DataFrame({"after": [name]})
    folder = FrameFolder(place / "kustomer" / "customers_plan")
    return folder.write(run_id, lambda file: frame.to_parquet(file), lambda file: write_csv(frame, file))


def left(place: UPath) -> list[str]:
    return sorted(str(name).rpartition("/")[2] for name in place.fs.find(place.path))


def test_somebody_who_is_forgotten_is_in_neither_file(place: UPath) -> None:
    kept(place, "a", "jane@example.com")
    other = kept(place, "b", "john@example.com")
    traces = Traces(parts=frozenset(["jane@example.com"]))
    assert remove_frames_with(place, traces) == 1
    assert left(place) == sorted([other.name, csv_of(other).name])


def test_old_ones_go_by_age_together(place: UPath) -> None:
    kept(place, "a", "jane@example.com")
    expire_before(place, datetime(2999, 1, 1, tzinfo=UTC), lambda run_id: False)
    assert left(place) == []


def test_what_has_lost_its_frame_or_was_not_finished_goes_too(place: UPath) -> None:
    """Nobody can say by a frame who is in it."""
    path = kept(place, "a", "john@example.com")
    for name in ("00000007-b.csv", "00000008-c.csv.part"):
        place.fs.pipe_file(path.with_name(name).path, b"after\r\njane@example.com\r\n")
    assert remove_frames_with(place, Traces(parts=frozenset(["nobody@example.com"]))) == 2
    assert left(place) == sorted([path.name, csv_of(path).name])


def test_a_half_written_one_of_a_run_that_is_over_is_removed_by_the_next(place: UPath) -> None:
    path = kept(place, "a", "john@example.com")
    place.fs.pipe_file(path.with_name("00000008-c.csv.part").path, b"half")
    FrameFolder(place / "kustomer" / "customers_plan").expire(1, lambda run_id: run_id == "a")
    assert left(place) == sorted([path.name, csv_of(path).name])


def test_where_it_cannot_be_written_there_is_no_new_frame_either(tmp_path: Path) -> None:
    def full(file: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "00000002.csv.part")

    place = UPath(tmp_path)
    path = kept(place, "a", "john@example.com")
    folder = FrameFolder(place / "kustomer" / "customers_plan")
    with pytest.raises(FramesError, match="No space left on device"):
        folder.write("b", lambda file: FRAME.to_parquet(file), full)
    assert left(place) == sorted([path.name, csv_of(path).name])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_a_formula(text: str) -> None:
    frame = pd.DataFrame({"after": [text, "a=b"]}, dtype="string")
    assert [row[0] for row in csv.reader(io.StringIO(as_csv(frame), newline=""))] == ["after", f"'{text}", "a=b"]


def test_numbers_nulls_line_ends_and_many_rows_are_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kustomer_pipeline.io_manager.csv_file._AT_ONCE", 2)
    frame = pd.DataFrame({"n": pd.array([-1, None, 3, 4, 5], "Int64"), "t": ["a\r\nb", 'c"d', "e,f", None, ""]})
    rows = list(csv.reader(io.StringIO(as_csv(frame), newline="")))
    assert rows == [["n", "t"], ["-1", "a\r\nb"], ["", 'c"d'], ["3", "e,f"], ["4", ""], ["5", ""]]
    assert as_csv(frame.iloc[:0]) == "n,t\r\n"
