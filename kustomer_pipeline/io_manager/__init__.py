"""Where the frames wait between two assets: Parquet files in a folder, or in an object store, one per asset and run.

    frame → Parquet (bytes) → <place>/<asset key>/<number>-<run id>.parquet → the next asset, of this run or a later one

Parquet keeps every dtype as it is (nullable ints, booleans, text, time zones), is read without running code
as a pickle would be, and opens in any tool. A file carries the id of its run, so that two runs of one sync at the same
time never read each other's rows; the number says which is the newest, whatever the clocks of two machines say.

    place.py         a folder or a URL → where that is, or an error that says what to set
    frame_folder.py  the files of one asset: written whole, found by run, removed when they are old
    csv_file.py      the same for a spreadsheet: of a plan
    storage.py       what Dagster asks for
    searching.py     in which files somebody is, and away with them
"""

from .place import FramesError, place_of
from .searching import Traces, keys_in, remove_frames_with
from .storage import AS_CSV, DEFAULT_KEEP, ParquetIOManager, ParquetStorage, path_of

__all__ = [
    "AS_CSV",
    "DEFAULT_KEEP",
    "FramesError",
    "ParquetIOManager",
    "ParquetStorage",
    "Traces",
    "keys_in",
    "path_of",
    "place_of",
    "remove_frames_with",
]
