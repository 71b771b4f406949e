"""What a driver says about an error, as it may be shown: without the password, without any value of a row.

Databases quote what they cannot convert ("invalid input syntax for type integer: …"), and PostgreSQL adds lines with
whole rows (DETAIL, CONTEXT). What is about the statement (a syntax error, a name that does not exist, a right that is
missing) is told as it is; of everything else what stands in quotes is left out, and the SQLSTATE is told instead.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

# PostgreSQL's classes of SQLSTATE that are about the statement, the session or the server, never about a row's value:
# connection, not supported, transaction state, login, database, schema, rollback, names and rights, resources,
# limits, state of an object, intervention, system.
_ABOUT_NO_VALUE = ("08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58")
_OWN_WORDS = "P0"  # RAISE in a function: the words are the author's, and may be made of values
_VALUE_LINES = re.compile(r"\n(?:DETAIL|CONTEXT|WHERE|QUERY):.*?(?=\n(?:HINT|LINE \d+):|\Z)", re.DOTALL)
# Other databases: the words of errors about values, and those of errors about names, which are worth their quotes.
_ABOUT_VALUES = re.compile(
    r"\b(?:value|cast\w*|conver\w+|pars\w+|decod\w+|truncated|incorrect|duplicate|recogni[sz]ed|out of range|json)\b",
    re.IGNORECASE,
)
_ABOUT_NAMES = re.compile(
    r"\b(?:column|table|relation|object|identifier|function|schema|syntax|compilation)\b.*\b(?:not|unknown|no|invalid)\b"
    r"|\b(?:no such|unknown|unresolved|syntax error)\b",
    re.IGNORECASE,
)
# ClickHouse names each of its errors at the end: these are about the statement or the session. Of its others the words
# do not tell, and some quote a value without any quotes ("Cannot parse uuid jane@acme.com: …"): only the name is told.
_CLICKHOUSE_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?:\s*\(version .*)?\s*$")
_CLICKHOUSE_ABOUT_NO_VALUE = re.compile(
    r"UNKNOWN|SYNTAX|DENIED|AUTHENTICATION|NOT_ENOUGH_PRIVILEGES|READONLY|TIMEOUT|LIMIT|NETWORK|NUMBER_OF_ARGUMENTS"
)
_QUOTED = re.compile(r"""(["'`])(?:.*\1|.*)""", re.DOTALL)
_UNQUOTED_VALUE = re.compile(r"(\bvalue: )[^\"'`].*", re.DOTALL | re.IGNORECASE)
_BYTES = re.compile(r"\b0x[0-9a-fA-F]+(?: 0x[0-9a-fA-F]+)*")


def message(engine: sa.Engine, error: exc.DBAPIError) -> str:
    """What the driver said, for people."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    of_postgresql = engine.dialect.name == "postgresql" and bool(state)
    text = _of_postgresql(error.orig, state) if of_postgresql else _of_others(error)
    return _masked(engine.url, text) or type(error.orig).__name__


def without_password(url: sa.URL, error: Exception) -> str:
    """The text of an error that no row was read before: a library beneath the driver, or SQLAlchemy, raised it."""
    return _masked(url, str(error).strip()) or "no reason was given"


def foreign_message(url: sa.URL, error: Exception) -> str:
    """The text of an error that is not of the driver, after rows may have been read."""
    return _masked(url, _words(error, about_values=False)) or type(error).__name__


def _masked(url: sa.URL, text: str) -> str:
    return text.replace(str(url.password), "***") if url.password else text


def _of_postgresql(error: Any, state: str) -> str:
    if state.startswith(_ABOUT_NO_VALUE):
        return _VALUE_LINES.sub("", str(error).strip()).strip()
    if state.startswith(_OWN_WORDS):
        return f"a function of the database raised an error of its own, which may quote values (SQLSTATE {state})"
    primary = getattr(getattr(error, "diag", None), "message_primary", None) or str(error).partition("\n")[0]
    return f"{_without_values(str(primary))} (SQLSTATE {state})"


def _of_others(error: exc.DBAPIError) -> str:
    return _words(error.orig, about_values=isinstance(error, exc.DataError | exc.IntegrityError))


def _words(error: Any, *, about_values: bool) -> str:
    text = _VALUE_LINES.sub("", _said(error))  # Redshift's are PostgreSQL's
    if named := _CLICKHOUSE_NAME.search(text):
        return text if _CLICKHOUSE_ABOUT_NO_VALUE.search(named[1]) else f"{named[1]}, an error about a value"
    own_words = _QUOTED.sub(" ", _UNQUOTED_VALUE.sub(r"\1", text))  # a value may say "no such column", too
    about_values = about_values or (
        _ABOUT_VALUES.search(own_words) is not None and _ABOUT_NAMES.search(own_words) is None
    )
    return _without_values(text) if about_values else text


def _said(error: Any) -> str:
    """The text of an error; of (code, text), as MySQL's and SQL Server's drivers give it, the text first."""
    arguments: tuple[Any, ...] = getattr(error, "args", ())
    if len(arguments) == 2 and isinstance(arguments[0], int | str) and isinstance(arguments[1], str | bytes):
        code, text = arguments
        text = text.decode(errors="replace") if isinstance(text, bytes) else text
        return f"{text.strip()} ({code})"
    return str(error).strip()


def _without_values(text: str) -> str:
    """From the first quote to the last one of its kind, for a value may hold quotes; and bytes written in hex."""
    shown = _QUOTED.sub(lambda quoted: f"{quoted[1]}…{quoted[1]}", _UNQUOTED_VALUE.sub(r"\1…", text), count=1)
    return _BYTES.sub("…", shown)
