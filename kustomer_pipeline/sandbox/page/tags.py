"""Tags: who holds them."""

from __future__ import annotations

import re

from ..tags import Tag
from .html import Html, chip, code, element, joined, link
from .parts import Row, moment, pager, section, table
from .visit import PAGE_SIZE, Sheet, Visit

_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]+")


def tags_page(visit: Visit) -> Sheet:
    """The list of tags, deleted ones too: records keep those."""
    tags = list(visit.state.store.tags.by_id.values())
    chosen = tags[visit.start : visit.start + PAGE_SIZE]
    rows = [_row(visit, tag) for tag in chosen]
    names = ["Name", "Colour", "Customers", "Companies", "Made", "Id"]
    return Sheet("Tags", section("Tags", table(names, rows), pager(visit, len(rows), count=len(tags))))


def _row(visit: Visit, tag: Tag) -> Row:
    name = chip(tag.name, "tag")
    return Row(
        joined(name, " ", chip("deleted", "bad")) if tag.deleted_at is not None else name,
        _color(tag.color) if tag.color else None,
        _holders(visit, tag.id, "customer", "/customers"),
        _holders(visit, tag.id, "company", "/companies"),
        moment(tag.created),
        code(tag.id),
    )


def _holders(visit: Visit, tag_id: str, kind: str, path: str) -> Html:
    count = len(visit.holders.of_tag(kind, tag_id))
    return link(f"{count:,}", f"{path}?tag={tag_id}")


def _color(color: str) -> Html:
    """With a dot in it, if it is a colour at all: the API takes any text."""
    if not _COLOR.fullmatch(color):
        return joined(color)
    dot = element("svg", element("circle", cx=6, cy=6, r=6, fill=color), width=12, height=12, aria_hidden="true")
    return joined(dot, " ", color)
