"""What is news: the conditions now against what was told. Pure.

told before     now         →  to tell          remembered
nothing         raised      →  that it is       told, once the channel has taken it
told            raised      →  nothing          as it was
told            clear       →  that it is over  forgotten, once the channel has taken it
not delivered   clear       →  nothing          forgotten
anything        not known   →  as before        as it was
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..sync_config import CONDITIONS
from .conditions import Conditions, Raised, condition_of

CHECK = "check_failed"


@dataclass(frozen=True)
class Told:
    """A condition that a channel knows of, or is to know. `over`: it is clear since then, and that is to be told."""

    since: float
    told: bool = False
    over: float | None = None


# By name of the condition, of one sync and one channel.
Memory = Mapping[str, Told]


@dataclass(frozen=True)
class News:
    """One thing to tell. `raised` is None when the condition is over."""

    condition: str
    since: float
    raised: Raised | None
    over: float | None = None


def remember(memory: Memory, now_known: Conditions, now: float, *, checks_known: bool = False) -> dict[str, Told]:
    """What is remembered after a look. `checks_known`: a check that is not raised now passes."""
    passing: Conditions = {name: None for name in memory if checks_known and condition_of(name) == CHECK}
    known = passing | now_known
    after = {name: told for name, told in memory.items() if name not in known}
    for name, raised in known.items():
        told = _next(memory.get(name), raised, now)
        if told is not None:
            after[name] = told
    return after


def _next(before: Told | None, raised: Raised | None, now: float) -> Told | None:
    if raised is not None:
        # Raised again before anybody heard that it was over: for them it never was.
        return replace(before, over=None) if before is not None else Told(raised.since)
    if before is None or not before.told:
        return None
    return before if before.over is not None else replace(before, over=now)


def news(memory: Memory, now_known: Conditions) -> Iterator[News]:
    """What the channel has not taken yet, in the order of the conditions."""
    for name, told in sorted(memory.items(), key=_in_order):
        raised = now_known.get(name)
        if told.over is not None:
            yield News(name, told.since, None, told.over)
        elif not told.told and raised is not None:
            yield News(name, told.since, raised)


def _in_order(item: tuple[str, Told]) -> tuple[int, str]:
    names: Sequence[str] = CONDITIONS
    return names.index(condition_of(item[0])), item[0]


def delivered(memory: Memory, taken: News) -> dict[str, Told]:
    """What is remembered once a channel has taken it."""
    rest = {name: told for name, told in memory.items() if name != taken.condition}
    if taken.raised is None:
        return rest
    return rest | {taken.condition: replace(memory[taken.condition], told=True)}
