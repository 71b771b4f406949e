"""What goes together in one request: within the limits of the wire, suspects last, what bulk does not take alone."""

from __future__ import annotations

from typing import Any

from kustomer_pipeline.kustomer import ObjectName, Record, Wire
from kustomer_pipeline.sync.apply.chunks import chunks, fits_bulk, item_of
from kustomer_pipeline.sync.decisions import Create, Match, Resolved, Update, Write
from kustomer_pipeline.sync.patch import Patch
from kustomer_pipeline.sync.rows import Case, DesiredRow
from kustomer_pipeline.sync.state import RememberedRow


def case(number: int, *, refused: bool = False) -> Case:
    remembered = RememberedRow(str(number), "rejected") if refused else None
    return Case(DesiredRow(number, str(number), 0, {}), remembered)


def create(number: int, *, refused: bool = False, **body: Any) -> Create:
    return Create(Resolved(case(number, refused=refused), {}, Match()), body or {"name": str(number)}, {})


def update(number: int, object_name: ObjectName = "customers", *, refused: bool = False, **body: Any) -> Update:
    live = Record(object_name, f"id{number}", {}, "company" if object_name == "customers" else None, 5, False)
    of = Resolved(case(number, refused=refused), {}, Match(record=live))
    return Update(of, live, Patch(body or {"name": str(number)}, ()), {})


def keys(writes: list[Write], object_name: ObjectName = "customers", *, bulk: bool = True) -> list[list[str]]:
    """The keys in each request."""
    found = chunks(writes, Wire(), object_name, bulk=bulk)
    return [[write.case.key for write in chunk] for chunk in found]


def test_a_request_has_as_many_items_as_it_takes() -> None:
    assert [len(one) for one in keys([create(n) for n in range(250)])] == [100, 100, 50]


def test_the_order_of_the_rows_is_kept() -> None:
    assert [key for one in keys([create(n) for n in range(250)]) for key in one] == [str(n) for n in range(250)]


def test_a_request_has_as_many_bytes_as_it_takes() -> None:
    found = list(chunks([create(n, name="x" * 30_000) for n in range(10)], Wire(), "customers", bulk=True))
    sizes = [sum(Wire().item_size(item_of(write, with_rev=True)) for write in chunk) for chunk in found]
    assert [len(chunk) for chunk in found] == [3, 3, 3, 1]
    assert max(sizes) <= Wire().max_bytes


def test_a_row_larger_than_a_request_goes_alone() -> None:
    """Kustomer refuses it then, and nobody else with it."""
    assert keys([create(0), create(1, name="x" * 200_000), create(2)]) == [["0"], ["1"], ["2"]]


def test_creates_and_updates_go_apart() -> None:
    assert keys([create(0), update(1), create(2), update(3)]) == [["0", "2"], ["1", "3"]]


def test_rows_that_were_refused_before_go_last_and_apart() -> None:
    writes: list[Write] = [create(0, refused=True), create(1), update(2, refused=True), update(3)]
    assert keys(writes) == [["1"], ["3"], ["0"], ["2"]]


def test_without_bulk_every_row_goes_alone() -> None:
    assert keys([create(n) for n in range(3)], bulk=False) == [["0"], ["1"], ["2"]]


def test_nothing_to_write_is_no_request() -> None:
    assert keys([]) == []


def test_a_company_attribute_that_bulk_does_not_take_goes_alone() -> None:
    writes: list[Write] = [update(0, "companies"), update(1, "companies", whatsapps=[]), update(2, "companies")]
    assert keys(writes, "companies") == [["1"], ["0", "2"]]
    assert not fits_bulk(writes[1], Wire(), "companies")


def test_an_update_says_whom_it_is_about_and_which_company_it_keeps() -> None:
    item = item_of(update(1, name="Ann"), with_rev=True)
    assert item == {"id": "id1", "name": "Ann", "company": "company", "rev": 5}
    assert "rev" not in item_of(update(1), with_rev=False)
