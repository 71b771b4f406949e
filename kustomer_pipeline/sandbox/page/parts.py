"""The parts that the pages share: the frame around each, tables, pages of lists, facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..times import iso
from .html import Child, Html, element, joined, link, quiet
from .look import SCRIPT, STYLE
from .visit import PAGE_SIZE, Sheet, Visit

_TABS = {
    "/": "Overview",
    "/customers": "Customers",
    "/companies": "Companies",
    "/tags": "Tags",
    "/jobs": "Bulk jobs",
    "/requests": "Requests",
    "/faults": "Faults",
}
_REFRESH_SECONDS = 2


def framed(visit: Visit, sheet: Sheet) -> str:
    """The whole document."""
    state = visit.state
    refresh = visit.refresh if sheet.may_refresh else None
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="refresh", content=refresh) if refresh else None,
        element("title", f"{sheet.title} - Kustomer sandbox: {state.org_name}"),
        element("style", Html(STYLE)),
    ]
    header = element(
        "header",
        element("h1", f"Kustomer sandbox: {state.org_name}"),
        quiet(
            "Org ", element("code", state.org_id), f", in memory, new at {iso(state.created)}. "
            "It is not Kustomer; nothing leaves this machine.",
        ),
        element("nav", (_tab(visit, path, name) for path, name in _TABS.items()), _switch(visit, sheet)),
    )  # fmt: skip
    script = element("script", Html(SCRIPT))
    body = element("body", header, element("main", sheet.body), script)
    return "<!doctype html>" + element("html", element("head", *head), body, lang="en")


def _tab(visit: Visit, path: str, name: str) -> Html:
    here = visit.path == path or (path != "/" and visit.path.startswith(f"{path}/"))
    return element("a", name, href=path, aria_current="page" if here else None)


def _switch(visit: Visit, sheet: Sheet) -> Html | None:
    """What switches the refreshing on and off."""
    if not sheet.may_refresh:
        return None
    if visit.refresh:
        text = f"Refreshed every {visit.refresh} s"
        return element("span", text, link("stop", visit.link(refresh=None)), class_="refresh")
    return element(
        "span", link(f"Refresh every {_REFRESH_SECONDS} s", visit.link(refresh=_REFRESH_SECONDS)), class_="refresh"
    )


def section(title: str, *children: Child, **attributes: str) -> Html:
    """A part of a page with its heading."""
    return element("section", element("h2", title), *children, **attributes)


def facts(values: Sequence[tuple[str, Child]], kind: str = "") -> Html:
    """Names and what they are, side by side."""
    pairs = (element("div", element("dt", name), element("dd", value)) for name, value in values)
    return element("dl", pairs, class_=kind or None)


def table(names: Sequence[str], rows: Iterable[Row], *, tall: bool = False) -> Html:
    """Rows under their names; on a narrow screen each cell beside its name."""
    shown = [
        element(
            "tr",
            (element("td", cell, data_label=name) for name, cell in zip(names, row.cells, strict=True)),
            class_=row.kind or None,
        )
        for row in rows
    ]
    if not shown:
        return quiet("None yet.")
    head = element("thead", element("tr", (element("th", name) for name in names)))
    body = element("table", head, element("tbody", shown))
    return element("div", body, class_="tall") if tall else body


class Row:
    """A row of a table; `kind` makes it stand out: bad, warn."""

    def __init__(self, *cells: Child, kind: str = "") -> None:
        self.cells = cells
        self.kind = kind


def pager(visit: Visit, shown: int, *, count: int | None = None, more: bool = False, size: int = PAGE_SIZE) -> Html:
    """Where in a list one is, and the way to the rows before and after. Without a `count`, `more` says whether there
    are any after.
    """
    start = visit.start
    if count is not None:
        more = start + shown < count
    if not shown and not start:
        return joined()
    where = f"{start + 1:,} to {start + shown:,}" if shown else "None here"
    ways = [
        link(f"previous {size}", visit.link(start=max(0, start - size) or None)) if start else None,
        link(f"next {size}", visit.link(start=start + size)) if more else None,
    ]
    total = f" of {count:,}" if count is not None else ""
    return quiet(f"{where}{total}. ", (joined(way, " ") for way in ways if way is not None))


def moment(epoch: float) -> Html:
    """A time to the second; with the whole of it where the pointer rests."""
    text = iso(epoch)
    return element("span", f"{text[:10]} {text[11:19]}", title=text)


def written(text: str) -> str:
    """A time as Kustomer writes it, to the second."""
    return f"{text[:10]} {text[11:19]}"


def not_found(what: str) -> Sheet:
    """There is nothing at this address."""
    text = f"There is no {what} here. The org is in memory: it was new when the sandbox was started."
    return Sheet("Not found", section("Not found", element("p", text)), status=404)
