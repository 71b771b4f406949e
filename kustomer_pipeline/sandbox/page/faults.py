"""The faults: every one with its sentence, those that are on, and a form for each to switch it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..fault_names import FAULTS, FaultKind
from ..faults import Fault
from ..state import SandboxState
from .fault_form import FIELDS, METHODS, Problems
from .html import Child, Html, chip, code, element, joined, link, quiet
from .parts import Row, section, table
from .visit import Sheet, Visit

_LABELS = {
    "value": "Value",
    "times": "How many times",
    "after": "Not for the first",
    "probability": "Probability",
    "method": "Method",
    "path": "Path begins with",
}


@dataclass(frozen=True)
class Rejected:
    """A form that was not accepted: which fault it was for, what was typed in, what is wrong with it."""

    name: str
    typed: Mapping[str, str]
    problems: Problems


def faults_page(visit: Visit, rejected: Rejected | None = None) -> Sheet:
    """All faults. While the page refreshes itself, only what is on and how often each fired."""
    active = visit.state.faults.active()
    on = section("Switched on", active_table(visit.state), _clear(visit) if active and not visit.refresh else None)
    if visit.refresh:
        return Sheet("Faults", joined(on, quiet("Stop the refreshing to switch faults.")))
    groups: dict[str, list[FaultKind]] = {}
    for kind in FAULTS.values():
        groups.setdefault(kind.group, []).append(kind)
    intro = quiet(
        "A fault fires for every request, or only for those that are chosen in its form. Times counts the requests "
        "that fit; the path may hold * and ?, as in /v1/bulk/*/batches."
    )
    parts = [
        section(f"{group[0].upper()}{group[1:]}", (_fault(visit, kind, active.get(kind.name), rejected)
                                                  for kind in kinds))
        for group, kinds in groups.items()
    ]  # fmt: skip
    return Sheet("Faults", joined(on, intro, parts), status=400 if rejected else 200)


def active_table(state: SandboxState) -> Html:
    """The faults that are on, with their settings and how often each fired."""
    active = state.faults.active()
    if not active:
        return quiet("None: the sandbox does what Kustomer's documentation says.")
    rows = (
        Row(
            link(code(name), f"/faults#fault-{name}"),
            None if fault.value is None else str(fault.value),
            _settings(fault),
            _times(state.faults.fired[name]),
        )
        for name, fault in active.items()
    )
    return table(["Fault", "Value", "When", "Fired"], rows)


def _settings(fault: Fault) -> str:
    """When a fault fires, in words."""
    parts = [
        f"{fault.method.upper()} only" if fault.method else "",
        f"paths like {fault.path.rstrip('*')}*" if fault.path else "",
        f"not for the first {fault.after}" if fault.after else "",
        _times(fault.times) if fault.times is not None else "",
        f"with probability {fault.probability:g}" if fault.probability < 1 else "",
    ]
    return ", ".join(part for part in parts if part) or "always"


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count:,} times")


def _fault(visit: Visit, kind: FaultKind, active: Fault | None, rejected: Rejected | None) -> Html:
    mine = rejected if rejected is not None and rejected.name == kind.name else None
    fired = visit.state.faults.fired[kind.name]
    head = joined(
        code(kind.name),
        joined(" ", chip("on", "warn")) if active is not None else None,
        joined(" ", chip(f"fired {_times(fired)}")) if fired else None,
        element("span", kind.description, class_="quiet"),
    )
    typed = mine.typed if mine else _values(active)
    problems: Problems = mine.problems if mine else {}
    fields = [
        _field(kind, name, typed.get(name, ""), problems.get(name))
        for name in FIELDS
        if name != "value" or kind.value is not None
    ]
    buttons = joined(
        _button("on", "Change" if active is not None else "Switch on", first=True),
        _button("off", "Switch off") if active is not None else None,
    )
    form = element(
        "form",
        _hidden(visit, kind.name),
        fields,
        buttons,
        class_="row",
        method="post",
        action="/faults",
    )
    return element(
        "details", element("summary", head), form, id=f"fault-{kind.name}", open=active is not None or mine is not None
    )


def _values(fault: Fault | None) -> dict[str, str]:
    """What the form of a fault shows: its settings, empty where nothing is said."""
    if fault is None:
        return {}
    return {
        "value": "" if fault.value is None else str(fault.value),
        "times": "" if fault.times is None else str(fault.times),
        "after": str(fault.after) if fault.after else "",
        "probability": f"{fault.probability:g}" if fault.probability < 1 else "",
        "method": fault.method or "",
        "path": fault.path or "",
    }


def _field(kind: FaultKind, name: str, typed: str, problem: str | None) -> Html:
    choices = kind.choices if name == "value" else ("", *METHODS) if name == "method" else ()
    control: Child
    if choices:
        chosen = typed or (str(kind.default) if name == "value" else "")
        options = (element("option", each or "any", value=each, selected=each == chosen) for each in choices)
        control = element("select", options, name=name)
    else:
        control = element(
            "input",
            name=name,
            value=typed,
            placeholder=_placeholder(kind, name),
            inputmode="decimal" if _is_number(kind, name) else None,
            aria_invalid="true" if problem else None,
        )
    told = element("p", problem, class_="problem", role="alert") if problem else None
    return element("label", _LABELS[name], control, told, class_="wide" if name == "path" else None)


def _is_number(kind: FaultKind, name: str) -> bool:
    return name in ("times", "after", "probability") or (name == "value" and kind.value in (int, float))


def _placeholder(kind: FaultKind, name: str) -> str:
    defaults = {"value": kind.default, "times": "always", "after": 0, "probability": 1, "path": "/v1/"}
    return str(defaults.get(name, ""))


def _button(action: str, text: str, *, first: bool = False) -> Html:
    return element("button", text, name="action", value=action, class_="first" if first else None)


def _hidden(visit: Visit, name: str = "") -> Html:
    token = element("input", type="hidden", name="token", value=visit.token)
    return joined(token, element("input", type="hidden", name="name", value=name) if name else None)


def _clear(visit: Visit) -> Html:
    button = _button("clear", "Switch all off")
    return element("form", _hidden(visit), button, class_="row", method="post", action="/faults")
