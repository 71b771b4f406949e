"""Anything in a sync file: it loads, or the error is the project's own and names the file and a line of it."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kustomer_pipeline import AudienceSync, ObjectSync
from kustomer_pipeline.components import SyncConfigError

from ..components.conftest import Project
from .test_syncs import FOLDER, GIBBERISH

WORDS = (
    "customers", "companies", "upsert", "mirror", "externalId", "email", "phone", "name", "company", "tags", "emails",
    "custom.planStr", "custom.x", "keep", "clear", "if_empty", "US", "0 6 * * *", "UTC", "vip", "select 1", "x.sql", "",
    " ", "null", "{{ env.NOT_SET }}", "{{ 1 }}", "{{ [1, 2] }}", "{{", "}}", "{% x %}", "jane@acme.com", "team:crm",
    "1",
)  # fmt: skip
KEYS = (
    "object", "query", "query_file", "mode", "match_on", "fields", "nulls", "default_region", "max_failure_share",
    "tag", "mirror_scope", "max_removals", "watch", "schedule", "owners", "description", "read_back", "log_to", "name",
    "type", "column", "columns", "write", "match", "share", "count", "table", "updated_at", "every", "cron",
    "timezone", "schema",
)  # fmt: skip
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10), st.integers(), st.floats(), st.dates(), st.datetimes(),
    st.sampled_from(WORDS), st.text(max_size=8),
)  # fmt: skip
NAMES = st.one_of(st.sampled_from(KEYS + WORDS), st.text(max_size=5), st.integers(0, 9), st.booleans())
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=5
)
OBJECT: dict[str, Any] = {
    "object": "customers", "query": "select 1", "match_on": ["email"], "fields": {"email": "email", "name": "name"},
}  # fmt: skip
AUDIENCE: dict[str, Any] = {"tag": "vip", "query": "select 1", "match_on": ["email"], "fields": {"email": "email"}}


@st.composite
def attributes(draw: st.DrawFn, good: dict[str, Any]) -> dict[Any, Any]:
    """The attributes of a good sync, some of them changed, others added or left out."""
    changes = draw(st.dictionaries(st.sampled_from(KEYS) | NAMES, VALUES, min_size=1, max_size=3))
    gone = draw(st.sets(st.sampled_from(sorted(good)), max_size=1))
    written: dict[Any, Any] = {**good, **changes}
    return {key: value for key, value in written.items() if key not in gone or key in changes}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the projects of the examples are."""
    root = tmp_path_factory.mktemp("fuzz")
    sys.path.insert(0, str(root))
    yield root
    sys.path.remove(str(root))


def loads_or_says_why(root: Path, content: bytes) -> None:
    project = Project(root)
    file = project.write("customers/defs.yaml", "")
    file.write_bytes(content)
    said = None
    try:
        with contextlib.suppress(SyncConfigError):  # not of a sync
            dg.Definitions.validate_loadable(project.load(strict=False))
        project.load()
    except SyncConfigError as error:
        said = str(error)
    finally:
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.split(".")[0] == project.package]:
            del sys.modules[name]
    if said is not None:
        lines = said.splitlines()[1:]
        assert lines
        for line in lines:
            assert re.match(rf"  {re.escape(str(file))}:[1-9]\d*  .*\S", line), line
            assert GIBBERISH.search(line.partition("  ")[2].replace(str(file), "")) is None, line


FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(kind=st.sampled_from(["Object", "Audience"]), written=attributes(OBJECT) | attributes(AUDIENCE) | VALUES)
@example(kind="Object", written={**OBJECT, "match_on": [["email"]]})
def test_any_attributes_load_or_are_refused_with_file_and_line(folder: Path, kind: str, written: Any) -> None:
    content = yaml.safe_dump({"type": f"kustomer_pipeline.{kind}Sync", "attributes": written}, allow_unicode=True)
    loads_or_says_why(folder, content.encode("utf-8", "surrogatepass"))


@FEW
@given(written=VALUES)
def test_any_yaml_loads_or_is_refused_with_file_and_line(folder: Path, written: Any) -> None:
    loads_or_says_why(folder, yaml.safe_dump(written).encode())


@FEW
@given(data=st.data(), name=st.sampled_from(sorted(path.name for path in FOLDER.glob("*.yaml"))))
def test_a_file_with_a_slip_of_the_finger_loads_or_is_refused(folder: Path, data: st.DataObject, name: str) -> None:
    content = (FOLDER / name).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 10)))
    typed = data.draw(
        st.sampled_from([b"", b":", b"-", b" ", b"\t", b"\n", b"'", b'"', b"{", b"[", b"]", b",", b"&a ", b"# "])
    )
    loads_or_says_why(folder, content[:start] + typed + content[end:])


@settings(max_examples=100)
@given(written=st.one_of(attributes(OBJECT), attributes(AUDIENCE)))
def test_a_sync_in_python_is_built_or_refused_with_its_name(written: dict[Any, Any]) -> None:
    named = {key: value for key, value in written.items() if isinstance(key, str) and key != "name"}
    for kind in (ObjectSync, AudienceSync):
        said = ""
        try:
            kind(name="fuzzed", **named)
        except SyncConfigError as error:
            said = str(error)
        assert said == "" or said.startswith(f"{kind.__name__}('fuzzed') cannot be built:\n")
