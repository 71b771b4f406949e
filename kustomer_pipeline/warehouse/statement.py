"""A query as text: where it ends, and whether it is one statement."""

from __future__ import annotations

import re

from .errors import QueryError

# Whatever may hold a semicolon that ends no statement: text, quoted names, PostgreSQL's $$text$$, comments.
_QUOTED = re.compile(
    r"""
    \b[eE]'(?:[^'\\]|''|\\.)*' | '[^']*' | "[^"]*" | `[^`]*` | \$(\w*)\$.*?\$\1\$ | --[^\n]* | /\*.*?\*/
    """,
    re.DOTALL | re.VERBOSE,
)


def require_one_statement(sql: str) -> None:
    """Raises QueryError: it is empty, or several."""
    bare = _QUOTED.sub(" ", sql)
    if not bare.strip(" \t\r\n;"):
        raise QueryError("The query is empty")
    if ";" in bare.rstrip(" \t\r\n;"):
        raise QueryError("The query is several statements; write one select (a semicolon at its end is fine)")


def without_end(sql: str) -> str:
    """A statement without the semicolon at its end: what can stand inside another one."""
    bare = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), sql)
    end = bare.find(";")  # of one statement: after its semicolon there are only spaces and comments
    return sql[:end] if end >= 0 else sql
