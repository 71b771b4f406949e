"""The benchmark measures what it says it does; with so few rows that it takes seconds."""

import json
from pathlib import Path
from typing import Any

import pytest

from kustomer_pipeline_tests.bench import large, page, results, speed
from kustomer_pipeline_tests.bench.__main__ import FOLDER, main
from kustomer_pipeline_tests.bench.kinds import AUDIENCE, EXIST, NEW, UNCHANGED, UPDATE
from kustomer_pipeline_tests.bench.speed import Sizes
from kustomer_pipeline_tests.bench.track import OTHERS_A_MINUTE, RATE_LIMIT, Others, Track, purpose
from kustomer_pipeline_tests.readme import figures, shown_figures
from kustomer_pipeline_tests.world import customers, people


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = ((1_000, 1_000), (60, 2_000))
    sizes = Sizes(alone=200, queue=200, others=200, by_hand=20, beside=speed.QUICK.beside, ways=ways)
    monkeypatch.setattr("kustomer_pipeline_tests.bench.__main__.QUICK", sizes)


def measured(folder: Path, *arguments: str) -> Any:
    main([*arguments, "--quick", "--folder", str(folder)])
    return json.loads((folder / "quick.json").read_text())


@pytest.mark.usefixtures("tiny")
def test_speed_is_measured_for_every_kind_of_run_and_drawn(tmp_path: Path) -> None:
    found = measured(tmp_path, "speed")
    alone = {one["kind"]: one for one in found["speed"] if one["condition"] == "on their own"}
    assert {NEW, EXIST, UPDATE, AUDIENCE, UNCHANGED} < alone.keys()
    assert alone[UNCHANGED]["units"] == 1
    assert all(one["records_a_minute"] > 0 for one in found["speed"] if one["units"] > 1)
    assert {one["condition"] for one in found["speed"]} == {"on their own", "in a queue", "others take half"}
    assert (tmp_path / "quick.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("tiny")
def test_the_way_that_was_taken_is_told_by_what_was_asked(tmp_path: Path) -> None:
    found = measured(tmp_path, "ways")
    assert [one["way"] for one in found["ways"]] == ["walk through the list", "search"]


def test_what_is_not_measured_again_stays_as_it_was(tmp_path: Path) -> None:
    measured(tmp_path, "unchanged", "--rows", "500")
    found = measured(tmp_path, "cpu", "--rows", "100")
    assert found["unchanged"]["rows"] == 500
    assert found["unchanged"]["units"] == 1
    assert all(milliseconds > 0 for milliseconds in found["cpu"].values())


def test_growth_is_measured_with_a_tenth_of_the_rows_and_all_of_them(tmp_path: Path) -> None:
    found = measured(tmp_path, "growth", "--rows", "1000")
    assert [(one["kind"], one["rows"]) for one in found["growth"]] == [
        (UNCHANGED, 100),
        (UNCHANGED, 1000),
        *((kind, rows) for rows in (100, 1000) for kind in (NEW, UPDATE, AUDIENCE, EXIST)),
    ]


def test_a_large_table_is_measured_as_it_is_and_with_a_thousandth_changed(tmp_path: Path) -> None:
    found = measured(tmp_path, "large", "--rows", "2000", "--warehouse", "postgresql", "--compare", "in_warehouse")
    unchanged, changed = found["large"]
    assert (unchanged["situation"], unchanged["changed"], changed["situation"], changed["changed"]) == (
        "unchanged",
        0,
        "0.1 % changed",
        2,
    )
    assert unchanged["units"] < changed["units"]
    for one in found["large"]:
        assert (one["warehouse"], one["comparison"], one["rows"]) == ("postgresql", "in_warehouse", 2000)
        assert 0 <= one["statement_seconds"] <= one["seconds"]["read the warehouse"]
        assert list(one["seconds"]) == list(one["peak_mb"]) == ["read the warehouse", "map", "run"]
        assert one["processor_seconds"] > 0
    assert (tmp_path / "quick.large.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_did_not_do_what_is_measured_gives_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "change", lambda url: 5)  # and changes nothing
    only = large.Only(comparisons=("in_warehouse",), situations=(large.CHANGED,))
    found: list[large.Measured] = []
    with pytest.raises(RuntimeError, match=r"of 1000 rows, of which 5 have changed, the run says: .*'unchanged': 1000"):
        large.table_of("sqlite", 1_000, found.append, only)
    assert found == []


def test_the_first_write_of_the_state_is_measured_in_both_databases(tmp_path: Path) -> None:
    found = measured(tmp_path, "first_write", "--rows", "500")
    assert [(one["database"], one["rows"]) for one in found["first_write"]] == [("sqlite", 500), ("postgresql", 500)]
    assert found["first_write"][0]["server_seconds"] is None


def test_a_case_that_is_measured_again_takes_the_place_of_its_figures_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "quick.json"

    def write(*figures: tuple[int, str, float]) -> None:
        results.write(path, {"first_write": [{"rows": a, "database": b, "seconds": c} for a, b, c in figures]})

    write((20, "sqlite", 2.0), (10, "sqlite", 1.0))
    write((10, "sqlite", 1.5), (10, "postgresql", 3.0))
    known = json.loads(path.read_text())["first_write"]
    assert [(one["rows"], one["database"], one["seconds"]) for one in known] == [
        (10, "sqlite", 1.5),
        (10, "postgresql", 3.0),
        (20, "sqlite", 2.0),
    ]


def test_the_page_shows_the_figures_of_large_tables() -> None:
    """Else: python -m kustomer_pipeline_tests.bench.page"""
    latest = json.loads((FOLDER / "latest.json").read_text(encoding="utf-8"))
    assert page.shown(FOLDER / "README.md") == page.tables(latest)


def test_the_figures_name_no_path_of_this_machine(tmp_path: Path) -> None:
    measured(tmp_path, "cpu", "--rows", "20")
    assert str(tmp_path) not in (tmp_path / "quick.json").read_text()


def test_others_spend_evenly_and_the_lowest_that_was_left_is_seen(tmp_path: Path) -> None:
    with Track(f"sqlite:///{tmp_path}/state.db") as track:
        now = track.clock.time()
        others = Others(track.sandbox, now)
        assert others.spend(now + 30) == RATE_LIMIT - OTHERS_A_MINUTE // 2 - 1
        assert track.sandbox.state.limits.org.remaining(now + 30) == RATE_LIMIT - OTHERS_A_MINUTE // 2 - 1


def test_the_sandboxes_own_work_is_not_counted_as_the_engines(tmp_path: Path) -> None:
    with Track(f"sqlite:///{tmp_path}/state.db") as track:
        slow = Slow(track)
        figures = track.measured(NEW, customers(), people(100))
        assert slow.seconds > 0
        assert figures.processor_ms * figures.rows / 1000 < slow.seconds


def test_requests_are_told_apart_by_what_they_are_for() -> None:
    person = "0123456789abcdef01234567"
    asked = [
        ("POST", "/v1/customers/search"),
        ("GET", "/v1/customers"),
        ("GET", "/v1/companies/externalId=A-1"),
        ("GET", f"/v1/customers/{person},{person}"),
        ("PUT", "/v1/customers/bulk"),
        ("GET", f"/v1/bulk/{person}/batches"),
        ("PUT", f"/v1/customers/{person}"),
        ("GET", "/v1/tags"),
    ]
    assert [purpose(method, path) for method, path in asked] == [
        "search",
        "list",
        "look up",
        "read",
        "hand in",
        "ask for results",
        "write one",
        "other",
    ]


class Slow:
    """The sandbox computes for a long time before each answer."""

    def __init__(self, track: Track) -> None:
        self.seconds = 0.0
        track.sandbox.hooks.before.append(lambda _: self._compute())

    def _compute(self) -> None:
        sum(range(10_000_000))
        self.seconds += 0.15  # at least what that takes


def test_the_readme_shows_the_figures_that_were_measured() -> None:
    """Else: python -m kustomer_pipeline_tests.readme"""
    assert shown_figures() == figures()
