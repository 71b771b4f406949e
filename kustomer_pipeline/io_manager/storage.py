"""What Dagster asks for: keep the frame of an asset, and give it to the next one.

A frame is written row group by row group and read column by column: besides the frame itself only a part of it is in
memory.
"""

import gc
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from urllib.parse import quote

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field
from upath import UPath

from .csv_file import write_csv
from .frame_folder import FrameFolder, csv_of, expire_before, remove
from .place import FramesError, NotStorableError, place_of, told

DEFAULT_KEEP = 1
# In the metadata of an asset's definition: its frame is to be opened by a person, too.
AS_CSV = "as_csv"
_CHARACTERS_OF_A_WINDOW = 1000
_ROW_GROUP = 65_536  # rows that are encoded, and in memory a second time, at once
_LARGE = 5_000_000  # bytes of a file: about two hundred thousand rows

_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


class ParquetIOManager(dg.IOManager):
    """Keeps the DataFrame of an asset as `<base>/<asset key>/<number>-<run id>.parquet`, of the newest `keep` runs.

    Of a partitioned asset the files of each partition are in a folder of their own, named after it.
    """

    def __init__(self, base: UPath, keep: int = DEFAULT_KEEP, keep_days: int | None = None) -> None:
        self._base = base
        self._keep = keep
        self._keep_days = keep_days

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keep a frame, and remove those that are old by now. A reader never sees half a file.

        Raises:
            NotStorableError: not a DataFrame, or one with a column that Parquet cannot hold.
            FramesError: the place cannot be written to.
        """
        if not isinstance(obj, pd.DataFrame):
            raise NotStorableError(f"Only a DataFrame can be kept as Parquet, not a {type(obj).__name__}")
        folder = self._folder(context.asset_key, context.partition_key if context.has_partition_key else None)
        wants_csv = bool((context.definition_metadata or {}).get(AS_CSV))
        fill_csv = (lambda file: write_csv(obj, file)) if wants_csv else None
        path = folder.write(context.run_id, lambda file: _write(obj, file), fill_csv)
        instance = context.step_context.instance

        def goes_on(run_id: str) -> bool:
            run = instance.get_run_by_id(run_id)
            return run is not None and run.status not in _FINISHED

        folder.expire(self._keep, goes_on)
        if self._keep_days is not None and len(context.asset_key.path) > 1:
            beside = path_of(self._base, context.asset_key.path[:-1])
            expire_before(beside, datetime.now(UTC) - timedelta(days=self._keep_days), goes_on)
        self._remove_of_old_layout(context.asset_key)
        context.add_output_metadata({"file": _in_a_window(str(path))})
        if wants_csv:
            context.add_output_metadata({"csv": _in_a_window(str(csv_of(path)))})

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """The frame that this run made of the asset; else, if this run did not make it, the newest.

        Of a partitioned asset that of the partition which is asked for; of several, one under the other.

        Raises:
            FileNotFoundError: the asset has not been materialized with this storage.
            FramesError: the place cannot be read from.
        """
        partitions = context.asset_partition_keys if context.has_asset_partitions else [None]
        frames = [self._load(context, partition) for partition in partitions]
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def _load(self, context: dg.InputContext, partition: str | None) -> pd.DataFrame:
        asset = context.asset_key.to_user_string() + (f", partition {partition}," if partition is not None else "")

        def load(file: BinaryIO) -> pd.DataFrame:
            try:
                return _read(file)
            except pa.ArrowException:
                raise FramesError(f"The frame of the asset {asset} is damaged: materialize it again") from None

        frame = self._folder(context.asset_key, partition).read(_run_of(context), load)
        if frame is None:
            raise FileNotFoundError(f"The asset {asset} holds no rows yet: materialize it first")
        return frame

    def _folder(self, key: dg.AssetKey, partition: str | None) -> FrameFolder:
        own = [] if partition is None else [partition]
        return FrameFolder(self._base.joinpath(*map(_safe, [*key.path, *own])))

    def _remove_of_old_layout(self, key: dg.AssetKey) -> None:
        """The one file that an earlier version kept for this asset: nothing would ever remove it."""
        old = self._base.joinpath(*map(_safe, key.path[:-1]), f"{_safe(key.path[-1])}.parquet")
        with told("An old frame cannot be removed from", old):
            remove(old)


class ParquetStorage(dg.ConfigurableIOManagerFactory[ParquetIOManager]):
    """Keeps the frames between two assets as Parquet files: in a folder or in an object store."""

    base_dir: str = Field(
        default="",
        description="A folder that every process of a run can reach, or s3://bucket/prefix, gs://bucket/prefix, "
        "az://container/prefix, memory://name. Empty: KUSTOMER_FRAMES_URL, else the storage folder of the Dagster "
        "instance (DAGSTER_HOME/storage).",
    )
    keep_frames: int = Field(
        default=DEFAULT_KEEP,
        description="Of so many runs the frames of an asset are kept, the newest; those of a run that goes on besides.",
    )

    keep_days: int | None = Field(
        default=None,
        description="Frames that are older are removed, also of assets that are no longer made. None: never by age.",
    )

    def create_io_manager(self, context: dg.InitResourceContext) -> ParquetIOManager:
        """The IO manager on that place. Raises FramesError.

        From then on Arrow takes memory from the operating system's allocator. Its own keeps what was freed: after a
        frame of a million rows some hundred megabytes, for as long as the process lives.
        """
        pa.set_memory_pool(pa.system_memory_pool())
        if self.keep_frames < 1:
            raise FramesError(
                f"keep_frames is {self.keep_frames}; set it to a number of runs, 1 or more: "
                "the frame of an asset has to wait for the next one"
            )
        place = self.base_dir.strip()
        if not place:
            if context.instance is None:
                raise dg.DagsterInvariantViolationError("base_dir is needed without a Dagster instance")
            place = context.instance.storage_directory()
        return ParquetIOManager(place_of(place), self.keep_frames, self.keep_days)


def _run_of(context: dg.InputContext) -> str | None:
    """The run that asks; or, where a result is looked at afterwards, the run that it is of."""
    try:
        return context.step_context.run_id
    except dg.DagsterInvariantViolationError:
        output = context.upstream_output
    try:
        return output.run_id if output is not None else None
    except dg.DagsterInvariantViolationError:
        return None


def _in_a_window(path: str) -> dg.MarkdownMetadataValue:
    """The UI opens Markdown of a thousand characters in a window of its own. A path is one word, which cannot be
    broken: in the table of metadata it would move everything beside it out of sight."""
    return dg.MetadataValue.md(f"```\n{path}\n```".ljust(_CHARACTERS_OF_A_WINDOW))


def path_of(base: UPath, key: Sequence[str]) -> UPath:
    """Where the files of an asset are, or of all whose keys begin so."""
    return base.joinpath(*map(_safe, key))


def _safe(part: str) -> str:
    """A part of an asset key as the name of a folder, in which nothing leads elsewhere."""
    return quote(part, safe=" ") if part.strip(".") else quote(part).replace(".", "%2E")


def _write(frame: pd.DataFrame, file: BinaryIO) -> None:
    """Into the file as it is encoded. The Arrow table is a view of the frame: text and numbers are not copied.

    Without dictionaries: most columns of people have other values in each row, so they cost twice the time, and of a
    million rows the process would keep 30 MB.
    """
    _give_back_memory()
    try:
        pq.write_table(pa.Table.from_pandas(frame), file, row_group_size=_ROW_GROUP, use_dictionary=False)
    except (pa.ArrowException, ValueError) as error:
        # Without pyarrow's own words: they may quote a value of a row.
        columns = ", ".join(_mixed_columns(frame)) or "unknown"
        raise NotStorableError(
            f"The rows cannot be kept as Parquet ({type(error).__name__}): a column holds values of several "
            f"types (columns in question: {columns}); cast it in the query"
        ) from None


def _read(file: BinaryIO) -> pd.DataFrame:
    """Each column of the Arrow table is given up once pandas has it."""
    if file.seek(0, os.SEEK_END) > _LARGE:
        # The frame of the asset before may still be there. Where Dagster's event log notes an asset that it knows, it
        # catches an error of SQLAlchemy's, whose traceback holds that frame in a circle until the collector comes.
        gc.collect()
    _give_back_memory()
    gives_up = {"split_blocks": True, "self_destruct": True}
    frame = pd.read_parquet(file, engine="pyarrow", to_pandas_kwargs=gives_up, pre_buffer=False)
    for name in frame.columns:
        _put_together(frame, name)
    _give_back_memory()
    return frame


def _put_together(frame: pd.DataFrame, name: Any) -> None:
    """Text comes in a piece for each row group. Where some rows of such a column are taken, pandas copies all of it: of
    ten columns and a million rows 40 ms and 75 MB, for each of the thousand waves of a sync."""
    dtype = frame[name].dtype
    pieces = pa.array(frame[name]) if isinstance(dtype, pd.StringDtype) else None
    if isinstance(pieces, pa.ChunkedArray):
        frame[name] = dtype.__from_arrow__(pieces.combine_chunks())
        del pieces
        _give_back_memory()


def _give_back_memory() -> None:
    """Arrow keeps what was freed (the frame of the asset before) for its next arrays; the process would hold both."""
    pa.default_memory_pool().release_unused()


def _mixed_columns(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name, dtype in frame.dtypes.items() if pd.api.types.is_object_dtype(dtype)]
