"""Which frames have somebody in them, in whatever column and form: they are removed as a whole."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from upath import UPath

from kustomer_pipeline.io_manager import FramesError, Traces, keys_in, remove_frames_with
from kustomer_pipeline.io_manager.frame_folder import FrameFolder

TRACES = Traces(
    parts=frozenset(["jane@example.com", "5f0000000000000000000001"]),
    numbers=frozenset(["442079460001"]),
    cells=frozenset(["7", "C-1"]),
)


def frame(place: UPath, name: str, **columns: Any) -> None:
    data = pd.DataFrame({key: value if isinstance(value, pd.Series) else [value] for key, value in columns.items()})
    FrameFolder(place / "kustomer" / name).write("run", lambda file: data.to_parquet(file))


def left(place: UPath) -> set[str]:
    return {str(name).split("/")[-2] for name in place.fs.find(place.path)}


@pytest.fixture(params=["folder", "store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    return UPath(tmp_path) if request.param == "folder" else UPath(f"memory://{tmp_path.name}")


@pytest.mark.parametrize(
    "value",
    [
        "jane@example.com",
        " Jane@Example.COM ",
        '["other@example.com", "jane@example.com"]',
        "write to jane@example.com soon",
        "5f0000000000000000000001",
        "+44 20 7946 0001",
        "(020) 7946-0001",
        442079460001,
        7,
        "7",
        "C-1",
        ["a list", "jane@example.com"],
    ],
)
def test_a_frame_with_a_trace_goes(place: UPath, value: Any) -> None:
    frame(place, "hers", before=1.5, value=value)
    frame(place, "others", value="john@example.com")
    assert remove_frames_with(place, TRACES) == 1
    assert left(place) == {"others"}


@pytest.mark.parametrize(
    "value",
    ["janet@example.org", "C-11", "17", 77, 7.5, True, None, "020 7946 0002", datetime(2026, 1, 7, tzinfo=UTC), "id 7"],
)
def test_a_frame_without_one_stays(place: UPath, value: Any) -> None:
    frame(place, "others", value=value)
    assert remove_frames_with(place, TRACES) == 0
    assert left(place) == {"others"}


def test_every_row_is_looked_at(place: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kustomer_pipeline.io_manager.searching._AT_ONCE", 10)
    frame(place, "hers", value=pd.Series([f"p{n}@example.com" for n in range(95)] + ["jane@example.com"]))
    assert remove_frames_with(place, TRACES) == 1


def test_what_cannot_be_read_goes_too(place: UPath) -> None:
    """Half a frame, of a process that was killed: nobody can say who is in it."""
    frame(place, "others", value="john@example.com")
    for name in ("00000002-run.parquet", "00000003-run.parquet.part"):
        place.fs.pipe_file((place / "kustomer" / "others" / name).path, b"PAR1 half")
    assert remove_frames_with(place, TRACES) == 2
    assert left(place) == {"others"}


def test_partitions_and_earlier_layouts_are_looked_at(place: UPath) -> None:
    frame(place, "shards/03-of-16", value="jane@example.com")
    data = pd.DataFrame({"value": ["jane@example.com"]})
    with (place / "kustomer" / "old.parquet").open("wb") as file:
        data.to_parquet(file)
    assert remove_frames_with(place, TRACES) == 2


def test_a_place_that_is_not_there_has_nobody_in_it(place: UPath) -> None:
    assert remove_frames_with(place / "nowhere", TRACES) == 0
    assert keys_in(place / "nowhere", {"email": ["jane@example.com"]}) == set()


def test_a_place_that_cannot_be_searched_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = UPath(tmp_path)
    frame(place, "others", value="john@example.com")

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(type(place.fs), "open", refuse)
    with pytest.raises(FramesError, match=r"cannot be searched in .*access is denied"):
        remove_frames_with(place, TRACES)


def test_keys_are_told_by_the_columns_of_identifiers_only(place: UPath) -> None:
    identifiers = {"email": ["jane@example.com"], "phone": ["442079460001"], "externalId": ["C-1"]}
    rows = {
        "by address": {"email": "jane@example.com"},
        "by a second one": {"email.2": "jane@example.com"},
        "by one of a list": {"emails": '[{"email": "jane@example.com"}]'},
        "by number": {"phone": "+442079460001"},
        "by external id": {"externalId": "C-1"},
        "not by one in other letters": {"externalId": "c-1"},
        "not by a friend's": {"custom.friendStr": "jane@example.com"},
        "not by another": {"email": "janet@example.com"},
    }
    for number, (key, columns) in enumerate(rows.items()):
        frame(place, f"mapped{number}", _key=key, **columns)
    frame(place, "raw", email="jane@example.com")
    assert keys_in(place, identifiers) == {key for key in rows if key.startswith("by")}
