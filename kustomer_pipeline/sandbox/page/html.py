"""HTML whose every text is escaped: a piece is built from texts, which are escaped, and from pieces, which are not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any


class Html(str):
    """A piece of a page: markup that was built here, in which everything that came from outside is escaped."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]
"""What may stand in an element: a text, a number, a piece, several of them, or nothing."""

_WITHOUT_END = {"input", "meta", "br"}


def element(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """`element("a", "Jane", href="/x")`. An attribute that is False or None is left out, one that is True has no value;
    `class_` is class, `data_label` is data-label.
    """
    shown = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _WITHOUT_END:
        return Html(f"<{name}{shown}>")
    return Html(f"<{name}{shown}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Html:
    """Pieces and texts one after the other; the texts escaped."""
    parts = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Html):
            parts.append(str(child))
        elif isinstance(child, str | int):
            parts.append(escape(str(child)))
        else:
            parts.append(str(joined(*child)))
    return Html("".join(parts))


def link(text: Child, target: str) -> Html:
    """A link to another page of the sandbox."""
    return element("a", text, href=target)


def code(text: str) -> Html:
    """Something that a person copies: an id, a path."""
    return element("code", text)


def quiet(*children: Child) -> Html:
    """A remark."""
    return element("p", *children, class_="quiet")


def chip(text: str, kind: str = "") -> Html:
    """A short word that is to be seen from afar: a status, the name of a tag."""
    return element("span", text, class_=f"chip {kind}".rstrip())


def pretty(value: Any) -> Html:
    """JSON in lines."""
    return element("pre", json.dumps(value, indent=2, ensure_ascii=False))


def pretty_body(body: bytes) -> Html:
    """A body as it went over the wire: JSON in lines, anything else as it is."""
    text = body.decode("utf-8", "replace")
    try:
        return pretty(json.loads(text))
    except ValueError:
        return element("pre", text)
