"""The frames of one asset: one file per run, each there as a whole or not at all, and never in memory as a whole.

    00000011-<run id>.parquet
    00000012-<run id>.parquet    the highest number is the newest: counted, because the clocks of two machines differ
    00000012-<run id>.csv        the same for a spreadsheet, where that is wanted; it comes after it, and goes before it

Who reads gets the file of the own run, else the newest. Who writes removes the old ones, but none of a run that goes
on: its next asset still has to read it. So do those go that are older than the days to keep, of all assets beside it. A
file is filled beside its place, readable by its owner only, and then moved
there: in a folder by renaming it, to an object store by one upload that takes effect at its end.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, TypeVar, cast

from upath import UPath

from .place import told

_NAME = re.compile(r"(\d+)-([^/]+)\.parquet")
# What a process that was killed while it wrote has left: not a frame, but rows of people all the same.
_UNFINISHED = re.compile(r"\d+-([^/]+)\.(?:parquet|csv)\.part")
_FRAME, _CSV = ".parquet", ".csv"
_ATTEMPTS = 3
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class _File:
    number: int
    run_id: str
    path: UPath


class FrameFolder:
    """The files of one asset."""

    def __init__(self, folder: UPath) -> None:
        self._folder = folder

    def read(self, run_id: str | None, load: Callable[[BinaryIO], _Read]) -> _Read | None:
        """What `load` makes of the open file of this run, else of the newest; None if there is none.

        `load` may be called again, with another file: the one it was reading may be removed by another run.

        Raises:
            FramesError: the place cannot be read from, or `load` raises it.
        """
        with told("The frames cannot be read from", self._folder):
            for _ in range(_ATTEMPTS):
                files = self._files()
                if not files:
                    return None
                own = [file for file in files if file.run_id == run_id]
                # Between the look and the reading another run may have put a newer one in its place.
                with suppress(FileNotFoundError), self._folder.fs.open((own or files)[-1].path.path, "rb") as file:
                    return load(cast(BinaryIO, file))
            return None

    def write(
        self, run_id: str, fill: Callable[[BinaryIO], None], fill_csv: Callable[[BinaryIO], None] | None = None
    ) -> UPath:
        """Keep a file for this run, which is then the newest; where it is. `fill` writes into it, `fill_csv` into the
        one beside it (csv_of).

        Raises:
            FramesError: the place cannot be written to, or `fill` raises it; then nothing has changed there.
            NotStorableError: `fill` raises it.
        """
        with told("The frames cannot be written to", self._folder):
            newest = max((file.number for file in self._files()), default=0)
            path = self._folder / f"{newest + 1:08}-{run_id}{_FRAME}"
            _put(path, fill)
            if fill_csv is not None:
                try:
                    _put(csv_of(path), fill_csv)
                except BaseException:
                    remove(path)
                    raise
            return path

    def expire(self, keep: int, goes_on: Callable[[str], bool]) -> None:
        """Leave the newest `keep` runs, one file each, and those of runs that go on. Raises FramesError."""
        with told("Old frames cannot be removed from", self._folder):
            kept: set[str] = set()
            for file in reversed(self._files()):
                is_first_of_run = file.run_id not in kept
                if is_first_of_run and (len(kept) < keep or goes_on(file.run_id)):
                    kept.add(file.run_id)
                else:
                    remove(file.path)
            for path in self._paths():
                unfinished = _UNFINISHED.fullmatch(path.name)
                if unfinished and not goes_on(unfinished[1]):
                    remove(path)

    def _files(self) -> list[_File]:
        """The oldest first."""
        found = [(match, path) for path in self._paths() if (match := _NAME.fullmatch(path.name))]
        files = [_File(int(match[1]), match[2], path) for match, path in found]
        return sorted(files, key=lambda file: (file.number, file.run_id))

    def _paths(self) -> Iterator[UPath]:
        store = self._folder.fs
        store.invalidate_cache()  # other processes write here too
        with suppress(FileNotFoundError):
            for name in store.ls(self._folder.path, detail=False):
                yield self._folder / str(name).rstrip("/").rpartition("/")[2]


def expire_before(place: UPath, moment: datetime, goes_on: Callable[[str], bool]) -> None:
    """Remove files below a place that are older, but none of a run that goes on: also of assets that are no longer
    made. Raises FramesError."""
    with told("Old frames cannot be removed from", place):
        for path in files_under(place):
            run_id = _run_of(path)
            if run_id is not None and _modified(path) < moment and not goes_on(run_id):
                remove(path)


def files_under(place: UPath) -> Iterator[UPath]:
    """Every Parquet file below a place, also of earlier layouts, and those that were not finished. A CSV file that has
    lost its frame counts as not finished."""
    store, root = place.fs, place.path.rstrip("/")
    store.invalidate_cache()
    with suppress(FileNotFoundError):
        names = set(map(str, store.find(root)))
        for name in sorted(names):
            alone = name.endswith(_CSV) and f"{name.removesuffix(_CSV)}{_FRAME}" not in names
            if alone or name.endswith((_FRAME, f"{_FRAME}.part", f"{_CSV}.part")):
                yield place.joinpath(*name[len(root) :].strip("/").split("/"))


def csv_of(path: UPath) -> UPath:
    """The file for a spreadsheet beside a frame, if there is one."""
    return path.with_name(f"{path.name.removesuffix(_FRAME)}{_CSV}")


def _run_of(path: UPath) -> str | None:
    """The id of the run that wrote a file; None where its name does not say."""
    found, unfinished = _NAME.fullmatch(path.name), _UNFINISHED.fullmatch(path.name)
    return found[2] if found else unfinished[1] if unfinished else None


def _modified(path: UPath) -> datetime:
    try:
        moment: datetime = path.fs.modified(path.path)
    except FileNotFoundError:  # another run has removed it
        return datetime.max.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _put(path: UPath, fill: Callable[[BinaryIO], None]) -> None:
    if is_local(path):
        _write_to_folder(path, fill)
    else:
        _write_to_store(path, fill)


def _write_to_folder(path: UPath, fill: Callable[[BinaryIO], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    try:
        with open(temporary.path, "wb", opener=_for_its_owner) as file:
            fill(file)
        os.replace(temporary.path, path.path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_to_store(path: UPath, fill: Callable[[BinaryIO], None]) -> None:
    """By way of a file of this machine: what is written into an open file of a store is sent in part if it fails."""
    with tempfile.NamedTemporaryFile(prefix="kustomer-frame-") as file:  # only its owner may read it
        fill(cast(BinaryIO, file))
        file.flush()
        path.fs.put_file(file.name, path.path)


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def is_local(path: UPath) -> bool:
    """Whether it is in the file system of this machine."""
    return path.protocol in ("", "file")


def remove(path: UPath) -> None:
    """Delete a file that may be gone already; of a frame first what is beside it, so that it never stays alone."""
    for each in (csv_of(path), path) if path.name.endswith(_FRAME) else (path,):
        with suppress(FileNotFoundError):
            each.fs.rm_file(each.path)
