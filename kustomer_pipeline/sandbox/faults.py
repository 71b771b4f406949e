"""Faults on demand: which are switched on, and for which requests they fire.

A fault fires always, for the next `times` matching requests, after the first `after` of them, or with a
`probability` from a seeded generator; matching means the method and the beginning of the path. The names are
in fault_names.py.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from .fault_names import FAULTS


class UnknownFaultError(ValueError):
    """There is no fault of that name, or it cannot have that value."""


@dataclass(frozen=True)
class Fault:
    """When a fault fires, and with which value."""

    value: Any = None
    times: int | None = None
    """Only the next so many matching requests; None for all."""
    after: int = 0
    """Not for the first so many matching requests."""
    probability: float = 1.0
    method: str | None = None
    path: str | None = None
    """The beginning of the path, as it was sent; `*` and `?` as in file names: `/v1/bulk/*/batches`."""

    def matches(self, method: str, path: str) -> bool:
        """Whether the fault is meant for such a request."""
        if self.method is not None and method != self.method.upper():
            return False
        return self.path is None or fnmatchcase(path, self.path + "*")


def _checked(name: str, fault: Fault) -> Fault:
    kind = FAULTS.get(name)
    if kind is None:
        raise UnknownFaultError(f"there is no fault {name!r}; there are: {', '.join(sorted(FAULTS))}")
    value = kind.default if fault.value is None or fault.value is True else fault.value
    if kind.value is None:
        if value is not None:
            raise UnknownFaultError(f"the fault {name} takes no value")
        return fault if fault.value is None else replace(fault, value=None)
    try:
        value = kind.value(value)
    except (TypeError, ValueError):
        raise UnknownFaultError(
            f"the fault {name} takes a value of type {kind.value.__name__}, not {value!r}"
        ) from None
    if isinstance(value, int | float) and not kind.least <= value <= kind.most:
        beyond = f"{kind.least} to {kind.most}" if math.isfinite(kind.most) else f"{kind.least} or more"
        raise UnknownFaultError(f"the value of the fault {name} is {beyond}, not {value!r}")
    if kind.choices and value not in kind.choices:
        raise UnknownFaultError(f"the fault {name} is one of {', '.join(kind.choices)}, not {value!r}")
    return replace(fault, value=value)


def parse_fault(text: str) -> tuple[str, Fault]:
    """A fault as the command line writes it:
    `NAME[=VALUE][:times=N][:after=N][:probability=P][:method=M][:path=P]`.
    """
    head, *settings = text.split(":")
    name, has_value, value = head.partition("=")
    fields: dict[str, Any] = {"value": value if has_value else None}
    converters = {"times": int, "after": int, "probability": float, "method": str, "path": str}
    for setting in settings:
        key, _, given = setting.partition("=")
        if key not in converters:
            raise UnknownFaultError(f"in {text!r}: {key!r} is not one of {', '.join(converters)}")
        try:
            fields[key] = converters[key](given)
        except ValueError:
            raise UnknownFaultError(f"in {text!r}: {key} is a number, not {given!r}") from None
    return name, _checked(name, Fault(**fields))


FaultsInput = Mapping[str, Any] | Iterable[str] | None


class Faults:
    """The faults that are switched on. May be changed while the sandbox runs.

    >>> faults = Faults({"batches_shape": "paged"})
    >>> faults.set("drop_after", times=1, method="POST", path="/v1/customers/bulk")
    >>> faults.clear("drop_after")
    """

    def __init__(self, faults: FaultsInput = None, *, seed: int = 0) -> None:
        self.fired: Counter[str] = Counter()
        """How often each fault fired."""
        self._active: dict[str, Fault] = {}
        self._seen: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._random = random.Random(seed)
        if isinstance(faults, Mapping):
            for name, value in faults.items():
                fault = value if isinstance(value, Fault) else Fault(value)
                if value is not False and value is not None:
                    self._activate(name, fault)
        else:
            for text in faults or ():
                self._activate(*parse_fault(text))

    def set(
        self,
        name: str,
        value: Any = None,
        *,
        times: int | None = None,
        after: int = 0,
        probability: float = 1.0,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Switch a fault on, counting from now; one that was on before is replaced."""
        self._activate(name, Fault(value, times, after, probability, method, path))

    def clear(self, *names: str) -> None:
        """Switch these faults off; without names, all of them."""
        for name in names or list(self._active):
            if name not in FAULTS:
                raise UnknownFaultError(f"there is no fault {name!r}")
            self._active.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._active

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._active))

    def active(self) -> dict[str, Fault]:
        """The faults that are on, with when they fire."""
        return dict(self._active)

    def describe(self) -> list[str]:
        """The faults that are on, as a person reads them."""
        return [name if fault.value is None else f"{name}={fault.value}" for name, fault in list(self._active.items())]

    def shuffle(self, items: list[Any]) -> None:
        """Shuffle in place with the seeded generator."""
        self._random.shuffle(items)

    def fire(self, name: str, method: str, path: str) -> Fault | None:
        """The fault if it fires for this request, which counts as seen."""
        fault = self._active.get(name)
        if fault is None or not fault.matches(method, path):
            return None
        self._seen[name] += 1
        number = self._seen[name] - fault.after
        if number <= 0 or (fault.times is not None and number > fault.times):
            return None
        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return None
        self.fired[name] += 1
        return fault

    def use_up(self, name: str) -> bool:
        """Use the fault once, for a thing within a request: False once its value, a number of times, is used up."""
        fault = self._active.get(name)
        if fault is None or self._used[name] >= fault.value:
            return False
        self._used[name] += 1
        return True

    def _activate(self, name: str, fault: Fault) -> None:
        fault = _checked(name, fault)
        self._active[name] = fault
        self._seen[name] = 0
        self._used[name] = 0
