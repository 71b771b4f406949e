"""The pages of docs/warehouses/ say what is so: levels, extras, URLs, tables of types, what `watch` takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kustomer_pipeline import ObjectSync
from kustomer_pipeline.warehouse.drivers import install_hint, with_driver
from kustomer_pipeline.warehouse.signals import without_metadata
from kustomer_pipeline_tests.conftest import REPOSITORY
from kustomer_pipeline_tests.markdown import code_spans, table
from kustomer_pipeline_tests.test_packaging import requirements

from .expected import TYPES
from .pages import PAGES, with_tables
from .test_statements import DIALECTS

INDEX = PAGES / "README.md"
EACH = sorted(path for path in PAGES.glob("*.md") if path != INDEX)
EVERY_PAGE = pytest.mark.parametrize("page", EACH, ids=lambda path: path.stem)
# Those that the project can hold itself; the rest of the extras are for other things than a warehouse.
EXTRAS = {path.stem for path in EACH} - {"sqlite", "postgresql"} | {"postgres"}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def url_of(page: Path) -> sa.URL:
    found = re.search(r"^WAREHOUSE_URL=(\S+)$", text_of(page), re.MULTILINE)
    assert found is not None
    return sa.make_url(found[1])


def listed() -> dict[str, list[str]]:
    """The rows of the index by the file that they link to."""
    rows = table(text_of(INDEX), "warehouse")
    linked = ((re.search(r"\((\w+)\.md\)", row[0]), row) for row in rows)
    return {found[1]: list(row) for found, row in linked if found is not None and len(row) == 5}


@EVERY_PAGE
def test_the_table_of_types_is_what_the_tests_run(page: Path) -> None:
    """If not: python -m kustomer_pipeline_tests.warehouse.dialects.pages."""
    assert text_of(page) == with_tables(text_of(page))


def test_every_table_of_types_is_on_a_page() -> None:
    shown = re.findall(r"<!-- types: (\w+) -->", "".join(map(text_of, EACH)))
    assert sorted(shown) == sorted(TYPES)


@EVERY_PAGE
def test_a_page_says_the_level_that_the_index_says(page: Path) -> None:
    found = re.search(r"^\*\*Level: (.*?)\.?\*\*", text_of(page), re.MULTILINE)
    assert found is not None
    assert listed()[page.stem][2] == found[1]


@EVERY_PAGE
def test_a_level_is_what_the_tests_do(page: Path) -> None:
    level = listed()[page.stem][2]
    compiled = {"sqlserver": "mssql"} | {name.partition(".")[0]: name for name in DIALECTS}
    run = {"mysql": "mariadb"}.get(page.stem, page.stem) in TYPES
    if level == "statements compiled and checked":
        assert not run
        assert page.stem in compiled
    else:
        assert run
        in_ci = page.stem not in ("clickhouse", "snowflake")
        assert level.startswith("run in CI" if in_ci else "run in `make test-warehouses`, through")


@EVERY_PAGE
def test_a_page_has_its_permissions_and_what_is_different(page: Path) -> None:
    for heading in ("Permissions", "What is different", "Types"):
        assert re.search(rf"^## {heading}$", text_of(page), re.MULTILINE)


def test_every_extra_of_a_warehouse_has_a_page_and_installs_what_the_error_would_name() -> None:
    for page in EACH:
        extra = listed()[page.stem][1].strip("`")
        if not extra:
            continue
        assert f"--editable '.[{extra}]'" in text_of(page)
        needed = requirements(REPOSITORY, extra)
        hint = install_hint(with_driver(url_of(page)))
        if extra == "postgres":
            assert f"'.[{extra}]'" in hint
            continue
        named = {canonicalize_name(Requirement(word.strip("'")).name) for word in hint.split()}
        assert named <= {*needed, "duckdb"}
        assert needed.keys() <= {*named, "duckdb"}


def test_every_extra_of_the_index_exists() -> None:
    assert {row[1].strip("`") for row in listed().values()} - {""} == EXTRAS


@EVERY_PAGE
def test_the_index_says_whether_a_table_can_be_watched_by_metadata(page: Path) -> None:
    url = with_driver(url_of(page)).render_as_string(hide_password=False)
    assert (listed()[page.stem][3] == "yes") == (without_metadata(url) is None)


def test_every_form_of_watch_on_the_pages_is_one_that_a_sync_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "snowflake://jane@account/crm")
    spans = {span for page in (INDEX, *EACH) for span in code_spans(text_of(page)) if "…" not in span}
    forms = [yaml.safe_load(span) for span in sorted(spans) if span.startswith("watch: {")]
    assert len(forms) == 3
    for form in forms:
        sync = {"name": "a", "object": "customers", "query": "select 1", "match_on": ["email"]}
        assert ObjectSync.model_validate({**sync, "fields": {"email": "email"}, **form}).watch is not None
