"""A folder or a URL, as a place to keep frames in; and what a store that fails is understood to say."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

# The parameter that the errors speak of; whoever reads it from the environment says the variable instead.
PARAMETER = "base_dir"
_PLACES = "a folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or memory://name"


class FramesError(Exception):
    """The frames cannot be kept, found or removed. The message says where, why, what to do; never a value of a row."""


class NotStorableError(TypeError):
    """What is to be kept is no frame, or Parquet cannot hold one of its columns. The message names the columns."""


@dataclass(frozen=True)
class _Store:
    """An object store: the package that speaks to it, and the extra that brings the package."""

    package: str
    extra: str


_STORES = {"s3": _Store("s3fs", "s3"), "gs": _Store("gcsfs", "gcs"), "az": _Store("adlfs", "azure")}


def place_of(text: str) -> UPath:
    """Where frames are kept: a folder, or the URL of a store. Nothing is opened yet.

    Raises:
        FramesError: a URL that cannot be used, or whose package is not installed.
    """
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return UPath(Path(text).expanduser().absolute())
    if scheme == "memory":
        return UPath(text)
    if scheme not in _STORES:
        raise FramesError(f"{PARAMETER} begins with {scheme}://, where frames cannot be kept: set it to {_PLACES}")
    bucket = rest.partition("/")[0]
    if not bucket or {"@", "?", "#"} & set(rest):
        # Not quoted: people put keys there.
        raise FramesError(
            f"{PARAMETER} is not {scheme}://, a bucket or container, and perhaps a prefix, with nothing else in it: "
            f"credentials come from the environment, as {_STORES[scheme].package} reads them"
        )
    store = _STORES[scheme]
    if importlib.util.find_spec(store.package) is None:
        raise FramesError(
            f"{PARAMETER} begins with {scheme}://, which needs the package {store.package}: "
            f"pip install 'kustomer-pipeline[{store.extra}]'"
        )
    return UPath(text)


@contextmanager
def told(what: str, path: UPath) -> Iterator[None]:
    """Whatever a store raises, as FramesError: in words of ours, because theirs may quote a request and its keys."""
    try:
        yield
    except (FramesError, NotStorableError):
        raise
    except Exception as error:
        raise FramesError(f"{what} {path}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "access is denied; list, read, write and delete are needed there"
    if isinstance(error, FileNotFoundError):
        return "there is no such bucket, container or folder; make it first"
    if "credential" in type(error).__name__.lower():
        return "there are no credentials; set them in the environment, or give the machine a role"
    if isinstance(error, OSError) and error.strerror and error.filename:  # of the operating system: a full disk
        return error.strerror
    return " ".join(filter(None, [type(error).__name__, _code(error)]))


def _code(error: BaseException | None) -> str:
    """The store's own code of the error, such as SlowDown, if it is there to be read."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return f"({response.get('Error', {}).get('Code', 'no code')})"
        error = error.__cause__
    return ""
