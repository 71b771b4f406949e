"""What a person typed into the form of a fault, and whether it can be done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..fault_names import FAULTS, FaultKind
from ..faults import Faults, UnknownFaultError

FIELDS = ("value", "times", "after", "probability", "method", "path")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

Problems = dict[str, str]
"""Field → what is wrong with it."""


class UnknownFormError(ValueError):
    """The form is none of the page's."""


@dataclass(frozen=True)
class _Settings:
    value: str | int | float | None
    times: int | None
    after: int
    probability: float
    method: str | None
    path: str | None


def perform(faults: Faults, typed: Mapping[str, str]) -> Problems:
    """Switch a fault on or off, or all off, as a form says. What is wrong, by field; nothing is changed then."""
    action, name = typed.get("action", ""), typed.get("name", "")
    if action == "clear":
        faults.clear()
        return {}
    kind = FAULTS.get(name)
    if kind is None or action not in ("on", "off"):
        raise UnknownFormError(f"no form of this page switches {name!r} {action!r}")
    if action == "off":
        faults.clear(name)
        return {}
    problems: Problems = {}
    settings = _read(kind, typed, problems)
    if not problems:
        try:
            faults.set(
                name,
                settings.value,
                times=settings.times,
                after=settings.after,
                probability=settings.probability,
                method=settings.method,
                path=settings.path,
            )
        except UnknownFaultError as error:
            problems["value"] = str(error)
    return problems


def _read(kind: FaultKind, typed: Mapping[str, str], problems: Problems) -> _Settings:
    given = {name: typed.get(name, "").strip() for name in FIELDS}
    times = _whole(given["times"], "times", 1, problems)
    after = _whole(given["after"], "after", 0, problems)
    probability = _number(given["probability"], problems)
    method = given["method"].upper() or None
    if method is not None and method not in METHODS:
        problems["method"] = f"One of {', '.join(METHODS)}."
    path = given["path"] or None
    if path is not None and path[0] not in "/*?":
        problems["path"] = "Begins with / as in /v1/customers, or with *."
    value = _value(kind, given["value"], problems)
    return _Settings(value, times, after or 0, probability, method, path)


def _value(kind: FaultKind, text: str, problems: Problems) -> str | int | float | None:
    """The value; None for the default."""
    if not text or kind.value is None:
        return None
    if kind.value is float:
        try:
            return float(text)
        except ValueError:
            problems["value"] = "A number of seconds, 0 or more."
            return None
    return _whole(text, "value", int(kind.least), problems) if kind.value is int else text


def _whole(text: str, field: str, least: int, problems: Problems) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) >= least):
        problems[field] = f"A whole number, {least} or more."
        return None
    return int(text)


def _number(text: str, problems: Problems) -> float:
    try:
        probability = float(text or 1)
    except ValueError:
        probability = math.nan
    if not 0 <= probability <= 1:
        problems["probability"] = "A number from 0 to 1."
    return probability
